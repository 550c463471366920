"""The benches measure what they say. How fast anything is, no test says."""

import sys
from collections import Counter
from functools import partial
from itertools import chain

import orjson
import pytest
from typer.testing import CliRunner

from node.bench import seal
from node.bench.rivals import JWS, RAW, SD_JWT, Rival, rivals
from node.bench.subject import (
    REDACTIONS,
    Redaction,
    append_to,
    attributes,
    log_records,
    registry,
    seal_log,
    verify_appended,
    verify_package,
)
from node.bench.turns import in_turns, peak_bytes
from node.cli import app
from sharing.seal.package import write_package
from sharing.seal.records import Kind

SIZE = 200
COUNTED = 12


def beside(count: int) -> dict[str, Rival]:
    records = log_records(count)
    return {rival.name: rival for rival in rivals(records, seal_log(records))}


def test_every_table_has_a_row_for_each_size_and_thing() -> None:
    tables = dict(seal.run((3, COUNTED), rounds=1))
    rows = [len(rows) for rows in tables.values()]
    assert rows == [2 * 2, 2 * (1 + len(REDACTIONS) + 2), 2, 2]
    for table in tables.values():
        assert len({tuple(row) for row in table}) == 1
        assert {row["attributes"] for row in table} == {"3", str(COUNTED)}


def test_without_the_packages_of_others_the_rest_is_measured_and_the_title_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "sd_jwt", None)
    title, rows = next(iter(seal.run((3,), rounds=1)))
    assert "isac check" in title
    assert [(row[JWS], row[SD_JWT]) for row in rows] == [("", "")] * 2
    assert all(row[RAW] for row in rows)


@pytest.mark.parametrize("redaction", REDACTIONS, ids=str)
def test_a_redaction_keeps_its_share_of_the_attributes_and_the_label(redaction: Redaction) -> None:
    holding = seal_log(log_records(SIZE))
    verified = verify_package(write_package(holding, redaction.masks(holding)), registry())
    left = verified.holding.disclosure
    kinds = [band.header.kind for band in left.bands for _ in range(band.length)]
    assert Counter(kinds) == {Kind.LABEL: 1, Kind.ATTRIBUTE: round(SIZE * redaction.share)}
    stretches = len([span for span in left.spans if span.stop > 1])
    assert (stretches == 1) == redaction.clustered


def test_what_is_appended_follows_what_is_held() -> None:
    held, added = seal_log(log_records(SIZE)), attributes(10, seed=8)
    now = verify_appended(append_to(held, added), held, registry()).holding
    assert now.statement.size == held.statement.size + len(added)
    assert list(now.records.values())[-1].slots == added[-1].slots


def test_raw_are_the_very_hashes_of_the_format() -> None:
    records = log_records(COUNTED)
    holding = seal_log(records)
    made = beside(COUNTED)[RAW].make()
    assert isinstance(made, tuple)
    hashed, signature = made
    (leaves,) = holding.disclosure.leaves()
    single = [
        leaves.hashes[band.rank : band.rank + band.length]
        for band in holding.disclosure.bands
        if band.header.width == 1
    ]
    commitments = sum(len(record.slots) for record in records if len(record.slots) > 1)
    assert len(hashed) == len(records) + commitments + len(records) - 1
    assert set(chain.from_iterable(single)) < set(hashed)
    assert signature == holding.signatures[0].sig


def test_what_others_make_they_give_back() -> None:
    told = [
        {name: value for slot in record.slots for name, value in orjson.loads(slot).items()}
        for record in attributes(COUNTED)
    ]
    others = beside(COUNTED)
    for name in (JWS, SD_JWT):
        assert others[name].check() == {"Attribute": told}
        assert others[name].size_bytes > len(orjson.dumps(told))


def test_work_in_turns_is_all_done_in_each_round() -> None:
    done = Counter[str]()
    spent = in_turns(3, {name: partial(done.update, name) for name in "ab"})
    assert spent.keys() == {"a", "b"}
    assert min(done.values()) >= 3
    assert all(0 < one.least <= one.median for one in spent.values())


def test_a_peak_counts_what_is_given_and_what_is_added_and_gone_again() -> None:
    megabyte = 1 << 20
    peak = peak_bytes(lambda: bytes(megabyte), lambda given: len(given + given))
    assert 3 * megabyte <= peak < 3.1 * megabyte


def test_one_bench_can_be_run_alone() -> None:
    said = CliRunner().invoke(app, ["bench", "policy"])
    assert said.exit_code == 0
    assert "Verdicts" in said.stdout
    assert "pull" not in said.stdout
    assert CliRunner().invoke(app, ["bench", "tea"]).exit_code == 2

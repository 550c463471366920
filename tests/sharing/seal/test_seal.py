"""Sealing: what is sealed verifies, in the order of the format; what would not verify is not sealed."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policies.label import Label
from policies.tlp import Tlp
from sharing.errors import BadRecordError
from sharing.seal import limits
from sharing.seal.labels import addressee_record, label_record
from sharing.seal.package import load_holding, write_package
from sharing.seal.records import Header, Kind, Record
from sharing.seal.seal import reseal, seal
from tests.sharing.seal.notary import (
    EVENT,
    EVENT_LABEL,
    NOW,
    ORG,
    OTHER,
    SIGNER,
    accepted,
    again,
    attribute,
    event_records,
    sealed,
    uuid_of,
    verified,
)
from tests.sharing.seal.strategies import logs


@given(logs())
def test_a_log_is_in_the_initial_order(records: list[Record]) -> None:
    ordered = list(sealed(records).records.values())
    labelling = [record.header.kind in (Kind.LABEL, Kind.ADDRESSEE) for record in ordered]
    assert labelling == sorted(labelling, reverse=True)
    clusters = [(r.header.labels, r.header.kind) for r in ordered[sum(labelling) :]]
    assert clusters == sorted(clusters)
    assert sorted(record.slots for record in ordered) == sorted(record.slots for record in records)


def test_within_a_cluster_the_order_is_that_of_the_uuids() -> None:
    records = [attribute(name) for name in range(40)]
    ordered = list(sealed([EVENT_LABEL, *records]).records.values())[1:]
    assert [record.slots[0][9:45].decode() for record in ordered if record.slots[0]] == sorted(
        uuid_of(name) for name in range(40)
    )


@settings(max_examples=60)
@given(
    st.lists(st.tuples(st.integers(0, 5), st.integers(0, 3)), min_size=1, max_size=5),
    st.booleans(),
    st.data(),
)
def test_resealing_verifies(
    steps: list[tuple[int, int]], stored: bool, data: st.DataObject
) -> None:
    held = sealed()
    alive = {record.slots for record in held.records.values()}
    for number, (added, voided) in enumerate(steps):
        before = held
        append = [attribute(f"{number}-{at}") for at in range(added)]
        content = [
            index for index in held.masks if held.records[index].header.kind == Kind.ATTRIBUTE
        ]
        void = data.draw(st.permutations(content))[:voided]
        alive -= {held.records[index].slots for index in void}
        alive |= {record.slots for record in append}
        raw = write_package(again(held, append, void))
        held = load_holding(raw) if stored else verified(raw, held=before).holding
        assert verified(raw, held=before).holding == held
        assert held.statement.prev == bytes.fromhex(before.statement.seal)
        assert held.statement.seq == before.statement.seq + 1
        assert {record.slots for record in held.records.values()} == alive
        if held.statement.epoch == before.statement.epoch:
            assert held.statement.size == before.statement.size + added
            assert set(held.void) == set(before.void) | set(void)


def test_resealing_what_was_loaded_gives_the_same_bytes() -> None:
    held = sealed()
    for append, void in [([attribute("a")], [4]), ([], [5]), ([attribute("b")], [])]:
        stored = load_holding(write_package(held))
        held = again(held, append, void)
        assert write_package(again(stored, append, void)) == write_package(held)


def test_relabelling_an_event_is_one_record() -> None:
    held = sealed()
    later = verified(write_package(again(held, [label_record(0, Label(Tlp.RED))], [0])), held=held)
    assert later.holding.labels.effective(0).tlp is Tlp.RED
    assert later.holding.void == (0,)


def test_an_edit_keeps_its_uuid() -> None:
    held = sealed()
    index = next(i for i, r in held.records.items() if r.header.kind == Kind.ATTRIBUTE)
    slots = held.records[index].slots
    assert all(slots)
    edited = Record(held.records[index].header, tuple(slot for slot in slots if slot))
    assert accepted(write_package(again(held, [edited], [index])), held=held)
    with pytest.raises(BadRecordError, match="one uuid"):
        again(held, [edited])


def test_salts_of_a_later_batch_are_its_own() -> None:
    held = sealed()
    later = again(held, [attribute("new")])
    assert [chunk.first for chunk in later.disclosure.chunks] == [0, 10]
    seeds = {chunk.seed for chunk in later.disclosure.chunks}
    assert len(seeds) == 2


def test_a_voided_record_leaves_no_salt_behind() -> None:
    held = sealed()
    gone = held.records[5].slots[0]
    assert gone is not None
    later = again(held, [], [5])
    assert not later.disclosure.chunks
    assert len(later.disclosure.salts) < len(held.disclosure.salts)
    assert gone not in write_package(later)


def test_too_many_voids_compact_the_log(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "VOIDS_ALWAYS_ALLOWED", 2)
    held = sealed([EVENT_LABEL, *(attribute(name) for name in range(6))])
    one_epoch = again(held, [], [4, 5, 6])
    assert (one_epoch.statement.epoch, one_epoch.statement.size) == (0, 7)
    compacted = verified(
        write_package(again(one_epoch, [attribute("new")], [2, 3])), held=one_epoch
    ).holding
    assert (compacted.statement.epoch, compacted.statement.seq) == (1, 3)
    assert (compacted.statement.size, compacted.void) == (3, ())
    assert compacted.statement.prev == bytes.fromhex(one_epoch.statement.seal)


def test_a_log_whose_frontier_was_forgotten_is_compacted() -> None:
    """Its last leaves are void and were known apart only before it was stored."""
    held = again(sealed([EVENT_LABEL, *(attribute(name) for name in range(6))]), [], [4, 5, 6])
    stored = load_holding(write_package(held))
    assert again(held, [attribute("new")]).statement.epoch == 0
    compacted = again(stored, [attribute("new")])
    assert (compacted.statement.epoch, compacted.statement.size) == (1, 5)
    assert accepted(write_package(compacted), held=stored)


def test_what_is_redacted_cannot_be_sealed_again() -> None:
    held = sealed()
    for masks in ({0: 1, 1: 1}, {**held.masks, 9: 1}):
        with pytest.raises(ValueError, match="everything live"):
            again(held.narrowed(masks))
    with pytest.raises(ValueError, match="everything live"):
        again(load_holding(write_package(held, class_table=False)))


@pytest.mark.parametrize("void", [[99], [-1]])
def test_what_is_not_live_cannot_be_voided(void: list[int]) -> None:
    with pytest.raises(BadRecordError, match="not live"):
        again(sealed(), [], void)
    with pytest.raises(BadRecordError, match="not live"):
        again(again(sealed(), [], [9]), [], [9])


HEAD = Header(Kind.ATTRIBUTE, (1,), (0,))


@pytest.mark.parametrize(
    ("records", "why"),
    [
        ([attribute("one")], "label 0"),
        ([EVENT_LABEL, EVENT_LABEL], "two live label records"),
        ([EVENT_LABEL, attribute("one", (16,))], "label 16"),
        ([EVENT_LABEL, attribute("one"), attribute("one")], "one uuid"),
        ([EVENT_LABEL, Record(HEAD, (b"{}", b"{}"))], "number of slots"),
        ([EVENT_LABEL, Record(HEAD, ())], "number of slots"),
        ([EVENT_LABEL, Record(HEAD, (b"",))], "under 2"),
        ([EVENT_LABEL, Record(HEAD, (b'{"a":"' + b"x" * limits.SLOT_BYTES + b'"}',))], "over"),
        ([EVENT_LABEL, Record(HEAD, (b'{"a":\n1}',))], "one line"),
        ([EVENT_LABEL, Record(HEAD, (b'{"a":\r1}',))], "one line"),
        ([EVENT_LABEL, Record(HEAD, (b'{"a":1,"a":2}',))], "twice"),
        ([EVENT_LABEL, Record(HEAD, (b"[1]",))], "one object"),
        ([EVENT_LABEL, Record(HEAD, (b'{"uuid":7}',))], "not a text"),
        ([EVENT_LABEL, *[addressee_record(0, party=OTHER)] * 2], "one addressee"),
        ([EVENT_LABEL, Record(EVENT_LABEL.header, (b'{"label":16}',))], "members"),
        ([], "label 0"),
    ],
)
def test_nothing_is_sealed_that_nobody_would_accept(records: list[Record], why: str) -> None:
    with pytest.raises(BadRecordError, match=why):
        sealed(records)
    if EVENT_LABEL in records and records.count(EVENT_LABEL) == 1:
        with pytest.raises(BadRecordError, match=why):
            again(sealed([EVENT_LABEL]), records[1:])


def test_the_time_of_a_statement_is_in_whole_seconds() -> None:
    held = reseal(
        sealed(),
        append=[],
        void=iter([9]),
        signers=[SIGNER],
        seed=bytes(32),
        class_salt=bytes(16),
        at=NOW.replace(microsecond=7),
    )
    assert verified(write_package(held)).holding == held
    assert held.void == (9,)


def test_logs_have_the_types_that_there_are() -> None:
    with pytest.raises(BadRecordError, match="rumour"):
        seal(
            event_records(),
            log="rumour",
            event=EVENT,
            issuer=ORG,
            signers=[SIGNER],
            seed=bytes(32),
            class_salt=bytes(16),
            at=NOW,
        )


@pytest.mark.parametrize(
    ("seed", "class_salt", "signers"),
    [(b"", bytes(16), [SIGNER]), (bytes(32), b"", [SIGNER]), (bytes(32), bytes(16), [])],
)
def test_no_log_is_sealed_without_secrets_and_signer(
    seed: bytes, class_salt: bytes, signers: list[object]
) -> None:
    with pytest.raises(ValueError, match=r"seed|salt|signer"):
        seal(
            event_records(),
            log="event",
            event=EVENT,
            issuer=ORG,
            signers=signers,  # type: ignore[arg-type]
            seed=seed,
            class_salt=class_salt,
            at=NOW,
        )

"""The checker must fail where a party sees too much, too little, or something else."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from node.demo.check import Look, Verdict, check_table
from node.demo.scenario import Cell, Check, Column, Row, shipped_scenario

AT = datetime(2026, 1, 28, 17, tzinfo=UTC)
TWIN = {"place": "somewhere near"}


def verdict(row: Row, answer: bytes) -> tuple[Verdict, str]:
    return verdict_of(row, {AT: answer})


def verdict_of(row: Row, answers: dict[datetime, bytes]) -> tuple[Verdict, str]:
    me = Column("me", "Me", "me")
    scenario = replace(shipped_scenario(), columns=(me,), rows=(row,))
    seen = {Look.at(at, row, me): answer for at, answer in answers.items()}
    (outcome,) = check_table(scenario, seen)
    return outcome.verdict, outcome.why


def seen(
    exact: dict[str, Any] | None = None,
    twin: dict[str, Any] | None = None,
    values: tuple[str, ...] = (),
    notice: str = "",
    withheld: tuple[str, ...] = (),
    more: str = "",
) -> bytes:
    told = {
        "fields": [
            {"name": name, "value": value, "precision": precision}
            for precision, fields in (("exact", exact), ("twin", twin))
            for name, value in (fields or {}).items()
        ],
        "event": {"attributes": [{"value": value} for value in values]},
        "entity": "somebody",
        "notice": notice,
        "withheld": withheld,
        "more": more,
    }
    return json.dumps(told, ensure_ascii=False).encode()


def row(check: Check, value: object = None, part: str = "fields") -> Row:
    exact: Any = {"place": "Rue Exacte 5"} if part == "fields" else ["198.51.100.23"]
    return Row("a datum", part, exact, TWIN, {"me": (Cell(AT, check, value),)})


@pytest.mark.parametrize(
    ("one", "answer", "expected"),
    [
        (row(Check.EQUALS), seen({"place": "Rue Exacte 5"}), Verdict.OK),
        (row(Check.EQUALS), seen({"place": "Rue Exacte 6"}), Verdict.FAIL),
        (row(Check.EQUALS), seen(), Verdict.FAIL),
        (row(Check.EQUALS), b"", Verdict.FAIL),
        (row(Check.EQUALS_TWIN), seen(twin={"place": "somewhere near"}), Verdict.OK),
        (row(Check.EQUALS_TWIN), seen({"place": "somewhere near"}), Verdict.FAIL),
        (row(Check.EQUALS), seen(twin={"place": "Rue Exacte 5"}), Verdict.FAIL),
        (row(Check.EQUALS, {"entity": "somebody"}), seen(), Verdict.OK),
        (row(Check.EQUALS, {"entity": "nobody"}), seen(), Verdict.FAIL),
        (row(Check.EQUALS_TWIN), seen({"place": "Rue Exacte 5"}), Verdict.FAIL),
        (row(Check.ABSENT), seen(), Verdict.OK),
        (row(Check.ABSENT), seen({"place": None}), Verdict.FAIL),
        (row(Check.ABSENT), seen(more="near Rue Exacte 5"), Verdict.FAIL),
        (row(Check.ABSENT), b"", Verdict.FAIL),
        (row(Check.EQUALS, part="indicators"), seen(values=("198.51.100.23", "x")), Verdict.OK),
        (row(Check.EQUALS, part="indicators"), seen(values=("x",)), Verdict.FAIL),
        (row(Check.ABSENT, part="indicators"), seen(values=("198.51.100.23",)), Verdict.FAIL),
        (
            row(Check.EQUALS, "some fields withheld", "notice"),
            seen(notice="some fields withheld"),
            Verdict.OK,
        ),
        (row(Check.EQUALS, ["place"], "notice"), seen(withheld=("place", "time")), Verdict.OK),
        (row(Check.EQUALS, ["place"], "notice"), seen(withheld=("time",)), Verdict.FAIL),
        (row(Check.EQUALS, ["place"], "notice"), seen(), Verdict.FAIL),
        (row(Check.ABSENT, part="notice"), seen(notice="some fields withheld"), Verdict.FAIL),
        (row(Check.EQUALS, part="page"), b"<code>198.51.100.23</code>", Verdict.OK),
        (row(Check.EQUALS, part="page"), b"<code>198.51.100.24</code>", Verdict.FAIL),
        (row(Check.ABSENT, part="page"), b"<p>Nothing</p>", Verdict.OK),
        (row(Check.ABSENT, part="page"), b"<code>198.51.100.23</code>", Verdict.FAIL),
        (row(Check.ABSENT, part="page"), b"", Verdict.FAIL),
        (row(Check.LATER), b"", Verdict.LATER),
    ],
)
def test_a_cell_holds_only_if_the_answer_says_so(
    one: Row, answer: bytes, expected: Verdict
) -> None:
    got, why = verdict(one, answer)
    assert got is expected
    assert bool(why) == (expected is Verdict.FAIL)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (seen(), seen({"place": "Rue Exacte 5"}), Verdict.OK),
        (seen({"place": "Rue Exacte 5"}), seen({"place": "Rue Exacte 5"}), Verdict.FAIL),
        (seen(), seen(), Verdict.FAIL),
    ],
)
def test_a_cell_around_a_release_holds_before_and_after_it(
    before: bytes, after: bytes, expected: Verdict
) -> None:
    earlier = AT - timedelta(minutes=20)
    cells = (Cell(earlier, Check.ABSENT), Cell(AT, Check.EQUALS))
    one = replace(row(Check.EQUALS), cells={"me": cells})
    assert verdict_of(one, {earlier: before, AT: after})[0] is expected

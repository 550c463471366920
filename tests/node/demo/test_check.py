"""The checker must fail where a party sees too much, too little, or something else."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from node.demo.check import Verdict, check_table
from node.demo.scenario import Cell, Check, Column, Row, shipped_scenario

AT = datetime(2026, 1, 28, 17, tzinfo=UTC)
TWIN = {"place": "somewhere near"}


def verdict(row: Row, answer: bytes) -> tuple[Verdict, str]:
    scenario = replace(shipped_scenario(), columns=(Column("me", "Me", "me"),), rows=(row,))
    (outcome,) = check_table(scenario, {"me": answer})
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
    return Row("a datum", part, exact, TWIN, {"me": Cell(AT, check, value)})


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
        (row(Check.LATER), b"", Verdict.LATER),
    ],
)
def test_a_cell_holds_only_if_the_answer_says_so(
    one: Row, answer: bytes, expected: Verdict
) -> None:
    got, why = verdict(one, answer)
    assert got is expected
    assert bool(why) == (expected is Verdict.FAIL)

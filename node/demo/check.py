"""Compares what each party of the scenario sees with its visibility table.

A cell holds if what that party reads through its own door says what the table demands, at each of
its instants: `equals` and `equals-twin` name the value, `absent` demands that the field is not in
the answer and that no text of its value occurs anywhere in the answer's bytes.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from node.demo.scenario import Cell, Check, Column, Row, Scenario

_TELLING = 4  # shorter texts ("yes", "FR", 212) occur in any answer by chance


class Verdict(StrEnum):
    """How a cell came out."""

    OK = "ok"
    FAIL = "FAIL"
    LATER = "later"


@dataclass(frozen=True, slots=True)
class Look:
    """One party looking at one incident at one instant: at its answers, or at its page."""

    instant: datetime
    column: str
    incident: str
    part: str

    @classmethod
    def at(cls, at: datetime, row: Row, column: Column) -> "Look":
        """Give the look that a cell of this row and column needs."""
        is_own = row.part in {"page", "receipts"} and column.files is None
        return cls(at, column.key, row.incident, row.part if is_own else "answer")

    @property
    def name(self) -> str:
        """What it is called as a file."""
        return f"{self.instant:%m%dT%H%M}-{self.column}-{self.incident}-{self.part}"


@dataclass(frozen=True, slots=True)
class Outcome:
    """One cell, checked; `why` says what was expected and what was there."""

    datum: str
    column: str
    verdict: Verdict
    why: str = ""


def check_table(scenario: Scenario, seen: Mapping[Look, bytes]) -> Iterator[Outcome]:
    """Check every cell at each of its instants; `seen` is what was read at each look."""
    for row in scenario.rows:
        for column in scenario.columns:
            cells = row.cells[column.key]
            if any(cell.check is Check.LATER for cell in cells):
                yield Outcome(row.datum, column.key, Verdict.LATER)
                continue
            faults = [
                f"{cell.at:%d %b %H:%MZ}: {fault}"
                for cell in cells
                if (fault := _fault(row, cell, seen[Look.at(cell.at, row, column)]))
            ]
            verdict = Verdict.FAIL if faults else Verdict.OK
            yield Outcome(row.datum, column.key, verdict, "; ".join(faults))


def _fault(row: Row, cell: Cell, answer: bytes) -> str:
    """Say what is wrong with a cell; empty if nothing is."""
    if row.part == "receipts":
        return _unlike_receipts(cell.value or row.exact, cell.check, answer)
    if not answer:
        return "the party was given no answer at all"
    if row.part == "page":
        return _unlike_page(row.exact, cell.check, answer)
    seen = _Seen(answer)
    if cell.check is Check.ABSENT:
        return _found(row, seen)
    wanted = cell.value
    if wanted is None:
        wanted = row.exact if cell.check is Check.EQUALS else row.twin
    match row.part:
        case "fields":
            precision = "exact" if cell.check is Check.EQUALS else "twin"
            return _unlike_fields(wanted, precision, seen)
        case "indicators":
            missing = sorted(set(wanted) - seen.values)
            return f"missing: {', '.join(missing)}" if missing else ""
        case "sightings":
            return _unlike_sightings(wanted, seen)
        case _:
            return _unlike_notice(wanted, seen)


def _unlike_receipts(wanted: Mapping[str, int], check: Check, answer: bytes) -> str:
    """Compare how many have signed that what was taken back is gone; not all may ask."""
    told = json.loads(answer or b"{}")
    got = {name: told[name] for name in wanted if name in told}
    if check is Check.ABSENT:
        return f"told: {got!r}" if got else ""
    return "" if got == wanted else f"wanted {wanted!r}, got {got!r}"


def _unlike_page(texts: Iterable[str], check: Check, page: bytes) -> str:
    """Say which texts are on a page, or are not, against what is wanted."""
    there = {text for text in texts if text.encode() in page}
    if check is Check.ABSENT:
        return "; ".join(f"{text!r} is on the page" for text in sorted(there))
    return "; ".join(f"{text!r} is not on the page" for text in sorted(set(texts) - there))


class _Seen:
    """What one party was answered: the view as JSON, and its very bytes."""

    def __init__(self, answer: bytes) -> None:
        view: dict[str, Any] = json.loads(answer)
        self.answer = answer
        self.fields: dict[str, dict[str, Any]] = {one["name"]: one for one in view["fields"]}
        self.values = {one.get("value") for one in view["event"].get("attributes", ())}
        self.entity = view["entity"]
        self.notice: str = view["notice"]
        self.withheld: list[str] = view["withheld"]
        self.sightings = view.get("sightings", [])


def _found(row: Row, seen: _Seen) -> str:
    """Say what of a row is there although it must be absent."""
    if row.part == "sightings":
        return f"sightings are there: {seen.sightings}" if seen.sightings else ""
    if row.part == "notice":
        return f"a notice is there: {seen.notice}" if seen.notice else ""
    names = row.exact if row.part == "fields" else ()
    texts = row.exact.values() if row.part == "fields" else row.exact
    leaked = [
        text
        for text in _texts(texts)
        if json.dumps(text, ensure_ascii=False)[1:-1].encode() in seen.answer
    ]
    fields = (f"field {name} is there" for name in names if name in seen.fields)
    return "; ".join([*fields, *(f"{text!r} is in the bytes" for text in leaked)])


def _texts(values: Iterable[object]) -> Iterator[str]:
    """Yield the texts that tell a value; short words occur in any answer by chance."""
    for value in values:
        if isinstance(value, str) and len(value) > _TELLING and not value.isalpha():
            yield value
        elif isinstance(value, list):
            yield from _texts(value)


def _unlike_fields(wanted: Mapping[str, object], precision: str, seen: _Seen) -> str:
    faults = []
    for name, value in wanted.items():
        told = {"value": seen.entity, "precision": precision}  # who it happened to is no field
        got = told if name == "entity" else seen.fields.get(name, {"value": "nothing"})
        if got["value"] != value:
            faults.append(f"{name}: wanted {value!r}, got {got['value']!r}")
        elif got["precision"] != precision:
            faults.append(f"{name}: wanted it {precision}, got it {got['precision']}")
    return "; ".join(faults)


def _unlike_sightings(wanted: Mapping[str, object], seen: _Seen) -> str:
    """Compare how often anything was seen, and in which countries if that is told."""
    by_country: dict[str, int] = {}
    for one in seen.sightings:
        for country, count in one["by_country"].items():
            by_country[country] = by_country.get(country, 0) + count
    told = {"count": sum(one["count"] for one in seen.sightings), "by_country": by_country}
    return "" if told == wanted else f"wanted {wanted!r}, got {told!r}"


def _unlike_notice(wanted: object, seen: _Seen) -> str:
    if isinstance(wanted, list):
        missing = sorted(set(wanted) - set(seen.withheld))
        return f"not told as withheld: {', '.join(missing)}" if missing else ""
    return "" if seen.notice == wanted else f"wanted {wanted!r}, got {seen.notice!r}"

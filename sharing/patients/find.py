"""The detector: one text in, findings out. Pure; it keeps nothing of what it read.

Order: what stands alone (formats, births, numbers), then names beside them, then what counts only
because a person stands beside it (plain numbers, contacts).
"""

from collections.abc import Iterable, Iterator, Mapping

from sharing.patients.births import births, births_beside
from sharing.patients.contacts import contacts
from sharing.patients.digits import (
    Unproven,
    beside_a_person,
    personal_numbers,
    sure_numbers,
)
from sharing.patients.finding import Finding, Kind, Nearby, Reason, Where
from sharing.patients.formats import formats
from sharing.patients.names import names, names_beside
from sharing.patients.reading import Reading
from sharing.patients.tables import tables

MOST = 200
"""Findings of one text; whoever has this many has lost more than a name."""

_KINDS: Mapping[Where, Kind] = {
    Where.PERSON_NAME: Kind.NAME,
    Where.PERSON_BIRTH: Kind.BIRTH,
    Where.PERSON_NUMBER: Kind.NATIONAL_ID,
    Where.PERSON_RECORD: Kind.RECORD,
    Where.VICTIM_EMAIL: Kind.EMAIL,
    Where.VICTIM_PHONE: Kind.PHONE,
}
_EMPTY = frozenset({"unknown", "none", "null", "redacted", "anonymous", "anonymised", "withheld"})


def find(text: str, *, where: Where = Where.TEXT) -> tuple[Finding, ...]:
    """What of a text is patient data, in the order of its places, not overlapping; at most `MOST`.

    Takes time linear in the text; nothing of the text is kept or told.
    """
    match where:
        case Where.MACHINE:
            return ()
        case Where.INDICATOR:
            return _in_indicator(text)
        case Where.TEXT | Where.CONTACT:
            return _in_prose(text, where) if _worth_reading(text) else ()
        case _:
            return _whole(text, _KINDS[where])


def _worth_reading(text: str) -> bool:
    """Whether a text can hold anything: one word says nothing of a person."""
    return len(text) > 8 or (len(text) > 5 and not text.isdecimal())


def _whole(text: str, kind: Kind) -> tuple[Finding, ...]:
    """A field about a person: whatever it says, unless it says nothing."""
    said = text.strip(" \t\r\n-_.*?/")
    if not any(map(str.isalnum, said)) or said.casefold() in _EMPTY:
        return ()
    return (Finding(0, len(text), kind, Reason.FIELD_OF_PERSON, certain=True),)


def _in_indicator(text: str) -> tuple[Finding, ...]:
    if len(text) < 15 or sum(map(str.isdigit, text)) < 7:
        return ()
    reading = Reading(text)
    return _settled(reading, [*sure_numbers(reading), *formats(reading.text)])


def _in_prose(text: str, where: Where) -> tuple[Finding, ...]:
    reading = Reading(text)
    born = list(births(reading))
    numbered = list(personal_numbers(reading))
    proven = [each for each in numbered if isinstance(each, Finding)]
    alone = [*formats(reading.text), *born, *proven, *tables(reading)]
    if where is Where.CONTACT:
        return _settled(reading, alone)
    named = list(names(reading, [*born, *proven]))
    named += _listed(reading, numbered)
    dated = list(births_beside(reading, [*proven, *named]))
    people = Nearby([*born, *proven, *named], reading.clause)
    plain = beside_a_person((each for each in numbered if isinstance(each, Unproven)), people)
    return _settled(reading, [*alone, *named, *dated, *plain, *contacts(reading, people)])


def _listed(reading: Reading, numbered: Iterable[Finding | Unproven]) -> Iterator[Finding]:
    """The names of lists without headings: name, date and a number that could be a person's."""
    for each in numbered:
        if isinstance(each, Unproven):
            for name in names_beside(reading, each.finding):
                if any(births_beside(reading, [name, each.finding])):
                    yield name


def _settled(reading: Reading, findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Put findings in order, let a longer one swallow those it overlaps, and trace them back."""
    kept: list[Finding] = []
    for finding in sorted(findings, key=lambda each: (each.start, -each.end, not each.certain)):
        if kept and finding.start < kept[-1].end:
            if finding.end > kept[-1].end:
                kept[-1] = _moved(kept[-1], kept[-1].start, finding.end)
            continue
        if len(kept) == MOST:
            break
        kept.append(finding)
    return tuple(_moved(each, *reading.origin(each.start, each.end)) for each in kept)


def _moved(finding: Finding, start: int, end: int) -> Finding:
    if (finding.start, finding.end) == (start, end):
        return finding
    return Finding(start, end, finding.kind, finding.reason, finding.certain, finding.detail)

"""Dates of birth: a date beside a word for birth, in the ways Europe writes dates."""

import re
from collections.abc import Iterable, Iterator

from sharing.patients.finding import Finding, Kind, Reason
from sharing.patients.reading import Reading
from sharing.patients.words import Word

_WINDOW = 48
_YEAR = r"(?:18|19|20)\d\d"
_LETTERS = r"[^\W\d_]{3,12}"
# Looked for in short windows only, so that no text makes it slow.
DATE = re.compile(
    rf"(?<![\d.])(?:\d{{1,2}} ?[./-] ?\d{{1,2}} ?[./-] ?(?:{_YEAR}|\d\d)(?!\d)"
    rf"|{_YEAR} ?[./-] ?\d{{1,2}} ?[./-] ?\d{{1,2}}(?!\d)\.?"
    rf"|{_YEAR}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?!\d)"
    rf"|(?:0[1-9]|[12]\d|3[01])(?:0[1-9]|1[0-2]){_YEAR}(?!\d)"
    rf"|\d{{1,2}}(?:\.|er|st|nd|rd|th|o)? (?:of |de |d')?{_LETTERS}\.?,? (?:de |del )?{_YEAR}"
    rf"|{_LETTERS}\.? \d{{1,2}}(?:st|nd|rd|th)?,? {_YEAR}"
    rf"|{_YEAR}\.? (?:m\. |gada )?(?:{_LETTERS} \d{{1,2}}|\d{{1,2}}\. {_LETTERS}))"
)
# What ends a sentence, but for the abbreviations that words for birth are.
_STOP = re.compile(r"[\n;!?]|[^\W\d_]{4,}\. +(?=[^\W\d_a-z])")
# `Müller *3.4.1961`, and one letter for born: n. in Romanian, f. in Swedish, b. in English.
_STAR = re.compile(r"[^\W\d_]\)?,? {0,2}\(?(?:\*|\b[nfbg]\.) ?(?=\d)")
_JOINT = re.compile(r"[ ,;|\t(/-]{1,3}")
_DATE_BEFORE = re.compile(r"[ ,)-]{0,3}(?:[aáeé]n )?$")


def births(reading: Reading) -> Iterator[Finding]:
    """Every date that a word for birth stands with; `Müller *03.04.1961` counts as well."""
    for n, does in enumerate(reading.does):
        if does & Word.BORN:
            found = _after(reading.text, reading.ends[n]) or _before(
                reading.text, reading.starts[n]
            )
            if found is not None:
                yield found
    if "*" in reading.text or ". " in reading.text:
        for star in _STAR.finditer(reading.text):
            date = DATE.match(reading.text, star.end(), star.end() + _WINDOW)
            if date is not None:
                yield _finding(date.start(), date.end())


def births_beside(reading: Reading, people: Iterable[Finding]) -> Iterator[Finding]:
    """Dates right after or before a name or a personal number, as in lists without headings."""
    text = reading.text
    for each in people:
        joint = _JOINT.match(text, each.end)
        date = DATE.match(text, joint.end(), joint.end() + _WINDOW) if joint else None
        if date is not None:
            yield _beside(date.start(), date.end())
        begin = max(0, each.start - _WINDOW)
        for date in DATE.finditer(text, begin, each.start):
            if _JOINT.fullmatch(text, date.end(), each.start):
                yield _beside(date.start(), date.end())


def _after(text: str, place: int) -> Finding | None:
    window = text[place : place + _WINDOW]
    stop = _STOP.search(window)
    date = DATE.search(window, 0, stop.start() + 1 if stop else len(window))
    return _finding(place + date.start(), place + date.end()) if date else None


def _before(text: str, place: int) -> Finding | None:
    """`der am 3.4.1961 geborene`, `1961. április 3-án született`."""
    begin = max(0, place - _WINDOW)
    dates = list(DATE.finditer(text, begin, place))
    if not dates or not _DATE_BEFORE.fullmatch(text[dates[-1].end() : place]):
        return None
    return _finding(dates[-1].start(), dates[-1].end())


def _beside(start: int, end: int) -> Finding:
    return Finding(start, end, Kind.BIRTH, Reason.DATE_WITH_PERSON)


def _finding(start: int, end: int) -> Finding:
    return Finding(start, end, Kind.BIRTH, Reason.BIRTH_WORD)

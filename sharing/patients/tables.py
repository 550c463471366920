"""Rows under a heading that names columns for persons, as in a spreadsheet that leaked.

A cell counts where its column's heading says what it is and the cell looks like it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from sharing.patients.births import DATE
from sharing.patients.finding import Finding, Kind, Reason
from sharing.patients.reading import Reading
from sharing.patients.words import ANY_PATIENT, Word

_DELIMITERS = ";|\t,"
_MOST_COLUMNS = 60
_LONGEST_CELL = 80
_HEADING_WORDS = 4
_AROUND = " \"'"
_LINE = re.compile(r"[^\r\n]+")
_NUMBER_OF_A_PATIENT = ((Word.NATIONAL, Kind.NATIONAL_ID), (Word.INSURANCE, Kind.INSURANCE))


@dataclass(frozen=True, slots=True)
class _Heading:
    """How a table's lines are cut, and what its columns hold."""

    delimiter: str
    columns: tuple[Kind | None, ...]


def tables(reading: Reading) -> Iterator[Finding]:
    """Every cell about a person in rows under such a heading; an empty line ends a table."""
    heading: _Heading | None = None
    end = 0
    for line in _LINE.finditer(reading.text):
        if heading is not None and reading.text.count("\n", end, line.start()) > 1:
            heading = None
        end = line.end()
        cells = _cells(line, heading.delimiter) if heading is not None else []
        if heading is not None and len(cells) == len(heading.columns):
            yield from _row(reading.text, cells, heading)
        else:
            heading = _heading(reading, line)


def _cells(line: re.Match[str], delimiter: str) -> list[tuple[int, int]]:
    """Where the cells of a line stand; none if there are too many."""
    if line[0].count(delimiter) >= _MOST_COLUMNS:
        return []
    places, start = [], line.start()
    for cell in line[0].split(delimiter):
        places.append((start, start + len(cell)))
        start += len(cell) + 1
    return places


def _heading(reading: Reading, line: re.Match[str]) -> _Heading | None:
    """The heading that a line is: two columns at least that are about a person."""
    if len(line[0]) > _MOST_COLUMNS * _LONGEST_CELL:
        return None
    for delimiter in _DELIMITERS:
        cells = _cells(line, delimiter) if delimiter in line[0] else []
        if len(cells) < 2 or any(end - start > _LONGEST_CELL for start, end in cells):
            continue
        if any(reading.since(end) - reading.since(start) > _HEADING_WORDS for start, end in cells):
            continue
        columns = tuple(_column(reading, *cell) for cell in cells)
        if sum(kind is not None for kind in columns) >= 2 and set(columns) - {Kind.NAME, None}:
            return _Heading(delimiter, columns)
        if columns.count(Kind.NAME) >= 2:
            return _Heading(delimiter, columns)
    return None


def _column(reading: Reading, start: int, end: int) -> Kind | None:
    """What a column holds by the words of its heading."""
    does = 0
    for n in range(reading.since(start), reading.since(end)):
        does |= reading.does[n]
    if does & Word.BORN:
        return Kind.BIRTH
    for word, kind in _NUMBER_OF_A_PATIENT:
        if does & word:
            return kind
    if does & Word.RECORD or (does & ANY_PATIENT and does & Word.NUMBER):
        return Kind.RECORD_NUMBER
    return Kind.NAME if does & (Word.LABEL | Word.NAME) else None


def _row(text: str, cells: list[tuple[int, int]], heading: _Heading) -> Iterator[Finding]:
    """The cells of a line that is a row: what its columns promise is there, or nothing."""
    told = [
        (kind, start, end)
        for (start, end), kind in zip(cells, heading.columns, strict=True)
        if kind is not None and text[start:end].strip(_AROUND)
    ]
    if all(_looks_like(text[start:end].strip(_AROUND), kind) for kind, start, end in told):
        for kind, start, end in told:
            yield Finding(start, end, kind, Reason.UNDER_HEADING)


def _looks_like(cell: str, kind: Kind) -> bool:
    match kind:
        case Kind.NAME:
            return all(part.isalpha() for part in re.split(r"[ ,.'-]+", cell) if part)
        case Kind.BIRTH:
            return DATE.match(cell) is not None
        case _:
            return sum(map(str.isdigit, cell)) >= 4

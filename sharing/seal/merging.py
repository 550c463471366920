"""Merge: of two holdings of one version, what either of them discloses (§2.8).

A subtree that both withhold is withheld by one of them beside something it discloses, so its hash
is in that one's proof: the proof of the union can always be made.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import chain

from sharing.seal.disclosure import Disclosure, lay_out
from sharing.seal.holding import Holding
from sharing.seal.narrowing import keep_seeds
from sharing.seal.records import Header
from sharing.seal.salts import Chunk, split_salts
from sharing.seal.tree import spans_of


@dataclass(frozen=True, slots=True)
class _Cell:
    """A slot with its salt, or without either the hash that stands for it."""

    slot: bytes
    salt: bytes
    commitment: bytes | None


_Row = tuple[Header, tuple[_Cell, ...]]


def merge(left: Holding, right: Holding) -> Holding:
    """The union of two holdings, each of which was verified or is our own.

    Raises ValueError unless both are of the same statement, signed alike.
    """
    if left.payload != right.payload:
        raise ValueError("two versions, or two logs: only copies of one version can be merged")
    if left.signatures != right.signatures:
        raise ValueError("two signatures over one version: verify each; one of them may be false")
    rows = dict(_rows(left.disclosure))
    for index, row in _rows(right.disclosure):
        rows[index] = _both(rows[index], row) if index in rows else row
    chunks = (*left.disclosure.chunks, *right.disclosure.chunks)
    merged = _laid_out(dict(sorted(rows.items())), chunks)
    disclosure = keep_seeds(merged, left.statement.size)
    tree = left.tree.united(right.tree)
    return replace(
        left,
        classes=left.classes or right.classes,
        disclosure=disclosure,
        proof=tree.proof(disclosure.spans),
        folded=tree,
    )


def _rows(disclosure: Disclosure) -> Iterator[tuple[int, _Row]]:
    salts = split_salts(disclosure.salts)
    indices = iter(disclosure.indices)
    for band in disclosure.bands:
        for first in range(band.first, band.end, band.header.width):
            places = range(first, first + band.header.width)
            cells = (
                _Cell(disclosure.slots[at], salts[at], disclosure.commitments.get(at))
                for at in places
            )
            yield next(indices), (band.header, tuple(cells))


def _both(left: _Row, right: _Row) -> _Row:
    cells = zip(left[1], right[1], strict=True)
    return left[0], tuple(mine if mine.slot else theirs for mine, theirs in cells)


def _laid_out(rows: Mapping[int, _Row], chunks: Iterable[Chunk]) -> Disclosure:
    cells = list(chain.from_iterable(row for _, row in rows.values()))
    return Disclosure(
        spans=tuple(spans_of(list(rows))),
        bands=lay_out((1, header) for header, _ in rows.values()),
        slots=[cell.slot for cell in cells],
        salts=b"".join(cell.salt for cell in cells),
        commitments={place: cell.commitment for place, cell in enumerate(cells) if cell.commitment},
        chunks=tuple(_apart(chunks)),
    )


def _apart(chunks: Iterable[Chunk]) -> Iterator[Chunk]:
    """The chunks, each once, and of two that overlap the first and longer one."""
    stop = 0
    for chunk in sorted(chunks, key=lambda chunk: (chunk.first, -chunk.count)):
        if chunk.first >= stop:
            yield chunk
            stop = chunk.stop

"""The hash tree of RFC 9162 §2.1, of which some leaves may be unknown.

`node = H(01 || left || right)`; an odd last node of a level rises unchanged. A level is kept as
stretches of neighbouring known hashes, so cost follows what is known, not the size of the log.

Multiproof (sealing.md §2.6): level by level from the leaves, left to right, for each known node
whose sibling exists and is unknown, the sibling's hash. It is minimal and consumed exactly.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from hashlib import sha256
from itertools import chain
from typing import NamedTuple

from sharing.errors import UnreadableError


class Span(NamedTuple):
    """Neighbouring leaves, from `start` up to but without `stop`."""

    start: int
    stop: int


class Stretch(NamedTuple):
    """Hashes of neighbouring nodes of one level, the first at place `start`."""

    start: int
    hashes: list[bytes]


def join_span(spans: list[Span], span: Span) -> None:
    """Put a span behind the last one, joined to it where they touch."""
    if spans and spans[-1].stop == span.start:
        spans[-1] = Span(spans[-1].start, span.stop)
    else:
        spans.append(span)


def spans_of(indices: Sequence[int]) -> list[Span]:
    """The spans that ascending indices make."""
    befores, afters = chain([-2], indices), chain(indices[1:], [-2])
    starts = [index for before, index in zip(befores, indices, strict=False) if index - before > 1]
    lasts = [index for index, after in zip(indices, afters, strict=False) if after - index != 1]
    return [Span(start, last + 1) for start, last in zip(starts, lasts, strict=True)]


def root_of(entries: Iterable[bytes]) -> bytes:
    """The RFC 9162 root over these entries; H("") if there are none."""
    leaves = [sha256(b"\x00" + entry).digest() for entry in entries]
    if not leaves:
        return sha256(b"").digest()
    return fold([Stretch(0, leaves)], len(leaves), ()).root


@dataclass(frozen=True, slots=True)
class Tree:
    """What is known of a log's tree: per level, leaves first, stretches and their proof nodes."""

    size: int
    levels: Sequence[Sequence[Stretch]]

    @property
    def root(self) -> bytes:
        """The hash of the one node of the last level."""
        return self.levels[-1][0].hashes[0]

    def node(self, level: int, place: int) -> bytes | None:
        """The hash of a node, if it is known on this level."""
        stretches = self.levels[level]
        found = bisect_right(stretches, place, key=_start) - 1
        if found < 0:
            return None
        offset = place - stretches[found].start
        hashes = stretches[found].hashes
        return hashes[offset] if offset < len(hashes) else None

    def proof(self, spans: Sequence[Span]) -> tuple[bytes, ...]:
        """The multiproof for the leaves in `spans`, which ascend, do not touch and are known."""
        proof: list[bytes | None] = []
        width = self.size
        for level in range(len(self.levels)):
            parents: list[Span] = []
            for start, stop in spans:
                if start & 1:
                    proof.append(self.node(level, start - 1))
                if stop & 1 and stop < width:
                    proof.append(self.node(level, stop))
                join_span(parents, Span(start >> 1, (stop + 1) >> 1))
            spans, width = parents, (width + 1) >> 1
        known = tuple(node for node in proof if node is not None)
        if len(known) != len(proof):
            raise ValueError("a proof was asked for leaves that are not known")
        return known

    def frontier(self, size: int) -> "Frontier | None":
        """The frontier that the tree's first `size` leaves had; None where not all is known."""
        hashes = [self.known(level, (size >> level) - 1) for level in _whole_levels(size)]
        known = tuple(node for node in hashes if node is not None)
        return Frontier(size, known) if len(known) == len(hashes) else None

    def known(self, level: int, place: int) -> bytes | None:
        """The hash of a node, also where it is known further up alone, having risen unchanged."""
        for height in range(level, len(self.levels)):
            width = -(-self.size >> height)
            known = self.node(height, place)
            if known is not None or place != width - 1 or place & 1:
                return known
            place >>= 1
        return None

    def grown(self, edge: "Tree") -> "Tree":
        """This tree and the edge that its frontier grew: all that is known of the longer log."""
        levels = list[Sequence[Stretch]]()
        for level, right in enumerate(edge.levels):
            old = self.levels[level] if level < len(self.levels) else ()
            levels.append([*_before(old, right[0].start), *right])
        return Tree(edge.size, levels)

    def united(self, other: "Tree") -> "Tree":
        """What either of two trees of one log in one version knows."""
        levels = map(_united, self.levels, other.levels)
        return Tree(self.size, list(levels))


@dataclass(frozen=True, slots=True)
class Frontier:
    """The roots of the whole subtrees that the first `size` leaves make, big to small.

    It is all one needs to append: O(new + log size) hashes, however long the log is (§2.9).
    """

    size: int
    hashes: tuple[bytes, ...]

    @property
    def root(self) -> bytes:
        """The root of the log of these leaves."""
        return reduce(lambda right, left: _node(left, right), reversed(self.hashes))

    def grown(self, leaves: Sequence[bytes]) -> Tree:
        """The right edge of the tree once `leaves` are appended: what is new, and where it joins.

        Raises UnreadableError if these are not the hashes that such a log has.
        """
        levels = _whole_levels(self.size)
        if len(levels) != len(self.hashes):
            raise UnreadableError(f"frontier: {len(self.hashes)} hashes of {len(levels)}")
        left = dict(zip(levels, self.hashes, strict=True))
        tail, edge = list(leaves), list[Sequence[Stretch]]()
        width = self.size + len(leaves)
        for level in range(width.bit_length() + 1):
            start = self.size >> level
            if start & 1:
                start -= 1
                tail.insert(0, left[level])
            edge.append([Stretch(start, tail)])
            if width == 1:
                break
            tail, width = _pair(tail), (width + 1) >> 1
        return Tree(self.size + len(leaves), edge)


def _whole_levels(size: int) -> list[int]:
    """The levels on which `size` leaves have a whole subtree at their end, high to low."""
    return [level for level in reversed(range(size.bit_length())) if size >> level & 1]


def fold(leaves: Sequence[Stretch], size: int, proof: Iterable[bytes]) -> Tree:
    """The tree that known leaves and their multiproof make.

    Raises UnreadableError unless every hash of the proof is needed and none is missing.
    """
    hashes = iter(proof)
    levels = list[Sequence[Stretch]]()
    level, width = leaves, size
    while True:
        level = _with_siblings(level, width, hashes)
        levels.append(level)
        if width <= 1:
            break
        level, width = _parents(level), (width + 1) >> 1
    if next(hashes, None) is not None:
        raise UnreadableError("proof: hashes left over")
    return Tree(size, levels)


def _start(stretch: Stretch) -> int:
    return stretch.start


def _with_siblings(level: Sequence[Stretch], width: int, proof: Iterator[bytes]) -> list[Stretch]:
    whole = list[Stretch]()
    try:
        for start, hashes in level:
            stop = start + len(hashes)
            if start & 1:
                start, hashes = start - 1, [next(proof), *hashes]  # noqa: PLW2901 -- one more on the left
            if stop & 1 and stop < width:
                hashes = [*hashes, next(proof)]  # noqa: PLW2901 -- one more on the right
            whole.append(Stretch(start, hashes))
    except StopIteration:
        raise UnreadableError("proof: too few hashes") from None
    return whole


def _parents(level: Sequence[Stretch]) -> list[Stretch]:
    parents = list[Stretch]()
    stop = -1
    for start, hashes in level:
        paired, place = _pair(hashes), start >> 1
        if place == stop:
            parents[-1].hashes.extend(paired)
        else:
            parents.append(Stretch(place, paired))
        stop = place + len(paired)
    return parents


def _node(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right).digest()


def _pair(hashes: Sequence[bytes]) -> list[bytes]:
    paired = [
        sha256(b"\x01" + left + right).digest()
        for left, right in zip(hashes[::2], hashes[1::2], strict=False)
    ]
    if len(hashes) & 1:
        paired.append(hashes[-1])
    return paired


def _before(level: Sequence[Stretch], stop: int) -> Iterator[Stretch]:
    for start, hashes in level:
        if start < stop:
            yield Stretch(start, hashes[: stop - start])


def _united(level: Sequence[Stretch], other: Sequence[Stretch]) -> list[Stretch]:
    whole = list[Stretch]()
    for start, hashes in sorted([*level, *other], key=_start):
        if whole and start <= whole[-1].start + len(whole[-1].hashes):
            known = whole[-1].start + len(whole[-1].hashes) - start
            whole[-1].hashes.extend(hashes[known:])
        else:
            whole.append(Stretch(start, list(hashes)))
    return whole

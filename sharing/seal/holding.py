"""Holding: what one source gave us of a log, and for a log of our own everything that is live.

It can be narrowed and written as a package at any time: besides the disclosed slots it knows their
salts and, lazily, the hashes of whatever is withheld.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import chain
from types import MappingProxyType

from sharing.seal.contents import things_of
from sharing.seal.disclosure import Disclosure
from sharing.seal.dsse import Signature
from sharing.seal.labels import LabelTable
from sharing.seal.maps import encode_mask_runs, projection_digest
from sharing.seal.narrowing import keep_seeds, narrow
from sharing.seal.records import Header, Kind
from sharing.seal.statement import Statement
from sharing.seal.tables import ClassTable
from sharing.seal.tree import Tree, fold


@dataclass(frozen=True, slots=True)
class HeldRecord:
    """A disclosed record; None stands for a slot that is withheld."""

    header: Header
    slots: tuple[bytes | None, ...]


@dataclass(frozen=True)
class Holding:
    """One version of a log, as far as it is disclosed to us.

    `proof` is the multiproof of exactly the disclosed records. Whoever makes a Holding vouches that
    it leads to the signed root: `seal`, `verify`, and for what we stored ourselves `load_holding`.
    """

    statement: Statement
    signatures: tuple[Signature, ...] = field(repr=False)
    void: tuple[int, ...] = field(repr=False)
    classes: ClassTable | None = field(repr=False)
    disclosure: Disclosure = field(repr=False)
    proof: tuple[bytes, ...] = field(repr=False)
    folded: Tree | None = field(default=None, repr=False, compare=False)

    @property
    def payload(self) -> bytes:
        """The signed bytes of the statement."""
        return self.statement.payload

    @cached_property
    def digest(self) -> str:
        """The name of this projection, in hex."""
        return projection_digest(self.payload, self.encoded_map)

    @cached_property
    def encoded_map(self) -> bytes:
        """What is disclosed, as a disclosure map."""
        return encode_mask_runs(self.disclosure.mask_runs())

    @cached_property
    def masks(self) -> Mapping[int, int]:
        """Mask by index of each disclosed record."""
        return MappingProxyType(
            {
                index: run.mask
                for run in self.disclosure.mask_runs()
                for index in range(run.start, run.start + run.count)
            }
        )

    @cached_property
    def records(self) -> Mapping[int, HeldRecord]:
        """The disclosed records by index, ascending."""
        return MappingProxyType(dict(self._records()))

    def _records(self) -> Iterator[tuple[int, HeldRecord]]:
        indices = iter(self.disclosure.indices)
        for band in self.disclosure.bands:
            columns = [self.disclosure.column(band, slot) for slot in range(band.header.width)]
            for row in zip(*columns, strict=True):
                yield next(indices), HeldRecord(band.header, tuple(slot or None for slot in row))

    @cached_property
    def labels(self) -> LabelTable:
        """What the label bytes of this log mean."""
        return labels_of(self.disclosure)

    @cached_property
    def tree(self) -> Tree:
        """The hashes that are known."""
        if self.folded is not None:
            return self.folded
        return fold(self.disclosure.leaves(), self.statement.size, self.proof)

    @cached_property
    def things(self) -> Mapping[int, Mapping[str, int]]:
        """Index by kind and uuid of what is disclosed."""
        return things_of(self.disclosure)

    def narrowed(self, masks: Mapping[int, int]) -> "Holding":
        """The same version with no more than `masks` disclosed; raises ValueError for more."""
        disclosure = keep_seeds(narrow(self.disclosure, masks), self.statement.size)
        proof = self.tree.proof(disclosure.spans)
        return replace(self, disclosure=disclosure, proof=proof, folded=None)


def labels_of(*parts: Disclosure) -> LabelTable:
    """What the label bytes mean where this is disclosed; raises UnreadableError."""
    return LabelTable.read(
        chain.from_iterable(part.slots_of(Kind.LABEL) for part in parts),
        chain.from_iterable(part.slots_of(Kind.ADDRESSEE) for part in parts),
    )

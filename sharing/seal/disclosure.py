"""What is disclosed of a log, kept as arrays, for speed.

Spans say which records are disclosed; bands say, in the same order, how many of them have which
header. The slots of all of them stand in one list and `salts` holds 16 bytes for each. A withheld
slot of a partly disclosed record is empty bytes in `slots`, zeros in `salts`, and its hash is in
`commitments` by its place in the list. Wholly withheld records do not occur.

    C_j  = H(02 || salt_j || slot_j)
    leaf = H(00 || hdr || salt_1 || slot_1)      one slot          (§2.3)
           H(00 || hdr || C_1 || … || C_k)       more

Words: an index counts the log's records, a rank the disclosed ones, a place their slots.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from itertools import accumulate, chain, groupby, islice
from operator import attrgetter
from typing import NamedTuple, TypeVar

from sharing.errors import UnreadableError
from sharing.seal.maps import MaskRun
from sharing.seal.records import Header
from sharing.seal.salts import SALT_BYTES, Chunk, split_salts
from sharing.seal.tables import join_runs
from sharing.seal.tree import Span, Stretch, join_span

T = TypeVar("T")


class Band(NamedTuple):
    """`length` disclosed records with one header: from rank `rank`, slots from place `first`."""

    rank: int
    length: int
    header: Header
    first: int

    @property
    def end(self) -> int:
        """The place behind its last slot."""
        return self.first + self.length * self.header.width


def lay_out(headers: Iterable[tuple[int, Header]]) -> tuple[Band, ...]:
    """The bands of these runs of headers; neighbours with one header are one band."""
    bands, rank, place = list[Band](), 0, 0
    for length, header in join_runs(headers):
        bands.append(Band(rank, length, header, place))
        rank, place = rank + length, bands[-1].end
    return tuple(bands)


@dataclass(frozen=True)
class Disclosure:
    """The disclosed records of a log; see the module for how they are laid out."""

    spans: tuple[Span, ...]
    bands: tuple[Band, ...]
    slots: Sequence[bytes] = field(repr=False)
    salts: bytes = field(repr=False)
    commitments: Mapping[int, bytes] = field(repr=False)
    chunks: tuple[Chunk, ...] = field(repr=False)

    @cached_property
    def count(self) -> int:
        """How many records are disclosed, wholly or partly."""
        return sum(band.length for band in self.bands)

    @cached_property
    def indices(self) -> list[int]:
        """The index of each disclosed record."""
        return [index for span in self.spans for index in range(*span)]

    @property
    def headers(self) -> list[tuple[int, Header]]:
        """Runs of headers over the disclosed records."""
        return [(band.length, band.header) for band in self.bands]

    @property
    def label_bytes(self) -> set[int]:
        """The label bytes in the headers of the disclosed records."""
        return {byte for band in self.bands for byte in band.header.labels}

    def column(self, band: Band, slot: int) -> Sequence[bytes]:
        """One slot of each record of a band, the first one being 0; empty where withheld."""
        return self.slots[band.first + slot : band.end : band.header.width]

    def slots_of(self, kind: int) -> Iterator[bytes]:
        """The disclosed slots of this kind's records."""
        for band in self.bands:
            if band.header.kind == kind:
                yield from filter(None, self.slots[band.first : band.end])

    def runs(self) -> Iterator[tuple[Span, Header]]:
        """Neighbouring records with one header, in index order."""
        bands = iter(self.bands)
        left = 0
        for start, stop in self.spans:
            index = start
            while index < stop:
                if not left:
                    band = next(bands)
                    left = band.length
                length = min(left, stop - index)
                yield Span(index, index + length), band.header
                index, left = index + length, left - length

    # Masks: what of each record is disclosed

    def masks(self) -> list[int]:
        """One mask a record, by rank."""
        masks = [mask for band in self.bands for mask in [band.header.full] * band.length]
        for place in self.commitments:
            rank, slot = self.whereabouts(place)
            masks[rank] ^= 1 << slot
        return masks

    def mask_runs(self) -> Iterator[MaskRun]:
        """Which slots of which records are disclosed, in index order."""
        masks = iter(self.masks())
        for start, stop in self.spans:
            index = start
            for mask, group in groupby(islice(masks, stop - start)):
                count = sum(1 for _ in group)
                yield MaskRun(index, count, mask)
                index += count

    def whereabouts(self, place: int) -> tuple[int, int]:
        """Rank of the record, and which of its slots stands at `place`."""
        band = self.bands[bisect_right(self.bands, place, key=attrgetter("first")) - 1]
        row, slot = divmod(place - band.first, band.header.width)
        return band.rank + row, slot

    # Hashes

    def leaves(self) -> list[Stretch]:
        """The leaf hash of every disclosed record."""
        salts = split_salts(self.salts)
        alike = defaultdict[Header, list[Band]](list)
        for band in self.bands:
            alike[band.header].append(band)
        hashed = {header: iter(self._leaves(bands, salts)) for header, bands in alike.items()}
        leaves = chain.from_iterable(
            islice(hashed[band.header], band.length) for band in self.bands
        )
        return [Stretch(start, list(islice(leaves, stop - start))) for start, stop in self.spans]

    def _leaves(self, bands: Sequence[Band], salts: Sequence[bytes]) -> list[bytes]:
        """The leaf hashes of bands with one header."""
        header = bands[0].header
        prefix = b"\x00" + header.encoded
        if header.width == 1:
            return self._salted(prefix, bands, salts, 0)
        columns = [self._salted(b"\x02", bands, salts, slot) for slot in range(header.width)]
        return [sha256(prefix + b"".join(row)).digest() for row in zip(*columns, strict=True)]

    def _salted(
        self, prefix: bytes, bands: Sequence[Band], salts: Sequence[bytes], slot: int
    ) -> list[bytes]:
        salted = zip(_column(salts, bands, slot), _column(self.slots, bands, slot), strict=True)
        if not self.commitments:
            return [sha256(prefix + salt + text).digest() for salt, text in salted]
        known = map(self.commitments.get, _column(range(len(salts)), bands, slot))
        return [
            commitment or sha256(prefix + salt + text).digest()
            for commitment, (salt, text) in zip(known, salted, strict=True)
        ]

    def commitment(self, place: int) -> bytes:
        """The hash that stands for one slot of a record with several."""
        salt = self.salts[SALT_BYTES * place : SALT_BYTES * (place + 1)]
        return self.commitments.get(place) or sha256(b"\x02" + salt + self.slots[place]).digest()

    # Chunks

    def chunk_places(self) -> list[Span]:
        """Where in `slots` each chunk stands; raises UnreadableError if it is not all here."""
        places = list[Span]()
        for chunk in self.chunks:
            rank, last = self.rank(chunk.first), self.rank(chunk.stop - 1)
            if rank is None or last is None or last - rank != chunk.count - 1:
                raise UnreadableError("seed covers a record that is not disclosed")
            places.append(Span(self.place(rank), self.place(rank + chunk.count)))
        return places

    @cached_property
    def _ranks(self) -> list[int]:
        """The rank of the first record of each span."""
        return [0, *accumulate(span.stop - span.start for span in self.spans)]

    def rank(self, index: int) -> int | None:
        """The rank of a record; None if it is not disclosed."""
        found = bisect_right(self.spans, index, key=attrgetter("start")) - 1
        if found < 0 or index >= self.spans[found].stop:
            return None
        return self._ranks[found] + index - self.spans[found].start

    def place(self, rank: int) -> int:
        """Where the slots of the record at `rank` begin; behind all of them for the last rank."""
        if rank == self.count:
            return len(self.slots)
        band = self.bands[bisect_right(self.bands, rank, key=attrgetter("rank")) - 1]
        return band.first + (rank - band.rank) * band.header.width

    # Parts

    def holds_head(self, index: int) -> bool:
        """Whether the first slot of this record is disclosed."""
        rank = self.rank(index)
        return rank is not None and bool(self.slots[self.place(rank)])

    def since(self, index: int) -> "Disclosure":
        """The records from `index` on, where a batch began."""
        spans = [Span(max(start, index), stop) for start, stop in self.spans if stop > index]
        count = sum(stop - start for start, stop in spans)
        first = self.place(self.count - count) if count else len(self.slots)
        return Disclosure(
            tuple(spans),
            lay_out(_last(self.headers, count)),
            self.slots[first:],
            self.salts[SALT_BYTES * first :],
            {at - first: hashed for at, hashed in self.commitments.items() if at >= first},
            tuple(chunk for chunk in self.chunks if chunk.first >= index),
        )

    def extended(self, later: "Disclosure") -> "Disclosure":
        """This and what was appended behind it."""
        shift = len(self.slots)
        spans = list(self.spans)
        for span in later.spans:
            join_span(spans, span)
        moved = {place + shift: hashed for place, hashed in later.commitments.items()}
        return Disclosure(
            tuple(spans),
            lay_out([*self.headers, *later.headers]),
            [*self.slots, *later.slots],
            self.salts + later.salts,
            {**self.commitments, **moved},
            self.chunks + later.chunks,
        )


NOTHING = Disclosure((), (), [], b"", {}, ())


def _column(values: Sequence[T], bands: Iterable[Band], slot: int) -> Iterator[T]:
    """What `values` has for one slot of each record of bands with one header."""
    return chain.from_iterable(
        values[band.first + slot : band.end : band.header.width] for band in bands
    )


def _last(headers: Sequence[tuple[int, Header]], count: int) -> list[tuple[int, Header]]:
    """The runs over the last `count` records."""
    runs = list[tuple[int, Header]]()
    for length, header in reversed(headers):
        if count <= 0:
            break
        runs.append((min(length, count), header))
        count -= length
    return runs[::-1]

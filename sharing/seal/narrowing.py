"""Disclose less of what is disclosed: the one operation behind redaction and erasure (§2.8).

A record with nothing left disappears, its leaf hash then enters the proof. A slot withheld from a
record with several leaves its hash behind. A chunk that is no longer whole loses its seed, and the
salts of what remains stand alone: nothing of what is withheld can be found from what is left.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import compress
from operator import attrgetter, eq

from sharing.seal.disclosure import Disclosure, lay_out
from sharing.seal.records import Header
from sharing.seal.salts import SALT_BYTES, Chunk, split_salts
from sharing.seal.tree import spans_of

_NO_SALT = bytes(SALT_BYTES)


def narrow(held: Disclosure, masks: Mapping[int, int]) -> Disclosure:
    """What `masks` names of it: bit j - 1 of a record's mask keeps its slot j, no mask drops it.

    Raises ValueError where a mask names what is not held: less can be disclosed, never more.
    """
    wanted = [masks.get(index, 0) for index in held.indices]
    _check_held(held, masks, wanted)
    kept = _keep_records(held, wanted)
    withheld = _keep_slots(kept, list(filter(None, wanted)))
    return replace(withheld, chunks=tuple(_whole_chunks(held.chunks, withheld)))


def _check_held(held: Disclosure, masks: Mapping[int, int], wanted: Sequence[int]) -> None:
    if sum(map(bool, wanted)) != sum(map(bool, masks.values())):
        raise ValueError("masks name records that are not held")
    indices = zip(held.indices, wanted, held.masks(), strict=True)
    more = [index for index, want, has in indices if want & ~has]
    if more:
        raise ValueError(f"mask of record {more[0]} names what is not held")


def _keep_records(held: Disclosure, wanted: Sequence[int]) -> Disclosure:
    """The records with a mask, each still as it was."""
    headers, flags = list[tuple[int, Header]](), list[bool]()
    for band in held.bands:
        keep = [bool(want) for want in wanted[band.rank : band.rank + band.length]]
        headers.append((sum(keep), band.header))
        flags += [flag for flag in keep for _ in range(band.header.width)]
    kept = compress(range(len(flags)), flags)
    commitments = map(held.commitments.get, kept) if held.commitments else ()
    return Disclosure(
        tuple(spans_of(list(compress(held.indices, wanted)))),
        lay_out(run for run in headers if run[0]),
        list(compress(held.slots, flags)),
        b"".join(compress(split_salts(held.salts), flags)),
        {place: commitment for place, commitment in enumerate(commitments) if commitment},
        (),
    )


def _keep_slots(held: Disclosure, wanted: Sequence[int]) -> Disclosure:
    """The same records with only the slots of their masks."""
    slots, salts, commitments = list(held.slots), bytearray(held.salts), dict(held.commitments)
    for band in held.bands:
        for row, mask in enumerate(wanted[band.rank : band.rank + band.length]):
            if mask == band.header.full:
                continue
            for slot in range(band.header.width):
                place = band.first + row * band.header.width + slot
                if not mask >> slot & 1:
                    commitments[place] = held.commitment(place)
                    slots[place] = b""
                    salts[SALT_BYTES * place : SALT_BYTES * (place + 1)] = _NO_SALT
    return replace(held, slots=slots, salts=bytes(salts), commitments=commitments)


def _whole_chunks(chunks: Iterable[Chunk], kept: Disclosure) -> Iterator[Chunk]:
    """The chunks of which every record is kept with every slot."""
    full = [full for band in kept.bands for full in [band.header.full] * band.length]
    whole = spans_of(list(compress(kept.indices, map(eq, kept.masks(), full))))
    for chunk in chunks:
        found = bisect_right(whole, chunk.first, key=attrgetter("start")) - 1
        if found >= 0 and chunk.stop <= whole[found].stop:
            yield chunk

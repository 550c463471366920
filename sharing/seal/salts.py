"""Salts: 16 secret bytes a slot, drawn by chunks of 32 records of one batch (§2.2).

`seed_c = H(04 || S || u32(c))`; the salts of a chunk's slots, in order, are the 16-byte pieces of
`X(05 || seed_c, 16 * slots)`. `S` is never kept: a kept one would bring back an erased salt.
"""

import struct
from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import sha256, shake_256
from itertools import accumulate

from sharing.seal import limits

SALT_BYTES = 16


@dataclass(frozen=True, slots=True)
class Chunk:
    """`count` records from `first` on whose salts one seed gives."""

    first: int
    count: int
    seed: bytes = field(repr=False)

    @property
    def stop(self) -> int:
        """The first record behind it."""
        return self.first + self.count


def expand(seed: bytes, slots: int) -> bytes:
    """The salts of a chunk's `slots`, one after the other."""
    return shake_256(b"\x05" + seed).digest(SALT_BYTES * slots)


def split_salts(salts: bytes) -> tuple[bytes, ...]:
    """The single salts in a row of them."""
    return struct.unpack("16s" * (len(salts) // SALT_BYTES), salts)


def draw(secret: bytes, widths: Iterable[int], first: int) -> tuple[tuple[Chunk, ...], bytes]:
    """Chunks and salts of one batch of records with so many slots each, from index `first` on."""
    slots_before = [0, *accumulate(widths)]
    count, step = len(slots_before) - 1, limits.CHUNK_RECORDS
    chunks = tuple(
        Chunk(first + at, min(step, count - at), _seed(secret, at // step))
        for at in range(0, count, step)
    )
    salts = (
        expand(chunk.seed, slots_before[chunk.stop - first] - slots_before[chunk.first - first])
        for chunk in chunks
    )
    return chunks, b"".join(salts)


def _seed(secret: bytes, number: int) -> bytes:
    return sha256(b"\x04" + secret + number.to_bytes(4)).digest()

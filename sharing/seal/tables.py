"""Side tables, signed by digest (§2.4): the void set and the class table.

Both are bytes with one spelling; reading checks the spelling, `verify.py` checks the digests.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import groupby
from operator import itemgetter

from sharing.errors import UnreadableError
from sharing.seal import limits
from sharing.seal.canonical import read_varint, write_varint
from sharing.seal.records import Header

CLASS_SALT_BYTES = 16


def void_digest(encoded: bytes) -> bytes:
    """`H(07 || bytes)`."""
    return sha256(b"\x07" + encoded).digest()


def encode_void(void: Iterable[int]) -> bytes:
    """Sorted indices as gap varints `v0, v1 - v0 - 1, …`."""
    out, last = [], -1
    for index in void:
        out.append(write_varint(index - last - 1))
        last = index
    return b"".join(out)


def decode_void(encoded: bytes) -> tuple[int, ...]:
    """The indices, ascending; raises UnreadableError for a gap that is not a minimal varint."""
    void, last, at = [], -1, 0
    while at < len(encoded):
        gap, at = read_varint(encoded, at)
        last += gap + 1
        if last >= limits.RECORDS:
            raise UnreadableError(f"index over {limits.RECORDS}")
        void.append(last)
    return tuple(void)


@dataclass(frozen=True, slots=True)
class ClassTable:
    """Kind, types and labels of every record of a version, in maximal runs of equal headers."""

    salt: bytes = field(repr=False)
    runs: tuple[tuple[int, Header], ...]

    @property
    def size(self) -> int:
        """How many records it describes."""
        return sum(count for count, _ in self.runs)

    @property
    def digest(self) -> bytes:
        """`H(06 || csalt || bytes)`."""
        return sha256(b"\x06" + self.encode()).digest()

    def continues(self, before: "ClassTable") -> bool:
        """Whether it says of the first records what the table `before` said of all."""
        last = len(before.runs) - 1
        return self.runs[:last] == before.runs[:last] and (
            self.runs[last][1] == before.runs[last][1]
            and self.runs[last][0] >= before.runs[last][0]
        )

    def encode(self) -> bytes:
        """`csalt || varint(count) || hdr || …`."""
        return self.salt + b"".join(
            write_varint(count) + header.encoded for count, header in self.runs
        )

    @classmethod
    def of(cls, salt: bytes, headers: Iterable[tuple[int, Header]]) -> "ClassTable":
        """The table of these runs, joined where neighbours are equal."""
        if len(salt) != CLASS_SALT_BYTES:
            raise ValueError(f"a class table's salt has {CLASS_SALT_BYTES} bytes, not {len(salt)}")
        return cls(salt, tuple(join_runs(headers)))

    @classmethod
    def decode(cls, raw: bytes) -> "ClassTable":
        """The table; raises UnreadableError if it is not written in the one way."""
        if len(raw) < CLASS_SALT_BYTES:
            raise UnreadableError("shorter than its salt")
        runs, at = list[tuple[int, Header]](), CLASS_SALT_BYTES
        while at < len(raw):
            count, at = read_varint(raw, at)
            stop = at + 2 + 2 * (raw[at + 1] if at + 1 < len(raw) else 0)
            header = Header.decode(raw[at:stop])
            if not 1 <= count <= limits.RECORDS or (runs and runs[-1][1] == header):
                raise UnreadableError("run empty, too long or not maximal")
            runs.append((count, header))
            at = stop
        return cls(raw[:CLASS_SALT_BYTES], tuple(runs))


def join_runs(runs: Iterable[tuple[int, Header]]) -> Iterator[tuple[int, Header]]:
    """Runs of headers with equal neighbours made one."""
    for header, group in groupby(runs, key=itemgetter(1)):
        yield sum(map(itemgetter(0), group)), header

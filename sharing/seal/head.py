"""Line 0 of a package (§2.6): everything but the slots. Written in one way, read strictly.

Reading is checks 1 and 2 of §2.7 as far as the head goes; it believes nothing it reads.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeVar

import orjson

from sharing.errors import RefusedError, UnreadableError
from sharing.seal import limits
from sharing.seal.canonical import HASH_BYTES, read_base64, read_hex, write_base64
from sharing.seal.dsse import Signature, read_signatures, write_signatures
from sharing.seal.members import count_up_to, member, read_list
from sharing.seal.records import Header
from sharing.seal.salts import SALT_BYTES, Chunk
from sharing.seal.strictjson import read_object
from sharing.seal.tree import Span

T = TypeVar("T")

VERSION = 1
SEED_BYTES = 32

_MEMBERS = frozenset(
    ["fise", "payload", "sigs", "void", "recs", "hdr", "hrl", "runs", "xs", "proof"]
)
read_index = count_up_to(limits.RECORDS - 1)
_length = count_up_to(limits.RECORDS, least=1)


@dataclass(frozen=True, slots=True)
class Head:
    """The members of a head, decoded. `headers` are runs over the disclosed records."""

    payload: bytes
    signatures: tuple[Signature, ...]
    void: bytes
    spans: Sequence[Span]
    headers: Sequence[tuple[int, Header]]
    chunks: tuple[Chunk, ...]
    salts: bytes
    proof: tuple[bytes, ...]
    classes: bytes | None

    def encode(self) -> bytes:
        """The line, without its line feed."""
        table = {
            header: place
            for place, header in enumerate(dict.fromkeys(header for _, header in self.headers))
        }
        members: dict[str, object] = {
            "fise": VERSION,
            "payload": write_base64(self.payload),
            "sigs": write_signatures(self.signatures),
            "void": write_base64(self.void),
            "recs": [[start, stop - start] for start, stop in self.spans],
            "hdr": [header.encoded.hex() for header in table],
            "hrl": [number for count, header in self.headers for number in (table[header], count)],
            "runs": write_chunks(self.chunks),
            "xs": write_base64(self.salts),
            "proof": write_base64(b"".join(self.proof)),
        }
        if self.classes is not None:
            members["cls"] = write_base64(self.classes)
        return orjson.dumps(members)

    @classmethod
    def decode(cls, line: bytes) -> "Head":
        """The head; raises RefusedError of check 2, or 1 where it is too large to parse."""
        check_items(line)
        try:
            members = read_object(line)
            _check_members(members)
            return cls._of(members)
        except UnreadableError as error:
            raise RefusedError(2, f"head: {error}") from None

    @classmethod
    def _of(cls, members: Mapping[str, object]) -> "Head":
        table = member(members, "hdr", read_header_table)
        return cls(
            payload=member(members, "payload", read_base64),
            signatures=member(members, "sigs", read_signatures),
            void=member(members, "void", read_base64),
            spans=member(members, "recs", _read_spans),
            headers=member(members, "hrl", _reader_of_header_runs(table)),
            chunks=member(members, "runs", read_chunks),
            salts=member(members, "xs", read_salts),
            proof=member(members, "proof", read_hashes),
            classes=member(members, "cls", read_base64) if "cls" in members else None,
        )


def check_items(line: bytes) -> None:
    """Check 1, before a head is parsed: each array and each number costs memory and time."""
    if line.count(b"[") + line.count(b"{") > limits.HEAD_BRACKETS:
        raise RefusedError(1, f"head: over {limits.HEAD_BRACKETS} arrays")
    if line.count(b",") > limits.HEAD_COMMAS:
        raise RefusedError(1, f"head: over {limits.HEAD_COMMAS} members and numbers")


def _check_members(members: Mapping[str, object]) -> None:
    if "fise-delta" in members:
        raise UnreadableError("a delta, which says nothing without what it starts from")
    if not _MEMBERS <= members.keys() <= _MEMBERS | {"cls"}:
        raise UnreadableError("members missing or unknown")
    member(members, "fise", count_up_to(VERSION, least=VERSION))


def _read_spans(value: object) -> list[Span]:
    spans = list[Span]()
    for start, count in map(_pair, read_list(value)):
        spans.append(Span(read_index(start), read_index(start) + _length(count)))
    if any(left.stop >= right.start for left, right in pairwise(spans)):
        raise UnreadableError("not strictly increasing, or touching")
    if not spans or spans[-1].stop > limits.RECORDS:
        raise UnreadableError("empty, or beyond the largest log")
    return spans


def _pair(value: object) -> tuple[object, object]:
    items = read_list(value)
    if len(items) != 2:
        raise UnreadableError("not a pair")
    return items[0], items[1]


def read_header_table(value: object) -> list[Header]:
    """Headers in hex, each once."""
    table = [Header.decode(read_hex(item)) for item in read_list(value)]
    if len(set(table)) != len(table):
        raise UnreadableError("one header twice")
    return table


def _reader_of_header_runs(
    table: Sequence[Header],
) -> Callable[[object], list[tuple[int, Header]]]:
    place = count_up_to(len(table) - 1)

    def read(value: object) -> list[tuple[int, Header]]:
        numbers = read_list(value)
        if len(numbers) % 2:
            raise UnreadableError("not pairs of place and count")
        places = [place(number) for number in numbers[::2]]
        counts = [_length(number) for number in numbers[1::2]]
        if set(places) != set(range(len(table))):
            raise UnreadableError("a header is not used")
        if any(left == right for left, right in pairwise(places)):
            raise UnreadableError("a run is not maximal")
        return [(count, table[at]) for at, count in zip(places, counts, strict=True)]

    return read


def write_chunks(chunks: Iterable[Chunk]) -> list[tuple[int, int, str]]:
    """`[[first record, records, base64 of the seed], …]`."""
    return [(chunk.first, chunk.count, write_base64(chunk.seed)) for chunk in chunks]


def read_chunks(value: object) -> tuple[Chunk, ...]:
    """What `write_chunks` wrote, ascending and disjoint."""
    length = count_up_to(limits.CHUNK_RECORDS, least=1)
    chunks = list[Chunk]()
    for item in read_list(value):
        parts = read_list(item)
        if len(parts) != 3:
            raise UnreadableError("not a triple")
        seed = read_base64(parts[2])
        if len(seed) != SEED_BYTES:
            raise UnreadableError(f"a seed has {SEED_BYTES} bytes")
        chunks.append(Chunk(read_index(parts[0]), length(parts[1]), seed))
    if any(left.stop > right.first for left, right in pairwise(chunks)):
        raise UnreadableError("not ascending, or one record under two seeds")
    return tuple(chunks)


def _pieces_of(size: int) -> Callable[[object], bytes]:
    def read(value: object) -> bytes:
        raw = read_base64(value)
        if len(raw) % size:
            raise UnreadableError(f"not pieces of {size} bytes")
        return raw

    return read


def read_salts(value: object) -> bytes:
    """Salts, one after the other."""
    return _pieces_of(SALT_BYTES)(value)


def read_hashes(value: object) -> tuple[bytes, ...]:
    """Hashes, one after the other."""
    raw = _pieces_of(HASH_BYTES)(value)
    return tuple(raw[at : at + HASH_BYTES] for at in range(0, len(raw), HASH_BYTES))

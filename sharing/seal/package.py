"""Package: a projection in bytes, for any recipient alike (§2.6).

Line 0 is the head, then one line a slot in index order: the slot's bytes, or `!` and the base64 of
the hash that stands for it. `read_package` makes of untrusted bytes a Package of the right shape
(checks 1 and 2 of §2.7) and believes nothing; `verify` turns it into a Holding.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import pairwise
from typing import TypeVar

from sharing.errors import RefusedError, UnreadableError
from sharing.seal import limits
from sharing.seal.canonical import HASH_BYTES, read_base64, write_base64
from sharing.seal.disclosure import Disclosure, lay_out
from sharing.seal.dsse import Signature
from sharing.seal.head import Head
from sharing.seal.holding import Holding
from sharing.seal.maps import decode_map, encode_map, projection_digest
from sharing.seal.salts import SALT_BYTES, expand
from sharing.seal.statement import Statement
from sharing.seal.tables import ClassTable, decode_void, encode_void
from sharing.seal.tree import Span

__all__ = [
    "Package",
    "decode_map",
    "encode_map",
    "load_holding",
    "projection_digest",
    "read_package",
    "write_package",
]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Package:
    """Somebody's claim about a log: well-formed, and not checked any further."""

    statement: Statement
    signatures: tuple[Signature, ...] = field(repr=False)
    void: tuple[int, ...] = field(repr=False)
    classes: ClassTable | None = field(repr=False)
    disclosure: Disclosure = field(repr=False)
    proof: tuple[bytes, ...] = field(repr=False)


def write_package(
    holding: Holding, masks: Mapping[int, int] | None = None, *, class_table: bool = True
) -> bytes:
    """The package that discloses `masks` of what is held, or all of it.

    Raises ValueError where a mask names what is not held. Without `class_table` the table is left
    out; it is for members and hub only (D6).
    """
    shown = holding if masks is None else holding.narrowed(masks)
    disclosure = shown.disclosure
    if not disclosure.count:
        raise ValueError("a package discloses something; this one would not")
    head = Head(
        payload=shown.payload,
        signatures=shown.signatures,
        void=encode_void(shown.void),
        spans=disclosure.spans,
        headers=disclosure.headers,
        chunks=disclosure.chunks,
        salts=_explicit_salts(disclosure),
        proof=shown.proof,
        classes=shown.classes.encode() if class_table and shown.classes else None,
    )
    lines = list(disclosure.slots)
    for place, commitment in disclosure.commitments.items():
        lines[place] = b"!" + write_base64(commitment).encode()
    return b"\n".join((head.encode(), *lines, b""))


def read_package(raw: bytes) -> Package:
    """The package these bytes are.

    Raises:
        RefusedError: check 1 for sizes and counts, check 2 for anything not written in the one way.
    """
    head_end = _check_sizes(raw)
    head = Head.decode(raw[:head_end])
    statement = _read("statement", lambda: Statement.decode(head.payload))
    if head.spans[-1].stop > statement.size:
        raise RefusedError(1, f"recs: record {head.spans[-1].stop - 1} of {statement.size}")
    bands = lay_out(head.headers)
    if bands[-1].rank + bands[-1].length != sum(span.stop - span.start for span in head.spans):
        raise RefusedError(1, "hrl: another number of records than recs")
    slots, commitments = _read_lines(raw, head_end + 1, bands[-1].end)
    bare = Disclosure(tuple(head.spans), bands, slots, b"", commitments, head.chunks)
    _check_withheld(bare)
    classes = head.classes
    return Package(
        statement=statement,
        signatures=head.signatures,
        void=_read("void", lambda: decode_void(head.void)),
        classes=None if classes is None else _read("cls", lambda: ClassTable.decode(classes)),
        disclosure=_read("runs or xs", lambda: _with_salts(bare, head.salts)),
        proof=head.proof,
    )


def load_holding(raw: bytes) -> Holding:
    """The holding that we once wrote ourselves: no signature, hash or slot is checked again."""
    package = read_package(raw)
    return Holding(
        package.statement,
        package.signatures,
        package.void,
        package.classes,
        package.disclosure,
        package.proof,
    )


def _read(name: str, read: Callable[[], T]) -> T:
    try:
        return read()
    except UnreadableError as error:
        raise RefusedError(2, f"{name}: {error}") from None


def _check_sizes(raw: bytes) -> int:
    """Check 1, before anything is parsed; where the head ends."""
    if len(raw) > limits.PACKAGE_BYTES:
        raise RefusedError(1, f"package: over {limits.PACKAGE_BYTES} bytes")
    head_end = raw.find(b"\n", 0, limits.HEAD_BYTES + 1)
    if head_end < 0:
        raise RefusedError(1, f"head: no line of at most {limits.HEAD_BYTES} bytes")
    if not raw.endswith(b"\n"):
        raise RefusedError(1, "package: last byte is not LF")
    if b"\r" in raw:
        raise RefusedError(2, "package: holds a CR")
    return head_end


def _read_lines(raw: bytes, start: int, expected: int) -> tuple[list[bytes], dict[int, bytes]]:
    """Slots, and the hashes in place of the withheld ones."""
    if raw.count(b"\n", start) != expected:
        raise RefusedError(1, f"package: another number of lines than {expected}")
    lines = raw[start:-1].split(b"\n")
    if len(max(lines, key=len)) > limits.SLOT_BYTES:
        raise RefusedError(1, f"slot line: over {limits.SLOT_BYTES} bytes")
    commitments = dict[int, bytes]()
    if any(line[:1] != b"{" for line in lines):
        for place, line in enumerate(lines):
            if line[:1] == b"!":
                commitments[place] = _read("commitment", partial(_read_commitment, line))
                lines[place] = b""
            elif line[:1] != b"{":
                raise RefusedError(2, "slot line: empty, or neither slot nor commitment")
    return lines, commitments


def _read_commitment(line: bytes) -> bytes:
    commitment = read_base64(line[1:].decode("ascii", errors="replace"))
    if len(commitment) != HASH_BYTES:
        raise UnreadableError(f"not {HASH_BYTES} bytes")
    return commitment


def _check_withheld(disclosure: Disclosure) -> None:
    """A record of which no slot is disclosed has no line at all."""
    if disclosure.commitments and 0 in disclosure.masks():
        raise RefusedError(2, "slot lines: a record with every slot withheld")


def _with_salts(bare: Disclosure, explicit: bytes) -> Disclosure:
    """The disclosure with the salts that seeds and explicit salts give."""
    seeded = bare.chunk_places()
    gaps = _unseeded(bare, seeded)
    if SALT_BYTES * sum(stop - start for start, stop in gaps) != len(explicit):
        raise UnreadableError("salts missing or left over")
    salts = bytearray(SALT_BYTES * len(bare.slots))
    for chunk, (start, stop) in zip(bare.chunks, seeded, strict=True):
        salts[SALT_BYTES * start : SALT_BYTES * stop] = expand(chunk.seed, stop - start)
    at = 0
    for start, stop in gaps:
        salts[SALT_BYTES * start : SALT_BYTES * stop] = explicit[
            at : at + SALT_BYTES * (stop - start)
        ]
        at += SALT_BYTES * (stop - start)
    return replace(bare, salts=bytes(salts))


def _explicit_salts(disclosure: Disclosure) -> bytes:
    """The salts that no seed gives."""
    gaps = _unseeded(disclosure, disclosure.chunk_places())
    return b"".join(
        disclosure.salts[SALT_BYTES * start : SALT_BYTES * stop] for start, stop in gaps
    )


def _unseeded(disclosure: Disclosure, seeded: Sequence[Span]) -> list[Span]:
    """The places of disclosed slots whose salt no seed gives."""
    end = len(disclosure.slots)
    withheld = (Span(place, place + 1) for place in disclosure.commitments)
    taken = [Span(0, 0), *sorted([*seeded, *withheld]), Span(end, end)]
    if any(left.stop > right.start for left, right in pairwise(taken)):
        raise UnreadableError("seed covers a withheld slot")
    return [
        Span(left.stop, right.start) for left, right in pairwise(taken) if left.stop < right.start
    ]

"""What follows the head of a package or a delta: one line a slot, and the salts that go with them.

A line is the slot's bytes, or `!` and the base64 of the hash that stands for it (§2.6). Salts come
as seeds of chunks that are wholly disclosed, and one by one for all other disclosed slots.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from itertools import pairwise
from typing import TypeVar

from sharing.errors import RefusedError, UnreadableError
from sharing.seal import limits
from sharing.seal.canonical import HASH_BYTES, read_base64, write_base64
from sharing.seal.disclosure import Disclosure
from sharing.seal.salts import SALT_BYTES, expand
from sharing.seal.tree import Span

T = TypeVar("T")


def well_formed(name: str, read: Callable[[], T]) -> T:
    """What `read` gives; what is wrong with it is check 2, told with its name."""
    try:
        return read()
    except UnreadableError as error:
        raise RefusedError(2, f"{name}: {error}") from None


def read_head(raw: bytes) -> bytes:
    """The line of the head: check 1, before anything is parsed."""
    if len(raw) > limits.PACKAGE_BYTES:
        raise RefusedError(1, f"package: over {limits.PACKAGE_BYTES} bytes")
    end = raw.find(b"\n", 0, limits.HEAD_BYTES + 1)
    if end < 0:
        raise RefusedError(1, f"head: no line of at most {limits.HEAD_BYTES} bytes")
    if not raw.endswith(b"\n"):
        raise RefusedError(1, "package: last byte is not LF")
    if b"\r" in raw:
        raise RefusedError(2, "package: holds a CR")
    return raw[:end]


def read_body(raw: bytes, bare: Disclosure, explicit: bytes) -> Disclosure:
    """The disclosure of which `bare` has all but slots and salts, which are behind the head."""
    expected = bare.bands[-1].end if bare.bands else 0
    if expected > limits.SLOTS:
        raise RefusedError(1, f"hrl or tail: over {limits.SLOTS} slots")
    slots, commitments = _read_lines(raw, expected)
    filled = replace(bare, slots=slots, commitments=commitments)
    if commitments and 0 in filled.masks():
        raise RefusedError(2, "slot lines: a record with every slot withheld")
    return well_formed("runs or xs", lambda: _with_salts(filled, explicit))


def write_body(disclosure: Disclosure) -> list[bytes]:
    """The lines."""
    lines = list(disclosure.slots)
    for place, commitment in disclosure.commitments.items():
        lines[place] = b"!" + write_base64(commitment).encode()
    return lines


def explicit_salts(disclosure: Disclosure) -> bytes:
    """The salts that no seed gives."""
    gaps = _unseeded(disclosure, disclosure.chunk_places())
    return b"".join(
        disclosure.salts[SALT_BYTES * start : SALT_BYTES * stop] for start, stop in gaps
    )


def _read_lines(raw: bytes, expected: int) -> tuple[list[bytes], dict[int, bytes]]:
    """Slots, and the hashes in place of the withheld ones."""
    _, *lines, rest = raw.split(b"\n", expected + 1)
    if rest or len(lines) != expected:
        raise RefusedError(1, f"package: another number of lines than {expected}")
    if not lines:
        return [], {}
    if len(max(lines, key=len)) > limits.SLOT_BYTES:
        raise RefusedError(1, f"slot line: over {limits.SLOT_BYTES} bytes")
    commitments = dict[int, bytes]()
    if not b"{" <= min(lines) <= max(lines) < b"|":
        for place, line in enumerate(lines):
            if line[:1] == b"!":
                commitments[place] = well_formed("commitment", partial(_read_commitment, line))
                lines[place] = b""
            elif line[:1] != b"{":
                raise RefusedError(2, "slot line: empty, or neither slot nor commitment")
    return lines, commitments


def _read_commitment(line: bytes) -> bytes:
    commitment = read_base64(line[1:].decode("ascii", errors="replace"))
    if len(commitment) != HASH_BYTES:
        raise UnreadableError(f"not {HASH_BYTES} bytes")
    return commitment


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

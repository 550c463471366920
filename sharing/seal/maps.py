"""The disclosure map, and the digest that names a projection (§2.4).

A map is what a package discloses, as runs `varint(gap) || varint(count) || u16 mask`, maximal. Gap
counts record indices from the end of the run before, void ones too: were they left out, an edit
(void one, append one) could leave the map as it was, and would never be sent (D20).
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256

from sharing.errors import UnreadableError
from sharing.seal import limits
from sharing.seal.canonical import read_varint, write_varint

_MASKS = range(1, 1 << limits.SLOTS_PER_RECORD)


@dataclass(frozen=True, slots=True)
class MaskRun:
    """`count` records from `start` disclose the slots in `mask`; bit j - 1 stands for slot j."""

    start: int
    count: int
    mask: int


def projection_digest(payload: bytes, encoded_map: bytes) -> str:
    """`H(08 || H(payload) || map)` in hex: same digest, same content."""
    return sha256(b"\x08" + sha256(payload).digest() + encoded_map).hexdigest()


def encode_map(masks: Mapping[int, int]) -> bytes:
    """The map of these masks by record index; records with mask 0 are left out."""
    return encode_mask_runs(
        MaskRun(index, 1, mask) for index, mask in sorted(masks.items()) if mask
    )


def encode_mask_runs(runs: Iterable[MaskRun]) -> bytes:
    """The map of these runs, which ascend; neighbours that are alike are joined."""
    out, end = bytearray(), 0
    for run in join_mask_runs(runs):
        out += write_varint(run.start - end) + write_varint(run.count) + run.mask.to_bytes(2)
        end = run.start + run.count
    return bytes(out)


def join_mask_runs(runs: Iterable[MaskRun]) -> Iterator[MaskRun]:
    """Ascending runs with neighbours that are alike made one."""
    last: MaskRun | None = None
    for run in runs:
        if last and last.start + last.count == run.start and last.mask == run.mask:
            last = MaskRun(last.start, last.count + run.count, run.mask)
            continue
        if last:
            yield last
        last = run
    if last:
        yield last


def decode_map(encoded: bytes) -> dict[int, int]:
    """The masks by record index; raises UnreadableError for a map not written in the one way."""
    masks, end, at, last_mask = dict[int, int](), 0, 0, 0
    while at < len(encoded):
        gap, at = read_varint(encoded, at)
        count, at = read_varint(encoded, at)
        mask = int.from_bytes(encoded[at : at + 2])
        if len(encoded) < at + 2 or mask not in _MASKS or (gap == 0 and mask == last_mask):
            raise UnreadableError("map cut short, empty mask or run not maximal")
        if not count or end + gap + count > limits.RECORDS:
            raise UnreadableError("map run empty or too long")
        masks.update(dict.fromkeys(range(end + gap, end + gap + count), mask))
        end, at, last_mask = end + gap + count, at + 2, mask
    return masks

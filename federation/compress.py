"""zstd bodies, both ways; unpacking never allocates what a bomb asks for.

Caps (decisions.md D31): window 8 MiB, one frame, ratio 200 (once more than 1 MiB has come out),
and the body's own size. A frame is fed in slices of 256 bytes: no slice can unpack to more than
8 MiB, so the caps are seen in time.
"""

from collections.abc import Iterable, Iterator

import zstandard

from federation.errors import BadBodyError

WINDOW_CAP = 8 * 1024 * 1024
RATIO_CAP = 200
_RATIO_FREE = 1024 * 1024
_SLICE = 256
_LEVEL = 1
_BLOCK = 128 * 1024
_BLOCK_WINDOW = 7 << 3  # 2**(10 + 7) bytes


def pack(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The chunks as one zstd frame that `unpack` takes.

    The frame carries its checksum: a byte that broke on the way spoils the whole body, which is
    asked for again, and not one item of it, for which its sender would be blamed.

    A body that packs too well to be told from a bomb travels in raw blocks instead: else one long
    row of equal letters in an event would make every peer refuse our feed.
    """
    body = b"".join(chunks)
    packed = zstandard.ZstdCompressor(level=_LEVEL, write_checksum=True).compress(body)
    try:
        for _ in unpack([packed], cap=len(body)):
            pass
    except BadBodyError:
        return _stored(body)
    return iter([packed])


def _stored(body: bytes) -> Iterator[bytes]:
    """A frame of raw blocks of 128 KiB (RFC 8878 §3.1.1), content size not told."""
    yield zstandard.FRAME_HEADER + b"\x00" + bytes([_BLOCK_WINDOW])
    for start in range(0, len(body), _BLOCK):
        block = body[start : start + _BLOCK]
        is_last = start + _BLOCK >= len(body)
        yield (len(block) << 3 | is_last).to_bytes(3, "little") + block


def unpack(packed: Iterable[bytes], *, cap: int) -> Iterator[bytes]:
    """What one zstd frame holds, in pieces of at most 8 MiB.

    Raises:
        BadBodyError: not one whole frame, or beyond window, ratio or `cap` bytes.
    """
    frame = zstandard.ZstdDecompressor(max_window_size=WINDOW_CAP).decompressobj()
    taken = given = 0
    for piece in _slices(packed):
        if frame.eof:
            raise BadBodyError("bytes after the zstd frame")
        try:
            unpacked = frame.decompress(piece)
        except zstandard.ZstdError as error:
            raise BadBodyError("not a zstd frame with a window of at most 8 MiB") from error
        taken += len(piece)
        given += len(unpacked)
        if given > cap:
            raise BadBodyError(f"unpacks to more than {cap} bytes")
        if given > _RATIO_FREE and given > RATIO_CAP * taken:
            raise BadBodyError(f"unpacks to more than {RATIO_CAP} times its size")
        if unpacked:
            yield unpacked
    if not frame.eof or frame.unused_data:
        raise BadBodyError("not exactly one whole zstd frame")


def _slices(chunks: Iterable[bytes]) -> Iterator[bytes]:
    for chunk in chunks:
        for start in range(0, len(chunk), _SLICE):
            yield chunk[start : start + _SLICE]

import os

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from federation.compress import WINDOW_CAP, pack, unpack
from federation.errors import BadBodyError


def unpacked(*packed: bytes, cap: int = 1 << 26) -> bytes:
    return b"".join(unpack(packed, cap=cap))


@given(st.lists(st.binary(max_size=2000), max_size=5), st.integers(1, 7))
def test_unpacking_gives_back_what_was_packed(chunks: list[bytes], step: int) -> None:
    packed = b"".join(pack(chunks))
    pieces = [packed[at : at + step] for at in range(0, len(packed), step)]
    assert unpacked(*pieces) == b"".join(chunks)


@pytest.mark.parametrize(
    "body",
    [bytes(5 << 20), b"x" * (1 << 20), bytes(3 << 20) + os.urandom(3 << 20), b""],
    ids=["zeros", "one row of letters", "zeros before noise", "nothing"],
)
def test_what_packs_too_well_still_arrives(body: bytes) -> None:
    packed = b"".join(pack([body]))
    assert unpacked(packed) == body
    assert zstandard.ZstdDecompressor().decompressobj().decompress(packed) == body


def test_a_bomb_is_refused_long_before_it_has_unpacked() -> None:
    bomb = zstandard.ZstdCompressor(level=19).compress(bytes(1 << 28))
    pieces: list[int] = []
    with pytest.raises(BadBodyError, match="200 times"):
        pieces.extend(map(len, unpack([bomb], cap=1 << 40)))
    assert sum(pieces) <= 2 * WINDOW_CAP


def test_a_body_beyond_its_cap_is_refused() -> None:
    packed = b"".join(pack([os.urandom(5000)]))
    with pytest.raises(BadBodyError, match="more than 4999"):
        unpacked(packed, cap=4999)


def test_a_huge_window_is_refused() -> None:
    wide = zstandard.ZstdCompressionParameters(window_log=24, compression_level=1)
    packer = zstandard.ZstdCompressor(compression_params=wide).compressobj()
    with pytest.raises(BadBodyError, match="window"):
        unpacked(packer.compress(os.urandom(1 << 20)) + packer.flush())


def test_one_frame_and_nothing_else() -> None:
    frame = b"".join(pack([b"x" * 300]))
    for wrong in (frame + frame, frame + b"\x00", b"", frame[:-1], frame[1:]):
        with pytest.raises(BadBodyError):
            unpacked(wrong)


@given(st.binary(max_size=300))
def test_any_bytes_unpack_or_are_refused(raw: bytes) -> None:
    try:
        unpacked(raw, cap=10_000)
    except BadBodyError:
        return
    assert raw[:4] in {
        b"\x28\xb5\x2f\xfd",
        *(bytes([0x50 + n, 0x2A, 0x4D, 0x18]) for n in range(16)),
    }


def test_a_byte_that_broke_on_the_way_spoils_the_whole_body() -> None:
    body = b'{"value":"a.example","uuid":"x"}\n{"value":"b.example","uuid":"y"}\n' * 4
    packed = b"".join(pack([body]))
    for at in range(len(packed)):
        for mask in (1, 0x10, 0x80, 0xFF):
            try:
                got = unpacked(packed[:at] + bytes([packed[at] ^ mask]) + packed[at + 1 :])
            except BadBodyError:
                continue
            assert got == body  # a flag of the frame that changes nothing

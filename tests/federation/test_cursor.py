import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation.cursor import IncarnationChanged, read_cursor, write_cursor
from federation.errors import BadCursorError
from federation.lines import CURSOR
from tests.federation.strategies import BE, DE, INCARNATION

KEY = b"k" * 32
LATER = "ffeeddccbbaa99887766554433221100"


def cursor(pos: int = 7, peer: str = BE, incarnation: str = INCARNATION, key: bytes = KEY) -> str:
    return write_cursor(key=key, peer=peer, incarnation=incarnation, pos=pos)


def read(token: str, peer: str = BE, incarnation: str = INCARNATION) -> int | IncarnationChanged:
    return read_cursor(token, key=KEY, peer=peer, incarnation=incarnation)


@given(st.integers(0, 2**64 - 1))
def test_a_cursor_reads_back_and_travels_as_a_token(pos: int) -> None:
    token = cursor(pos)
    assert read(token) == pos
    assert CURSOR.fullmatch(token)


def test_foreign_cursor_is_refused() -> None:
    with pytest.raises(BadCursorError):
        read(cursor(peer=DE))
    with pytest.raises(BadCursorError):
        read(cursor(key=b"x" * 32))


def test_a_cursor_of_an_earlier_life_is_told_apart_from_a_forged_one() -> None:
    assert read(cursor(), incarnation=LATER) == IncarnationChanged()
    with pytest.raises(BadCursorError):
        read(cursor(peer=DE), incarnation=LATER)


@given(st.integers(0, 8 * 56 - 1))
def test_no_bit_of_a_cursor_can_be_changed(bit: int) -> None:
    raw = bytearray(base64.urlsafe_b64decode(cursor() + "="))
    raw[bit // 8] ^= 1 << bit % 8
    with pytest.raises(BadCursorError):
        read(base64.urlsafe_b64encode(raw).decode().rstrip("="))


@given(st.text())
def test_any_text_is_refused(token: str) -> None:
    with pytest.raises(BadCursorError):
        read(token)


def test_a_cursor_has_one_spelling() -> None:
    for other in (cursor() + "=", cursor() + "\n", cursor()[:-1], " " + cursor()):
        with pytest.raises(BadCursorError):
            read(other)

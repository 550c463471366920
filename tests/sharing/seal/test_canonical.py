"""One value, one spelling."""

import base64
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sharing.errors import UnreadableError
from sharing.seal.canonical import (
    read_base64,
    read_hash,
    read_hex,
    read_instant,
    read_uuid,
    read_varint,
    write_base64,
    write_instant,
    write_varint,
)


@given(st.binary(max_size=80))
def test_base64_reads_back(raw: bytes) -> None:
    assert read_base64(write_base64(raw)) == raw
    assert read_base64(base64.b64encode(raw).decode()) == raw


@pytest.mark.parametrize(
    "text",
    [
        "A",
        "AA",
        "AAA",
        "AB==",
        "AAB=",
        "AA==\n",
        " AA==",
        "AA=A",
        "A-_=",
        "AA==AA==",
        "é",
        1,
        None,
        b"AA==",
    ],
)
def test_another_spelling_of_base64_is_refused(text: object) -> None:
    with pytest.raises(UnreadableError):
        read_base64(text)


@given(st.integers(0, 2**35 - 1), st.binary(max_size=3))
def test_varints_read_back(number: int, rest: bytes) -> None:
    written = write_varint(number)
    assert read_varint(written + rest, 0) == (number, len(written))


@pytest.mark.parametrize(
    "raw", [b"", b"\x80", b"\x80\x00", b"\xff\x80\x00", b"\xff" * 5, b"\x80" * 6 + b"\x01"]
)
def test_a_longer_varint_or_none_is_refused(raw: bytes) -> None:
    with pytest.raises(UnreadableError):
        read_varint(raw, 0)


@pytest.mark.parametrize("text", ["A" * 64, "0" * 63, "0" * 65, "0" * 64 + "\n", 0, None])
def test_a_hash_is_64_small_hex_digits(text: object) -> None:
    with pytest.raises(UnreadableError):
        read_hash(text)


@pytest.mark.parametrize("text", ["0", "0G", "AB", " 00", "00\n", 7])
def test_hex_is_small_and_even(text: object) -> None:
    with pytest.raises(UnreadableError):
        read_hex(text)


@pytest.mark.parametrize(
    "text",
    [
        "6F0C6A1E-1111-4222-8333-444455556666",
        "6f0c6a1e111142228333444455556666",
        "{6f0c6a1e-1111-4222-8333-444455556666}",
        "6f0c6a1e-1111-4222-8333-44445555666",
        "6f0c6a1e-1111-4222-8333-444455556666\n",
        None,
    ],
)
def test_a_uuid_is_small_and_hyphened(text: object) -> None:
    with pytest.raises(UnreadableError):
        read_uuid(text)


@given(st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC)))  # noqa: DTZ001
def test_instants_read_back_to_the_second(at: datetime) -> None:
    assert read_instant(write_instant(at)) == at.replace(microsecond=0)


def test_an_instant_elsewhere_is_the_same_instant() -> None:
    assert read_instant("2026-11-22T14:00:00.5+01:00") == datetime(
        2026, 11, 22, 14, 0, 0, 500000, timezone(timedelta(hours=1))
    )


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-22",
        "2026-11-22T13:00:00",
        "2026-11-22 13:00:00Z",
        "2026-11-22T13:00Z",
        "20261122T130000Z",
        "2026-13-22T13:00:00Z",
        "2026-11-31T13:00:00Z",
        "2026-11-22T25:00:00Z",
        "2026-11-22T13:00:00+0100",
        "2026-11-22T13:00:00Z ",
        "٢٠٢٦-11-22T13:00:00Z",
        "0000-11-22T13:00:00Z",
        "0001-01-01T00:00:00+23:59",
        "9999-12-31T23:59:59-23:59",
        "tomorrow",
        1,
        None,
    ],
)
def test_another_instant_is_refused(text: object) -> None:
    with pytest.raises(UnreadableError):
        read_instant(text)


def test_an_instant_without_zone_is_not_written() -> None:
    with pytest.raises(ValueError, match="time zone"):
        write_instant(datetime(2026, 11, 22))  # noqa: DTZ001

"""Void set, class table and disclosure map: bytes with one spelling."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sharing.errors import UnreadableError
from sharing.seal import limits
from sharing.seal.maps import decode_map, encode_map
from sharing.seal.records import Header
from sharing.seal.tables import ClassTable, decode_void, encode_void

SALT = bytes(16)
HEADERS = st.sampled_from(
    [Header(2, (1,), (0,)), Header(2, (1, 2), (0, 3)), Header(4, (1,), (16,))]
)


@given(st.sets(st.integers(0, limits.RECORDS - 1), max_size=60))
def test_void_sets_read_back(void: set[int]) -> None:
    assert decode_void(encode_void(sorted(void))) == tuple(sorted(void))


def test_void_sets_are_gaps() -> None:
    assert encode_void([0, 1, 5, 200]).hex() == "000003c201"


@pytest.mark.parametrize("raw", ["80", "8000", "ffffff7f", "ff" * 6])
def test_other_void_sets_are_refused(raw: str) -> None:
    with pytest.raises(UnreadableError):
        decode_void(bytes.fromhex(raw))


@given(st.lists(st.tuples(st.integers(1, 300), HEADERS), max_size=20))
def test_class_tables_read_back(runs: list[tuple[int, Header]]) -> None:
    table = ClassTable.of(SALT, runs)
    assert ClassTable.decode(table.encode()) == table
    assert table.size == sum(count for count, _ in runs)
    assert all(left[1] != right[1] for left, right in zip(table.runs, table.runs[1:], strict=False))


@pytest.mark.parametrize(
    "raw",
    [
        "",
        "00" * 15,
        "00" * 16 + "01",
        "00" * 16 + "0102",
        "00" * 16 + "010201",
        "00" * 16 + "0002010100",
        "00" * 16 + "0102010100" + "0102010100",
        "00" * 16 + "810002010100",
        "00" * 16 + "0102010106",
        "00" * 16 + "ffffffff0f02010100",
    ],
)
def test_other_class_tables_are_refused(raw: str) -> None:
    with pytest.raises(UnreadableError):
        ClassTable.decode(bytes.fromhex(raw))


MASKS = st.dictionaries(st.integers(0, 60), st.integers(1, 3), max_size=40)


@given(MASKS)
def test_maps_read_back(masks: dict[int, int]) -> None:
    assert decode_map(encode_map(masks)) == masks


@given(MASKS, MASKS)
def test_two_maps_are_alike_only_if_they_disclose_alike(
    left: dict[int, int], right: dict[int, int]
) -> None:
    assert (encode_map(left) == encode_map(right)) == (left == right)


def test_a_record_without_a_slot_is_not_in_the_map() -> None:
    assert (
        encode_map({0: 1, 1: 0, 2: 1})
        == encode_map({0: 1, 2: 1})
        == bytes.fromhex("0001000101010001")
    )


@pytest.mark.parametrize(
    "raw",
    [
        "00",
        "0001",
        "000100",
        "00010000",
        "00000001",
        "0001000100010001",
        "8000010001",
        "00ffff7f0001",
    ],
)
def test_other_maps_are_refused(raw: str) -> None:
    with pytest.raises(UnreadableError):
        decode_map(bytes.fromhex(raw))

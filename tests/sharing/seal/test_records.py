"""Headers: what a record may be made of."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sharing.errors import UnreadableError
from sharing.seal.records import Header, Kind


@given(st.integers(1, 255), st.sets(st.integers(1, 255), min_size=1, max_size=16), st.data())
def test_headers_read_back(kind: int, types: set[int], data: st.DataObject) -> None:
    if kind in (Kind.LABEL, Kind.ADDRESSEE):
        kind = Kind.ATTRIBUTE
    allowed = st.sampled_from([*range(6), *range(16, 256)])
    labels = tuple(data.draw(st.lists(allowed, min_size=len(types), max_size=len(types))))
    header = Header(kind, tuple(sorted(types)), labels)
    assert Header.decode(header.encoded) == header
    assert header.encoded[:2] == bytes((kind, len(types)))
    assert header.full == 2 ** len(types) - 1


@pytest.mark.parametrize(
    "raw",
    [
        "",
        "02",
        "0200",
        "020101",
        "02010100aa",
        "02020100",
        "0211" + "".join(f"{number:02x}00" for number in range(1, 18)),
        "020202000100",
        "020201000100",
        "02010106",
        "0201010f",
        "00010100",
        "02010000",
        "0c010100",
        "0c010102",
        "0c010201",
        "0c0201010201",
        "0d010100",
        "0d0201010201",
    ],
)
def test_other_headers_are_refused(raw: str) -> None:
    with pytest.raises(UnreadableError):
        Header.decode(bytes.fromhex(raw))


def test_kinds_and_types_nobody_knows_are_carried() -> None:
    assert Header.decode(bytes.fromhex("fe01fe00")) == Header(0xFE, (0xFE,), (0,))


@pytest.mark.parametrize(
    ("kind", "types", "labels"),
    [(2, (1,), ()), (2, (), ()), (256, (1,), (0,)), (2, (-1,), (0,)), (2, (1,), (256,))],
)
def test_a_header_of_ours_cannot_be_wrong(
    kind: int, types: tuple[int, ...], labels: tuple[int, ...]
) -> None:
    with pytest.raises(ValueError, match=r"."):
        Header(kind, types, labels)

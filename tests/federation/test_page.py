"""The reader against bytes a writer would not write."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation.call import Bookmark
from federation.errors import BadPageError
from federation.feed import OutboxRow, Question, plan_page, write_page
from federation.lines import LINE_CAP
from federation.opening import OpenedPage, open_page
from federation.page import read_page
from federation.wire import INLINE_CAP, Op
from sharing.seal.package import write_package
from tests.federation.simulator import Receiver, SimulatedPeer
from tests.federation.strategies import (
    BE,
    EVENT,
    FR,
    NOW,
    OTHER_EVENT,
    REGISTRY,
    RULEBOOK,
    feed,
    nonce,
    put_line,
    sealed,
)

ASK = Receiver(BE).question(SimulatedPeer(FR))
HOLDING = sealed(salt=b"1")
OTHER = sealed(event=OTHER_EVENT, salt=b"2")


def page_bytes() -> bytes:
    lines = [put_line(HOLDING, 1), replace(put_line(OTHER, 3), op=Op.WITHDRAW, digest=None)]
    plan = plan_page(
        [OutboxRow(line, RULEBOOK, dirty=False) for line in lines], after=0, rulebook=RULEBOOK
    )
    question = Question(0, None, ASK.nonce)
    return b"".join(
        write_page(feed(), question, plan, lambda _: write_package(HOLDING), head=3, now=NOW)
    )


PAGE = page_bytes()


def opened(raw: bytes) -> OpenedPage:
    return open_page(raw, ASK, registry=REGISTRY, now=NOW)


def refused(raw: bytes, check: int, reason: str) -> None:
    with pytest.raises(BadPageError) as caught:
        opened(raw)
    assert (caught.value.check, caught.value.reason) == (check, reason)


def test_a_page_opens_with_its_items_and_the_next_place() -> None:
    page = opened(PAGE)
    assert [item.line_bytes for item in page.items] == [
        line for line in PAGE.split(b"\n") if line.startswith(b'{"pos"')
    ]
    assert [item.raw for item in page.items] == [write_package(HOLDING), b""]
    assert page.bookmark == Bookmark(feed().incarnation, 3, feed().cursor_at(3))
    assert not page.more


@given(st.integers(1, 200))
def test_a_page_is_the_same_however_it_is_cut_into_chunks(step: int) -> None:
    chunks = (PAGE[at : at + step] for at in range(0, len(PAGE), step))
    assert read_page(chunks) == read_page([PAGE])


def test_a_page_cut_short_at_any_byte_is_refused() -> None:
    for size in range(len(PAGE)):
        refused(PAGE[:size], 1, "truncated")


def test_a_flipped_bit_is_refused_or_touches_only_package_or_hint() -> None:
    """Every bit outside packages is refused here; packages are checked item by item."""
    package_at = PAGE.index(write_package(HOLDING))
    package = range(package_at, package_at + len(write_package(HOLDING)))
    version_at = PAGE.index(b"national/1")
    hint = range(version_at, version_at + len(b"national/1"))
    for bit in range(8 * len(PAGE)):
        if bit % 8 != bit // 8 % 8 and bit // 8 in package:
            continue  # one bit a byte is enough inside the package
        raw = bytearray(PAGE)
        raw[bit // 8] ^= 1 << bit % 8
        try:
            page = opened(bytes(raw))
        except BadPageError:
            continue
        assert bit // 8 in package or bit // 8 in hint
        assert [item.line for item in page.items] == [item.line for item in opened(PAGE).items]


@given(st.binary(max_size=300))
def test_any_bytes_are_refused(raw: bytes) -> None:
    with pytest.raises(BadPageError):
        opened(raw)


@given(st.integers(0, len(PAGE)), st.binary(max_size=60), st.integers(0, 60))
def test_a_page_with_bytes_put_in_or_taken_out_is_refused_or_the_same(
    at: int, put: bytes, taken: int
) -> None:
    raw = PAGE[:at] + put + PAGE[at + taken :]
    try:
        page = opened(raw)
    except BadPageError:
        return
    assert [item.line_bytes for item in page.items] == [
        item.line_bytes for item in opened(PAGE).items
    ]


def test_bytes_after_the_trailer_are_refused() -> None:
    refused(PAGE + b"\n", 1, "trailing-bytes")
    refused(PAGE + PAGE, 1, "trailing-bytes")


def endless(start: bytes, more: bytes) -> Iterator[bytes]:
    yield start
    while True:
        yield more


def test_caps_hold_before_allocation() -> None:
    """None of these ever ends; the reader must."""
    header = PAGE[: PAGE.index(b"\n") + 1]
    item = PAGE[len(header) :][: PAGE[len(header) :].index(b"\n") + 1]
    small = item.replace(b'"size":%d' % len(write_package(HOLDING)), b'"size":0')
    for chunks, reason in (
        (endless(b"", b"x" * 1000), "long-line"),
        (endless(b"", b"x" * (LINE_CAP + 7)), "long-line"),
        (endless(header, b"{" * 1000), "long-line"),
        (endless(header, small), "too-many-items"),
    ):
        with pytest.raises(BadPageError) as caught:
            read_page(chunks, items_cap=50)
        assert caught.value.reason == reason


def test_a_page_over_its_cap_is_refused_while_it_comes() -> None:
    with pytest.raises(BadPageError) as caught:
        read_page(endless(PAGE[:-10], b""), page_cap=len(PAGE) - 11)
    assert caught.value.reason == "too-large"


def test_an_item_may_not_announce_more_than_one_mebibyte() -> None:
    size = b'"size":%d' % len(write_package(HOLDING))
    refused(PAGE.replace(size, b'"size":%d' % (INLINE_CAP + 1)), 1, "grammar")


def test_deep_json_is_refused_as_a_line() -> None:
    refused(b"[" * 60_000 + b"\n", 1, "grammar")
    refused(PAGE.replace(b'"withheld":[]', b'"withheld":' + b"[" * 40 + b"]" * 40), 1, "grammar")


def test_more_items_than_were_asked_for_are_refused() -> None:
    with pytest.raises(BadPageError) as caught:
        open_page(PAGE, replace(ASK, limit=1), registry=REGISTRY, now=NOW)
    assert caught.value.reason == "too-many-items"


def test_the_same_page_answers_no_other_question() -> None:
    for other, reason in (
        (replace(ASK, nonce=nonce("other")), "nonce"),
        (replace(ASK, me=EVENT), "to"),
        (replace(ASK, source=BE), "from"),
        (replace(ASK, bookmark=Bookmark("f" * 32, 0, "cursor")), "incarnation"),
        (replace(ASK, bookmark=Bookmark(feed().incarnation, 1, "cursor")), "after"),
        (replace(ASK, bookmark=Bookmark(feed().incarnation, 0, "cursor")), "header"),
    ):
        with pytest.raises(BadPageError) as caught:
            open_page(PAGE, other, registry=REGISTRY, now=NOW)
        assert (caught.value.check, caught.value.reason) == (2, reason)

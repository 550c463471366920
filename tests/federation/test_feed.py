from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation.call import Wants
from federation.cursor import IncarnationChanged
from federation.errors import BadCursorError, BadRequestError, RolledBackError
from federation.feed import (
    FEED_PATH,
    PAGE_BYTES,
    FeedQuery,
    OutboxRow,
    Plan,
    Question,
    plan_page,
    read_feed_query,
    write_page,
)
from federation.opening import OpenedPage, open_page
from federation.wire import INLINE_CAP, ItemLine
from tests.federation.simulator import Receiver, SimulatedPeer
from tests.federation.strategies import (
    BE,
    DE,
    FR,
    INCARNATION,
    NOW,
    REGISTRY,
    RULEBOOK,
    cursors,
    feed,
    put_line,
    sealed,
)

LINE = put_line(sealed(), 1)
ASK = Receiver(BE).question(SimulatedPeer(FR))


def row(pos: int, *, rulebook: str = RULEBOOK, dirty: bool = False) -> OutboxRow:
    return OutboxRow(replace(LINE, pos=pos), rulebook, dirty)


def written(plan: Plan, package: bytes | None, head: int = 1000) -> OpenedPage:
    page = write_page(
        feed(), Question(0, None, ASK.nonce), plan, lambda _: package, head=head, now=NOW
    )
    return open_page(page, ASK, registry=REGISTRY, now=NOW)


# ── What a peer asks ─────────────────────────────────────────────────────────────────────────────


@given(
    st.builds(
        FeedQuery,
        cursor=st.none() | cursors,
        limit=st.integers(1, 200),
        wants=st.sampled_from(Wants),
        wait_s=st.integers(0, 30),
    )
)
def test_a_query_reads_back(query: FeedQuery) -> None:
    path, _, raw = query.path().partition("?")
    assert path == FEED_PATH
    assert read_feed_query(raw) == query


@pytest.mark.parametrize(
    "raw",
    [
        "limit=0",
        "limit=201",
        "limit=x",
        "limit=",
        "limit=1_0",
        "limit=%2B5",
        "limit=+1",
        "limit=1%0A",
        "limit=%EF%BC%91",
        "limit=0010",
        "limit=1&limit=2",
        "wants=everything",
        "cursor=",
        "cursor=a%20b",
        "cursor=" + "x" * 257,
        "wait=31",
        "wait=-1",
        "wait=1.5",
        "wait=1&wait=1",
        "wait=0&limit=0",
        "wait=25&limit=201",
        "size=1",
        "cursor",
        "cursor=a&limit=1&wants=own&x=1",
    ],
)
def test_a_query_out_of_grammar_is_refused(raw: str) -> None:
    with pytest.raises(BadRequestError) as caught:
        read_feed_query(raw)
    assert caught.value.reason == "query"


@given(st.text())
def test_any_query_is_read_or_refused(raw: str) -> None:
    with suppress(BadRequestError):
        assert 1 <= read_feed_query(raw).limit <= 200


def test_only_who_waits_may_ask_for_no_items() -> None:
    asked = read_feed_query("limit=0&wait=25&wants=own")
    assert (asked.limit, asked.wait_s) == (0, 25)
    with pytest.raises(BadRequestError):
        read_feed_query("limit=0&wants=own")


def asking(cursor: str | None) -> FeedQuery:
    return FeedQuery(cursor, 200, Wants.OWN)


def test_the_cursor_of_the_next_question_is_the_acknowledgement() -> None:
    assert feed().place_of(asking(None), head=9) == 0
    assert feed().place_of(asking(feed().cursor_at(7)), head=9) == 7


def test_foreign_cursor_is_refused() -> None:
    with pytest.raises(BadCursorError):
        feed().place_of(asking(feed(peer=DE).cursor_at(7)), head=9)


def test_a_cursor_of_an_earlier_life_starts_over() -> None:
    old = feed(incarnation="f" * 32).cursor_at(7)
    assert feed().place_of(asking(old), head=9) == IncarnationChanged()


def test_a_peer_that_has_seen_more_than_we_remember_stops_the_feed() -> None:
    with pytest.raises(RolledBackError, match="read to 10, our feed ends at 9"):
        feed().place_of(asking(feed().cursor_at(10)), head=9)


# ── What leaves ──────────────────────────────────────────────────────────────────────────────────

outboxes = st.lists(
    st.tuples(st.integers(1, 50), st.booleans(), st.booleans()),
    max_size=12,
    unique_by=lambda one: one[0],
).map(
    lambda drawn: [
        row(pos, rulebook=RULEBOOK if fresh else "0" * 64, dirty=dirty)
        for pos, fresh, dirty in sorted(drawn)
    ]
)


@given(outboxes, st.integers(1, 6))
def test_nothing_decided_under_old_facts_leaves_nor_anything_after_it(
    rows: list[OutboxRow], limit: int
) -> None:
    plan = plan_page(rows, after=0, rulebook=RULEBOOK, limit=limit)
    stale = next(
        (n for n, one in enumerate(rows) if one.dirty or one.rulebook != RULEBOOK), len(rows)
    )
    assert list(plan.rows) == [one.line for one in rows[: min(stale, limit)]]
    assert plan.cut == (len(rows) > limit <= stale)
    assert not (plan.cut and plan.held_back)


def test_rows_out_of_order_are_our_own_mistake() -> None:
    with pytest.raises(ValueError, match="outbox row 2 after 5"):
        plan_page([row(5), row(2)], after=0, rulebook=RULEBOOK)
    with pytest.raises(ValueError, match="outbox row 5 after 5"):
        plan_page([row(5)], after=5, rulebook=RULEBOOK)


def planned(count: int) -> Plan:
    return plan_page([row(pos) for pos in range(1, count + 1)], after=0, rulebook=RULEBOOK)


def test_a_page_ends_before_it_passes_four_mebibytes() -> None:
    page = written(planned(20), b"x" * (INLINE_CAP - 1) + b"\n")
    total = sum(len(item.line_bytes) + len(item.raw) for item in page.items)
    assert len(page.items) == 3
    assert total <= PAGE_BYTES
    assert page.more
    assert page.bookmark.pos == 3


def test_a_large_package_is_announced_and_fetched_apart() -> None:
    page = written(planned(1), b"x" * INLINE_CAP + b"\n")
    (item,) = page.items
    assert item.fetched_apart
    assert isinstance(item.line, ItemLine)
    assert item.line.size == 0


def test_a_page_ends_before_a_package_that_cannot_be_made_now() -> None:
    page = written(planned(3), None)
    assert page.items == ()
    assert page.bookmark.pos == 0
    assert not page.more


def test_more_is_said_only_where_asking_again_pays() -> None:
    cut = plan_page([row(1), row(2)], after=0, rulebook=RULEBOOK, limit=1)
    held = plan_page([row(1), row(2, dirty=True)], after=0, rulebook=RULEBOOK)
    assert written(cut, b"{}\n").more
    assert not written(held, b"{}\n").more
    assert not written(planned(2), b"{}\n").more


def test_two_peers_never_get_the_same_cursor() -> None:
    assert feed().cursor_at(7) != feed(peer=DE).cursor_at(7)
    assert feed().cursor_at(7) != feed(incarnation=INCARNATION[::-1]).cursor_at(7)

"""Whole pulls between a receiver and a peer in memory that lies, replays and stalls."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from email.utils import format_datetime

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from federation import sync
from federation.admit import Admitted, NoOp, Quarantined
from federation.call import Bookmark, Reply
from federation.compress import pack, unpack
from federation.cursor import IncarnationChanged
from federation.errors import BadBodyError, BadPageError, BadReplyError
from federation.opening import OpenedPage
from federation.wire import MEDIA_TYPE
from policies.label import Label
from policies.tlp import Tlp
from sharing.errors import ForeignFault
from sharing.seal.holding import Holding
from sharing.seal.package import write_package
from sharing.seal.recall import Recall, make_recall
from sharing.seal.records import Record
from tests.federation.judging import next_version
from tests.federation.simulator import Receiver, SimulatedPeer
from tests.federation.strategies import (
    BE,
    CORE,
    DE,
    EVENT,
    FR,
    HUB,
    NOW,
    OTHER_EVENT,
    REGISTRY,
    feed,
    records,
    sealed,
    signer,
)

LOG = (FR, EVENT)
EVENTS = tuple(f"{n}{n}{n}{n}{n}{n}{n}{n}-1111-4111-8111-111111111111" for n in range(3))


def recalled(holding: Holding) -> bytes:
    told = holding.statement
    return make_recall(
        Recall(told.event, told.iss, *told.version, "error", NOW), [signer(told.iss, "seal")]
    )


def test_a_pull_brings_what_was_offered_and_the_next_brings_nothing() -> None:
    france, belgium, holding = SimulatedPeer(FR), Receiver(BE), sealed()
    france.offer(holding)
    (outcome,) = belgium.pull(france)
    assert isinstance(outcome, Admitted)
    assert belgium.holdings[LOG][FR].records == holding.records
    assert belgium.pull(france) == []


def test_the_next_question_acknowledges_the_page_before() -> None:
    france, belgium = SimulatedPeer(FR), Receiver(BE)
    france.offer(sealed())
    belgium.pull(france)
    assert france.acked == {BE: 0}
    belgium.pull(france)
    assert france.acked == {BE: 1}


def test_a_large_package_is_fetched_by_its_digest() -> None:
    france, belgium = SimulatedPeer(FR), Receiver(BE)
    large = sealed(of=records(attributes=9000))
    france.offer(large)
    assert len(write_package(large)) > 2**20
    (outcome,) = belgium.pull(france)
    assert isinstance(outcome, Admitted)
    assert outcome.line.size == 0
    assert belgium.holdings[LOG][FR].digest == large.digest


def test_long_rows_of_one_letter_block_no_feed() -> None:
    """They pack like a bomb, and a hospital may write them."""
    france, belgium = SimulatedPeer(FR), Receiver(BE)
    for event in EVENTS:
        core = Record(CORE, (b'{"info":"' + b"x" * 700_000 + b'"}',))
        france.offer(sealed(event=event, of=[*records(attributes=0)[:1], core]))
    assert [type(outcome) for outcome in belgium.pull(france)] == [Admitted] * 3


def test_a_package_that_is_gone_meanwhile_is_no_fault() -> None:
    france, belgium = SimulatedPeer(FR), Receiver(BE)
    line = france.offer(sealed())
    question = belgium.question(france)
    opened = sync.page(france.answer(question.call), question, registry=REGISTRY, now=NOW)
    assert isinstance(opened, OpenedPage)
    france.packages.clear()
    call = sync.ask_package(france.peer, line, nonce=belgium.nonce(), signer=signer(BE), now=NOW)
    assert sync.package(france.answer(call), opened.items[0]) == sync.Gone()


def test_foreign_digest_and_unknown_digest_look_alike() -> None:
    germany, belgium = SimulatedPeer(DE), Receiver(BE)
    unknown = replace(SimulatedPeer(FR).offer(sealed()), digest="0" * 64)
    call = sync.ask_package(
        germany.peer, unknown, nonce=belgium.nonce(), signer=signer(BE), now=NOW
    )
    assert germany.answer(call) == Reply(404, {}, b"")


# ── Replays ──────────────────────────────────────────────────────────────────────────────────────


def test_replayed_feed_request_gets_no_page() -> None:
    france, belgium = SimulatedPeer(FR), Receiver(BE)
    france.offer(sealed())
    call = belgium.question(france).call
    assert france.answer(call).status == 200
    assert france.answer(call).status == 401
    assert france.answer(call, now=NOW + timedelta(minutes=3)).status == 401


def disbelieved(date: str) -> str:
    """What is told beyond the status of a request not believed, by an answer with this date."""
    question = Receiver(BE).question(SimulatedPeer(FR))
    with pytest.raises(BadReplyError) as refused:
        sync.page(Reply(401, {"date": date}, b""), question, registry=REGISTRY, now=NOW)
    return str(refused.value).removeprefix("the peer answered with status 401")


@pytest.mark.parametrize(
    ("ahead", "told"),
    [
        (timedelta(minutes=5), "; by its answer its clock is 300 s ahead of ours"),
        (timedelta(minutes=-5), "; by its answer its clock is 300 s behind ours"),
        (timedelta(seconds=2), ""),
    ],
)
def test_who_is_not_believed_is_told_how_far_the_clocks_are_apart(
    ahead: timedelta, told: str
) -> None:
    assert disbelieved(format_datetime(NOW + ahead, usegmt=True)) == told


@pytest.mark.parametrize("date", ["", "yesterday", "Tue, 27 Jan 2026 07:30:00 -0000"])
def test_an_answer_without_a_date_hints_at_nothing(date: str) -> None:
    assert disbelieved(date) == ""


def test_a_question_to_one_peer_opens_no_other() -> None:
    france, germany, belgium = SimulatedPeer(FR), SimulatedPeer(DE), Receiver(BE)
    assert germany.answer(belgium.question(france).call).status == 401


def test_a_replayed_page_is_refused() -> None:
    france, belgium = SimulatedPeer(FR), Receiver(BE)
    france.offer(sealed())
    earlier = belgium.question(france)
    kept = france.answer(earlier.call)
    france.lie = lambda _: kept
    with pytest.raises(BadPageError, match="nonce"):
        belgium.pull(france)
    assert belgium.holdings == {}
    assert belgium.bookmarks == {}


def test_a_page_meant_for_another_member_is_refused() -> None:
    france, belgium, germany = SimulatedPeer(FR), Receiver(BE), Receiver(DE)
    france.offer(sealed())
    theirs = france.answer(germany.question(france).call)
    france.lie = lambda _: theirs
    with pytest.raises(BadPageError, match="to: meant for another"):
        belgium.pull(france)


def test_a_cursor_of_another_peer_is_refused() -> None:
    france, belgium = SimulatedPeer(FR), Receiver(BE)
    france.offer(sealed())
    stolen = feed(FR, DE).cursor_at(1)
    belgium.bookmarks[FR] = Bookmark(france.incarnation, 1, stolen)
    with pytest.raises(BadReplyError, match="status 400"):
        belgium.pull(france)


# ── Lies ─────────────────────────────────────────────────────────────────────────────────────────


def test_one_bad_item_does_not_block_those_behind_it() -> None:
    france, belgium = SimulatedPeer(FR), Receiver(BE)
    france.offer(sealed(), package=b"{}\nnot a package\n")
    france.offer(sealed(event=OTHER_EVENT))
    first, second = belgium.pull(france)
    assert isinstance(first, Quarantined)
    assert isinstance(second, Admitted)
    assert belgium.bookmarks[FR].pos == 2


def test_a_quarantined_item_is_judged_again_when_it_comes_again() -> None:
    france, belgium = SimulatedPeer(FR), Receiver(BE)
    line = france.offer(sealed(), package=b"{}\n")
    belgium.pull(france)
    france.packages[str(line.digest)] = write_package(sealed())
    del belgium.bookmarks[FR]
    assert isinstance(belgium.pull(france)[0], Admitted)


@given(st.integers(0, 10**6), st.integers(0, 7))
@settings(max_examples=300)
def test_a_bit_flipped_on_the_way_is_a_typed_refusal_and_nothing_else(place: int, bit: int) -> None:
    france, belgium = SimulatedPeer(FR), Receiver(BE)
    france.offer(sealed())

    def lie(reply: Reply) -> Reply:
        raw = bytearray(reply.body)
        raw[place % len(raw)] ^= 1 << bit
        return replace(reply, body=bytes(raw))

    france.lie = lie
    try:
        outcomes = belgium.pull(france)
    except ForeignFault:
        assert belgium.holdings == {}
        return
    assert all(isinstance(one, Quarantined) for one in outcomes) or belgium.values(LOG)
    held = belgium.holdings.get(LOG, {})
    assert all(one.records == sealed().records for one in held.values())


BOMB = zstandard.ZstdCompressor(level=19).compress(bytes(1 << 26))
LIES: dict[str, tuple[Callable[[Reply], Reply], type[Exception]]] = {
    "fault": (lambda reply: replace(reply, status=500), BadReplyError),
    "redirect": (lambda reply: replace(reply, status=302), BadReplyError),
    "another type": (
        lambda reply: replace(reply, headers={"content-type": "text/html"}),
        BadReplyError,
    ),
    "another encoding": (
        lambda reply: replace(reply, headers={**reply.headers, "content-encoding": "br"}),
        BadReplyError,
    ),
    "packed but not said": (
        lambda reply: replace(reply, headers={"content-type": MEDIA_TYPE}),
        BadPageError,
    ),
    "nothing": (lambda reply: replace(reply, body=b""), BadBodyError),
    "twice": (lambda reply: replace(reply, body=reply.body * 2), BadBodyError),
    "cut short": (lambda reply: replace(reply, body=reply.body[:-1]), BadBodyError),
    "bomb": (lambda reply: replace(reply, body=BOMB), BadBodyError),
}


@pytest.mark.parametrize("name", LIES)
def test_an_answer_that_is_no_page_is_refused(name: str) -> None:
    lie, error = LIES[name]
    france, belgium = SimulatedPeer(FR, lie=lie), Receiver(BE)
    france.offer(sealed())
    with pytest.raises(error):
        belgium.pull(france)
    assert belgium.bookmarks == {}


def test_a_page_also_travels_unpacked() -> None:
    def plain(reply: Reply) -> Reply:
        body = b"".join(unpack([reply.body], cap=1 << 26))
        return replace(reply, headers={"content-type": MEDIA_TYPE}, body=body)

    france, belgium = SimulatedPeer(FR, lie=plain), Receiver(BE)
    france.offer(sealed())
    assert isinstance(belgium.pull(france)[0], Admitted)


def test_a_package_fetched_apart_is_judged_like_any_other() -> None:
    france, belgium = SimulatedPeer(FR), Receiver(BE)
    france.offer(sealed(of=records(attributes=9000)))

    def lie(reply: Reply) -> Reply:
        if reply.headers["content-type"] == sync.PACKAGE_TYPE:
            body = b"".join(pack([write_package(sealed(event=OTHER_EVENT))]))
            return replace(reply, headers={**reply.headers, "content-encoding": "zstd"}, body=body)
        return reply

    france.lie = lie
    (outcome,) = belgium.pull(france)
    assert isinstance(outcome, Quarantined)


@pytest.mark.parametrize(
    ("status", "headers", "seconds"),
    [
        (429, {"retry-after": "7"}, 7.0),
        (503, {}, None),
        (503, {"retry-after": "soon"}, None),
        (503, {"retry-after": "9" * 400}, None),
        (503, {"retry-after": "-5"}, None),
    ],
)
def test_a_busy_peer_is_asked_again_later(
    status: int, headers: dict[str, str], seconds: float | None
) -> None:
    france, belgium = SimulatedPeer(FR), Receiver(BE)
    question = belgium.question(france)
    busy = Reply(status, headers, b"")
    assert sync.page(busy, question, registry=REGISTRY, now=NOW) == sync.Busy(seconds)


# ── Lives of a feed ──────────────────────────────────────────────────────────────────────────────


def test_a_new_life_of_the_feed_is_read_from_its_start_without_storing_twice() -> None:
    france, belgium = SimulatedPeer(FR), Receiver(BE)
    france.offer(sealed())
    belgium.pull(france)
    france.restore("f" * 32)
    (outcome,) = belgium.pull(france)
    assert isinstance(outcome, NoOp)
    assert belgium.bookmarks[FR].incarnation == "f" * 32


def test_a_changed_life_is_told_only_to_who_has_read_before() -> None:
    belgium = Receiver(BE)
    question = belgium.question(SimulatedPeer(FR))
    with pytest.raises(BadReplyError):
        sync.page(Reply(409, {}, b""), question, registry=REGISTRY, now=NOW)
    later = replace(question, bookmark=Bookmark("f" * 32, 1, "cursor"))
    assert sync.page(Reply(409, {}, b""), later, registry=REGISTRY, now=NOW) == IncarnationChanged()


# ── Two sources ──────────────────────────────────────────────────────────────────────────────────


def test_old_version_from_a_slower_source_never_revives_a_voided_slot() -> None:
    """Whichever way round they come, and whoever is the slower one."""
    old = sealed()
    new = next_version(old, void=(3,), attributes=(8,))
    dead = old.records[3].slots[0]
    for first, second in ((FR, HUB), (HUB, FR)):
        for versions in ((old, new), (new, old)):
            receiver = Receiver(BE)
            for org, version in zip((first, second), versions, strict=True):
                peer = SimulatedPeer(org)
                peer.offer(version)
                assert isinstance(receiver.pull(peer)[0], Admitted)
            assert dead not in receiver.values(LOG)
            assert new.records[5].slots[0] in receiver.values(LOG)


def test_a_withdrawal_ends_one_source_and_a_recall_all() -> None:
    france, hub, belgium, holding = SimulatedPeer(FR), SimulatedPeer(HUB), Receiver(BE), sealed()
    for peer in (france, hub):
        peer.offer(holding)
        belgium.pull(peer)
    hub.withdraw(holding)
    belgium.pull(hub)
    assert set(belgium.holdings[LOG]) == {FR}
    hub.recall(holding, recalled(holding))
    belgium.pull(hub)
    assert belgium.holdings[LOG] == {}
    france.offer(next_version(holding, attributes=(9,)))
    assert isinstance(belgium.pull(france)[0], NoOp)
    assert belgium.holdings[LOG] == {}


def test_a_peer_recalls_nobody_elses_log() -> None:
    france, germany, belgium, holding = SimulatedPeer(FR), SimulatedPeer(DE), Receiver(BE), sealed()
    france.offer(holding)
    belgium.pull(france)
    forged = make_recall(Recall(EVENT, DE, 0, 1, "error", NOW), [signer(DE, "seal")])
    germany.recall(holding, forged)
    assert isinstance(belgium.pull(germany)[0], Quarantined)
    assert belgium.holdings[LOG][FR].records == holding.records


def test_amber_reaches_only_whom_it_names_and_never_by_a_relay() -> None:
    holding = sealed(of=records(label=Label(Tlp.AMBER), to=(BE,)))
    for org, source, taken in ((BE, FR, True), (DE, FR, False), (BE, HUB, False), (DE, HUB, False)):
        peer = SimulatedPeer(source)
        peer.offer(holding)
        assert isinstance(Receiver(org).pull(peer)[0], Admitted) == taken


# ── Until quiet ──────────────────────────────────────────────────────────────────────────────────

steps = st.lists(
    st.tuples(
        st.sampled_from(
            ["put", "edit", "narrow", "withdraw", "recall", "pull", "restore", "forget"]
        ),
        st.sampled_from(EVENTS),
        st.integers(1, 3),
    ),
    max_size=25,
)


class Scenario:
    """What FR says over time, and what BE should hold of it in the end."""

    def __init__(self) -> None:
        self.france, self.belgium = SimulatedPeer(FR), Receiver(BE)
        self.newest: dict[str, Holding] = {}
        self.wanted: dict[str, Holding] = {}
        self.lives = 0

    def step(self, what: str, event: str, limit: int) -> None:
        held = self.newest.get(event)
        match what, held:
            case "put", None:
                self.say(event, sealed(event=event))
            case "edit", Holding():
                last = max(held.records)
                self.say(event, next_version(held, void=(last,), attributes=(last + 10,)))
            case "narrow", Holding():
                self.say(
                    event,
                    held,
                    held.narrowed({index: held.masks[index] for index in list(held.masks)[:2]}),
                )
            case "withdraw", Holding():
                self.france.withdraw(held)
                self.wanted.pop(event, None)
            case "recall", Holding():
                self.france.recall(held, recalled(held))
                self.wanted.pop(event, None)
                self.newest[event] = sealed(event=event, epoch=held.statement.epoch + 1)
            case "pull", _:
                self.belgium.pull(self.france, limit=limit)
            case "restore", _:
                self.lives += 1
                self.france.restore(f"{self.lives:032x}")
            case "forget", _:
                self.belgium.bookmarks.clear()
            case _:
                pass

    def say(self, event: str, newest: Holding, shown: Holding | None = None) -> None:
        self.newest[event], self.wanted[event] = newest, shown or newest
        self.france.offer(self.wanted[event])


@given(steps)
def test_two_nodes_that_exchange_until_quiet_agree(story: list[tuple[str, str, int]]) -> None:
    scenario = Scenario()
    for what, event, limit in story:
        scenario.step(what, event, limit)
    outcomes = scenario.belgium.pull_all(scenario.france, limit=2)
    assert not any(isinstance(one, Quarantined) for one in outcomes)
    held = {log[1]: by[FR].digest for log, by in scenario.belgium.holdings.items() if by}
    assert held == {event: holding.digest for event, holding in scenario.wanted.items()}


@given(steps)
def test_reading_everything_again_changes_nothing(story: list[tuple[str, str, int]]) -> None:
    scenario = Scenario()
    for what, event, limit in story:
        scenario.step(what, event, limit)
    belgium = scenario.belgium
    belgium.pull_all(scenario.france)
    before = {
        log: {src: one.digest for src, one in by.items()} for log, by in belgium.holdings.items()
    }
    belgium.bookmarks.clear()
    assert all(isinstance(one, NoOp) for one in belgium.pull_all(scenario.france))
    assert {
        log: {src: one.digest for src, one in by.items()} for log, by in belgium.holdings.items()
    } == before

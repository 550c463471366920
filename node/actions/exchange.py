"""Pulls peers' feeds: ask, believe or refuse the page, store it, ask on from where it ends.

Nothing is open while the network is in use. Our place moves in the unit that stores what a page
brought, and is told to the peer with the next question; so a crash anywhere loses nothing, and
what comes twice changes nothing. A peer that fails is asked again, later and later, never given up.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

import structlog

from federation import sync
from federation.auth import NONCE_BYTES, write_nonce
from federation.backoff import wait_s
from federation.call import Bookmark
from federation.cursor import IncarnationChanged
from federation.errors import (
    BadBodyError,
    BadPageError,
    BadReplyError,
    NotAllowedHostError,
    TransportError,
)
from federation.opening import Item, OpenedPage
from federation.peer import Peer
from federation.transfer import OutboxSet
from federation.wire import ItemLine
from node.actions.admit import batches, drop_unlisted, store_items
from node.actions.basis import first_wants
from node.actions.carrier import Carrier
from node.actions.counts import Counts
from node.actions.errors import ConflictError
from node.actions.heads import ask_heads
from node.actions.lanes import Begin, one_by_one
from node.actions.quota import OverQuotaError
from node.actions.repair_due import NEW_LIFE, heed_set, make_due
from node.actions.restore import note_read
from node.node import Node
from node.storage.feed import find_seen
from node.storage.peers import (
    PeerRow,
    Said,
    add_peer,
    begin_anew,
    find_peer,
    list_peers,
    note_failure,
    note_success,
)
from node.storage.restores import awaited
from sharing.errors import ForeignFault

PAGES = 200  # at most, in one pull; the next one goes on
LONGEST = timedelta(seconds=60)  # one pull; others wait for its lane
WORKERS = 8  # a page of each at most in memory
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class PullResult:
    """What a pull brought; `more` says that the peer has more for us now, `error` what went wrong.

    What came before an error is stored.
    """

    items: int
    admitted: int
    quarantined: int
    more: bool
    error: str | None


def pull(node: Node, peer: Peer, transport: Carrier) -> PullResult:
    """Read the peer's feed on to its end, store what it brings, and note how it went."""
    run = _Pull(node, peer, transport)
    error: str | None = None
    try:
        run.to_end()
    except (TransportError, ForeignFault, ConflictError, OverQuotaError) as fault:
        error = f"{fault}. {_next_step(fault)}"
    _note(node, peer, error, run)
    counts = run.counts
    return PullResult(counts.items, counts.admitted, counts.quarantined, run.more, error)


def pull_due(node: Node, transport: Carrier, begin: Begin = one_by_one) -> int:
    """Begin to pull from every peer whose turn has come; gives how many."""
    now = node.wall()
    with node.store.read() as unit:
        rows = {row.org: row for row in list_peers(unit.connection)}
    due = [peer for peer in node.peers if _is_due(rows.get(peer.org), now)]
    return begin({peer.org: partial(pull, node, peer, transport) for peer in due})


def _is_due(row: PeerRow | None, now: datetime) -> bool:
    return row is None or row.next_try_at is None or row.next_try_at <= now


class _Pull:
    """One pull, as far as it has come."""

    def __init__(self, node: Node, peer: Peer, transport: Carrier) -> None:
        self._node, self._peer, self._transport = node, peer, transport
        self._from_start = False
        self._asked_from: Bookmark | None = None
        self._is_busy = False
        self.counts = Counts()
        self.more = True
        self.retry_after_s: float | None = None
        self.said: Said | None = None  # with the last page that was believed
        self.whole: OutboxSet | None = None  # what all of its feed adds up to, once it is read
        self.is_awaited = False  # since a restore

    @property
    def is_done(self) -> bool:
        """Whether the feed was read to its end."""
        return not self.more and not self._is_busy

    def to_end(self) -> None:
        """Page after page, until the peer has no more for us now, or others are to have a turn."""
        until = self._node.wall() + LONGEST
        for _ in range(PAGES):
            match self._ask():
                case OpenedPage() as page:
                    self._take(page)
                case IncarnationChanged():
                    with self._node.store.write() as unit:
                        begin_anew(unit.connection, self._peer.org)
                        make_due(self._node, unit, [self._peer.org], NEW_LIFE)
                case sync.Busy() as busy:
                    self._wait(busy)
            if not self.more or self._node.wall() > until:
                return

    def _ask(self) -> OpenedPage | IncarnationChanged | sync.Busy:
        node, bookmark = self._node, self._bookmark()
        self._asked_from = bookmark
        self._from_start |= bookmark is None
        question = sync.ask(
            self._peer,
            me=node.org,
            bookmark=bookmark,
            nonce=_nonce(node),
            signer=node.transport_signer,
            now=node.wall(),
        )
        reply = self._transport.send(question.call, self._peer)
        return sync.page(reply, question, registry=node.registry, now=node.wall())

    def _bookmark(self) -> Bookmark | None:
        """Our place, after the peer has told how far it knows our logs if that is awaited."""
        with self._node.store.read() as unit:
            row = find_peer(unit.connection, self._peer.org)
            has_told = awaited(unit.connection).get(self._peer.org)
        self.is_awaited = has_told is not None
        if has_told is False:
            ask_heads(self._node, self._peer, self._transport)
        if row is None:
            with self._node.store.write() as unit:
                add_peer(unit.connection, self._peer.org, wants=first_wants(self._node))
            return None
        return row.bookmark

    def _take(self, page: OpenedPage) -> None:
        """Store what the page brought, batch by batch, and with the last one where it ends."""
        self.more, header = page.more, page.header
        skew_ms = round((page.transfer.at - self._node.wall()) / timedelta(milliseconds=1))
        self.said = Said(header.rulebook_version, header.rulebook_digest, skew_ms)
        held_back: tuple[Item, ...] = ()
        for batch in batches(self._brought(page.items)):
            if held_back:
                self._store(held_back, None)
            held_back = batch
        bookmark = None if self._is_busy else page.bookmark
        if held_back or bookmark != self._asked_from:
            self._store(held_back, bookmark)
        told = page.transfer
        is_whole = not self._is_busy and told.upto == told.head
        if is_whole and self._from_start and not self.counts.left:  # what was left is listed
            drop_unlisted(self._node, self._peer, told.incarnation)
        if is_whole:
            self.whole = told.outbox

    def _store(self, items: tuple[Item, ...], bookmark: Bookmark | None) -> None:
        """Store items, and once more with their packages those whose deltas lead nowhere here."""
        counts = store_items(self._node, self._peer, items, bookmark)
        self.counts += replace(counts, whole=())
        if counts.whole:
            brought = tuple(self._brought(counts.whole))
            self._store(brought, None if self._is_busy else bookmark)

    def _brought(self, items: Iterable[Item]) -> Iterator[Item]:
        """The items with the packages that are fetched apart; ends early where the peer is busy."""
        for item in items:
            if not (isinstance(item.line, ItemLine) and item.fetched_apart and self._is_news(item)):
                yield item
                continue
            call = sync.ask_package(
                self._peer,
                item.line,
                nonce=_nonce(self._node),
                signer=self._node.transport_signer,
                now=self._node.wall(),
            )
            reply = self._transport.send(call, self._peer)
            try:
                brought = sync.package(reply, item)
            except BadBodyError:
                brought = item  # without its bytes, so it is refused by number and the rest flows
            match brought:
                case Item():
                    yield brought
                case sync.Gone():
                    continue
                case sync.Busy():
                    self._wait(brought)
                    return

    def _is_news(self, item: Item) -> bool:
        line = item.line
        with self._node.store.read() as unit:
            seen = find_seen(unit.connection, self._peer.org, line.origin, line.event)
        if seen is None:
            return True
        is_told = seen.incarnation == item.incarnation and line.pos <= seen.pos
        is_held = isinstance(line, ItemLine) and line.digest == seen.digest
        return not is_told and not is_held

    def _wait(self, busy: sync.Busy) -> None:
        self.more, self._is_busy, self.retry_after_s = False, True, busy.retry_after_s or 1.0


def _nonce(node: Node) -> str:
    return write_nonce(node.rng(NONCE_BYTES))


def _note(node: Node, peer: Peer, error: str | None, run: _Pull) -> None:
    """Keep how it went, when to ask again, and under which rules the peer decides."""
    now, retry_after_s = node.wall(), run.retry_after_s
    with node.store.write() as unit:
        conn = unit.connection
        if run.whole is not None:
            heed_set(node, unit, peer.org, run.whole)
        if error is None:
            wait = node.settings.pull_interval_s if retry_after_s is None else retry_after_s
            if run.more and run.counts.admitted:
                wait = 0  # it goes on after those whose turn it is now
            again_at = now + timedelta(seconds=wait)
            note_success(conn, peer.org, run.said, at=now, next_try_at=again_at)
            if run.is_awaited and run.is_done:
                note_read(unit, peer.org)
            return
        row = find_peer(conn, peer.org)
        failures = 1 if row is None else row.failures + 1
        chance = int.from_bytes(node.rng(8)) / 2**64
        again_at = now + timedelta(seconds=wait_s(failures, chance, retry_after_s))
        note_failure(
            conn,
            peer.org,
            run.said,
            failures=failures,
            error=error,
            at=now,
            next_try_at=again_at,
        )
    _log.warning("pull failed", peer=peer.org, why=error, failures=failures)


def _next_step(fault: Exception) -> str:
    """What happens now, and what a person can do."""
    match fault:
        case NotAllowedHostError():
            return "Add it to allow_hosts in node.toml if it is meant to be reached, and restart."
        case OverQuotaError():
            return "The rest comes tomorrow; raise peer_day_mib in node.toml if so much is meant."
        case TransportError():
            return "Asked again by itself; check the network and the peer's address in the roster."
        case BadReplyError():
            return "Asked again by itself; compare both rosters (keys, addresses) and both clocks."
        case BadPageError():
            return "Nothing of the page was used; tell the peer's operator if this stays."
        case _:
            return "Asked again by itself; tell the peer's operator if this stays."

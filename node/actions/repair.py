"""Repair: brings what we hold from a source back to what its feed holds out to us, both ways.

    1  read the feed to its end                       nothing is compared while it moves
    2  compare the names of what we were told         `federation.repair`, a few questions
    3  ask for what is missing, and for what is held here and named there no more or in another way
    4  each item passes all checks; what the source has no item of is dropped, as by a WITHDRAW

Serving is the other half: a source answers about its outbox for the asker and nothing else. One
that finds its own rows not adding up (a damaged database) projects all anew before it answers.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from typing import TypeVar

import structlog

from federation import sync
from federation.auth import NONCE_BYTES, write_nonce
from federation.backoff import wait_s
from federation.call import Bookmark, Call, Reply
from federation.errors import TransportError
from federation.opening import Item, OpenedPage
from federation.peer import Peer
from federation.push import Expected
from federation.repair import Difference, StretchAsk, answer_asks, reconcile
from federation.repair_lines import (
    ANSWER_CAP,
    REPAIR_TYPE,
    Place,
    Wanted,
    ask_items,
    ask_stretches,
    open_answers,
    write_answers,
)
from federation.told import Fingerprint
from federation.wire import ITEMS_CAP, ItemLine, Op
from node.actions.admit import batches, drop, store_items
from node.actions.carrier import Carrier
from node.actions.counts import Counts
from node.actions.errors import ConflictError, RestoringError
from node.actions.exchange import pull
from node.actions.lanes import Begin, one_by_one
from node.actions.quota import OverQuotaError
from node.actions.repair_due import DAILY, due_peers, next_day
from node.actions.serve import NotYet, feed_for
from node.node import Node
from node.storage import audit
from node.storage.dirt import LogKey
from node.storage.feed import SeenRow, find_seen, mark_all_dirty
from node.storage.logs import find_holding
from node.storage.peers import find_peer
from node.storage.repair import (
    RepairRow,
    Side,
    ToldNames,
    count_drift,
    find_repair,
    find_set,
    logs_named,
    one_sided,
    put_repair,
    shift_set,
)
from node.storage.restores import is_awaited
from sharing.errors import ForeignFault

_TRIES = 4  # while the feed moves, or more differs than one run brings home
_AT_ONCE = 500
_SAME = Fingerprint()
_log = structlog.get_logger(__name__)

W = TypeVar("W", bytes, Wanted)


# What we ask


@dataclass(frozen=True, slots=True)
class RepairResult:
    """What a repair did: how many items were missing here, or held and not named there any more.

    `error` says why it did not come to its end; what came before is stored.
    """

    rounds: int
    missing: int
    extra: int
    brought: int
    dropped: int
    error: str | None


def repair_due(node: Node, transport: Carrier, begin: Begin = one_by_one) -> int:
    """Begin to repair from each source whose turn has come; gives how many."""
    due = due_peers(node)
    return begin({peer.org: partial(repair, node, peer, transport) for peer in due})


def repair(node: Node, peer: Peer, transport: Carrier) -> RepairResult:
    """Compare the source's feed with what we hold of it, mend what differs, note how it went."""
    run = _Repair(node, peer, transport)
    error: str | None = None
    try:
        run.to_end()
    except (TransportError, ForeignFault, ConflictError, OverQuotaError) as fault:
        error = str(fault)
    _note(node, peer, error, run)
    counts = run.counts
    return RepairResult(run.rounds, run.missing, run.extra, counts.admitted, run.dropped, error)


@dataclass(slots=True)
class _Repair:
    """One repair, as far as it has come."""

    node: Node
    peer: Peer
    transport: Carrier
    rounds: int = 0
    missing: int = 0
    extra: int = 0
    dropped: int = 0
    counts: Counts = field(default_factory=Counts)
    theirs: Fingerprint = _SAME  # all that the source named in the end

    def to_end(self) -> None:
        """Compare and mend until one comparison covers all of the feed as we have read it."""
        self._count_anew()
        for _ in range(_TRIES):
            pulled = pull(self.node, self.peer, self.transport)
            if pulled.error is not None:
                raise TransportError(pulled.error)
            bookmark = self._bookmark()
            found = self._compare(bookmark)
            if found is None:
                continue
            self._mend(found, bookmark)
            if found.complete:
                self.theirs = found.theirs
                return
        raise TransportError("its feed moves too fast, or differs too much, for one repair")

    def _count_anew(self) -> None:
        """Let the sum of what it told us be that of the rows, whatever was lost from them."""
        with self.node.store.read() as unit:
            drift = count_drift(unit.connection, self.peer.org, Side.ITS)
        if drift != _SAME:
            _log.error("what a source told us was lost", source=self.peer.org, logs=drift.n)
            with self.node.store.write() as unit:
                shift_set(unit.connection, self.peer.org, Side.ITS, drift)

    def _bookmark(self) -> Bookmark:
        with self.node.store.read() as unit:
            row = find_peer(unit.connection, self.peer.org)
        if row is None or row.bookmark is None:
            raise TransportError("its feed could not be read yet")
        return row.bookmark

    def _compare(self, bookmark: Bookmark) -> Difference | None:
        """What differs at the place we have read to; None: the feed has moved on."""
        steps = reconcile(_TheirWord(self.node, self.peer.org))
        asks = next(steps)
        while True:
            self.rounds += 1
            nonce = self._nonce()
            call = ask_stretches(
                self.peer,
                asks,
                nonce=nonce,
                signer=self.node.transport_signer,
                now=self.node.wall(),
            )
            opened = open_answers(
                b"".join(sync.body(self._sent(call), REPAIR_TYPE, ANSWER_CAP)),
                source=self.peer.org,
                me=self.node.org,
                nonce=nonce,
                registry=self.node.registry,
                now=self.node.wall(),
            )
            if opened.place != Place(bookmark.incarnation, bookmark.pos):
                return None
            try:
                asks = steps.send(opened.answers)
            except StopIteration as end:
                found: Difference = end.value
                return found

    def _mend(self, found: Difference, bookmark: Bookmark) -> None:
        """Ask for what differs, store it, and drop what the source has no item of."""
        self.missing += len(found.missing)
        self.extra += len(found.extra)
        with self.node.store.read() as unit:
            conn = unit.connection
            extra = [
                key
                for some in _in_pieces(sorted(found.extra))
                for key in logs_named(conn, self.peer.org, some).values()
            ]
            doubtful = [*extra, *one_sided(conn, self.peer.org, _AT_ONCE)]
        stated = set[LogKey]()
        wanted: list[Wanted] = [*sorted(found.missing), *dict.fromkeys(doubtful)]
        for piece in _in_pieces(wanted):
            for page in self._pages(piece, bookmark):
                stated |= self._store(page)
        for key in dict.fromkeys(doubtful):
            if key not in stated:
                self._drop(key, bookmark, found.extra)

    def _pages(self, wanted: Sequence[Wanted], bookmark: Bookmark) -> Iterator[OpenedPage]:
        """Pages of the items; where one page is too short for them, of each half."""
        nonce = self._nonce()
        call = ask_items(
            self.peer,
            wanted,
            nonce=nonce,
            signer=self.node.transport_signer,
            now=self.node.wall(),
        )
        expected = Expected(self.peer.org, self.node.org, nonce, bookmark, limit=ITEMS_CAP)
        page = sync.named_page(
            self._sent(call), expected, registry=self.node.registry, now=self.node.wall()
        )
        if not page.more or len(wanted) == 1:
            yield page
            return
        half = len(wanted) // 2
        yield from self._pages(wanted[:half], bookmark)
        yield from self._pages(wanted[half:], bookmark)

    def _store(self, page: OpenedPage) -> set[LogKey]:
        """Store the items; gives the logs of which the source holds something out."""
        for batch in batches(self._brought(page.items)):
            self.counts += replace(
                store_items(self.node, self.peer, batch, None, anew=True), whole=()
            )
        return {
            (item.line.origin, item.line.event)
            for item in page.items
            if getattr(item.line, "op", Op.PUT) is Op.PUT  # a line we cannot read takes nothing
        }

    def _brought(self, items: Iterable[Item]) -> Iterator[Item]:
        """The items with the packages that are too long for the page."""
        for item in items:
            line = item.line
            if not (isinstance(line, ItemLine) and item.fetched_apart):
                yield item
                continue
            call = sync.ask_package(
                self.peer,
                line,
                nonce=self._nonce(),
                signer=self.node.transport_signer,
                now=self.node.wall(),
            )
            brought = sync.package(self._sent(call), item)
            if isinstance(brought, Item):
                yield brought

    def _drop(self, key: LogKey, bookmark: Bookmark, extra: Collection[bytes]) -> None:
        with self.node.store.read() as unit:
            seen = find_seen(unit.connection, self.peer.org, *key)
            held = find_holding(unit.connection, *key, self.peer.org)
        is_named = seen is not None and (seen.digest is not None or seen.told in extra)
        if held is None and not is_named:
            return
        last = seen or SeenRow(self.peer.org, *key, bookmark.incarnation, 0, 0, 0, None)
        told = None if last.told in extra else last.told
        drop(self.node, replace(last, digest=None, told=told))
        self.dropped += 1

    def _sent(self, call: Call) -> Reply:
        """The answer; TransportError where the source is not ready."""
        reply = self.transport.send(call, self.peer)
        if reply.status in (429, 503):
            raise TransportError("the peer is not ready to be compared with yet")
        return reply

    def _nonce(self) -> str:
        return write_nonce(self.node.rng(NONCE_BYTES))


@dataclass(frozen=True, slots=True)
class _TheirWord:
    """The names of what a source told us; no unit stays open between two questions."""

    node: Node
    source: str

    def split(self, stretch: str) -> Sequence[Fingerprint]:
        with self.node.store.read() as unit:
            return ToldNames(unit.connection, self.source, Side.ITS).split(stretch)

    def listed(self, stretch: str, limit: int) -> Sequence[bytes]:
        with self.node.store.read() as unit:
            return ToldNames(unit.connection, self.source, Side.ITS).listed(stretch, limit)


def _in_pieces(wanted: Sequence[W]) -> Iterator[Sequence[W]]:
    for start in range(0, len(wanted), ITEMS_CAP):
        yield wanted[start : start + ITEMS_CAP]


def _note(node: Node, peer: Peer, error: str | None, run: _Repair) -> None:
    """Keep how it went, and when the next one begins."""
    now = node.wall()
    with node.store.write() as unit:
        conn = unit.connection
        before = find_repair(conn, peer.org) or RepairRow(peer.org, now, DAILY)
        if error is not None:
            failures = before.failures + 1
            chance = int.from_bytes(node.rng(8)) / 2**64
            again_at = now + timedelta(seconds=wait_s(failures, chance, None))
            put_repair(conn, replace(before, next_at=again_at, failures=failures, error=error))
            _log.warning("repair failed", source=peer.org, why=error, failures=failures)
            return
        left = run.theirs - find_set(conn, peer.org, Side.ITS)
        done = RepairRow(
            org=peer.org,
            next_at=next_day(node),
            why=DAILY,
            done_at=now,
            rounds=run.rounds,
            brought=run.counts.admitted,
            dropped=run.dropped,
            left_n=left.n,
            left_sum=left.hex,
        )
        put_repair(conn, done)
        if run.counts.admitted or run.dropped:
            detail = {"brought": run.counts.admitted, "dropped": run.dropped}
            audit.append(conn, node.clock(), peer.org, "feed.repaired", detail=detail)


# What we answer


def serve_stretches(
    node: Node, peer: str, asks: Sequence[StretchAsk], nonce: str
) -> bytes | NotYet:
    """Answers about these stretches of the peer's own outbox, signed for it and this nonce.

    Raises:
        RestoringError: a restore is under way.
    """
    node = node.pinned()
    with node.store.read() as unit:
        conn, feed = unit.connection, feed_for(node, unit, peer)
        if is_awaited(conn, node.org):
            raise RestoringError
        row = find_peer(conn, peer)
        answers = tuple(answer_asks(asks, ToldNames(conn, peer, Side.OURS)))
        kept = find_set(conn, peer, Side.OURS)
    if asks[0].stretch == "" and (drift := answers[0].fingerprint - kept) != _SAME:
        _log.error("a peer's outbox does not add up: all is projected anew", peer=peer)
        with node.store.write() as unit:
            mark_all_dirty(unit.connection)
            shift_set(unit.connection, peer, Side.OURS, drift)
        return NotYet()
    pos = 0 if row is None else row.head_pos
    return write_answers(feed, answers, pos=pos, nonce=nonce, now=node.wall())

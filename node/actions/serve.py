"""Serves a peer its feed: one page, signed for it, of what may leave at this moment.

The cursor a peer asks with confirms everything before it. A page holds nothing that was decided
under old facts (D22): it ends before a row whose log is dirty, and is made again if a log in it
changed while it was made. A stored package that cannot be encoded is put before the operator (in
quarantine, from ourselves) and left out; the rest goes on.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import structlog

from federation.auth import Requester
from federation.cursor import IncarnationChanged
from federation.feed import (
    DeltaLoad,
    Feed,
    FeedQuery,
    Load,
    OutboxRow,
    Plan,
    Question,
    plan_page,
    write_page,
)
from federation.push import write_push
from federation.repair_lines import Wanted
from federation.transfer import OutboxSet
from federation.wire import ERASE_CAP, INLINE_CAP, ItemLine, Op
from node.actions.basis import first_wants
from node.actions.errors import RestoringError
from node.actions.ledger import Offered, item_lines, note_given, unrecorded
from node.actions.roster import held_version
from node.actions.stored import OWN_STORE, open_holding
from node.node import Node
from node.storage.errors import StoredPackageError
from node.storage.feed import (
    FeedRow,
    OfferRow,
    clean_places,
    row_by_digest,
    rows_after,
    rows_wanted,
)
from node.storage.ledger import Acknowledgement, RecordRow, add_acknowledgement, last_given
from node.storage.logs import find_holding, find_log
from node.storage.nonces import spend_nonce
from node.storage.peers import add_peer, find_peer, lock_peers, note_ask
from node.storage.quarantine import QuarantineRow, add_quarantine
from node.storage.repair import Side, find_set
from node.storage.restores import is_awaited
from node.storage.store import Unit
from sharing.errors import SharingError
from sharing.seal.delta import Base, write_delta
from sharing.seal.holding import Holding
from sharing.seal.package import decode_map, projection_digest, write_package
from sharing.seal.tables import decode_void

_TRIES = 4
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class NotYet:
    """The package is in this peer's feed, but its log is being decided anew: ask again soon."""


@dataclass(frozen=True, slots=True)
class _Broken:
    """A row whose package cannot be made."""

    row: OfferRow
    reason: str


def spend(node: Node, asker: Requester) -> bool:
    """Spend the nonce of a request whose signature was checked; False: it was spent before."""
    with node.store.write() as unit:
        return spend_nonce(
            unit.connection, asker.kid, asker.nonce, now=node.wall(), until=asker.expires_at
        )


def serve_feed(
    node: Node, peer: str, query: FeedQuery, nonce: str, request: bytes | None = None
) -> bytes | IncarnationChanged:
    """The page after the peer's cursor, signed for it and this nonce.

    What is on it enters the ledger before it goes; `request`, the signed words of who asks, is kept
    as his acknowledgement of what came before.

    Raises:
        BadCursorError: the cursor is not this peer's.
        RolledBackError: the peer has read further than our feed goes.
        RestoringError: a restore is under way.
    """
    feed = feed_for(node.pinned(), peer)
    place = _heed(node, feed, query, request)
    if isinstance(place, IncarnationChanged):
        return place
    return _page(node, feed, place, query.cursor, nonce, query.limit)


def heed_ask(
    node: Node, peer: str, query: FeedQuery, request: bytes | None
) -> int | IncarnationChanged:
    """Take what the peer's cursor confirms; gives the place it asks from, no page yet.

    Raises what `serve_feed` does.
    """
    return _heed(node, feed_for(node.pinned(), peer), query, request)


def _heed(
    node: Node, feed: Feed, query: FeedQuery, request: bytes | None
) -> int | IncarnationChanged:
    with node.store.write() as unit:
        conn, peer = unit.connection, feed.peer
        if is_awaited(conn, node.org):
            raise RestoringError
        add_peer(conn, peer, wants=first_wants(node))
        row = lock_peers(conn, [peer])[peer]
        place = feed.place_of(query, row.head_pos)
        if isinstance(place, IncarnationChanged):
            return place
        if note_ask(conn, row, pos=place, wants=query.wants.value, at=node.wall()):
            add_acknowledgement(
                conn, Acknowledgement(peer, feed.incarnation, place, node.clock(), request)
            )
    return place


def has_news(node: Node, peer: str, after: int) -> bool:
    """Whether the row after this place of the peer's feed may leave now."""
    with node.store.read() as unit:
        rows = rows_after(unit.connection, peer, after, 1)
    return any(_may_leave(row, node.judge.rulebook.digest) for row in rows)


def push_page(node: Node, peer: str, pos: int, nonce: str) -> bytes | None:
    """The push of the row at this place of the peer's feed; None: it may not leave now.

    Like a page, it enters the ledger before it goes; unlike one it confirms nothing.
    """
    node = node.pinned()
    feed = feed_for(node, peer)
    with node.store.read() as unit:
        shelf = _Shelf(node, unit, feed, after=0, known_broken={})  # so never a delta
        is_locked = is_awaited(unit.connection, node.org)
        rows = [] if is_locked else [row for row in shelf.rows(pos - 1, 1) if row.line.pos == pos]
        plan = plan_page(rows, after=pos - 1, rulebook=feed.rulebook_digest, limit=1)
        if not plan.rows:
            return None
        (line,) = plan.rows
        load = shelf.load_of(line) if line.op is Op.PUT else b""
        package = load if isinstance(load, bytes) else b""
        parts = write_push(feed, line, package, nonce=nonce, head=shelf.head, now=node.wall())
    _report(node, list(shelf.found_broken.values()))
    if shelf.found_broken or not _is_current(node, peer, pos - 1, plan):
        return None
    note_given(node, feed.incarnation, shelf.given(plan), shelf.records, lines=item_lines(parts))
    return b"".join(parts)


def items_page(node: Node, peer: str, wanted: Collection[Wanted], nonce: str) -> bytes | NotYet:
    """The rows of the peer's own feed that tell these names or are of these logs, on a page.

    They enter the ledger before they go; the page confirms nothing and moves nobody's place. What
    stands in no row is left out, as are rows that cannot be served.

    Raises:
        RestoringError: a restore is under way.
    """
    node = node.pinned()
    feed, question, broken = feed_for(node, peer), Question(None, None, nonce), dict[int, _Broken]()
    while True:
        with node.store.read() as unit:
            if is_awaited(unit.connection, node.org):
                raise RestoringError
            rows = rows_wanted(unit.connection, peer, wanted)
            if not all(_may_leave(row, feed.rulebook_digest) for row in rows):
                return NotYet()
            shelf = _Shelf(node, unit, feed, 0, broken)  # after nothing: so never a delta
            lines = tuple(row.line for row in shelf.planned(rows))
            plan = Plan(lines, cut=False, held_back=False)
            chunks = list(
                write_page(feed, question, plan, shelf.load_of, head=shelf.head, now=node.wall())
            )
        if not shelf.found_broken:
            break
        broken |= shelf.found_broken
    _report(node, list(broken.values()))
    with node.store.read() as unit:
        if rows_wanted(unit.connection, peer, wanted) != rows:
            return NotYet()
    sent = item_lines(chunks)
    given = shelf.given(plan)[: len(sent)]  # a page may end before its plan
    note_given(node, feed.incarnation, given, shelf.records, lines=sent)
    return b"".join(chunks)


def _may_leave(row: FeedRow, rulebook: str) -> bool:
    return not row.dirty and row.offer.rulebook == rulebook


def serve_package(node: Node, peer: str, digest: str) -> bytes | NotYet | None:
    """The package of a projection that stands in this peer's own feed; None: none such there."""
    with node.store.read() as unit:
        found = row_by_digest(unit.connection, peer, digest)
        if found is None:
            return None
        is_locked = is_awaited(unit.connection, node.org)
        if is_locked or found.dirty or found.offer.rulebook != node.judge.rulebook.digest:
            return NotYet()
        try:
            return write_package(*_projected(unit, found.offer))
        except (StoredPackageError, SharingError, ValueError) as error:
            broken = _Broken(found.offer, str(error))
    _report(node, [broken])
    return None


def feed_for(node: Node, peer: str) -> Feed:
    """The feed that we keep for the peer, as it is signed."""
    return Feed(
        me=node.org,
        peer=peer,
        incarnation=node.keys.incarnation,
        roster=held_version(node),
        rulebook_version=node.judge.rulebook.version,
        rulebook_digest=node.judge.rulebook.digest,
        cursor_key=node.keys.cursor,
        signer=node.transport_signer,
    )


def _page(node: Node, feed: Feed, after: int, cursor: str | None, nonce: str, limit: int) -> bytes:
    """The page; whatever changes under our hands is planned again, at last without any item."""
    question = Question(after, cursor, nonce)
    broken = dict[int, _Broken]()
    left = _TRIES - 1
    while True:
        with node.store.read() as unit:
            shelf = _Shelf(node, unit, feed, after, broken)
            rows = shelf.rows(after, limit + 1)
            plan = plan_page(
                rows if left else (),
                after=after,
                rulebook=feed.rulebook_digest,
                limit=limit,
            )
            chunks = list(
                write_page(
                    feed,
                    question,
                    plan,
                    shelf.load_of,
                    head=shelf.head,
                    now=node.wall(),
                    outbox=shelf.outbox,
                )
            )
        if shelf.found_broken:
            broken |= shelf.found_broken
        elif _is_current(node, feed.peer, after, plan):
            lines = item_lines(chunks)
            given = shelf.given(plan)[: len(lines)]  # a page may end before its plan
            note_given(node, feed.incarnation, given, shelf.records, lines=lines)
            break
        else:
            left -= 1  # never for a broken row: those are found once each, so this ends
    _report(node, list(broken.values()))
    return b"".join(chunks)


def _is_current(node: Node, peer: str, after: int, plan: Plan) -> bool:
    """Whether every row of the plan still stands, and is clean, now that the page is made."""
    if not plan.rows:
        return True
    with node.store.read() as unit:
        clean = clean_places(unit.connection, peer, after, plan.rows[-1].pos)
    return clean.issuperset(line.pos for line in plan.rows)


@dataclass(slots=True)
class _Shelf:
    """The peer's rows and their packages at one instant of the database."""

    node: Node
    unit: Unit
    feed: Feed
    after: int  # what the peer has confirmed
    known_broken: dict[int, _Broken]
    found_broken: dict[int, _Broken] = field(default_factory=dict)
    records: list[RecordRow] = field(default_factory=list)
    _offers: dict[int, OfferRow] = field(default_factory=dict)
    _holdings: dict[int, Holding] = field(default_factory=dict)

    def given(self, plan: Plan) -> list[Offered]:
        """The rows that stand on a page of this plan, and what they are made from."""
        return [(self._offers[line.pos], self._holdings.get(line.pos)) for line in plan.rows]

    @property
    def head(self) -> int:
        """The newest place of the peer's feed."""
        row = find_peer(self.unit.connection, self.feed.peer)
        return 0 if row is None else row.head_pos

    @property
    def outbox(self) -> OutboxSet:
        """What stands in all of the peer's feed."""
        whole = find_set(self.unit.connection, self.feed.peer, Side.OURS)
        return OutboxSet(whole.n, whole.hex)

    def rows(self, after: int, limit: int) -> list[OutboxRow]:
        """The rows after the place that may be planned."""
        return self.planned(rows_after(self.unit.connection, self.feed.peer, after, limit))

    def planned(self, found: Iterable[FeedRow]) -> list[OutboxRow]:
        """These rows as lines, without those of which no line can be made."""
        rows = list[OutboxRow]()
        for waiting in found:
            offer = waiting.offer
            if offer.pos in self.known_broken:
                continue
            line = _line(self.unit, offer)
            try:
                line.write()
            except ValueError as error:
                self.found_broken[offer.pos] = _Broken(offer, str(error))
                continue
            self._offers[offer.pos] = offer
            rows.append(OutboxRow(line, offer.rulebook, waiting.dirty))
        return rows

    def load_of(self, line: ItemLine) -> Load | None:
        """A delta from what the peer has confirmed, or the package; None where neither is made."""
        offer = self._offers[line.pos]
        try:
            holding, masks = _projected(self.unit, offer)
            load = self._delta(offer, holding, masks) or write_package(holding, masks)
        except (StoredPackageError, SharingError, ValueError) as error:
            self.found_broken[line.pos] = _Broken(offer, str(error))
            return None
        self.records += unrecorded(self.node, self.unit, holding, masks)
        self._holdings[line.pos] = holding
        return load

    def _delta(
        self, offer: OfferRow, holding: Holding, masks: Mapping[int, int]
    ) -> DeltaLoad | None:
        given = last_given(
            self.unit.connection,
            self.feed.peer,
            self.feed.incarnation,
            (offer.origin, offer.event),
            self.after,
        )
        if given is None or given.digest is None or given.map is None or given.size is None:
            return None
        void = decode_void(given.void or b"")
        base = Base(given.seal, given.epoch, given.seq, given.size, void, decode_map(given.map))
        step = write_delta(holding, base, masks)
        if step is None or len(step.raw) > INLINE_CAP or len(step.erase) > ERASE_CAP:
            return None
        return DeltaLoad(step.raw, given.digest, step.erase)


def _line(unit: Unit, offer: OfferRow) -> ItemLine:
    op, recall = Op(offer.op), None
    if op is Op.RECALL:
        log = find_log(unit.connection, offer.origin, offer.event)
        recall = None if log is None else log.recall
    return ItemLine(
        pos=offer.pos,
        op=op,
        origin=offer.origin,
        event=offer.event,
        epoch=offer.epoch,
        seq=offer.seq,
        seal=offer.seal,
        digest=offer.digest,
        hops=offer.hops,
        urgent=offer.urgent,
        withheld=offer.withheld,
        recall=recall,
    )


def _projected(unit: Unit, offer: OfferRow) -> tuple[Holding, Mapping[int, int]]:
    """What the row is made from, and what it shows of that; ValueError where it is not there."""
    stored = find_holding(unit.connection, offer.origin, offer.event, offer.src or "")
    if stored is None or offer.map is None:
        raise ValueError("nothing is held of this log from the source that the row names")
    holding = open_holding(stored)
    if projection_digest(holding.payload, offer.map) != offer.digest:
        raise ValueError("what is held is not the version that the row names")
    return holding, decode_map(offer.map)


def _report(node: Node, broken: Sequence[_Broken]) -> None:
    """Put what cannot be served before the operator, once."""
    if not broken:
        return
    with node.store.write() as unit:
        for one in broken:
            row = QuarantineRow(
                src=node.org,
                pos=one.row.pos,
                origin=one.row.origin,
                event=one.row.event,
                check=OWN_STORE,
                reason=f"stored package cannot be served: {one.reason}",
                item_line=b"",
                raw=b"",
                received_at=node.clock(),
            )
            if add_quarantine(unit.connection, row):
                _log.error("cannot serve", log=row.event, why=one.reason)

"""Serves a peer its feed: one page, signed for it, of what may leave at this moment.

The cursor a peer asks with confirms everything before it. A page holds nothing that was decided
under old facts (D22): it ends before a row whose log is dirty, and is made again if a log in it
changed while it was made. A stored package that cannot be encoded is put before the operator (in
quarantine, from ourselves) and left out; the rest goes on.
"""

from collections.abc import Mapping, Sequence
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
from federation.wire import ERASE_CAP, INLINE_CAP, ItemLine, Op
from node.actions.basis import first_wants
from node.actions.ledger import Offered, note_given, unrecorded
from node.actions.stored import OWN_STORE, open_holding
from node.node import Node
from node.storage.errors import StoredPackageError
from node.storage.feed import OfferRow, clean_places, row_by_digest, rows_after
from node.storage.ledger import Receipt, RecordRow, add_receipt, last_given
from node.storage.logs import find_holding, find_log
from node.storage.nonces import spend_nonce
from node.storage.peers import add_peer, find_peer, lock_peers, note_ask
from node.storage.quarantine import QuarantineRow, add_quarantine
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
    as his receipt for what came before.

    Raises:
        BadCursorError: the cursor is not this peer's.
        RolledBackError: the peer has read further than our feed goes.
    """
    feed = _feed(node.pinned(), peer)
    with node.store.write() as unit:
        conn = unit.connection
        add_peer(conn, peer, wants=first_wants(node))
        row = lock_peers(conn, [peer])[peer]
        place = feed.place_of(query, row.head_pos)
        if isinstance(place, IncarnationChanged):
            return place
        if note_ask(conn, row, pos=place, wants=query.wants.value, at=node.wall()):
            add_receipt(conn, Receipt(peer, feed.incarnation, place, node.clock(), request))
    return _page(node, feed, Question(place, query.cursor, nonce), query.limit)


def serve_package(node: Node, peer: str, digest: str) -> bytes | NotYet | None:
    """The package of a projection that stands in this peer's own feed; None: none such there."""
    with node.store.read() as unit:
        found = row_by_digest(unit.connection, peer, digest)
        if found is None:
            return None
        if found.dirty or found.offer.rulebook != node.judge.rulebook.digest:
            return NotYet()
        try:
            return write_package(*_projected(unit, found.offer))
        except (StoredPackageError, SharingError, ValueError) as error:
            broken = _Broken(found.offer, str(error))
    _report(node, [broken])
    return None


def _feed(node: Node, peer: str) -> Feed:
    return Feed(
        me=node.org,
        peer=peer,
        incarnation=node.keys.incarnation,
        roster=0,  # the roster is the operator's file and has no number
        rulebook_version=node.judge.rulebook.version,
        rulebook_digest=node.judge.rulebook.digest,
        cursor_key=node.keys.cursor,
        signer=node.transport_signer,
    )


def _page(node: Node, feed: Feed, question: Question, limit: int) -> bytes:
    """The page; whatever changes under our hands is planned again, at last without any item."""
    broken = dict[int, _Broken]()
    left = _TRIES - 1
    while True:
        with node.store.read() as unit:
            shelf = _Shelf(node, unit, feed, question.after, broken)
            rows = shelf.rows(question.after, limit + 1)
            plan = plan_page(
                rows if left else (),
                after=question.after,
                rulebook=feed.rulebook_digest,
                limit=limit,
            )
            chunks = write_page(
                feed, question, plan, shelf.load_of, head=shelf.head, now=node.wall()
            )
            page = b"".join(chunks)
        if shelf.found_broken:
            broken |= shelf.found_broken
        elif _is_current(node, feed.peer, question.after, plan):
            note_given(node, feed.incarnation, shelf.given(plan), shelf.records)
            break
        else:
            left -= 1  # never for a broken row: those are found once each, so this ends
    _report(node, list(broken.values()))
    return page


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

    def rows(self, after: int, limit: int) -> list[OutboxRow]:
        """The rows after the place that may be planned."""
        rows = list[OutboxRow]()
        for waiting in rows_after(self.unit.connection, self.feed.peer, after, limit):
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

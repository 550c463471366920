"""What stands in a peer's feed, and the packages of it, as they are in one unit of work.

A stored package that cannot be encoded is noted as broken and left out; the rest goes on.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from federation.feed import (
    DeltaLoad,
    Feed,
    Load,
    OutboxRow,
    Plan,
)
from federation.transfer import OutboxSet
from federation.wire import ERASE_CAP, INLINE_CAP, ItemLine, Op
from node.actions.ledger import Offered, unrecorded
from node.actions.stored import open_holding
from node.node import Node
from node.storage.errors import StoredPackageError
from node.storage.feed import (
    FeedRow,
    OfferRow,
    rows_after,
)
from node.storage.ledger import RecordRow, last_given
from node.storage.logs import find_holding, find_log
from node.storage.peers import find_peer
from node.storage.repair import Side, find_set
from node.storage.store import Unit
from sharing.errors import SharingError
from sharing.seal.delta import Base, write_delta
from sharing.seal.holding import Holding
from sharing.seal.package import decode_map, projection_digest, write_package
from sharing.seal.tables import decode_void


@dataclass(frozen=True, slots=True)
class Broken:
    """A row whose package cannot be made."""

    row: OfferRow
    reason: str


@dataclass(slots=True)
class Shelf:
    """The peer's rows and their packages at one instant of the database."""

    node: Node
    unit: Unit
    feed: Feed
    after: int  # what the peer has confirmed
    known_broken: dict[int, Broken]
    found_broken: dict[int, Broken] = field(default_factory=dict)
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
                self.found_broken[offer.pos] = Broken(offer, str(error))
                continue
            self._offers[offer.pos] = offer
            rows.append(OutboxRow(line, offer.rulebook, waiting.dirty))
        return rows

    def load_of(self, line: ItemLine) -> Load | None:
        """A delta from what the peer has confirmed, or the package; None where neither is made."""
        offer = self._offers[line.pos]
        try:
            holding, masks = projected(self.unit, offer)
            load, first = self._delta(offer, holding, masks) or (write_package(holding, masks), 0)
        except (StoredPackageError, SharingError, ValueError) as error:
            self.found_broken[line.pos] = Broken(offer, str(error))
            return None
        new = {at: mask for at, mask in masks.items() if at >= first}
        self.records += unrecorded(self.node, self.unit, holding, new)
        self._holdings[line.pos] = holding
        return load

    def _delta(
        self, offer: OfferRow, holding: Holding, masks: Mapping[int, int]
    ) -> tuple[DeltaLoad, int] | None:
        """A delta from what the peer has confirmed, and the first place that it appends."""
        if not self.after:
            return None
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
        return DeltaLoad(step.raw, given.digest, step.erase), given.size


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


def projected(unit: Unit, offer: OfferRow) -> tuple[Holding, Mapping[int, int]]:
    """What the row is made from, and what it shows of that; ValueError where it is not there."""
    stored = find_holding(unit.connection, offer.origin, offer.event, offer.src or "")
    if stored is None or offer.map is None:
        raise ValueError("nothing is held of this log from the source that the row names")
    holding = open_holding(stored)
    if projection_digest(holding.payload, offer.map) != offer.digest:
        raise ValueError("what is held is not the version that the row names")
    return holding, decode_map(offer.map)


def outbox_of(unit: Unit, peer: str) -> OutboxSet:
    """What stands in all of the peer's feed."""
    whole = find_set(unit.connection, peer, Side.OURS)
    return OutboxSet(whole.n, whole.hex)

"""Brings the peers' feeds up to date with what is dirty, deciding once per log and party class.

A turn looks at marks, projects each log outside any unit of work, then writes what changed for each
peer in one unit: places, wake times, and the marks it clears. A mark that was renewed meanwhile is
left, with its log, for the next turn: nothing decided under old facts is written, and nothing at
all where another rulebook was put in force meanwhile. One projector runs at a time (the leader's).

What a peer holds of a log is (op; for PUT epoch and map). Unchanged means no news and no place
(D20), however many versions have passed; the row is then rewritten where it stands, so that it can
still be served, unless the peer may have read the older bytes and not yet said so.

A log whose stored bytes are damaged is put before the operator and decides nothing: what peers were
offered stands (and cannot be served), save under other rules than were in force then.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from federation.admit import Version, is_ended
from federation.call import Wants
from federation.peer import Peer
from federation.relay import Held, hops_onward, refusal
from federation.told import Fingerprint
from federation.wire import Ground, Op
from node.actions.basis import settle_basis
from node.actions.change import floor_of
from node.actions.notes import follow
from node.actions.sealing import STAYS
from node.actions.stored import damage_row, opened, report_damage
from node.node import Node
from node.storage.dirt import Dirt
from node.storage.errors import StoredPackageError
from node.storage.feed import (
    OfferRow,
    clear_held,
    hold_dirt,
    peek_dirt,
    put_rows,
    refresh_row,
    rows_of_logs,
    set_wakes,
)
from node.storage.logs import HoldingRow, LogRow, best_holding, find_log
from node.storage.notes import told_of
from node.storage.peers import PeerRow, list_peers, lock_peers, set_head
from node.storage.releases import releases_of
from node.storage.repair import Side, shift_set
from node.storage.restores import is_awaited
from node.storage.rulebooks import find_in_force, lock_rules
from node.storage.store import Unit
from sharing.event import Json
from sharing.project import Projector
from sharing.seal.holding import Holding
from sharing.verdicts import Projection, Release, Standing, withheld_grounds

TURN = timedelta(milliseconds=250)  # urgent dirt waits no longer than this for its turn


@dataclass(frozen=True, slots=True)
class _Facts:
    """All that a log's projections depend on, as it was when it was read."""

    mark: Dirt
    log: LogRow | None
    best: HoldingRow | None
    releases: tuple[Release, ...]


@dataclass(frozen=True, slots=True)
class _Projected:
    """What each peer may hold of a log now; a peer without an offer may hold nothing of it."""

    mark: Dirt
    log: LogRow | None
    offers: Mapping[str, OfferRow]
    wake_at: datetime | None
    damage: StoredPackageError | None = None


def project_dirty(node: Node, limit: int) -> int:
    """Project up to `limit` dirty logs, urgent ones first, for at most 250 ms; gives how many.

    0 means that nothing is left, or only what somebody is changing just now.
    """
    node = node.pinned()
    settle_basis(node)
    with node.store.read() as unit:
        marks = peek_dirt(unit.connection, limit)
        wants = {row.org: Wants(row.wants) for row in list_peers(unit.connection)}
        told = told_of(unit.connection, node.org, [(each.origin, each.event) for each in marks])
    # A note that is cut anew has a newer mark, and one that could not be keeps its own: next turn.
    waits = {follow(node, about) for about in told}
    marks = tuple(mark for mark in marks if (mark.origin, mark.event) not in waits)
    began, projected = node.wall(), list[_Projected]()
    for mark in marks:
        projected.append(_project_mark(node, mark, wants))
        if node.wall() - began > TURN:
            break
    written = _write(node, projected) if projected else 0
    if written:
        node.bell.ring()
    return written


def _project_mark(node: Node, mark: Dirt, wants: Mapping[str, Wants]) -> _Projected:
    try:
        return _project(node, _read_facts(node, mark), wants)
    except StoredPackageError as error:
        with node.store.read() as unit:
            log = find_log(unit.connection, mark.origin, mark.event)
        return _Projected(mark, log, {}, None, error)


def _read_facts(node: Node, mark: Dirt) -> _Facts:
    with node.store.read() as unit:
        conn = unit.connection
        log = find_log(conn, mark.origin, mark.event)
        if log is None or log.type in STAYS:
            return _Facts(mark, None, None, ())
        best = None if _ending(log) else best_holding(conn, mark.origin, mark.event)
        if best is not None and (best.epoch, best.seq) < log.version:
            best = None  # we know of a newer version; what it took back must not leave from here
        elif best is not None and best.src != node.org and is_awaited(conn, best.src):
            best = None  # from a backup: it may have been taken back since
        return _Facts(mark, log, best, releases_of(conn, mark.origin, mark.event))


def _ending(log: LogRow) -> Version | None:
    """The recall floor under which the newest version of the log lies; None: it lives."""
    floor = floor_of(log)
    return floor if floor is not None and is_ended(log.version, floor) else None


def _project(node: Node, facts: _Facts, wants: Mapping[str, Wants]) -> _Projected:
    if facts.log is None or facts.best is None:
        return _Projected(facts.mark, facts.log, {}, None)
    with opened(facts.best) as holding:
        scene = _Scene(node, facts.log, facts.best, holding, facts.releases)
        peers = [peer for peer in node.peers if scene.may_relay(peer, wants)]
        offers = {peer.org: offer for peer in peers if (offer := scene.offer(peer)) is not None}
    return _Projected(facts.mark, facts.log, offers, scene.wake_at)


class _Scene:
    """One log before all peers: parties that policy cannot tell apart are asked about once."""

    def __init__(
        self,
        node: Node,
        log: LogRow,
        best: HoldingRow,
        holding: Holding,
        releases: Sequence[Release],
    ) -> None:
        self._node, self._log, self._best = node, log, best
        self._held = Held(best.origin, best.src, best.hops, best.epoch, best.seq)
        self._releases = releases
        self._projector = Projector(holding, node.judge, node.clock())
        direct = best.origin == node.org
        self._standing = Standing(own=False, client=False, direct=direct, published=log.published)
        self._rows: dict[int, OfferRow | None] = {}  # by the id of a projection: it keeps those
        self.wake_at: datetime | None = None

    def may_relay(self, peer: Peer, wants: Mapping[str, Wants]) -> bool:
        """Whether this holding is offered to the peer at all, before policy."""
        wanted = wants.get(peer.org, Wants.OWN)
        hops = self._node.settings.relay_hops
        refused = refusal(
            self._held, me=self._node.org, peer=peer.org, wants=wanted, relay_hops=hops
        )
        return refused is None

    def offer(self, peer: Peer) -> OfferRow | None:
        """What the peer may hold of the log, at no place yet; None: nothing."""
        projection = self._projector.project(peer.party, self._standing, self._releases)
        self._note_wake(projection.wake_at)
        if id(projection) not in self._rows:
            self._rows[id(projection)] = self._row(projection) if projection.runs else None
        found = self._rows[id(projection)]
        return None if found is None else replace(found, peer=peer.org)

    def _note_wake(self, at: datetime | None) -> None:
        if at is not None and (self.wake_at is None or at < self.wake_at):
            self.wake_at = at

    def _row(self, projection: Projection) -> OfferRow:
        return OfferRow(
            peer="",
            pos=0,
            origin=self._log.origin,
            event=self._log.event,
            op=Op.PUT,
            epoch=self._best.epoch,
            seq=self._best.seq,
            seal=self._best.seal,
            digest=projection.digest,
            map=projection.encoded_map,
            src=self._best.src,
            hops=hops_onward(self._held, self._node.org),
            withheld=tuple(_ground(one) for one in withheld_grounds(projection)),
            rulebook=self._node.judge.rulebook.digest,
            urgent=self._log.urgent,
            projected_at=self._node.wall(),
        )


def _ground(members: Mapping[str, Json]) -> Ground:
    match members:
        case {
            "ground": str(ground),
            "kind": int(kind),
            "records": int(records),
            "slots": int(slots),
            "fields": list(fields),
        }:
            return Ground(ground, kind, records, slots, tuple(map(str, fields)))
        case _:
            raise ValueError(f"no ground: {sorted(members)}")


def _write(node: Node, projected: Sequence[_Projected]) -> int:
    """Write what is still true, in one unit; gives how many logs are done."""
    with node.store.write() as unit:
        conn = unit.connection
        lock_rules(conn)
        rules = find_in_force(conn)
        if rules is None or rules.digest != node.judge.rulebook.digest:
            return 0  # decided under old rules
        held = hold_dirt(conn, [one.mark for one in projected])
        done = {(one.mark.origin, one.mark.event): one for one in projected if one.mark in held}
        if done:
            feeds = _Feeds(node, unit, list(done))
            for one in done.values():
                feeds.offer(one)
            feeds.close()
            sound = {key: one.wake_at for key, one in done.items() if one.damage is None}
            set_wakes(conn, sound)
            for one in done.values():
                if one.damage is not None:
                    report_damage(unit, damage_row(node, one.damage))
            clear_held(conn, held)
    return len(done)


class _Feeds:
    """The peers' feeds during one unit: gives out places, under the lock of the peers' rows."""

    def __init__(self, node: Node, unit: Unit, logs: Sequence[tuple[str, str]]) -> None:
        self._node, self._conn = node, unit.connection
        self._peers = lock_peers(self._conn, [peer.org for peer in node.peers])
        self._heads = {org: row.head_pos for org, row in self._peers.items()}
        self._rows = rows_of_logs(self._conn, logs)
        self._new = list[OfferRow]()
        self._steps = dict[str, Fingerprint]()  # what is told anew, by peer

    def offer(self, one: _Projected) -> None:
        """Hold out to every peer what it may hold of this log now."""
        rows = self._rows.get((one.mark.origin, one.mark.event), {})
        for org, peer in self._peers.items():
            old = rows.get(org)
            if one.damage is not None and not self._is_ruled_anew(old):
                continue
            new = one.offers.get(org) or self._taken_back(one, old)
            if new is not None:
                self._put(peer, old, new)

    def _is_ruled_anew(self, old: OfferRow | None) -> bool:
        """Whether a row was decided under other rules than are in force: it may not stand."""
        return old is not None and old.rulebook != self._node.judge.rulebook.digest

    def close(self) -> None:
        """Keep the new rows, and the heads that moved."""
        put_rows(self._conn, self._new)
        for org in sorted(self._steps):
            shift_set(self._conn, org, Side.OURS, self._steps[org])
        for org, head in self._heads.items():
            if head != self._peers[org].head_pos:
                set_head(self._conn, org, head)

    def _put(self, peer: PeerRow, old: OfferRow | None, new: OfferRow) -> None:
        if old is not None and _is_same(old, new):
            if _serves_as(old) == _serves_as(new):
                return
            if old.seal == new.seal or old.pos <= peer.acked_pos:
                refresh_row(self._conn, replace(new, pos=old.pos, projected_at=old.projected_at))
                return
        step = Fingerprint.step(None if old is None else old.told, new.told)
        self._steps[peer.org] = self._steps.get(peer.org, Fingerprint()) + step
        self._heads[peer.org] += 1
        self._new.append(replace(new, pos=self._heads[peer.org]))

    def _taken_back(self, one: _Projected, old: OfferRow | None) -> OfferRow | None:
        """RECALL or WITHDRAW for a peer that had something of the log; None: it never had."""
        if old is None or one.log is None:
            return None
        log, op, version = one.log, Op.WITHDRAW, one.log.version
        if (floor := _ending(log)) is not None:
            op, version = Op.RECALL, floor
        elif old.op != Op.PUT:
            op, version = Op(old.op), old.version
        return replace(
            old,
            pos=0,
            op=op,
            epoch=version[0],
            seq=version[1],
            seal=log.seal,
            digest=None,
            map=None,
            src=None,
            withheld=(),
            rulebook=self._node.judge.rulebook.digest,
            urgent=log.urgent,
            projected_at=self._node.wall(),
        )


def _serves_as(row: OfferRow) -> tuple[object, ...]:
    """What a row needs beside the map to be served: where the bytes are, and under which rules."""
    return row.seal, row.src, row.hops, row.rulebook


def _is_same(old: OfferRow, new: OfferRow) -> bool:
    """Whether the peer would hold the same: no news."""
    if old.op != new.op:
        return False
    match Op(new.op):
        case Op.PUT:
            return (old.epoch, old.map) == (new.epoch, new.map)
        case Op.RECALL:
            return old.version == new.version
        case Op.WITHDRAW:
            return True

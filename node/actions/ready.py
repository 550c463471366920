"""What each item that a peer sent comes to, made ready before a unit opens to write it.

Everything is read, checked by `federation.admit`, looked through for patient data and parsed here,
and nothing written: where somebody else changed a log meanwhile, it is made ready again.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from federation.admit import (
    QUARANTINE_CAP,
    Admitted,
    NoOp,
    Quarantined,
    Whole,
    admit_item,
)
from federation.opening import BadLine, Item
from federation.peer import Peer
from federation.relay import RELAY_HOPS
from federation.told import told_recall
from federation.wire import ItemLine, Op
from node.actions.change import Change, Stored, change_of, take_away
from node.actions.evidence import beside
from node.actions.patients import CHECK as PATIENTS
from node.actions.patients import patient_data_in
from node.actions.receipts import answer_to
from node.actions.stored import ODD, damage_row
from node.node import Node
from node.storage.dirt import LogKey
from node.storage.errors import StoredPackageError
from node.storage.feed import SeenRow, find_all_seen
from node.storage.logs import HoldingRow, find_logs, holdings_of
from node.storage.quarantine import QuarantineRow
from node.storage.receipts import DueReceipt
from sharing.seal.holding import Holding


@dataclass(frozen=True, slots=True)
class Ready:
    """What one item comes to, ready to be written; `op` is None where nothing changes.

    `whole` is the item to bring with its package: its delta does not lead on from what is held.
    `answer` is the receipt its sender gets. `size_bytes` is what it brings, of what is stored;
    `is_left` says that its originator's share of the day is used up (`quota.py`).
    """

    key: LogKey
    op: Op | None = None
    urgent: bool = False
    change: Change | None = None
    seen: SeenRow | None = None
    refused: QuarantineRow | None = None
    damaged: tuple[QuarantineRow, ...] = ()
    whole: Item | None = None
    answer: DueReceipt | None = None
    size_bytes: int = 0
    is_left: bool = False


def read_stored(node: Node, key: LogKey, source: str) -> Stored:
    """Give what is stored of a log, and what the source last told us of it."""
    return read_all_stored(node, [key], source)[key]


def read_all_stored(node: Node, keys: Sequence[LogKey], source: str) -> dict[LogKey, Stored]:
    """The same of several logs, all as they were at one instant."""
    with node.store.read() as unit:
        conn = unit.connection
        logs, seen = find_logs(conn, keys), find_all_seen(conn, source, keys)
        held = holdings_of(conn, keys)
    return {
        key: Stored(
            logs.get(key),
            tuple(one for one in held.get(key, ()) if isinstance(one, HoldingRow)),
            seen.get(key),
            tuple(one for one in held.get(key, ()) if isinstance(one, StoredPackageError)),
        )
        for key in keys
    }


def on_sound(node: Node, before: Stored, make: Callable[[Stored], Ready]) -> Ready:
    """Give what `make` gives; where damaged bytes of ours make it fail or refuse, without them."""
    try:
        ready = make(before)
        is_done = ready.refused is None
    except (StoredPackageError, *ODD):
        sound = before.examined()
        if sound == before:
            raise
        ready, is_done, before = make(sound), True, sound
    if not is_done and (sound := before.examined()) != before:
        ready, before = make(sound), sound
    return replace(ready, damaged=tuple(damage_row(node, one) for one in before.damaged))


def make_ready(node: Node, peer: Peer, items: Sequence[Item], *, anew: bool) -> list[Ready]:
    """What each item of a batch comes to; in it no log occurs twice."""
    keys = [(item.line.origin, item.line.event) for item in items]
    stored = read_all_stored(node, keys, peer.org)
    ready = list[Ready]()
    for key, item in zip(keys, items, strict=True):
        before = stored[key].anew(item, peer.org) if anew else stored[key]
        ready.append(on_sound(node, before, partial(_judge, node, peer, item)))
    return ready


def _judge(node: Node, peer: Peer, item: Item, before: Stored) -> Ready:
    key, now = (item.line.origin, item.line.event), node.clock()
    if item.raw:
        before = before.open_to(peer.org)
    known = before.known(None if isinstance(item.line, BadLine) else item.line, peer.org)
    outcome = admit_item(
        item,
        source=peer.org,
        me=node.me,
        registry=node.registry,
        known=known,
        wants=peer.asks,
        relay_hops=RELAY_HOPS,
        now=now,
    )
    if isinstance(outcome, Admitted):
        outcome = _without_patients(node, item, outcome, known.held)
    answer = answer_to(node, peer.org, item, outcome, before, known)
    match outcome:
        case Admitted():
            return Ready(
                key,
                op=outcome.op,
                urgent=outcome.line.urgent,
                change=change_of(outcome, before, source=peer.org, me=node.org, now=now),
                seen=_told(item, outcome.line, peer.org, outcome.digest, outcome.told),
                answer=answer,
                size_bytes=_stored_bytes(item, outcome, before),
            )
        case Whole():
            return Ready(key, whole=replace(item, line=outcome.line.as_package(), raw=b""))
        case NoOp():
            seen = _told_again(item, outcome.line, peer.org, before.seen)
            return Ready(key, seen=seen, answer=answer)
        case Quarantined():
            refused = _refused(outcome, peer.org, now, item, before)
            size_bytes = len(refused.item_line) + len(refused.raw)
            return Ready(key, refused=refused, answer=answer, size_bytes=size_bytes)


def _stored_bytes(item: Item, admitted: Admitted, before: Stored) -> int:
    """What an item adds; what takes from a log that is here adds nothing."""
    if admitted.op is not Op.PUT and before.log is not None:
        return 0
    return len(item.line_bytes) + len(item.raw)


def _without_patients(
    node: Node, item: Item, admitted: Admitted, held: Holding | None
) -> Admitted | Quarantined:
    """Check 8: a package that shows patient data is put aside; why says where, never what."""
    holding = admitted.holding
    why = None if holding is None else patient_data_in(node, holding, held)
    if why is None:
        return admitted
    raw = admitted.package if len(admitted.package) <= QUARANTINE_CAP else b""
    return Quarantined(admitted.line, PATIENTS, why, item.line_bytes, raw)


def withdrawn(node: Node, ended: SeenRow) -> Ready:
    """What it comes to that a source gives a log no longer: `ended` is its last word."""
    key = (ended.origin, ended.event)
    before = read_stored(node, key, ended.src)
    if before.log is None:
        return Ready(key, seen=ended)
    log = replace(before.log, updated_at=node.clock())

    def make(stored: Stored) -> Ready:
        change = take_away(stored, log, {ended.src}, me=node.org)
        return Ready(key, op=Op.WITHDRAW, change=change, seen=ended)

    return on_sound(node, before, make)


def _told(
    item: Item, line: ItemLine, source: str, digest: str | None, told: bytes | None
) -> SeenRow:
    return SeenRow(
        src=source,
        origin=line.origin,
        event=line.event,
        incarnation=item.incarnation,
        pos=line.pos,
        epoch=line.epoch,
        seq=line.seq,
        digest=digest,
        told=told,
    )


def _told_again(item: Item, line: ItemLine, source: str, seen: SeenRow | None) -> SeenRow | None:
    """No news: only the place moves, and only forward; a recall known from others is noted."""
    told = None if seen is None else seen.told
    if line.op is Op.RECALL:
        told = told_recall(line.origin, line.event, line.version)
    if seen is None:
        return _told(item, line, source, None, told)
    if seen.incarnation == item.incarnation and line.pos <= seen.pos:
        return None
    return replace(seen, incarnation=item.incarnation, pos=line.pos, told=told)


def _refused(
    outcome: Quarantined, source: str, now: datetime, item: Item, before: Stored
) -> QuarantineRow:
    row = QuarantineRow(
        src=source,
        pos=outcome.line.pos,
        origin=outcome.line.origin,
        event=outcome.line.event,
        check=outcome.check,
        reason=outcome.reason,
        item_line=outcome.line_bytes,
        raw=outcome.raw,
        received_at=now,
    )
    if outcome.is_equivocation and isinstance(outcome.line, ItemLine):
        return beside(row, outcome.line, before, item.raw)
    return row

"""Stores what a peer sent, item by item, after `federation.admit` has said what to do with each.

Everything is read, checked, parsed and made ready before a unit opens, which then writes a batch:
holdings, index, erasures, the source's last word, dirt, audit, and with the last batch of a page
our place in the feed. Where somebody else changed a log meanwhile, the batch is made again. The
same item twice changes nothing.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

import structlog

from federation.admit import (
    QUARANTINE_CAP,
    Admitted,
    NoOp,
    Quarantined,
    Whole,
    admit_item,
)
from federation.call import Bookmark
from federation.opening import BadLine, Item
from federation.peer import Peer
from federation.relay import RELAY_HOPS
from federation.told import told_recall
from federation.wire import ItemLine, Op
from node.actions.alerts import Arrived, note_arrived
from node.actions.change import Change, Stored, change_of, take_away
from node.actions.counts import Counts
from node.actions.evidence import beside
from node.actions.patients import CHECK as PATIENTS
from node.actions.patients import patient_data_in
from node.actions.quota import heed_quota
from node.actions.receipts import answer_to, sign_erased
from node.actions.sealing import OvertakenError, until_settled
from node.actions.stored import ODD, damage_row, report_damage
from node.node import Node
from node.storage import audit
from node.storage.dirt import LogKey, mark_dirty
from node.storage.entries import NewIndex, erase_index, replace_indexes
from node.storage.errors import StoredPackageError
from node.storage.feed import (
    SeenRow,
    find_all_seen,
    put_seen,
    seen_in_other_lives,
)
from node.storage.logs import (
    HoldingRow,
    add_logs,
    advance_log,
    erase_holdings,
    find_logs,
    holdings_of,
    put_holdings,
)
from node.storage.peers import keep_bookmark
from node.storage.quarantine import QuarantineRow, add_quarantine, forget_raw
from node.storage.receipts import DueReceipt, add_due
from node.storage.store import Unit, lock_name

_log = structlog.get_logger(__name__)
BATCH_BYTES = 8 * 1024 * 1024


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


def batches(items: Iterable[Item]) -> Iterator[tuple[Item, ...]]:
    """The items in order, in batches of some MiB in which no log occurs twice."""
    batch, size, logs = list[Item](), 0, set[LogKey]()
    for item in items:
        key = (item.line.origin, item.line.event)
        if batch and (size + len(item.raw) > BATCH_BYTES or key in logs):
            yield tuple(batch)
            batch, size, logs = [], 0, set()
        batch.append(item)
        size += len(item.raw)
        logs.add(key)
    if batch:
        yield tuple(batch)


def store_items(
    node: Node,
    peer: Peer,
    items: Sequence[Item],
    bookmark: Bookmark | None,
    *,
    anew: bool = False,
) -> Counts:
    """Check and store a batch, in which no log occurs twice; with `bookmark`, our place as well.

    `anew` looks at items that we believed to have, too. Our place does not move while the package
    of an item is still to be brought (`Counts.whole`).

    Raises:
        ConflictError: others changed the same logs each time; nothing of the batch is stored.
        OverQuotaError: the peer has brought as much as it may today; the same.
    """
    make = partial(_make_ready, node, peer, items, anew=anew)
    ready = store_ready(node, peer.org, make, bookmark)
    whole = tuple(one.whole for one in ready if one.whole is not None)
    return Counts(
        items=len(ready) - len(whole),
        admitted=sum(one.op is not None for one in ready),
        quarantined=sum(one.refused is not None for one in ready),
        left=sum(one.is_left for one in ready),
        whole=whole,
    )


def drop_unlisted(node: Node, peer: Peer, incarnation: str) -> int:
    """Drop what the peer gave in an earlier life of its feed and lists no more; gives how many.

    To be called when the feed has been read from its start to its end: what a source does not list
    it no longer holds out.
    """
    with node.store.read() as unit:
        unlisted = seen_in_other_lives(unit.connection, peer.org, incarnation)
    for seen in unlisted:
        ended = replace(seen, incarnation=incarnation, pos=0, digest=None, told=None)
        drop(node, ended)
    return len(unlisted)


def drop(node: Node, ended: SeenRow) -> None:
    """Drop what a source gave of a log, and let `ended` be its last word."""
    store_ready(node, ended.src, lambda: [_withdrawn(node, ended)])


def store_ready(
    node: Node,
    source: str,
    make: Callable[[], list[Ready]],
    bookmark: Bookmark | None = None,
) -> list[Ready]:
    """Write what `make` gives of what a source sent, made again each time it was overtaken.

    Raises:
        ConflictError: it was overtaken each time; nothing is stored.
        OverQuotaError: the source is over its quota; nothing is stored.
    """

    def act() -> list[Ready]:
        ready = make()
        with node.store.write() as unit:
            ready = _within_quota(node, unit, source, ready)
            _write(unit, ready)
            sign_erased(node, unit, [one.key for one in ready])
            told = [one.key for one in ready if one.seen is not None]
            recalled = [one.key for one in ready if one.op is Op.RECALL]
            said = [key for key in told if key[0] == source]
            forget_raw(unit.connection, recalled + said)
            forget_raw(unit.connection, told, src=source)
            if bookmark is not None and not any(one.whole for one in ready):
                keep_bookmark(unit.connection, source, bookmark)
            _note(node, unit, source, ready)
            note_arrived(node, unit, _arrived(ready))
        _alarm(ready)
        return ready

    return until_settled(act)


def _within_quota(node: Node, unit: Unit, source: str, ready: list[Ready]) -> list[Ready]:
    """What may be stored today; what brings no bytes always may."""
    sizes = Counter[str]()
    for one in ready:
        sizes[one.key[0]] += one.size_bytes
    late = heed_quota(node, unit, source, sizes)
    return [
        Ready(one.key, is_left=True) if one.size_bytes and one.key[0] in late else one
        for one in ready
    ]


def _arrived(ready: Iterable[Ready]) -> list[Arrived]:
    """What may have to be announced to local organisations."""
    return [
        Arrived(one.op, one.change.log, one.change.is_bare)
        for one in ready
        if one.op is not None and one.change is not None
    ]


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


def _make_ready(node: Node, peer: Peer, items: Sequence[Item], *, anew: bool) -> list[Ready]:
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
        outcome = _without_patients(node, item, outcome)
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


def _without_patients(node: Node, item: Item, admitted: Admitted) -> Admitted | Quarantined:
    """Check 8: a package that shows patient data is put aside; why says where, never what."""
    holding = admitted.holding
    why = None if holding is None else patient_data_in(node, holding)
    if why is None:
        return admitted
    raw = admitted.package if len(admitted.package) <= QUARANTINE_CAP else b""
    return Quarantined(admitted.line, PATIENTS, why, item.line_bytes, raw)


def _withdrawn(node: Node, ended: SeenRow) -> Ready:
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


def _write(unit: Unit, ready: Sequence[Ready]) -> None:
    conn = unit.connection
    in_order = sorted(ready, key=lambda one: one.key)  # one order: no two units wait in a ring
    _write_changes(unit, {one.key: one.change for one in in_order if one.change is not None})
    for one in in_order:
        if one.refused is not None:
            add_quarantine(conn, one.refused)
        for row in one.damaged:
            report_damage(unit, row)
        if one.answer is not None:
            add_due(conn, one.answer)
    put_seen(conn, [one.seen for one in ready if one.seen is not None])
    for urgent in (True, False):
        changed = [one.key for one in ready if one.change is not None and one.urgent is urgent]
        mark_dirty(conn, changed, urgent=urgent)


def _write_changes(unit: Unit, changes: Mapping[LogKey, Change]) -> None:
    conn = unit.connection
    for key in changes:
        lock_name(conn, f"log {key[0]} {key[1]}")
    stored = find_logs(conn, list(changes), for_update=True)
    for key, change in changes.items():
        if stored.get(key) != change.before.log:
            raise OvertakenError(f"log {key[1]} was changed meanwhile")
        if change.before.log is not None:
            advance_log(conn, change.log, since=change.before.log.version)
        for src in change.gone:
            erase_holdings(conn, *key, src=src)
        if change.is_bare:
            erase_index(conn, *key)
    add_logs(conn, [each.log for each in changes.values() if each.before.log is None])
    put_holdings(conn, [row for each in changes.values() for row in each.put])
    replace_indexes(
        conn,
        [
            NewIndex(key, each.reindex.src, each.reindex.rows)
            for key, each in changes.items()
            if each.reindex is not None and not each.is_bare
        ],
    )


def _note(node: Node, unit: Unit, source: str, ready: Sequence[Ready]) -> None:
    """One audit line for what was stored, one more for each refusal and each recall."""
    now = node.clock()
    stored = [one for one in ready if one.op is not None]
    if stored:
        ops = Counter(str(one.op) for one in stored)
        audit.append(unit.connection, now, source, "feed.admitted", detail=dict(ops))
    for one in ready:
        if one.op is Op.RECALL:
            audit.append(unit.connection, now, source, "feed.recalled", *one.key)
        if one.refused is not None:
            why = {"check": one.refused.check, "reason": one.refused.reason}
            act = "feed.equivocation" if one.refused.is_equivocation else "feed.refused"
            audit.append(unit.connection, now, source, act, *one.key, detail=why)


def _alarm(ready: Sequence[Ready]) -> None:
    for one in ready:
        if one.refused is not None and one.refused.is_equivocation:
            origin, event = one.key
            _log.error("equivocation", origin=origin, log=event, why=one.refused.reason)

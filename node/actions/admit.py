"""Stores what a peer sent, batch by batch, after `ready.py` has said what each item comes to.

A unit only writes: holdings, index, erasures, the source's last word, dirt, audit, and with the
last batch of a page our place in the feed. Where somebody else changed a log meanwhile, the batch
is made ready again. The same item twice changes nothing.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial

import structlog

from federation.call import Bookmark
from federation.opening import Item
from federation.peer import Peer
from federation.wire import Op
from node.actions.alerts import Arrived, note_arrived
from node.actions.change import Change
from node.actions.counts import Counts
from node.actions.quota import heed_quota
from node.actions.ready import Ready, make_ready, withdrawn
from node.actions.receipts import sign_erased
from node.actions.sealing import OvertakenError, until_settled
from node.actions.stored import report_damage
from node.node import Node
from node.storage import audit
from node.storage.dirt import LogKey, mark_dirty
from node.storage.entries import NewIndex, erase_index, replace_indexes
from node.storage.feed import (
    SeenRow,
    put_seen,
    seen_in_other_lives,
)
from node.storage.logs import (
    add_logs,
    advance_log,
    erase_holdings,
    find_logs,
    put_holdings,
)
from node.storage.peers import keep_bookmark
from node.storage.quarantine import add_quarantine, forget_raw
from node.storage.receipts import add_due
from node.storage.store import Unit, lock_name

_log = structlog.get_logger(__name__)
BATCH_BYTES = 8 * 1024 * 1024


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
    make = partial(make_ready, node, peer, items, anew=anew)
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
    store_ready(node, ended.src, lambda: [withdrawn(node, ended)])


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

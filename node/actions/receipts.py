"""Receipts we owe: what we answer to items of peers, and how it gets to them.

A receipt is written in the unit that writes what it reports, and kept until its peer has taken it
or turned it down for good: a crash, a peer that is away or an answer that was lost costs a retry.
Sending has its own job, so that no peer's silence holds up a pull.
"""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import structlog

from federation.admit import Admitted, Known, NoOp, Quarantined, Whole, is_ended
from federation.auth import NONCE_BYTES, write_nonce
from federation.backoff import CAP_S, wait_s
from federation.call import Call
from federation.errors import BadReplyError, TransportError
from federation.opening import Item
from federation.peer import Peer
from federation.receipt import (
    Downstream,
    Outcome,
    Receipt,
    Refusal,
    bring,
    is_taken,
    name_of_item,
    write_receipt,
)
from federation.wire import ItemLine, Op
from node.actions.carrier import Carrier
from node.actions.change import Stored
from node.actions.confirmations import downstream
from node.actions.stored import open_holding
from node.node import Node
from node.storage.feed import holding_sources
from node.storage.logs import HoldingRow
from node.storage.receipts import (
    DueReceipt,
    Waiting,
    due_about,
    due_now,
    put_off,
    renew_due,
    settle,
    unsettled_failures,
)

PER_TURN = 50
WORKERS = 4
_log = structlog.get_logger(__name__)

LogKey = tuple[str, str]
Judged = Admitted | NoOp | Quarantined | Whole


# What we answer


def answer_to(
    node: Node, source: str, item: Item, judged: Judged, before: Stored, known: Known
) -> DueReceipt | None:
    """The receipt that an item calls for; None: nothing was refused, nothing is gone by it."""
    if isinstance(judged, Quarantined):
        why = Refusal.of(judged.check, judged.reason)
        return _made(node, source, item, Outcome.REFUSED, why, None)
    line = judged.line
    match judged:
        case Admitted(op=Op.PUT):
            if not _shows_less(judged, before, known, source):
                return None
        case Admitted():
            pass
        case NoOp() if line.op is not Op.PUT:
            is_done = len(_left(line, before, source)) == len(before.holdings)
            if not is_done or _is_old(item, line, known):
                return None
        case _:
            return None
    key, is_bare = (line.origin, line.event), not _left(line, before, source)
    with node.store.read() as unit:
        passed_on = downstream(unit, key, line.op, to=source, is_bare=is_bare)
    return _made(node, source, item, Outcome.ERASED, None, passed_on)


def _is_old(item: Item, line: ItemLine, known: Known) -> bool:
    """Whether it was answered at its time, and others may have come since."""
    return known.incarnation == item.incarnation and line.pos <= known.pos


def _left(line: ItemLine, before: Stored, source: str) -> list[HoldingRow]:
    """What an item that takes back leaves of the log."""
    if line.op is Op.WITHDRAW:
        return [row for row in before.holdings if row.src != source]
    return [row for row in before.holdings if not is_ended((row.epoch, row.seq), line.version)]


def _shows_less(admitted: Admitted, before: Stored, known: Known, source: str) -> bool:
    """Whether something that this source gave before is gone now."""
    if known.digest is None:
        return False
    row = next((row for row in before.holdings if row.src == source), None)
    if row is None or row.epoch != admitted.line.epoch or row.digest != known.digest:
        return True  # ended, compacted, or pruned by what another source gave
    opened = (one for one in (known.held, known.newest) if one and one.digest == row.digest)
    old = next(opened, None) or open_holding(row)
    new: Mapping[int, int] = {} if admitted.holding is None else admitted.holding.masks
    return any(mask & ~new.get(place, 0) for place, mask in old.masks.items())


def _made(
    node: Node,
    source: str,
    item: Item,
    outcome: Outcome,
    why: Refusal | None,
    passed_on: Downstream | None,
) -> DueReceipt:
    line = item.line
    receipt = Receipt(
        sender=node.org,
        to=source,
        origin=line.origin,
        event=line.event,
        version=line.version if isinstance(line, ItemLine) else None,
        item=name_of_item(item.line_bytes),
        outcome=outcome,
        why=why,
        downstream=passed_on,
        at=node.clock(),
    )
    return DueReceipt(
        peer=source,
        item=receipt.item,
        outcome=outcome.value,
        origin=receipt.origin,
        event=receipt.event,
        op=line.op.value if isinstance(line, ItemLine) else "",
        epoch=0 if receipt.version is None else receipt.version[0],
        seq=0 if receipt.version is None else receipt.version[1],
        sent=0 if passed_on is None else passed_on.sent,
        confirmed=0 if passed_on is None else passed_on.confirmed,
        envelope=write_receipt(receipt, node.transport_signer),
        made_at=receipt.at,
    )


# How it gets there


def send_due(node: Node, transport: Carrier) -> int:
    """Bring receipts to the peers whose turn has come; gives how many were settled."""
    with node.store.read() as unit:
        due = due_now(unit.connection, node.wall(), PER_TURN)
    by_peer = dict[str, list[Waiting]]()
    for one in due:
        by_peer.setdefault(one.peer, []).append(one)
    if not by_peer:
        return 0
    peers = {peer.org: peer for peer in node.peers}
    with ThreadPoolExecutor(WORKERS) as workers:
        settled = workers.map(
            lambda org: _bring_all(node, transport, org, peers.get(org), by_peer[org]), by_peer
        )
        return sum(settled)


def _bring_all(
    node: Node, transport: Carrier, org: str, peer: Peer | None, due: Sequence[Waiting]
) -> int:
    """Bring a peer what is due to it, until one does not get through."""
    if peer is None:
        _put_off(node, org, "it is no peer of ours any more")
        return 0
    for done, waiting in enumerate(due):
        try:
            taken = is_taken(transport.send(_call(node, peer, waiting), peer))
        except (TransportError, BadReplyError) as fault:
            _put_off(node, org, str(fault))
            return done
        with node.store.write() as unit:
            settle(unit.connection, waiting, taken=taken, at=node.wall())
        if not taken:
            _log.warning("receipt turned down", peer=org, item=waiting.item)
    return len(due)


def _call(node: Node, peer: Peer, waiting: Waiting) -> Call:
    return bring(
        peer,
        waiting.envelope,
        nonce=write_nonce(node.rng(NONCE_BYTES)),
        signer=node.transport_signer,
        now=node.wall(),
    )


def _put_off(node: Node, org: str, why: str) -> None:
    """Nothing of what is due to the peer is tried again before its time."""
    chance = int.from_bytes(node.rng(8)) / 2**64
    with node.store.write() as unit:
        failures = 1 + unsettled_failures(unit.connection, org)
        wait = min(CAP_S, wait_s(failures, chance))
        put_off(unit.connection, org, failures, until=node.wall() + timedelta(seconds=wait))
    _log.warning("receipt not taken", peer=org, why=why, failures=failures)


# What becomes of it, when those have answered whom we had passed the log on to


def renew_answers(node: Node, key: LogKey) -> None:
    """Tell each source anew how many have confirmed of those whom we had passed its log on to."""
    with node.store.read() as unit:
        conn = unit.connection
        is_bare = not holding_sources(conn, *key)
        newest = {one.peer: one for one in due_about(conn, key, Outcome.ERASED)}
        counted = [
            (one, downstream(unit, key, Op(one.op), to=one.peer, is_bare=is_bare))
            for one in newest.values()
        ]
    renewed = [
        _renewed(node, one, passed_on)
        for one, passed_on in counted
        if passed_on != Downstream(one.sent, one.confirmed)
    ]
    if renewed:
        with node.store.write() as unit:
            for one in renewed:
                renew_due(unit.connection, one)


def _renewed(node: Node, one: DueReceipt, passed_on: Downstream) -> DueReceipt:
    receipt = Receipt(
        sender=node.org,
        to=one.peer,
        origin=one.origin,
        event=one.event,
        version=(one.epoch, one.seq),
        item=one.item,
        outcome=Outcome(one.outcome),
        why=None,
        downstream=passed_on,
        at=node.clock(),
    )
    return replace(
        one,
        sent=passed_on.sent,
        confirmed=passed_on.confirmed,
        envelope=write_receipt(receipt, node.transport_signer),
        made_at=receipt.at,
    )

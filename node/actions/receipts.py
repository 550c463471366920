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

from federation.admit import Admitted, Known, NoOp, Quarantined, Whole
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
from node.storage.errors import StoredPackageError
from node.storage.feed import holding_sources
from node.storage.logs import HoldingRow, holdings_of
from node.storage.quarantine import is_refused_after
from node.storage.receipts import (
    DueReceipt,
    Waiting,
    due_about,
    due_now,
    put_off,
    renew_due,
    settle,
    unsettled_failures,
    unsigned_of,
)
from node.storage.store import Unit
from sharing.seal.maps import decode_map, encode_map

PER_TURN = 50
WORKERS = 4
_log = structlog.get_logger(__name__)

LogKey = tuple[str, str]
Masks = Mapping[int, int]  # which slots of each record, by its place
Judged = Admitted | NoOp | Quarantined | Whole


# What we answer


def answer_to(
    node: Node, source: str, item: Item, judged: Judged, before: Stored, known: Known
) -> DueReceipt | None:
    """The receipt that an item calls for; None: nothing was refused, nothing is taken by it."""
    if isinstance(judged, Quarantined):
        return _refusal(node, source, item, Refusal.of(judged.check, judged.reason))
    line = judged.line
    lost: Masks = {}  # of RECALL and WITHDRAW: all
    match judged:
        case Admitted(op=Op.PUT):
            taken = _taken(judged, before, known, source)
            if taken is None and _is_after_refusal(node, source, item, known):
                taken = _shown_beyond(judged, before)
            if taken is None:
                return None
            lost = taken
        case Admitted():
            pass
        case NoOp() if line.op is not Op.PUT and not _is_old(item, line, known):
            pass
        case _:
            return None
    return _erasure(node, source, item, line, lost)


def _is_old(item: Item, line: ItemLine, known: Known) -> bool:
    """Whether it was answered at its time, and others may have come since."""
    return known.incarnation == item.incarnation and line.pos <= known.pos


def _taken(admitted: Admitted, before: Stored, known: Known, source: str) -> Masks | None:
    """Give which slots of its epoch a package took from what this source gave; None: none."""
    if known.digest is None:
        return None
    row = next((row for row in before.holdings if row.src == source), None)
    if row is None or row.epoch != admitted.line.epoch:
        return {}  # ended, compacted, or pruned by what another source gave
    opened = (one for one in (known.held, known.newest) if one and one.digest == row.digest)
    taken = _beyond(admitted, (next(opened, None) or open_holding(row)).masks)
    return taken if taken or row.digest != known.digest else None


def _is_after_refusal(node: Node, source: str, item: Item, known: Known) -> bool:
    """Whether its source gave something since its last word that stands, and may take it back."""
    pos = known.pos if known.incarnation == item.incarnation else 0
    with node.store.read() as unit:
        return is_refused_after(unit.connection, source, (item.line.origin, item.line.event), pos)


def _shown_beyond(admitted: Admitted, before: Stored) -> Masks:
    """What anybody's holding of no newer version of its epoch shows and the package does not."""
    line, found = admitted.line, dict[int, int]()
    for row in before.holdings:
        if row.epoch == line.epoch and row.seq <= line.seq:
            for place, mask in _beyond(admitted, open_holding(row).masks).items():
                found[place] = found.get(place, 0) | mask
    return found


def _beyond(admitted: Admitted, masks: Masks) -> Masks:
    """What these masks show and the package does not."""
    new: Masks = {} if admitted.holding is None else admitted.holding.masks
    more = {place: mask & ~new.get(place, 0) for place, mask in masks.items()}
    return {place: mask for place, mask in more.items() if mask}


def _refusal(node: Node, source: str, item: Item, why: Refusal) -> DueReceipt:
    line = item.line
    version = line.version if isinstance(line, ItemLine) else (0, 0)
    op = line.op.value if isinstance(line, ItemLine) else ""
    one = _unsigned(node, source, item, Outcome.REFUSED, op, version)
    return _signed(node, one, why, None)


def _erasure(node: Node, source: str, item: Item, line: ItemLine, lost: Masks) -> DueReceipt:
    one = _unsigned(node, source, item, Outcome.ERASED, line.op.value, line.version)
    return replace(one, lost=encode_map(lost))


def _unsigned(
    node: Node, source: str, item: Item, outcome: Outcome, op: str, version: tuple[int, int]
) -> DueReceipt:
    return DueReceipt(
        peer=source,
        item=name_of_item(item.line_bytes),
        outcome=outcome.value,
        origin=item.line.origin,
        event=item.line.event,
        op=op,
        epoch=version[0],
        seq=version[1],
        sent=0,
        confirmed=0,
        envelope=b"",
        made_at=node.clock(),
    )


def _signed(
    node: Node, one: DueReceipt, why: Refusal | None, passed_on: Downstream | None
) -> DueReceipt:
    receipt = Receipt(
        sender=node.org,
        to=one.peer,
        origin=one.origin,
        event=one.event,
        version=(one.epoch, one.seq) if one.op else None,
        item=one.item,
        outcome=Outcome(one.outcome),
        why=why,
        downstream=passed_on,
        at=node.clock(),
    )
    return replace(
        one,
        sent=0 if passed_on is None else passed_on.sent,
        confirmed=0 if passed_on is None else passed_on.confirmed,
        envelope=write_receipt(receipt, node.transport_signer),
        made_at=receipt.at,
        lost=None,
    )


def sign_erased(node: Node, unit: Unit, keys: Sequence[LogKey]) -> None:
    """Sign what we owe about these logs, where no holding, whoever gave it, shows it any more.

    To be called in every unit that changes holdings of peers' logs: what another source still
    shows here is not gone, and its receipt waits until the last copy goes.
    """
    conn = unit.connection
    waiting = unsigned_of(conn, keys)
    held = holdings_of(conn, {(one.origin, one.event) for one in waiting})
    for one in waiting:
        key = (one.origin, one.event)
        rows = [row for row in held.get(key, ()) if isinstance(row, HoldingRow)]
        if not any(_shows(row, one) for row in rows):
            passed_on = downstream(unit, key, Op(one.op), to=one.peer, is_bare=not rows)
            renew_due(conn, _signed(node, one, None, passed_on))


def _shows(row: HoldingRow, one: DueReceipt) -> bool:
    """Whether a holding shows something of what the receipt is to say is gone.

    In an older epoch every record has another place: what is held of one counts as showing it.
    """
    if row.epoch != one.epoch or one.op != Op.PUT or one.lost is None:
        return row.epoch <= one.epoch
    lost = decode_map(one.lost)
    try:
        masks = open_holding(row).masks
    except StoredPackageError:  # told the operator elsewhere; its bytes are still here
        return True
    return any(mask & masks.get(place, 0) for place, mask in lost.items())


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
        _signed(node, one, None, passed_on)
        for one, passed_on in counted
        if passed_on != Downstream(one.sent, one.confirmed)
    ]
    if renewed:
        with node.store.write() as unit:
            for one in renewed:
                renew_due(unit.connection, one)

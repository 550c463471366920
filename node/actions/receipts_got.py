"""Receipts we got: what peers answer to items of ours; refusals above all.

A receipt counts if its signer brings it itself, and if it names an item that it was given: by the
hash of the very line that went, kept with the ledger. So nobody confirms for another, and nobody
complains of what he never got.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from federation.receipt import Outcome, Receipt, read_receipt
from node.actions.caller import Caller
from node.actions.confirmations import name_of
from node.actions.errors import NotAllowedError, NotFoundError
from node.actions.receipts import renew_answers
from node.node import Node
from node.storage import audit
from node.storage.quarantine import Refusal
from node.storage.receipts import (
    GotReceipt,
    SentReceipt,
    add_got,
    find_got,
    find_item,
    got_about,
    got_numbered,
    newest_got,
    renew_got,
    sent_receipts,
)
from node.storage.store import Unit, lock_name

_SHOWN = 50


class UnknownItemError(Exception):
    """A receipt names an item that its sender was never given, or calls it another than it was."""


class ContradictedError(Exception):
    """A receipt refuses what its sender has confirmed to be erased."""


@dataclass(frozen=True, slots=True)
class RefusedThere:
    """An item of ours that a peer refused, with its signed word; `told` says it for people.

    `id` is the receipt's number: the signed bytes are kept under it.
    """

    id: int
    party: str
    party_name: str
    origin: str
    event: str
    version: str
    check: int
    word: str
    at: datetime
    told: str


def take_receipt(node: Node, party: str, envelope: bytes) -> None:
    """Keep what a party, whose signed request brought it, says became of an item of ours.

    The same again changes nothing, but for newer numbers of a relay. A refusal may be followed by
    an erasure of the same item (it was read anew), and both are kept; never the other way round.

    Raises:
        BadReceiptError: it is not the party's signed word for us.
        UnknownItemError: the party was never given such an item.
        ContradictedError: it refuses what it has confirmed to be erased.
    """
    receipt = read_receipt(
        envelope, sender=party, me=node.org, registry=node.registry, now=node.wall()
    )
    with node.store.write() as unit:
        _keep(node, unit, receipt, envelope)
    renew_answers(node, (receipt.origin, receipt.event))


def _keep(node: Node, unit: Unit, receipt: Receipt, envelope: bytes) -> None:
    conn, party = unit.connection, receipt.sender
    lock_name(conn, f"receipt {party} {receipt.item}")
    item = find_item(conn, party, receipt.item)
    if item is None or (item.origin, item.event) != (receipt.origin, receipt.event):
        raise UnknownItemError
    version = (item.epoch, item.seq)
    if receipt.version not in {None, version}:
        raise UnknownItemError
    known = {one.outcome for one in find_got(conn, party, receipt.item)}
    if receipt.outcome is Outcome.REFUSED and Outcome.ERASED in known:
        raise ContradictedError
    got = _got(node, receipt, version, envelope)
    if not add_got(conn, got):
        renew_got(conn, got)
        return
    detail = {"check": got.check, "word": got.word} if got.word else {}
    act = f"receipt.{receipt.outcome}"
    audit.append(conn, node.clock(), party, act, got.origin, got.event, detail)


def _got(node: Node, receipt: Receipt, version: tuple[int, int], envelope: bytes) -> GotReceipt:
    why, passed_on = receipt.why, receipt.downstream
    return GotReceipt(
        party=receipt.sender,
        item=receipt.item,
        outcome=receipt.outcome.value,
        origin=receipt.origin,
        event=receipt.event,
        epoch=version[0],
        seq=version[1],
        check=0 if why is None else why.check,
        word="" if why is None else why.word,
        sent=0 if passed_on is None else passed_on.sent,
        confirmed=0 if passed_on is None else passed_on.confirmed,
        signed_at=receipt.at,
        got_at=node.clock(),
        envelope=envelope,
    )


def refused_there(node: Node) -> tuple[RefusedThere, ...]:
    """Give what peers refused of what we gave them, newest first."""
    with node.store.read() as unit:
        found = newest_got(unit.connection, Outcome.REFUSED, _SHOWN)
    return tuple(_refused(node, number, got) for number, got in found)


def list_refused_there(node: Node, caller: Caller) -> tuple[RefusedThere, ...]:
    """Give the same to the node's own staff.

    Raises:
        NotAllowedError: the caller is none.
    """
    if not caller.is_staff:
        raise NotAllowedError("only the node's own staff sees what its peers refused")
    return refused_there(node)


def refused_of(node: Node, caller: Caller, origin: str, event: str) -> tuple[RefusedThere, ...]:
    """Give what peers refused of one event; nothing for those who are not staff."""
    if not caller.is_staff:
        return ()
    with node.store.read() as unit:
        found = got_about(unit.connection, (origin, event))
    return tuple(
        _refused(node, number, got) for number, got in found if got.outcome == Outcome.REFUSED
    )


def signed_receipt(node: Node, caller: Caller, number: int) -> bytes:
    """Give a receipt as it came, signature and all, for whoever is to check it.

    Raises:
        NotAllowedError: the caller is not staff of this node.
        NotFoundError: there is none of that number.
    """
    if not caller.is_staff:
        raise NotAllowedError("only the node's own staff takes receipts out")
    with node.store.read() as unit:
        got = got_numbered(unit.connection, number)
    if got is None:
        raise NotFoundError(f"receipt {number}")
    return got.envelope


def _refused(node: Node, number: int, got: GotReceipt) -> RefusedThere:
    name, version = name_of(node, got.party), f"{got.epoch}.{got.seq}"
    return RefusedThere(
        id=number,
        party=got.party,
        party_name=name,
        origin=got.origin,
        event=got.event,
        version=version,
        check=got.check,
        word=got.word,
        at=got.got_at,
        told=f"{name} refused event {got.event} version {version}: {got.word} (check {got.check})",
    )


def answers_told(node: Node, refusals: Collection[Refusal]) -> Mapping[int, str]:
    """Give, for each refused item by its number, how far our signed refusal of it is, in words."""
    wanted = {(one.src, one.item) for one in refusals}
    with node.store.read() as unit:
        sent = sent_receipts(unit.connection, wanted, Outcome.REFUSED)
    by_item = {(one.peer, one.item): one for one in sent}
    return {
        one.id: _answer(by_item[one.src, one.item])
        for one in refusals
        if (one.src, one.item) in by_item
    }


def _answer(sent: SentReceipt) -> str:
    if sent.settled_at is not None:
        word = "refusal taken" if sent.taken else "refusal turned down"
        return f"{word} {sent.settled_at:%Y-%m-%d %H:%M:%SZ}"
    return f"refusal not taken after {sent.failures} tries" if sent.failures else "refusal due"

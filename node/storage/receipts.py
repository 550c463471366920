"""Receipts: those we owe until the peer has taken them, and those we got, with the items they name.

An item is named by the hash of its line as it went (`ledger_item`), so that a receipt can only
speak of what its signer was given. Per party, item and outcome there is one receipt each way; a
relay's newer word about whom it had passed a log on to takes the place of its older one.
"""

from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    and_,
    false,
    func,
    or_,
    select,
    tuple_,
    update,
)

from node.storage.store import insert_missing, insert_new
from node.storage.tables_feed import ledger_item, receipt_due, receipt_got

LogKey = tuple[str, str]


@dataclass(frozen=True, slots=True)
class GivenItem:
    """One item as a party was given it, by the hash of its line."""

    party: str
    item: str
    pos: int
    origin: str
    event: str
    op: str
    epoch: int
    seq: int


@dataclass(frozen=True, slots=True)
class DueReceipt:
    """What we answer to an item of a peer.

    `op` and version are the item's, empty and 0 where its line could not be read.
    `lost` is the map of what must be gone before it is signed; None: it is signed.
    """

    peer: str
    item: str
    outcome: str
    origin: str
    event: str
    op: str
    epoch: int
    seq: int
    sent: int
    confirmed: int
    envelope: bytes = field(repr=False)
    made_at: datetime
    lost: bytes | None = None


@dataclass(frozen=True, slots=True)
class Waiting:
    """A receipt that the peer has not taken yet."""

    peer: str
    item: str
    outcome: str
    envelope: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class SentReceipt:
    """How far a receipt of ours is: taken, turned down for good (`taken` False), or still due."""

    peer: str
    item: str
    outcome: str
    made_at: datetime
    settled_at: datetime | None
    taken: bool | None
    failures: int


@dataclass(frozen=True, slots=True)
class GotReceipt:
    """What a party signed about an item of ours. `check` and `word` are of a refusal (0, empty).

    `got_at` is when its outcome first came, `signed_at` the party's own newest time.
    """

    party: str
    item: str
    outcome: str
    origin: str
    event: str
    epoch: int
    seq: int
    check: int
    word: str
    sent: int
    confirmed: int
    signed_at: datetime
    got_at: datetime
    envelope: bytes = field(repr=False)


def add_items(conn: Connection, items: Iterable[GivenItem]) -> None:
    """Keep which items went; one that goes again is kept already."""
    insert_missing(conn, ledger_item, [asdict(item) for item in items])


def find_item(conn: Connection, party: str, item: str) -> GivenItem | None:
    """Give the item that the party was given under this hash, or None."""
    row = conn.execute(
        select(ledger_item).where(ledger_item.c.party == party, ledger_item.c.item == item)
    ).first()
    return None if row is None else _item(row)


def items_of(conn: Connection, log: LogKey) -> tuple[GivenItem, ...]:
    """Give every item about a log that went to anybody."""
    rows = conn.execute(
        select(ledger_item).where(ledger_item.c.origin == log[0], ledger_item.c.event == log[1])
    )
    return tuple(_item(row) for row in rows)


def add_due(conn: Connection, receipt: DueReceipt) -> bool:
    """Owe a receipt; the same item with the same outcome again changes nothing."""
    row = {**asdict(receipt), "failures": 0}
    return insert_new(conn, receipt_due, row)


def renew_due(conn: Connection, receipt: DueReceipt) -> None:
    """Owe it anew with other numbers, unless the peer has turned it down."""
    same = _is(receipt.peer, receipt.item, receipt.outcome)
    conn.execute(
        update(receipt_due)
        .where(same, or_(receipt_due.c.taken.is_(None), receipt_due.c.taken))
        .values(
            sent=receipt.sent,
            confirmed=receipt.confirmed,
            envelope=receipt.envelope,
            made_at=receipt.made_at,
            lost=receipt.lost,
            settled_at=None,
            taken=None,
            failures=0,
            next_try_at=None,
        )
    )


def due_now(conn: Connection, now: datetime, limit: int) -> tuple[Waiting, ...]:
    """Give receipts whose turn has come, oldest first, at most `limit`."""
    rows = conn.execute(
        select(*(receipt_due.c[each.name] for each in fields(Waiting)))
        .where(
            receipt_due.c.lost.is_(None),
            receipt_due.c.settled_at.is_(None),
            or_(receipt_due.c.next_try_at.is_(None), receipt_due.c.next_try_at <= now),
        )
        .order_by(receipt_due.c.made_at, receipt_due.c.item)
        .limit(limit)
    ).mappings()
    return tuple(Waiting(**row) for row in rows)


def settle(conn: Connection, sent: Waiting, *, taken: bool, at: datetime) -> None:
    """The peer took the receipt, or turned it down; unless another has taken its place since."""
    conn.execute(
        update(receipt_due)
        .where(_is(sent.peer, sent.item, sent.outcome), receipt_due.c.envelope == sent.envelope)
        .values(settled_at=at, taken=taken)
    )


def unsettled_failures(conn: Connection, peer: str) -> int:
    """Give how often in a row the peer has taken none of what is due to it."""
    waits = and_(receipt_due.c.peer == peer, receipt_due.c.settled_at.is_(None))
    return conn.execute(select(func.max(receipt_due.c.failures)).where(waits)).scalar() or 0


def put_off(conn: Connection, peer: str, failures: int, *, until: datetime) -> None:
    """The peer gave no usable answer: what is due to it is tried again then."""
    conn.execute(
        update(receipt_due)
        .where(receipt_due.c.peer == peer, receipt_due.c.settled_at.is_(None))
        .values(failures=failures, next_try_at=until)
    )


def due_about(conn: Connection, log: LogKey, outcome: str) -> tuple[DueReceipt, ...]:
    """Give our signed receipts of this outcome about a log, sent or not, oldest first."""
    rows = conn.execute(
        select(receipt_due)
        .where(
            receipt_due.c.origin == log[0],
            receipt_due.c.event == log[1],
            receipt_due.c.outcome == outcome,
            receipt_due.c.lost.is_(None),
        )
        .order_by(receipt_due.c.made_at, receipt_due.c.epoch, receipt_due.c.seq)
    )
    return tuple(_due(row) for row in rows)


def unsigned_of(conn: Connection, logs: Collection[LogKey]) -> tuple[DueReceipt, ...]:
    """Give what we owe about these logs and have not signed yet, oldest first."""
    if not logs:
        return ()
    rows = conn.execute(
        select(receipt_due)
        .where(
            tuple_(receipt_due.c.origin, receipt_due.c.event).in_(list(logs)),
            receipt_due.c.lost.is_not(None),
        )
        .order_by(receipt_due.c.made_at, receipt_due.c.epoch, receipt_due.c.seq)
    )
    return tuple(_due(row) for row in rows)


def sent_receipts(
    conn: Connection, items: Collection[tuple[str, str]], outcome: str
) -> tuple[SentReceipt, ...]:
    """Give how far our receipts of this outcome for some (peer, item) are."""
    wanted = [
        and_(receipt_due.c.peer == peer, receipt_due.c.item == item) for peer, item in sorted(items)
    ]
    rows = conn.execute(
        select(*(receipt_due.c[each.name] for each in fields(SentReceipt))).where(
            receipt_due.c.outcome == outcome, or_(false(), *wanted)
        )
    ).mappings()
    return tuple(SentReceipt(**row) for row in rows)


def find_got(conn: Connection, party: str, item: str) -> tuple[GotReceipt, ...]:
    """Give what a party signed about an item of ours: at most one receipt an outcome."""
    rows = conn.execute(
        select(receipt_got).where(receipt_got.c.party == party, receipt_got.c.item == item)
    )
    return tuple(_got(row) for row in rows)


def add_got(conn: Connection, receipt: GotReceipt) -> bool:
    """Keep a receipt; False: this party's word of this outcome about the item is kept already."""
    return insert_new(conn, receipt_got, asdict(receipt))


def renew_got(conn: Connection, receipt: GotReceipt) -> None:
    """Let a party's newer numbers take the place of its older ones."""
    conn.execute(
        update(receipt_got)
        .where(
            receipt_got.c.party == receipt.party,
            receipt_got.c.item == receipt.item,
            receipt_got.c.outcome == receipt.outcome,
            receipt_got.c.signed_at <= receipt.signed_at,
        )
        .values(
            sent=receipt.sent,
            confirmed=receipt.confirmed,
            signed_at=receipt.signed_at,
            envelope=receipt.envelope,
        )
    )


def got_about(conn: Connection, log: LogKey) -> tuple[tuple[int, GotReceipt], ...]:
    """Give what anybody signed about items of a log, with its number, oldest first."""
    rows = conn.execute(
        select(receipt_got)
        .where(receipt_got.c.origin == log[0], receipt_got.c.event == log[1])
        .order_by(receipt_got.c.id)
    )
    return tuple((row.id, _got(row)) for row in rows)


def newest_got(conn: Connection, outcome: str, limit: int) -> tuple[tuple[int, GotReceipt], ...]:
    """Give the newest receipts of an outcome with their numbers, newest first."""
    rows = conn.execute(
        select(receipt_got)
        .where(receipt_got.c.outcome == outcome)
        .order_by(receipt_got.c.id.desc())
        .limit(limit)
    )
    return tuple((row.id, _got(row)) for row in rows)


def got_numbered(conn: Connection, number: int) -> GotReceipt | None:
    """Give the receipt of that number, or None."""
    row = conn.execute(select(receipt_got).where(receipt_got.c.id == number)).first()
    return None if row is None else _got(row)


def count_got(conn: Connection, outcome: str) -> dict[str, int]:
    """Give how many receipts of an outcome each party signed for us."""
    rows = conn.execute(
        select(receipt_got.c.party, func.count().label("n"))
        .where(receipt_got.c.outcome == outcome)
        .group_by(receipt_got.c.party)
    )
    return {row.party: row.n for row in rows}


def _is(peer: str, item: str, outcome: str) -> ColumnElement[bool]:
    return and_(
        receipt_due.c.peer == peer, receipt_due.c.item == item, receipt_due.c.outcome == outcome
    )


def _item(row: Row[Any]) -> GivenItem:
    return GivenItem(**{each.name: getattr(row, each.name) for each in fields(GivenItem)})


def _due(row: Row[Any]) -> DueReceipt:
    return DueReceipt(**{each.name: getattr(row, each.name) for each in fields(DueReceipt)})


def _got(row: Row[Any]) -> GotReceipt:
    return GotReceipt(**{each.name: getattr(row, each.name) for each in fields(GotReceipt)})

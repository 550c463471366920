"""The feeds: what we hold out to each peer (outbox), and what each source last told us (seen).

The outbox is compacted state, not a log: one row per (peer, log), the latest, at a place that grows
with every change. A row is replaced, never edited under its place, save when nothing of it changes
for the peer but the statement's number (`refresh_row`).
"""

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from itertools import takewhile
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Table,
    bindparam,
    case,
    delete,
    exists,
    false,
    func,
    insert,
    literal,
    or_,
    select,
    tuple_,
    union_all,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from federation.told import Fingerprint, told_put, told_recall
from federation.wire import Ground, Op
from node.storage.dirt import Dirt, LogKey
from node.storage.repair import Side, lock_set, put_set
from node.storage.store import upsert
from node.storage.tables import holding, log, log_class
from node.storage.tables_feed import dirty, outbox, seen, wake

# Asked for every item: built once.
_MARK = ["origin", "event", "gen", "urgent", "narrows"]
_SEEN = select(seen).where(
    seen.c.src == bindparam("src"),
    seen.c.origin == bindparam("origin"),
    seen.c.event == bindparam("event"),
)
_ALL_SEEN = select(seen).where(
    seen.c.src == bindparam("src"),
    tuple_(seen.c.origin, seen.c.event).in_(bindparam("keys", expanding=True)),
)

_IS_DIRTY = exists().where(dirty.c.origin == outbox.c.origin, dirty.c.event == outbox.c.event)
_IS_AFTER = (outbox.c.peer == bindparam("whose"), outbox.c.pos > bindparam("after"))
_ROWS = select(outbox, _IS_DIRTY.label("is_dirty"))
_AFTER = _ROWS.where(*_IS_AFTER).order_by(outbox.c.pos).limit(bindparam("limit"))
_CLEAN = select(outbox.c.pos).where(*_IS_AFTER, outbox.c.pos <= bindparam("upto"), ~_IS_DIRTY)


@dataclass(frozen=True, slots=True)
class OfferRow:
    """What we hold out to a peer of a log since `pos`.

    PUT has digest, map and the source of the holding it was projected from; WITHDRAW and RECALL
    have none of them. `rulebook` is the digest under which it was decided.
    """

    peer: str
    pos: int
    origin: str
    event: str
    op: str
    epoch: int
    seq: int
    seal: str
    digest: str | None
    map: bytes | None = field(repr=False)
    src: str | None
    hops: int
    withheld: tuple[Ground, ...]
    rulebook: str
    urgent: bool
    projected_at: datetime

    @property
    def version(self) -> tuple[int, int]:
        """Place of the statement in the log's history."""
        return (self.epoch, self.seq)

    @property
    def told(self) -> bytes | None:
        """The name of what the peer may hold of the log; None: nothing, and no recall of it."""
        match Op(self.op):
            case Op.PUT:
                return told_put(self.origin, self.event, self.epoch, self.map or b"")
            case Op.RECALL:
                return told_recall(self.origin, self.event, self.version)
            case Op.WITHDRAW:
                return None


@dataclass(frozen=True, slots=True)
class FeedRow:
    """A row of a peer's feed, and whether its log waits to be projected anew."""

    offer: OfferRow
    dirty: bool


@dataclass(frozen=True, slots=True)
class SeenRow:
    """What a source last told us of a log, and the name of that; it outlives the holding."""

    src: str
    origin: str
    event: str
    incarnation: str
    pos: int
    epoch: int
    seq: int
    digest: str | None
    told: bytes | None = None


_OFFER_NAMES = tuple(one.name for one in fields(OfferRow))
_SEEN_NAMES = tuple(one.name for one in fields(SeenRow))


def peek_dirt(conn: Connection, limit: int) -> tuple[Dirt, ...]:
    """Give up to `limit` logs to project next, without holding their rows.

    Urgent ones come first, then those from which new rules take something back; as long as there
    are any of these, no other is given with them, so that narrowing is done before widening (D22).
    """
    rows = conn.execute(
        select(dirty)
        .order_by(dirty.c.urgent.desc(), dirty.c.narrows.desc(), dirty.c.origin, dirty.c.event)
        .limit(limit)
    ).all()
    alike = takewhile(lambda row: row.narrows == rows[0].narrows, rows)
    return tuple(Dirt(row.origin, row.event, row.gen, row.urgent) for row in alike)


def count_dirt(conn: Connection) -> int:
    """Give how many logs wait to be projected."""
    return conn.execute(select(func.count()).select_from(dirty)).scalar_one()


def hold_dirt(conn: Connection, peeked: Collection[Dirt]) -> frozenset[Dirt]:
    """Hold the marks that nobody has renewed since, or is renewing now, to the end of the unit."""
    rows = conn.execute(
        select(dirty.c.origin, dirty.c.event, dirty.c.gen)
        .where(_is_one_of(dirty, [(mark.origin, mark.event) for mark in peeked]))
        .with_for_update(skip_locked=True)
    )
    held = {(row.origin, row.event, row.gen) for row in rows}
    return frozenset(mark for mark in peeked if (mark.origin, mark.event, mark.gen) in held)


def clear_held(conn: Connection, held: Iterable[Dirt]) -> None:
    """Forget marks that this unit holds."""
    keys = [(mark.origin, mark.event) for mark in held]
    conn.execute(delete(dirty).where(_is_one_of(dirty, keys)))


def set_wakes(conn: Connection, wakes: Mapping[LogKey, datetime | None]) -> None:
    """Note for each of these logs when a verdict on it may next change; None: never."""
    conn.execute(delete(wake).where(_is_one_of(wake, list(wakes))))
    rows = [
        {"origin": origin, "event": event, "at": at}
        for (origin, event), at in wakes.items()
        if at is not None
    ]
    if rows:
        conn.execute(insert(wake), rows)


def mark_all_dirty(conn: Connection) -> None:
    """Mark every log that may travel, in one statement."""
    every = (
        select(log.c.origin, log.c.event, literal(1), false(), false())
        .where(log.c.type != "report")
        .order_by(log.c.origin, log.c.event)
    )
    insert_or = sqlite.insert if conn.dialect.name == "sqlite" else postgresql.insert
    conn.execute(
        insert_or(dirty)
        .from_select(_MARK, every)
        .on_conflict_do_update(index_elements=["origin", "event"], set_={"gen": dirty.c.gen + 1})
    )


def mark_classes(conn: Connection, changed: Collection[int], lowered: Collection[int]) -> int:
    """Mark every log in which a class of these occurs, in one statement; gives how many.

    Where a lowered one occurs the mark narrows. Logs that may travel and whose classes nobody notes
    (our own notes and returns) are marked, too.
    """
    is_lowered = case((log_class.c.class_id.in_(sorted(lowered)), 1), else_=0)
    classed = (
        select(log_class.c.origin, log_class.c.event, func.max(is_lowered).label("lowered"))
        .where(log_class.c.class_id.in_(sorted(changed)))
        .group_by(log_class.c.origin, log_class.c.event)
    )
    is_classed = exists().where(
        log_class.c.origin == log.c.origin, log_class.c.event == log.c.event
    )
    unclassed = select(log.c.origin, log.c.event, literal(0)).where(
        log.c.type.not_in(["event", "report"]), ~is_classed
    )
    found = union_all(classed, unclassed).subquery()
    every = select(
        found.c.origin, found.c.event, literal(1), false(), found.c.lowered == 1
    ).order_by(found.c.origin, found.c.event)
    insert_or = sqlite.insert if conn.dialect.name == "sqlite" else postgresql.insert
    statement = insert_or(dirty).from_select(_MARK, every)
    marked = conn.execute(
        statement.on_conflict_do_update(
            index_elements=["origin", "event"],
            set_={
                "gen": dirty.c.gen + 1,
                "narrows": or_(dirty.c.narrows, statement.excluded.narrows),
            },
        ).execution_options(preserve_rowcount=True)
    )
    return marked.rowcount


def rows_of_logs(
    conn: Connection, logs: Collection[LogKey]
) -> Mapping[LogKey, Mapping[str, OfferRow]]:
    """Give, for each log, the row of each peer that has one."""
    found: dict[LogKey, dict[str, OfferRow]] = {}
    statement = select(outbox).where(_is_one_of(outbox, logs))
    for row in map(_offer_row, conn.execute(statement)):
        found.setdefault((row.origin, row.event), {})[row.peer] = row
    return found


def put_rows(conn: Connection, rows: Iterable[OfferRow]) -> None:
    """Let these be the peers' rows of their logs, instead of those at earlier places."""
    upsert(conn, outbox, list(map(_values, rows)), key=("peer", "origin", "event"))


def refresh_row(conn: Connection, row: OfferRow) -> None:
    """Rewrite a row at its own place: nothing of it changes for the peer that has confirmed it."""
    conn.execute(
        update(outbox)
        .where(outbox.c.peer == row.peer, outbox.c.pos == row.pos)
        .values(_values(row))
    )


def rule_anew(conn: Connection, old: str, new: str) -> None:
    """Let the rows of clean logs that were decided under one rulebook stand under another.

    Only where both say the same of every such row: whatever they differ on is dirty by now.
    """
    conn.execute(update(outbox).where(outbox.c.rulebook == old, ~_IS_DIRTY).values(rulebook=new))


def rows_after(conn: Connection, peer: str, pos: int, limit: int) -> tuple[FeedRow, ...]:
    """Give the peer's rows after the place, in order, at most `limit`."""
    rows = conn.execute(_AFTER, {"whose": peer, "after": pos, "limit": limit})
    return tuple(FeedRow(_offer_row(row), bool(row.is_dirty)) for row in rows)


def clean_places(conn: Connection, peer: str, after: int, upto: int) -> frozenset[int]:
    """Give the places in (after, upto] of the peer's feed that hold rows of clean logs."""
    rows = conn.execute(_CLEAN, {"whose": peer, "after": after, "upto": upto})
    return frozenset(row.pos for row in rows)


def row_by_digest(conn: Connection, peer: str, digest: str) -> FeedRow | None:
    """Give the row of this peer's own feed that names the projection, or None."""
    row = conn.execute(
        _ROWS.where(outbox.c.peer == peer, outbox.c.digest == digest).limit(1)
    ).first()
    return None if row is None else FeedRow(_offer_row(row), bool(row.is_dirty))


def rows_wanted(
    conn: Connection, peer: str, wanted: Collection[bytes | LogKey]
) -> tuple[FeedRow, ...]:
    """Give the rows of this peer's own feed that tell it these names or are of these logs."""
    names = [one for one in wanted if isinstance(one, bytes)]
    logs = [one for one in wanted if not isinstance(one, bytes)]
    found = dict[int, FeedRow]()
    for is_wanted in (outbox.c.told.in_(names), _is_one_of(outbox, logs)):  # each has its index
        rows = conn.execute(_ROWS.where(outbox.c.peer == peer, is_wanted))
        found |= {row.pos: FeedRow(_offer_row(row), bool(row.is_dirty)) for row in rows}
    return tuple(found[pos] for pos in sorted(found))


def holding_sources(conn: Connection, origin: str, event: str) -> tuple[str, ...]:
    """Give the sources that hold something of the log out to us."""
    rows = conn.execute(
        select(holding.c.src)
        .where(holding.c.origin == origin, holding.c.event == event)
        .order_by(holding.c.src)
    )
    return tuple(row.src for row in rows)


def find_seen(conn: Connection, src: str, origin: str, event: str) -> SeenRow | None:
    """Give what the source last told us of the log, or None."""
    row = conn.execute(_SEEN, {"src": src, "origin": origin, "event": event}).first()
    return None if row is None else _seen_row(row)


def find_all_seen(conn: Connection, src: str, keys: Collection[LogKey]) -> dict[LogKey, SeenRow]:
    """Give what the source last told us of those of these logs that it ever told us of."""
    rows = conn.execute(_ALL_SEEN, {"src": src, "keys": list(keys)}) if keys else ()
    return {(row.origin, row.event): _seen_row(row) for row in rows}


def seen_in_other_lives(conn: Connection, src: str, incarnation: str) -> tuple[SeenRow, ...]:
    """Give what we hold from the source only by the word of an earlier life of its feed."""
    rows = conn.execute(
        select(seen).where(
            seen.c.src == src, seen.c.incarnation != incarnation, seen.c.digest.is_not(None)
        )
    )
    return tuple(map(_seen_row, rows))


def put_seen(conn: Connection, rows: Iterable[SeenRow]) -> None:
    """Remember what sources told us, instead of what they told before."""
    by_source = dict[str, list[SeenRow]]()
    for row in rows:
        by_source.setdefault(row.src, []).append(row)
    for src in sorted(by_source):
        _put_seen(conn, src, by_source[src])


def _put_seen(conn: Connection, src: str, rows: Collection[SeenRow]) -> None:
    whole = lock_set(conn, src, Side.ITS)
    before = find_all_seen(conn, src, [(row.origin, row.event) for row in rows])
    upsert(conn, seen, [{name: getattr(row, name) for name in _SEEN_NAMES} for row in rows])
    for row in rows:
        old = before.get((row.origin, row.event))
        whole += Fingerprint.step(None if old is None else old.told, row.told)
    put_set(conn, src, Side.ITS, whole)


def _is_one_of(table: Table, logs: Collection[LogKey]) -> ColumnElement[bool]:
    return tuple_(table.c.origin, table.c.event).in_(list(logs))


def _seen_row(row: Row[Any]) -> SeenRow:
    return SeenRow(**{name: getattr(row, name) for name in _SEEN_NAMES})


def _offer_row(row: Row[Any]) -> OfferRow:
    values = {name: getattr(row, name) for name in _OFFER_NAMES}
    return OfferRow(**{**values, "withheld": tuple(map(_ground, json.loads(row.withheld)))})


def _ground(members: Mapping[str, Any]) -> Ground:
    return Ground(**{**members, "fields": tuple(members["fields"])})


def _values(row: OfferRow) -> dict[str, object]:
    values = {name: getattr(row, name) for name in _OFFER_NAMES}
    withheld = json.dumps([ground.members() for ground in row.withheld])
    return {**values, "withheld": withheld, "told": row.told}

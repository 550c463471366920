"""The index of what can be read and searched.

One row per disclosed core (its info) and attribute of the holding readers go by; a value made of
parts ("name|hash") has one row more for each part, so that each is found alone. Rows are an index:
all of them can be made again from the package. Report logs have none.

Every question here takes a `Gate` and is answered over what that reader may see, never over more:
hits, counts, pages (D34).
"""

import hashlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import (
    ColumnElement,
    Connection,
    and_,
    bindparam,
    delete,
    exists,
    func,
    insert,
    or_,
    select,
    tuple_,
)

from node.storage.classes import SlotFacts, class_ids, set_log_classes
from node.storage.gate import Gate, class_is_telling, entry_is_seen, is_own
from node.storage.notes import set_about
from node.storage.tables import entry, holding, log, log_class

CORE = 1
ATTRIBUTE = 2
_BATCH = 1000
_HELD_ENTRIES = entry.join(
    holding,
    and_(
        holding.c.origin == entry.c.origin,
        holding.c.event == entry.c.event,
        holding.c.src == entry.c.src,
    ),
).join(log, and_(log.c.origin == entry.c.origin, log.c.event == entry.c.event))

LogKey = tuple[str, str]  # (origin, event)

# Asked for every page that comes: built once.
_STORED = select(
    entry.c.id,
    *(entry.c[name] for name in ("origin", "event", "src", "record", "kind", "uuid", "type")),
    *(entry.c[name] for name in ("value", "head_class", "value_class", "value_key")),
).where(tuple_(entry.c.origin, entry.c.event).in_(bindparam("keys", expanding=True)))
_FORGET = delete(entry).where(entry.c.id.in_(bindparam("ids", expanding=True)))
_INSERT = insert(entry)


@dataclass(frozen=True, slots=True)
class NewEntry:
    """A row to be: a core's info or an attribute's value, with the classes of its two slots.

    `keys` are what it is found by, worked out here so that no unit of work waits for it.
    """

    record: int
    kind: int
    uuid: str
    type: str
    value: str
    head: SlotFacts
    valued: SlotFacts
    keys: frozenset[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Hash the value, and its parts where it has some."""
        texts = found_by(self.type, self.value) if self.kind == ATTRIBUTE else (self.value,)
        object.__setattr__(self, "keys", frozenset(map(value_key, texts)))


@dataclass(frozen=True, slots=True)
class LogIndex:
    """All index rows of one log, made before the unit opens."""

    entries: tuple[NewEntry, ...]
    classes: frozenset[SlotFacts]
    about: LogKey | None = None  # of a note: the log it is about


@dataclass(frozen=True, slots=True)
class NewIndex:
    """The index of a log as it is to be, made from what `src` gave us."""

    key: LogKey
    src: str
    index: LogIndex


@dataclass(frozen=True, slots=True)
class Info:
    """What a log says it is about, and the class of the slot that says it."""

    text: str
    class_id: int


@dataclass(frozen=True, slots=True)
class SeenLog:
    """A log of which the reader may see something; `info` is None where its core is withheld."""

    origin: str
    event: str
    first_seen_at: datetime
    own: bool
    published: bool
    epoch: int
    seq: int
    source: str | None
    report: str | None
    info: Info | None
    attributes: int


@dataclass(frozen=True, slots=True)
class SeenValue:
    """An attribute that the reader may see, found by its value or a part of it."""

    origin: str
    event: str
    uuid: str
    type: str
    value: str
    class_id: int
    info: Info | None


def value_key(value: str) -> str:
    """Give the key under which a value is found, whatever its case."""
    return hashlib.sha256(value.strip().casefold().encode()).hexdigest()


def found_by(attribute_type: str, value: str) -> tuple[str, ...]:
    """Give what an attribute is found by: its whole value, and each part of "name|hash".

    A port alone finds nothing: everything has one.
    """
    types = "filename|md5" if attribute_type == "malware-sample" else attribute_type
    if "|" not in value or "|" not in types:
        return (value,)
    parts = zip(types.split("|"), value.split("|"), strict=False)
    return (value, *(text for kind, text in parts if kind != "port"))


def replace_index(conn: Connection, origin: str, event: str, src: str, index: LogIndex) -> None:
    """Let the index of the log be this one, made from what `src` gave us."""
    replace_indexes(conn, [NewIndex((origin, event), src, index)])


def replace_indexes(conn: Connection, indexes: Sequence[NewIndex]) -> None:
    """The same for several logs; rows that stay are not written again."""
    if not indexes:
        return
    ids = class_ids(conn, frozenset().union(*(one.index.classes for one in indexes)))
    missing = {tuple(row.values()): row for one in indexes for row in _rows(one, ids)}
    gone = [
        number
        for number, *row in conn.execute(_STORED, {"keys": [one.key for one in indexes]})
        if missing.pop(tuple(row), None) is None
    ]
    for start in range(0, len(gone), _BATCH):
        conn.execute(_FORGET, {"ids": gone[start : start + _BATCH]})
    new = [*missing.values()]
    for start in range(0, len(new), _BATCH):
        conn.execute(_INSERT, new[start : start + _BATCH])
    set_log_classes(
        conn, {one.key: (one.src, [ids[each] for each in one.index.classes]) for one in indexes}
    )
    for one in indexes:
        if one.index.about is not None:
            set_about(conn, one.key, one.index.about)


def _rows(new: NewIndex, ids: Mapping[SlotFacts, int]) -> Iterator[dict[str, object]]:
    for one in new.index.entries:
        row: dict[str, object] = {
            "origin": new.key[0],
            "event": new.key[1],
            "src": new.src,
            "record": one.record,
            "kind": one.kind,
            "uuid": one.uuid,
            "type": one.type,
            "value": one.value,
            "head_class": ids[one.head],
            "value_class": ids[one.valued],
        }
        for key in one.keys:
            yield {**row, "value_key": key}


def erase_index(conn: Connection, origin: str, event: str) -> None:
    """Forget every index row of the log."""
    conn.execute(delete(entry).where(entry.c.origin == origin, entry.c.event == event))
    set_log_classes(conn, {(origin, event): (origin, ())})
    set_about(conn, (origin, event), None)


def seen_logs(
    conn: Connection, gate: Gate, *, after: LogKey | None, limit: int
) -> tuple[SeenLog, ...] | None:
    """Give the logs of which the reader may see something, newest first.

    `after` is the last log of the page before. None: the reader sees no such log, so it cannot
    have been on any page of his.
    """
    statement = (
        select(log, is_own(gate).label("own"))
        .where(log.c.type == "event", _is_seen(gate))
        .order_by(log.c.first_seen_at.desc(), log.c.origin, log.c.event)
        .limit(limit)
    )
    if after is not None:
        at = _place(conn, gate, after)
        if at is None:
            return None
        statement = statement.where(_is_behind(at, after))
    rows = conn.execute(statement).all()
    keys = [(row.origin, row.event) for row in rows]
    infos, counts = _infos(conn, gate, keys), _counts(conn, gate, keys)
    return tuple(
        SeenLog(
            origin=row.origin,
            event=row.event,
            first_seen_at=row.first_seen_at,
            own=bool(row.own),
            published=row.published,
            epoch=row.epoch,
            seq=row.seq,
            source=row.source,
            report=row.report,
            info=infos.get(key),
            attributes=counts.get(key, 0),
        )
        for key, row in zip(keys, rows, strict=True)
    )


def seen_values(conn: Connection, gate: Gate, value: str, limit: int) -> tuple[SeenValue, ...]:
    """Give the attributes that have this value, or a part that does, newest log first."""
    wanted = (
        entry.c.origin,
        entry.c.event,
        entry.c.record,
        entry.c.uuid,
        entry.c.type,
        entry.c.value,
        entry.c.value_class,
        log.c.first_seen_at,
    )
    rows = conn.execute(
        select(*wanted)
        .distinct()
        .select_from(_HELD_ENTRIES)
        .where(entry.c.kind == ATTRIBUTE, entry.c.value_key == value_key(value))
        .where(entry_is_seen(gate))
        .order_by(log.c.first_seen_at.desc(), entry.c.origin, entry.c.event, entry.c.record)
        .limit(limit)
    ).all()
    infos = _infos(conn, gate, {(row.origin, row.event) for row in rows})
    return tuple(
        SeenValue(
            origin=row.origin,
            event=row.event,
            uuid=row.uuid,
            type=row.type,
            value=row.value,
            class_id=row.value_class,
            info=infos.get((row.origin, row.event)),
        )
        for row in rows
    )


def _is_seen(gate: Gate) -> ColumnElement[bool]:
    """Whether the reader may see anything of the log of the outer query."""
    held = log_class.join(
        holding,
        and_(
            holding.c.origin == log_class.c.origin,
            holding.c.event == log_class.c.event,
            holding.c.src == log_class.c.src,
        ),
    )
    return exists(
        select(log_class.c.class_id)
        .select_from(held)
        .where(log_class.c.origin == log.c.origin, log_class.c.event == log.c.event)
        .where(class_is_telling(gate))
        .correlate(log)
    )


def _place(conn: Connection, gate: Gate, key: LogKey) -> datetime | None:
    """Give the instant by which the log is placed in lists, if the reader sees it."""
    return conn.execute(
        select(log.c.first_seen_at)
        .where(log.c.type == "event", log.c.origin == key[0], log.c.event == key[1])
        .where(_is_seen(gate))
    ).scalar_one_or_none()


def _is_behind(at: datetime, key: LogKey) -> ColumnElement[bool]:
    return or_(
        log.c.first_seen_at < at,
        and_(log.c.first_seen_at == at, tuple_(log.c.origin, log.c.event) > tuple_(*key)),
    )


def _infos(conn: Connection, gate: Gate, keys: Collection[LogKey]) -> Mapping[LogKey, Info]:
    rows = conn.execute(
        select(entry.c.origin, entry.c.event, entry.c.value, entry.c.value_class)
        .select_from(_HELD_ENTRIES)
        .where(entry.c.kind == CORE, _is_one_of(keys), entry_is_seen(gate))
    )
    return {(row.origin, row.event): Info(row.value, row.value_class) for row in rows}


def _counts(conn: Connection, gate: Gate, keys: Collection[LogKey]) -> Mapping[LogKey, int]:
    rows = conn.execute(
        select(entry.c.origin, entry.c.event, func.count(entry.c.record.distinct()).label("n"))
        .select_from(_HELD_ENTRIES)
        .where(entry.c.kind == ATTRIBUTE, _is_one_of(keys), entry_is_seen(gate))
        .group_by(entry.c.origin, entry.c.event)
    )
    return {(row.origin, row.event): row.n for row in rows}


def _is_one_of(keys: Collection[LogKey]) -> ColumnElement[bool]:
    return tuple_(entry.c.origin, entry.c.event).in_(sorted(keys))

"""The disclosure ledger: what was given to whom, when, under which rulebook; and who confirmed it.

Lines are only ever added, and outlive what they tell of: a recall, a withdrawal or an erasure takes
the bytes, not the line. A line says "given" when its page was handed to the network; it counts as
confirmed by the first acknowledgement of that feed at or behind its place: the peer came back,
signed, with a cursor that only the page could have given it. What stood at
which place of a log is kept beside it, without its value: a keyed hash finds it again.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, func, insert, or_, select, tuple_

from node.storage.store import insert_missing, insert_new
from node.storage.tables_feed import ledger, ledger_ack, ledger_record

FILE = ""  # the "feed" of what was handed over as a file
_BATCH = 1000

# Asked for every item: built once.
_LAST = (
    select(ledger)
    .where(
        ledger.c.origin == bindparam("origin"),
        ledger.c.event == bindparam("event"),
        ledger.c.party == bindparam("party"),
        ledger.c.feed == bindparam("feed"),
        ledger.c.pos <= bindparam("upto"),
    )
    .order_by(ledger.c.pos.desc(), ledger.c.id.desc())
    .limit(1)
)
_RECORDED = select(
    ledger_record.c.origin,
    ledger_record.c.event,
    ledger_record.c.epoch,
    ledger_record.c.record,
    ledger_record.c.slot_type,
).where(
    tuple_(ledger_record.c.origin, ledger_record.c.event, ledger_record.c.epoch).in_(
        bindparam("logs", expanding=True)
    ),
    ledger_record.c.record >= bindparam("lowest"),
)

LogEpoch = tuple[str, str, int]  # (origin, event, epoch): places mean the same within it


@dataclass(frozen=True, slots=True)
class GivenRow:
    """One line: something of a log was given to a party, or taken back from it.

    `feed` and `pos` are its place in the party's feed; a file has none. Of a PUT, `size` counts the
    records of the version, `void` tells which of them were void (`seal.tables.encode_void`).
    """

    party: str
    feed: str
    pos: int
    origin: str
    event: str
    op: str
    epoch: int
    seq: int
    seal: str
    digest: str | None
    map: bytes | None = field(repr=False)
    size: int | None
    void: bytes | None = field(repr=False)
    rulebook: str
    given_at: datetime


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """A party confirmed all of its feed up to `pos`; `request` is its signed word for it."""

    party: str
    feed: str
    pos: int
    at: datetime
    request: bytes | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class RecordRow:
    """What stood at a place of a log; `key` finds the value of its slot of type `slot_type`.

    `types` are those of its slots, in order. A record without a value has a row without a key.
    """

    origin: str
    event: str
    epoch: int
    record: int
    uuid: str
    kind: int
    what: str
    types: tuple[int, ...]
    slot_type: int
    key: str


def add_given(conn: Connection, rows: Iterable[GivenRow]) -> None:
    """Keep what is given; the very same page given again is one line, at its first time."""
    names = [each.name for each in fields(GivenRow)]
    insert_missing(conn, ledger, [{name: getattr(row, name) for name in names} for row in rows])


def add_acknowledgement(conn: Connection, ack: Acknowledgement) -> None:
    """Keep what a party confirmed; the first word for a place stands."""
    insert_new(conn, ledger_ack, {each.name: getattr(ack, each.name) for each in fields(ack)})


def recorded(
    conn: Connection, logs: Collection[LogEpoch], *, lowest: int
) -> Mapping[LogEpoch, Collection[tuple[int, int]]]:
    """Give what is kept already of each log from a place on: place and type of slot."""
    found: dict[LogEpoch, set[tuple[int, int]]] = {log: set() for log in logs}
    asked = {"logs": sorted(logs), "lowest": lowest}
    for row in conn.execute(_RECORDED, asked) if logs else ():
        found[row.origin, row.event, row.epoch].add((row.record, row.slot_type))
    return found


def add_records(conn: Connection, rows: Sequence[RecordRow]) -> None:
    """Keep what stands at places of logs that were not kept yet."""
    names = [each.name for each in fields(RecordRow) if each.name != "types"]
    values = [
        {**{name: getattr(row, name) for name in names}, "types": bytes(row.types).hex()}
        for row in rows
    ]
    for start in range(0, len(values), _BATCH):
        conn.execute(insert(ledger_record), values[start : start + _BATCH])


def given_of(conn: Connection, logs: Collection[tuple[str, str]]) -> tuple[GivenRow, ...]:
    """Give every line about these logs, in the order they were written."""
    rows: list[GivenRow] = []
    for origin, event in sorted(logs):
        found = conn.execute(
            select(ledger)
            .where(ledger.c.origin == origin, ledger.c.event == event)
            .order_by(ledger.c.id)
        )
        rows += map(_given, found)
    return tuple(rows)


def last_given(
    conn: Connection, party: str, feed: str, log: tuple[str, str], upto: int
) -> GivenRow | None:
    """Give the last line about a log at or before a place of the party's feed."""
    asked = {"origin": log[0], "event": log[1], "party": party, "feed": feed, "upto": upto}
    row = conn.execute(_LAST, asked).first()
    return None if row is None else _given(row)


def acknowledgements_for(
    conn: Connection, given: Collection[GivenRow]
) -> Mapping[GivenRow, Acknowledgement]:
    """Give the acknowledgement that confirmed each line; a line without one is not confirmed."""
    found = {row: _first_acknowledgement(conn, row) for row in given if row.feed != FILE}
    return {row: ack for row, ack in found.items() if ack is not None}


def records_of(conn: Connection, logs: Collection[tuple[str, str]]) -> tuple[RecordRow, ...]:
    """Give what is kept of the places of these logs."""
    rows: list[RecordRow] = []
    for origin, event in sorted(logs):
        found = conn.execute(
            select(ledger_record)
            .where(ledger_record.c.origin == origin, ledger_record.c.event == event)
            .order_by(ledger_record.c.epoch, ledger_record.c.record, ledger_record.c.id)
        )
        rows += map(_record, found)
    return tuple(rows)


def records_with(conn: Connection, keys: Collection[str]) -> tuple[RecordRow, ...]:
    """Give the places at which a value with one of these keys stood."""
    found = conn.execute(
        select(ledger_record)
        .where(or_(*(ledger_record.c.key == key for key in sorted(keys))))
        .order_by(ledger_record.c.id)
    )
    return tuple(map(_record, found))


def count_given(conn: Connection) -> int:
    """Give how many lines there are."""
    return conn.execute(select(func.count()).select_from(ledger)).scalar_one()


def _first_acknowledgement(conn: Connection, given: GivenRow) -> Acknowledgement | None:
    row = conn.execute(
        select(ledger_ack)
        .where(
            ledger_ack.c.party == given.party,
            ledger_ack.c.feed == given.feed,
            ledger_ack.c.pos >= given.pos,
            ledger_ack.c.at >= given.given_at,
        )
        .order_by(ledger_ack.c.pos)
        .limit(1)
    ).first()
    if row is None:
        return None
    return Acknowledgement(
        **{each.name: getattr(row, each.name) for each in fields(Acknowledgement)}
    )


def _given(row: Row[Any]) -> GivenRow:
    return GivenRow(**{each.name: getattr(row, each.name) for each in fields(GivenRow)})


def _record(row: Row[Any]) -> RecordRow:
    values = {each.name: getattr(row, each.name) for each in fields(RecordRow)}
    return RecordRow(**{**values, "types": tuple(bytes.fromhex(row.types))})

"""What persons released from a hold: for one party, one slot and exactly these bytes (D16).

An act is one person's signed word, kept as it was said. A release is what enough acts add up to: it
names H(slot bytes), so it survives compaction and dies when the value is edited. Neither is ever
changed or taken away.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, insert, select

from node.storage.store import insert_new, lock_name
from node.storage.tables import act, act_slot, release


class HeldSlot(NamedTuple):
    """One slot of a log with its very content: SHA-256 of its bytes, hex."""

    record: str
    slot_type: int
    slot_hash: str


@dataclass(frozen=True, slots=True)
class ActRow:
    """What one person said: these slots of this log may go to this party; `envelope` proves it."""

    origin: str
    event: str
    party: str
    person: str
    role: str
    ground: str
    reference: str
    reason: str
    envelope: bytes = field(repr=False)
    acted_at: datetime
    slots: frozenset[HeldSlot]


@dataclass(frozen=True, slots=True)
class ReleaseRow:
    """One release that counts."""

    origin: str
    event: str
    record: str
    slot_type: int
    slot_hash: str
    party: str
    released_at: datetime


def lock_releases(conn: Connection, origin: str, event: str) -> None:
    """Let nobody else act on this log's holds before the end of the unit."""
    lock_name(conn, f"release {origin} {event}")


def add_act(conn: Connection, row: ActRow) -> None:
    """Keep what somebody said."""
    names = [name for name in ActRow.__dataclass_fields__ if name != "slots"]
    values = {name: getattr(row, name) for name in names}
    made = conn.execute(insert(act).values(**values).returning(act.c.id)).scalar_one()
    conn.execute(insert(act_slot), [{"act": made, **each._asdict()} for each in sorted(row.slots)])


def acts_of(conn: Connection, origin: str, event: str) -> tuple[ActRow, ...]:
    """Give every act on the log's slots, for all parties, oldest first."""
    acts = conn.execute(
        select(act).where(act.c.origin == origin, act.c.event == event).order_by(act.c.id)
    ).all()
    slots: dict[int, list[HeldSlot]] = {}
    for row in conn.execute(select(act_slot).where(act_slot.c.act.in_([each.id for each in acts]))):
        slots.setdefault(row.act, []).append(HeldSlot(row.record, row.slot_type, row.slot_hash))
    names = [name for name in ActRow.__dataclass_fields__ if name != "slots"]
    return tuple(
        ActRow(
            **{name: getattr(each, name) for name in names},
            slots=frozenset(slots.get(each.id, ())),
        )
        for each in acts
    )


def releases_of(conn: Connection, origin: str, event: str) -> tuple[ReleaseRow, ...]:
    """Give every release of the log, for all parties, oldest first."""
    rows = conn.execute(
        select(release)
        .where(release.c.origin == origin, release.c.event == event)
        .order_by(release.c.id)
    )
    names = ReleaseRow.__dataclass_fields__
    return tuple(ReleaseRow(**{name: getattr(row, name) for name in names}) for row in rows)


def add_releases(
    conn: Connection, log: tuple[str, str], party: str, slots: Iterable[HeldSlot], at: datetime
) -> Sequence[HeldSlot]:
    """Keep releases; gives those that were not there already."""
    origin, event = log
    return [
        slot
        for slot in sorted(slots)
        if insert_new(
            conn,
            release,
            {
                "origin": origin,
                "event": event,
                **slot._asdict(),
                "party": party,
                "released_at": at,
            },
        )
    ]

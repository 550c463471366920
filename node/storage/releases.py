"""What persons released from a hold: for one party, one slot and exactly these bytes (D16).

An act is one person's signed word, kept as it was said. A release is what enough acts add up to: it
names H(slot bytes), so it survives compaction and dies when the value is edited. Neither is ever
changed or taken away; but a release counts only where its acts meet what is needed now, so it rests
under a stricter label or rulebook until more persons have acted.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, insert, select

from node.storage.store import insert_new, lock_name
from node.storage.tables import act, act_slot, release
from policies.release import Act, Ground, needs_met
from sharing.verdicts import Release


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

    def is_on(self, slot: HeldSlot, party: str) -> bool:
        """Whether it says that this slot may go to this party."""
        return self.party == party and slot in self.slots


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


def releases_of(conn: Connection, origin: str, event: str) -> tuple[Release, ...]:
    """Give every release of the log, for all parties, oldest first, by what its acts meet by now.

    Where acts on different grounds have released a slot it stands there for each of them.
    """
    rows = conn.execute(
        select(release)
        .where(release.c.origin == origin, release.c.event == event)
        .order_by(release.c.id)
    ).all()
    acts = acts_of(conn, origin, event) if rows else ()
    found = list[Release]()
    for row in rows:
        slot = HeldSlot(row.record, row.slot_type, row.slot_hash)
        for met in needs_met(said_of(acts, slot, row.party)):
            found.append(Release(*slot, row.party, met))
    return tuple(found)


def said_of(acts: Iterable[ActRow], slot: HeldSlot, party: str) -> list[Act]:
    """Give what persons said of one slot and one party."""
    return [
        Act(act.person, act.role, Ground(act.ground), act.reference)
        for act in acts
        if act.is_on(slot, party)
    ]


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

"""What a person released from a hold: for one party, one slot and exactly these bytes (D16).

A release names H(slot bytes), so it survives compaction and dies when the value is edited.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from node.storage.store import insert_new
from node.storage.tables import release


@dataclass(frozen=True, slots=True)
class ReleaseRow:
    """One release, with who answers for it."""

    origin: str
    event: str
    record: str
    slot_type: int
    slot_hash: str
    party: str
    released_by: str
    reason: str
    released_at: datetime


def releases_of(conn: Connection, origin: str, event: str) -> tuple[ReleaseRow, ...]:
    """Give every release of the log, for all parties, oldest first."""
    rows = conn.execute(
        select(release)
        .where(release.c.origin == origin, release.c.event == event)
        .order_by(release.c.id)
    )
    return tuple(
        ReleaseRow(
            origin=row.origin,
            event=row.event,
            record=row.record,
            slot_type=row.slot_type,
            slot_hash=row.slot_hash,
            party=row.party,
            released_by=row.released_by,
            reason=row.reason,
            released_at=row.released_at,
        )
        for row in rows
    )


def add_release(conn: Connection, row: ReleaseRow) -> bool:
    """Keep a release; False: the same one was there already."""
    return insert_new(
        conn,
        release,
        {
            "origin": row.origin,
            "event": row.event,
            "record": row.record,
            "slot_type": row.slot_type,
            "slot_hash": row.slot_hash,
            "party": row.party,
            "released_by": row.released_by,
            "reason": row.reason,
            "released_at": row.released_at,
        },
    )

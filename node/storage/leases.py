"""Who leads: one row a name, with a fence that grows whenever the leader changes.

The leader checks its row inside each of its own transactions (`check`), so that one that slept
through the end of its lease commits nothing. Time here is wall time, never an exercise's.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, select, update

from node.storage.errors import LostLeaseError
from node.storage.store import insert_new
from node.storage.tables_feed import lease


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to lead that `owner` took; a later leader has a greater fence."""

    name: str
    owner: str
    fence: int


def take(
    conn: Connection, name: str, owner: str, *, now: datetime, length: timedelta
) -> Lease | None:
    """Take the lease or prolong one's own; None: somebody else leads."""
    until = now + length
    fresh = {"name": name, "owner": owner, "fence": 1, "until": until}
    if insert_new(conn, lease, fresh):
        return Lease(name, owner, 1)
    row = conn.execute(select(lease).where(lease.c.name == name).with_for_update()).one()
    if row.owner != owner and row.until > now:
        return None
    fence = row.fence if row.owner == owner else row.fence + 1
    conn.execute(
        update(lease).where(lease.c.name == name).values(owner=owner, fence=fence, until=until)
    )
    return Lease(name, owner, fence)


def check(conn: Connection, held: Lease) -> None:
    """Hold the lease's row to the end of this unit.

    Raises:
        LostLeaseError: somebody else leads now.
    """
    row = conn.execute(
        select(lease.c.fence).where(lease.c.name == held.name).with_for_update(read=True)
    ).first()
    if row is None or row.fence != held.fence:
        raise LostLeaseError(f"lease {held.name}: {held.owner} no longer leads")


def give_back(conn: Connection, held: Lease, *, now: datetime) -> None:
    """End the lease now, so that the next leader need not wait; the fence stays."""
    conn.execute(
        update(lease)
        .where(lease.c.name == held.name, lease.c.fence == held.fence)
        .values(until=now)
    )

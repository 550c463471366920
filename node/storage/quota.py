"""How much each source brought of whose logs, by the day."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Connection, select, update

from node.storage.store import insert_new
from node.storage.tables_feed import brought


def add_brought(conn: Connection, src: str, share: str, *, day: datetime, size_bytes: int) -> None:
    """Count what a source brings on this day to one of its shares."""
    row = {"src": src, "share": share, "day": day, "size_bytes": size_bytes}
    if not insert_new(conn, brought, row):
        is_it = (brought.c.src == src, brought.c.share == share, brought.c.day == day)
        more = brought.c.size_bytes + size_bytes
        conn.execute(update(brought).where(*is_it).values(size_bytes=more))


def brought_on(conn: Connection, src: str, day: datetime) -> Mapping[str, int]:
    """Give the bytes that a source brought on this day, share by share."""
    asked = select(brought.c.share, brought.c.size_bytes).where(
        brought.c.src == src, brought.c.day == day
    )
    return {row.share: row.size_bytes for row in conn.execute(asked)}

"""How much each source brought, by the day."""

from datetime import datetime

from sqlalchemy import Connection, update

from node.storage.store import insert_new
from node.storage.tables_feed import brought


def add_brought(conn: Connection, src: str, *, day: datetime, size_bytes: int) -> int:
    """Count what a source brings on this day; gives the bytes it had brought on it before."""
    if insert_new(conn, brought, {"src": src, "day": day, "size_bytes": size_bytes}):
        return 0
    counted = (
        update(brought)
        .where(brought.c.src == src, brought.c.day == day)
        .values(size_bytes=brought.c.size_bytes + size_bytes)
        .returning(brought.c.size_bytes)
    )
    return int(conn.execute(counted).scalar_one()) - size_bytes

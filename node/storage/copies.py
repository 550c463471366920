"""Copies of a log's rows under other uuids: a full database in a minute, to measure with.

For benches alone. What is copied was sealed under another uuid, so it can be neither shown nor
sent: it is there to be searched through.
"""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import Connection, insert, select, update

from node.storage.tables import holding, log
from node.storage.tables_feed import ledger, outbox, peer, seen

_FIRST_FREE = 3  # the place of the log that is copied lies before


def copy_log(conn: Connection, event: str, numbers: Collection[int]) -> None:
    """Copy all rows of a log that was given or taken, once for each number."""
    for table in (log, holding, outbox, ledger, seen):
        found = conn.execute(select(table).where(table.c.event == event)).mappings().first()
        if found is None:
            continue
        row = {name: value for name, value in found.items() if name != "id"}
        rows = [{**row, "event": str(UUID(int=n))} for n in numbers]
        if "pos" in row:
            rows = [{**one, "pos": n + _FIRST_FREE} for n, one in zip(numbers, rows, strict=True)]
        conn.execute(insert(table), rows)


def move_feeds(conn: Connection, pos: int) -> None:
    """Let the feeds that we serve go on behind a place, all before it confirmed."""
    conn.execute(update(peer).values(head_pos=pos, acked_pos=pos))

"""What must be projected anew: the dirty set, and the instants at which a verdict may change.

Dirt is a set, not a log. Whoever changes what a party may see marks the log in the same unit;
marking it again raises `gen`, so that a projector which took the row before the change does not
clear it afterwards. The notes about a log are marked with it, since they are as strict as it is. A
mark that `narrows` (`feed.mark_classes`) says that new rules take something of the log back from
somebody. Rows are written in (origin, event) order, so that two units marking the same logs never
wait for each other in a ring.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, and_, delete, or_, select
from sqlalchemy.dialects import postgresql, sqlite

from node.storage.notes import notes_about
from node.storage.store import upsert
from node.storage.tables_feed import dirty, wake

LogKey = tuple[str, str]  # (origin, event)


def _marking(
    statement: sqlite.Insert | postgresql.Insert,
) -> sqlite.Insert | postgresql.Insert:
    return statement.on_conflict_do_update(
        index_elements=["origin", "event"],
        set_={"gen": dirty.c.gen + 1, "urgent": or_(dirty.c.urgent, statement.excluded.urgent)},
    )


# Done with every change: built once.
_MARK = {"sqlite": _marking(sqlite.insert(dirty)), "postgresql": _marking(postgresql.insert(dirty))}


@dataclass(frozen=True, slots=True)
class Dirt:
    """A log to project anew, as it was marked when it was taken."""

    origin: str
    event: str
    gen: int
    urgent: bool


def mark_dirty(conn: Connection, logs: Iterable[LogKey], *, urgent: bool = False) -> None:
    """Mark the logs and the notes about them; an urgent mark stays urgent until it is cleared."""
    marked = set(logs)
    rows = [
        {"origin": origin, "event": event, "gen": 1, "urgent": urgent}
        for origin, event in sorted(marked.union(notes_about(conn, marked)))
    ]
    if not rows:
        return
    conn.execute(_MARK[conn.dialect.name], rows)


def clear_dirt(conn: Connection, taken: Iterable[Dirt]) -> None:
    """Forget the marks that nobody has renewed since they were taken."""
    for mark in taken:
        conn.execute(
            delete(dirty).where(
                and_(
                    dirty.c.origin == mark.origin,
                    dirty.c.event == mark.event,
                    dirty.c.gen == mark.gen,
                )
            )
        )


def is_dirty(conn: Connection, origin: str, event: str) -> bool:
    """Tell whether the log waits for the projector."""
    found = conn.execute(
        select(dirty.c.gen).where(dirty.c.origin == origin, dirty.c.event == event)
    )
    return found.first() is not None


def set_wake(conn: Connection, origin: str, event: str, at: datetime | None) -> None:
    """Note the next instant at which a verdict on the log may change; None: never."""
    if at is None:
        conn.execute(delete(wake).where(wake.c.origin == origin, wake.c.event == event))
    else:
        upsert(conn, wake, {"origin": origin, "event": event, "at": at})


def wake_due(conn: Connection, now: datetime) -> int:
    """Turn every instant that has come into dirt; gives how many there were."""
    rows = conn.execute(select(wake.c.origin, wake.c.event).where(wake.c.at <= now)).all()
    due = [(row.origin, row.event) for row in rows]
    mark_dirty(conn, due)
    conn.execute(delete(wake).where(wake.c.at <= now))
    return len(due)

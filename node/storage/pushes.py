"""Which urgent rows of the peers' feeds are pushed, and how far each push is."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, and_, exists, or_, select, update

from node.storage.store import upsert
from node.storage.tables_feed import dirty, outbox, peer, push


@dataclass(frozen=True, slots=True)
class DuePush:
    """An urgent row that the peer has not confirmed; `tries` is how often it was pushed in vain."""

    peer: str
    pos: int
    origin: str
    event: str
    tries: int


def due_pushes(conn: Connection, now: datetime) -> tuple[DuePush, ...]:
    """Give what is to be pushed now: at most one row a peer, the first in its feed.

    A row whose log is being decided anew waits; so does one that the peer took, or was tried and
    is not due again.
    """
    is_dirty = exists().where(dirty.c.origin == outbox.c.origin, dirty.c.event == outbox.c.event)
    rows = conn.execute(
        select(
            outbox.c.peer, outbox.c.pos, outbox.c.origin, outbox.c.event, push.c.pos, push.c.tries
        )
        .join(peer, peer.c.org == outbox.c.peer)
        .join(
            push,
            and_(
                push.c.peer == outbox.c.peer,
                push.c.origin == outbox.c.origin,
                push.c.event == outbox.c.event,
            ),
            isouter=True,
        )
        .where(outbox.c.urgent, outbox.c.pos > peer.c.acked_pos, ~is_dirty)
        .where(
            or_(
                push.c.pos.is_(None),
                push.c.pos != outbox.c.pos,
                and_(push.c.pushed_at.is_(None), push.c.next_try_at <= now),
            )
        )
        .order_by(outbox.c.peer, outbox.c.pos)
    )
    first = dict[str, DuePush]()
    for org, pos, origin, event, pushed_pos, tries in rows:
        again = tries if pushed_pos == pos else 0
        first.setdefault(org, DuePush(org, pos, origin, event, again))
    return tuple(first.values())


def note_pushed(conn: Connection, one: DuePush, at: datetime) -> None:
    """The peer took it."""
    _put(conn, one, pushed_at=at, next_try_at=None, last_error=None)


def note_push_failed(conn: Connection, one: DuePush, *, again_at: datetime, error: str) -> None:
    """The peer did not take it: try again then."""
    _put(conn, one, pushed_at=None, next_try_at=again_at, last_error=error)


def pull_soon(conn: Connection, org: str, now: datetime) -> None:
    """Let it be the peer's turn to be asked for its feed."""
    conn.execute(update(peer).where(peer.c.org == org).values(next_try_at=now))


def _put(
    conn: Connection,
    one: DuePush,
    *,
    pushed_at: datetime | None,
    next_try_at: datetime | None,
    last_error: str | None,
) -> None:
    upsert(
        conn,
        push,
        {
            "peer": one.peer,
            "origin": one.origin,
            "event": one.event,
            "pos": one.pos,
            "tries": one.tries + 1,
            "pushed_at": pushed_at,
            "next_try_at": next_try_at,
            "last_error": last_error,
        },
    )

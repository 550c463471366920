"""After a restore: what is still awaited, and how far others know our own logs.

A row of `restoring` for our own organisation stands until an operator ends the restore; one for a
peer until its feed was read to its end again, since what we hold from it may be taken back by now.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from sqlalchemy import Connection, delete, func, insert, select, update

from node.storage.dirt import LogKey
from node.storage.logs import LogRow, row_of_log
from node.storage.store import upsert
from node.storage.tables import holding, log
from node.storage.tables_feed import ledger, own_head, peer, restore, restoring

NEVER = (-1, 0)  # before every version

# Asked with every pull: built once.
_AWAITED = select(restoring)
_MARK = select(
    select(func.max(restore.c.number)).scalar_subquery(),
    select(func.max(ledger.c.id)).scalar_subquery(),
)


@dataclass(frozen=True, slots=True)
class Head:
    """The newest version of a log that somebody knows, and the originator's recall of it."""

    event: str
    epoch: int
    seq: int
    recall: bytes | None = field(default=None, repr=False)

    @property
    def version(self) -> tuple[int, int]:
        """Its place in the log's history."""
        return (self.epoch, self.seq)


def last_mark(conn: Connection) -> tuple[int, int]:
    """Give how often a backup was restored, and the number of the ledger's last line."""
    restored, line = conn.execute(_MARK).one()
    return restored or 0, line or 0


def begin_restore(conn: Connection, me: str, peers: Iterable[str], *, number: int) -> None:
    """Await every peer's word, and an operator's; feeds are read and confirmed from the start."""
    conn.execute(insert(restore).values(number=number))
    conn.execute(delete(restoring))
    conn.execute(delete(own_head))
    conn.execute(insert(restoring), [{"org": org, "told": False} for org in (me, *peers)])
    conn.execute(update(peer).values(acked_pos=0, incarnation=None, cursor=None, pos=0))


def awaited(conn: Connection) -> Mapping[str, bool]:
    """Give everybody whose row stands, and whether it has told the heads of our logs."""
    return {row.org: row.told for row in conn.execute(_AWAITED)}


def is_awaited(conn: Connection, org: str) -> bool:
    """Whether the row of this organisation stands."""
    return org in awaited(conn)


def note_told(conn: Connection, org: str) -> None:
    """Note that the peer has told all heads."""
    conn.execute(update(restoring).where(restoring.c.org == org).values(told=True))


def end_awaiting(conn: Connection, org: str) -> None:
    """Nothing more is awaited from this organisation."""
    conn.execute(delete(restoring).where(restoring.c.org == org))


def raise_heads(conn: Connection, heads: Iterable[Head]) -> None:
    """Keep what somebody knows of our logs, where it is more than what is kept already."""
    for head in heads:
        old = own_head_of(conn, head.event)
        if old is None or old.version < head.version or (head.recall and not old.recall):
            newest = head if old is None or old.version <= head.version else old
            row = {"event": head.event, "epoch": newest.epoch, "seq": newest.seq}
            recall = head.recall or (None if old is None else old.recall)
            upsert(conn, own_head, {**row, "recall": recall})


def own_head_of(conn: Connection, event: str) -> Head | None:
    """Give how far somebody was seen to know a log of ours; None: it was never asked, or nobody."""
    row = conn.execute(select(own_head).where(own_head.c.event == event)).first()
    return None if row is None else Head(row.event, row.epoch, row.seq, row.recall)


def own_heads(conn: Connection) -> Mapping[str, Head]:
    """Give all of them, by event."""
    rows = conn.execute(select(own_head).order_by(own_head.c.event))
    return {row.event: Head(row.event, row.epoch, row.seq, row.recall) for row in rows}


def heads_of(conn: Connection, origin: str, after: str, limit: int) -> tuple[Head, ...]:
    """Give the heads of an originator's logs whose uuids come after `after`."""
    rows = conn.execute(
        select(log.c.event, log.c.epoch, log.c.seq, log.c.recall)
        .where(log.c.origin == origin, log.c.event > after)
        .order_by(log.c.event)
        .limit(limit)
    )
    return tuple(Head(row.event, row.epoch, row.seq, row.recall) for row in rows)


def logs_of(conn: Connection, origin: str) -> tuple[LogRow, ...]:
    """Give every log of an originator."""
    rows = conn.execute(select(log).where(log.c.origin == origin).order_by(log.c.event))
    return tuple(map(row_of_log, rows))


def own_versions(conn: Connection, origin: str) -> Mapping[str, tuple[int, int]]:
    """Give the version of every log of an originator."""
    rows = conn.execute(select(log.c.event, log.c.epoch, log.c.seq).where(log.c.origin == origin))
    return {row.event: (row.epoch, row.seq) for row in rows}


def logs_from(conn: Connection, src: str) -> tuple[LogKey, ...]:
    """Give the logs of which we hold something from this source."""
    rows = conn.execute(select(holding.c.origin, holding.c.event).where(holding.c.src == src))
    return tuple((row.origin, row.event) for row in rows)

"""What peers were told, in sums and in order, and how repairs went.

`told_set` holds count and sum over the names (`federation.told`) in a peer's outbox (`ours`) and in
what a source told us (`its`). Both are changed in the units that change the rows, under a lock of
their own, so that no pull has to count. Whoever counts the rows and finds another sum has found
rows that were lost or changed past us.
"""

from bisect import bisect_right
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    Connection,
    Row,
    Select,
    and_,
    bindparam,
    exists,
    select,
    update,
)

from federation.told import Fingerprint, bounds, parts_of, total
from node.storage.dirt import LogKey
from node.storage.store import insert_new, upsert
from node.storage.tables import holding, log
from node.storage.tables_feed import outbox, seen
from node.storage.tables_repair import repair, told_set

_AT_ONCE = 10_000
_NOTHING = Fingerprint()

# Asked with every pull: built once.
_IS_IT = (told_set.c.org == bindparam("whose"), told_set.c.side == bindparam("which"))
_SET = select(told_set).where(*_IS_IT)
_HELD_SET = _SET.with_for_update()
_CHANGED_SET = update(told_set).where(*_IS_IT)
_REPAIR = select(repair).where(repair.c.org == bindparam("org"))


class Side(StrEnum):
    """Whose feed: ours for a peer, or a peer's for us."""

    OURS = "ours"
    ITS = "its"


def find_set(conn: Connection, org: str, side: Side) -> Fingerprint:
    """Give what the names on this side add up to, as it was kept."""
    row = conn.execute(_SET, {"whose": org, "which": side}).first()
    return _NOTHING if row is None else Fingerprint(row.n, int(row.sum, 16))


def lock_set(conn: Connection, org: str, side: Side) -> Fingerprint:
    """Hold the sum of this side to the end of the unit; take no other lock but of dirt after it."""
    key = {"whose": org, "which": side}
    row = conn.execute(_HELD_SET, key).first()
    if row is None:
        insert_new(conn, told_set, {"org": org, "side": side, "n": 0, "sum": _NOTHING.hex})
        row = conn.execute(_HELD_SET, key).one()
    return Fingerprint(row.n, int(row.sum, 16))


def shift_set(conn: Connection, org: str, side: Side, by: Fingerprint) -> None:
    """Add what changed in the rows of this side."""
    if by != _NOTHING:
        put_set(conn, org, side, lock_set(conn, org, side) + by)


def put_set(conn: Connection, org: str, side: Side, now: Fingerprint) -> None:
    """Let this be the sum of this side, which the unit holds (`lock_set`)."""
    conn.execute(_CHANGED_SET, {"whose": org, "which": side, "n": now.n, "sum": now.hex})


def count_drift(conn: Connection, org: str, side: Side) -> Fingerprint:
    """Count the rows, all of them; give by how much they differ from what was kept."""
    return total(ToldNames(conn, org, side).split("")) - find_set(conn, org, side)


@dataclass(frozen=True, slots=True)
class ToldNames:
    """The names on one side, read from its rows (`federation.repair.Names`)."""

    conn: Connection
    org: str
    side: Side

    def split(self, stretch: str) -> Sequence[Fingerprint]:
        """Give the fingerprints of the 16 parts of the stretch."""
        ends = [bounds(part)[1] for part in parts_of(stretch)]
        parts = [_NOTHING] * len(ends)
        at = 0
        for names in self._in_pieces(stretch):
            start = 0
            while start < len(names):
                while names[start] > ends[at]:
                    at += 1
                stop = bisect_right(names, ends[at], start)
                parts[at] += Fingerprint.of(names[start:stop])
                start = stop
        return parts

    def listed(self, stretch: str, limit: int) -> Sequence[bytes]:
        """Give the names in the stretch, ascending, at most `limit`."""
        return self.conn.scalars(self._query(stretch).limit(limit)).all()

    def _in_pieces(self, stretch: str) -> Iterator[Sequence[bytes]]:
        rows = self.conn.execution_options(yield_per=_AT_ONCE).scalars(self._query(stretch))
        yield from rows.partitions(_AT_ONCE)

    def _query(self, stretch: str) -> Select[bytes]:
        table = outbox if self.side is Side.OURS else seen
        whose = outbox.c.peer if self.side is Side.OURS else seen.c.src
        low, high = bounds(stretch)
        return (
            select(table.c.told)
            .where(whose == self.org, table.c.told >= low, table.c.told <= high)
            .order_by(table.c.told)
        )


def logs_named(conn: Connection, src: str, names: Collection[bytes]) -> Mapping[bytes, LogKey]:
    """Give the logs of which the source told us these names."""
    rows = conn.execute(
        select(seen.c.told, seen.c.origin, seen.c.event).where(
            seen.c.src == src, seen.c.told.in_(list(names))
        )
    )
    return {row.told: (row.origin, row.event) for row in rows}


def one_sided(conn: Connection, src: str, limit: int) -> tuple[LogKey, ...]:
    """Give logs that the source says we hold of it and we do not, or that we hold unsaid.

    What a recall has ended is not missed, whoever still lists it.
    """
    same = and_(seen.c.origin == holding.c.origin, seen.c.event == holding.c.event)
    is_ended = exists().where(
        log.c.origin == seen.c.origin,
        log.c.event == seen.c.event,
        log.c.recalled_epoch >= seen.c.epoch,
    )
    unheld = select(seen.c.origin, seen.c.event).where(
        seen.c.src == src,
        seen.c.digest.is_not(None),
        ~exists().where(same, holding.c.src == src).correlate(seen),
        ~is_ended,
    )
    unsaid = select(holding.c.origin, holding.c.event).where(
        holding.c.src == src,
        ~exists().where(same, seen.c.src == src, seen.c.digest.is_not(None)).correlate(holding),
    )
    rows = [*conn.execute(unheld.limit(limit)), *conn.execute(unsaid.limit(limit))]
    return tuple((row.origin, row.event) for row in rows)


# How repairs went


@dataclass(frozen=True, slots=True)
class RepairRow:
    """When the source's feed is compared next, and how it went.

    `why` says what made it due; `error` is of the last attempt, all after it of the last one that
    came to its end. `left_*` is what stayed different then: what the source has less what we have.
    """

    org: str
    next_at: datetime
    why: str
    failures: int = 0
    error: str | None = None
    done_at: datetime | None = None
    rounds: int = 0
    brought: int = 0
    dropped: int = 0
    left_n: int = 0
    left_sum: str = _NOTHING.hex

    @property
    def left(self) -> Fingerprint:
        """What stayed different."""
        return Fingerprint(self.left_n, int(self.left_sum, 16))


def find_repair(conn: Connection, org: str) -> RepairRow | None:
    """Give how repair stands with the source, or None."""
    row = conn.execute(_REPAIR, {"org": org}).first()
    return None if row is None else _repair_row(row)


def list_repairs(conn: Connection) -> Mapping[str, RepairRow]:
    """Give how repair stands with every source."""
    return {row.org: _repair_row(row) for row in conn.execute(select(repair))}


def put_repair(conn: Connection, row: RepairRow) -> None:
    """Keep how repair stands with the source."""
    upsert(conn, repair, asdict(row))


def _repair_row(row: Row[Any]) -> RepairRow:
    return RepairRow(**{one.name: getattr(row, one.name) for one in fields(RepairRow)})

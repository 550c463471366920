"""Logs and holdings: what we know of each log, and what each source gave us of it.

A log is named (origin, event). The newest statement of any source counts for reading; the bytes
come from one holding, the best: newest version first, then fewest hops (our own logs have none).
`recalled_*` is the floor under which nothing of the log may ever be held again; it outlives the
bodies. Package bytes are kept as they came, zstd-compressed; whoever asks for a holding whose bytes
no longer unpack gets `StoredPackageError`.
"""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

import zstandard
from sqlalchemy import (
    BindParameter,
    Connection,
    Row,
    bindparam,
    delete,
    insert,
    select,
    tuple_,
    update,
)

from node.storage.errors import StoredPackageError
from node.storage.store import upsert
from node.storage.tables import holding, log
from sharing.event import Members

_MAX_PACKAGE_BYTES = 128 << 20

LogKey = tuple[str, str]  # (origin, event)

# Asked for every page that comes: built once.
_KEYS: BindParameter[Any] = bindparam("keys", expanding=True)
_ONE: dict[str, BindParameter[Any]] = {"origin": bindparam("origin"), "event": bindparam("event")}
_LOG = select(log).where(log.c.origin == _ONE["origin"], log.c.event == _ONE["event"])
_HELD = select(holding).where(holding.c.origin == _ONE["origin"], holding.c.event == _ONE["event"])
_FROM = _HELD.where(holding.c.src == bindparam("src"))
_EPOCH = select(log.c.epoch).where(log.c.origin == _ONE["origin"], log.c.event == _ONE["event"])
_BEST = (
    _HELD.where(holding.c.epoch >= _EPOCH.scalar_subquery())
    .order_by(holding.c.epoch.desc(), holding.c.seq.desc(), holding.c.hops, holding.c.src.desc())
    .limit(1)
)
_LOGS = select(log).where(tuple_(log.c.origin, log.c.event).in_(_KEYS))
_HOLDINGS = (
    select(holding)
    .where(tuple_(holding.c.origin, holding.c.event).in_(_KEYS))
    .order_by(holding.c.origin, holding.c.event, holding.c.src)
)
_LOCKED_LOG, _LOCKED_LOGS = _LOG.with_for_update(), _LOGS.with_for_update()
_ADD = insert(log)
_ADVANCE = update(log).where(
    log.c.origin == bindparam("of"),
    log.c.event == bindparam("named"),
    log.c.epoch == bindparam("since_epoch"),
    log.c.seq == bindparam("since_seq"),
)


@dataclass(frozen=True, slots=True)
class LogRow:
    """What is known of one log; bytes are in its holdings."""

    origin: str
    event: str
    type: str
    epoch: int
    seq: int
    seal: str
    source: str | None
    published: bool
    urgent: bool
    report: str | None
    ground: Mapping[str, object]
    recalled_epoch: int | None
    recalled_seq: int | None
    recall: bytes | None = field(repr=False)
    first_seen_at: datetime
    updated_at: datetime

    @property
    def version(self) -> tuple[int, int]:
        """Place of the newest statement in the log's history."""
        return (self.epoch, self.seq)

    @property
    def is_recalled(self) -> bool:
        """Whether the newest statement known lies on or under the recall floor."""
        if self.recalled_epoch is None or self.recalled_seq is None:
            return False
        return self.version <= (self.recalled_epoch, self.recalled_seq)


@dataclass(frozen=True, slots=True)
class HoldingRow:
    """What one source gave us of a log; `package` is uncompressed here."""

    origin: str
    event: str
    src: str
    epoch: int
    seq: int
    seal: str
    digest: str
    hops: int
    package: bytes = field(repr=False)
    withheld: Sequence[Members]
    received_at: datetime


def find_log(
    conn: Connection, origin: str, event: str, *, for_update: bool = False
) -> LogRow | None:
    """Give the log, or None; `for_update` holds its row to the end of the unit."""
    statement = _LOCKED_LOG if for_update else _LOG
    row = conn.execute(statement, {"origin": origin, "event": event}).first()
    return None if row is None else row_of_log(row)


def find_logs(
    conn: Connection, keys: Collection[LogKey], *, for_update: bool = False
) -> dict[LogKey, LogRow]:
    """Give those of the logs that are there; `for_update` holds their rows to the unit's end."""
    statement = _LOCKED_LOGS if for_update else _LOGS
    rows = conn.execute(statement, {"keys": list(keys)}) if keys else ()
    return {(row.origin, row.event): row_of_log(row) for row in rows}


def origins_of(conn: Connection, event: str) -> tuple[str, ...]:
    """Give the originators that used this uuid for a log."""
    rows = conn.execute(select(log.c.origin).where(log.c.event == event).order_by(log.c.origin))
    return tuple(row.origin for row in rows)


def add_log(conn: Connection, row: LogRow) -> None:
    """Insert a log that was not there.

    Raises:
        sqlalchemy.exc.IntegrityError: it is there already.
    """
    add_logs(conn, [row])


def add_logs(conn: Connection, rows: Sequence[LogRow]) -> None:
    """Insert logs that were not there; raises as `add_log`."""
    if rows:
        conn.execute(_ADD, list(map(_log_values, rows)))


def advance_log(conn: Connection, row: LogRow, *, since: tuple[int, int]) -> bool:
    """Write a newer statement over the version `since`; False: another writer was first."""
    held = {"of": row.origin, "named": row.event, "since_epoch": since[0], "since_seq": since[1]}
    return conn.execute(_ADVANCE, {**held, **_log_values(row)}).rowcount == 1


def set_published(conn: Connection, origin: str, event: str, *, published: bool) -> None:
    """Let the log leave, or keep it at home again."""
    conn.execute(
        update(log).where(log.c.origin == origin, log.c.event == event).values(published=published)
    )


def set_ground(conn: Connection, origin: str, event: str, ground: Mapping[str, object]) -> None:
    """Give the log another ground."""
    text = json.dumps(dict(ground), sort_keys=True)
    conn.execute(
        update(log).where(log.c.origin == origin, log.c.event == event).values(ground=text)
    )


def set_recalled(
    conn: Connection, origin: str, event: str, version: tuple[int, int], recall: bytes
) -> None:
    """Raise the recall floor to `version` and keep the originator's signed word for it."""
    conn.execute(
        update(log)
        .where(log.c.origin == origin, log.c.event == event)
        .values(recalled_epoch=version[0], recalled_seq=version[1], recall=recall)
    )


def put_holding(conn: Connection, row: HoldingRow) -> None:
    """Keep what a source holds out to us of a log now, instead of what it gave before."""
    put_holdings(conn, [row])


def put_holdings(conn: Connection, rows: Iterable[HoldingRow]) -> None:
    """The same for several."""
    upsert(
        conn,
        holding,
        [
            {
                "origin": row.origin,
                "event": row.event,
                "src": row.src,
                "epoch": row.epoch,
                "seq": row.seq,
                "seal": row.seal,
                "digest": row.digest,
                "hops": row.hops,
                "package": zstandard.compress(row.package),
                "withheld": json.dumps(list(row.withheld)),
                "received_at": row.received_at,
            }
            for row in rows
        ],
    )


def best_holding(conn: Connection, origin: str, event: str) -> HoldingRow | None:
    """Give the holding readers go by: newest version, then fewest hops (0 is the originator's).

    None of an older epoch than the log's: it holds what its source may have ended since.

    The one that is relayed, if any, is the same one: `federation/relay.py` chooses alike.
    """
    row = conn.execute(_BEST, {"origin": origin, "event": event}).first()
    return None if row is None else _holding_row(row)


def find_holding(conn: Connection, origin: str, event: str, src: str) -> HoldingRow | None:
    """Give what `src` gave us of the log, or None."""
    row = conn.execute(_FROM, {"origin": origin, "event": event, "src": src}).first()
    return None if row is None else _holding_row(row)


def holdings_of(
    conn: Connection, keys: Collection[LogKey]
) -> dict[LogKey, list[HoldingRow | StoredPackageError]]:
    """Give what every source gave us of these logs, or that it no longer unpacks; by source."""
    found: dict[LogKey, list[HoldingRow | StoredPackageError]] = {}
    for row in conn.execute(_HOLDINGS, {"keys": list(keys)}) if keys else ():
        try:
            one: HoldingRow | StoredPackageError = _holding_row(row)
        except StoredPackageError as error:
            one = error
        found.setdefault((row.origin, row.event), []).append(one)
    return found


def received_since(conn: Connection, origin: str, at: datetime) -> tuple[tuple[str, str], ...]:
    """Give (event, source) of the holdings of an originator's logs that we first saw since then."""
    rows = conn.execute(
        select(holding.c.event, holding.c.src)
        .where(holding.c.origin == origin, holding.c.received_at >= at)
        .order_by(holding.c.event, holding.c.src)
    )
    return tuple((row.event, row.src) for row in rows)


def logs_of_type(conn: Connection, log_type: str) -> tuple[LogRow, ...]:
    """Give every log of a type, oldest first."""
    rows = conn.execute(
        select(log).where(log.c.type == log_type).order_by(log.c.first_seen_at, log.c.event)
    )
    return tuple(map(row_of_log, rows))


def event_over(conn: Connection, origin: str, report: str) -> str | None:
    """Give the event whose report this is."""
    found: str | None = conn.execute(
        select(log.c.event).where(log.c.origin == origin, log.c.report == report)
    ).scalar()
    return found


def every_package(conn: Connection) -> Iterator[tuple[str, str, bytes]]:
    """Yield (origin, event, package) of every holding, one at a time: for audits, not for doors."""
    for row in conn.execute(select(holding).order_by(holding.c.origin, holding.c.event)):
        found = _holding_row(row)
        yield found.origin, found.event, found.package


def erase_holdings(conn: Connection, origin: str, event: str, *, src: str | None = None) -> int:
    """Drop the bytes of the log that `src` gave us, or everybody; gives how many holdings went."""
    statement = delete(holding).where(holding.c.origin == origin, holding.c.event == event)
    if src is not None:
        statement = statement.where(holding.c.src == src)
    return conn.execute(statement).rowcount


def row_of_log(row: Row[Any]) -> LogRow:
    """Give a row of the table as it is read."""
    values = {name: getattr(row, name) for name in LogRow.__dataclass_fields__}
    return LogRow(**{**values, "ground": json.loads(row.ground)})


def _log_values(row: LogRow) -> dict[str, object]:
    return {**asdict(row), "ground": json.dumps(dict(row.ground), sort_keys=True)}


def _holding_row(row: Row[Any]) -> HoldingRow:
    values = {name: getattr(row, name) for name in HoldingRow.__dataclass_fields__}
    try:
        package = zstandard.decompress(row.package, max_output_size=_MAX_PACKAGE_BYTES)
    except zstandard.ZstdError:
        key, version = (row.origin, row.event), (row.epoch, row.seq)
        raise StoredPackageError(key, row.src, version, "it cannot be unpacked") from None
    return HoldingRow(**{**values, "package": package, "withheld": json.loads(row.withheld)})

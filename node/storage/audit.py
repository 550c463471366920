"""The audit chain: append-only, each line bound to the one before it.

    hash = SHA-256 of the JSON list [n, at in µs, actor, action, origin, event, detail, prev]

A changed, moved or missing line shows, except lines cut off the end: `verify` gives the head, and
whoever kept an earlier head can tell. Append last in a unit: on PostgreSQL the chain's end is
locked until the unit commits.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from sqlalchemy import Connection, Row, insert, select

from node.storage.errors import TornAuditError
from node.storage.store import lock_name
from node.storage.tables import audit

_START = "0" * 64
_HEAD = select(audit.c.n, audit.c.hash).order_by(audit.c.n.desc()).limit(1)
_APPEND = insert(audit)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class AuditLine:
    """What was done, by whom, to what; `detail` never holds a secret or a withheld value."""

    n: int
    at: datetime
    actor: str
    action: str
    origin: str | None
    event: str | None
    detail: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Head:
    """The end of the chain: how many lines there are, and the hash over all of them."""

    n: int
    hash: str


def append(
    conn: Connection,
    at: datetime,
    actor: str,
    action: str,
    origin: str | None = None,
    event: str | None = None,
    detail: Mapping[str, object] | None = None,
) -> Head:
    """Add a line; gives the new head."""
    lock_name(conn, "audit")
    head = read_head(conn)
    text = json.dumps(detail or {}, sort_keys=True, ensure_ascii=False)
    line = {
        "n": head.n + 1,
        "at": at,
        "actor": actor,
        "action": action,
        "origin": origin,
        "event": event,
        "detail": text,
        "prev": head.hash,
    }
    digest = _digest(head.n + 1, at, actor, action, origin, event, text, head.hash)
    conn.execute(_APPEND, {**line, "hash": digest})
    return Head(head.n + 1, digest)


def read_head(conn: Connection) -> Head:
    """Give the end of the chain, unchecked."""
    row = conn.execute(_HEAD).first()
    return Head(0, _START) if row is None else Head(row.n, row.hash)


def verify(conn: Connection) -> Head:
    """Check the whole chain; gives its head.

    Raises:
        TornAuditError: names the first line that is missing or was changed.
    """
    head = Head(0, _START)
    query = select(audit).order_by(audit.c.n).execution_options(yield_per=1000)
    with conn.execute(query) as lines:
        for row in lines:
            if row.n != head.n + 1:
                raise TornAuditError(f"audit line {head.n + 1} is missing")
            if row.prev != head.hash or row.hash != _digest_of(row):
                raise TornAuditError(f"audit line {row.n} was changed")
            head = Head(row.n, row.hash)
    return head


def latest(conn: Connection, limit: int) -> list[AuditLine]:
    """Give the newest lines, newest first."""
    rows = conn.execute(select(audit).order_by(audit.c.n.desc()).limit(limit))
    return [
        AuditLine(
            row.n, row.at, row.actor, row.action, row.origin, row.event, json.loads(row.detail)
        )
        for row in rows
    ]


def _digest_of(row: Row[tuple[object, ...]]) -> str:
    return _digest(
        row.n, row.at, row.actor, row.action, row.origin, row.event, row.detail, row.prev
    )


def _digest(
    n: int,
    at: datetime,
    actor: str,
    action: str,
    origin: str | None,
    event: str | None,
    detail: str,
    prev: str,
) -> str:
    at_us = (at - _EPOCH) // timedelta(microseconds=1)
    whole = json.dumps([n, at_us, actor, action, origin, event, detail, prev], ensure_ascii=False)
    return sha256(whole.encode()).hexdigest()

"""How organisations want to be told of alerts, and what is on its way to them."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select, tuple_, update

from node.storage.store import insert_missing, upsert
from node.storage.tables_alerts import alert_delivery, alert_way

WEBHOOK, MAIL, SECOND = "webhook", "mail", "second"
WAITING, SENT, DEAD = "waiting", "sent", "dead"


@dataclass(frozen=True, slots=True)
class WayRow:
    """Where an organisation's alerts go; empty: not that way. `language` is ISO 639-1."""

    org: str
    mail: str = ""
    second_mail: str = ""
    language: str = "en"
    webhook: str = ""
    webhook_salt: str = ""


@dataclass(frozen=True, slots=True)
class DeliveryRow:
    """One alert on one way; `status` is what came of the last try, in a word."""

    org: str
    k: int
    way: str
    state: str
    made_at: datetime
    next_try_at: datetime
    tries: int
    status: str


def find_way(conn: Connection, org: str) -> WayRow:
    """Give how the organisation wants to be told."""
    row = conn.execute(select(alert_way).where(alert_way.c.org == org)).first()
    return WayRow(org) if row is None else _way(row)


def ways_of(conn: Connection, orgs: Collection[str]) -> Mapping[str, WayRow]:
    """Give how those of the organisations want to be told that have said so."""
    rows = conn.execute(select(alert_way).where(alert_way.c.org.in_(sorted(orgs))))
    return {row.org: _way(row) for row in rows}


def put_way(conn: Connection, row: WayRow) -> None:
    """Keep how the organisation wants to be told."""
    upsert(conn, alert_way, {one.name: getattr(row, one.name) for one in fields(row)})


def add_deliveries(conn: Connection, wanted: Iterable[tuple[str, int, str]], at: datetime) -> None:
    """Put (organisation, number, way) on their way, each once."""
    rows = [
        {
            "org": org,
            "k": k,
            "way": way,
            "state": WAITING,
            "made_at": at,
            "next_try_at": at,
            "tries": 0,
            "status": "",
        }
        for org, k, way in wanted
    ]
    insert_missing(conn, alert_delivery, rows)


def due_deliveries(conn: Connection, now: datetime, limit: int) -> tuple[DeliveryRow, ...]:
    """Give what is to be tried now, longest due first."""
    rows = conn.execute(
        select(alert_delivery)
        .where(alert_delivery.c.state == WAITING, alert_delivery.c.next_try_at <= now)
        .order_by(alert_delivery.c.next_try_at, alert_delivery.c.org, alert_delivery.c.k)
        .limit(limit)
    )
    return tuple(map(_delivery, rows))


def note_try(
    conn: Connection, row: DeliveryRow, *, state: str, status: str, next_try_at: datetime
) -> None:
    """Keep what came of a try."""
    conn.execute(
        update(alert_delivery)
        .where(
            alert_delivery.c.org == row.org,
            alert_delivery.c.k == row.k,
            alert_delivery.c.way == row.way,
        )
        .values(state=state, status=status, next_try_at=next_try_at, tries=row.tries + 1)
    )


def deliveries_of(
    conn: Connection, alerts: Collection[tuple[str, int]]
) -> Mapping[tuple[str, int], tuple[DeliveryRow, ...]]:
    """Give what went which way, by (organisation, number)."""
    found: dict[tuple[str, int], tuple[DeliveryRow, ...]] = {}
    rows = conn.execute(
        select(alert_delivery)
        .where(tuple_(alert_delivery.c.org, alert_delivery.c.k).in_(sorted(alerts)))
        .order_by(alert_delivery.c.way)
    )
    for row in map(_delivery, rows):
        found[row.org, row.k] = (*found.get((row.org, row.k), ()), row)
    return found


def _way(row: Row[Any]) -> WayRow:
    return WayRow(**{one.name: getattr(row, one.name) for one in fields(WayRow)})


def _delivery(row: Row[Any]) -> DeliveryRow:
    return DeliveryRow(**{one.name: getattr(row, one.name) for one in fields(DeliveryRow)})

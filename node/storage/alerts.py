"""Announcements of urgent events, and what each organisation is told of them.

An announcement belongs to the node (`n`), an alert to one organisation (`k`): both are numbered
without gaps, `k` for each organisation anew, so that no number tells of what others are told. Both
are numbered under one name (`_NUMBERS`), so they become visible in the order of their numbers.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, func, insert, select, update

from node.storage.store import lock_name
from node.storage.tables import log
from node.storage.tables_alerts import alert, announcement

ALERT, UPDATE, WITHDRAWN = "alert", "update", "withdrawn"
WAITING, DUE, TOLD, DROPPED = "waiting", "due", "told", "dropped"
_NUMBERS = "announcements"
_ENDLESS = 1 << 40


@dataclass(frozen=True, slots=True)
class AnnouncementRow:
    """One announcement; `state`: waiting for an analyst, due, told to whom it concerns, dropped."""

    n: int
    origin: str
    event: str
    epoch: int
    seq: int
    at: datetime
    urgent: bool
    kind: str
    state: str
    decided_by: str | None

    @property
    def version(self) -> tuple[int, int]:
        """The version of the event it is about."""
        return (self.epoch, self.seq)


@dataclass(frozen=True, slots=True)
class AlertRow:
    """One alert of one organisation; `n` is the announcement it was told by."""

    org: str
    k: int
    n: int
    kind: str
    at: datetime
    origin: str
    event: str
    seen_by: str | None
    seen_at: datetime | None
    escalate_at: datetime | None
    escalated_at: datetime | None


_OF_ALERT = [
    alert.c.org,
    alert.c.k,
    alert.c.n,
    alert.c.kind,
    alert.c.at,
    announcement.c.origin,
    announcement.c.event,
    alert.c.seen_by,
    alert.c.seen_at,
    alert.c.escalate_at,
    alert.c.escalated_at,
]


def lock_numbers(conn: Connection) -> None:
    """Wait for whoever gives out numbers of announcements and alerts; to the end of the unit."""
    lock_name(conn, _NUMBERS)


def add_announcement(
    conn: Connection, key: tuple[str, str], version: tuple[int, int], at: datetime, *, state: str
) -> int | None:
    """Announce a version of an event; gives its number, None where that was done before."""
    lock_numbers(conn)
    known = _newest(conn, key)
    if known is not None and known.kind == ALERT and known.version >= version:
        return None
    return _add(conn, key, version, at, ALERT, state)


def add_withdrawal(conn: Connection, key: tuple[str, str], at: datetime) -> int | None:
    """Announce that an event which was announced is gone; None: it was not, or that was said."""
    lock_numbers(conn)
    known = _newest(conn, key)
    if known is None or known.kind == WITHDRAWN:
        return None
    conn.execute(
        update(announcement)
        .where(_is_of(key), announcement.c.state.in_([WAITING, DUE]))
        .values(state=DROPPED)
    )
    return _add(conn, key, known.version, at, WITHDRAWN, DUE)


def decide(conn: Connection, n: int, *, state: str, by: str) -> bool:
    """Let an announcement that waits for an analyst go, or drop it; False: none such waits."""
    changed = conn.execute(
        update(announcement)
        .where(announcement.c.n == n, announcement.c.state == WAITING)
        .values(state=state, decided_by=by)
    )
    return changed.rowcount == 1


def announcements_in(conn: Connection, state: str, limit: int) -> tuple[AnnouncementRow, ...]:
    """Give the announcements in this state, oldest first."""
    rows = conn.execute(
        select(announcement)
        .where(announcement.c.state == state)
        .order_by(announcement.c.n)
        .limit(limit)
    )
    return tuple(map(_announcement, rows))


def find_announcement(conn: Connection, n: int) -> AnnouncementRow | None:
    """Give one announcement, or None."""
    row = conn.execute(select(announcement).where(announcement.c.n == n)).first()
    return None if row is None else _announcement(row)


def told_before(conn: Connection, key: tuple[str, str]) -> frozenset[str]:
    """Give the organisations that were told of this event and not since that it is gone."""
    newest = (
        select(alert.c.org, func.max(alert.c.k).label("k"))
        .join(announcement, announcement.c.n == alert.c.n)
        .where(_is_of(key))
        .group_by(alert.c.org)
        .subquery()
    )
    rows = conn.execute(
        select(alert.c.org)
        .join(newest, and_(newest.c.org == alert.c.org, newest.c.k == alert.c.k))
        .where(alert.c.kind != WITHDRAWN)
    )
    return frozenset(row.org for row in rows)


def add_alerts(
    conn: Connection,
    told: AnnouncementRow,
    kinds: Mapping[str, str],
    at: datetime,
    escalate_at: Mapping[str, datetime],
) -> Mapping[str, int]:
    """Tell organisations of a due announcement, each as `kinds` says; gives each one's number.

    Nothing where it is no longer due. The caller holds the numbers (`lock_numbers`).
    """
    changed = conn.execute(
        update(announcement)
        .where(announcement.c.n == told.n, announcement.c.state == DUE)
        .values(state=TOLD)
    )
    if changed.rowcount != 1 or not kinds:
        return {}
    heads = {
        row.org: int(row.k)
        for row in conn.execute(
            select(alert.c.org, func.max(alert.c.k).label("k"))
            .where(alert.c.org.in_(sorted(kinds)))
            .group_by(alert.c.org)
        )
    }
    numbers = {org: heads.get(org, 0) + 1 for org in sorted(kinds)}
    conn.execute(
        insert(alert),
        [
            {
                "org": org,
                "k": k,
                "n": told.n,
                "kind": kinds[org],
                "at": at,
                "escalate_at": escalate_at.get(org),
            }
            for org, k in numbers.items()
        ],
    )
    return numbers


def newest_told(conn: Connection) -> int:
    """Give the newest announcement that anybody was told of; 0: there is none."""
    head: int = conn.execute(select(func.coalesce(func.max(alert.c.n), 0))).scalar_one()
    return head


def newest_of(conn: Connection, org: str) -> int:
    """Give the organisation's newest alert; 0: it has none."""
    newest = select(func.coalesce(func.max(alert.c.k), 0)).where(alert.c.org == org)
    head: int = conn.execute(newest).scalar_one()
    return head


def alerts_told_after(conn: Connection, n: int, upto: int) -> tuple[AlertRow, ...]:
    """Give everybody's alerts by the announcements in (n, upto], in the order they were told."""
    rows = conn.execute(
        _alerts().where(alert.c.n > n, alert.c.n <= upto).order_by(alert.c.n, alert.c.org)
    )
    return tuple(map(_alert, rows))


def alerts_of(
    conn: Connection, org: str, *, after: int = 0, upto: int = _ENDLESS, limit: int
) -> tuple[AlertRow, ...]:
    """Give the organisation's alerts in (after, upto], oldest first."""
    rows = conn.execute(
        _alerts()
        .where(alert.c.org == org, alert.c.k > after, alert.c.k <= upto)
        .order_by(alert.c.k)
        .limit(limit)
    )
    return tuple(map(_alert, rows))


def newest_alerts_of(conn: Connection, org: str, limit: int) -> tuple[AlertRow, ...]:
    """Give the organisation's newest alerts, newest first."""
    statement = _alerts().where(alert.c.org == org).order_by(alert.c.k.desc()).limit(limit)
    return tuple(map(_alert, conn.execute(statement)))


def find_alert(conn: Connection, org: str, k: int) -> AlertRow | None:
    """Give one alert of the organisation, or None."""
    row = conn.execute(_alerts().where(alert.c.org == org, alert.c.k == k)).first()
    return None if row is None else _alert(row)


def alerts_about(conn: Connection, key: tuple[str, str]) -> tuple[AlertRow, ...]:
    """Give everybody's alerts about an event, by organisation and number."""
    rows = conn.execute(_alerts().where(_is_of(key)).order_by(alert.c.org, alert.c.k))
    return tuple(map(_alert, rows))


def acknowledge(conn: Connection, row: AlertRow, *, by: str, at: datetime) -> bool:
    """Note who saw an alert, and with it what came before of the same event; False: it was seen."""
    about = select(announcement.c.n).where(_is_of((row.origin, row.event)))
    changed = conn.execute(
        update(alert)
        .where(
            alert.c.org == row.org,
            alert.c.k <= row.k,
            alert.c.n.in_(about),
            alert.c.seen_at.is_(None),
        )
        .values(seen_by=by, seen_at=at, escalate_at=None)
    )
    return changed.rowcount > 0


def is_overdue(conn: Connection, now: datetime) -> bool:
    """Whether `take_overdue` would give anything."""
    return conn.execute(select(alert.c.k).where(*_due(now)).limit(1)).first() is not None


def take_overdue(conn: Connection, now: datetime) -> tuple[AlertRow, ...]:
    """Give the alerts that nobody has seen in time and that nobody was told so, each once."""
    lock_numbers(conn)
    due = _due(now)
    rows = tuple(map(_alert, conn.execute(_alerts().where(*due).order_by(alert.c.n, alert.c.org))))
    conn.execute(update(alert).where(*due).values(escalated_at=now))
    return rows


def unseen(conn: Connection, limit: int) -> tuple[AlertRow, ...]:
    """Give the alerts that were to be acknowledged by now and were not, oldest first."""
    rows = conn.execute(
        _alerts()
        .where(alert.c.escalated_at.is_not(None), alert.c.seen_at.is_(None))
        .order_by(alert.c.n, alert.c.org)
        .limit(limit)
    )
    return tuple(map(_alert, rows))


def set_urgent(conn: Connection, origin: str, event: str) -> None:
    """Let an event of ours be urgent and published."""
    conn.execute(
        update(log)
        .where(log.c.origin == origin, log.c.event == event)
        .values(urgent=True, published=True)
    )


def _due(now: datetime) -> list[ColumnElement[bool]]:
    return [alert.c.escalate_at <= now, alert.c.seen_at.is_(None), alert.c.escalated_at.is_(None)]


def _add(
    conn: Connection,
    key: tuple[str, str],
    version: tuple[int, int],
    at: datetime,
    kind: str,
    state: str,
) -> int:
    head: int = conn.execute(select(func.coalesce(func.max(announcement.c.n), 0))).scalar_one()
    row = AnnouncementRow(
        head + 1, *key, *version, at, urgent=True, kind=kind, state=state, decided_by=None
    )
    conn.execute(insert(announcement).values(**_values(row)))
    return row.n


def _newest(conn: Connection, key: tuple[str, str]) -> AnnouncementRow | None:
    """The newest of the event that nobody dropped."""
    row = conn.execute(
        select(announcement)
        .where(_is_of(key), announcement.c.state != DROPPED)
        .order_by(announcement.c.n.desc())
        .limit(1)
    ).first()
    return None if row is None else _announcement(row)


def _is_of(key: tuple[str, str]) -> ColumnElement[bool]:
    return and_(announcement.c.origin == key[0], announcement.c.event == key[1])


def _alerts() -> Select[Any]:
    return select(*_OF_ALERT).join(announcement, announcement.c.n == alert.c.n)


def _values(row: AnnouncementRow) -> dict[str, object]:
    return {one.name: getattr(row, one.name) for one in fields(row)}


def _announcement(row: Row[Any]) -> AnnouncementRow:
    return AnnouncementRow(**{one.name: getattr(row, one.name) for one in fields(AnnouncementRow)})


def _alert(row: Row[Any]) -> AlertRow:
    return AlertRow(**{one.name: getattr(row, one.name) for one in fields(AlertRow)})

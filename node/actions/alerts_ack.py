"""Who has acknowledged an alert, who has not in time, and where each organisation wants to be told.

Acknowledging is of an organisation: the first of its people counts, and covers what came before of
the same event. Times are the node's (an exercise's, where it plays one).
"""

import re
from dataclasses import dataclass, replace
from datetime import datetime

from node.actions.alerts_send import read_webhook_url, webhook_secret
from node.actions.alerts_text import LANGUAGES
from node.actions.caller import Caller
from node.actions.errors import BadInputError, NotAllowedError, NotFoundError
from node.node import Node
from node.storage import alert_ways, alerts, audit, people
from node.storage.alert_ways import DeliveryRow, WayRow
from node.storage.alerts import AlertRow
from node.storage.people import Org

_SHOWN = 200
_ADDRESS = re.compile(r"[^@\s<>,;:\"\\()\[\]]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")
_ADDRESS_MAX = 254


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """Who saw the alert first, and when; `is_new` False: that was before."""

    number: int
    seen_by: str
    seen_at: datetime
    is_new: bool


@dataclass(frozen=True, slots=True)
class DeliveryShown:
    """How an alert went out: way (webhook, mail, second), state, status of the last try, tries."""

    way: str
    state: str
    status: str
    tries: int


@dataclass(frozen=True, slots=True)
class AlertState:
    """Where one alert of one organisation stands; `overdue`: not acknowledged in time."""

    org: str
    name: str
    number: int
    kind: str
    origin: str
    event: str
    at: datetime
    seen_by: str | None
    seen_at: datetime | None
    overdue: bool
    deliveries: tuple[DeliveryShown, ...]


@dataclass(frozen=True, slots=True)
class Ways:
    """Where an organisation's alerts go beside the stream; empty: not that way."""

    org: str
    mail: str
    second_mail: str
    language: str
    webhook: str


@dataclass(frozen=True, slots=True)
class NewWebhook:
    """A webhook as it was set; `secret`, shown now and never again, verifies its signatures."""

    org: str
    url: str
    secret: str


def acknowledge(node: Node, caller: Caller, number: int) -> Acknowledged:
    """Note that the caller has seen an alert of his organisation; the first one counts.

    Raises:
        NotFoundError: his organisation has none of this number.
    """
    with node.store.write() as unit:
        conn = unit.connection
        row = alerts.find_alert(conn, caller.org, number)
        if row is None:
            raise NotFoundError("alert")
        now = node.clock()
        is_new = alerts.acknowledge(conn, row, by=caller.name, at=now)
        if is_new:
            detail = {"alert": number, "org": caller.org}
            log = (row.origin, row.event)
            audit.append(conn, now, caller.name, "alert.acknowledge", *log, detail=detail)
        found = alerts.find_alert(conn, caller.org, number) or row
    return Acknowledged(number, found.seen_by or "", found.seen_at or now, is_new)


def escalate_due(node: Node) -> int:
    """Tell the second contacts of what nobody acknowledged in time; gives how many alerts."""
    now = node.clock()
    with node.store.read() as unit:
        if not alerts.is_overdue(unit.connection, now):
            return 0
    with node.store.write() as unit:
        conn = unit.connection
        late = alerts.take_overdue(conn, now)
        ways = alert_ways.ways_of(conn, {row.org for row in late})
        wanted = [
            (row.org, row.k, alert_ways.SECOND)
            for row in late
            if row.org in ways and ways[row.org].second_mail
        ]
        alert_ways.add_deliveries(conn, wanted, node.wall())
        for row in late:
            detail = {"alert": row.k, "org": row.org}
            log = (row.origin, row.event)
            audit.append(conn, now, "node", "alert.escalate", *log, detail=detail)
    return len(late)


def states_of(node: Node, caller: Caller, origin: str, event: str) -> tuple[AlertState, ...]:
    """Give who was told of an event, and who has acknowledged it, by organisation.

    Raises:
        NotAllowedError: the caller is not staff of this node.
    """
    _check_staff(caller)
    with node.store.read() as unit:
        rows = alerts.alerts_about(unit.connection, (origin, event))
    return _states(node, rows)


def overdue_states(node: Node, caller: Caller) -> tuple[AlertState, ...]:
    """Give the alerts that were to be acknowledged by now and were not, oldest first.

    Raises:
        NotAllowedError: the caller is not staff of this node.
    """
    _check_staff(caller)
    with node.store.read() as unit:
        rows = alerts.unseen(unit.connection, _SHOWN)
    return _states(node, rows)


def read_ways(node: Node, caller: Caller, org: str | None = None) -> Ways:
    """Give where an organisation's alerts go: the caller's, or any enrolled here for an operator.

    Raises:
        NotAllowedError, NotFoundError: as their words say.
    """
    home = _home(node, caller, org)
    with node.store.read() as unit:
        return _ways(alert_ways.find_way(unit.connection, home))


def set_contacts(
    node: Node,
    caller: Caller,
    *,
    mail: str,
    second_mail: str,
    language: str,
    org: str | None = None,
) -> Ways:
    """Set whom mail goes to first, and then where nobody acknowledges; empty: nobody.

    Raises:
        BadInputError: an address is none, or the language is none that we speak.
        NotAllowedError, NotFoundError: as their words say.
    """
    for field, address in (("mail", mail), ("second_mail", second_mail)):
        if address and (len(address) > _ADDRESS_MAX or not _ADDRESS.fullmatch(address)):
            raise BadInputError(field, "is not one mail address")
    if language not in LANGUAGES:
        raise BadInputError("language", f"one of {', '.join(LANGUAGES)}")
    home = _home(node, caller, org)
    with node.store.write() as unit:
        way = alert_ways.find_way(unit.connection, home)
        way = replace(way, mail=mail, second_mail=second_mail, language=language)
        alert_ways.put_way(unit.connection, way)
        detail = {"org": home}
        audit.append(unit.connection, node.clock(), caller.name, "alert.contacts", detail=detail)
    return _ways(way)


def set_webhook(node: Node, caller: Caller, url: str, org: str | None = None) -> NewWebhook:
    """Have alerts posted to an https address; an empty one ends it. Each time a new secret.

    Raises:
        BadInputError: the address is none that can be called.
        NotAllowedError, NotFoundError: as their words say.
    """
    if url:
        read_webhook_url(node, url)
    home = _home(node, caller, org)
    salt = node.rng(16).hex() if url else ""
    with node.store.write() as unit:
        way = alert_ways.find_way(unit.connection, home)
        alert_ways.put_way(unit.connection, replace(way, webhook=url, webhook_salt=salt))
        detail = {"org": home, "set": bool(url)}
        audit.append(unit.connection, node.clock(), caller.name, "alert.webhook", detail=detail)
    return NewWebhook(home, url, webhook_secret(node, home, salt) if url else "")


def _home(node: Node, caller: Caller, org: str | None) -> str:
    home = caller.org if org is None else org
    if home != caller.org and caller.role != "operator":
        raise NotAllowedError("only an operator of this node sets this for another organisation")
    if caller.role not in {"operator", "hospital"}:
        raise NotAllowedError(f"role {caller.role} reads; hospitals and operators set this")
    with node.store.read() as unit:
        if people.find_org(unit.connection, home) is None:
            raise NotFoundError("organisation")
    return home


def _check_staff(caller: Caller) -> None:
    if not caller.is_staff:
        raise NotAllowedError("only the node's own staff sees who has acknowledged")


def _ways(row: WayRow) -> Ways:
    return Ways(row.org, row.mail, row.second_mail, row.language, row.webhook)


def _states(node: Node, rows: tuple[AlertRow, ...]) -> tuple[AlertState, ...]:
    with node.store.read() as unit:
        names = {org.org: org for org in people.list_orgs(unit.connection)}
        gone = alert_ways.deliveries_of(unit.connection, {(row.org, row.k) for row in rows})
    return tuple(_state(row, names, gone.get((row.org, row.k), ())) for row in rows)


def _state(row: AlertRow, names: dict[str, Org], gone: tuple[DeliveryRow, ...]) -> AlertState:
    return AlertState(
        org=row.org,
        name=names[row.org].name if row.org in names else row.org,
        number=row.k,
        kind=row.kind,
        origin=row.origin,
        event=row.event,
        at=row.at,
        seen_by=row.seen_by,
        seen_at=row.seen_at,
        overdue=row.escalated_at is not None and row.seen_at is None,
        deliveries=tuple(DeliveryShown(one.way, one.state, one.status, one.tries) for one in gone),
    )

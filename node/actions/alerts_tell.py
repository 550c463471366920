"""Who is told of an announcement, and what he sees of it: the gate's word, never more.

An announcement becomes one alert for each organisation enrolled here that may see something of the
event, numbered for it alone. What an alert says is worked out when it is read, for whoever reads
it, so what was narrowed meanwhile is not told any more.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from node.actions.caller import Caller
from node.actions.gate import standing_of
from node.actions.people import AUTHORITY, local_party
from node.actions.stored import opened
from node.node import Node
from node.storage import alert_ways, alerts, people
from node.storage.alerts import ALERT, DUE, UPDATE, WITHDRAWN, AlertRow, AnnouncementRow
from node.storage.dirt import LogKey
from node.storage.errors import StoredPackageError
from node.storage.logs import HoldingRow, LogRow, best_holding, find_log
from node.storage.people import Org
from sharing.project import Projection, Projector
from sharing.seal.holding import Holding
from sharing.view import view

_AT_ONCE = 20
PAGE = 200


@dataclass(frozen=True, slots=True)
class Shown:
    """What somebody may see of an event, in a line; None: that is withheld from him."""

    info: str | None
    tlp: str | None


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert as its reader may see it.

    `number` counts the alerts of his organisation. `kind`: alert, update of one, or withdrawn (the
    event is gone). `link` is the event's page in the console.
    """

    number: int
    kind: str
    at: datetime
    origin: str
    event: str
    info: str | None
    tlp: str | None
    link: str
    seen_by: str | None
    seen_at: datetime | None
    overdue: bool


class EventBefore:
    """One event before any number of readers: opened once, projected once for those alike."""

    def __init__(
        self, node: Node, log: LogRow | None, best: HoldingRow | None, holding: Holding | None
    ) -> None:
        self._node, self._log, self._best = node, log, best
        self._projector: Projector | None = None
        if holding is not None and log is not None and log.type == "event":
            self._projector = Projector(holding, node.judge, node.clock())
        self._shown: dict[tuple[int, bool], Shown] = {}
        self._kept: list[Projection] = []  # so that no id is given twice

    @classmethod
    def read(cls, node: Node, origin: str, event: str) -> "EventBefore":
        """The event as it is held now; nobody sees anything of one that is not, or is damaged."""
        node = node.pinned()
        with node.store.read() as unit:
            log = find_log(unit.connection, origin, event)
            try:
                best = None if log is None else best_holding(unit.connection, origin, event)
            except StoredPackageError:
                best = None
        if best is None:
            return cls(node, log, None, None)
        try:
            with opened(best) as holding:
                return cls(node, log, best, holding)
        except StoredPackageError:
            return cls(node, log, None, None)

    @property
    def source(self) -> str | None:
        """The local organisation that said it."""
        return None if self._log is None else self._log.source

    def to(self, caller: Caller) -> Shown | None:
        """What the caller may see of it; None: nothing, not even that it is there."""
        if self._projector is None or self._log is None or self._best is None:
            return None
        standing = standing_of(self._node, caller, self._log, self._best)
        projection = self._projector.project(caller.party, standing)
        if not projection.runs:
            return None
        key = (id(projection), standing.own)
        if key not in self._shown:
            self._kept.append(projection)
            self._shown[key] = self._line(caller, projection, own=standing.own)
        return self._shown[key]

    def _line(self, caller: Caller, projection: Projection, *, own: bool) -> Shown:
        if self._projector is None:
            return Shown(None, None)
        reader = self._node.me if caller.is_staff else caller.party
        seen = view(self._projector.holding, projection.masks, reader=reader, own=own)
        return Shown(seen.event.info or None, seen.label.tlp.word if seen.event.info else None)


Told = Mapping[str, Sequence[tuple[AlertRow, EventBefore]]]
"""What was told, by organisation."""


def tell_due(node: Node) -> int:
    """Tell whom it concerns of what is due; gives how many announcements. Any process may do it."""
    with node.store.read() as unit:
        due = alerts.announcements_in(unit.connection, DUE, _AT_ONCE)
        orgs = people.list_orgs(unit.connection) if due else []
    for each in due:
        _tell(node, each, [org for org in orgs if org.kind != AUTHORITY])
    if due:
        node.bell.ring()
    return len(due)


def local_reader(node: Node, org: Org) -> Caller:
    """Somebody of an organisation enrolled here, or of the node itself, as the gate asks of him."""
    if org.org == node.org:
        return Caller("", org.org, node.me, "operator")
    return Caller("", org.org, local_party(org), "hospital")


def as_machine(caller: Caller) -> Caller:
    """The same organisation's machine, to which TLP:RED is never shown (D12)."""
    return replace(caller, party=replace(caller.party, kind="machine"))


def alerts_after(
    node: Node, caller: Caller, after: int, *, upto: int, limit: int = PAGE
) -> tuple[tuple[Alert, ...], int]:
    """Give the caller's alerts in (after, upto], oldest first, and up to where was looked."""
    with node.store.read() as unit:
        rows = alerts.alerts_of(unit.connection, caller.org, after=after, upto=upto, limit=limit)
    return show(node, caller, rows), rows[-1].k if len(rows) == limit else upto


def newest_alerts(node: Node, caller: Caller, limit: int = 50) -> tuple[Alert, ...]:
    """Give the newest alerts of the caller's organisation, newest first."""
    with node.store.read() as unit:
        rows = alerts.newest_alerts_of(unit.connection, caller.org, limit)
    return show(node, caller, rows)


def newest_number(node: Node, caller: Caller) -> int:
    """Give the number of the newest alert of the caller's organisation; 0: it has none."""
    with node.store.read() as unit:
        return alerts.newest_of(unit.connection, caller.org)


def newest_announcement(node: Node) -> int:
    """Give the newest announcement that anybody was told of; 0: there is none."""
    with node.store.read() as unit:
        return alerts.newest_told(unit.connection)


def show(node: Node, caller: Caller, rows: Iterable[AlertRow]) -> tuple[Alert, ...]:
    """The alerts of these rows as the caller may see them; those he may not are left out."""
    events: dict[LogKey, EventBefore] = {}
    found = []
    for row in rows:
        key = (row.origin, row.event)
        if key not in events:
            events[key] = EventBefore.read(node, *key)
        found.append(_as_seen(node, row, events[key].to(caller)))
    return tuple(alert for alert in found if alert is not None)


def told_since(node: Node, after: int) -> tuple[int, Told]:
    """Up to which announcement was told since `after`, and what, by organisation.

    `seen_by` makes of it what a reader may see.
    """
    with node.store.read() as unit:
        upto = alerts.newest_told(unit.connection)
        rows = alerts.alerts_told_after(unit.connection, after, upto) if upto > after else ()
    events: dict[LogKey, EventBefore] = {}
    found: dict[str, list[tuple[AlertRow, EventBefore]]] = {}
    for row in rows:
        key = (row.origin, row.event)
        if key not in events:
            events[key] = EventBefore.read(node, *key)
        found.setdefault(row.org, []).append((row, events[key]))
    return upto, found


def seen_by(
    node: Node, caller: Caller, told: Sequence[tuple[AlertRow, EventBefore]]
) -> tuple[Alert, ...]:
    """The alerts of a caller's organisation as he may see them."""
    found = (_as_seen(node, row, event.to(caller)) for row, event in told)
    return tuple(alert for alert in found if alert is not None)


def _tell(node: Node, due: AnnouncementRow, orgs: Sequence[Org]) -> None:
    key, now = (due.origin, due.event), node.clock()
    event = EventBefore.read(node, *key)
    source = None if event.source == node.org else event.source  # knows what it said itself
    readers = {org.org: local_reader(node, org) for org in orgs if org.org != source}
    seeing = {org for org, reader in readers.items() if event.to(reader) is not None}
    late = now + timedelta(minutes=node.settings.escalate_after_min)
    with node.store.write() as unit:
        conn = unit.connection
        alerts.lock_numbers(conn)
        before = alerts.told_before(conn, key)
        if due.kind == WITHDRAWN:
            kinds = dict.fromkeys(before & readers.keys(), WITHDRAWN)
        else:
            kinds = {org: UPDATE if org in before else ALERT for org in seeing}
        wait = {org: late for org in kinds if org != node.org and due.kind != WITHDRAWN}
        numbers = alerts.add_alerts(conn, due, kinds, now, wait)
        ways = alert_ways.ways_of(conn, numbers.keys())
        wanted = [
            (org, numbers[org], name)
            for org, way in ways.items()
            for name, address in ((alert_ways.WEBHOOK, way.webhook), (alert_ways.MAIL, way.mail))
            if address
        ]
        alert_ways.add_deliveries(conn, wanted, node.wall())


def _as_seen(node: Node, row: AlertRow, shown: Shown | None) -> Alert | None:
    if row.kind == WITHDRAWN:
        shown = Shown(None, None)  # it is gone: that much they were told before
    if shown is None:
        return None
    return Alert(
        number=row.k,
        kind=row.kind,
        at=row.at,
        origin=row.origin,
        event=row.event,
        info=shown.info,
        tlp=shown.tlp,
        link=f"{node.settings.base_url}/console/events/{row.origin}/{row.event}",
        seen_by=row.seen_by,
        seen_at=row.seen_at,
        overdue=row.escalated_at is not None and row.seen_at is None,
    )

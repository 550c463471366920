"""Urgent events become announcements: in the very unit that admitted or published them.

Our own urgent event is announced as soon as an operator sends it. One of another member is
announced by a rule of this node (`announce`), else it waits for an analyst. Who then hears of it,
and what, is not decided here but by the gate (`alerts_tell.py`).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from federation.wire import Op
from node.actions.alerts_tell import EventBefore, tell_due
from node.actions.caller import Caller
from node.actions.errors import NotAllowedError, NotFoundError
from node.actions.own import Submitted, check_operator, find_own_row, note, submitted
from node.node import Node
from node.storage import alerts, audit
from node.storage.alerts import DROPPED, DUE, WAITING, AnnouncementRow
from node.storage.dirt import mark_dirty
from node.storage.logs import LogRow
from node.storage.store import Unit

_SHOWN = 50
_DECIDERS = frozenset({"operator", "analyst"})


@dataclass(frozen=True, slots=True)
class Arrived:
    """What became of a log that a peer sent; `is_bare`: nothing of it is left to read."""

    op: Op
    log: LogRow
    is_bare: bool


@dataclass(frozen=True, slots=True)
class WaitingAlert:
    """An urgent event of another member that an analyst must let go before anybody here is told."""

    number: int
    origin: str
    event: str
    at: datetime
    info: str | None
    tlp: str | None


@dataclass(frozen=True, slots=True)
class Decided:
    """What an analyst did with one; `is_new` False: it had been done before."""

    number: int
    state: str
    is_new: bool


def note_arrived(node: Node, unit: Unit, arrived: Iterable[Arrived]) -> None:
    """Announce, in the unit that stored them, the urgent events and the ends of announced ones."""
    now = node.clock()
    for one in arrived:
        key = (one.log.origin, one.log.event)
        if one.op is not Op.PUT:
            if one.is_bare:
                alerts.add_withdrawal(unit.connection, key, now)
        elif one.log.urgent and one.log.type == "event" and not one.is_bare:
            state = DUE if _is_told_at_once(node, one.log.origin) else WAITING
            alerts.add_announcement(unit.connection, key, one.log.version, now, state=state)


def note_ended(node: Node, unit: Unit, origin: str, event: str) -> None:
    """Announce that an event of ours that was announced is recalled."""
    alerts.add_withdrawal(unit.connection, (origin, event), node.clock())


def send_alert(node: Node, caller: Caller, origin: str, event: str) -> Submitted:
    """Publish an event of this node as urgent: pushed to all peers, told to those enrolled here.

    A version that was sent so before is not sent again.

    Raises:
        NotAllowedError: the caller is no operator.
        NotFoundError: there is no such event of this node, or it was recalled.
    """
    check_operator(caller, "send alerts")
    with node.store.write() as unit:
        row = find_own_row(node, unit, caller, origin, event, for_update=True)
        if row.is_recalled:
            raise NotFoundError("event of yours")
        key, conn = (row.origin, row.event), unit.connection
        n = alerts.add_announcement(conn, key, row.version, node.clock(), state=DUE)
        if n is None:
            return submitted(row, is_new=False)
        alerts.set_urgent(conn, *key)
        mark_dirty(conn, [key], urgent=True)
        detail = {"seal": row.seal, "ground": dict(row.ground), "announcement": n}
        note(unit, node, caller, "alert.send", row, detail)
    tell_due(node)
    return submitted(row, is_new=True)


def list_waiting(node: Node, caller: Caller) -> tuple[WaitingAlert, ...]:
    """Give what waits for an analyst, oldest first, as far as the caller may see it.

    Raises:
        NotAllowedError: the caller is not staff of this node.
    """
    _check_decider(caller)
    with node.store.read() as unit:
        rows = alerts.announcements_in(unit.connection, WAITING, _SHOWN)
    return tuple(_waiting(node, caller, row) for row in rows)


def decide(node: Node, caller: Caller, number: int, *, tell: bool) -> Decided:
    """Let an announcement that waits go, or drop it.

    Raises:
        NotAllowedError: the caller is neither operator nor analyst.
        NotFoundError: there is none of this number.
    """
    _check_decider(caller)
    state = DUE if tell else DROPPED
    with node.store.write() as unit:
        row = alerts.find_announcement(unit.connection, number)
        if row is None:
            raise NotFoundError("alert")
        is_new = alerts.decide(unit.connection, number, state=state, by=caller.name)
        if is_new:
            act = "alert.announce" if tell else "alert.drop"
            log = (row.origin, row.event)
            audit.append(unit.connection, node.clock(), caller.name, act, *log)
    tell_due(node)
    return Decided(number, "told" if tell else "dropped", is_new)


def _is_told_at_once(node: Node, origin: str) -> bool:
    settings = node.settings
    match settings.announce:
        case "all":
            return True
        case "listed":
            return origin in settings.announce_from
        case "analyst":
            return False


def _check_decider(caller: Caller) -> None:
    if caller.role not in _DECIDERS:
        raise NotAllowedError("only operators and analysts of this node let alerts go")


def _waiting(node: Node, caller: Caller, row: AnnouncementRow) -> WaitingAlert:
    shown = EventBefore.read(node, row.origin, row.event).to(caller)
    return WaitingAlert(
        number=row.n,
        origin=row.origin,
        event=row.event,
        at=row.at,
        info=None if shown is None else shown.info,
        tlp=None if shown is None else shown.tlp,
    )

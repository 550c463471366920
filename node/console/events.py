"""Pages that read: the events, one of them, who gets what of it and why."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from node.actions.caller import Caller
from node.actions.errors import BadInputError
from node.actions.explain import ExplainedSlot, Explanation, explain, preview
from node.actions.people import Session, list_orgs
from node.actions.read import EventPage, list_events, read_event
from node.actions.receipts_got import refused_of
from node.actions.search import search_values
from node.api.bodies import EventId, Origin
from node.api.events import PACKAGE_TYPE
from node.console.render import Show, see_other
from node.console.session import session_of
from node.node import Node
from sharing.view import Seen, SeenField, View

_PAGE = 50
_HITS = 200
_GROUPS_FIRST = ("Nature",)
_GROUPS_LAST = ("Entity and contact", "Further", "Envelope")
_EFFECTS = ("held", "withheld", "sent")
_UUID_LENGTH = 36


@dataclass(frozen=True, slots=True)
class Told:
    """What becomes of the slots of one effect, for one party."""

    effect: str
    count: int
    rows: tuple[ExplainedSlot, ...]


def add_events(routes: APIRouter, node: Node, show: Show) -> None:
    """Add the list of events and the page of one."""
    who = Depends(session_of(node))

    @routes.get("/console")
    def home(session: Annotated[Session, who]) -> Response:
        first = "picture" if session.caller.role == "hub_analyst" else "events"
        return see_other(f"/console/{first}")

    @routes.get("/console/events")
    def events(
        request: Request, session: Annotated[Session, who], value: str = "", after: str = ""
    ) -> Response:
        wanted = value.strip()[:4096]
        hits = search_values(node, session.caller, wanted, _HITS) if wanted else ()
        page = None if wanted else _page(node, session.caller, after)
        return show.page(
            request, "events.html", session, value=wanted, hits=hits, page=page, after=after
        )

    @routes.get("/console/events/{origin}/{event}")
    def one(
        request: Request, session: Annotated[Session, who], origin: Origin, event: EventId
    ) -> Response:
        seen = read_event(node, session.caller, origin, event)
        report, home = seen.field("report_id"), seen.field("entity_ref")
        return show.page(
            request,
            "event.html",
            session,
            seen=seen,
            groups=groups_of(seen),
            sighted=sighted_of(seen),
            may_sight=session.caller.role in {"hospital", "operator"},
            report=report.value if report and seen.own else None,
            home=home.value if home else "",
            answers_for=_answers_for(session.caller, seen),
            refused=refused_of(node, session.caller, origin, event),
            may_act=session.caller.role == "operator" and origin == node.org,
        )


def add_sharing(routes: APIRouter, node: Node, show: Show) -> None:
    """Add the pages that say who gets what of an event, and why."""
    who = Depends(session_of(node))

    @routes.get("/console/events/{origin}/{event}/sharing")
    def sharing(
        request: Request,
        session: Annotated[Session, who],
        origin: Origin,
        event: EventId,
        to: str = "",
    ) -> Response:
        caller = session.caller
        asked = [to] if to else [peer.org for peer in node.peers]
        given = [explain(node, caller, origin, event, org) for org in asked]
        others = list_orgs(node) if caller.is_staff else []
        return show.page(
            request,
            "sharing.html",
            session,
            seen=read_event(node, caller, origin, event),
            parties=[(each, told_of(each)) for each in given],
            others=[each for each in others if each.org != node.org],
            to=to,
        )

    @routes.get("/console/events/{origin}/{event}/preview")
    def package(
        session: Annotated[Session, who], origin: Origin, event: EventId, to: str
    ) -> Response:
        body = preview(node, session.caller, origin, event, to)
        name = f"{event}-for-{to[-12:]}.ndjson"
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return Response(body, headers=headers, media_type=PACKAGE_TYPE)


def groups_of(seen: View) -> list[tuple[str, list[SeenField]]]:
    """Give an incident's fields by the groups of the table, what it is first, papers last."""
    groups: dict[str, list[SeenField]] = {}
    for each in seen.fields:
        groups.setdefault(each.group or "Further", []).append(each)
    ranks = {
        name: rank for rank, names in ((-1, _GROUPS_FIRST), (1, _GROUPS_LAST)) for name in names
    }
    return sorted(groups.items(), key=lambda group: ranks.get(group[0], 0))


def sighted_of(seen: View) -> dict[str, list[Seen]]:
    """Give what was said of each attribute: seen, or no threat."""
    said: dict[str, list[Seen]] = {}
    for each in seen.sightings:
        said.setdefault(each.attribute, []).append(each)
    return said


def told_of(given: Explanation) -> list[Told]:
    """Give an explanation by effect, what needs a person first."""
    found = []
    for effect in _EFFECTS:
        rows = tuple(row for row in given.rows if row.effect == effect)
        found.append(Told(effect, sum(row.count for row in rows), rows))
    return found


def _page(node: Node, caller: Caller, after: str) -> EventPage:
    if len(after) != 2 * _UUID_LENGTH + 1 or not after.isascii() or not after.isprintable():
        after = ""
    try:
        return list_events(node, caller, after=after or None, limit=_PAGE)
    except BadInputError:  # that event is gone: start anew
        return list_events(node, caller, limit=_PAGE)


def _answers_for(caller: Caller, seen: View) -> bool:
    return caller.is_staff or seen.own

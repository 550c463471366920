"""Pages by which an operator lets things go or takes them back; each asks once before it acts."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from node.actions.errors import BadInputError, NotFoundError
from node.actions.explain import explain
from node.actions.notes import sight
from node.actions.own import check_operator
from node.actions.people import Session
from node.actions.publish import publish
from node.actions.read import read_event
from node.actions.recall import recall
from node.api.bodies import EventId, Origin
from node.console.render import Show, see_other
from node.console.session import Form, form_of, session_of
from node.node import Node
from sharing.notes import SEEN
from sharing.seal.recall import REASONS

_EVENT = "/console/events/{origin}/{event}"


def add_acts(routes: APIRouter, node: Node, show: Show) -> None:
    """Add publishing and recalling."""
    who, posted = Depends(session_of(node)), Depends(form_of(node))

    @routes.get(_EVENT + "/publish")
    def ask_publish(
        request: Request, session: Annotated[Session, who], origin: Origin, event: EventId
    ) -> Response:
        check_operator(session.caller, "publish")
        seen = read_event(node, session.caller, origin, event)
        given = [explain(node, session.caller, origin, event, each.org) for each in node.peers]
        return show.page(request, "publish.html", session, seen=seen, parties=given)

    @routes.post(_EVENT + "/publish")
    def do_publish(form: Annotated[Form, posted], origin: Origin, event: EventId) -> Response:
        publish(node, form.caller, origin, event)
        return see_other(f"/console/events/{origin}/{event}")

    @routes.post(_EVENT + "/seen")
    def do_sight(form: Annotated[Form, posted], origin: Origin, event: EventId) -> Response:
        one = {"origin": origin, "event": event, "attribute": form.one("attribute")}
        sight(node, form.caller, [{**one, "type": form.one("type") or SEEN}])
        return see_other(f"/console/events/{origin}/{event}")

    @routes.get(_EVENT + "/recall")
    def ask_recall(
        request: Request,
        session: Annotated[Session, who],
        origin: Origin,
        event: EventId,
        attribute: str = "",
    ) -> Response:
        check_operator(session.caller, "recall")
        seen = read_event(node, session.caller, origin, event)
        inside = [each for thing in seen.event.objects for each in thing.attributes]
        one = next((a for a in (*seen.event.attributes, *inside) if a.uuid == attribute), None)
        if attribute and one is None:
            raise NotFoundError("attribute")
        return show.page(
            request, "recall.html", session, seen=seen, one=one, reasons=sorted(REASONS)
        )

    @routes.post(_EVENT + "/recall")
    def do_recall(form: Annotated[Form, posted], origin: Origin, event: EventId) -> Response:
        check_operator(form.caller, "recall")
        what, one = form.one("what"), form.one("attribute")
        if what not in {"event", "attribute"} or (what == "attribute") != bool(one):
            raise BadInputError("what", "the form must say: the event, or which attribute of it")
        parts = [one] if one else None  # None: all of it, which no lost field may come to mean
        done = recall(node, form.caller, origin, event, form.one("reason"), parts)
        return see_other(f"/console/events/{done.origin}/{done.event}/receipts")

"""Pages of alerts: one's organisation's own; for staff, what waits, and who has not seen what."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from node.actions.alerts import decide, list_waiting, send_alert
from node.actions.alerts_ack import (
    acknowledge,
    overdue_states,
    read_ways,
    set_contacts,
    set_webhook,
    states_of,
)
from node.actions.alerts_tell import newest_alerts
from node.actions.alerts_text import LANGUAGES
from node.actions.errors import BadInputError
from node.actions.own import check_operator
from node.actions.people import Session
from node.actions.read import read_event
from node.api.alerts import Number
from node.api.bodies import EventId, Origin
from node.console.render import Show, see_other
from node.console.session import Form, form_of, session_of
from node.node import Node

_PATH = "/console/alerts"
_EVENT = "/console/events/{origin}/{event}"
_SETTERS = frozenset({"hospital", "operator"})


def add_alerts(routes: APIRouter, node: Node, show: Show) -> None:
    """Add the list of alerts, its rows alone (fetched again and again), and acknowledging."""
    who, posted = Depends(session_of(node)), Depends(form_of(node))

    def page(request: Request, session: Session, template: str) -> Response:
        caller = session.caller
        return show.page(
            request,
            template,
            session,
            alerts=newest_alerts(node, caller),
            waiting=list_waiting(node, caller) if caller.role in {"operator", "analyst"} else (),
            overdue=overdue_states(node, caller) if caller.is_staff else (),
            may_set=caller.role in _SETTERS,
        )

    @routes.get(_PATH)
    def alerts(request: Request, session: Annotated[Session, who]) -> Response:
        return page(request, session, "alerts.html")

    @routes.get(_PATH + "/rows")
    def rows(request: Request, session: Annotated[Session, who]) -> Response:
        return page(request, session, "alerts_rows.html")

    @routes.post(_PATH + "/{number}/acknowledge")
    def do_acknowledge(form: Annotated[Form, posted], number: Number) -> Response:
        acknowledge(node, form.caller, number)
        return see_other(_PATH)

    @routes.post(_PATH + "/waiting/{number}")
    def do_decide(form: Annotated[Form, posted], number: Number) -> Response:
        decide(node, form.caller, number, tell=form.one("act") == "tell")
        return see_other(_PATH)


def add_alert_acts(routes: APIRouter, node: Node, show: Show) -> None:
    """Add sending an alert, and who has acknowledged it."""
    who, posted = Depends(session_of(node)), Depends(form_of(node))

    @routes.get(_EVENT + "/alert")
    def ask_send(
        request: Request, session: Annotated[Session, who], origin: Origin, event: EventId
    ) -> Response:
        check_operator(session.caller, "send alerts")
        seen = read_event(node, session.caller, origin, event)
        return show.page(request, "alert_send.html", session, seen=seen)

    @routes.post(_EVENT + "/alert")
    def do_send(form: Annotated[Form, posted], origin: Origin, event: EventId) -> Response:
        send_alert(node, form.caller, origin, event)
        return see_other(f"/console/events/{origin}/{event}/alerts")

    @routes.get(_EVENT + "/alerts")
    def told(
        request: Request, session: Annotated[Session, who], origin: Origin, event: EventId
    ) -> Response:
        states = states_of(node, session.caller, origin, event)
        seen = read_event(node, session.caller, origin, event)
        return show.page(request, "alert_told.html", session, seen=seen, states=states)


def add_alert_ways(routes: APIRouter, node: Node, show: Show) -> None:
    """Add where an organisation's alerts go."""
    who, posted = Depends(session_of(node)), Depends(form_of(node))

    def page(
        request: Request, session: Session, wrong: BadInputError | None = None, secret: str = ""
    ) -> Response:
        return show.page(
            request,
            "alert_ways.html",
            session,
            422 if wrong else 200,
            ways=read_ways(node, session.caller),
            languages=LANGUAGES,
            wrong={wrong.field: wrong.why} if wrong else {},
            secret=secret,
        )

    @routes.get(_PATH + "/ways")
    def ways(request: Request, session: Annotated[Session, who]) -> Response:
        return page(request, session)

    @routes.post(_PATH + "/ways")
    def set_them(request: Request, form: Annotated[Form, posted]) -> Response:
        words = {name: form.one(name) for name in ("mail", "second_mail", "language")}
        try:
            set_contacts(node, form.caller, **words)
        except BadInputError as error:
            return page(request, form.session, error)
        return see_other(_PATH + "/ways")

    @routes.post(_PATH + "/webhook")
    def set_hook(request: Request, form: Annotated[Form, posted]) -> Response:
        try:
            new = set_webhook(node, form.caller, form.one("url"))
        except BadInputError as error:
            return page(request, form.session, error)
        return page(request, form.session, secret=new.secret)

"""The routes of alerts: read, stream, acknowledge; send, let go, who has seen; where they go."""

from typing import Annotated, Final

from fastapi import APIRouter, Header, Path, Query, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel, ConfigDict, Field
from sse_starlette import EventSourceResponse
from starlette.responses import Response

from node.actions.alerts import Decided, WaitingAlert, decide, list_waiting, send_alert
from node.actions.alerts_ack import (
    Acknowledged,
    AlertState,
    NewWebhook,
    Ways,
    acknowledge,
    overdue_states,
    read_ways,
    set_contacts,
    set_webhook,
    states_of,
)
from node.actions.alerts_tell import Alert, newest_alerts
from node.actions.caller import Caller
from node.actions.own import Submitted
from node.actions.people import fingerprint
from node.api.alerts_stream import Radio, read_last_id
from node.api.answers import Described, answer, answer_done, told
from node.api.bodies import EventId, Limit, Origin
from node.node import Node

_ONE: Final = "/events/{origin}/{event}"
_TOKEN: Final = Security(HTTPBearer(auto_error=False))
_STREAM: Final[Described] = {
    200: {
        "description": "Events `alert`, `update` and `withdrawn`; `id` is the alert's number, "
        "`data` the alert as `/alerts` gives it; a comment each 15 seconds.",
        "content": {"text/event-stream": {"schema": {"type": "string"}}},
    }
}
Number = Annotated[int, Path(ge=1, le=10**15, description="The alert's number.", examples=[1])]
Org = Annotated[
    str | None,
    Query(max_length=36, description="An operator: whose, instead of one's own organisation's."),
]


class ContactsBody(BaseModel):
    """Whom mail goes to; empty: nobody."""

    model_config = ConfigDict(extra="forbid")

    mail: str = Field(default="", examples=["soc@hospital.example"])
    second_mail: str = Field(
        default="",
        examples=["director@hospital.example"],
        description="Asked where nobody has acknowledged an alert in time.",
    )
    language: str = Field(default="en", examples=["fr"], description="ISO 639-1.")


class WebhookBody(BaseModel):
    """Where alerts are posted to; empty: nowhere any more."""

    model_config = ConfigDict(extra="forbid")

    url: str = Field(examples=["https://siem.hospital.example/isac"])


def add_alerts(api: APIRouter, node: Node, who: Caller) -> None:
    """Add the routes by which an organisation reads its alerts."""
    radio = Radio(node)

    @api.get("/alerts", tags=["alerts"], responses=told(list[Alert]))
    def list_the_alerts(limit: Limit = 50, caller: Caller = who) -> Response:
        """Give the newest alerts of the caller's organisation, newest first."""
        return answer(newest_alerts(node, caller, limit))

    @api.get(
        "/alerts/stream",
        tags=["alerts"],
        responses=_STREAM,
        response_class=EventSourceResponse,
    )
    async def stream_the_alerts(
        last_event_id: Annotated[str | None, Header(max_length=20)] = None,
        after: Annotated[str | None, Query(max_length=20, description="As Last-Event-ID.")] = None,
        token: HTTPAuthorizationCredentials | None = _TOKEN,
        caller: Caller = who,
    ) -> Response:
        """Give alerts as they happen (server-sent events); Last-Event-ID first brings those missed.

        Without it only those to come. A stream that reads too slowly is closed.
        """
        last = read_last_id(last_event_id or after)
        return await radio.listen(caller, fingerprint(token.credentials if token else ""), last)

    @api.post("/alerts/{number}/acknowledge", tags=["alerts"], responses=told(Acknowledged))
    def acknowledge_an_alert(number: Number, caller: Caller = who) -> Response:
        """Say that one has seen an alert; the first of an organisation counts."""
        return answer_done(acknowledge(node, caller, number), 200)

    @api.get("/alerts/ways", tags=["alerts"], responses=told(Ways))
    def read_the_ways(org: Org = None, caller: Caller = who) -> Response:
        """Give where an organisation's alerts go beside the stream."""
        return answer(read_ways(node, caller, org))

    @api.put("/alerts/contacts", tags=["alerts"], responses=told(Ways))
    def set_the_contacts(body: ContactsBody, org: Org = None, caller: Caller = who) -> Response:
        """Set whom mail goes to, and in which language."""
        return answer(set_contacts(node, caller, **body.model_dump(), org=org))

    @api.put("/alerts/webhook", tags=["alerts"], responses=told(NewWebhook))
    def set_the_webhook(body: WebhookBody, org: Org = None, caller: Caller = who) -> Response:
        """Have alerts posted to an address, signed (Standard Webhooks); each time a new secret."""
        return answer(set_webhook(node, caller, body.url, org))


def add_alert_acts(api: APIRouter, node: Node, who: Caller) -> None:
    """Add the routes of the node's own staff."""

    @api.post(_ONE + "/alert", tags=["acts"], responses=told(Submitted))
    def send_an_alert(origin: Origin, event: EventId, caller: Caller = who) -> Response:
        """Publish an event of this node as urgent: pushed to all peers, told here at once."""
        return answer_done(send_alert(node, caller, origin, event), 200)

    @api.get(_ONE + "/alerts", tags=["alerts"], responses=told(list[AlertState]))
    def who_has_seen_it(origin: Origin, event: EventId, caller: Caller = who) -> Response:
        """Give who here was told of an event, how, and who has acknowledged it."""
        return answer(states_of(node, caller, origin, event))

    @api.get("/alerts/overdue", tags=["alerts"], responses=told(list[AlertState]))
    def list_the_overdue(caller: Caller = who) -> Response:
        """Give the alerts that were not acknowledged in time."""
        return answer(overdue_states(node, caller))

    @api.get("/alerts/waiting", tags=["alerts"], responses=told(list[WaitingAlert]))
    def list_the_waiting(caller: Caller = who) -> Response:
        """Give urgent events of other members that wait for an analyst before anybody is told."""
        return answer(list_waiting(node, caller))

    @api.post("/alerts/waiting/{number}/tell", tags=["alerts"], responses=told(Decided))
    def tell_of_it(number: Number, caller: Caller = who) -> Response:
        """Let one go to the organisations that may see it."""
        return answer_done(decide(node, caller, number, tell=True), 200)

    @api.post("/alerts/waiting/{number}/drop", tags=["alerts"], responses=told(Decided))
    def drop_it(number: Number, caller: Caller = who) -> Response:
        """Tell nobody of it."""
        return answer_done(decide(node, caller, number, tell=False), 200)

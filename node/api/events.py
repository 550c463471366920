"""The routes of events: read, search, add, publish, recall; who gets what and why; what waits."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Query
from starlette.responses import Response

from node.actions.caller import Caller
from node.actions.explain import Explanation, explain, preview
from node.actions.notes import SightingsTaken, sight
from node.actions.own import Submitted
from node.actions.publish import publish
from node.actions.read import EventPage, list_events, read_event
from node.actions.recall import Recalled, recall
from node.actions.search import Hit, search_values
from node.actions.submit import add_attributes, submit_event
from node.api.answers import Described, answer, answer_done, told
from node.api.bodies import (
    After,
    AttributesBody,
    EventBody,
    EventId,
    Limit,
    Origin,
    RecallBody,
    SightingsBody,
    To,
)
from node.node import Node
from sharing.view import to_json

PACKAGE_TYPE: Final = "application/vnd.fisn.disclosure+ndjson"
_ONE: Final = "/events/{origin}/{event}"
_PACKAGE: Final[Described] = {
    200: {
        "description": "The package: signed statement, then one line for each disclosed record.",
        "content": {PACKAGE_TYPE: {"schema": {"type": "string", "format": "binary"}}},
    }
}
_VIEW: Final = {
    "origin": "7a1f3c52-6d0e-4b7c-9a35-2f9f0c6e1f01",
    "uuid": "9d3c0f6e-5b7a-4c1e-8f25-4b1e7a0c2d33",
    "published": True,
    "own": False,
    "entity": "a hospital in FR",
    "label": {"tlp": "green", "pap": "clear"},
    "notice": "some fields withheld",
    "event": {"info": "Ransomware in the imaging network of a hospital"},
}
_SEEN: Final[Described] = {
    200: {
        "description": "The event as far as the caller may see it.",
        "content": {"application/json": {"schema": {"type": "object"}, "example": _VIEW}},
    }
}


def add_events(api: APIRouter, node: Node, who: Caller) -> None:
    """Add the routes that read and add events."""

    @api.post(
        "/events", tags=["events"], status_code=201, responses=told(Submitted, 201, repeats=True)
    )
    def add_an_event(body: EventBody, caller: Caller = who) -> Response:
        """Add an event of one's own; it stays here until an operator publishes it."""
        return answer_done(submit_event(node, caller, body.model_dump(exclude_unset=True)))

    @api.get("/events", tags=["events"], responses=told(EventPage))
    def list_the_events(after: After = None, limit: Limit = 50, caller: Caller = who) -> Response:
        """Give the events the caller may see, newest first; `next` asks for the page after."""
        return answer(list_events(node, caller, after=after, limit=limit))

    @api.get(_ONE, tags=["events"], responses=_SEEN)
    def read_an_event(origin: Origin, event: EventId, caller: Caller = who) -> Response:
        """Give one event as far as the caller may see it."""
        return answer(to_json(read_event(node, caller, origin, event)))

    @api.post(
        _ONE + "/attributes",
        tags=["events"],
        status_code=201,
        responses=told(Submitted, 201, repeats=True),
    )
    def add_some_attributes(
        origin: Origin, event: EventId, body: AttributesBody, caller: Caller = who
    ) -> Response:
        """Add attributes to an event of one's own; all of them or none."""
        return answer_done(add_attributes(node, caller, origin, event, body.Attribute))

    @api.post(
        "/sightings",
        tags=["events"],
        status_code=201,
        responses=told(SightingsTaken, 201, repeats=True),
    )
    def add_some_sightings(body: SightingsBody, caller: Caller = who) -> Response:
        """Say what was seen here, or was no threat; others are told how often, never who saw it.

        Of one attribute and day an organisation tells at most 10,000 times; 409 past that.
        """
        return answer_done(sight(node, caller, body.sightings))

    @api.get("/search", tags=["events"], responses=told(list[Hit]))
    def search_for_a_value(
        value: Annotated[str, Query(min_length=1, max_length=4096, examples=["198.51.100.23"])],
        limit: Limit = 100,
        caller: Caller = who,
    ) -> Response:
        """Find a value among the attributes the caller may see; part of a composite counts."""
        return answer(search_values(node, caller, value, limit))


def add_acts(api: APIRouter, node: Node, who: Caller) -> None:
    """Add the routes by which an operator lets things go, or takes them back."""

    @api.post(_ONE + "/publish", tags=["acts"], responses=told(Submitted))
    def publish_an_event(
        origin: Origin, event: EventId, body: dict[str, Any] | None = None, caller: Caller = who
    ) -> Response:
        """Let policy share an event of this node; an operator's act. No body is needed."""
        del body
        return answer_done(publish(node, caller, origin, event), 200)

    @api.post(_ONE + "/recall", tags=["acts"], responses=told(Recalled))
    def recall_an_event(
        origin: Origin, event: EventId, body: RecallBody, caller: Caller = who
    ) -> Response:
        """Take an event of this node back, or attributes of it, wherever they went; an operator's.

        Who confirmed that it is gone is told by `receipts`.
        """
        done = recall(node, caller, origin, event, body.reason, body.attributes)
        return answer_done(done, 200)


def add_decisions(api: APIRouter, node: Node, who: Caller) -> None:
    """Add the routes that say who gets what, and why."""

    @api.get(_ONE + "/explain", tags=["decisions"], responses=told(Explanation))
    def explain_an_event(origin: Origin, event: EventId, to: To, caller: Caller = who) -> Response:
        """Say for each slot whether party `to` gets it, and which policies decided so."""
        return answer(explain(node, caller, origin, event, to))

    @api.get(_ONE + "/preview", tags=["decisions"], responses=_PACKAGE)
    def preview_an_event(origin: Origin, event: EventId, to: To, caller: Caller = who) -> Response:
        """Give the package party `to` would get now, byte for byte; 404 if it would get none."""
        return Response(preview(node, caller, origin, event, to), media_type=PACKAGE_TYPE)

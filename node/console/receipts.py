"""Pages of receipts: how far a taking back is, and what peers refused of an event."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from federation.receipt import RECEIPT_TYPE
from node.actions.confirmations import taken_back
from node.actions.people import Session
from node.actions.receipts_got import refused_of, signed_receipt
from node.api.bodies import EventId, Origin
from node.api.receipts import Number
from node.console.render import Show
from node.console.session import session_of
from node.node import Node


def add_receipts(routes: APIRouter, node: Node, show: Show) -> None:
    """Add the page of an event's receipts, and each receipt as a file."""
    who = Depends(session_of(node))

    @routes.get("/console/events/{origin}/{event}/receipts")
    def receipts(
        request: Request, session: Annotated[Session, who], origin: Origin, event: EventId
    ) -> Response:
        return show.page(
            request,
            "receipts.html",
            session,
            back=taken_back(node, session.caller, origin, event),
            refused=refused_of(node, session.caller, origin, event),
        )

    @routes.get("/console/receipts/{number}")
    def file(session: Annotated[Session, who], number: Number) -> Response:
        body = signed_receipt(node, session.caller, number)
        headers = {"Content-Disposition": f'attachment; filename="receipt-{number}.json"'}
        return Response(body, headers=headers, media_type=RECEIPT_TYPE)

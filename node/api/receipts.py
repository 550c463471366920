"""The routes of what peers signed about items of ours: what is taken back, what they refused."""

from typing import Annotated, Final

from fastapi import APIRouter, Path
from starlette.responses import Response

from federation.receipt import RECEIPT_TYPE
from node.actions.caller import Caller
from node.actions.confirmations import TakenBack, taken_back
from node.actions.receipts_got import RefusedThere, list_refused_there, signed_receipt
from node.api.answers import Described, answer, told
from node.api.bodies import EventId, Origin
from node.node import Node

Number = Annotated[int, Path(ge=1, le=2**53, description="A receipt's `id`.", examples=[7])]
_ENVELOPE: Final[Described] = {
    200: {
        "description": "The DSSE envelope, as the peer signed it.",
        "content": {RECEIPT_TYPE: {"schema": {"type": "string", "format": "binary"}}},
    }
}


def add_receipts(api: APIRouter, node: Node, who: Caller) -> None:
    """Add the routes that say who confirmed what, and who refused what."""

    @api.get("/events/{origin}/{event}/recall", tags=["ledger"], responses=told(TakenBack))
    def follow_a_recall(origin: Origin, event: EventId, caller: Caller = who) -> Response:
        """Say who has confirmed that what was taken back of an event is gone, and who has not."""
        return answer(taken_back(node, caller, origin, event))

    @api.get("/refusals", tags=["states"], responses=told(list[RefusedThere]))
    def list_the_refusals(caller: Caller = who) -> Response:
        """Give what peers refused of what this node gave them, newest first."""
        return answer(list_refused_there(node, caller))

    @api.get("/receipts/{number}", tags=["states"], responses=_ENVELOPE)
    def take_a_receipt_out(number: Number, caller: Caller = who) -> Response:
        """Give one receipt of a peer with its signature, for whoever is to check it."""
        return Response(signed_receipt(node, caller, number), media_type=RECEIPT_TYPE)

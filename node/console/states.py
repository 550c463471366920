"""Pages of how things stand: the picture of all incidents, and the peers."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from node.actions.accepting import roster_told
from node.actions.peers import exchange_state
from node.actions.people import Session
from node.actions.picture import hub_picture
from node.console.render import Show
from node.console.session import session_of
from node.node import Node


def add_states(routes: APIRouter, node: Node, show: Show) -> None:
    """Add the picture and the peers."""
    who = Depends(session_of(node))

    @routes.get("/console/picture")
    def picture(request: Request, session: Annotated[Session, who]) -> Response:
        return show.page(
            request, "picture.html", session, picture=hub_picture(node, session.caller)
        )

    @routes.get("/console/peers")
    def peers(request: Request, session: Annotated[Session, who]) -> Response:
        state = exchange_state(node, session.caller)
        return show.page(request, "peers.html", session, state=state, roster=roster_told(node))

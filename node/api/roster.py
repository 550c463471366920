"""The signed roster's door: the newest, for anybody; enrolment and members' entries, at the hub.

Nothing here asks who comes: every document is signed, a token is a secret, and a roster holds only
what each member would tell a stranger (its name, address and keys).
"""

from collections.abc import Callable
from typing import Annotated, Final

import orjson
from fastapi import APIRouter, Depends, Request, Response

from federation.enrolment import ENROLMENT_CAP
from federation.errors import BadRequestError, BadTrustError
from federation.gossip import (
    ENROLMENTS_PATH,
    ENTRIES_PATH,
    GOSSIP_TYPE,
    ROSTER_PATH,
    read_query,
    write_gossip,
)
from federation.members import ENTRY_CAP
from node.actions.enrolling import take_enrolment
from node.actions.errors import ConflictError
from node.actions.roster import gossip
from node.actions.rostering import take_entry
from node.errors import SettingsError
from node.node import Node

_STATUS: Final = {"token": 403, "member": 403, "roster": 409, "version": 409, "refused": 409}


def router(node: Node) -> APIRouter:
    """The routes of the roster for this node."""
    routes = APIRouter(include_in_schema=False)

    @routes.get(ROSTER_PATH, response_class=Response)
    def roster(request: Request) -> Response:
        """The roots and the roster that the asker does not hold yet."""
        try:
            held = read_query(request.url.query)
        except BadRequestError as error:
            return _problem(400, "query", str(error))
        headers = {"cache-control": "no-store"}
        return Response(write_gossip(gossip(node, held)), headers=headers, media_type=GOSSIP_TYPE)

    @routes.post(ENROLMENTS_PATH, response_class=Response)
    def enrol(body: Annotated[bytes, Depends(_upto(ENROLMENT_CAP))]) -> Response:
        """A new member with its token; a second officer decides about it."""
        return _taken(202, lambda: take_enrolment(node, body))

    @routes.post(ENTRIES_PATH, response_class=Response)
    def entry(body: Annotated[bytes, Depends(_upto(ENTRY_CAP))]) -> Response:
        """A member's own new entry."""
        return _taken(204, lambda: take_entry(node, body))

    return routes


def _upto(cap: int) -> Callable[[Request], object]:
    async def read(request: Request) -> bytes:
        """The body, read no further than it can be long."""
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > cap:
                break
        return bytes(body)

    return read


def _taken(status: int, act: Callable[[], None]) -> Response:
    try:
        act()
    except BadTrustError as error:
        return _problem(_STATUS.get(error.reason, 400), error.reason, error.detail)
    except ConflictError as error:
        return _problem(409, "not here", str(error))
    except SettingsError:
        return _problem(409, "roster", "the entry does not go with those of other members")
    return Response(status_code=status)


def _problem(status: int, title: str, detail: str) -> Response:
    body = orjson.dumps({"title": title, "status": status, "detail": detail})
    return Response(body, status, media_type="application/problem+json")

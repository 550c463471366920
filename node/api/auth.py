"""Who calls the API: a bearer token, turned into a Caller by the people's action."""

from collections.abc import Callable

from fastapi import Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from node.actions.caller import Caller
from node.actions.people import caller_from_token
from node.api.errors import SignInNeededError
from node.node import Node

_BEARER = Security(HTTPBearer(auto_error=False, description="A token made with `isac token make`."))


def caller_of(node: Node) -> Callable[[HTTPAuthorizationCredentials | None], Caller]:
    """Give the dependency that names the caller of a request, or refuses it."""

    def find(given: HTTPAuthorizationCredentials | None = _BEARER) -> Caller:
        caller = None if given is None else caller_from_token(node, given.credentials)
        if caller is None:
            raise SignInNeededError
        return caller

    return find

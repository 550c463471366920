"""Signing in and out."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from node.actions.people import SignedIn, sign_in, sign_out
from node.console.render import Show, see_other
from node.console.session import (
    HOME,
    SIGN_IN,
    Form,
    check_source,
    drop,
    fields_of,
    find_quietly,
    form_of,
    keep,
    safe_back,
    secret_of,
)
from node.node import Node


def add_sign_in(routes: APIRouter, node: Node, show: Show) -> None:
    """Add the pages of signing in and out."""

    async def posted(request: Request) -> dict[str, list[str]]:
        check_source(node, request)
        return await fields_of(request)

    @routes.get(SIGN_IN)
    def ask(request: Request, back: str = HOME) -> Response:
        if find_quietly(node, request) is not None:
            return see_other(safe_back(back))
        return show.page(request, "sign_in.html", None, back=safe_back(back), login="", why="")

    @routes.post(SIGN_IN)
    def enter(
        request: Request, fields: Annotated[dict[str, list[str]], Depends(posted)]
    ) -> Response:
        login, password, back = (
            next(iter(fields.get(name, ())), "") for name in ("login", "password", "back")
        )
        address = request.client.host if request.client else ""
        done = sign_in(node, login, password, address)
        if isinstance(done, SignedIn):
            return keep(node, see_other(safe_back(back)), done)
        wait = round(done.wait.total_seconds())
        why = (
            f"Too many tries. Try again in {wait} seconds."
            if wait
            else "Login or password is wrong."
        )
        status = 429 if wait else 401
        return show.page(
            request, "sign_in.html", None, status, back=safe_back(back), login=login, why=why
        )

    @routes.post("/console/sign-out")
    def leave(request: Request, form: Annotated[Form, Depends(form_of(node))]) -> Response:
        del form
        sign_out(node, secret_of(node, request))
        return drop(node, see_other(SIGN_IN))

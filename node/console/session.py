"""Who looks at a page, and whether a posted form is really theirs.

The cookie holds 256 random bits and nothing else. A form counts when it comes from our own pages:
the browser says so (`Sec-Fetch-Site`, or `Origin` where it says only that), and it carries the
session's CSRF token. Signing in has no session yet, so there the browser's word alone counts.
"""

import hmac
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, urlsplit

from fastapi import Request
from starlette.datastructures import FormData
from starlette.responses import RedirectResponse, Response

from node.actions.caller import Caller
from node.actions.people import Session, SignedIn, find_session
from node.node import Node

SIGN_IN: Final = "/console/sign-in"
HOME: Final = "/console"
_LOOPBACK: Final = frozenset(["localhost", "127.0.0.1", "[::1]"])
_USUAL_PORTS: Final = {"http": 80, "https": 443}
_MAX_FIELDS: Final = 500
_MAX_FIELD_BYTES: Final = 1 << 20


class SignInFirstError(Exception):
    """Nobody is signed in; `back` is where to go afterwards."""

    def __init__(self, back: str) -> None:
        super().__init__(back)
        self.back = back


class ForgedFormError(Exception):
    """A form that does not come from our own page, or from one whose session is over."""


@dataclass(frozen=True, slots=True)
class Form:
    """What a signed-in person posted."""

    session: Session
    fields: Mapping[str, list[str]]

    @property
    def caller(self) -> Caller:
        """Give who posted it."""
        return self.session.caller

    def one(self, name: str) -> str:
        """Give the first value under `name`, without the blanks around it; empty if none."""
        return next(iter(self.fields.get(name, ())), "").strip()


def cookie_name(node: Node) -> str:
    """Give the name of this node's cookie: nodes on one host must not take each other's."""
    name = f"isac-{node.org[-12:]}"
    return f"__Host-{name}" if is_https(node) else name


def is_https(node: Node) -> bool:
    """Whether people reach this node over TLS."""
    return node.settings.base_url.startswith("https:")


def session_of(node: Node) -> Callable[[Request], Session]:
    """Give the dependency that names who looks, or sends them to sign in."""

    def find(request: Request) -> Session:
        session = find_quietly(node, request)
        if session is None:
            raise SignInFirstError(_back(request))
        return session

    return find


def find_quietly(node: Node, request: Request) -> Session | None:
    """Give who looks, or None."""
    secret = secret_of(node, request)
    return find_session(node, secret) if secret else None


def secret_of(node: Node, request: Request) -> str:
    """Give what the cookie holds; empty if there is none."""
    return request.cookies.get(cookie_name(node), "")


def form_of(node: Node) -> Callable[[Request], Awaitable[Form]]:
    """Give the dependency that reads a posted form, once it is proven to be the signed-in one's."""
    find = session_of(node)

    async def read(request: Request) -> Form:
        check_source(node, request)
        session = find(request)
        fields = await fields_of(request)
        form = Form(session, fields)
        if not hmac.compare_digest(form.one("csrf").encode(), session.csrf.encode()):
            raise ForgedFormError
        return form

    return read


async def fields_of(request: Request) -> dict[str, list[str]]:
    """Read the text fields of a form; files are no part of any of ours."""
    data: FormData = await request.form(
        max_files=0, max_fields=_MAX_FIELDS, max_part_size=_MAX_FIELD_BYTES
    )
    fields: dict[str, list[str]] = {}
    for name, value in data.multi_items():
        if isinstance(value, str):
            fields.setdefault(name, []).append(value.replace("\r\n", "\n"))
    return fields


def check_source(node: Node, request: Request) -> None:
    """Refuse a form that another site's page sent.

    Raises:
        ForgedFormError: the browser says that it comes from elsewhere, or does not say.
    """
    site = request.headers.get("sec-fetch-site")
    if not (_is_our_origin(node, request) if site is None else site == "same-origin"):
        raise ForgedFormError


def _is_our_origin(node: Node, request: Request) -> bool:
    """Whether `Origin` is this node's address: as it is set, never as the request calls it.

    A node on loopback goes by each of loopback's names.
    """
    base = urlsplit(node.settings.base_url)
    host = f"[{base.hostname}]" if ":" in (base.hostname or "") else base.hostname
    is_usual = base.port in {None, _USUAL_PORTS[base.scheme]}
    port = "" if is_usual else f":{base.port}"  # a browser names no usual port
    hosts = _LOOPBACK if host in _LOOPBACK else {host}
    return request.headers.get("origin") in {f"{base.scheme}://{each}{port}" for each in hosts}


def keep(node: Node, response: Response, signed_in: SignedIn) -> Response:
    """Put the session's cookie into an answer."""
    response.set_cookie(
        cookie_name(node),
        signed_in.secret,
        max_age=int(signed_in.life.total_seconds()),
        path="/",
        secure=is_https(node),
        httponly=True,
        samesite="lax",
    )
    return response


def drop(node: Node, response: Response) -> Response:
    """Take the session's cookie back."""
    response.delete_cookie(
        cookie_name(node), path="/", secure=is_https(node), httponly=True, samesite="lax"
    )
    return response


def safe_back(path: str) -> str:
    """Give `path` if it is a page of ours, else the first page."""
    is_ours = path == HOME or path.startswith((f"{HOME}/", f"{HOME}?"))
    return path if is_ours and path.isprintable() and "\\" not in path else HOME


def to_sign_in(request: Request, error: SignInFirstError) -> Response:
    """Send somebody to sign in; a fragment's request makes the whole page go there."""
    where = f"{SIGN_IN}?back={quote(error.back)}"
    if request.headers.get("hx-request"):
        return Response(headers={"HX-Redirect": where})
    return RedirectResponse(where, 303)


def _back(request: Request) -> str:
    """Where to return to: the page asked for, or the first one if something was posted."""
    if request.method != "GET" or request.headers.get("hx-request"):
        return HOME
    query = f"?{request.url.query}" if request.url.query else ""
    return safe_back(request.url.path + query)

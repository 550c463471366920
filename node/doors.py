"""What stands before every face: the outer door (ids, headers, logs, the last catch), the body cap.

Plain ASGI, since both must see the stream itself.
"""

import secrets
import time
from collections.abc import Collection
from contextlib import suppress
from http import HTTPStatus
from ipaddress import ip_address, ip_network
from typing import Any, cast

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

BODY_CAP = 16 << 20
_CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "form-action 'self'; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'"
)
_HEADERS = {
    "Content-Security-Policy": _CSP,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
_HSTS = "max-age=31536000"
_QUIET = frozenset({"/healthz", "/readyz"})

_log = structlog.get_logger(__name__)


class OuterDoor:
    """Names each request, sets the strict headers, logs one line, and lets no error text out.

    Of the address only the route is logged, as it is written here: what a caller puts into a path
    or a query may be anything, a searched value too.
    """

    def __init__(self, app: ASGIApp, *, is_https: bool) -> None:
        self._app = app
        self._headers = _HEADERS | ({"Strict-Transport-Security": _HSTS} if is_https else {})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id, began = secrets.token_hex(8), time.perf_counter()
        status = 0

        async def dressed(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers["X-Request-Id"] = request_id
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
            await send(message)

        with structlog.contextvars.bound_contextvars(request=request_id):
            try:
                await self._app(scope, receive, dressed)
            except ClientDisconnect:
                _log.info("hung up", method=scope["method"], route=_route(scope))
            except Exception:  # noqa: BLE001  one of the three places where everything is caught
                _log.exception("request failed", method=scope["method"], route=_route(scope))
                if not status:
                    await _problem(500, request_id)(scope, receive, dressed)
            if scope["path"] not in _QUIET:
                taken_ms = round((time.perf_counter() - began) * 1000, 1)
                _log.info(
                    "request",
                    method=scope["method"],
                    route=_route(scope),
                    status=status,
                    ms=taken_ms,
                )


class ProxyDoor:
    """Believes what a trusted proxy says of who sends a request, and lets nobody else say it."""

    def __init__(self, app: ASGIApp, *, trusted: Collection[str], certificate: str) -> None:
        self._app, self._certificate = app, certificate.lower().encode()
        self._believing = ProxyHeadersMiddleware(cast(Any, app), list(trusted))
        self._trusted = [ip_network(one) for one in trusted]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "http" and self._is_trusted(scope):
            await self._believing(cast(Any, scope), cast(Any, receive), cast(Any, send))
            return
        if scope["type"] == "http":
            told = [line for line in scope["headers"] if line[0] != self._certificate]
            scope["headers"] = told  # no copy: the request log reads the route from this scope
        await self._app(scope, receive, send)

    def _is_trusted(self, scope: Scope) -> bool:
        try:
            address = ip_address(scope["client"][0])
        except (TypeError, ValueError):  # no address at all
            return False
        return any(address in network for network in self._trusted)


class BodyCap:
    """Counts a request's body while it streams in, and answers 413 past the cap."""

    def __init__(self, app: ASGIApp, *, cap: int = BODY_CAP) -> None:
        self._app = app
        self._cap = cap

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if _announced_bytes(scope) > self._cap:
            await _problem(413)(scope, receive, send)
            return
        taken, has_begun = 0, False

        async def counted() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > self._cap:
                raise _BodyTooLargeError
            return message

        async def unless_over(message: Message) -> None:
            nonlocal has_begun
            if taken <= self._cap:
                has_begun = True
                await send(message)

        with suppress(_BodyTooLargeError):
            await self._app(scope, counted, unless_over)
        if taken > self._cap and not has_begun:
            await _problem(413)(scope, receive, send)


class _BodyTooLargeError(Exception):
    """Carries us out of whoever reads the body; whatever it answers then is not sent."""


def _route(scope: Scope) -> str:
    """Give the path of the route that took the request, with the names of its parts."""
    return str(getattr(scope.get("route"), "path", "(no route)"))


def _announced_bytes(scope: Scope) -> int:
    told = Headers(scope=scope).get("content-length", "0")
    return int(told) if told.isdigit() else 0


def _problem(status: int, request_id: str = "") -> JSONResponse:
    told: dict[str, object] = {"title": HTTPStatus(status).phrase, "status": status}
    if request_id:
        told["detail"] = f"The operator finds the reason in the log under {request_id}."
    # The rest of the body is not read: the connection ends here.
    headers = {"Connection": "close"} if status == 413 else None
    return JSONResponse(told, status, headers, "application/problem+json")

"""The web application: which face answers which path, and what every answer has in common.

    /fed/v1     other nodes (signed requests)      /api/v1   programs (tokens)
    /console    people (sessions)                  /docs     the API's description, served here
    /healthz    this process is alive              /readyz   it can do its work

Faces are chosen here and nowhere else; each brings a router with its own prefix.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import APIRouter, FastAPI
from starlette.responses import PlainTextResponse, RedirectResponse, Response

from federation.transport import Transport
from node.api import docs, federation, own, roster
from node.console import pages
from node.doors import BodyCap, OuterDoor, ProxyDoor
from node.node import Node
from node.schedule import Schedule
from node.storage.schema import is_ready
from node.version import VERSION


def create_app(node: Node, *, transport: Transport | None = None) -> FastAPI:
    """Give the application of a node; with a transport it also runs the node's schedule."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        del app
        if transport is None:
            yield
            return
        schedule = Schedule(node, transport)
        schedule.start()
        try:
            yield
        finally:
            schedule.stop()

    app = FastAPI(
        title="ISAC node",
        version=VERSION,
        summary="Report incidents, share indicators, and see who got what and why.",
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/v1/openapi.json",
        lifespan=lifespan,
        redirect_slashes=False,
    )
    for face in (federation, roster, own, pages, docs):
        app.include_router(face.router(node))
    app.include_router(_health(node))
    app.add_middleware(BodyCap)
    app.add_middleware(
        ProxyDoor,
        trusted=node.settings.trusted_proxies,
        certificate=node.settings.client_cert_header,
    )
    app.add_middleware(OuterDoor, is_https=node.settings.base_url.startswith("https:"))
    return app


def _health(node: Node) -> APIRouter:
    routes = APIRouter(include_in_schema=False)

    @routes.get("/")
    def home() -> Response:
        return RedirectResponse("/console", 303)

    @routes.get("/healthz")
    def healthz() -> Response:
        return PlainTextResponse("ok\n")

    @routes.get("/readyz")
    def readyz() -> Response:
        if is_ready(node.store):
            return PlainTextResponse("ready\n")
        return PlainTextResponse("the database does not answer, or is not migrated\n", 503)

    return routes

"""The page `/docs`: the API's description, readable and to be tried out, without a network.

Swagger UI's files come from the installed package `fastapi-offline`; its own page is left out, for
it starts with an inline script, which our Content-Security-Policy forbids. Ours is two lines.
"""

from importlib.resources import files
from typing import Final

from fastapi import APIRouter
from starlette.responses import HTMLResponse, Response

_PAGE: Final = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Node API</title>
<meta name="viewport" content="width=device-width"><link rel="icon" href="data:,">
<link rel="stylesheet" href="/docs/swagger-ui.css"><main id="swagger-ui"></main>
<script src="/docs/swagger-ui-bundle.js"></script><script src="/docs/start.js"></script></html>
"""
_START: Final = """SwaggerUIBundle({
  url: "/api/v1/openapi.json",
  dom_id: "#swagger-ui",
  deepLinking: true,
  validatorUrl: null,
});
"""
_TYPES: Final = {"swagger-ui.css": "text/css", "swagger-ui-bundle.js": "text/javascript"}
_KEEP: Final = {"Cache-Control": "public, max-age=86400"}


def router(node: object) -> APIRouter:
    """Give the page and the files it needs; every node has the same."""
    del node
    routes = APIRouter(prefix="/docs", include_in_schema=False)
    assets = files("fastapi_offline") / "static"

    @routes.get("")
    def page() -> Response:
        return HTMLResponse(_PAGE)

    @routes.get("/start.js")
    def start() -> Response:
        return Response(_START, media_type="text/javascript")

    @routes.get("/{name}")
    def asset(name: str) -> Response:
        if name not in _TYPES:
            return Response(status_code=404)
        return Response((assets / name).read_bytes(), headers=_KEEP, media_type=_TYPES[name])

    return routes

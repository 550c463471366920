"""The console's own files and htmx, served from the installed packages, named by their content."""

import gzip
from dataclasses import dataclass
from hashlib import sha256
from importlib.resources import files

from fastapi import APIRouter, Request
from starlette.responses import Response

_SOURCES = {
    "console.css": (files("node.console") / "static" / "console.css", "text/css"),
    "icon.svg": (files("node.console") / "static" / "icon.svg", "image/svg+xml"),
    "htmx.js": (files("js_lib_htmx") / "static" / "htmx" / "htmx.min.js", "text/javascript"),
}
PATH = "/console/static"


@dataclass(frozen=True, slots=True)
class Asset:
    """A file as it is sent; `tag` changes with its content."""

    body: bytes
    packed: bytes
    media_type: str
    tag: str


def read_assets() -> dict[str, Asset]:
    """Read every file once, when the application is made."""
    found = {}
    for name, (source, media_type) in _SOURCES.items():
        body = source.read_bytes()
        packed = gzip.compress(body, mtime=0)
        found[name] = Asset(body, packed, media_type, sha256(body).hexdigest()[:12])
    return found


def router(assets: dict[str, Asset]) -> APIRouter:
    """Give the route of the files: with their tag in the address they may be kept for ever."""
    routes = APIRouter(include_in_schema=False)

    @routes.get(PATH + "/{tag}/{name}")
    def asset(request: Request, tag: str, name: str) -> Response:
        found = assets.get(name)
        if found is None or found.tag != tag:
            return Response(status_code=404)
        headers = {
            "Cache-Control": "public, max-age=31536000, immutable",
            "Vary": "Accept-Encoding",
        }
        if "gzip" in request.headers.get("accept-encoding", ""):
            headers["Content-Encoding"] = "gzip"
            return Response(found.packed, headers=headers, media_type=found.media_type)
        return Response(found.body, headers=headers, media_type=found.media_type)

    return routes

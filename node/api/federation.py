"""The federation's door: /fed/v1, for members of the roster, each request signed (RFC 9421).

Who a request comes from is proven by its signature alone; its nonce is spent after that check and
counts once. A stranger is told that he is one, and nothing that depends on what is stored. Answers
are bytes: a page carries its own signature, a package its originator's.
"""

from collections.abc import Callable
from typing import Final

import orjson
import structlog
from fastapi import APIRouter, Request, Response

from federation.auth import Received, Requester, verify_request
from federation.compress import pack
from federation.cursor import IncarnationChanged
from federation.errors import BadCursorError, BadRequestError, RolledBackError
from federation.feed import FEED_PATH, PACKAGES_PATH, read_feed_query
from federation.peer import read_base_url
from federation.sync import PACKAGE_TYPE
from federation.wire import MEDIA_TYPE
from node.actions.ledger import keep_request
from node.actions.serve import NotYet, serve_feed, serve_package, spend
from node.node import Node

_SOON: Final = {"retry-after": "1"}
_WHY: Final = {
    "signature": "the request does not carry one valid signature of a member's transport key",
    "nonce": "the request's nonce is missing or was used before",
    "time": "the request was signed too long ago, or by a clock too far from ours",
    "query": "the query cannot be read: cursor, limit and wants, each once",
}
_log = structlog.get_logger(__name__)

Answer = Callable[[Requester], Response]


def router(node: Node) -> APIRouter:
    """The routes of fed/1 for this node."""
    routes = APIRouter(include_in_schema=False)  # node/api/README.md: for nodes, not programs
    base_url = read_base_url(node.settings.base_url)

    @routes.get(FEED_PATH, response_class=Response)
    def feed(request: Request) -> Response:
        """One page of the feed that this node keeps for the member who asks."""
        return _answer(node, base_url, request, lambda asker: _feed(node, request, asker))

    @routes.get(PACKAGES_PATH + "{digest}", response_class=Response)
    def package(request: Request, digest: str) -> Response:
        """One package that stands in the asker's own feed, by the digest of its projection."""
        return _answer(
            node, base_url, request, lambda asker: _package(node, request, asker, digest)
        )

    return routes


def _answer(node: Node, base_url: str, request: Request, answer: Answer) -> Response:
    """What `answer` gives a proven member; a plain refusal for everybody else."""
    try:
        asker = verify_request(
            _received(request), base_url=base_url, registry=node.registry, now=node.wall()
        )
        if asker.org not in {peer.org for peer in node.peers}:
            return _problem(403, "not a peer", "this node does not exchange with the asker")
        return answer(asker) if spend(node, asker) else _problem(401, "nonce", _WHY["nonce"])
    except BadRequestError as error:
        status = 400 if error.reason == "query" else 401
        return _problem(status, error.reason, _WHY[error.reason])
    except BadCursorError:
        return _problem(400, "cursor", "this cursor was not given to the asker by this node")
    except RolledBackError as error:
        _log.error("feed rolled back", why=str(error))
        return _problem(503, "rolled back", "this node's operator must give the feed a new life")


def _feed(node: Node, request: Request, asker: Requester) -> Response:
    query = read_feed_query(request.url.query)
    page = serve_feed(node, asker.org, query, asker.nonce, keep_request(_received(request)))
    if isinstance(page, IncarnationChanged):
        return _problem(409, "INCARNATION_CHANGED", "the feed lives a new life: begin anew")
    return _body(request, page, MEDIA_TYPE)


def _package(node: Node, request: Request, asker: Requester, digest: str) -> Response:
    package = serve_package(node, asker.org, digest)
    if package is None:
        return _problem(404, "no such package", "the asker's feed names no such projection")
    if isinstance(package, NotYet):
        return _problem(503, "not yet", "what may leave is being decided anew", _SOON)
    return _body(request, package, PACKAGE_TYPE)


def _received(request: Request) -> Received:
    scope = request.scope
    path, query = scope["raw_path"].decode("latin-1"), scope["query_string"].decode("latin-1")
    headers = [
        (name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]
    ]
    return Received(request.method, f"{path}?{query}" if query else path, headers)


def _body(request: Request, body: bytes, media_type: str) -> Response:
    headers = {"cache-control": "no-store", "vary": "accept-encoding"}
    if "zstd" in request.headers.get("accept-encoding", ""):
        headers["content-encoding"] = "zstd"
        body = b"".join(pack([body]))
    return Response(body, media_type=media_type, headers=headers)


def _problem(
    status: int, title: str, detail: str, headers: dict[str, str] | None = None
) -> Response:
    body = orjson.dumps({"title": title, "status": status, "detail": detail})
    return Response(body, status, headers, media_type="application/problem+json")

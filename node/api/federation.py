"""The federation's door: /fed/v1, for members of the roster, each request signed (RFC 9421).

Who a request comes from is proven by its signature alone; its nonce is spent after that check and
counts once. A stranger is told that he is one, and nothing that depends on what is stored. Answers
are bytes: a page carries its own signature, a package its originator's.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Final, TypeVar

import orjson
import structlog
from fastapi import APIRouter, Depends, Request, Response
from starlette.concurrency import run_in_threadpool

from federation.auth import Received, Requester, verify_request
from federation.compress import pack
from federation.cursor import IncarnationChanged
from federation.errors import (
    BadCursorError,
    BadLineError,
    BadPageError,
    BadReceiptError,
    BadRequestError,
    RolledBackError,
)
from federation.feed import FEED_PATH, PACKAGES_PATH, FeedQuery, read_feed_query
from federation.heads import HEADS_PATH, HEADS_TYPE, read_heads_query
from federation.peer import read_base_url
from federation.pin import check_pin
from federation.push import PUSH_CAP, PUSH_PATH
from federation.receipt import (
    ERASED_BEFORE,
    NO_RECEIPT,
    NO_SUCH_ITEM,
    RECEIPT_CAP,
    RECEIPT_TYPE,
    RECEIPTS_PATH,
)
from federation.repair_lines import (
    ITEMS_PATH,
    QUESTION_CAP,
    REPAIR_PATH,
    REPAIR_TYPE,
    read_asks,
    read_wanted,
)
from federation.sync import PACKAGE_TYPE
from federation.wire import MEDIA_TYPE
from node.actions.errors import ConflictError, RestoringError
from node.actions.heads import serve_heads
from node.actions.ledger import keep_request
from node.actions.push import PushQuota, take_push
from node.actions.quota import OverQuotaError
from node.actions.receipts_got import ContradictedError, UnknownItemError, take_receipt
from node.actions.repair import serve_stretches
from node.actions.roster import Barred, barred
from node.actions.serve import (
    NotYet,
    heed_ask,
    items_page,
    serve_feed,
    serve_held,
    serve_package,
    spend,
)
from node.api.feed_wait import WaitingRoom
from node.node import Node

_SOON: Final = {"retry-after": "1"}
_NO_QUESTION: Final = "neither stretches of the asker's feed nor items of it, by name"
_LATER: Final = {"retry-after": "60"}
_WHY: Final = {
    "signature": "the request does not carry one valid signature of a member's transport key",
    "nonce": "the request's nonce is missing or was used before",
    "time": "the request was signed too long ago, or by a clock too far from ours",
    "certificate": "the member pins its TLS keys, and this connection was not made with one",
    "query": "the query cannot be read: cursor, limit, wants and wait, each once",
}
_BARRED: Final[Mapping[Barred, tuple[int, str, str, dict[str, str] | None]]] = {
    Barred.STRANGER: (403, "not a peer", "this node does not exchange with the asker", None),
    Barred.BAD_KEY: (401, "signature", _WHY["signature"], None),
    Barred.OLD_ROSTER: (503, "roster", "this node's roster expired long ago", _LATER),
}
_log = structlog.get_logger(__name__)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Held:
    """A question that may be held: who asks, what, and from which place of his feed."""

    asker: Requester
    query: FeedQuery
    place: int


def router(node: Node) -> APIRouter:
    """The routes of fed/1 for this node."""
    routes = APIRouter(include_in_schema=False)  # node/api/README.md: for nodes, not programs
    door = _Door(node, read_base_url(node.settings.base_url))
    room = WaitingRoom(node)

    @routes.get(FEED_PATH, response_class=Response)
    async def feed(request: Request) -> Response:
        """One page of the feed that this node keeps for the member who asks, held if he waits."""
        asked = await run_in_threadpool(door.answer, request, partial(_feed, node, request))
        if isinstance(asked, Response):
            return asked
        await room.until_news(asked.asker, asked.place, asked.query.wait_s)
        later = partial(_later, node, request, asked)
        return await run_in_threadpool(door.let_in, asked.asker, later)

    @routes.get(PACKAGES_PATH + "{digest}", response_class=Response)
    def package(request: Request, digest: str) -> Response:
        """One package that stands in the asker's own feed, by the digest of its projection."""
        return door.answer_once(request, partial(_package, node, request, digest))

    @routes.get(HEADS_PATH, response_class=Response)
    def heads(request: Request) -> Response:
        """How far this node knows the asker's own logs."""
        return door.answer_once(request, partial(_heads, node, request))

    for path, taken in _taken(PushQuota()).items():
        routes.add_api_route(
            path, _post(door, taken), methods=["POST"], response_class=Response, name=path
        )
    return routes


@dataclass(frozen=True, slots=True)
class _Taken:
    """What may be posted to a path, and what answers it: given node, request, body and asker."""

    media_type: str
    cap: int
    answer: Callable[[Node, Request, bytes, Requester], Response]


def _taken(quota: PushQuota) -> Mapping[str, _Taken]:
    """What is taken, by path."""
    return {
        RECEIPTS_PATH: _Taken(RECEIPT_TYPE, RECEIPT_CAP, _receipt),
        REPAIR_PATH: _Taken(REPAIR_TYPE, QUESTION_CAP, _stretches),
        ITEMS_PATH: _Taken(REPAIR_TYPE, QUESTION_CAP, _items),
        PUSH_PATH: _Taken(MEDIA_TYPE, PUSH_CAP, partial(_push, quota)),
    }


def _post(door: "_Door", taken: _Taken) -> Callable[..., Response]:
    """The route: a body is read no further than it may be long, and looked at if it is fit."""

    async def upto_cap(request: Request) -> bytes:
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > taken.cap:
                break
        return bytes(body)

    def post(request: Request, body: Annotated[bytes, Depends(upto_cap)]) -> Response:
        if body and request.headers.get("content-type", "") != taken.media_type:
            return _problem(415, "wrong content type", f"only {taken.media_type} is taken here")
        if len(body) > taken.cap:
            return _problem(413, "too long", f"at most {taken.cap} bytes are taken here")
        act = partial(taken.answer, door.node, request, body)
        return door.answer_once(request, act, body)

    return post


@dataclass(frozen=True, slots=True)
class _Door:
    """Who is let in; `base_url` is what requests to this node are signed over."""

    node: Node
    base_url: str

    def answer(
        self, request: Request, answer: Callable[[Requester], T], body: bytes = b""
    ) -> T | Response:
        """What `answer`, which spends the nonce, gives a proven member; else a plain refusal."""
        node = self.node
        try:
            asker = verify_request(
                _received(request, body),
                base_url=self.base_url,
                registry=node.registry,
                now=node.wall(),
            )
            if header := node.settings.client_cert_header:
                pins = node.registry.members[asker.org].tls_pins
                check_pin(pins, request.headers.getlist(header))
        except BadRequestError as error:
            return _problem(401, error.reason, _WHY[error.reason])
        return self.let_in(asker, answer)

    def answer_once(
        self, request: Request, answer: Callable[[Requester], Response], body: bytes = b""
    ) -> Response:
        """The same where `answer` leaves the nonce to us: it is spent first."""

        def once(asker: Requester) -> Response:
            spend(self.node, asker)
            return answer(asker)

        return self.answer(request, once, body)

    def let_in(self, asker: Requester, answer: Callable[[Requester], T]) -> T | Response:
        """What `answer` gives, if who asks is a peer at this moment, with a key that is good."""
        try:
            if (why := barred(self.node, asker)) is not None:
                return _problem(*_BARRED[why])
            return answer(asker)
        except BadRequestError as error:
            status = 400 if error.reason == "query" else 401
            return _problem(status, error.reason, _WHY[error.reason])
        except RestoringError:
            return _problem(503, "restoring", "this node comes from a backup: ask again", _LATER)
        except BadCursorError:
            return _problem(400, "cursor", "this cursor was not given to the asker by this node")
        except RolledBackError as error:
            _log.error("feed rolled back", why=str(error))
            return _problem(
                503, "rolled back", "this node's operator must give the feed a new life"
            )


def _feed(node: Node, request: Request, asker: Requester) -> Response | _Held:
    query = read_feed_query(request.url.query)
    signed = keep_request(_received(request))
    if not query.wait_s:
        return _page(request, serve_feed(node, asker, query, signed))
    asked = heed_ask(node, asker, query, signed)
    return (
        _new_life() if isinstance(asked, IncarnationChanged) else _Held(asker, query, asked.place)
    )


def _later(node: Node, request: Request, held: _Held, asker: Requester) -> Response:
    """The page for a question that was held."""
    return _page(request, serve_held(node, asker, held.query))


def _page(request: Request, page: bytes | IncarnationChanged) -> Response:
    if isinstance(page, IncarnationChanged):
        return _new_life()
    return _body(request, page, MEDIA_TYPE)


def _new_life() -> Response:
    return _problem(409, "INCARNATION_CHANGED", "the feed lives a new life: begin anew")


def _package(node: Node, request: Request, digest: str, asker: Requester) -> Response:
    package = serve_package(node, asker.org, digest)
    if package is None:
        return _problem(404, "no such package", "the asker's feed names no such projection")
    if isinstance(package, NotYet):
        return _problem(503, "not yet", "what may leave is being decided anew", _SOON)
    return _body(request, package, PACKAGE_TYPE)


def _heads(node: Node, request: Request, asker: Requester) -> Response:
    body = serve_heads(node, asker, read_heads_query(request.url.query))
    return Response(body, headers={"cache-control": "no-store"}, media_type=HEADS_TYPE)


def _receipt(node: Node, _request: Request, body: bytes, asker: Requester) -> Response:
    try:
        take_receipt(node, asker.org, body)
    except BadReceiptError as error:
        return _problem(400, NO_RECEIPT, f"it does not count: {error.reason}")
    except UnknownItemError:
        return _problem(422, NO_SUCH_ITEM, "this node gave the asker no such item")
    except ContradictedError:
        return _problem(409, ERASED_BEFORE, "the asker has confirmed that this item is erased")
    return Response(status_code=204)


def _stretches(node: Node, request: Request, body: bytes, asker: Requester) -> Response:
    try:
        asks = read_asks(body)
    except BadLineError:
        return _problem(400, "no question", _NO_QUESTION)
    answer = serve_stretches(node, asker.org, asks, asker.nonce)
    if isinstance(answer, NotYet):
        return _problem(503, "not yet", "what may leave is being decided anew", _SOON)
    return _body(request, answer, REPAIR_TYPE)


def _items(node: Node, request: Request, body: bytes, asker: Requester) -> Response:
    try:
        wanted = read_wanted(body)
    except BadLineError:
        return _problem(400, "no question", _NO_QUESTION)
    page = items_page(node, asker.org, wanted, asker.nonce)
    if isinstance(page, NotYet):
        return _problem(503, "not yet", "what may leave is being decided anew", _SOON)
    return _body(request, page, MEDIA_TYPE)


def _push(
    quota: PushQuota, node: Node, _request: Request, body: bytes, asker: Requester
) -> Response:
    if not quota.allows(asker.org, node.wall()):
        return _problem(429, "too many", "the feed brings what is pushed beyond this", _LATER)
    try:
        take_push(node, asker.org, body, asker.nonce)
    except BadPageError as error:
        return _problem(400, "no push", f"it does not count: {error.reason}")
    except OverQuotaError as error:
        return _problem(429, "too many", str(error), _LATER)
    except ConflictError:
        return _problem(503, "not yet", "others are changing the same event", _SOON)
    return Response(status_code=204)


def _received(request: Request, body: bytes = b"") -> Received:
    scope = request.scope
    path, query = scope["raw_path"].decode("latin-1"), scope["query_string"].decode("latin-1")
    headers = [
        (name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]
    ]
    return Received(request.method, f"{path}?{query}" if query else path, headers, body)


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

"""All that a node says: every GET route of its application, asked in every way, by everybody.

Routes are read from the application itself. What a route's address or query needs is taken from
what the node knows; a route that needs something of another name is a `LookupError` that names it.
"""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any
from urllib.parse import quote, urlencode

from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.testclient import TestClient

from federation.auth import NONCE_BYTES, sign_request, write_nonce
from federation.call import Call
from node.node import Node

STREAMS = {"/api/v1/alerts/stream": "after=0"}
"""Routes whose answer does not end, with what to ask to get all from the start."""

_LISTEN_S = 0.3
_FOR_PROGRAMS = ("/api/", "/docs", "/healthz", "/readyz")


@dataclass(frozen=True)
class Said:
    """One answer: where, and its bytes with its headers."""

    where: str
    status: int
    body: bytes


@dataclass(frozen=True)
class Known:
    """What the node knows by name: fills addresses and queries.

    `together` are parts of an address that mean something only together; `asked` are values by the
    name of a query, `whole` the queries of routes that read theirs themselves.
    """

    together: Mapping[tuple[str, ...], Sequence[tuple[str, ...]]]
    alone: Mapping[str, Sequence[str]]
    asked: Mapping[str, Sequence[str]]
    whole: Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Route:
    """A GET route: its path, what stands in it, what its query may and must hold."""

    path: str
    parts: tuple[str, ...]
    may_ask: frozenset[str]
    must_ask: frozenset[str]

    def addresses(self, known: Known) -> Iterator[str]:
        """Every address it has, by what is known; LookupError where one cannot be made."""
        for parts in self._filled(known):
            path = self.path
            for name, value in parts.items():
                path = path.replace("{" + name + "}", quote(value, safe="/"))
                path = path.replace("{" + name + ":path}", quote(value, safe="/"))
            for query in self._queries(known):
                yield f"{path}?{query}" if query else path

    def _filled(self, known: Known) -> Iterator[dict[str, str]]:
        left, choices = list(self.parts), list[list[dict[str, str]]]()
        for names, values in known.together.items():
            if set(names) <= set(left):
                left = [name for name in left if name not in names]
                choices.append([dict(zip(names, each, strict=True)) for each in values])
        for name in left:
            if name not in known.alone:
                raise LookupError(f"{self.path}: nothing is known to stand for {{{name}}}")
            choices.append([{name: value} for value in known.alone[name]])
        for chosen in product(*choices):
            yield {name: value for each in chosen for name, value in each.items()}

    def _queries(self, known: Known) -> Iterator[str]:
        if self.path in known.whole:
            yield from known.whole[self.path]
            return
        if missing := self.must_ask - known.asked.keys():
            raise LookupError(f"{self.path}: nothing is known to ask as {sorted(missing)}")
        if not self.must_ask:
            yield ""
        for name in sorted(self.may_ask & known.asked.keys()):
            for value in known.asked[name]:
                yield urlencode({name: value})


def routes_of(app: FastAPI) -> list[Route]:
    """Every GET route there is, in the order in which they are tried."""
    return list(_routes(app.routes))


def _routes(routes: Sequence[Any]) -> Iterator[Route]:
    for each in routes:
        inner = getattr(each, "original_router", None)
        if inner is not None:
            yield from _routes(inner.routes)
        elif "GET" in (getattr(each, "methods", None) or ()):
            asked = each.dependant.query_params if isinstance(each, APIRoute) else []
            required = {one.alias for one in asked if one.field_info.is_required()}
            yield Route(
                each.path,
                tuple(each.param_convertors),
                frozenset(one.alias for one in asked),
                frozenset(required),
            )


@dataclass
class Crawl:
    """Asks one node everything, and keeps what it said, by who asked."""

    node: Node
    app: FastAPI
    known: Known
    said: dict[str, list[Said]] = field(default_factory=dict)

    def api(self, who: str, token: str | None) -> None:
        """Every route of the API, with a token or without."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        with self._client(headers=headers) as client:
            for path in self._addresses(*_FOR_PROGRAMS):
                if path.partition("?")[0] not in STREAMS:
                    self._ask(who, client, path)
        for path, query in STREAMS.items():
            if token:
                body = asyncio.run(_listened(self.app, self._host, f"{path}?{query}", token))
                self._keep(who, Said(path, 200, body))

    def console(self, who: str, login: str | None, password: str) -> None:
        """Every page, signed in or not."""
        with self._client(headers={"Sec-Fetch-Site": "same-origin"}) as client:
            if login:
                form = {"login": login, "password": password}
                assert client.post("/console/sign-in", data=form).status_code == 303
            for path in self._addresses("/console"):
                self._ask(who, client, path)

    def feed(self, who: str, peer: Node) -> None:
        """Every route of the federation, signed by a peer; pages until there are no more."""
        for path in self._addresses("/fed/"):
            call = Call("GET", path, {"accept-encoding": "zstd", "accept": "*/*"}, b"")
            signed = sign_request(
                call,
                base_url=self._host,
                signer=peer.transport_signer,
                nonce=write_nonce(peer.rng(NONCE_BYTES)),
                now=peer.wall(),
            )
            with self._client().stream("GET", path, headers=dict(signed.headers)) as answer:
                body = b"".join(answer.iter_raw())
            self._keep(who, Said(path, answer.status_code, body))

    def _ask(self, who: str, client: TestClient, path: str) -> None:
        answer = client.get(path)
        headers = "\n".join(f"{name}: {value}" for name, value in answer.headers.items())
        self._keep(who, Said(path, answer.status_code, headers.encode() + b"\n" + answer.content))

    def _keep(self, who: str, said: Said) -> None:
        self.said.setdefault(who, []).append(said)

    def _addresses(self, *starts: str) -> Iterator[str]:
        for route in routes_of(self.app):
            if route.path.startswith(starts) or (route.path == "/" and starts == _FOR_PROGRAMS):
                yield from route.addresses(self.known)

    @property
    def _host(self) -> str:
        return self.node.settings.base_url

    def _client(self, **more: Any) -> TestClient:
        return TestClient(self.app, base_url=self._host, follow_redirects=False, **more)


async def _listened(app: FastAPI, host: str, path: str, token: str) -> bytes:
    """What a stream says at first, before its listener goes away."""
    bare, _, query = path.partition("?")
    said, waiting = bytearray(), [{"type": "http.request", "body": b"", "more_body": False}]

    async def receive() -> dict[str, Any]:
        if waiting:
            return waiting.pop()
        await asyncio.sleep(_LISTEN_S)
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        said.extend(message.get("body", b""))

    headers = [(b"authorization", f"Bearer {token}".encode()), (b"host", host[8:].encode())]
    scope = {
        "type": "http",
        "method": "GET",
        "path": bare,
        "raw_path": bare.encode(),
        "query_string": query.encode(),
        "headers": headers,
        "scheme": "https",
        "server": ("fr.example.org", 443),
        "client": ("127.0.0.1", 50000),
        "http_version": "1.1",
        "asgi": {"version": "3.0"},
    }
    await asyncio.wait_for(app(scope, receive, send), 20)
    return bytes(said)

"""The outer door and the body cap, before a face of our own making."""

import json
from collections.abc import Iterator

import pytest
import structlog
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient
from structlog.testing import LogCapture

from node.doors import BodyCap, OuterDoor, ProxyDoor

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "form-action 'self'; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'"
)


async def count(request: Request) -> Response:
    return PlainTextResponse(str(len(await request.body())))


async def swallow(request: Request) -> Response:
    """Answers something else when reading fails, as frameworks do."""
    try:
        await request.body()
    except Exception:  # noqa: BLE001  what is tested
        return PlainTextResponse("bad body", 400)
    return PlainTextResponse("fine")


async def fail(request: Request) -> Response:
    raise RuntimeError("salt 1234")


async def dressed(request: Request) -> Response:
    return PlainTextResponse("ok", headers={"Cache-Control": "max-age=60"})


ROUTES = [
    Route("/count", count, methods=["POST"]),
    Route("/swallow", swallow, methods=["POST"]),
    Route("/fail", fail),
    Route("/dressed", dressed),
    Route("/people/{name}", dressed),
    Route("/people/{name}/fail", fail),
    Route("/healthz", dressed),
]


async def sender(request: Request) -> Response:
    """Who sends it, and the certificates that are told of him."""
    host = "" if request.client is None else request.client.host
    return PlainTextResponse(f"{host} {request.headers.getlist('client-cert')}")


def sent_from(address: str, trusted: set[str]) -> str:
    """What a face learns of a request from this address that says more of its sender."""
    door = ProxyDoor(
        Starlette(routes=[Route("/", sender)]), trusted=trusted, certificate="Client-Cert"
    )
    headers = [("Client-Cert", ":AA==:"), ("client-cert", ":BB==:")]
    said = [*headers, ("X-Forwarded-For", "192.0.2.7")]
    return TestClient(door, client=(address, 4711)).get("/", headers=said).text


def client_of(*, is_https: bool = True) -> TestClient:
    app = Starlette(
        routes=ROUTES,
        middleware=[Middleware(OuterDoor, is_https=is_https), Middleware(BodyCap, cap=1000)],
    )
    return TestClient(app)


@pytest.fixture
def client() -> TestClient:
    return client_of()


@pytest.fixture
def logged() -> Iterator[list[structlog.typing.EventDict]]:
    capture = LogCapture()
    before = structlog.get_config()["processors"]
    structlog.configure(processors=[structlog.contextvars.merge_contextvars, capture])
    yield capture.entries
    structlog.configure(processors=before)


def chunks(sizes: list[int]) -> Iterator[bytes]:
    for size in sizes:
        yield b"x" * size


@pytest.mark.parametrize("path", ["/dressed", "/nowhere", "/fail"])
def test_every_answer_carries_the_strict_headers(client: TestClient, path: str) -> None:
    headers = client.get(path).headers
    assert headers["content-security-policy"] == CSP
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["strict-transport-security"] == "max-age=31536000"
    assert len(headers["x-request-id"]) == 16


def test_without_tls_nobody_is_told_to_insist_on_it() -> None:
    assert "strict-transport-security" not in client_of(is_https=False).get("/dressed").headers


def test_a_face_may_cache_what_it_says_and_nothing_else_is_kept(client: TestClient) -> None:
    assert client.get("/dressed").headers["cache-control"] == "max-age=60"
    assert client.get("/nowhere").headers["cache-control"] == "no-store"


def test_a_failure_is_logged_and_answered_without_its_reason(
    client: TestClient, logged: list[structlog.typing.EventDict]
) -> None:
    answer = client.get("/fail")
    assert answer.status_code == 500
    assert "salt" not in answer.text
    assert answer.headers["x-request-id"] in answer.json()["detail"]
    failure, request = logged
    assert failure["log_level"] == "error"
    assert failure["exc_info"]
    assert failure["request"] == request["request"] == answer.headers["x-request-id"]


def test_a_request_is_one_line_without_its_query(
    client: TestClient, logged: list[structlog.typing.EventDict]
) -> None:
    client.get("/dressed?value=198.51.100.7")
    client.get("/healthz")
    (line,) = logged
    assert (line["method"], line["route"], line["status"]) == ("GET", "/dressed", 200)
    assert "198.51.100.7" not in json.dumps(line)


@pytest.mark.parametrize(
    ("method", "path", "route"),
    [
        ("GET", "/people/198.51.100.7", "/people/{name}"),
        ("POST", "/people/198.51.100.7", "/people/{name}"),
        ("GET", "/people/198.51.100.7/fail", "/people/{name}/fail"),
        ("GET", "/198.51.100.7", "(no route)"),
        ("GET", "/people/198.51.100.7/more", "(no route)"),
    ],
)
def test_what_a_caller_writes_into_a_path_is_not_logged(
    client: TestClient,
    logged: list[structlog.typing.EventDict],
    method: str,
    path: str,
    route: str,
) -> None:
    client.request(method, path)
    assert {line["route"] for line in logged} == {route}
    assert not any("198.51.100.7" in str(line) for line in logged)


@pytest.mark.parametrize("sizes", [[1000], [500, 500], []])
def test_a_body_up_to_the_cap_passes(client: TestClient, sizes: list[int]) -> None:
    answer = client.post("/count", content=chunks(sizes))
    assert (answer.status_code, answer.text) == (200, str(sum(sizes)))


@pytest.mark.parametrize("path", ["/count", "/swallow"])
@pytest.mark.parametrize("content", ["announced", "streamed"])
def test_a_body_past_the_cap_is_refused(client: TestClient, path: str, content: str) -> None:
    body = b"x" * 1001 if content == "announced" else chunks([500, 400, 101])
    answer = client.post(path, content=body)
    assert answer.status_code == 413
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["connection"] == "close"


def test_a_length_that_lies_does_not_get_past_the_count(client: TestClient) -> None:
    answer = client.post(
        "/count", content=chunks([1001]), headers={"content-length": "not a number"}
    )
    assert answer.status_code == 413


@pytest.mark.parametrize("trusted", [{"127.0.0.1"}, {"10.1.0.0/16", "::1"}])
def test_a_trusted_proxy_says_who_sends_and_with_which_certificate(trusted: set[str]) -> None:
    for address in ("127.0.0.1",) if "127.0.0.1" in trusted else ("10.1.2.3", "::1"):
        assert sent_from(address, trusted) == "192.0.2.7 [':AA==:', ':BB==:']"


@pytest.mark.parametrize("address", ["127.0.0.2", "10.2.0.1", "::2", "testclient", "192.0.2.7"])
def test_nobody_else_says_it(address: str) -> None:
    assert sent_from(address, {"127.0.0.1", "10.1.0.0/16", "::1"}) == f"{address} []"


def test_without_a_trusted_proxy_nobody_is_believed() -> None:
    assert sent_from("127.0.0.1", set()) == "127.0.0.1 []"

import socket
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation.call import Call, Reply
from federation.errors import TransportError
from federation.peer import Peer
from federation.transport import Transport, is_public
from tests.federation.listener import Listener, Speak, certificate, listening, saying
from tests.federation.simulator import SimulatedPeer
from tests.federation.strategies import FR

PEER = SimulatedPeer(FR).peer
GET = Call("GET", "/fed/v1/feed?limit=1", {"x-mark": "here"}, reply_cap=1000)
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\ncontent-type: text/plain\r\n\r\npage"


def at_loopback(_host: str, _port: int) -> Sequence[str]:
    return ["127.0.0.1"]


def reach(listener: Listener, *, answer_s: float = 5.0, call: Call = GET) -> Reply:
    transport = Transport(frozenset({listener.host}), answer_s=answer_s, resolve=at_loopback)
    return transport.send(call, peer_at(f"http://{listener.host}"))


def peer_at(base_url: str) -> Peer:
    return replace(PEER, base_url=base_url)


# ── The guard ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.8.8.8", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254",
        "100.64.0.1", "192.0.2.1", "198.18.0.1", "224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1",
        "fe80::1%eth0", "fc00::1", "ff02::1", "2001:db8::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1",
        "64:ff9b::7f00:1", "64:ff9b::a00:1", "2002:7f00:1::", "2002:a00:1::1",
    ],
)  # fmt: skip
def test_an_address_that_is_not_public_is_known_as_such(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "address", ["1.1.1.1", "193.0.6.139", "2001:67c:2e8::1", "::ffff:1.1.1.1", "64:ff9b::101:101"]
)
def test_a_public_address_is_known_as_such(address: str) -> None:
    assert is_public(address)


@given(
    st.ip_addresses(network="10.0.0.0/8")
    | st.ip_addresses(network="fe80::/10")
    | st.ip_addresses(network="127.0.0.0/8")
)
def test_no_inner_address_passes_for_public(address: object) -> None:
    assert not is_public(str(address))


def test_plain_http_is_refused_unless_listed() -> None:
    with pytest.raises(TransportError, match="not https"):
        Transport(resolve=lambda *_: ["1.1.1.1"]).send(GET, peer_at("http://fr.example"))


@pytest.mark.parametrize(
    "answers", [["127.0.0.1"], ["10.0.0.1"], ["1.1.1.1", "10.0.0.1"], ["::ffff:169.254.169.254"]]
)
def test_a_name_that_leads_inside_is_refused(answers: list[str]) -> None:
    with pytest.raises(TransportError, match="not a public address"):
        Transport(resolve=lambda *_: answers).send(GET, peer_at("https://fr.example"))


def test_an_inner_address_written_out_is_refused() -> None:
    for host in ("127.0.0.1", "[::1]", "[::ffff:7f00:1]"):
        with pytest.raises(TransportError, match="not a public address"):
            Transport(resolve=lambda host, _: [host]).send(GET, peer_at(f"https://{host}"))


def test_listing_one_host_opens_no_other() -> None:
    transport = Transport(frozenset({"hub.example", "fr.example:8443"}), resolve=at_loopback)
    with pytest.raises(TransportError, match="not a public address"):
        transport.send(GET, peer_at("https://fr.example"))


def test_a_name_without_an_address_is_a_plain_sentence() -> None:
    def unknown(_host: str, _port: int) -> Sequence[str]:
        raise socket.gaierror(-2, "Name or service not known")

    with pytest.raises(TransportError, match=r"^the name fr\.example cannot be resolved$"):
        Transport(resolve=unknown).send(GET, peer_at("https://fr.example"))


@pytest.mark.loopback
def test_guard_connects_only_to_the_address_it_checked() -> None:
    """The name is resolved once; a second, different answer would never be heard."""
    answers = iter([["127.0.0.1"]])
    with listening(saying(OK)) as listener:
        transport = Transport(frozenset({listener.host}), resolve=lambda *_: next(answers))
        assert transport.send(GET, peer_at(f"http://{listener.host}")).body == b"page"
    assert next(answers, None) is None


@pytest.mark.loopback
def test_the_next_address_is_tried_when_the_first_is_silent() -> None:
    with listening(saying(OK)) as listener:
        transport = Transport(frozenset({listener.host}), resolve=lambda *_: ["::1", "127.0.0.1"])
        assert transport.send(GET, peer_at(f"http://{listener.host}")).status == 200


# ── What travels ─────────────────────────────────────────────────────────────────────────────────


@pytest.mark.loopback
def test_a_call_travels_as_it_is_and_the_reply_comes_back() -> None:
    with listening(saying(OK)) as listener:
        reply = reach(listener)
        assert reply == Reply(200, {"content-length": "4", "content-type": "text/plain"}, b"page")
        (request,) = listener.requests
    assert request.startswith(b"GET /fed/v1/feed?limit=1 HTTP/1.1\r\n")
    lines = request.lower().split(b"\r\n")
    assert b"host: " + listener.host.encode() in lines
    assert b"x-mark: here" in lines
    assert not any(
        line.startswith((b"accept-encoding", b"cookie", b"authorization")) for line in lines
    )


@pytest.mark.loopback
def test_an_address_written_out_needs_no_name_service() -> None:
    with listening(saying(OK)) as listener:
        transport = Transport(frozenset({"127.0.0.1"}))
        assert transport.send(GET, peer_at(f"http://127.0.0.1:{listener.port}")).status == 200


@pytest.mark.loopback
def test_a_body_travels_with_its_length() -> None:
    with listening(saying(OK)) as listener:
        reach(listener, call=Call("POST", "/fed/v1/push", {}, b"a page"))
        assert b"content-length: 6\r\n" in listener.requests[0].lower()


@pytest.mark.loopback
def test_a_redirect_is_an_answer_and_is_not_followed() -> None:
    with listening(saying(OK)) as inner:
        answer = (
            b"HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:%d/\r\ncontent-length: 0\r\n\r\n"
            % inner.port
        )
        with listening(saying(answer)) as listener:
            assert reach(listener).status == 302
        assert inner.requests == []


@pytest.mark.loopback
def test_proxies_from_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://192.0.2.9:3128")
    with listening(saying(OK)) as listener:
        assert reach(listener).status == 200


@pytest.mark.loopback
def test_tls_is_checked_against_the_name_not_the_address(tmp_path: Path) -> None:
    server, trusting = certificate(tmp_path, "peer.example")
    with listening(saying(OK), server) as listener:
        transport = Transport(
            frozenset({"peer.example", "other.example"}), trusting, resolve=at_loopback
        )
        assert transport.send(GET, peer_at(f"https://{listener.host}")).body == b"page"
        with pytest.raises(TransportError, match="cannot be reached"):
            transport.send(GET, peer_at(f"https://other.example:{listener.port}"))
        with pytest.raises(TransportError, match="cannot be reached"):
            replace(transport, tls=None).send(GET, peer_at(f"https://{listener.host}"))


# ── Peers that misbehave ─────────────────────────────────────────────────────────────────────────


def endless(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
    with suppress(OSError):
        while True:
            connection.sendall(b"100\r\n" + b"x" * 256 + b"\r\n")


@pytest.mark.loopback
def test_an_endless_body_is_cut_off_at_its_cap() -> None:
    with (
        listening(endless) as listener,
        pytest.raises(TransportError, match="more than 1000 bytes"),
    ):
        reach(listener)


@pytest.mark.loopback
def test_a_body_of_exactly_the_cap_is_taken() -> None:
    answer = b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n" + b"x" * 1000
    with listening(saying(answer)) as listener:
        assert len(reach(listener).body) == 1000


def dribbling(first: bytes) -> Speak:
    def speak(connection: socket.socket) -> None:
        with suppress(OSError):
            connection.sendall(first)
            while True:
                connection.sendall(b"x")
                time.sleep(0.05)

    return speak


@pytest.mark.loopback
@pytest.mark.parametrize(
    "first",
    [b"", b"HTTP/1.1 200 OK\r\nx-slow: ", b"HTTP/1.1 200 OK\r\ncontent-length: 900\r\n\r\n"],
    ids=["status", "header", "body"],
)
def test_a_dribbling_peer_meets_the_deadline(first: bytes) -> None:
    started = time.monotonic()
    with listening(dribbling(first)) as listener, pytest.raises(TransportError):
        reach(listener, answer_s=0.4)
    assert time.monotonic() - started < 4


@pytest.mark.loopback
def test_a_silent_peer_meets_the_deadline() -> None:
    with (
        listening(lambda _: time.sleep(1.5)) as listener,
        pytest.raises(TransportError, match="in time"),
    ):
        reach(listener, answer_s=0.3)


@pytest.mark.loopback
def test_an_answer_that_may_be_held_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("federation.transport.FIRST_S", 0.2)

    def late(connection: socket.socket) -> None:
        time.sleep(0.6)
        connection.sendall(OK)

    with listening(late) as listener:
        with pytest.raises(TransportError, match="in time"):
            reach(listener)
        assert reach(listener, call=replace(GET, held_s=5)).body == b"page"


@pytest.mark.loopback
@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"SSH-2.0-x\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 40_000,
    ],
    ids=["nothing", "not http", "cut short", "endless headers"],
)
def test_a_broken_answer_is_a_plain_sentence(answer: bytes) -> None:
    with (
        listening(saying(answer)) as listener,
        pytest.raises(TransportError, match=r"broke off|in time"),
    ):
        reach(listener)


@pytest.mark.loopback
def test_nobody_listening_is_a_plain_sentence() -> None:
    with listening(saying(OK)) as listener:
        pass
    with pytest.raises(TransportError, match="cannot be reached"):
        reach(listener)


@pytest.mark.loopback
def test_an_announced_body_beyond_the_cap_is_not_begun() -> None:
    answer = b"HTTP/1.1 200 OK\r\ncontent-length: 1001\r\n\r\n"
    with listening(saying(answer)) as listener, pytest.raises(TransportError, match="announces"):
        reach(listener)


@pytest.mark.loopback
@pytest.mark.parametrize(
    ("status", "head"),
    [(200, b"200 OK\r\ncontent-type: b/b"), (500, b"500 No\r\ncontent-type: a/a")],
)
def test_what_was_not_asked_for_is_told_and_not_read(status: int, head: bytes) -> None:
    wanted = replace(GET, headers={"accept": "a/a"})
    answer = b"HTTP/1.1 " + head + b"\r\ncontent-length: 900\r\n\r\nnever more"
    with listening(saying(answer)) as listener:
        reply = reach(listener, call=wanted)
    assert (reply.status, reply.body) == (status, b"")


@pytest.mark.loopback
def test_who_dribbles_is_cut_off_before_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("federation.transport.FIRST_S", 0.4)
    started = time.monotonic()
    first = b"HTTP/1.1 200 OK\r\ncontent-length: 900\r\n\r\n"
    with listening(dribbling(first)) as listener, pytest.raises(TransportError, match="in time"):
        reach(listener)
    assert time.monotonic() - started < 5

"""What a node's doors answer to strangers, liars and the slow, and what that costs it.

With ISAC_HOSTILE_URL set to an address (`http://127.0.0.1:8080`) all is sent there instead, but for
what looks into the process; and what needs a member's key only if the roster there lists ours.
"""

import os
import select
import socket
import threading
import time
from base64 import b64decode
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import orjson
import pytest
from fastapi.routing import APIRoute

from federation.call import Call
from federation.feed import FEED_PATH
from federation.push import PUSH_PATH
from node.api import federation, roster
from tests.hostile.attacks import (
    ASKED,
    DOORS,
    FLOODER,
    MEMBER,
    MEMBERS,
    PUSHED,
    RUDE,
    UNSIGNED,
    WRONGS,
    Refusal,
    bytes_of,
    hand,
    pushed_amber,
)
from tests.hostile.forging import nonce_of, org_of
from tests.hostile.raw import MIB, Answer, ask, read_answer
from tests.hostile.rooted import federate
from tests.hostile.victim import Victim, until, victim
from tests.node.nodes import HandClock, make_node

GROWS_MIB = 64
WAITS_S = 10.0
CUT_S = 45.0  # the slow have this long to be cut off, on a busy machine
OUTSIDE = os.environ.get("ISAC_HOSTILE_URL", "")
_HEAD = b"POST /fed/v1/entries HTTP/1.1\r\nHost: victim\r\n"


@dataclass
class Slow:
    """One slow caller, from its first byte until it is cut off."""

    answer: Answer | None = None
    took_s: float = 0.0


@dataclass
class Target:
    """Whoever is attacked; `node` is None where it is not of our making."""

    base_url: str
    node: Victim | None = None
    baseline_kib: int = 0
    slow: dict[str, Slow] = field(default_factory=dict)

    @property
    def address(self) -> tuple[str, int]:
        parts = urlsplit(self.base_url)
        assert parts.hostname
        return parts.hostname, parts.port or 80

    def begin(self, name: str, speak: Callable[[socket.socket], None]) -> None:
        """Let a slow caller begin."""
        one = self.slow[name] = Slow()

        def run() -> None:
            began = time.monotonic()
            with socket.socket() as connection:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                connection.connect(self.address)
                with suppress(OSError):
                    speak(connection)
                connection.settimeout(2 * CUT_S)
                answer = read_answer(connection)
            one.took_s, one.answer = time.monotonic() - began, answer

        threading.Thread(target=run, daemon=True).start()


# ── The slow: all begin at once and are looked at last ───────────────────────────────────────────


def dribble(first: bytes) -> Callable[[socket.socket], None]:
    """Say this, and then a byte a second for as long as somebody listens."""

    def speak(connection: socket.socket) -> None:
        connection.sendall(first)
        until_s = time.monotonic() + 2 * CUT_S
        while time.monotonic() < until_s and not select.select([connection], [], [], 1)[0]:
            connection.sendall(b"x")

    return speak


def read_nothing(connection: socket.socket) -> None:
    """Ask for some mebibytes and never read them."""
    connection.sendall(b"GET /api/v1/openapi.json HTTP/1.1\r\nHost: victim\r\n\r\n" * 200)
    until_s = time.monotonic() + 2 * CUT_S
    hung_up = select.poll()
    hung_up.register(connection, select.POLLHUP | select.POLLERR | select.POLLRDHUP)
    while time.monotonic() < until_s and not hung_up.poll(1000):
        pass


SLOW: dict[str, tuple[Callable[[socket.socket], None], int]] = {
    "says nothing": (lambda connection: None, 0),
    "dribbles a head": (dribble(_HEAD + b"X-Slow: "), 408),
    "dribbles a body": (dribble(_HEAD + b"Content-Length: 5000\r\n\r\n"), 408),
    "dribbles a chunk": (
        dribble(_HEAD + b"Transfer-Encoding: chunked\r\n\r\n1000\r\n"),
        408,
    ),
    "announces a body and leaves it": (
        lambda connection: connection.sendall(_HEAD + b"Content-Length: 5000\r\n\r\n{"),
        408,
    ),
    "reads nothing": (read_nothing, 200),
}


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    if OUTSIDE:
        yield begun(Target(OUTSIDE))
        return
    data = tmp_path_factory.mktemp("victim")
    with victim(data, MEMBERS, [], role="hub", prepare=federate) as node:
        yield begun(Target(node.base_url, node, node.memory_kib()))


def begun(target: Target) -> Target:
    for name, (speak, _) in SLOW.items():
        target.begin(name, speak)
    return target


def ours(target: Target) -> Victim:
    """The victim, where it is of our making."""
    if target.node is None:
        pytest.skip("looks into the node's process: unset ISAC_HOSTILE_URL")
    return target.node


@pytest.fixture
def listing(target: Target) -> Target:
    """A target whose roster lists the members who attack."""
    if target.node is None and fed(target, MEMBER).status != 200:
        pytest.skip("its roster does not list us: see README.md")
    return target


def fed(target: Target, name: str, cursor: str = "") -> Answer:
    """What this member gets who asks for its feed as it may."""
    call = Call("GET", f"{FEED_PATH}?limit=10&wants=own{cursor and '&cursor=' + cursor}")
    return ask(target.address, bytes_of(hand(target.base_url, name).sign(call)))


def refused(target: Target, sent: bytes, expected: Refusal) -> None:
    """It is answered as it should be, in good time, and the next one is served."""
    began = time.monotonic()
    answer = ask(target.address, sent)
    assert time.monotonic() - began < WAITS_S
    if target.node is None and b'"not here"' in answer.body:
        return  # only the hub of a signed roster takes entries and enrolments
    assert answer.status == expected.status, answer
    assert expected.told.encode() in answer.body
    assert b"Traceback" not in answer.body


def test_every_door_of_the_federation_has_its_hostile_cases(tmp_path: Path) -> None:
    node = make_node(tmp_path, HandClock())
    routes = [*federation.router(node).routes, *roster.router(node).routes]
    node.close()
    assert {route.path for route in routes if isinstance(route, APIRoute)} == DOORS.keys()
    calls = [call for call, _ in (*UNSIGNED.values(), *ASKED.values())]
    tried = {call.path.partition("?")[0] for call in calls}
    for path in DOORS:
        assert any(one.startswith(path.partition("{")[0]) for one in tried), path


@pytest.mark.parametrize(
    ("path", "wrong"),
    [
        (path, wrong)
        for path, door in DOORS.items()
        for wrong, (_, _, methods) in WRONGS.items()
        if door.is_signed and door.method in methods
    ],
)
def test_a_door_refuses_a_request(path: str, wrong: str, listing: Target) -> None:
    make, expected, _ = WRONGS[wrong]
    refused(listing, make(DOORS[path].call(), listing.base_url), expected)


@pytest.mark.parametrize("path", [path for path, door in DOORS.items() if door.is_signed])
def test_a_door_refuses_a_request_that_is_replayed(path: str, listing: Target) -> None:
    sent = bytes_of(hand(listing.base_url).sign(DOORS[path].call()))
    assert ask(listing.address, sent).status != 401
    refused(listing, sent, Refusal(401, "nonce"))


@pytest.mark.parametrize("asked", ASKED)
def test_a_member_is_refused(asked: str, listing: Target) -> None:
    call, expected = ASKED[asked]
    refused(listing, bytes_of(hand(listing.base_url).sign(call)), expected)


@pytest.mark.parametrize("pushed", PUSHED)
def test_a_member_is_refused_who_pushes(pushed: str, listing: Target) -> None:
    nonce = nonce_of()
    make, expected = PUSHED[pushed]
    refused(listing, bytes_of(hand(listing.base_url).sign(make(nonce), nonce)), expected)


def test_the_cursor_of_another_member_is_refused(listing: Target) -> None:
    trailer = orjson.loads(fed(listing, FLOODER).body.splitlines()[-1])
    cursor = orjson.loads(b64decode(trailer["payload"]))["next"]
    assert fed(listing, FLOODER, cursor).status == 200
    stolen = fed(listing, MEMBER, cursor)
    assert (stolen.status, b"cursor" in stolen.body) == (400, True)


def test_amber_that_is_pushed_to_who_is_not_named_is_put_in_quarantine(target: Target) -> None:
    node, nonce = ours(target), nonce_of()
    sent = bytes_of(hand(target.base_url).sign(pushed_amber(nonce), nonce))
    assert ask(target.address, sent).status == 204
    assert node.peers()[org_of(MEMBER)]["quarantined"] == 1


def test_a_member_who_floods_pushes_is_told_to_come_later(listing: Target) -> None:
    hands = hand(listing.base_url, FLOODER)
    answers = [
        ask(listing.address, bytes_of(hands.sign(DOORS[PUSH_PATH].call()))) for _ in range(61)
    ]
    assert answers[-1].status == 429
    assert "retry-after" in answers[-1].head.lower()


@pytest.mark.parametrize("asked", UNSIGNED)
def test_anybody_is_refused(asked: str, target: Target) -> None:
    call, expected = UNSIGNED[asked]
    refused(target, bytes_of(call), expected)


@pytest.mark.parametrize("rude", RUDE)
def test_bad_http_is_refused(rude: str, target: Target) -> None:
    make, expected = RUDE[rude]
    refused(target, make(), expected)


@pytest.mark.parametrize("name", SLOW)
def test_who_is_slow_is_cut_off(name: str, target: Target) -> None:
    one, (_, status) = target.slow[name], SLOW[name]
    until(lambda: one.answer is not None, f"who {name} is cut off", CUT_S)
    assert one.answer is not None
    assert one.answer.status == status
    assert one.took_s < CUT_S


def test_all_this_while_memory_stayed_flat_and_people_are_answered(target: Target) -> None:
    node = ours(target)
    began = time.monotonic()
    node.peers()
    assert time.monotonic() - began < WAITS_S
    assert (node.memory_kib("VmHWM") - target.baseline_kib) * 1024 < GROWS_MIB * MIB

"""What is sent to a node's doors: which doors there are, what is wrong with each request, the answer.

`DOORS` holds every route of `/fed/v1`; a test holds it against the application. `WRONGS` is tried
at every door that asks for a signature, `RUDE` and `UNSIGNED` by anybody, `ASKED` and `PUSHED` by a member. Run
as a module, it writes the members who attack into the roster file of a node that is there for that.
"""

import sys
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import orjson

from federation.auth import sign_request
from federation.call import Call
from federation.cursor import write_cursor
from federation.feed import FEED_PATH, PACKAGES_PATH
from federation.gossip import ENROLMENTS_PATH, ENTRIES_PATH, ROSTER_PATH
from federation.heads import HEADS_PATH
from federation.push import PUSH_CAP, PUSH_PATH
from federation.receipt import RECEIPT_CAP, RECEIPT_TYPE, RECEIPTS_PATH
from federation.repair_lines import ITEMS_PATH, QUESTION_CAP, REPAIR_PATH, REPAIR_TYPE
from federation.wire import MEDIA_TYPE
from node.roster import put_members
from policies.label import Label
from policies.tlp import Tlp
from sharing.seal.keys import Signer
from tests.federation.strategies import signer
from tests.hostile.forging import (
    LIFE,
    Asked,
    Forger,
    Item,
    entry_of,
    nonce_of,
    now,
    org_of,
    put,
    sealed,
)
from tests.hostile.raw import MIB
from tests.hostile.trick import BOMB

MEMBER, FLOODER = "mallory", "mallory with much to say"
UNREACHABLE, STRANGER = "member without address", "stranger"
MEMBERS = [
    entry_of(MEMBER, "http://127.0.0.1:9"),
    entry_of(FLOODER, "http://127.0.0.1:9"),
    {**entry_of(UNREACHABLE, ""), "base_urls": []},
]
QUESTION = b'{"at":""}\n'
DEEP = b'{"a":' + b"[" * 30_000 + b"]" * 30_000 + b"}"


@dataclass(frozen=True)
class Door:
    """One route: what an honest caller would ask there."""

    method: str
    path: str
    body: bytes = b""
    media_type: str = ""
    is_signed: bool = True

    def call(self) -> Call:
        kind = {"content-type": self.media_type} if self.media_type else {}
        return Call(self.method, self.path, kind, self.body)


DOORS = {
    FEED_PATH: Door("GET", f"{FEED_PATH}?limit=10&wants=own"),
    PACKAGES_PATH + "{digest}": Door("GET", PACKAGES_PATH + "0" * 64),
    HEADS_PATH: Door("GET", HEADS_PATH),
    RECEIPTS_PATH: Door("POST", RECEIPTS_PATH, b"{}", RECEIPT_TYPE),
    REPAIR_PATH: Door("POST", REPAIR_PATH, QUESTION, REPAIR_TYPE),
    ITEMS_PATH: Door("POST", ITEMS_PATH, QUESTION, REPAIR_TYPE),
    PUSH_PATH: Door("POST", PUSH_PATH, b"{}", MEDIA_TYPE),
    ROSTER_PATH: Door("GET", ROSTER_PATH, is_signed=False),
    ENROLMENTS_PATH: Door("POST", ENROLMENTS_PATH, b"{}", is_signed=False),
    ENTRIES_PATH: Door("POST", ENTRIES_PATH, b"{}", is_signed=False),
}


@dataclass(frozen=True)
class Refusal:
    """What must be answered: the status, and words of the problem document."""

    status: int
    told: str = ""


def bytes_of(call: Call, *more: str) -> bytes:
    """The request as it goes over the wire."""
    lines = [f"{call.method} {call.path} HTTP/1.1", "Host: victim", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in call.headers.items()]
    if call.body and not any(line.startswith("Transfer-Encoding") for line in more):
        lines.append(f"Content-Length: {len(call.body)}")
    return "\r\n".join([*lines, *more, "", ""]).encode() + call.body


@dataclass(frozen=True)
class Hand:
    """Signs requests for the victim at `base_url`, as this member, with this key, at this time."""

    base_url: str
    by: Signer
    ahead: timedelta = timedelta(0)

    def sign(self, call: Call, nonce: str = "") -> Call:
        return sign_request(
            call,
            base_url=self.base_url,
            signer=self.by,
            nonce=nonce or nonce_of(),
            now=now() + self.ahead,
        )


def hand(base_url: str, name: str = MEMBER, use: str = "transport") -> Hand:
    return Hand(base_url, signer(org_of(name), use))


# ── Wrong at every door that asks for a signature ────────────────────────────────────────────────

Wrong = Callable[[Call, str], bytes]
WRONGS: dict[str, tuple[Wrong, Refusal, Collection[str]]] = {}


def wrong(
    status: int, told: str, methods: Collection[str] = ("GET", "POST")
) -> Callable[[Wrong], Wrong]:
    def add(make: Wrong) -> Wrong:
        WRONGS[make.__name__] = make, Refusal(status, told), methods
        return make

    return add


@wrong(401, "signature")
def without_a_signature(call: Call, base_url: str) -> bytes:
    return bytes_of(call)


@wrong(401, "signature")
def with_a_bad_signature(call: Call, base_url: str) -> bytes:
    signed = hand(base_url).sign(call)
    was = signed.headers["signature"]
    spoiled = was[:9] + ("A" if was[9] != "A" else "B") + was[10:]
    return bytes_of(replace(signed, headers={**signed.headers, "signature": spoiled}))


@wrong(401, "signature")
def signed_by_a_stranger(call: Call, base_url: str) -> bytes:
    return bytes_of(hand(base_url, STRANGER).sign(call))


@wrong(401, "signature")
def signed_with_a_key_for_seals(call: Call, base_url: str) -> bytes:
    return bytes_of(hand(base_url, use="seal").sign(call))


@wrong(401, "signature")
def signed_for_another_node(call: Call, base_url: str) -> bytes:
    return bytes_of(hand("https://other.example.org").sign(call))


@wrong(401, "signature")
def signed_for_another_question(call: Call, base_url: str) -> bytes:
    signed = hand(base_url).sign(call)
    return bytes_of(replace(signed, path=f"{call.path.split('?')[0]}?limit=11"))


@wrong(401, "signature")
def signed_twice(call: Call, base_url: str) -> bytes:
    signed = hand(base_url).sign(call)
    return bytes_of(signed, f"Signature: {signed.headers['signature']}")


@wrong(401, "time")
def signed_ten_minutes_ago(call: Call, base_url: str) -> bytes:
    return bytes_of(replace(hand(base_url), ahead=timedelta(minutes=-10)).sign(call))


@wrong(401, "time")
def signed_in_ten_minutes(call: Call, base_url: str) -> bytes:
    return bytes_of(replace(hand(base_url), ahead=timedelta(minutes=10)).sign(call))


@wrong(401, "signature", {"POST"})
def with_another_body_than_was_signed(call: Call, base_url: str) -> bytes:
    return bytes_of(replace(hand(base_url).sign(call), body=call.body + b" "))


@wrong(403, "not a peer")
def signed_by_a_member_who_is_no_peer(call: Call, base_url: str) -> bytes:
    return bytes_of(hand(base_url, UNREACHABLE).sign(call))


# ── Asked by a member, well signed ───────────────────────────────────────────────────────────────


def _get(path: str) -> Call:
    return Call("GET", path)


def _post(path: str, body: bytes) -> Call:
    media_type = DOORS[path].media_type
    return Call("POST", path, {"content-type": media_type} if media_type else {}, body)


_FORGED = write_cursor(key=b"k" * 32, peer=org_of(MEMBER), incarnation=LIFE, pos=3)
_PACKED = {"content-type": MEDIA_TYPE, "content-encoding": "zstd"}

ASKED: dict[str, tuple[Call, Refusal]] = {
    "a feed from a forged cursor": (_get(f"{FEED_PATH}?cursor={_FORGED}"), Refusal(400, "cursor")),
    "a feed from a cursor that is none": (_get(f"{FEED_PATH}?cursor=7"), Refusal(400, "cursor")),
    "more than fits a page": (_get(f"{FEED_PATH}?limit=999"), Refusal(400, "query")),
    "a feed twice at once": (_get(f"{FEED_PATH}?limit=1&limit=2"), Refusal(400, "query")),
    "a package not in its feed": (_get(PACKAGES_PATH + "ab" * 32), Refusal(404, "no such package")),
    "a package by a path": (_get(PACKAGES_PATH + "..%2f..%2fetc"), Refusal(404)),
    "heads after what is no uuid": (_get(f"{HEADS_PATH}?after=%00"), Refusal(400, "query")),
    "a receipt that nobody signed": (_post(RECEIPTS_PATH, b"{}"), Refusal(400, "no receipt")),
    "a receipt that is too long": (
        _post(RECEIPTS_PATH, b"x" * (RECEIPT_CAP + 1)),
        Refusal(413, "too long"),
    ),
    "a receipt nested deep": (
        _post(RECEIPTS_PATH, DEEP[:4000] + b"}"),
        Refusal(400, "no receipt"),
    ),
    "a repair nested deep": (_post(REPAIR_PATH, DEEP + b"\n"), Refusal(400, "no question")),
    "a repair of one stretch many times": (
        _post(REPAIR_PATH, QUESTION * 1000),
        Refusal(400, "no question"),
    ),
    "a repair that is too long": (
        _post(REPAIR_PATH, b"\n" * (QUESTION_CAP + 1)),
        Refusal(413, "too long"),
    ),
    "items nested deep": (_post(ITEMS_PATH, DEEP + b"\n"), Refusal(400, "no question")),
    "a push that is a zip bomb": (
        Call("POST", PUSH_PATH, _PACKED, BOMB[:PUSH_CAP]),
        Refusal(400, "no push"),
    ),
    "a push nested deep": (_post(PUSH_PATH, DEEP + b"\n"), Refusal(400, "no push")),
    "a push that is too long": (
        _post(PUSH_PATH, b"x" * (PUSH_CAP + 1)),
        Refusal(413, "too long"),
    ),
    "a push in another content type": (
        Call("POST", PUSH_PATH, {"content-type": "text/plain"}, b"{}"),
        Refusal(415, "wrong content type"),
    ),
}


# ── Pushed by a member, in a request with this nonce ─────────────────────────────────────────────


def push(nonce: str, *items: Item, after: int | None = None) -> Call:
    """A push of these items, well signed, that names this nonce."""
    return _post(PUSH_PATH, Forger(MEMBER).page(Asked(None, nonce), items, after=after))


def pushed_amber(nonce: str) -> Call:
    """A push in order, of an item that is not."""
    return push(nonce, put(sealed(MEMBER, label=Label(Tlp.AMBER))))


PUSHED: dict[str, tuple[Callable[[str], Call], Refusal]] = {
    "a page of a feed": (
        lambda nonce: push(nonce, put(sealed(MEMBER)), after=0),
        Refusal(400, "after"),
    ),
    "a push of another request": (
        lambda nonce: push("A" * 22, put(sealed(MEMBER))),
        Refusal(400, "nonce"),
    ),
    "two items at once": (
        lambda nonce: push(nonce, put(sealed(MEMBER), 1), put(sealed(MEMBER), 2)),
        Refusal(400, "no push"),
    ),
}


# ── Sent by anybody, in good HTTP ────────────────────────────────────────────────────────────────

_OTHERS_ENTRY = orjson.dumps({"payloadType": "x", "payload": "e30=", "signatures": []})

UNSIGNED: dict[str, tuple[Call, Refusal]] = {
    "a roster by words": (_get(f"{ROSTER_PATH}?root=x"), Refusal(400, "query")),
    "a roster twice": (_get(f"{ROSTER_PATH}?root=1&root=2"), Refusal(400, "query")),
    "a roster by a number without end": (_get(f"{ROSTER_PATH}?root={'9' * 5000}"), Refusal(400)),
    "an entry nested deep": (_post(ENTRIES_PATH, DEEP), Refusal(400, "form")),
    "an entry that nobody signed": (_post(ENTRIES_PATH, _OTHERS_ENTRY), Refusal(400, "form")),
    "an enrolment nested deep": (_post(ENROLMENTS_PATH, DEEP), Refusal(400, "form")),
    "an enrolment without a token": (_post(ENROLMENTS_PATH, b"{}"), Refusal(400, "form")),
    "the API without a token": (_get("/api/v1/peers"), Refusal(401, "Sign in")),
    "the API with a token of nobody": (
        Call("GET", "/api/v1/peers", {"authorization": f"Bearer isac_{'0' * 72}"}),
        Refusal(401, "Sign in"),
    ),
    "a report nested deep": (
        Call("POST", "/api/v1/incidents", {"content-type": "application/json"}, DEEP),
        Refusal(422, "depth limit"),
    ),
    "a double slash": (_get("//fed/v1/feed"), Refusal(404)),
    "a slash at the end": (_get("/fed/v1/feed/"), Refusal(404)),
    "an encoded slash": (_get("/fed%2fv1%2ffeed"), Refusal(401, "signature")),
    "a step back": (_get("/api/v1/../../fed/v1/feed"), Refusal(404)),
    "another method": (Call("DELETE", FEED_PATH), Refusal(405)),
}

# ── Sent by anybody, in bad HTTP ─────────────────────────────────────────────────────────────────

_POST = f"POST {ENTRIES_PATH} HTTP/1.1\r\nHost: victim\r\n".encode()
_GET = f"GET {ROSTER_PATH} HTTP/1.1\r\nHost: victim\r\n".encode()

RUDE: dict[str, tuple[Callable[[], bytes], Refusal]] = {
    "a gibibyte announced": (
        lambda: _POST + f"Content-Length: {1 << 30}\r\n\r\n".encode(),
        Refusal(413),
    ),
    "64 mebibytes in chunks": (
        lambda: (
            _POST.replace(ENTRIES_PATH.encode(), b"/api/v1/incidents")
            + b"Transfer-Encoding: chunked\r\n\r\n"
            + (f"{MIB:x}\r\n".encode() + b"x" * MIB + b"\r\n") * 64
        ),
        Refusal(413),
    ),
    "two lengths": (
        lambda: _POST + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
        Refusal(400),
    ),
    "a length and chunks": (
        lambda: _POST + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        Refusal(400),
    ),
    "a negative length": (lambda: _POST + b"Content-Length: -1\r\n\r\n", Refusal(400)),
    "chunks that are none": (
        lambda: _POST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n",
        Refusal(400),
    ),
    "a header of eight mebibytes": (
        lambda: _GET + b"X: " + b"y" * (8 * MIB) + b"\r\n\r\n",
        Refusal(431),
    ),
    "a header without end": (lambda: _GET + b"X: " + b"y" * (8 * MIB), Refusal(431)),
    "a hundred thousand headers": (
        lambda: _GET + b"".join(b"X-%d: y\r\n" % n for n in range(100_000)) + b"\r\n",
        Refusal(431),
    ),
    "an address of a mebibyte": (
        lambda: b"GET /" + b"y" * MIB + b" HTTP/1.1\r\nHost: victim\r\n\r\n",
        Refusal(431),
    ),
    "no HTTP at all": (lambda: b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", Refusal(400)),
    "a version of HTTP to come": (lambda: b"GET / HTTP/9.9\r\n\r\n", Refusal(400)),
    "an upgrade to websockets": (
        lambda: (
            b"GET /fed/v1/feed HTTP/1.1\r\nHost: victim\r\nConnection: Upgrade\r\n"
            b"Upgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
            b"Sec-WebSocket-Version: 13\r\n\r\n"
        ),
        Refusal(401),
    ),
}

if __name__ == "__main__":
    put_members(Path(sys.argv[1]), MEMBERS)

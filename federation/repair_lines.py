"""How repair travels: questions and answers as lines, an answer with its signed statement.

    POST /fed/v1/repair         stretches in, fingerprints and names out (`repair.py`)
    POST /fed/v1/repair/items   names or logs in, a page of the feed out

Such a page is read like any other and each of its items passes the checks of `admit`; its `after`
is null as in a push, so it moves nobody's place. The statement of an answer binds its lines to one
sender, one recipient, the request's nonce and one place of the feed: the caller compares only where
that is the place it has read to, since a set that moves under its hands would look like loss.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from federation.auth import sign_request
from federation.call import Call
from federation.errors import BadLineError, BadRepairError
from federation.feed import Feed
from federation.lines import (
    HEX_32,
    INCARNATION,
    INTEGER_CAP,
    NONCE,
    UUID,
    Fields,
    read_line,
    write_instant,
    write_line,
)
from federation.peer import Peer
from federation.repair import ASKS_CAP, DEPTH_CAP, LISTED_CAP, Answer, Listed, Split, StretchAsk
from federation.told import WAYS, Fingerprint, bounds
from federation.wire import ITEMS_CAP, MEDIA_TYPE
from sharing.errors import RefusedError
from sharing.seal.dsse import read_envelope, sign_envelope, verify_envelope, write_envelope
from sharing.seal.keys import KeyRegistry, Signer, Use
from sharing.seal.tree import root_of

REPAIR_PATH = "/fed/v1/repair"
ITEMS_PATH = "/fed/v1/repair/items"
REPAIR_TYPE = "application/vnd.fisn.repair"
STATEMENT_TYPE = "application/vnd.fisn.repair.v1+json"
QUESTION_CAP = 128 * 1024
ANSWER_CAP = 8 * 1024 * 1024  # unpacked

_TYPE = "fisn.repair/1"
_STRETCH = re.compile(rf"[0-9a-f]{{0,{DEPTH_CAP}}}")
_KID = re.compile(r"[A-Za-z0-9_-]{43}")
_LF = b"\n"

LogKey = tuple[str, str]  # (origin, event)
Wanted = bytes | LogKey  # an item by what the receiver was not told, or by its log


@dataclass(frozen=True, slots=True)
class Place:
    """One place of one life of a feed."""

    incarnation: str
    pos: int


@dataclass(frozen=True, slots=True)
class OpenedAnswers:
    """Answers that the source signed for us and this question, at one place of its feed."""

    place: Place
    answers: tuple[Answer, ...]


# Questions


def ask_stretches(
    peer: Peer, asks: Iterable[StretchAsk], *, nonce: str, signer: Signer, now: datetime
) -> Call:
    """The signed question about stretches."""
    body = b"".join(ask.write() + _LF for ask in asks)
    return _signed(peer, REPAIR_PATH, REPAIR_TYPE, body, nonce=nonce, signer=signer, now=now)


def ask_items(
    peer: Peer, wanted: Iterable[Wanted], *, nonce: str, signer: Signer, now: datetime
) -> Call:
    """The signed question for items: at most 200 of them."""
    body = b"".join(_write_wanted(one) + _LF for one in wanted)
    return _signed(peer, ITEMS_PATH, MEDIA_TYPE, body, nonce=nonce, signer=signer, now=now)


def _signed(
    peer: Peer, path: str, accept: str, body: bytes, *, nonce: str, signer: Signer, now: datetime
) -> Call:
    headers = {"accept": accept, "accept-encoding": "zstd", "content-type": REPAIR_TYPE}
    call = Call("POST", path, headers, body)
    return sign_request(call, base_url=peer.base_url, signer=signer, nonce=nonce, now=now)


def read_asks(body: bytes) -> tuple[StretchAsk, ...]:
    """The question in a body: stretches in order, none within another, so that none costs twice.

    Raises:
        BadLineError: it is none.
    """
    asks = tuple(_read_ask(line) for line in _lines(body, ASKS_CAP, "repair question"))
    for one, other in pairwise(asks):
        if one.stretch >= other.stretch or other.stretch.startswith(one.stretch):
            raise BadLineError("repair question: stretches that overlap or do not ascend")
    return asks


def _read_ask(line: bytes) -> StretchAsk:
    fields = read_line(line, "repair ask")
    ask = StretchAsk(fields.text("stretch", _STRETCH), fields.flag("list"))
    fields.close()
    return ask


def _write_wanted(wanted: Wanted) -> bytes:
    if isinstance(wanted, bytes):
        return write_line({"told": wanted.hex()})
    origin, event = wanted
    return write_line({"origin": origin, "event": event})


def read_wanted(body: bytes) -> tuple[Wanted, ...]:
    """The items a body asks for.

    Raises:
        BadLineError: it is no such question.
    """
    return tuple(_read_wanted(line) for line in _lines(body, ITEMS_CAP, "repair question"))


def _read_wanted(line: bytes) -> Wanted:
    fields, wanted = read_line(line, "repair ask"), None
    if fields.holds("told"):
        wanted = bytes.fromhex(fields.text("told", HEX_32))
        fields.close()
        return wanted
    key = (fields.text("origin", UUID), fields.text("event", UUID))
    fields.close()
    return key


# Answers


def write_answers(
    feed: Feed, answers: Iterable[Answer], *, pos: int, nonce: str, now: datetime
) -> bytes:
    """The body of an answer: its lines, and the statement that signs them at this place."""
    lines = [answer.write() for answer in answers]
    payload = write_line(
        {
            "_type": _TYPE,
            "from": feed.me,
            "to": feed.peer,
            "incarnation": feed.incarnation,
            "head": pos,
            "count": len(lines),
            "root": root_of(lines).hex(),
            "nonce": nonce,
            "at": write_instant(now),
            "keys": [feed.signer.kid],
        }
    )
    signatures = sign_envelope(STATEMENT_TYPE, payload, (feed.signer,))
    trailer = write_envelope(STATEMENT_TYPE, payload, signatures)
    return b"".join(line + _LF for line in [*lines, trailer])


def open_answers(
    body: bytes, *, source: str, me: str, nonce: str, registry: KeyRegistry, now: datetime
) -> OpenedAnswers:
    """The answers, if `source` signed them for us in answer to the request of this nonce.

    Raises:
        BadRepairError: reason `grammar`, `signature`, `key`, `to`, `nonce`, `count` or `root`.
    """
    try:
        *lines, trailer = _lines(body, ASKS_CAP + 1, "repair answer")
        fields = _signed_by(trailer, source, registry, now)
        place = _read_statement(fields, lines, me, nonce)
        return OpenedAnswers(place, tuple(map(read_answer, lines)))
    except BadLineError as error:
        raise BadRepairError("grammar", str(error)) from error


def _signed_by(trailer: bytes, source: str, registry: KeyRegistry, now: datetime) -> Fields:
    read_line(trailer, "repair statement")
    try:
        payload, signatures = read_envelope(trailer, STATEMENT_TYPE)
    except ValueError as error:
        raise BadLineError(f"repair statement: {error}") from error
    fields = read_line(payload, "repair statement")
    keys = fields.texts("keys", _KID, 1)
    if len(keys) != 1:
        raise BadRepairError("key", "not one key")
    try:
        verify_envelope(
            STATEMENT_TYPE,
            payload,
            signatures,
            keys=keys,
            org=source,
            use=Use.TRANSPORT,
            registry=registry,
            first_seen_at=now,
        )
        key = registry.require(keys[0], org=source, use=Use.TRANSPORT, first_seen_at=now)
    except RefusedError as error:
        raise BadRepairError("signature", error.reason) from error
    if not key.valid_at(now):
        raise BadRepairError("key", f"key {key.kid} is not valid now")
    fields.exactly("from", source)
    return fields


def _read_statement(fields: Fields, lines: Sequence[bytes], me: str, nonce: str) -> Place:
    fields.exactly("_type", _TYPE)
    to, asked = fields.text("to", UUID), fields.text("nonce", NONCE)
    place = Place(fields.text("incarnation", INCARNATION), fields.integer("head"))
    count, root = fields.integer("count", 0, ASKS_CAP), fields.text("root", HEX_32)
    fields.instant("at")
    fields.close()
    if to != me:
        raise BadRepairError("to", "meant for another recipient")
    if asked != nonce:
        raise BadRepairError("nonce", "answers another request")
    if count != len(lines):
        raise BadRepairError("count", f"{len(lines)} of {count} answers")
    if root != root_of(lines).hex():
        raise BadRepairError("root", "other answers than were signed")
    return place


def read_answer(line: bytes) -> Answer:
    """One answer, well-formed in itself.

    Raises:
        BadLineError: it is none.
    """
    fields = read_line(line, "repair answer")
    stretch = fields.text("stretch", _STRETCH)
    answer = _read_split(stretch, fields) if fields.holds("split") else _read_list(stretch, fields)
    fields.close()
    return answer


def _read_split(stretch: str, fields: Fields) -> Split:
    parts = fields.take("split")
    if not isinstance(parts, list) or len(parts) != WAYS:
        raise fields.wrong("split", f"a list of {WAYS}")
    return Split(stretch, tuple(_read_part(fields, part) for part in parts))


def _read_part(fields: Fields, part: object) -> Fingerprint:
    match part:
        case [int(n), str(digits)] if (
            type(n) is int and 0 <= n <= INTEGER_CAP and HEX_32.fullmatch(digits)
        ):
            return Fingerprint(n, int(digits, 16))
    raise fields.wrong("split", "counts and sums")


def _read_list(stretch: str, fields: Fields) -> Listed:
    names = tuple(map(bytes.fromhex, fields.texts("names", HEX_32, LISTED_CAP)))
    low, high = bounds(stretch)
    if any(one >= other for one, other in pairwise(names)):
        raise fields.wrong("names", "in ascending order")
    if names and not low <= names[0] <= names[-1] <= high:
        raise fields.wrong("names", "within the stretch")
    return Listed(stretch, names)


def _lines(body: bytes, cap: int, what: str) -> list[bytes]:
    if not body.endswith(_LF) or body.count(_LF) > cap:
        raise BadLineError(f"{what}: not 1 to {cap} lines, each with its line feed")
    return body[:-1].split(_LF)

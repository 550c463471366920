"""The answer of `/fed/v1/roster`: the roots after the one the asker holds, and the newest roster.

Anybody may ask and anybody may answer: every document is signed, so its source does not matter.
"""

import re
from dataclasses import dataclass
from urllib.parse import parse_qsl

import orjson

from federation.call import Call, Reply
from federation.errors import BadReplyError, BadRequestError, BadTrustError
from federation.trust import DOCUMENT_CAP
from sharing.errors import SharingError
from sharing.seal.members import read_members

ROSTER_PATH = "/fed/v1/roster"
ENROLMENTS_PATH = "/fed/v1/enrolments"
ENTRIES_PATH = "/fed/v1/entries"
GOSSIP_TYPE = "application/vnd.fisn.gossip+json"
ROOTS_CAP = 100
_GOSSIP_CAP = 2 * DOCUMENT_CAP
_QUERY_CAP = 64
_NUMBER = re.compile(r"0|[1-9][0-9]{0,15}")


@dataclass(frozen=True, slots=True)
class Held:
    """The versions that the asker holds; 0: none."""

    root: int = 0
    roster: int = 0


@dataclass(frozen=True, slots=True)
class Gossip:
    """Envelopes, unchecked: roots in their order, and a roster or none."""

    roots: tuple[bytes, ...]
    roster: bytes | None


def ask_roster(held: Held) -> Call:
    """The question for whatever is newer."""
    path = f"{ROSTER_PATH}?root={held.root}&roster={held.roster}"
    return Call("GET", path, reply_cap=_GOSSIP_CAP)


def read_query(query: str) -> Held:
    """What the asker holds.

    Raises:
        BadRequestError: `query`.
    """
    pairs = parse_qsl(query[:_QUERY_CAP], keep_blank_values=True)
    told = dict(pairs)
    is_odd = len(told) != len(pairs) or not told.keys() <= {"root", "roster"}
    if is_odd or not all(_NUMBER.fullmatch(value) for value in told.values()):
        raise BadRequestError("query", "root and roster, each at most once, each a number")
    return Held(**{name: int(value) for name, value in told.items()})


def write_gossip(gossip: Gossip) -> bytes:
    """The body of the answer."""
    roster = None if gossip.roster is None else orjson.loads(gossip.roster)
    return orjson.dumps({"roots": [orjson.loads(one) for one in gossip.roots], "roster": roster})


def read_gossip(reply: Reply) -> Gossip:
    """What somebody answered.

    Raises:
        BadReplyError: no such answer.
        BadTrustError: `form`.
    """
    if reply.status != 200 or reply.headers.get("content-type") != GOSSIP_TYPE:
        raise BadReplyError(f"asked for the roster, it answered with status {reply.status}")
    try:
        members = read_members(reply.body, frozenset({"roots", "roster"}))
    except SharingError as error:
        raise BadTrustError("form", str(error)) from error
    roots, roster = members["roots"], members["roster"]
    if not isinstance(roots, list) or len(roots) > ROOTS_CAP:
        raise BadTrustError("form", f"roots: not a list of at most {ROOTS_CAP}")
    is_none = roster is None
    return Gossip(tuple(map(orjson.dumps, roots)), None if is_none else orjson.dumps(roster))

"""A push: one urgent item, sent to a peer at once instead of waiting to be asked for.

It is a page of exactly one item in which `after` is null, so it can never pass for a page of the
feed; it is the body of a signed request, and its transfer statement names that request's nonce. It
moves nobody's place: the feed delivers the item again, as a no-op. The body has at most 64 KiB; a
package that does not fit is announced with size 0, and its receiver reads the feed.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from federation.auth import sign_request
from federation.call import Bookmark, Call, Reply
from federation.errors import BadPageError, BadReplyError
from federation.feed import Feed
from federation.opening import TRAILER, OpenedPage, open_page
from federation.peer import Peer
from federation.transfer import TransferStatement, write_trailer
from federation.wire import MEDIA_TYPE, HeaderLine, ItemLine
from sharing.seal.keys import KeyRegistry, Signer
from sharing.seal.tree import root_of

PUSH_PATH = "/fed/v1/push"
PUSH_CAP = 64 * 1024
_REPLY_CAP = 4096
_TAKEN = 204
_BUSY = (429, 503)


@dataclass(frozen=True, slots=True)
class Taken:
    """The peer has checked and stored it, or knew it."""


@dataclass(frozen=True, slots=True)
class Declined:
    """The peer will not have it now: try again, after so many seconds if it says."""

    status: int
    retry_after_s: float | None


@dataclass(frozen=True, slots=True)
class Expected:
    """What a push that came with this request must be: from its sender, to us, by its nonce.

    `bookmark` is our place in the sender's feed, of which only the feed's life counts.
    """

    source: str
    me: str
    nonce: str
    bookmark: Bookmark | None
    limit: int = 1
    after: None = None
    cursor: None = None


def write_push(
    feed: Feed, row: ItemLine, package: bytes, *, nonce: str, head: int, now: datetime
) -> list[bytes]:
    """The parts of a push of this row, whose package is `package` (empty where the op has none).

    `head` is the feed's newest pos, `now` the real wall clock's.

    Raises:
        ValueError: not even the item line fits.
    """
    parts = list(_page(feed, row, package, nonce, head, now))
    if sum(map(len, parts)) > PUSH_CAP and package:
        parts = list(_page(feed, row, b"", nonce, head, now))
    if (size := sum(map(len, parts))) > PUSH_CAP:
        raise ValueError(f"a push of {size} bytes, at most {PUSH_CAP} travel")
    return parts


def push_call(peer: Peer, body: bytes, *, nonce: str, signer: Signer, now: datetime) -> Call:
    """The signed request that carries a push; `nonce` is the one its statement names."""
    call = Call("POST", PUSH_PATH, {"content-type": MEDIA_TYPE}, body, _REPLY_CAP)
    return sign_request(call, base_url=peer.base_url, signer=signer, nonce=nonce, now=now)


def read_push_reply(reply: Reply) -> Taken | Declined:
    """What became of a push.

    Raises:
        BadReplyError: the peer refused it, or its answer is none of ours.
    """
    if reply.status == _TAKEN:
        return Taken()
    if reply.status in _BUSY:
        told = reply.headers.get("retry-after", "")
        is_seconds = told.isascii() and told.isdigit() and len(told) < 6
        return Declined(reply.status, float(told) if is_seconds else None)
    raise BadReplyError(f"the peer answered a push with status {reply.status}")


def open_push(
    body: bytes, expected: Expected, *, registry: KeyRegistry, now: datetime
) -> OpenedPage:
    """The pushed item, if its sender signed it for us in this very request.

    Raises:
        BadPageError: check 1 or 2; nothing of it may be used.
    """
    if len(body) > PUSH_CAP:
        raise BadPageError(TRAILER, "too-large", f"a push of {len(body)} bytes, at most {PUSH_CAP}")
    page = open_page(body, expected, registry=registry, now=now)
    if len(page.items) != 1:
        raise BadPageError(TRAILER, "count", f"{len(page.items)} items in a push, not one")
    return page


def _page(
    feed: Feed, row: ItemLine, package: bytes, nonce: str, head: int, now: datetime
) -> Iterator[bytes]:
    line = replace(row, size=len(package), base=None, erase=()).write()
    yield _header(feed).write() + b"\n"
    yield line + b"\n" + package
    statement = TransferStatement(
        sender=feed.me,
        to=feed.peer,
        incarnation=feed.incarnation,
        after=None,
        upto=row.pos,
        head=head,
        more=False,
        next=feed.cursor_at(0),  # whoever took it for a place would only begin anew
        count=1,
        root=root_of([line]).hex(),
        rulebook=feed.rulebook_digest,
        roster=feed.roster,
        nonce=nonce,
        at=now,
        keys=(feed.signer.kid,),
    )
    yield write_trailer(statement, feed.signer) + b"\n"


def _header(feed: Feed) -> HeaderLine:
    return HeaderLine(
        sender=feed.me,
        to=feed.peer,
        incarnation=feed.incarnation,
        roster=feed.roster,
        rulebook_version=feed.rulebook_version,
        rulebook_digest=feed.rulebook_digest,
        cursor=None,
    )

"""One pull, as pure steps round whatever carries bytes.

    question = sync.ask(peer, me=…, bookmark=…, nonce=…, signer=…, now=…)
    reply = transport.send(question.call, peer)          # the only line that touches a socket
    outcome = sync.page(reply, question, registry=…, now=…)
    for item in outcome.items: admit.admit_item(item, …)  # a package fetched apart comes in between

The next question carries the page's bookmark, and thereby acknowledges it. Nonces are 16 fresh
random bytes each (`auth.write_nonce`); `now` is the real wall clock's.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from email.utils import parsedate_to_datetime

from federation.auth import sign_request
from federation.call import NEWS_CAP, PACKAGE_CAP, PAGE_CAP, Ask, Bookmark, Call, Reply, Wants
from federation.compress import unpack
from federation.cursor import IncarnationChanged
from federation.errors import BadReplyError
from federation.feed import PACKAGES_PATH, FeedQuery
from federation.opening import Item, OpenedPage, Question, open_page
from federation.peer import Peer
from federation.wire import ITEMS_CAP, MEDIA_TYPE, ItemLine
from sharing.seal.keys import KeyRegistry, Signer

PACKAGE_TYPE = "application/vnd.fisn.disclosure+ndjson"
_ENCODINGS = "zstd"
_BUSY = (429, 503)
_CHANGED = 409
_DISBELIEVED = 401
_CLOCKS_AGREE_S = 10.0
_GONE = 404
_PIECE = 64 * 1024


@dataclass(frozen=True, slots=True)
class Busy:
    """The peer asks us to come back later, after so many seconds if it says."""

    retry_after_s: float | None


@dataclass(frozen=True, slots=True)
class Gone:
    """The package is no longer in our feed there; a later item of that log has replaced it."""


def ask(
    peer: Peer,
    *,
    me: str,
    bookmark: Bookmark | None,
    nonce: str,
    signer: Signer,
    now: datetime,
    limit: int = ITEMS_CAP,
    wants: Wants | None = None,
    wait_s: int = 0,
) -> Ask:
    """The signed question for the page after this bookmark (None: from the start).

    With `wait_s` and limit 0 it asks for no items; `OpenedPage.more` then says that there are some.
    """
    cursor = None if bookmark is None else bookmark.cursor
    query = FeedQuery(cursor, limit, peer.asks if wants is None else wants, wait_s)
    cap = PAGE_CAP if limit else NEWS_CAP
    call = Call("GET", query.path(), _accepting(MEDIA_TYPE), reply_cap=cap, held_s=wait_s)
    signed = sign_request(call, base_url=peer.base_url, signer=signer, nonce=nonce, now=now)
    return Ask(signed, peer.org, me, nonce, bookmark, limit)


def page(
    reply: Reply, question: Ask, *, registry: KeyRegistry, now: datetime
) -> OpenedPage | IncarnationChanged | Busy:
    """The opened page, or why there is none now.

    Raises:
        BadPageError: the page is refused as a whole and moves nothing.
        BadReplyError, BadBodyError: it is no page at all.
    """
    if reply.status == _CHANGED and question.bookmark is not None:
        return IncarnationChanged()
    if reply.status in _BUSY:
        return Busy(_retry_after_s(reply))
    if reply.status == _DISBELIEVED:
        raise BadReplyError(f"the peer answered with status 401{_clock_hint(reply, now)}")
    return open_page(body(reply, MEDIA_TYPE, PAGE_CAP), question, registry=registry, now=now)


def named_page(
    reply: Reply, question: Question, *, registry: KeyRegistry, now: datetime
) -> OpenedPage:
    """The page of items that were asked for by name (`repair_lines.ask_items`).

    Raises:
        BadPageError: the page is refused as a whole.
        BadReplyError, BadBodyError: it is no page at all.
    """
    return open_page(body(reply, MEDIA_TYPE, PAGE_CAP), question, registry=registry, now=now)


def ask_package(peer: Peer, line: ItemLine, *, nonce: str, signer: Signer, now: datetime) -> Call:
    """The signed question for the package that an item announces with size 0."""
    path = f"{PACKAGES_PATH}{line.digest}"
    call = Call("GET", path, _accepting(PACKAGE_TYPE), reply_cap=PACKAGE_CAP)
    return sign_request(call, base_url=peer.base_url, signer=signer, nonce=nonce, now=now)


def package(reply: Reply, item: Item) -> Item | Gone | Busy:
    """The item with its package, which `admit` has yet to believe.

    Raises:
        BadReplyError, BadBodyError: it is no package at all.
    """
    if reply.status == _GONE:
        return Gone()
    if reply.status in _BUSY:
        return Busy(_retry_after_s(reply))
    return replace(item, raw=b"".join(body(reply, PACKAGE_TYPE, PACKAGE_CAP)))


def _clock_hint(reply: Reply, now: datetime) -> str:
    """How far the peer's clock is from ours by its answer, unsigned; empty where that says nothing.

    A clock that is wrong by more than requests may be old silences both ends, so no signed page
    says it.
    """
    try:
        ahead_s = (parsedate_to_datetime(reply.headers.get("date", "")) - now).total_seconds()
    except (ValueError, TypeError, OverflowError):  # no date, or one without a zone
        return ""
    if abs(ahead_s) <= _CLOCKS_AGREE_S:
        return ""
    way = "ahead of" if ahead_s > 0 else "behind"
    return f"; by its answer its clock is {abs(ahead_s):.0f} s {way} ours"


def _accepting(media_type: str) -> dict[str, str]:
    return {"accept": media_type, "accept-encoding": _ENCODINGS}


def _expect(reply: Reply, media_type: str) -> None:
    if reply.status != 200:
        raise BadReplyError(f"the peer answered with status {reply.status}")
    if reply.headers.get("content-type", "") != media_type:
        raise BadReplyError(f"the peer answered with another content type than {media_type}")


def body(reply: Reply, media_type: str, cap: int) -> Iterable[bytes]:
    """The body of an answer of this type, unpacked, at most `cap` bytes.

    Raises:
        BadReplyError, BadBodyError: it is none.
    """
    _expect(reply, media_type)
    match reply.headers.get("content-encoding", "identity"):
        case "identity":
            return _pieces(reply.body)
        case "zstd":
            return unpack([reply.body], cap=cap)
        case _:
            raise BadReplyError("the peer answered in an encoding that was not asked for")


def _pieces(body: bytes) -> Iterator[bytes]:
    """The body bit by bit, so that whoever reads it keeps no second copy of it."""
    return (body[start : start + _PIECE] for start in range(0, len(body), _PIECE))


def _retry_after_s(reply: Reply) -> float | None:
    """Seconds only: a date would need the peer's clock."""
    value = reply.headers.get("retry-after", "")
    return float(value) if value.isascii() and value.isdigit() and len(value) <= 6 else None

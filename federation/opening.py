"""Whether to believe a page as a whole: checks 1 and 2 of `admit`.

The sender must have signed exactly these item lines, for us, in answer to this very question, from
the place we asked for. A page that fails moves nothing: no item of it is looked at, no cursor kept.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from federation.call import Bookmark
from federation.errors import BadLineError, BadPageError
from federation.page import FramedPage, PlacedItem, read_page
from federation.transfer import TRANSFER_TYPE, TransferStatement
from federation.wire import HeaderLine, ItemLine, read_item_line
from sharing.errors import RefusedError
from sharing.seal.dsse import verify_envelope
from sharing.seal.keys import KeyRegistry, Use
from sharing.seal.tree import root_of

TRAILER = 2  # the number of this check in `admit`


class Question(Protocol):
    """What a page is measured against: an `Ask` we sent, or the request that pushed it to us.

    `after` is the pos we have read up to, None for a push; `bookmark` None accepts any life.
    """

    @property
    def source(self) -> str:
        """Who must have signed it."""

    @property
    def me(self) -> str:
        """Whom it must be for."""

    @property
    def nonce(self) -> str:
        """The request it must belong to."""

    @property
    def bookmark(self) -> Bookmark | None:
        """Our place in the source's feed."""

    @property
    def limit(self) -> int:
        """How many items it may have."""

    @property
    def after(self) -> int | None:
        """The place it must start after."""

    @property
    def cursor(self) -> str | None:
        """The token its header must name."""


@dataclass(frozen=True, slots=True)
class BadLine:
    """An item line that frames its bytes but says something fed/1 does not know."""

    pos: int
    origin: str
    event: str
    reason: str


@dataclass(frozen=True, slots=True)
class Item:
    """One item of a believed page; itself not believed yet. `line_bytes` is the exact line."""

    line: ItemLine | BadLine
    line_bytes: bytes
    raw: bytes
    incarnation: str

    @property
    def fetched_apart(self) -> bool:
        """Whether its package has still to be asked for by its digest."""
        return isinstance(self.line, ItemLine) and self.line.fetched_apart and not self.raw


@dataclass(frozen=True, slots=True)
class OpenedPage:
    """A page whose sender signed exactly these items for us, in answer to this question."""

    header: HeaderLine
    transfer: TransferStatement
    items: tuple[Item, ...]

    @property
    def bookmark(self) -> Bookmark:
        """Where to ask on; stored in the transaction that stores the items."""
        return Bookmark(self.transfer.incarnation, self.transfer.upto, self.transfer.next)

    @property
    def more(self) -> bool:
        """Whether asking again at once pays."""
        return self.transfer.more


def open_page(
    raw: bytes | Iterable[bytes], ask: Question, *, registry: KeyRegistry, now: datetime
) -> OpenedPage:
    """The page, if its sender signed it for us in answer to this question.

    `now` is the real wall clock's: it says whether the sender's key is valid.

    Raises:
        BadPageError: check 1 or 2; nothing of the page may be used.
    """
    framed = read_page([raw] if isinstance(raw, bytes) else raw, items_cap=ask.limit)
    _check_trailer(framed, ask, registry, now)
    incarnation = framed.trailer.statement.incarnation
    items = tuple(_item(placed, incarnation) for placed in framed.items)
    return OpenedPage(framed.header, framed.trailer.statement, items)


def _check_trailer(framed: FramedPage, ask: Question, registry: KeyRegistry, now: datetime) -> None:
    trailer, told = framed.trailer, framed.trailer.statement
    _require("from", told.sender == ask.source, "another member than was asked")
    _require("key", len(told.keys) == 1, "not one key")
    try:
        key = registry.require(told.keys[0], org=ask.source, use=Use.TRANSPORT, first_seen_at=now)
        verify_envelope(
            TRANSFER_TYPE,
            trailer.payload,
            trailer.signatures,
            keys=told.keys,
            org=ask.source,
            use=Use.TRANSPORT,
            registry=registry,
            first_seen_at=now,
        )
    except RefusedError as error:
        raise BadPageError(TRAILER, "signature", error.reason) from error
    _require("key", key.valid_at(now), f"key {key.kid} is not valid now")
    _require("to", told.to == ask.me, "meant for another recipient")
    _require("nonce", told.nonce == ask.nonce, "answers another request")
    life = told.incarnation if ask.bookmark is None else ask.bookmark.incarnation
    _require("incarnation", told.incarnation == life, "another life of the feed")
    _require("after", told.after == ask.after, f"starts after {told.after}, not {ask.after}")
    _check_items(framed, ask)
    _check_header(framed.header, told, ask)


def _check_items(framed: FramedPage, ask: Question) -> None:
    told = framed.trailer.statement
    _require("count", told.count == len(framed.items), f"{len(framed.items)} of {told.count} items")
    last = ask.after or 0
    for item in framed.items:
        _require("order", item.place.pos > last, f"item at {item.place.pos} after {last}")
        last = item.place.pos
    _require("order", last == told.upto <= told.head, f"last item at {last}, upto {told.upto}")
    root = root_of(item.line for item in framed.items).hex()
    _require("root", root == told.root, "other item lines than were signed")


def _check_header(header: HeaderLine, told: TransferStatement, ask: Question) -> None:
    said = (header.sender, header.to, header.incarnation, header.roster, header.rulebook_digest)
    signed = (told.sender, told.to, told.incarnation, told.roster, told.rulebook)
    _require("header", said == signed and header.cursor == ask.cursor, "differs from the trailer")


def _require(reason: str, condition: bool, detail: str) -> None:  # noqa: FBT001 -- it is the check
    if not condition:
        raise BadPageError(TRAILER, reason, detail)


def _item(placed: PlacedItem, incarnation: str) -> Item:
    line: ItemLine | BadLine
    try:
        line = read_item_line(placed.line)
    except BadLineError as error:
        place = placed.place
        line = BadLine(place.pos, place.origin, place.event, str(error))
    return Item(line, placed.line, placed.raw, incarnation)

"""Reading one page of a feed while it comes; `feed.py` writes it.

    header line LF { item line LF, `size` raw bytes } trailer line LF

A package ends in LF itself, so nothing is escaped or encoded again; an item line starts with its
pos, a trailer does not. The reader holds no more than one chunk beyond what it has counted against
the caps, refuses what a writer would not write, and knows nothing of signatures: `admit.open_page`
believes or refuses what it returns.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from federation.call import PAGE_CAP
from federation.errors import BadLineError, BadPageError
from federation.lines import LINE_CAP
from federation.transfer import Trailer, read_trailer
from federation.wire import ITEMS_CAP, HeaderLine, Place, read_place

_LF = b"\n"
_ITEM_START = b'{"pos":'
FRAMING = 1  # the number of this check in `admit`


@dataclass(frozen=True, slots=True)
class PlacedItem:
    """One item as framed: where it stands, its exact line (without LF), its raw package bytes."""

    place: Place
    line: bytes
    raw: bytes


@dataclass(frozen=True, slots=True)
class FramedPage:
    """A page of which only the framing has been checked."""

    header: HeaderLine
    items: tuple[PlacedItem, ...]
    trailer: Trailer


def read_page(
    chunks: Iterable[bytes], *, items_cap: int = ITEMS_CAP, page_cap: int = PAGE_CAP
) -> FramedPage:
    """The framed page in these chunks, which hold nothing else.

    Raises:
        BadPageError: check 1; it is cut short, too large, or not in the grammar of fed/1.
    """
    source = _Source(chunks, page_cap)
    try:
        header = HeaderLine.read(source.line("header line"))
        items: list[PlacedItem] = []
        line = source.line("first item line or trailer")
        while line.startswith(_ITEM_START):
            if len(items) == items_cap:
                raise BadPageError(FRAMING, "too-many-items", f"more than {items_cap} items")
            place = read_place(line)
            items.append(PlacedItem(place, line, source.exactly(place.size, place.pos)))
            line = source.line("item line or trailer")
        trailer = read_trailer(line)
    except BadLineError as error:
        raise BadPageError(FRAMING, "grammar", str(error)) from error
    source.end()
    return FramedPage(header, tuple(items), trailer)


class _Source:
    """Bytes of one page, taken line by line or by number, counted before they are kept."""

    def __init__(self, chunks: Iterable[bytes], cap: int) -> None:
        self._chunks: Iterator[bytes] = iter(chunks)
        self._held = bytearray()
        self._seen = 0
        self._cap = cap

    def line(self, what: str) -> bytes:
        """The bytes up to the next line feed, which is eaten."""
        searched = 0
        while (end := self._held.find(_LF, searched, LINE_CAP + 1)) < 0:
            searched = len(self._held)
            if searched > LINE_CAP:
                raise BadPageError(FRAMING, "long-line", f"{what} is longer than {LINE_CAP} bytes")
            if not self._more():
                raise BadPageError(FRAMING, "truncated", f"the page ends before the {what} does")
        return self._cut(end, eaten=1)

    def exactly(self, size: int, pos: int) -> bytes:
        """This many bytes, the package of the item at `pos`."""
        while len(self._held) < size:
            if not self._more():
                raise BadPageError(FRAMING, "truncated", f"the page ends inside the item at {pos}")
        return self._cut(size, eaten=0)

    def end(self) -> None:
        """Nothing may follow."""
        if self._held or self._more():
            raise BadPageError(FRAMING, "trailing-bytes", "bytes after the trailer line")

    def _cut(self, size: int, *, eaten: int) -> bytes:
        taken = bytes(self._held[:size])
        del self._held[: size + eaten]
        return taken

    def _more(self) -> bool:
        """Whether another, non-empty chunk came."""
        for chunk in self._chunks:
            self._seen += len(chunk)
            if self._seen > self._cap:
                raise BadPageError(FRAMING, "too-large", f"more than {self._cap} bytes")
            if chunk:
                self._held += chunk
                return True
        return False

"""What goes out to a peer and what comes back: the two ends of every protocol step.

A step is two pure functions round whatever carries bytes: one gives an `Ask` whose `call` travels,
the other opens the `Reply` against the same `Ask`. `Ask` is what we must remember in between.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

PAGE_CAP = 64 * 1024 * 1024
PACKAGE_CAP = 128 * 1024 * 1024
NEWS_CAP = 64 * 1024  # a page without items


class Wants(StrEnum):
    """Which logs a receiver asks a sender for: its own, or whatever it may relay as well."""

    OWN = "own"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class Call:
    """One request: `path` starts with a slash and holds the query; header names in lower case.

    `reply_cap` is how many bytes of body we are ready to take, as they travel; `held_s` for how
    long the answer may be held before it begins.
    """

    method: str
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    reply_cap: int = PAGE_CAP
    held_s: int = 0


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer: header names in lower case, the body as it travelled (still encoded)."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Bookmark:
    """Our place in a source's feed: pos, the source's token for it, and the feed's life."""

    incarnation: str
    pos: int
    cursor: str


@dataclass(frozen=True, slots=True)
class Ask:
    """A question for one page, as the answer will be measured against it.

    `bookmark` is None at the start of a feed.
    """

    call: Call
    source: str
    me: str
    nonce: str
    bookmark: Bookmark | None
    limit: int

    @property
    def after(self) -> int:
        """The pos we have read up to."""
        return 0 if self.bookmark is None else self.bookmark.pos

    @property
    def cursor(self) -> str | None:
        """The token we ask with."""
        return None if self.bookmark is None else self.bookmark.cursor

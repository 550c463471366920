"""A trick: what a hostile member answers when the victim asks it, and what is told of it then.

A trick gives what goes over the wire, in one piece or, where it takes its time, in many. Who plays
it lies all the time; whatever else it is asked, it has not got.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import zstandard

from federation.feed import FEED_PATH
from federation.wire import MEDIA_TYPE
from tests.hostile.forging import Forger, Item, sealed
from tests.hostile.raw import MIB, Heard, reply

HONEST = "honest"
SHARED = sealed(HONEST, "What the honest one shares")  # and what others would have or end
LOG = "log"
HELD = 2  # the version of the roster that the victim holds

Wire = bytes | Iterator[bytes]
Play = Callable[[Forger, Heard], Wire]


@dataclass(frozen=True)
class Trick:
    """One trick: how it is played, and what the victim says of it.

    `told` stands in the peer's `where` (or in the log, about its roster) if `check` is 0, else in
    the quarantine list under that number. `answers` are the paths it is played at; `base_url`
    overrules where the member is.
    """

    play: Play
    told: str
    check: int = 0
    where: str = "last_error"
    role: str = "node"
    compromised_since: str = ""
    answers: tuple[str, ...] = (FEED_PATH,)
    base_url: str = ""


class Tricks(dict[str, Trick]):
    """A table of tricks, by the names of their functions."""

    def add(self, told: str, **facts: object) -> Callable[[Play], Play]:
        """Add the function to the table."""

        def added(play: Play) -> Play:
            self[play.__name__] = Trick(play, told, **facts)  # type: ignore[arg-type]  # told by each
            return play

        return added


def page(body: bytes, *headers: str) -> bytes:
    """A page as it should travel."""
    return reply(body, MEDIA_TYPE, *headers)


def head(media_type: str = MEDIA_TYPE, *more: str, status: str = "200 OK") -> bytes:
    """The beginning of an answer that does not say how long it is."""
    lines = [f"HTTP/1.1 {status}", f"Content-Type: {media_type}", *more]
    return "\r\n".join([*lines, "", ""]).encode()


def gibibyte(begun: bytes, filling: bytes = b"\0") -> Iterator[bytes]:
    """An answer that goes on, and on."""
    yield begun
    for _ in range(1024):
        yield filling * MIB


def offering(me: Forger, heard: Heard, *items: Item) -> bytes:
    """An honest page around these items, and empty ones after it."""
    return page(me.page(heard.asked, () if heard.asked.cursor else items))


def packed(body: bytes, **how: int) -> bytes:
    chosen = zstandard.ZstdCompressionParameters(compression_level=1, **how)
    packer = zstandard.ZstdCompressor(compression_params=chosen).compressobj()
    return packer.compress(body) + packer.flush()


def _bomb() -> bytes:
    """Zeros, packed: four times what a page may be, and more than memory may grow by."""
    packer = zstandard.ZstdCompressor(level=1).compressobj()
    return b"".join([*(packer.compress(bytes(MIB)) for _ in range(256)), packer.flush()])


BOMB = _bomb()

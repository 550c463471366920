"""Questions for a feed that are held until there is something for who asks.

Held in the event loop: no thread and no unit of work stays open meanwhile. Each held question looks
when the bell rings, and every two seconds as well (another process may have projected). Of a peer
one is held, its newest; who asks again has hung up the one before, or should have.
"""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field

from federation.auth import Requester
from node.actions.roster import barred
from node.actions.serve import has_news
from node.node import Node

LOOK_S = 2.0
HELD = 256  # in one process; who comes beyond them is answered at once


@dataclass(slots=True)
class WaitingRoom:
    """The questions held in one process."""

    node: Node
    _held: dict[str, asyncio.Event] = field(default_factory=dict)

    async def until_news(self, asker: Requester, after: int, wait_s: int) -> None:
        """Return when there is something in the asker's feed beyond this place, or time is up.

        Also when this process ends, when the asker asks anew, and when it is no peer any more.
        """
        earlier = self._held.pop(asker.org, None)
        if earlier is not None:
            earlier.set()
        if len(self._held) >= HELD:
            return
        loop, rung = asyncio.get_running_loop(), asyncio.Event()
        self._held[asker.org] = rung

        def ring() -> None:
            with suppress(RuntimeError):  # the loop is closed: the process ends
                loop.call_soon_threadsafe(rung.set)

        until = loop.time() + wait_s
        try:
            with self.node.bell.heard(ring):
                while self._held.get(asker.org) is rung and not self.node.bell.is_last:
                    left_s = until - loop.time()
                    if left_s <= 0 or await asyncio.to_thread(self._is_over, asker, after):
                        return
                    with suppress(TimeoutError):
                        await asyncio.wait_for(rung.wait(), min(LOOK_S, left_s))
                    rung.clear()
        finally:
            if self._held.get(asker.org) is rung:
                del self._held[asker.org]

    def _is_over(self, asker: Requester, after: int) -> bool:
        """Whether there is news, or the asker may not have any more."""
        return barred(self.node, asker) is not None or has_news(self.node, asker.org, after)

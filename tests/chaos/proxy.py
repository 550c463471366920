"""A TCP proxy that is no friend: it cuts, delays, loses and flips bytes, by a seeded chance.

Each connection has one fate, drawn when it comes. What befell it is counted only where it did: a
flip that was to come at the 900th byte of 300 is none.
"""

import asyncio
import socket
import struct
import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from random import Random
from typing import Self

CUT, HALF_OPEN, DELAY, DROP, SLOW_CLOSE, FLIP = FATES = (
    "cut",  # reset in mid-stream
    "half-open",  # from some byte on nothing passes, and the connection stands
    "delay",
    "drop",  # a hole in the stream
    "slow close",  # the end is told late
    "flip",
)
_AT_ONCE = 16_384
_DELAY_S = 1.5
_WIDTH = 64  # of a hole
_RESET = struct.pack("ii", 1, 0)  # SO_LINGER: closing says RST


class _CutError(Exception):
    """The connection ends here, with a reset."""


@dataclass
class _Way:
    """One direction of a connection; `fate` is None for the direction that is left alone."""

    fate: str | None
    at: int
    chance: Random
    hang_s: float
    count: Callable[[str], None]
    passed: int = 0

    async def bend(self, chunk: bytes) -> bytes:
        """What comes out of what went in."""
        start, self.passed = self.passed, self.passed + len(chunk)
        if self.fate is None or self.passed <= self.at:
            return chunk
        here = max(0, self.at - start)
        match self.fate:
            case "delay":
                self.count(DELAY)
                await asyncio.sleep(self.chance.uniform(0.05, _DELAY_S))
            case "flip" if start <= self.at:
                self.count(FLIP)
                flipped = chunk[here] ^ self.chance.randrange(1, 256)
                return chunk[:here] + bytes([flipped]) + chunk[here + 1 :]
            case "drop" if start <= self.at:
                self.count(DROP)
                return chunk[:here] + chunk[here + _WIDTH :]
            case "cut":
                self.count(CUT)
                raise _CutError
            case "half-open":
                self.count(HALF_OPEN)
                await asyncio.sleep(self.hang_s)
                raise _CutError
            case _:
                pass
        return chunk

    async def end(self) -> None:
        """The stream has ended."""
        if self.fate == SLOW_CLOSE:
            self.count(SLOW_CLOSE)
            await asyncio.sleep(self.hang_s / 4)

    async def carry(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        """Everything from one side to the other."""
        while chunk := await source.read(_AT_ONCE):
            sink.write(await self.bend(chunk))
            await sink.drain()
        await self.end()
        with suppress(OSError):
            sink.write_eof()


@dataclass
class Weather:
    """All proxies, in one thread: `targets` gives by name (port to listen on, port behind it).

    Until `storm` they are honest, and after `calm` again: then what was ill-fated is reset.
    """

    targets: Mapping[str, tuple[int, int]]
    seed: int
    sick: float = 0.3  # the share of ill-fated connections in a storm
    hang_s: float = 10.0  # how long a half-open connection stands, at most
    fates: Sequence[str] = FATES
    counts: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="weather", daemon=True)
        self._servers = list[asyncio.Server]()
        self._met = set[asyncio.Task[None]]()  # the loop itself would forget them
        self._ill = set[asyncio.Task[None]]()
        self._stormy = False

    def __enter__(self) -> Self:
        self._thread.start()
        for name, (port, behind) in self.targets.items():
            asyncio.run_coroutine_threadsafe(self._open(name, port, behind), self._loop).result()
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def storm(self) -> None:
        """From now on connections have fates."""
        self._stormy = True

    def calm(self) -> None:
        """From now on they have none; what was ill-fated is reset."""
        self._stormy = False
        self._loop.call_soon_threadsafe(lambda: [task.cancel() for task in self._ill])

    async def _open(self, name: str, port: int, behind: int) -> None:
        chance = Random(f"{self.seed} {name}")
        server = await asyncio.start_server(
            lambda reader, writer: self._meet(behind, Random(chance.random()), reader, writer),
            "127.0.0.1",
            port,
        )
        self._servers.append(server)

    async def _close(self) -> None:
        for server in self._servers:
            server.close()
        await asyncio.sleep(0.1)  # who was just accepted is met
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    def _count(self, what: str) -> None:
        self.counts[what] += 1

    def _ways(self, chance: Random) -> tuple[_Way, _Way]:
        """Draw a fate: of the way to the node, and of the way back."""
        fate = chance.choice(self.fates) if self._stormy and chance.random() < self.sick else None
        is_back = chance.random() < 0.6
        at = int(10 ** (chance.uniform(1, 3) + is_back))  # in heads and bodies alike
        hang_s = chance.uniform(0.1, 1) * self.hang_s
        bent = _Way(fate, at, chance, hang_s, self._count)
        honest = _Way(None, 0, chance, 0, self._count)
        return (honest, bent) if is_back else (bent, honest)

    async def _meet(
        self,
        behind: int,
        chance: Random,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        there, back = self._ways(chance)
        self.counts["connections"] += 1
        if task := asyncio.current_task():
            for kept in (self._met, self._ill) if there.fate or back.fate else (self._met,):
                kept.add(task)
                task.add_done_callback(kept.discard)
        onward: asyncio.StreamWriter | None = None
        try:
            answers, onward = await asyncio.open_connection("127.0.0.1", behind)
            async with asyncio.TaskGroup() as both:
                both.create_task(there.carry(reader, onward))
                both.create_task(back.carry(answers, writer))
        except* (OSError, _CutError, asyncio.CancelledError):
            _reset(writer, onward)
        finally:
            for end in (writer, onward):
                if end is not None:
                    end.close()


def _reset(*ends: asyncio.StreamWriter | None) -> None:
    for end in ends:
        if end is not None:
            with suppress(OSError):
                end.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            end.transport.abort()

"""Alerts as they happen: server-sent events, resumed from the database by the number last read.

One task a process looks for what is new, each second and when the bell rings, works out what each
kind of reader may see, and hands it to the streams of this process. A stream first reads what it
missed, then what is handed to it; what comes both ways is told once. One that reads too slowly, or
whose token or session is over, is closed: its client comes back with the number it had.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

import orjson
from sse_starlette import EventSourceResponse, ServerSentEvent

from node.actions.alerts_tell import (
    Alert,
    Told,
    alerts_after,
    newest_announcement,
    newest_number,
    seen_by,
    told_since,
)
from node.actions.caller import Caller
from node.actions.errors import BadInputError, ConflictError
from node.actions.people import still_in_force
from node.node import Node

POLL_S = 1.0
PING_S = 15
CHECK_S = 15.0  # a stream outlives its token by no more than this
QUEUE = 64
STREAMS = 4096
_SEND_S = 30.0
_HEADERS: Final = {"Cache-Control": "no-store, no-transform", "X-Accel-Buffering": "no"}
_NUMBER = re.compile("[0-9]{1,15}")
Kind = tuple[str, str, bool]  # readers of one kind see the same


@dataclass(eq=False, slots=True)
class _Stream:
    """One open stream; None in its queue ends it."""

    caller: Caller
    fingerprint: str
    queue: asyncio.Queue[Alert | None] = field(default_factory=lambda: asyncio.Queue(QUEUE))

    @property
    def kind(self) -> Kind:
        """What decides what this reader may see."""
        return self.caller.org, self.caller.party.kind, self.caller.is_staff

    def hand(self, alerts: Sequence[Alert]) -> bool:
        """Hand it alerts; False: it reads too slowly and is ended."""
        for alert in alerts:
            if self.queue.full():
                self.end()
                return False
            self.queue.put_nowait(alert)
        return True

    def end(self) -> None:
        """Let it end now, whatever it has not read yet."""
        while not self.queue.empty():
            self.queue.get_nowait()
        self.queue.put_nowait(None)


class Radio:
    """The streams of one process."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._streams: set[_Stream] = set()
        self._starting = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None
        self._head = 0

    async def listen(
        self, caller: Caller, fingerprint: str, last: int | None
    ) -> EventSourceResponse:
        """The caller's alerts after the number `last`, or only those to come.

        Raises:
            ConflictError: this process has as many streams as it bears.
        """
        if len(self._streams) >= STREAMS:
            raise ConflictError(f"{STREAMS} streams are open: read /alerts, or try again later")
        return EventSourceResponse(
            self._events(caller, fingerprint, last),
            headers=_HEADERS,
            ping=PING_S,
            send_timeout=_SEND_S,
        )

    async def _events(
        self, caller: Caller, fingerprint: str, last: int | None
    ) -> AsyncIterator[ServerSentEvent]:
        stream = _Stream(caller, fingerprint)
        await self._tune_in(stream)
        try:
            newest = await asyncio.to_thread(newest_number, self._node, caller)
            # A number beyond ours is of days before a restore: what is told anew is news.
            place = newest if last is None else last if last <= newest else 0
            while place < newest:
                missed, place = await asyncio.to_thread(
                    alerts_after, self._node, caller, place, upto=newest
                )
                for alert in missed:
                    yield _event(alert)
            while (coming := await stream.queue.get()) is not None:
                if coming.number > place:
                    yield _event(coming)
        finally:
            self._streams.discard(stream)

    async def _tune_in(self, stream: _Stream) -> None:
        async with self._starting:
            if self._task is None or self._task.done():
                self._head = await asyncio.to_thread(newest_announcement, self._node)
                self._streams.add(stream)
                self._task = asyncio.create_task(self._run())
            self._streams.add(stream)

    async def _run(self) -> None:
        """Look for news as long as anybody listens; whatever ends this ends the streams."""
        rung, loop = asyncio.Event(), asyncio.get_running_loop()

        def ring() -> None:
            with suppress(RuntimeError):  # the loop is closed: the process ends
                loop.call_soon_threadsafe(rung.set)

        checked = loop.time()
        try:
            with self._node.bell.heard(ring):
                while self._streams:
                    with suppress(TimeoutError):
                        await asyncio.wait_for(rung.wait(), POLL_S)
                    rung.clear()
                    is_late = loop.time() - checked >= CHECK_S
                    if await self._hand_on(check=is_late):
                        checked = loop.time()
        finally:
            for stream in self._streams:
                stream.end()
            self._streams.clear()

    async def _hand_on(self, *, check: bool) -> bool:
        """Hand on what is new; tells whether it was looked who may still listen."""
        upto, told = await asyncio.to_thread(told_since, self._node, self._head)
        # Whoever tunes in from here on reads what was told so far from the database.
        self._head = upto
        if not told and not check:
            return False
        streams = list(self._streams)
        good = await asyncio.to_thread(
            still_in_force, self._node, {stream.fingerprint for stream in streams}
        )
        seen = await asyncio.to_thread(self._work_out, streams, told)
        for stream in streams:
            is_let_in = stream.fingerprint in good
            if not is_let_in:
                stream.end()
            if not is_let_in or not stream.hand(seen[stream.kind]):
                self._streams.discard(stream)
        return True

    def _work_out(self, streams: Sequence[_Stream], told: Told) -> Mapping[Kind, Sequence[Alert]]:
        """What each kind of reader may see of it."""
        readers = {stream.kind: stream.caller for stream in streams}
        return {
            kind: seen_by(self._node, caller, told.get(caller.org, ()))
            for kind, caller in readers.items()
        }


def read_last_id(text: str | None) -> int | None:
    """The number a client last read, if it says.

    Raises:
        BadInputError: it is no such number.
    """
    if not text:
        return None
    if not _NUMBER.fullmatch(text):
        raise BadInputError("Last-Event-ID", "is the number of an alert")
    return int(text)


def _event(alert: Alert) -> ServerSentEvent:
    data = orjson.dumps(alert, option=orjson.OPT_UTC_Z).decode()
    return ServerSentEvent(data, event=alert.kind, id=str(alert.number))

"""How long one connection may take: nobody holds a socket or memory by being slow.

uvicorn bounds neither how long a request's head is, nor how long it or its body takes to come, nor
how long an answer waits to be read. Here each of them gets `PATIENCE_S`, a body and an answer a
second more for each `PACE` bytes of it: what is slower is no line that people work over. Who is cut
off before there is an answer is told so, with 408 or 431.
"""

import socket
import struct
from asyncio import TimerHandle, Transport
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import orjson
import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

PATIENCE_S = 10.0
PACE = 16 * 1024  # bytes a second
HEAD_CAP = 64 * 1024
_LOOK_S = 1.0


class Server(uvicorn.Server):
    """uvicorn, that tells when it begins to end: then nobody is kept waiting for news."""

    def __init__(self, config: uvicorn.Config, at_end: Callable[[], object]) -> None:
        super().__init__(config)
        self._at_end = at_end

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Tell, and end."""
        self._at_end()
        await super().shutdown(sockets)


class PatientProtocol(HttpToolsProtocol):
    """HTTP/1.1 as uvicorn speaks it, with an end to everything."""

    def __init__(self, *args: Any, **more: Any) -> None:  # noqa: ANN401  uvicorn's own
        super().__init__(*args, **more)
        self._reading: TimerHandle | None = None
        self._writing: TimerHandle | None = None
        self._in_head = True
        self._size = 0  # of the head, or of the body, as far as it came
        self._began = 0.0
        self._cycles = list[RequestResponseCycle]()

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]  # as uvicorn
        """Wait for a head."""
        super().connection_made(transport)
        self._read_within(PATIENCE_S, self._late)

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing any more."""
        self._read_within(0, None)
        self._write_within(None)
        for cycle in self._cycles:  # uvicorn tells the newest of several in a pipeline only
            cycle.disconnected = True
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what came, if it is not too much for a head."""
        self._size += len(data)
        super().data_received(data)
        if self._in_head and self._size > HEAD_CAP:
            self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)

    def on_headers_complete(self) -> None:
        """Wait for the body."""
        self._in_head, self._size, self._began = False, 0, self.loop.time()
        self._read_within(PATIENCE_S, self._look_at_body)
        super().on_headers_complete()
        self._cycles.append(self.cycle)

    def on_message_complete(self) -> None:
        """All has come; how long the answer takes is ours."""
        self._in_head, self._size = True, 0
        self._read_within(0, None)
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Wait until it is read, and for the next head or what nobody reads of this body."""
        super().on_response_complete()
        self._cycles = [cycle for cycle in self._cycles if not cycle.response_complete]
        unread_s = self.transport.get_write_buffer_size() / PACE
        self._read_within(PATIENCE_S + unread_s, self._late if self._in_head else self._hang_up)

    def pause_writing(self) -> None:
        """Wait until what is written is read."""
        super().pause_writing()
        self._write_within(PATIENCE_S + self.transport.get_write_buffer_size() / PACE)

    def resume_writing(self) -> None:
        """It was read."""
        super().resume_writing()
        self._write_within(None)

    def _read_within(self, seconds: float, late: Callable[[], None] | None) -> None:
        if self._reading is not None:
            self._reading.cancel()
        self._reading = None if late is None else self.loop.call_later(seconds, late)

    def _write_within(self, seconds: float | None) -> None:
        if self._writing is not None:
            self._writing.cancel()
        late = self._hang_up
        self._writing = None if seconds is None else self.loop.call_later(seconds, late)

    def _look_at_body(self) -> None:
        """Go on waiting for a body that comes at a pace."""
        left_s = self._began + PATIENCE_S + self._size / PACE - self.loop.time()
        if left_s > 0:
            self._read_within(max(left_s, _LOOK_S), self._look_at_body)
        else:
            self._late()

    def _late(self) -> None:
        self._refuse(HTTPStatus.REQUEST_TIMEOUT)

    def _refuse(self, status: HTTPStatus) -> None:
        """Say why, where a request has begun and nothing else is said, and hang up."""
        cycle: RequestResponseCycle | None = self.cycle
        if cycle is None or cycle.response_complete:
            is_asked = self._size > 0
        else:
            is_asked = not cycle.response_started
        if is_asked and not self.pipeline and not self.transport.is_closing():
            self.transport.write(_told(status))
        self._hang_up()

    def _hang_up(self) -> None:
        """Close without waiting long for what is still to be read."""
        self.transport.close()
        self._read_within(_LOOK_S, self._drop)

    def _drop(self) -> None:
        """Throw away what was not read, in the kernel as well."""
        connection = self.transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.transport.abort()


def _told(status: HTTPStatus) -> bytes:
    body = orjson.dumps({"title": status.phrase, "status": status.value})
    head = (
        f"HTTP/1.1 {status.value} {status.phrase}\r\n"
        "content-type: application/problem+json\r\ncache-control: no-store\r\n"
        f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
    )
    return head.encode() + body

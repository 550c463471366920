"""HTTP as rude as one likes: sockets, no library in between."""

import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from tests.hostile.forging import Asked

MIB = 1 << 20
_NONCE = re.compile(r'nonce="([^"]+)"')
_CURSOR = re.compile(r"[?&]cursor=([^& ]+)")


@dataclass(frozen=True)
class Heard:
    """One request as the hostile server heard it: whom it called, what it asked."""

    name: str
    path: str
    head: str

    @property
    def asked(self) -> Asked:
        """What it asked a feed."""
        cursor, nonce = _CURSOR.search(self.path), _NONCE.search(self.head)
        return Asked(cursor and cursor[1], nonce[1] if nonce else "")


Speak = Callable[[Heard, socket.socket], None]


@dataclass
class Server:
    """Answers for many members at once, one below each first part of the path."""

    port: int
    parts: dict[str, Speak]
    heard: list[Heard] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    def url(self, name: str) -> str:
        """The base URL of the member who plays this part."""
        return f"http://127.0.0.1:{self.port}/{name}"

    def answer(self, connection: socket.socket) -> None:
        """Read one request's head, and let the part it calls speak."""
        with suppress(OSError), connection:
            connection.settimeout(90)
            head = b""
            while b"\r\n\r\n" not in head and len(head) < MIB:
                if not (more := connection.recv(65536)):
                    return
                head += more
            text = head.decode("latin-1")
            target = text.split(" ", 2)[1]
            _, name, path = target.split("/", 2)
            heard = Heard(name, f"/{path}", text)
            self.heard.append(heard)
            self.parts[name](heard, connection)


@contextmanager
def serving(parts: dict[str, Speak]) -> Iterator[Server]:
    """A hostile server on loopback, one thread a connection."""
    with socket.create_server(("127.0.0.1", 0), backlog=128) as listening:
        server = Server(listening.getsockname()[1], parts)

        def accept() -> None:
            while True:
                try:
                    connection, _ = listening.accept()
                except OSError:
                    return
                threading.Thread(target=server.answer, args=(connection,), daemon=True).start()

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        yield server
        server.over.set()
        listening.shutdown(socket.SHUT_RDWR)
    thread.join(5)


def reply(body: bytes, media_type: str, *more: str, status: str = "200 OK") -> bytes:
    """An answer as it should be, but for what is in it."""
    lines = [f"HTTP/1.1 {status}", f"Content-Type: {media_type}", f"Content-Length: {len(body)}"]
    return "\r\n".join([*lines, *more, "", ""]).encode() + body


@dataclass(frozen=True)
class Answer:
    """What came back: 0 where the connection was cut without a word."""

    status: int
    head: str
    body: bytes


def ask(address: tuple[str, int], sent: bytes, *, timeout: float = 30) -> Answer:
    """Send these bytes and take what comes until the other side hangs up or has said it all."""
    with socket.create_connection(address, timeout=timeout) as connection:
        with suppress(OSError):  # it may have refused before all was sent
            connection.sendall(sent)
        return read_answer(connection)


def read_answer(connection: socket.socket) -> Answer:
    """The answer on this connection."""
    got = b""
    with suppress(ConnectionError):
        while not _is_whole(got):
            if not (more := connection.recv(65536)):
                break
            got += more
    head, _, body = got.partition(b"\r\n\r\n")
    status = int(head.split()[1]) if head.startswith(b"HTTP/1.") else 0
    return Answer(status, head.decode("latin-1"), body)


def _is_whole(got: bytes) -> bool:
    head, mark, body = got.partition(b"\r\n\r\n")
    length = re.search(rb"content-length: (\d+)", head.lower())
    return bool(mark) and length is not None and len(body) >= int(length[1])

"""The only sockets of this floor: one request out, one bounded answer back.

Egress guard: https only; a name is resolved once and exactly the addresses that were checked are
connected to; addresses that are not public are refused. A base URL whose host (or host:port) the
operator listed in `allow_hosts` may be plain http and at any address. No redirects, no proxy, no
cookies, no decoding: this client is the bare connection layer below httpx2, which has none of
them. Every answer has one deadline and must come at no less than a slow line's pace, whatever
dribbles in meanwhile, and a cap while it streams; nothing is read of one that is not what was asked
for.
"""

import io
import ipaddress
import socket
import ssl
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import urlsplit

import httpcore2

from federation.call import Call, Reply
from federation.errors import NotAllowedHostError, TransportError
from federation.peer import Peer

CONNECT_S = 10.0
ANSWER_S = 60.0
FIRST_S = 20.0  # until an answer begins
PACE = 16 * 1024  # bytes a second that it must then bring on average
_USER_AGENT = "isac-node"

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolve = Callable[[str, int], Sequence[str]]
T = TypeVar("T")

_TRANSLATED = ipaddress.ip_network("64:ff9b::/96")  # RFC 6052: an IPv4 address in other clothes


def resolve(host: str, port: int) -> Sequence[str]:
    """The addresses of a name, in the resolver's order."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[4][0]) for address in found))


def is_public(text: str) -> bool:
    """Whether an address belongs to the open internet, also when it is written inside another."""
    address = ipaddress.ip_address(text.partition("%")[0])
    return all(one.is_global and not one.is_multicast for one in _worn(address))


def _worn(address: Address) -> list[Address]:
    """The address and every IPv4 address it stands for."""
    if isinstance(address, ipaddress.IPv4Address):
        return [address]
    inside: list[Address | None] = [address.ipv4_mapped, address.sixtofour]
    if address in _TRANSLATED:
        inside.append(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    if address.teredo is not None:
        inside.extend(address.teredo)
    if address.ipv4_mapped is not None:
        return [address.ipv4_mapped]
    return [address, *(one for one in inside if one is not None)]


@dataclass(frozen=True, slots=True)
class Transport:
    """Sends calls to peers. Safe to share between threads: every call has its own connection."""

    allow_hosts: frozenset[str] = frozenset()
    tls: ssl.SSLContext | None = None
    answer_s: float = ANSWER_S
    resolve: Resolve = resolve

    def send(self, call: Call, peer: Peer) -> Reply:
        """The peer's answer, whatever its status, with at most `call.reply_cap` bytes of body.

        Raises:
            TransportError: no answer, too slow, too large, or the guard refused the address.
        """
        return self._carry(call, peer.base_url, _exchange)

    def status_of(self, call: Call, base_url: str) -> int:
        """The status a call to somebody who is no peer is answered with; nothing else is read.

        Raises:
            TransportError: no answer, too slow, or the guard refused the address.
        """
        return self._carry(call, base_url, _status)

    def _carry(
        self,
        call: Call,
        base_url: str,
        exchange: Callable[[httpcore2.ConnectionPool, Call, str], T],
    ) -> T:
        deadline = time.monotonic() + self.answer_s + call.held_s
        first_s = FIRST_S + call.held_s
        guard = _Guard(self.resolve, deadline, first_s, allowed=self._is_allowed(base_url))
        guard.check_scheme(base_url)
        try:
            with httpcore2.ConnectionPool(
                ssl_context=self.tls,
                network_backend=guard,
                max_connections=1,
                max_keepalive_connections=0,
            ) as pool:
                return exchange(pool, call, base_url)
        except TransportError:
            raise
        except httpcore2.TimeoutException as error:
            raise TransportError(f"{base_url} did not answer in time") from error
        except httpcore2.ConnectError as error:
            raise TransportError(f"{base_url} cannot be reached: {error}") from error
        except (httpcore2.NetworkError, httpcore2.RemoteProtocolError) as error:
            raise TransportError(f"{base_url} broke off: {error}") from error

    def _is_allowed(self, base_url: str) -> bool:
        parts = urlsplit(base_url)
        return parts.netloc in self.allow_hosts or parts.hostname in self.allow_hosts


def _exchange(pool: httpcore2.ConnectionPool, call: Call, base_url: str) -> Reply:
    with _asked(pool, call, base_url) as answer:
        headers = _header_map(answer.headers)
        if not _is_asked_for(call, answer.status, headers):
            return Reply(answer.status, headers, b"")
        if int(headers.get("content-length", "0")) > call.reply_cap:
            raise TransportError(f"{base_url} announces more than {call.reply_cap} bytes")
        return Reply(answer.status, headers, _take(answer.iter_stream(), call.reply_cap, base_url))


def _is_asked_for(call: Call, status: int, headers: Mapping[str, str]) -> bool:
    """Whether the body will be looked at: who says what he accepts takes nothing else."""
    wanted = call.headers.get("accept")
    return wanted is None or (status == 200 and headers.get("content-type") == wanted)


def _status(pool: httpcore2.ConnectionPool, call: Call, base_url: str) -> int:
    with _asked(pool, call, base_url) as answer:
        return answer.status


def _asked(
    pool: httpcore2.ConnectionPool, call: Call, base_url: str
) -> AbstractContextManager[httpcore2.Response]:
    headers = [("user-agent", _USER_AGENT), ("connection", "close"), *call.headers.items()]
    return pool.stream(
        call.method, base_url + call.path, headers=headers, content=call.body or None
    )


def _take(chunks: Iterable[bytes], cap: int, base_url: str) -> bytes:
    body = io.BytesIO()  # gives its bytes without another copy of them
    for chunk in chunks:
        if body.tell() + len(chunk) > cap:
            raise TransportError(f"{base_url} sent more than {cap} bytes")
        body.write(chunk)
    return body.getvalue()


def _header_map(lines: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    headers: dict[str, str] = {}
    for raw_name, raw_value in lines:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers


class _Guard(httpcore2.NetworkBackend):
    """Opens connections to checked addresses only, and lets none outlive the deadline."""

    def __init__(self, resolve: Resolve, deadline: float, first_s: float, *, allowed: bool) -> None:
        self._sockets = httpcore2.SyncBackend()
        self._resolve = resolve
        self._allowed = allowed
        self._deadline = deadline
        self._first_s = first_s

    def check_scheme(self, base_url: str) -> None:
        """Refuse plain http unless the operator listed the host."""
        if not self._allowed and not base_url.startswith("https://"):
            raise NotAllowedHostError(f"{base_url} is not https and not among the allowed hosts")

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.NetworkStream:
        """A connection to the first address that answers, if all of them may be connected to."""
        del timeout, local_address
        problem: httpcore2.ConnectError | httpcore2.ConnectTimeout | None = None
        for address in self._addresses(host.strip("[]"), port):
            try:
                stream = self._sockets.connect_tcp(
                    address,
                    port,
                    timeout=left_s(self._deadline, CONNECT_S),
                    socket_options=socket_options,
                )
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                problem = error
            else:
                return _Timed(stream, self._deadline, self._first_s)
        raise problem or httpcore2.ConnectError(f"{host} has no address")

    def _addresses(self, host: str, port: int) -> Sequence[str]:
        try:
            addresses = self._resolve(host, port)
        except OSError as error:
            raise TransportError(f"the name {host} cannot be resolved") from error
        if not self._allowed:
            for address in addresses:
                if not is_public(address):
                    raise NotAllowedHostError(
                        f"{host} is at {address}, which is not a public address"
                    )
        return addresses


class _Timed(httpcore2.NetworkStream):
    """A connection of which every operation ends by one deadline, and reading at a pace."""

    def __init__(self, stream: httpcore2.NetworkStream, deadline: float, first_s: float) -> None:
        self._stream = stream
        self._deadline = deadline
        self._first_s = first_s
        self._paced = time.monotonic() + first_s

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Up to so many bytes."""
        taken = self._stream.read(max_bytes, left_s(min(self._deadline, self._paced), timeout))
        self._paced += len(taken) / PACE
        return taken

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Send all of it."""
        self._stream.write(buffer, left_s(self._deadline, timeout))

    def close(self) -> None:
        """Hang up."""
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore2.NetworkStream:
        """The same connection, encrypted, under the same deadline."""
        left = left_s(self._deadline, timeout)
        stream = self._stream.start_tls(ssl_context, server_hostname, left)
        return _Timed(stream, self._deadline, self._first_s)

    def get_extra_info(self, info: str) -> object:
        """What the connection knows of itself."""
        return self._stream.get_extra_info(info)


def left_s(deadline: float, cap: float | None = None) -> float:
    """Seconds until the deadline, at most `cap`."""
    left = deadline - time.monotonic()
    if left <= 0:
        raise httpcore2.ReadTimeout("the deadline has passed")
    return left if cap is None else min(left, cap)

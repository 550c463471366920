"""Pushes urgent rows of the peers' feeds, and takes in what peers push to us.

A push is the feed's own row, so policy has decided it; it only comes sooner. One that fails changes
nothing but when it is tried again: the feed delivers the row anyway, and with the peer's next
cursor the trying ends. What is pushed to us passes the same checks as what we pull, and moves our
place in the feed no more than a hint would.
"""

from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock

import structlog

from federation.auth import NONCE_BYTES, write_nonce
from federation.backoff import wait_s
from federation.errors import BadReplyError, TransportError
from federation.peer import Peer
from federation.push import Declined, Expected, open_push, push_call, read_push_reply
from node.actions.admit import store_items
from node.actions.alerts_tell import tell_due
from node.actions.carrier import Carrier
from node.actions.quota import OverQuotaError
from node.actions.serve import push_page
from node.node import Node
from node.storage.peers import find_peer
from node.storage.pushes import DuePush, due_pushes, note_push_failed, note_pushed, pull_soon

WORKERS = 32
QUOTA = 60  # pushes of one peer that are looked at in a minute; past them the feed will do
_MINUTE = timedelta(minutes=1)
_log = structlog.get_logger(__name__)


class Pusher:
    """Pushes what is due to all peers at once; a peer that hangs holds up nobody but itself."""

    def __init__(self, transport: Carrier) -> None:
        self._transport = transport
        self._workers = ThreadPoolExecutor(WORKERS, "push")
        self._under_way: dict[str, Future[bool]] = {}
        self._turn = Lock()  # the projector begins pushes, and so does a job of their own

    def begin(self, node: Node) -> int:
        """Begin what is due and not under way; gives how many pushes were begun.

        What an earlier push raised, beyond what is expected of peers, is raised here.
        """
        with self._turn:
            ended = {org: push for org, push in self._under_way.items() if push.done()}
            for org in ended:
                del self._under_way[org]
            begun = 0
            for peer, one in _due(node):
                if peer.org not in self._under_way:
                    push = self._workers.submit(push_one, node, peer, one, self._transport)
                    self._under_way[peer.org] = push
                    begun += 1
        for push in ended.values():
            push.result()
        return begun

    def close(self) -> None:
        """Begin nothing any more; what is under way is left to end by itself."""
        self._workers.shutdown(wait=False, cancel_futures=True)


def push_due(node: Node, transport: Carrier) -> int:
    """Push what is due, to all peers at once, and wait for it; gives how many took it."""
    due = _due(node)
    if not due:
        return 0
    with ThreadPoolExecutor(min(WORKERS, len(due))) as workers:
        return sum(workers.map(lambda each: push_one(node, each[0], each[1], transport), due))


def push_one(node: Node, peer: Peer, one: DuePush, transport: Carrier) -> bool:
    """Push one row; tells whether the peer took it."""
    nonce = write_nonce(node.rng(NONCE_BYTES))
    body = push_page(node, peer.org, one.pos, nonce)
    if body is None:
        _failed(node, one, "it may not leave now: its log is being decided anew, or is damaged")
        return False
    call = push_call(peer, body, nonce=nonce, signer=node.transport_signer, now=node.wall())
    try:
        told = read_push_reply(transport.send(call, peer))
    except (TransportError, BadReplyError) as fault:
        _failed(node, one, str(fault))
        return False
    if isinstance(told, Declined):
        _failed(node, one, f"the peer answered with status {told.status}", told.retry_after_s)
        return False
    with node.store.write() as unit:
        note_pushed(unit.connection, one, node.wall())
    return True


def _due(node: Node) -> list[tuple[Peer, DuePush]]:
    with node.store.read() as unit:
        due = {one.peer: one for one in due_pushes(unit.connection, node.wall())}
    return [(peer, due[peer.org]) for peer in node.peers if peer.org in due]


def _failed(node: Node, one: DuePush, error: str, retry_after_s: float | None = None) -> None:
    chance = int.from_bytes(node.rng(8)) / 2**64
    wait = wait_s(one.tries + 1, chance, retry_after_s)
    again_at = node.wall() + timedelta(seconds=wait)
    with node.store.write() as unit:
        note_push_failed(unit.connection, one, again_at=again_at, error=error)
    _log.warning("push failed", peer=one.peer, log=one.event, tries=one.tries + 1, why=error)


@dataclass(slots=True)
class PushQuota:
    """How much of what peers push is looked at, in memory; the feed brings the rest."""

    _times: dict[str, deque[datetime]] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def allows(self, org: str, now: datetime) -> bool:
        """Count a push of this peer; False: it has pushed enough within the last minute."""
        with self._lock:
            times = self._times.setdefault(org, deque())
            while times and now - times[0] >= _MINUTE:
                times.popleft()
            if len(times) >= QUOTA:
                return False
            times.append(now)
            return True


def take_push(node: Node, source: str, body: bytes, nonce: str) -> None:
    """Check, store and announce what a peer pushed in the request with this nonce.

    A package that did not fit is not fetched here: it becomes the peer's turn to be asked for its
    feed.

    Raises:
        BadPageError: it is no push for us; nothing of it was used.
        ConflictError: others kept changing the same log.
        OverQuotaError: the peer, or whom it relays, is over its quota of the day.
    """
    peer = next(peer for peer in node.peers if peer.org == source)
    with node.store.read() as unit:
        row = find_peer(unit.connection, source)
    bookmark = None if row is None else row.bookmark
    expected = Expected(source, node.org, nonce, bookmark)
    page = open_push(body, expected, registry=node.registry, now=node.wall())
    if any(item.fetched_apart for item in page.items):
        with node.store.write() as unit:
            pull_soon(unit.connection, source, node.wall())
        return
    if store_items(node, peer, page.items, None).left:
        raise OverQuotaError(node.settings.peer_day_mib, " of this originator")
    tell_due(node)

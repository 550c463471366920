"""Listens for news of peers: a question that the peer holds until it has something for us.

Only a hint. The answer holds no item, it begins a pull; and whoever cannot be listened to (it
fails, answers at once, or tells of news that a pull does not bring) is pulled at its intervals.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

import structlog

from federation import sync
from federation.auth import NONCE_BYTES, write_nonce
from federation.call import Bookmark
from federation.errors import TransportError
from federation.opening import OpenedPage
from federation.peer import Peer
from node.actions.carrier import Carrier
from node.actions.exchange import pull
from node.actions.lanes import Begin
from node.node import Node
from node.storage.peers import PeerRow, list_peers
from sharing.errors import ForeignFault

WORKERS = 64  # a thread and a connection for each peer that is listened to
_EARLY_S = 2.0  # who answers sooner than that before the time we gave it did not hold the question
_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Listener:
    """Listens to all peers at once; `pulls` begins what the news asks for."""

    transport: Carrier
    pulls: Begin
    _heard: dict[str, tuple[Bookmark, datetime]] = field(default_factory=dict)

    def listen_due(self, node: Node, begin: Begin) -> int:
        """Begin to listen to every peer that can be listened to; gives to how many."""
        if not node.settings.feed_wait_s:
            return 0
        with node.store.read() as unit:
            rows = {row.org: row for row in list_peers(unit.connection)}
        jobs = dict[str, Callable[[], object]]()
        for peer in node.peers:
            bookmark = self._place(rows.get(peer.org), node.wall())
            if bookmark is not None:
                jobs[peer.org] = partial(self._listen, node, peer, bookmark)
        return begin(jobs)

    def _place(self, row: PeerRow | None, now: datetime) -> Bookmark | None:
        """Where to listen from; None: not now. The first page, and what fails, is for pulls."""
        if row is None or row.failures:
            return None
        heard = self._heard.get(row.org)
        is_heard = heard is not None and heard[0] == row.bookmark and now < heard[1]
        return None if is_heard else row.bookmark

    def _listen(self, node: Node, peer: Peer, bookmark: Bookmark) -> None:
        wait_s, began = node.settings.feed_wait_s, node.wall()
        is_news = self._is_news(node, peer, bookmark)
        held = node.wall() - began
        if is_news or held < timedelta(seconds=wait_s - _EARLY_S):
            again_at = node.wall() + timedelta(seconds=node.settings.pull_interval_s)
            self._heard[peer.org] = bookmark, again_at
        if is_news:
            self.pulls({peer.org: partial(pull, node, peer, self.transport)})

    def _is_news(self, node: Node, peer: Peer, bookmark: Bookmark) -> bool:
        question = sync.ask(
            peer,
            me=node.org,
            bookmark=bookmark,
            nonce=write_nonce(node.rng(NONCE_BYTES)),
            signer=node.transport_signer,
            now=node.wall(),
            limit=0,
            wait_s=node.settings.feed_wait_s,
        )
        try:
            reply = self.transport.send(question.call, peer)
            told = sync.page(reply, question, registry=node.registry, now=node.wall())
        except (TransportError, ForeignFault) as fault:
            _log.info("cannot listen", peer=peer.org, why=str(fault))
            return False
        if isinstance(told, OpenedPage):
            return told.more
        return not isinstance(told, sync.Busy)  # a new life

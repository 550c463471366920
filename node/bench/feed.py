"""An unchanged pull: what it costs both sides together, however much is stored.

Two nodes in this process, on SQLite in a directory of their own, with real keys; events are sealed,
projected, pulled and verified by the functions that do it in a node, only many to a transaction.
Then the feed is asked again and again with nothing new in it. CPU time, not wall time.
"""

import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from uuid import uuid4

from federation.auth import Received, verify_request
from federation.call import Call, Reply
from federation.cursor import IncarnationChanged
from federation.feed import read_feed_query
from federation.peer import Peer
from federation.wire import MEDIA_TYPE
from node.actions.exchange import pull
from node.actions.init import NewNode, init_node
from node.actions.projector import project_dirty
from node.actions.sealing import Birth, Version, first_version, fresh_uuid, write_version
from node.actions.serve import serve_feed, spend
from node.node import Node, open_node
from node.roster import own_entry, put_members
from policies.label import Label
from policies.tlp import Tlp
from sharing.event import Attribute, Draft, Event
from sharing.slots import Names, cut_event

_BATCH = 500
_TURN = 100
_ROUNDS = 9
_PULLS = 30
_TIMESTAMP = 1_700_000_000


@dataclass(frozen=True, slots=True)
class _InProcess:
    """Carries a call straight to the other node, past sockets and HTTP alone."""

    server: Node

    def send(self, call: Call, peer: Peer) -> Reply:
        """The server's answer."""
        del peer
        node = self.server
        asker = verify_request(
            Received(call.method, call.path, tuple(call.headers.items())),
            base_url=node.settings.base_url,
            registry=node.registry,
            now=node.wall(),
        )
        query = read_feed_query(call.path.partition("?")[2])
        if not spend(node, asker):
            return Reply(401, {}, b"")
        page = serve_feed(node, asker.org, query, asker.nonce)
        if isinstance(page, IncarnationChanged):
            return Reply(409, {}, b"")
        return Reply(200, {"content-type": MEDIA_TYPE}, page)


def run(sizes: Sequence[int] = (1_000, 20_000)) -> Sequence[dict[str, str | float]]:
    """One row a size: CPU of an unchanged pull in ms, and its ratio to that of the first size."""
    rows = list[dict[str, str | float]]()
    with _two_nodes() as (server, client):
        stored = 0
        for size in sorted(sizes):
            _store(server, size - stored)
            stored = size
            _bring(server, client, stored)
            cost_ms = _unchanged_pull_ms(server, client)
            first_ms = float(rows[0]["CPU of a pull, ms"]) if rows else cost_ms
            rows.append(
                {
                    "stored events": f"{stored:,}",
                    "CPU of a pull, ms": round(cost_ms, 2),
                    "ratio": round(cost_ms / first_ms, 2),
                }
            )
    return rows


@contextmanager
def _two_nodes() -> Iterator[tuple[Node, Node]]:
    with tempfile.TemporaryDirectory(prefix="isac-bench-") as folder:
        made = [
            init_node(
                Path(folder) / country,
                NewNode("", country, country, "national", f"https://{country.lower()}.invalid"),
            )
            for country in ("FR", "BE")
        ]
        for node in made:
            node.close()
            entries = [own_entry(one.settings, one.keys) for one in made]
            put_members(node.settings.roster_file, entries)
        server, client = (open_node(node.settings) for node in made)
        yield server, client
        server.close()
        client.close()


def _store(node: Node, count: int) -> None:
    """Seal and write so many events, and project them."""
    versions = (_version(node) for _ in range(count))
    while batch := list(islice(versions, _BATCH)):
        with node.store.write() as unit:
            for version in batch:
                write_version(unit, version)
    while project_dirty(node, _TURN):
        pass


def _version(node: Node) -> Version:
    event = fresh_uuid(node)
    attribute = Attribute(
        uuid=str(uuid4()),
        type="domain",
        category="Network activity",
        value=f"{event}.example",
        to_ids=True,
        timestamp=_TIMESTAMP,
    )
    told = Event(event, "Phishing", "2026-01-27", 4, 0, _TIMESTAMP, attributes=(attribute,))
    records = cut_event(Draft(told, Label(Tlp.GREEN), node.org), Names(lambda: fresh_uuid(node)))
    birth = Birth("event", event, node.org, {}, published=True)
    return first_version(node, birth, records, node.clock())


def _bring(server: Node, client: Node, stored: int) -> None:
    """Let the client pull all of it."""
    result = pull(client, client.peers[0], _InProcess(server))
    if result.error or result.quarantined or result.more:
        raise RuntimeError(f"of {stored} events not all were pulled: {result}")


def _unchanged_pull_ms(server: Node, client: Node) -> float:
    """CPU of one pull that brings nothing, both sides together, in the least disturbed round."""
    carrier, peer = _InProcess(server), client.peers[0]
    costs = list[float]()
    for _ in range(_ROUNDS):
        began = time.process_time()
        for _ in range(_PULLS):
            if pull(client, peer, carrier).items:
                raise RuntimeError("the pull was not unchanged")
        costs.append((time.process_time() - began) / _PULLS * 1000)
    return min(costs)

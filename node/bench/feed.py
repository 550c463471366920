"""Pulls: one that brings nothing or one attribute, however much is stored; and catching up.

Two nodes in this process, on SQLite in a directory of their own, with real keys; events are sealed,
projected, pulled and verified by the functions that do it in a node, only many to a transaction.
CPU time of both sides together, not wall time.
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
from federation.call import Bookmark, Call, Reply
from federation.compress import pack
from federation.cursor import IncarnationChanged, write_cursor
from federation.feed import read_feed_query
from federation.peer import Peer
from federation.wire import MEDIA_TYPE
from node.actions.exchange import pull
from node.actions.init import NewNode, init_node
from node.actions.projector import project_dirty
from node.actions.sealing import (
    Birth,
    Version,
    first_version,
    fresh_uuid,
    next_version,
    read_own,
    write_version,
)
from node.actions.serve import serve_feed
from node.bench.turns import Row
from node.node import Node, open_node
from node.roster import own_entry, put_members
from node.storage.copies import copy_log, move_feeds
from node.storage.peers import keep_bookmark
from policies.label import Label
from policies.tlp import Tlp
from sharing.event import Attribute, Draft, Event
from sharing.slots import Names, add_attributes, cut_event

_BATCH = 500
_TURN = 100
SIZES = (1_000, 100_000)
ALL_SIZES = (*SIZES, 1_000_000)
_ROUNDS = 9
_PULLS = 30
_EVENTS = 40
_GROWING = 20
_COPIES = 5_000
_IDLE, _NEWS = "unchanged pull, ms", "one more attribute, ms"
_TIMESTAMP = 1_700_000_000


@dataclass(slots=True)
class InProcess:
    """Carries a call straight to the other node, past sockets and HTTP alone."""

    server: Node
    carried: int = 0  # bytes of answers, as they go over a wire
    served_s: float = 0.0  # CPU of the server

    def send(self, call: Call, peer: Peer) -> Reply:
        """The server's answer."""
        del peer
        began = time.process_time()
        reply = self._page(call)
        self.served_s += time.process_time() - began
        return reply

    def _page(self, call: Call) -> Reply:
        node = self.server
        asker = verify_request(
            Received(call.method, call.path, tuple(call.headers.items())),
            base_url=node.settings.base_url,
            registry=node.registry,
            now=node.wall(),
        )
        query = read_feed_query(call.path.partition("?")[2])
        page = serve_feed(node, asker, query)
        if isinstance(page, IncarnationChanged):
            return Reply(409, {}, b"")
        packed = b"".join(pack([page]))
        self.carried += len(packed)
        return Reply(200, {"content-type": MEDIA_TYPE, "content-encoding": "zstd"}, packed)


def run(sizes: Sequence[int] = SIZES) -> Sequence[Row]:
    """One row a size: CPU of two kinds of pull in ms, and their ratios to those at the first size.

    `one more attribute` is a pull that brings the next version of one event of ten; `at the server`
    is the part of it that its server pays.
    """
    rows = list[Row]()
    for size in sorted(sizes):
        with two_nodes() as (server, client):
            store_copies(server, client, size)
            events = [store(server, 1, attributes=10)[0] for _ in range(_EVENTS)]
            bring(server, client)
            bring(server, client)  # which confirms what the first pull brought
            idle = _unchanged_ms(server, client)
            news, served = _news_ms(server, client, events)
        first = rows[0] if rows else {_IDLE: round(idle, 2), _NEWS: round(news, 2)}
        rows.append(
            {
                "stored events": f"{size:,}",
                _IDLE: round(idle, 2),
                "ratio": round(idle / float(first[_IDLE]), 2),
                _NEWS: round(news, 2),
                "ratio ": round(news / float(first[_NEWS]), 2),
                "at the server": round(served, 2),
            }
        )
    return rows


def grow(sizes: Sequence[int] = (10, 1_000)) -> Sequence[Row]:
    """One row a size of an event: CPU of a pull of all of it, and of one that brings one more."""
    rows = list[Row]()
    for size in sizes:
        with two_nodes() as (server, client):
            bring(server, client)
            whole, events = list[float](), list[str]()
            for _ in range(_GROWING):
                events += store(server, 1, attributes=size)
                whole.append(_pulled(server, client)[0])
            bring(server, client)
            news, served = _news_ms(server, client, events)
        rows.append(
            {
                "attributes of the event": f"{size:,}",
                "all of it, ms": round(min(whole), 2),
                _NEWS: round(news, 2),
                "ratio": round(news / min(whole), 2),
                "at the server": round(served, 2),
            }
        )
    return rows


def catch_up(sizes: Sequence[tuple[int, int]] = ((2_000, 50), (10_000, 5))) -> Sequence[Row]:
    """One row for so many events of so many attributes: what it takes to hand all of them on."""
    return [_caught_up(events, attributes) for events, attributes in sizes]


def _caught_up(events: int, attributes: int) -> Row:
    with two_nodes() as (server, client):
        store(server, events, attributes=attributes)
        carrier = InProcess(server)
        began, wall = time.process_time(), time.perf_counter()
        bring(server, client, carrier)
        cpu_s, wall_s = time.process_time() - began, time.perf_counter() - wall
    return {
        "events": f"{events:,}",
        "attributes": attributes,
        "CPU, s": round(cpu_s, 2),
        "events a second of CPU": round(events / cpu_s),
        "wall an event, ms": round(wall_s / events * 1000, 2),
        "MiB on the wire": round(carrier.carried / 2**20, 1),
    }


@contextmanager
def two_nodes() -> Iterator[tuple[Node, Node]]:
    """A node that serves and one that pulls, each other's peers."""
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


def store(node: Node, count: int, *, attributes: int = 1) -> list[str]:
    """Seal and write so many events, and project them; gives their uuids."""
    made = list[str]()
    versions = (_version(node, attributes) for _ in range(count))
    while batch := list(islice(versions, _BATCH)):
        with node.store.write() as unit:
            for version in batch:
                write_version(unit, version)
        made += [version.log.event for version in batch]
    while project_dirty(node, _TURN):
        pass
    return made


def store_copies(server: Node, client: Node, count: int) -> None:
    """Let both nodes have rows for so many more events, as after pulls long ago.

    Copies of one real event's rows under other uuids: what a pull may have to search through.
    """
    event = store(server, 1)[0]
    bring(server, client)
    for node in (server, client):
        for start in range(0, count, _COPIES):
            with node.store.write() as unit:
                copy_log(unit.connection, event, range(start, min(start + _COPIES, count)))
    head = count + 2
    with server.store.write() as unit:
        move_feeds(unit.connection, head)
    token = write_cursor(
        key=server.keys.cursor, peer=client.org, incarnation=server.keys.incarnation, pos=head
    )
    with client.store.write() as unit:
        keep_bookmark(unit.connection, server.org, Bookmark(server.keys.incarnation, head, token))


def _version(node: Node, attributes: int) -> Version:
    event = fresh_uuid(node)
    told = Event(
        event,
        "Phishing",
        "2026-01-27",
        4,
        0,
        _TIMESTAMP,
        attributes=tuple(_attribute() for _ in range(attributes)),
    )
    records = cut_event(Draft(told, Label(Tlp.GREEN), node.org), Names(lambda: fresh_uuid(node)))
    birth = Birth("event", event, node.org, {}, published=True)
    return first_version(node, birth, records, node.clock())


def _attribute() -> Attribute:
    uuid = str(uuid4())
    return Attribute(
        uuid, "domain", "Network activity", f"{uuid}.example", to_ids=True, timestamp=_TIMESTAMP
    )


def _append(node: Node, event: str) -> None:
    """One more attribute, and the feed brought up to date."""
    with node.store.read() as unit:
        own = read_own(unit, node.org, event)
    if own is None:
        raise RuntimeError("an event of ours is gone")
    names = Names.of(own.holding, lambda: fresh_uuid(node))
    change = add_attributes(own.holding, [_attribute()], names)
    version = next_version(node, own, change, node.clock())
    if version is None:
        raise RuntimeError("one more attribute changed nothing")
    with node.store.write() as unit:
        write_version(unit, version)
    project_dirty(node, _TURN)


def bring(server: Node, client: Node, carrier: InProcess | None = None) -> int:
    """Let the client pull all there is; gives how many items came."""
    items, more = 0, True
    while more:  # a pull ends after its time, on a slow machine before all has come
        result = pull(client, client.peers[0], carrier or InProcess(server))
        if result.error or result.quarantined:
            raise RuntimeError(f"not all was pulled: {result}")
        items, more = items + result.items, result.more
    return items


def _unchanged_ms(server: Node, client: Node) -> float:
    """CPU of one pull that brings nothing, both sides together, in the least disturbed round."""
    costs = list[float]()
    for _ in range(_ROUNDS):
        began = time.process_time()
        for _ in range(_PULLS):
            if bring(server, client):
                raise RuntimeError("the pull was not unchanged")
        costs.append((time.process_time() - began) / _PULLS * 1000)
    return min(costs)


def _news_ms(server: Node, client: Node, events: Sequence[str]) -> tuple[float, float]:
    """CPU of one pull that brings one more attribute of one event; and the server's part of it."""
    costs = list[tuple[float, float]]()
    for event in events:
        _append(server, event)
        costs.append(_pulled(server, client))
    return min(costs)


def _pulled(server: Node, client: Node) -> tuple[float, float]:
    """CPU in ms of a pull that brings one item, and the server's part of it."""
    carrier, began = InProcess(server), time.process_time()
    if bring(server, client, carrier) != 1:
        raise RuntimeError("the pull brought something else")
    return (time.process_time() - began) * 1000, carrier.served_s * 1000

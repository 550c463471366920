"""A federation in one process: real nodes on real databases, a clock the test turns, no sockets.

`Memory` carries calls from node to node and does what the door does, sans HTTP. It can be told to
lose, repeat or spoil answers. Logs are made by the functions that `submit` is made of.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random
from uuid import UUID

import orjson
from sqlalchemy import select

from federation import sync
from federation.auth import Received, Requester, verify_request
from federation.call import Call, Reply
from federation.cursor import IncarnationChanged
from federation.errors import (
    BadCursorError,
    BadLineError,
    BadReceiptError,
    BadRequestError,
    TransportError,
)
from federation.feed import FEED_PATH, PACKAGES_PATH, read_feed_query
from federation.heads import HEADS_PATH, HEADS_TYPE, read_heads_query
from federation.peer import Peer
from federation.receipt import ERASED_BEFORE, NO_RECEIPT, NO_SUCH_ITEM, RECEIPTS_PATH
from federation.repair_lines import (
    ITEMS_PATH,
    REPAIR_PATH,
    REPAIR_TYPE,
    read_asks,
    read_wanted,
)
from federation.wire import MEDIA_TYPE
from node.actions.errors import RestoringError
from node.actions.exchange import PullResult, pull
from node.actions.heads import serve_heads
from node.actions.init import NewNode, init_node
from node.actions.ledger import keep_request
from node.actions.projector import project_dirty
from node.actions.receipts import send_due
from node.actions.receipts_got import ContradictedError, UnknownItemError, take_receipt
from node.actions.repair import RepairResult, repair, serve_stretches
from node.actions.sealing import (
    Birth,
    first_version,
    fresh_uuid,
    next_version,
    read_own,
    write_version,
)
from node.actions.serve import NotYet, items_page, serve_feed, serve_package, spend
from node.node import Node, open_node
from node.roster import own_entry, put_members
from node.settings import load_settings
from node.storage import tables, tables_feed
from node.storage.dirt import mark_dirty
from node.storage.feed import count_dirt
from node.storage.logs import (
    HoldingRow,
    LogRow,
    best_holding,
    erase_holdings,
    find_holding,
    find_log,
    set_recalled,
)
from node.storage.store import Store, Unit
from policies.label import Label
from policies.tlp import Tlp
from sharing.event import NOBODY, Attribute, Audience, Draft, Event
from sharing.seal.holding import Holding
from sharing.seal.package import load_holding
from sharing.seal.recall import Recall, make_recall
from sharing.slots import Names, cut_event, diff
from tests.node.nodes import HandClock

ORGS = {
    "FR": "1a6f1f3e-0001-4000-8000-00000000f001",
    "BE": "1a6f1f3e-0002-4000-8000-00000000be02",
    "DE": "1a6f1f3e-0003-4000-8000-00000000de03",
    "HUB": "1a6f1f3e-0004-4000-8000-0000000e0004",
}
OTHERS = ("BE", "DE", "HUB")
COUNTRIES = {"FR": "FR", "BE": "BE", "DE": "DE", "HUB": "EU"}

Spoil = Callable[[Call, Reply], Reply]


def url_of(name: str) -> str:
    return f"https://{name.lower()}.example.org"


def honest(call: Call, reply: Reply) -> Reply:
    return reply


@dataclass
class Memory:
    """The network: every node's door by its base URL, every answer that passed, and its faults."""

    nodes: dict[str, Node] = field(default_factory=dict)
    down: set[str] = field(default_factory=set)
    spoil: Spoil = honest
    passed: list[tuple[Call, Peer, Reply]] = field(default_factory=list)

    def send(self, call: Call, peer: Peer) -> Reply:
        if peer.base_url in self.down:
            raise TransportError(f"{peer.base_url} cannot be reached")
        reply = self.spoil(call, answer(self.nodes[peer.base_url], call))
        self.passed.append((call, peer, reply))
        return reply


def answer(node: Node, call: Call) -> Reply:
    """What the node's door would say."""
    received = Received(call.method, call.path, tuple(call.headers.items()), call.body)
    path, _, query = call.path.partition("?")
    try:
        asker = verify_request(
            received, base_url=node.settings.base_url, registry=node.registry, now=node.wall()
        )
        if path != FEED_PATH:
            spend(node, asker)
        if path == RECEIPTS_PATH:
            return _taken(node, asker.org, call.body)
        if path == HEADS_PATH:
            return _ok(HEADS_TYPE, serve_heads(node, asker, read_heads_query(query)))
        if path in (REPAIR_PATH, ITEMS_PATH):
            return _compared(node, asker, path, call.body)
        if path != FEED_PATH:
            package = serve_package(node, asker.org, path.removeprefix(PACKAGES_PATH))
            if isinstance(package, NotYet):
                return Reply(503, {"retry-after": "1"}, b"")
            return Reply(404, {}, b"") if package is None else _ok(sync.PACKAGE_TYPE, package)
        page = serve_feed(node, asker, read_feed_query(query), keep_request(received))
    except RestoringError:
        return Reply(503, {"retry-after": "60"}, b"")
    except (BadRequestError, BadCursorError):
        return Reply(401, {}, b"")
    return Reply(409, {}, b"") if isinstance(page, IncarnationChanged) else _ok(MEDIA_TYPE, page)


def _compared(node: Node, asker: Requester, path: str, body: bytes) -> Reply:
    try:
        if path == REPAIR_PATH:
            answer = serve_stretches(node, asker.org, read_asks(body), asker.nonce)
            media_type = REPAIR_TYPE
        else:
            answer = items_page(node, asker.org, read_wanted(body), asker.nonce)
            media_type = MEDIA_TYPE
    except BadLineError:
        return Reply(400, {}, b"")
    return Reply(503, {}, b"") if isinstance(answer, NotYet) else _ok(media_type, answer)


def _taken(node: Node, party: str, body: bytes) -> Reply:
    try:
        take_receipt(node, party, body)
    except BadReceiptError:
        return _turned_down(400, NO_RECEIPT)
    except UnknownItemError:
        return _turned_down(422, NO_SUCH_ITEM)
    except ContradictedError:
        return _turned_down(409, ERASED_BEFORE)
    return Reply(204, {}, b"")


def _turned_down(status: int, title: str) -> Reply:
    return Reply(status, {}, orjson.dumps({"title": title, "status": status}))


def _ok(media_type: str, body: bytes) -> Reply:
    return Reply(200, {"content-type": media_type}, body)


@dataclass
class World:
    """Nodes by the short names of their countries, on one clock."""

    clock: HandClock
    memory: Memory
    nodes: dict[str, Node]

    def __getitem__(self, name: str) -> Node:
        return self.nodes[name]

    def peer(self, of: str, name: str) -> Peer:
        """The peer `name` as the node `of` knows it."""
        return next(peer for peer in self[of].peers if peer.org == ORGS[name])

    def pull(self, to: str, source: str) -> PullResult:
        return pull(self[to], self.peer(to, source), self.memory)

    def repair(self, to: str, source: str) -> RepairResult:
        return repair(self[to], self.peer(to, source), self.memory)

    def project(self, *names: str) -> None:
        for name in names or self.nodes:
            while project_dirty(self[name], 100):
                pass

    def send_receipts(self, *names: str) -> int:
        """Bring what is due to peers; gives how many receipts were settled."""
        return sum(send_due(self[name], self.memory) for name in names or self.nodes)

    def settle(self, rounds: int = 6) -> None:
        """Project and pull until nobody has news for anybody."""
        for _ in range(rounds):
            self.project()
            results = [
                self.pull(to, source) for to in self.nodes for source in self.nodes if to != source
            ]
            self.clock.turn(seconds=1)
            if not any(result.items for result in results):
                return
        self.project()

    # What sources do

    def post(
        self,
        name: str,
        info: str,
        tlp: Tlp = Tlp.GREEN,
        values: Iterable[str] = (),
        *,
        audience: Audience = NOBODY,
        label: Label | None = None,
        urgent: bool = False,
        published: bool = True,
        log: str = "event",
    ) -> str:
        """Seal and publish an event at a node; gives its uuid."""
        node = self[name]
        event = fresh_uuid(node)
        drafted = draft(node, event, info, values, label or Label(tlp), audience)
        records = cut_event(drafted, Names.of(None, lambda: fresh_uuid(node)))
        birth = Birth(log, event, node.org, {}, published=published)
        version = first_version(node, birth, records, node.clock())
        version = replace(version, log=replace(version.log, urgent=urgent))
        with node.store.write() as unit:
            write_version(unit, version)
        return event

    def edit(
        self,
        name: str,
        event: str,
        info: str,
        tlp: Tlp = Tlp.GREEN,
        values: Iterable[str] = (),
        *,
        audience: Audience = NOBODY,
        label: Label | None = None,
    ) -> None:
        """Seal the next version: what is not named any more is void."""
        node = self[name]
        with node.store.read() as unit:
            own = read_own(unit, node.org, event)
        assert own is not None
        drafted = draft(node, event, info, values, label or Label(tlp), audience)
        names = Names.of(own.holding, lambda: fresh_uuid(node))
        change = diff(own.holding, cut_event(drafted, names))
        version = next_version(node, own, change, node.clock())
        assert version is not None, "the edit changes nothing"
        with node.store.write() as unit:
            write_version(unit, version)

    def recall(self, name: str, event: str) -> None:
        """The originator's recall of a whole log."""
        node = self[name]
        log = self.log(name, event)
        assert log is not None
        recall = Recall(event, node.org, log.epoch, log.seq, "error", node.clock())
        envelope = make_recall(recall, node.signers)
        with node.store.write() as unit:
            conn = unit.connection
            set_recalled(conn, node.org, event, log.version, envelope)
            erase_holdings(conn, node.org, event)
            mark_dirty(conn, [(node.org, event)])

    # What is held

    def log(self, name: str, event: str, origin: str | None = None) -> LogRow | None:
        with self[name].store.read() as unit:
            origins = [ORGS[origin]] if origin else ORGS.values()
            found = (find_log(unit.connection, org, event) for org in origins)
            return next((log for log in found if log is not None), None)

    def held(self, name: str, event: str) -> Holding | None:
        """What readers of the node go by, or None."""
        log = self.log(name, event)
        if log is None:
            return None
        with self[name].store.read() as unit:
            row = best_holding(unit.connection, log.origin, event)
        return None if row is None else load_holding(row.package)

    def held_from(self, name: str, event: str, source: str) -> HoldingRow | None:
        log = self.log(name, event)
        if log is None:
            return None
        with self[name].store.read() as unit:
            return find_holding(unit.connection, log.origin, event, ORGS[source])

    def text(self, name: str, event: str) -> str:
        """Every byte of slots that the node holds of an event; empty if nothing."""
        holding = self.held(name, event)
        if holding is None:
            return ""
        slots = (slot or b"" for record in holding.records.values() for slot in record.slots)
        return b"\n".join(slots).decode()

    def dirt(self, name: str) -> int:
        with self[name].store.read() as unit:
            return count_dirt(unit.connection)


class CrashError(Exception):
    """The process dies here."""


class CrashingStore(Store):
    """A store whose process dies in its `at`-th write unit, just before or just after it commits."""

    def __init__(self, store: Store, at: int, *, committed: bool) -> None:
        self.__dict__.update(store.__dict__)
        self.left = at
        self.committed = committed

    @contextmanager
    def write(self) -> Iterator[Unit]:
        self.left -= 1
        with super().write() as unit:
            yield unit
            if self.left == 0 and not self.committed:
                raise CrashError
        if self.left == 0:
            raise CrashError


def snapshot(node: Node) -> dict[str, list[str]]:
    """Everything a node knows about logs, whoever told it and when."""
    with node.store.read() as unit:
        return {
            table.name: sorted(
                str(
                    {
                        column.name: value
                        for column, value in zip(table.columns, row, strict=True)
                        if column.name not in _PASSING
                    }
                )
                for row in unit.connection.execute(select(table))
            )
            for table in _LASTING
        }


_LASTING = (
    tables.log,
    tables.holding,
    tables.entry,
    tables_feed.seen,
    tables_feed.quarantine,
    tables_feed.outbox,
    tables_feed.dirty,
)
_PASSING = frozenset({"id", "head_class", "value_class", "updated_at", "gen"})


def draft(
    node: Node, event: str, info: str, values: Iterable[str], label: Label, audience: Audience
) -> Draft:
    attributes = tuple(
        Attribute(
            uuid=str(UUID(bytes=Random(event + value).randbytes(16), version=4)),
            type="domain",
            category="Network activity",
            value=value,
            to_ids=True,
            timestamp=1769500000,
        )
        for value in values
    )
    told = Event(event, info, "2026-01-27", 4, 0, 1769500000, attributes=attributes)
    return Draft(told, label, node.org, audience)


def make_world(
    folder: Path, new_url: Callable[[], str], clock: HandClock, names: Iterable[str] = tuple(ORGS)
) -> World:
    """Nodes that all know each other, made by the functions that make real ones."""
    made = [_init(folder / name, name, new_url()) for name in names]
    entries = [own_entry(node.settings, node.keys) for node in made]
    for node in made:
        node.close()
        put_members(node.settings.roster_file, entries)
    return open_world(folder, clock, names)


def open_world(folder: Path, clock: HandClock, names: Iterable[str]) -> World:
    """The nodes whose directories are in the folder."""
    nodes = {
        name: replace(open_node(load_settings(folder / name)), clock=clock, wall=clock)
        for name in names
    }
    memory = Memory({url_of(name): node for name, node in nodes.items()})
    return World(clock, memory, nodes)


def _init(data: Path, name: str, database: str) -> Node:
    role = "hub" if name == "HUB" else "national"
    more: dict[str, str | int | float | list[str]] = {"database_url": database} if database else {}
    chosen = NewNode(ORGS[name], f"Node {name}", COUNTRIES[name], role, url_of(name), more)
    return init_node(data, chosen)

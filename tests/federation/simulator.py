"""A peer in memory that serves its feed like a node, and can be told to lie, replay or stall.

And a receiver in memory that pulls from it and keeps what `admit` tells it to: step 9, the
transaction, in its plainest form. Neither knows of HTTP, disks or clocks.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime

from federation import sync
from federation.admit import (
    Admitted,
    Known,
    NoOp,
    Outcome,
    Quarantined,
    Sighting,
    Whole,
    admit_item,
    is_ended,
    pruned,
)
from federation.auth import Received, verify_request
from federation.call import Ask, Bookmark, Call, Reply, Wants
from federation.compress import pack
from federation.cursor import IncarnationChanged
from federation.errors import BadCursorError, BadRequestError
from federation.feed import (
    FEED_PATH,
    PACKAGES_PATH,
    Feed,
    OutboxRow,
    Plan,
    Question,
    plan_page,
    read_feed_query,
    write_page,
)
from federation.opening import Item, OpenedPage
from federation.peer import Peer, party_of
from federation.wire import MEDIA_TYPE, ItemLine, Op
from policies.party import Party
from sharing.seal.holding import Holding
from sharing.seal.package import write_package
from tests.federation.strategies import (
    INCARNATION,
    NOW,
    REGISTRY,
    RULEBOOK,
    URLS,
    feed,
    nonce,
    put_line,
    signer,
)

Log = tuple[str, str]


def moved(known: Known, item: Item) -> Known:
    """No news: only the place moves, and only forward."""
    if known.incarnation == item.incarnation and item.line.pos <= known.pos:
        return known
    return replace(known, incarnation=item.incarnation, pos=item.line.pos)


def no_lie(reply: Reply) -> Reply:
    return reply


@dataclass
class SimulatedPeer:
    """A node's serving side. `lie` changes any answer on its way out."""

    org: str
    incarnation: str = INCARNATION
    rows: list[OutboxRow] = field(default_factory=list)
    packages: dict[str, bytes] = field(default_factory=dict)
    spent: set[tuple[str, str]] = field(default_factory=set)
    lie: Callable[[Reply], Reply] = no_lie
    acked: dict[str, int] = field(default_factory=dict)

    @property
    def head(self) -> int:
        return self.rows[-1].line.pos if self.rows else 0

    @property
    def peer(self) -> Peer:
        """This node as the others' configuration has it."""
        return Peer(REGISTRY.members[self.org], URLS[self.org], Wants.ALL)

    def offer(
        self,
        holding: Holding,
        *,
        hops: int | None = None,
        package: bytes | None = None,
        **changes: object,
    ) -> ItemLine:
        """Put a holding into the feed, and whatever else should be said about it."""
        hops = int(holding.statement.iss != self.org) if hops is None else hops
        line = replace(put_line(holding, self.head + 1, hops=hops), **changes)  # type: ignore[arg-type]  # lies
        self.packages[str(line.digest)] = write_package(holding) if package is None else package
        return self.add(line)

    def withdraw(self, holding: Holding) -> ItemLine:
        line = put_line(holding, self.head + 1, hops=int(holding.statement.iss != self.org))
        return self.add(replace(line, op=Op.WITHDRAW, digest=None))

    def recall(self, holding: Holding, envelope: bytes, **changes: object) -> ItemLine:
        line = put_line(holding, self.head + 1, hops=int(holding.statement.iss != self.org))
        recalled = replace(line, op=Op.RECALL, digest=None, recall=envelope)
        return self.add(replace(recalled, **changes))  # type: ignore[arg-type]  # lies

    def add(self, line: ItemLine) -> ItemLine:
        """One row per log: the newest."""
        self.rows = [
            row
            for row in self.rows
            if (row.line.origin, row.line.event) != (line.origin, line.event)
        ]
        self.rows.append(OutboxRow(line, RULEBOOK, dirty=False))
        return line

    def restore(self, incarnation: str) -> None:
        """Come back from a backup: same logs, new life."""
        self.incarnation = incarnation

    def answer(self, call: Call, *, now: datetime = NOW) -> Reply:
        return self.lie(self._answer(call, now))

    def _answer(self, call: Call, now: datetime) -> Reply:
        request = Received(call.method, call.path, tuple(call.headers.items()), call.body)
        try:
            who = verify_request(request, base_url=URLS[self.org], registry=REGISTRY, now=now)
        except BadRequestError:
            return Reply(401, {}, b"")
        if (who.kid, who.nonce) in self.spent:
            return Reply(401, {}, b"")
        self.spent.add((who.kid, who.nonce))
        path, _, query = call.path.partition("?")
        if path == FEED_PATH:
            return self._feed(who.org, query, who.nonce, now)
        return self._package(path.removeprefix(PACKAGES_PATH))

    def _feed(self, org: str, query: str, nonce_: str, now: datetime) -> Reply:
        served = feed(self.org, org, self.incarnation)
        asked = read_feed_query(query)
        try:
            place = served.place_of(asked, self.head)
        except BadCursorError:
            return Reply(400, {}, b"")
        if isinstance(place, IncarnationChanged):
            return Reply(409, {}, b"")
        self.acked[org] = place
        coming = [row for row in self.rows if row.line.pos > place]
        plan = plan_page(coming, after=place, rulebook=RULEBOOK, limit=asked.limit)
        return self._page(served, Question(place, asked.cursor, nonce_), plan, now)

    def _page(self, served: Feed, question: Question, plan: Plan, now: datetime) -> Reply:
        page = write_page(
            served,
            question,
            plan,
            lambda line: self.packages.get(str(line.digest)),
            head=self.head,
            now=now,
        )
        headers = {"content-type": MEDIA_TYPE, "content-encoding": "zstd"}
        return Reply(200, headers, b"".join(pack(page)))

    def _package(self, digest: str) -> Reply:
        if digest not in self.packages:
            return Reply(404, {}, b"")
        return Reply(200, {"content-type": sync.PACKAGE_TYPE}, self.packages[digest])


@dataclass
class Receiver:
    """A node's pulling side, with what it has stored."""

    org: str
    bookmarks: dict[str, Bookmark] = field(default_factory=dict)
    seen: dict[tuple[str, Log], Known] = field(default_factory=dict)
    holdings: dict[Log, dict[str, Holding]] = field(default_factory=dict)
    sightings: dict[Log, list[Sighting]] = field(default_factory=dict)
    floors: dict[Log, tuple[int, int]] = field(default_factory=dict)
    wants: Wants = Wants.ALL
    asked: int = 0

    @property
    def me(self) -> Party:
        return party_of(REGISTRY.members[self.org])

    def nonce(self) -> str:
        self.asked += 1
        return nonce(f"{self.org} {self.asked}")

    def question(self, peer: SimulatedPeer, *, limit: int = 200) -> Ask:
        return sync.ask(
            peer.peer,
            me=self.org,
            bookmark=self.bookmarks.get(peer.org),
            nonce=self.nonce(),
            signer=signer(self.org),
            now=NOW,
            limit=limit,
            wants=self.wants,
        )

    def pull(self, peer: SimulatedPeer, *, limit: int = 200) -> list[Outcome]:
        """One page, stored; what became of its items."""
        question = self.question(peer, limit=limit)
        outcome = sync.page(peer.answer(question.call), question, registry=REGISTRY, now=NOW)
        match outcome:
            case IncarnationChanged():
                del self.bookmarks[peer.org]
                return self.pull(peer, limit=limit)
            case OpenedPage():
                outcomes = [self.take(self.whole(item, peer), peer.org) for item in outcome.items]
                self.bookmarks[peer.org] = outcome.bookmark
                return outcomes
            case _:
                return []

    def pull_all(self, peer: SimulatedPeer, *, limit: int = 200) -> list[Outcome]:
        """Pages until nothing more comes."""
        outcomes: list[Outcome] = []
        while got := self.pull(peer, limit=limit):
            outcomes += got
        return outcomes

    def whole(self, item: Item, peer: SimulatedPeer) -> Item:
        if not item.fetched_apart or not isinstance(item.line, ItemLine):
            return item
        call = sync.ask_package(
            peer.peer, item.line, nonce=self.nonce(), signer=signer(self.org), now=NOW
        )
        fetched = sync.package(peer.answer(call), item)
        assert isinstance(fetched, Item)
        return fetched

    def known(self, source: str, log: Log) -> Known:
        held = self.holdings.get(log, {}).values()
        return replace(
            self.seen.get((source, log), Known()),
            sightings=tuple(self.sightings.get(log, ())),
            newest=max(held, key=lambda one: one.statement.version, default=None),
            floor=self.floors.get(log),
        )

    def take(self, item: Item, source: str) -> Outcome:
        log = (item.line.origin, item.line.event)
        known = self.known(source, log)
        outcome = admit_item(
            item,
            source=source,
            me=self.me,
            registry=REGISTRY,
            known=known,
            wants=self.wants,
            now=NOW,
        )
        match outcome:
            case Admitted():
                self.store(outcome, source, log)
                line, digest = outcome.line, outcome.digest
                self.seen[source, log] = Known(item.incarnation, line.pos, line.version, digest)
            case NoOp():
                self.seen[source, log] = moved(known, item)
            case Quarantined() | Whole():
                pass
        return outcome

    def store(self, admitted: Admitted, source: str, log: Log) -> None:
        held = self.holdings.setdefault(log, {})
        match admitted.op:
            case Op.PUT:
                held.pop(source, None)
                if admitted.holding is not None:
                    held[source] = admitted.holding
                    told = admitted.holding.statement
                    self.sightings.setdefault(log, []).append(
                        Sighting(told.version, told.seal, NOW)
                    )
                self.prune(held, admitted)
            case Op.WITHDRAW:
                held.pop(source, None)
            case Op.RECALL:
                assert admitted.floor is not None
                self.floors[log] = admitted.floor
                for src in [
                    src
                    for src, one in held.items()
                    if is_ended(one.statement.version, admitted.floor)
                ]:
                    del held[src]

    @staticmethod
    def prune(held: dict[str, Holding], admitted: Admitted) -> None:
        epoch = admitted.line.epoch
        for src, holding in list(held.items()):
            if holding.statement.epoch == epoch:
                left = pruned(holding, admitted.void)
                if left is None:
                    del held[src]
                else:
                    held[src] = left

    def values(self, log: Log) -> set[bytes]:
        """Every slot held of a log, from any source."""
        return {
            slot
            for holding in self.holdings.get(log, {}).values()
            for record in holding.records.values()
            for slot in record.slots
            if slot is not None
        }

"""Where something may wait for a person: a log before one party to whom it can be released.

Three kinds of log, three kinds of party. An event waits to go to a member of the federation; the
report of an incident, to be opened to this node's own staff; a declaration, to be handed over as a
file to the authority it was cut for. Nobody else is ever released anything.
"""

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from hashlib import sha256

import orjson

from node.actions.caller import Caller
from node.actions.errors import NotFoundError
from node.actions.gate import TOWARDS_MEMBERS, relation_of
from node.actions.people import local_party
from node.actions.stored import open_holding, opened
from node.actions.towards import Target, find_target
from node.node import Node
from node.storage.classes import all_classes, logs_with_classes
from node.storage.errors import StoredPackageError
from node.storage.logs import (
    HoldingRow,
    LogRow,
    best_holding,
    event_over,
    find_log,
    logs_of_type,
)
from node.storage.people import find_org
from node.storage.releases import HeldSlot, releases_of
from node.storage.store import Unit
from policies.decide import Effect
from policies.party import Party
from policies.release import Need
from policies.tlp import Tlp
from sharing.project import HeldItem, Standing, project
from sharing.seal.holding import Holding
from sharing.seal.records import EVENT_LABEL, Kind
from sharing.slots_read import read_log

DECLARATION = "declaration"
AT_HOME = Standing(own=True, client=True, direct=True, published=True)
"""How this node's staff stands to the reports made here."""
HANDED_OVER = Standing(own=True, client=False, direct=True, published=True)
"""How an authority stands to what is handed over to it in its source's name."""
_SIDE = frozenset({Kind.LABEL, Kind.ADDRESSEE, Kind.PAD})
_OF_A_FILE = frozenset({Need.TWO_PERSONS, Need.GROUND})  # whatever the rulebook says (D12)


@dataclass(frozen=True, slots=True)
class Declaration:
    """What is kept of a declaration: the event it is about, the log it was cut from, for whom.

    `content` are the slots it was cut from, as they read then.
    """

    about: str
    source: str
    to: str
    info: str
    content: frozenset[HeldSlot]

    @classmethod
    def of(cls, log: LogRow) -> "Declaration":
        """Read it from its log's ground."""
        said = log.ground["declaration"]
        if not isinstance(said, dict):
            raise TypeError(f"log {log.event}: no declaration")
        return cls(
            said["about"],
            said["source"],
            said["to"],
            said["info"],
            frozenset(HeldSlot(*each) for each in said["content"]),
        )

    def ground(self) -> dict[str, object]:
        """Give it as its log keeps it."""
        content = [list(each) for each in sorted(self.content)]
        return {"declaration": {**asdict(self), "content": content}}


@dataclass(frozen=True, slots=True)
class Waiting:
    """A log before a party; `about` is the event that people know it by.

    `is_outdated`: a declaration whose source says something else by now; nothing releases it.
    """

    log: LogRow
    about: str
    info: str
    holding: Holding
    target: Target
    is_outdated: bool = False

    @property
    def key(self) -> tuple[str, str]:
        """Origin and uuid of the log."""
        return self.log.origin, self.log.event

    def title_for(self, caller: Caller) -> str:
        """Give what the log says it is about; empty where a token would read TLP:RED (D12)."""
        is_red = self.holding.labels.effective(EVENT_LABEL).tlp is Tlp.RED
        return "" if is_red and caller.is_token else self.info

    def items(self, node: Node) -> tuple[HeldItem, ...]:
        """Everything of the log that would wait for a release to the party, were there none yet."""
        if self.target.refused or self.is_outdated:
            return ()
        target = self.target
        return project(
            self.holding, target.party, target.standing, node.judge, (), node.clock()
        ).held

    def needs(self, node: Node, item: HeldItem) -> frozenset[Need]:
        """What a release of the item takes beside an operator."""
        needs = node.judge.rulebook.needs_of(reason.id for reason in item.reasons)
        return needs | _OF_A_FILE if self.log.type == DECLARATION else needs

    def waits(self, node: Node) -> list[HeldItem]:
        """What of it persons have not released, as many and on such ground as it takes now."""
        met: dict[HeldSlot, list[frozenset[Need]]] = {}
        for each in self.target.releases:
            slot = HeldSlot(each.record, each.slot_type, each.slot_hash)
            met.setdefault(slot, []).append(each.met)
        return [
            item
            for item in self.items(node)
            if not any(self.needs(node, item) <= some for some in met.get(held_slot(item), ()))
        ]

    def size_of(self, item: HeldItem) -> int:
        """How many bytes the slot has."""
        record = self.holding.records[item.index]
        slot = record.slots[record.header.types.index(item.slot_type)]
        return 0 if slot is None else len(slot)


def held_slot(item: HeldItem) -> HeldSlot:
    """Give the slot that waits, by its content."""
    return HeldSlot(item.record, item.slot_type, item.slot_hash)


def find_waiting(node: Node, unit: Unit, origin: str, event: str, party: str) -> Waiting:
    """Give this log before this party.

    Raises:
        NotFoundError: there is no such log, or nothing of it can be released to this party.
    """
    found = _find(unit, origin, event)
    if found is None or party not in _parties(node, found.log):
        raise NotFoundError("hold")
    return _before(node, unit, found, party)


def all_waiting(node: Node, unit: Unit) -> Iterator[Waiting]:
    """Give every log in which something may wait, before each party it may wait for.

    Asked of the logs' classes first, so that only those which hold something are opened.
    """
    declarations = [(log.origin, log.event) for log in logs_of_type(unit.connection, DECLARATION)]
    held = logs_with_classes(unit.connection, _held_classes(node, unit))
    for key in dict.fromkeys([*held, *declarations]):
        try:
            found = _find(unit, *key)
        except StoredPackageError:
            continue  # what is damaged goes nowhere, and is before the operator already
        if found is not None:
            for party in _parties(node, found.log):
                yield _before(node, unit, found, party)


@dataclass(frozen=True, slots=True)
class _Found:
    """A log as it was read."""

    log: LogRow
    best: HoldingRow
    about: str
    info: str
    holding: Holding
    is_outdated: bool = False


def _find(unit: Unit, origin: str, event: str) -> _Found | None:
    conn = unit.connection
    log, best = find_log(conn, origin, event), best_holding(conn, origin, event)
    if log is None or best is None:
        return None
    with opened(best) as holding:
        info = read_log(holding).event.info
        if log.type == DECLARATION:
            said = Declaration.of(log)
            is_outdated = not said.content <= _content(unit, origin, said.source)
            return _Found(log, best, said.about, said.info, holding, is_outdated)
    return _Found(log, best, event_over(conn, origin, event) or event, info, holding)


def _before(node: Node, unit: Unit, found: _Found, party: str) -> Waiting:
    if found.log.type == "event":
        target = find_target(node, unit, found.log, found.best, party)
    else:
        target = _at_home(node, unit, found.log, party)
    return Waiting(found.log, found.about, found.info, found.holding, target, found.is_outdated)


def slots_of(holding: Holding) -> Iterator[HeldSlot]:
    """Give every slot of a log's things, heads too, by record and content."""
    for record in holding.records.values():
        head = record.slots[0]
        if record.header.kind in _SIDE or head is None:
            continue
        uuid = str(orjson.loads(head).get("uuid", ""))
        for slot_type, slot in zip(record.header.types, record.slots, strict=True):
            if slot is not None:
                yield HeldSlot(uuid, slot_type, sha256(slot).hexdigest())


def _content(unit: Unit, origin: str, event: str) -> frozenset[HeldSlot]:
    best = best_holding(unit.connection, origin, event)
    return frozenset() if best is None else frozenset(slots_of(open_holding(best)))


def declarations_of(unit: Unit, about: str | None = None) -> tuple[LogRow, ...]:
    """Give the declarations, or those that are about one event of ours, oldest first."""
    logs = logs_of_type(unit.connection, DECLARATION)
    return tuple(log for log in logs if about in {None, Declaration.of(log).about})


def _parties(node: Node, log: LogRow) -> Iterable[str]:
    """To whom something of the log can be released."""
    match log.type:
        case "event":
            return [peer.org for peer in node.peers]
        case "report":
            return [node.org]
        case "declaration":
            return [Declaration.of(log).to]
        case _:
            return ()


def _at_home(node: Node, unit: Unit, log: LogRow, party: str) -> Target:
    """This node's staff before a report, or an authority before what was cut for it."""
    released = releases_of(unit.connection, log.origin, log.event)
    releases = tuple(each for each in released if each.party == party)
    if party == node.org:
        return Target(node.me, "this node's staff", AT_HOME, releases, None)
    home = find_org(unit.connection, party)
    if home is None:
        raise NotFoundError("organisation")
    return Target(local_party(home), home.name, HANDED_OVER, releases, None)


def _held_classes(node: Node, unit: Unit) -> frozenset[int]:
    """Give the classes that wait for a release to a member, or to this node's own staff."""
    now, facts = node.clock(), all_classes(unit.connection)
    asked: list[tuple[Party, Standing]] = [(node.me, AT_HOME)]
    asked += [(peer.party, standing) for peer in node.peers for standing in TOWARDS_MEMBERS]
    return frozenset(
        one
        for one, slot in facts.items()
        for party, standing in asked
        if node.judge.decide(slot.subject, relation_of(slot, party, standing, now), party).effect
        is Effect.HOLD
    )

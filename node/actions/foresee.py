"""What another rulebook would change: who would newly see what, and what would be taken back.

Asked over all that is stored, before anybody applies it. Verdicts are compared by class first
(`touched`); only logs in which a class changes for somebody are opened, and projected for him under
both rulebooks by the code that serves him. A program is not told of events that it may not see.
"""

import difflib
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

import orjson

from node.actions.basis import first_wants
from node.actions.caller import Caller
from node.actions.gate import STANDINGS, TOWARDS_MEMBERS, standing_of
from node.actions.people import AUTHORITY, local_party
from node.actions.stored import opened
from node.actions.touched import ClassChange, Turn, class_changes
from node.actions.towards import Target, local_target, member_name, member_target
from node.node import Node
from node.storage.classes import all_classes, logs_with_classes
from node.storage.dirt import LogKey
from node.storage.errors import StoredPackageError
from node.storage.logs import HoldingRow, LogRow, best_holding, find_log
from node.storage.peers import list_peers
from node.storage.people import Org, list_orgs
from node.storage.releases import releases_of
from node.storage.store import Unit
from policies.compare import Change
from policies.decide import Judge, Reason
from policies.party import Party
from policies.reach import reach
from policies.rulebook import Rulebook
from sharing.project import Projection, Projector, Release, project
from sharing.seal.holding import Holding
from sharing.seal.records import Kind

_SHOWN = 100  # events listed for a party; all are counted
_TIES = ("own", "client", "named", "released")
_SIDE = frozenset({Kind.LABEL, Kind.ADDRESSEE, Kind.PAD})


@dataclass(frozen=True, slots=True)
class ChangedEvent:
    """One event, and what of it would change for a party; the numbers are slots.

    `newly`: he had nothing of it. `recalled`: he would have nothing any more. `held`: what waits
    for a person from then on. `reasons` are the policies of the new rulebook that decide so.
    """

    origin: str
    event: str
    info: str | None
    newly: bool
    recalled: bool
    gained: int
    lost: int
    held: int
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class PartyChange:
    """What would change for one party, or for several alike, in events.

    `more` and `less` count events of which they have something before and after. `events` are at
    most 100 of those counted.
    """

    parties: tuple[str, ...]
    name: str
    newly: int
    recalled: int
    more: int
    less: int
    held: int
    events: tuple[ChangedEvent, ...]


def sentences_of(party: PartyChange) -> tuple[str, ...]:
    """Say a change in words."""
    told = (
        (party.newly, f"newly to {party.name}"),
        (party.recalled, f"recalled from {party.name}"),
        (party.more, f"with more for {party.name}"),
        (party.less, f"with less for {party.name}"),
        (party.held, f"with something that waits for a person before it goes to {party.name}"),
    )
    return tuple(f"{n} event{'' if n == 1 else 's'} {what}" for n, what in told if n)


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What a rulebook would change if it took the place of the one in force, number `base`.

    `widens`: somebody might have more of something, stored already or not, or nobody can be sure
    that he does not; `example` is one such case. `sentences` say what changes of what is stored,
    party by party; `looked_at` counts the events that were opened for it. `lines` are its text
    against that one's, as a unified diff.
    """

    base: int
    name: str
    digest: str
    widens: bool
    example: str | None
    sentences: tuple[str, ...]
    added: tuple[str, ...]
    removed: tuple[str, ...]
    lines: tuple[str, ...]
    looked_at: int
    parties: tuple[PartyChange, ...]


@dataclass(frozen=True, slots=True)
class _Who:
    """Somebody who might get logs: a peer, or an organisation enrolled here (`home`)."""

    party: Party
    name: str
    home: Org | None
    wants: str
    change: ClassChange


def foresee(node: Node, caller: Caller, new: Judge) -> Foreseen:
    """Give what would change; `node` is pinned to the rulebook in force."""
    turn = Turn(node.judge, new)
    with node.store.read() as unit:
        everybody = tuple(_everybody(node, unit, turn))
        touched = _touched(unit, everybody)
    look = _Look(node, caller, turn)
    for key, some in touched.items():
        look.at(key, some)
    before, after = turn.old.rulebook, new.rulebook
    parties = tuple(_told(everybody, look.found))
    further = reach(before, after)
    return Foreseen(
        base=int(before.version),
        name=after.name,
        digest=after.digest,
        widens=further.is_further or any(each.change.raised for each in everybody),
        example=_example(further.example),
        sentences=tuple(each for party in parties for each in sentences_of(party)),
        added=tuple(sorted(_ids(after) - _ids(before))),
        removed=tuple(sorted(_ids(before) - _ids(after))),
        lines=tuple(_lines(before, after)),
        looked_at=look.looked_at,
        parties=parties,
    )


def _everybody(node: Node, unit: Unit, turn: Turn) -> Iterator[_Who]:
    """Everybody who might get something of what is stored, with the classes that change for him."""
    facts = all_classes(unit.connection)
    rows = {row.org: row for row in list_peers(unit.connection)}
    peers = [peer.party for peer in node.peers]
    for party, change in class_changes(turn, facts, peers, TOWARDS_MEMBERS).items():
        wants = rows[party.org].wants if party.org in rows else first_wants(node)
        yield _Who(party, member_name(party), None, wants, change)
    homes = [home for home in list_orgs(unit.connection) if home.kind != AUTHORITY]  # by file only
    local = {home.org: node.me if home.org == node.org else local_party(home) for home in homes}
    changes = class_changes(turn, facts, local.values(), STANDINGS)
    for home in homes:
        party = local[home.org]
        yield _Who(party, home.name, home, "", changes[party])


def _touched(unit: Unit, everybody: Iterable[_Who]) -> Mapping[LogKey, list[_Who]]:
    """The logs in which a class changes for somebody, and for whom."""
    logs: dict[frozenset[int], tuple[LogKey, ...]] = {}
    found: dict[LogKey, list[_Who]] = {}
    for who in everybody:
        ids = who.change.changed
        if ids not in logs:
            logs[ids] = logs_with_classes(unit.connection, ids) if ids else ()
        for key in logs[ids]:
            found.setdefault(key, []).append(who)
    return found


class _Look:
    """Goes through logs, one at a time; `found` are the changes by the party's uuid."""

    def __init__(self, node: Node, caller: Caller, turn: Turn) -> None:
        self._node, self._caller, self._turn = node, caller, turn
        self._now = node.clock()
        self.looked_at = 0
        self.found: dict[str, list[ChangedEvent]] = {}

    def at(self, key: LogKey, some: Iterable[_Who]) -> None:
        """Take note of what changes of this log for some of them."""
        try:
            with self._node.store.read() as unit:
                log, best = find_log(unit.connection, *key), best_holding(unit.connection, *key)
                releases = releases_of(unit.connection, *key)
            if log is None or best is None or log.type != "event":
                return
            with opened(best) as holding:
                self._compare(log, best, holding, some, releases)
        except StoredPackageError:
            return  # what is damaged cannot be served, and the projector tells of it

    def _compare(
        self,
        log: LogRow,
        best: HoldingRow,
        holding: Holding,
        some: Iterable[_Who],
        releases: tuple[Release, ...],
    ) -> None:
        info = self._info(log, best, holding)
        if info is None and self._caller.is_token:
            return
        self.looked_at += 1
        before, after = (
            Projector(holding, judge, self._now) for judge in (self._turn.old, self._turn.new)
        )
        known: dict[tuple[int, int], ChangedEvent | None] = {}  # by the ids of two projections
        for who in some:
            target = self._target(who, log, best, releases)
            if target.refused:
                continue
            old, new = (
                each.project(target.party, target.standing, target.releases)
                for each in (before, after)
            )
            if (id(old), id(new)) not in known:
                known[id(old), id(new)] = self._change(log, holding, old, new, info)
            if (change := known[id(old), id(new)]) is not None:
                self.found.setdefault(target.party.org, []).append(change)

    def _info(self, log: LogRow, best: HoldingRow, holding: Holding) -> str | None:
        """What the event is about, if the caller may see it under the rulebook in force."""
        standing = standing_of(self._node, self._caller, log, best)
        in_force, party = self._turn.old, self._caller.party
        seen = project(holding, party, standing, in_force, (), self._now).masks
        for index in seen:
            record = holding.records[index]
            head = record.slots[0]
            if record.header.kind == Kind.CORE and head is not None:
                return str(orjson.loads(head).get("info", ""))
        return None

    def _target(
        self, who: _Who, log: LogRow, best: HoldingRow, releases: tuple[Release, ...]
    ) -> Target:
        if who.home is None:
            return member_target(self._node, log, best, who.party, who.wants, releases)
        return local_target(self._node, log, best, who.home)

    @staticmethod
    def _change(
        log: LogRow,
        holding: Holding,
        before: Projection,
        after: Projection,
        info: str | None,
    ) -> ChangedEvent | None:
        gained = _beyond(holding, after.masks, before.masks)
        lost = _beyond(holding, before.masks, after.masks)
        waited = {(item.index, item.slot_type) for item in before.held}
        waits = {(item.index, item.slot_type) for item in after.held} - waited
        if not (gained or lost or waits):
            return None
        return ChangedEvent(
            origin=log.origin,
            event=log.event,
            info=info,
            newly=bool(after.masks) and not before.masks,
            recalled=bool(before.masks) and not after.masks,
            gained=_slots(gained),
            lost=_slots(lost),
            held=len(waits),
            reasons=_reasons(after, (gained, lost), waits),
        )


def _beyond(holding: Holding, these: Mapping[int, int], those: Mapping[int, int]) -> dict[int, int]:
    """The slots in these masks that are not in those, labels and addressees aside."""
    more = ((index, mask & ~those.get(index, 0)) for index, mask in these.items())
    return {
        index: mask
        for index, mask in more
        if mask and holding.records[index].header.kind not in _SIDE
    }


def _slots(masks: Mapping[int, int]) -> int:
    return sum(mask.bit_count() for mask in masks.values())


def _reasons(
    after: Projection, changed: Iterable[Mapping[int, int]], waits: Collection[tuple[int, int]]
) -> tuple[Reason, ...]:
    """The policies that decide, under the new rulebook, of what changes or waits."""
    found = set[Reason]()
    for verdict in after.verdicts:
        records = range(verdict.index, verdict.index + verdict.count)
        if any(
            masks.get(index, 0) >> verdict.slot & 1 or (index, verdict.slot_type) in waits
            for index in records
            for masks in changed
        ):
            found.update(verdict.decision.reasons)
    return tuple(sorted(found))


def _told(
    everybody: Iterable[_Who], found: Mapping[str, list[ChangedEvent]]
) -> Iterator[PartyChange]:
    """One change for each peer, and one for all organisations enrolled here that fare alike."""
    alike: dict[tuple[str | None, tuple[ChangedEvent, ...]], list[_Who]] = {}
    for who in everybody:
        events = tuple(found.get(who.party.org, ()))
        if events:
            apart = who.party.org if who.home is None else None
            alike.setdefault((apart, events), []).append(who)
    for (_, events), some in alike.items():
        yield _party_change(some, events)


def _party_change(some: list[_Who], events: tuple[ChangedEvent, ...]) -> PartyChange:
    kept = [each for each in events if not (each.newly or each.recalled)]
    return PartyChange(
        parties=tuple(who.party.org for who in some),
        name=", ".join(who.name for who in some),
        newly=sum(each.newly for each in events),
        recalled=sum(each.recalled for each in events),
        more=sum(bool(each.gained) for each in kept),
        less=sum(bool(each.lost) for each in kept),
        held=sum(bool(each.held) for each in events),
        events=events[:_SHOWN],
    )


def _example(change: Change | None) -> str | None:
    """Say a verdict that widens, in words."""
    if change is None:
        return None
    slot, party = change.subjects[0], change.parties[0]
    facts = [slot.tlp.title, slot.pap.title, *sorted(slot.categories)]
    who = [*sorted(party.roles), *(name for name in _TIES if getattr(change.relation, name))]
    before, after = change.before.decision, change.after.decision
    return (
        f"a slot of log {slot.log} ({', '.join(facts)}) to a party ({', '.join(who) or 'any'}): "
        f"{before.effect} before, {after.effect} then "
        f"({', '.join(reason.id for reason in after.reasons)})"
    )


def _ids(rulebook: Rulebook) -> set[str]:
    return {policy.id for policy in rulebook.policies.values()}


def _lines(before: Rulebook, after: Rulebook) -> Iterator[str]:
    return difflib.unified_diff(
        before.text.splitlines(),
        after.text.splitlines(),
        f"{before.name} {before.version}",
        after.name,
        lineterm="",
    )

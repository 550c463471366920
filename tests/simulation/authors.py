"""What sources say: events of values under labels, and everything they do about them later."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from random import Random
from uuid import UUID

from node.actions.errors import RestoringError
from node.actions.holds import Slot, list_holds, release
from node.actions.publish import publish
from node.actions.recall import recall
from node.actions.sealing import (
    Birth,
    Version,
    first_version,
    fresh_uuid,
    next_version,
    read_own,
    write_version,
)
from node.storage.restores import is_awaited
from policies.label import Label
from policies.tlp import Tlp
from sharing import event as words
from sharing.slots import Names, cut_event, diff
from tests.node.federation.ruling import operator
from tests.simulation.oracle import NOBODY, Event, Oracle, Said, may_give
from tests.simulation.stage import Stage, org_of

COLOURS = [Tlp.CLEAR, Tlp.GREEN, Tlp.AMBER, Tlp.AMBER_STRICT, Tlp.RED]


@dataclass(frozen=True)
class Told:
    """What was done, for the trace; `until` is when embargoes in it end."""

    owner: str
    event: str
    colours: str
    until: frozenset[datetime] = frozenset()

    @property
    def line(self) -> tuple[str, str, str]:
        """The same, for the trace."""
        return self.owner, self.event, self.colours


@dataclass(frozen=True)
class Value:
    """A canary, and what is said of it alone; None: what is said of the whole."""

    canary: str
    said: Said | None


@dataclass
class Authors:
    """All sources of a run; what each event is made of now."""

    stage: Stage
    chance: Random
    oracle: Oracle
    wholes: dict[str, tuple[Said, Value, tuple[Value, ...]]] = field(default_factory=dict)
    words: dict[str, int] = field(default_factory=dict)  # how often an event was changed
    released: dict[str, frozenset[str]] = field(default_factory=dict)  # a canary: to whom, ever

    def post(self) -> Told | None:
        owner = self._somebody()
        event = fresh_uuid(self.stage.nodes[owner])
        whole = self._said()
        values = tuple(self._value(whole) for _ in range(self.chance.randint(1, 4)))
        return self._say(owner, event, whole, self._canary(), values)

    def edit(self) -> Told | None:
        """Some values go, some come, the others stay."""
        event = self._some_event()
        if event is None:
            return None
        whole, title, values = self.wholes[event]
        kept = tuple(each for each in values if self.chance.random() < 0.7)
        added = tuple(self._value(whole) for _ in range(self.chance.randint(0, 2)))
        return self._say(self._owner(event), event, whole, title.canary, kept + added)

    def relabel(self) -> Told | None:
        """The same values under other labels, looser or stricter."""
        event = self._some_event()
        if event is None:
            return None
        whole, title, values = self.wholes[event]
        if self.chance.random() < 0.5:
            whole = self._said()
            if whole.only:
                values = tuple(replace(each, said=None) for each in values)
        else:
            values = tuple(
                self._value(whole, each.canary) if self.chance.random() < 0.5 else each
                for each in values
            )
        return self._say(self._owner(event), event, whole, title.canary, values)

    def recall(self) -> Told | None:
        event = self._some_event()
        if event is None:
            return None
        owner = self._owner(event)
        node = self.stage.nodes[owner]
        recall(node, operator(node), node.org, event, "error")
        self._forget(event)
        self._count(event)
        self.oracle.recalled[event] = self.oracle.step
        return Told(owner, event, "recalled")

    def release(self) -> Told | None:
        """A person lets everything that waits of one event go to one party."""
        waiting = [
            (event, told)
            for event, told in self.oracle.events.items()
            if any(said.waits for said in told.values.values())
        ]
        if not waiting:
            return None
        event, told = self.chance.choice(waiting)
        node = self.stage.nodes[told.owner]
        holds = [each for each in list_holds(node, operator(node)) if each.event == event]
        if not holds or not self._may_seal(told.owner):
            return None
        party = self.chance.choice(sorted({each.party for each in holds}))
        slots = [
            Slot(each.record, each.slot_type, each.content) for each in holds if each.party == party
        ]
        release(node, operator(node), node.org, event, party, slots, "agreed")
        name = next(one for one in self.oracle.names if org_of(one) == party)
        now, cut = self.stage.clock.now, self.oracle.cut_off.get(told.owner, NOBODY)
        values = {
            canary: replace(said, released=said.released | {name})
            if said.waits and may_give(told.owner, name, replace(said, waits=False), now, cut)
            else said  # nobody is asked for what may not go there anyway, as under an embargo
            for canary, said in told.values.items()
        }
        self.released |= {canary: said.released for canary, said in values.items()}
        self.oracle.say(event, Event(told.owner, values), self.stage.clock.now)
        return Told(told.owner, event, f"released to {name}")

    def say_all_again(self, owner: str) -> None:
        """Every event of the owner gets a version under the key in use now."""
        for event in [one for one in self.wholes if self._owner(one) == owner]:
            self.say_again(event)

    def say_again(self, event: str) -> None:
        """The event with a new title, as its source wants it now; published if it was not."""
        if event not in self.wholes or not self._may_seal(self._owner(event)):
            return
        owner = self._owner(event)
        whole, _, values = self.wholes[event]
        self._say(owner, event, whole, self._canary(), values)
        node = self.stage.nodes[owner]
        publish(node, operator(node), node.org, event)

    def set_back(self, owner: str, kept: dict[str, Event], words: dict[str, int]) -> set[str]:
        """The owner's database is a backup: what it says now; gives what is kept at home by it.

        What was released since is not; that alone keeps nothing at home.
        """
        at_home = set[str]()
        for event, told in [*self.oracle.events.items()]:
            if told.owner == owner:
                self.oracle.recalled.pop(event, None)  # who had it from the lost feed is not known
            if told.owner != owner or event not in self.wholes:
                continue
            before = kept[event].values if event in kept else {}
            self.released |= dict.fromkeys(told.values, NOBODY)
            self.released |= {canary: said.released for canary, said in before.items()}
            if event not in kept:
                self._forget(event)
            elif self.words.get(event) != words.get(event):
                at_home.add(event)
                self.oracle.say(event, Event(owner, {}), self.stage.clock.now)
            else:
                self.oracle.say(event, kept[event], self.stage.clock.now)
        return at_home

    # How it is made

    def _say(
        self, owner: str, event: str, whole: Said, title: str, values: tuple[Value, ...]
    ) -> Told:
        node = self.stage.nodes[owner]
        if not self._may_seal(owner):
            raise RestoringError
        draft = _draft(node.org, event, whole, title, values)
        with node.store.read() as unit:
            own = read_own(unit, node.org, event)
        names = Names.of(None if own is None else own.holding, lambda: fresh_uuid(node))
        records = cut_event(draft, names)
        if own is None:
            birth = Birth("event", event, node.org, {}, published=True)
            version: Version | None = first_version(node, birth, records, node.clock())
        else:
            version = next_version(node, own, diff(own.holding, records), node.clock())
        if version is not None:
            with node.store.write() as unit:
                write_version(unit, version)
            self._count(event)
        self.wholes[event] = whole, Value(title, None), values
        told = {title: whole} | {each.canary: _effective(whole, each.said) for each in values}
        told = {
            canary: replace(said, released=self.released.get(canary, NOBODY))
            for canary, said in told.items()
        }
        self.oracle.say(event, Event(owner, told), self.stage.clock.now)
        until = frozenset(said.until for said in told.values() if said.until)
        return Told(owner, event, "/".join(said.tlp.word for said in told.values()), until)

    def _may_seal(self, owner: str) -> bool:
        node = self.stage.nodes[owner]
        with node.store.read() as unit:
            return not is_awaited(unit.connection, node.org)

    def _forget(self, event: str) -> None:
        owner = self._owner(event)
        self.wholes.pop(event, None)
        self.oracle.say(event, Event(owner, {}), self.stage.clock.now)

    def _count(self, event: str) -> None:
        self.words[event] = self.words.get(event, 0) + 1

    def _owner(self, event: str) -> str:
        return self.oracle.events[event].owner

    def _somebody(self) -> str:
        return self.chance.choice(self.oracle.names)

    def _some_event(self) -> str | None:
        at_hand = [
            event
            for event in self.wholes
            if self.oracle.events[event].values and self._may_seal(self._owner(event))
        ]
        return self.chance.choice(at_hand) if at_hand else None

    def _canary(self) -> str:
        return f"c{self.chance.randbytes(6).hex()}.example"

    def _value(self, whole: Said, canary: str | None = None) -> Value:
        own = None if whole.only or self.chance.random() < 0.4 else self._said(plain=True)
        return Value(canary or self._canary(), own)

    def _said(self, *, plain: bool = False) -> Said:
        chance = self.chance
        tlp = chance.choices(COLOURS, [3, 8, 4, 2, 1])[0]
        named = NOBODY
        if tlp > Tlp.GREEN or chance.random() < 0.1:
            named = frozenset(chance.sample(self.oracle.names, chance.randint(0, 3)))
        until = None
        if chance.random() < 0.12:
            until = self.stage.clock.now + timedelta(hours=chance.randint(2, 150))
        return Said(
            tlp,
            named,
            only=bool(named) and not plain and chance.random() < 0.25,
            relay=chance.random() > 0.15,
            until=until,
            waits=plain and chance.random() < 0.15,
        )


def _effective(whole: Said, own: Said | None) -> Said:
    """What counts for a value: its own colour and audience, all else as strict as the whole's."""
    if own is None:
        return whole
    ends = [each for each in (whole.until, own.until) if each is not None]
    return replace(
        own,
        until=max(ends, default=None),
        relay=own.relay and whole.relay,
        waits=own.waits or whole.waits,
    )


def _draft(org: str, event: str, whole: Said, title: str, values: tuple[Value, ...]) -> words.Draft:
    attributes = tuple(
        words.Attribute(
            uuid=str(UUID(bytes=Random(event + each.canary).randbytes(16), version=4)),
            type="domain",
            category="Network activity",
            value=each.canary,
            to_ids=True,
            timestamp=1769500000,
            mark=None if each.said is None else words.Mark(_label(each.said), _audience(each.said)),
        )
        for each in values
    )
    told = words.Event(event, title, "2026-01-27", 4, 0, 1769500000, attributes=attributes)
    return words.Draft(told, _label(whole), org, _audience(whole))


def _label(said: Said) -> Label:
    return Label(
        said.tlp,
        categories=frozenset({"attribution"}) if said.waits else frozenset(),
        until=said.until,
        only=said.only,
        relay=said.relay,
    )


def _audience(said: Said) -> words.Audience:
    return words.Audience(frozenset(map(org_of, said.named)))

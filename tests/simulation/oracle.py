"""Who may hold what, a second time and in plain words: by labels, not by the product's policies.

Each value is a *canary*: a made-up domain that occurs once in the world. Its source says of it, at
each moment, who may have it; from that follow two sets of organisations: whom the originator may
give it to, and whom the hub may pass it on to. Both are kept with the step since which they hold.

A node learns that something was taken back when it next reads its source to the end. So what it
holds is right if it was allowed at some step since then; what is sent must be right now.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime

from policies.tlp import Tlp
from tests.simulation.stage import HUB

NOBODY = frozenset[str]()


@dataclass(frozen=True)
class Said:
    """What its source says of a value: colour, whom it names, until when nobody may have it."""

    tlp: Tlp
    named: frozenset[str] = NOBODY
    only: bool = False
    relay: bool = True
    until: datetime | None = None
    waits: bool = False  # for a person's release before another national node has it
    released: frozenset[str] = NOBODY


@dataclass(frozen=True)
class Event:
    """An event as its source has it now; without values it is recalled, lost or kept at home."""

    owner: str
    values: dict[str, Said]


def may_give(owner: str, party: str, said: Said, now: datetime, cut_off: frozenset[str]) -> bool:
    """Whether the originator may give it to the party; those cut off get CLEAR from it at most."""
    if said.until is not None and said.until > now:
        return False
    if party == owner or said.tlp is Tlp.RED or (said.only and party not in said.named):
        return False
    if party in cut_off and said.tlp > Tlp.CLEAR:
        return False
    if said.waits and party != HUB and party not in said.released:
        return False
    return party in said.named or said.tlp <= Tlp.GREEN


def may_pass_on(owner: str, party: str, said: Said, now: datetime) -> bool:
    """Whether the hub, if it has it, may pass it on."""
    if said.only or not said.relay or said.waits or said.tlp > Tlp.GREEN:
        return False
    return party not in {owner, HUB} and not (said.until is not None and said.until > now)


@dataclass
class Oracle:
    """Everything that may be where, at every step so far."""

    names: tuple[str, ...]
    step: int = 0
    events: dict[str, Event] = field(default_factory=dict)
    owner_of: dict[str, str] = field(default_factory=dict)  # of a canary
    event_of: dict[str, str] = field(default_factory=dict)
    cut_off: dict[str, frozenset[str]] = field(default_factory=dict)
    # (sender, canary): since which step whom it may be given to
    given: dict[tuple[str, str], list[tuple[int, frozenset[str]]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    # (node, source): the step up to which it knows what the source knew
    heard: dict[tuple[str, str], int] = field(default_factory=dict)
    # (node, owner): the same, of what the hub passed on
    passed: dict[tuple[str, str], int] = field(default_factory=dict)
    recalled: dict[str, int] = field(default_factory=dict)  # an event: since which step
    # owner: the step up to which the hub ever knew; a restore does not take it back
    told_hub: dict[str, int] = field(default_factory=dict)

    def say(self, event: str, told: Event, now: datetime) -> None:
        """The source says this of its event from now on."""
        self.step += 1
        before = self.events.get(event)
        gone = before.values.keys() - told.values.keys() if before else ()
        self.events[event] = told
        for canary in gone:
            self._note(told.owner, canary, NOBODY, NOBODY)
        for canary, said in told.values.items():
            self.owner_of[canary], self.event_of[canary] = told.owner, event
            cut = self.cut_off.get(told.owner, NOBODY)
            direct = {one for one in self.names if may_give(told.owner, one, said, now, cut)}
            onward = set[str]()
            if HUB in direct:
                onward = {one for one in self.names if may_pass_on(told.owner, one, said, now)}
            self._note(told.owner, canary, frozenset(direct), frozenset(onward))

    def look_again(self, now: datetime, owner: str | None = None) -> None:
        """Time has passed, or the owner's rules have changed."""
        for event, told in [*self.events.items()]:
            if owner in (None, told.owner) and told.values:
                self.say(event, told, now)

    def _note(
        self, owner: str, canary: str, direct: frozenset[str], onward: frozenset[str]
    ) -> None:
        for sender, whom in ((owner, direct), (HUB, onward)):
            allowed = direct if sender == owner else whom
            history = self.given[sender, canary]
            if not history or history[-1][1] != allowed:
                history.append((self.step, allowed))

    def hear(self, node: str, source: str, at: int) -> None:
        """The node has read all that the source knew at that step."""
        self.heard[node, source] = at
        if node == HUB:
            self.told_hub[source] = max(at, self.told_hub.get(source, 0))
        if source == HUB:
            for name in self.names:
                self.passed[node, name] = self.heard.get((HUB, name), 0)

    def may_send(self, sender: str, to: str, canary: str) -> bool:
        """Whether these bytes may be on their way now."""
        owner = self.owner_of.get(canary)
        if owner is None:
            return False
        since = self.step if owner == sender else self.told_hub.get(owner, 0)
        return sender in (owner, HUB) and self._was_allowed(sender, to, canary, since)

    def may_hold(self, node: str, source: str, canary: str) -> bool:
        """Whether the node may have this from the source, as far as it can know."""
        owner = self.owner_of.get(canary)
        if owner is None:
            return False
        since = (self.heard if owner == source else self.passed).get((node, owner), 0)
        return self._was_allowed(source, node, canary, since)

    def must_be_gone(self, node: str, canary: str) -> bool:
        """Whether its originator has told the node, to whom it had given it, of its recall."""
        step = self.recalled.get(self.event_of.get(canary, ""))
        return step is not None and self.heard.get((node, self.owner_of[canary]), 0) >= step

    def must_hold(self, node: str, source: str) -> set[str]:
        """What the node has from the source once everybody has heard everything."""
        return {
            canary
            for (sender, canary), history in self.given.items()
            if sender == source and node in history[-1][1]
        }

    def _was_allowed(self, sender: str, to: str, canary: str, since: int) -> bool:
        for step, whom in reversed(self.given.get((sender, canary), [])):
            if to in whom:
                return True
            if step <= since:
                return False
        return False

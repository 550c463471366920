"""What another rulebook would touch of what is stored, found by class, without opening a package.

A verdict rests on a slot's class, who asks, how he stands to the log, a release, and the time; so
wherever the two rulebooks say the same of every class that occurs in a log, nothing of the log
changes. Asked is for whoever might get it, in every way in which he can stand to a log.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import reduce
from itertools import product
from operator import or_

from node.actions.gate import TOWARDS_MEMBERS
from node.node import Node
from node.storage.classes import SlotFacts
from policies.compare import Verdict, gives_more
from policies.decide import Effect, Judge
from policies.party import Party
from policies.subject import Relation, Subject
from sharing.project import Standing

_ALWAYS = (datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC))


@dataclass(frozen=True, slots=True)
class Turn:
    """From the rulebook in force to another."""

    old: Judge
    new: Judge

    def classes_of(self, party: Party) -> tuple[Party, Party]:
        """Give what the two rulebooks can tell of a party."""
        return self.old.rulebook.party_class(party), self.new.rulebook.party_class(party)


@dataclass(frozen=True, slots=True)
class ClassChange:
    """Ids of slot classes of which somebody may have more or less, or either for other reasons."""

    changed: frozenset[int] = frozenset()
    raised: frozenset[int] = frozenset()
    lowered: frozenset[int] = frozenset()

    def __or__(self, other: "ClassChange") -> "ClassChange":
        """Give the change of both."""
        return ClassChange(
            self.changed | other.changed, self.raised | other.raised, self.lowered | other.lowered
        )


def change_for_peers(node: Node, facts: Mapping[int, SlotFacts], turn: Turn) -> ClassChange:
    """Give what changes for any peer; only logs in which it occurs may be projected otherwise."""
    parties = [peer.party for peer in node.peers]
    found = class_changes(turn, facts, parties, TOWARDS_MEMBERS)
    return reduce(or_, found.values(), ClassChange())


def class_changes(
    turn: Turn,
    facts: Mapping[int, SlotFacts],
    parties: Iterable[Party],
    standings: Sequence[Standing],
) -> Mapping[Party, ClassChange]:
    """Give what changes for each party; asked once for those that no rule and no label tells apart.

    A party may stand to a log in any of these ways.
    """
    known: dict[tuple[Party, Party, frozenset[int]], ClassChange] = {}
    found: dict[Party, ClassChange] = {}
    for party in parties:
        who = {party.org, *party.communities}
        named = frozenset(one for one, slot in facts.items() if not who.isdisjoint(slot.addressees))
        key = (*turn.classes_of(party), named)
        if key not in known:
            known[key] = _class_change(turn, facts, party, standings)
        found[party] = known[key]
    return found


def _class_change(
    turn: Turn, facts: Mapping[int, SlotFacts], party: Party, standings: Iterable[Standing]
) -> ClassChange:
    changed, raised, lowered = set[int](), set[int](), set[int]()
    for one, slot in facts.items():
        for relation in _relations(slot, party, standings):
            before, after = (
                _verdict(judge, slot.subject, relation, party) for judge in (turn.old, turn.new)
            )
            if before == after:
                continue
            changed.add(one)
            if gives_more(before, after):
                raised.add(one)
            if gives_more(after, before):
                lowered.add(one)
    return ClassChange(frozenset(changed), frozenset(raised), frozenset(lowered))


def _verdict(judge: Judge, subject: Subject, relation: Relation, party: Party) -> Verdict:
    decision = judge.decide(subject, relation, party)
    is_held = decision.effect is Effect.HOLD
    ids = [reason.id for reason in decision.reasons] if is_held else []
    return Verdict(decision, judge.rulebook.needs_of(ids))


def _relations(slot: SlotFacts, party: Party, standings: Iterable[Standing]) -> Iterator[Relation]:
    """Every way in which a slot of the class can stand to the party, now or later."""
    named = party.org in slot.addressees or not slot.addressees.isdisjoint(party.communities)
    embargoes = sorted({slot.label.is_embargoed(then) for then in _ALWAYS})
    for standing, embargoed, released in product(standings, embargoes, (False, True)):
        yield Relation(
            own=standing.own,
            client=standing.client,
            direct=standing.direct,
            named=named,
            released=released,
            embargoed=embargoed,
            published=standing.published,
        )

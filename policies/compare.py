"""Two rulebooks side by side: which verdicts change, and does anybody get more.

`compare` asks both about given slots and parties, `cannot_widen` reads their texts. What follows
from the texts holds for whatever will ever be stored, what was asked only for what was asked about.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator
from dataclasses import dataclass
from itertools import product
from typing import TypeVar

from policies.decide import Decision, Effect, decide_all
from policies.party import Party
from policies.release import Need
from policies.rulebook import Rulebook
from policies.subject import Relation, Subject

T = TypeVar("T", bound=Hashable)

_FURTHER = {Effect.WITHHOLD: 0, Effect.HOLD: 1, Effect.DISCLOSE: 2}

RELATIONS = tuple(
    relation
    for relation in (Relation(*facts) for facts in product((False, True), repeat=7))
    if relation.can_be
)
"""Every relation that can be."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """A decision, and what a release would take where it is a hold."""

    decision: Decision
    needs: frozenset[Need]


@dataclass(frozen=True, slots=True)
class Change:
    """A verdict that changes, for these slots towards these parties, none of them told apart."""

    subjects: tuple[Subject, ...]
    relation: Relation
    parties: tuple[Party, ...]
    before: Verdict
    after: Verdict

    @property
    def widens(self) -> bool:
        """Whether more may leave than before, or something on less."""
        return gives_more(self.before, self.after)

    @property
    def narrows(self) -> bool:
        """Whether less may leave than before, or something only on more."""
        return gives_more(self.after, self.before)


def gives_more(one: Verdict, other: Verdict) -> bool:
    """Whether `other` lets out what `one` does not: a slot, a use of it, or a release on less."""
    before, after = one.decision, other.decision
    if before.effect is not after.effect:
        return _FURTHER[after.effect] > _FURTHER[before.effect]
    return not (after.uses <= before.uses and other.needs >= one.needs)


def compare(
    old: Rulebook,
    new: Rulebook,
    subjects: Iterable[Subject],
    parties: Iterable[Party],
    relations: Collection[Relation] = RELATIONS,
) -> tuple[Change, ...]:
    """Return every verdict that the new rulebook changes, in the order of what was asked.

    Asks twice for each relation, class of slots and class of parties, that is a few seconds for
    what one node stores; fewer relations are faster.

    Raises:
        EngineError: the engine could not answer cleanly.
    """
    slots = _classes(subjects, lambda s: (old.subject_class(s), new.subject_class(s)))
    asked = list(product(slots, relations))
    changes = list[Change]()
    for party_class in _classes(parties, lambda p: (old.party_class(p), new.party_class(p))):
        party = party_class[0]
        pairs = [(members[0], relation) for members, relation in asked]
        verdicts = zip(_verdicts(old, pairs, party), _verdicts(new, pairs, party), strict=True)
        for (members, relation), (before, after) in zip(asked, verdicts, strict=True):
            change = Change(members, relation, party_class, before, after)
            if change.widens or change.narrows:
                changes.append(change)
    return tuple(changes)


def cannot_widen(old: Rulebook, new: Rulebook) -> bool:
    """Whether the texts alone show that nobody will ever get more.

    They do where the new rulebook only gives up agreements and adds prohibitions, holds or needs:
    then every question that it answers yes, the old one answered yes. False says nothing.
    """
    agreed, prohibited = _rules(old, permits=True), _rules(new, permits=False)
    return all(policy.rule in agreed for policy in new.own if policy.permits) and all(
        any(policy.needs <= needs for needs in prohibited.get(policy.rule, ()))
        for policy in old.own
        if not policy.permits
    )


def _classes(things: Iterable[T], class_of: Callable[[T], Hashable]) -> list[tuple[T, ...]]:
    """Return the different things by class."""
    found = defaultdict[Hashable, dict[T, None]](dict)
    for thing in things:
        found[class_of(thing)][thing] = None
    return [tuple(members) for members in found.values()]


def _verdicts(
    rulebook: Rulebook, asked: Collection[tuple[Subject, Relation]], party: Party
) -> Iterator[Verdict]:
    for decision in decide_all(list(asked), party, rulebook):
        held = decision.effect is Effect.HOLD
        needs = rulebook.needs_of(reason.id for reason in decision.reasons) if held else ()
        yield Verdict(decision, frozenset(needs))


def _rules(rulebook: Rulebook, *, permits: bool) -> dict[object, list[frozenset[Need]]]:
    """Return the needs of the rulebook's own policies of one sort, by what they say."""
    found = defaultdict[object, list[frozenset[Need]]](list)
    for policy in rulebook.own:
        if policy.permits is permits:
            found[policy.rule].append(policy.needs)
    return found

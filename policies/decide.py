"""The one gate: may this party have this slot, and why.

Up to four questions go to the engine, each only if the one before was answered yes: `disclose` (at
all?), `unattended` (without a person?), `detect` and `block` (what may machines do with it?).
Anything but a clean yes or no is a fault and raised: a mistake must stop the node, not quietly
withhold.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from enum import StrEnum
from functools import lru_cache

import cedarpy

from policies.errors import EngineError
from policies.party import Party
from policies.rulebook import Rulebook, schema
from policies.subject import Relation, Subject

_TOLD = 600  # characters of what the engine would not take, in the fault that says so
_RELATION = tuple(fact.name for fact in fields(Relation))


USES = ("detect", "block")
"""What machines may do with what is disclosed, as far as PAP lets them."""


class Effect(StrEnum):
    """What happens to a slot; `hold` is withheld until a person releases it."""

    DISCLOSE = "disclose"
    WITHHOLD = "withhold"
    HOLD = "hold"


@dataclass(frozen=True, slots=True, order=True)
class Reason:
    """A policy that decided, and its sentence."""

    id: str
    text: str


@dataclass(frozen=True, slots=True)
class Decision:
    """A verdict; `uses` is empty for what is not disclosed, and `reasons` are sorted by id."""

    effect: Effect
    uses: frozenset[str]
    reasons: tuple[Reason, ...]


DEFAULT_DENY = Reason("default.deny", "no agreement permits it")
DEFAULT_HOLD = Reason("default.hold", "no agreement lets it leave without a person's release")


def decide(subject: Subject, relation: Relation, party: Party, rulebook: Rulebook) -> Decision:
    """Ask the engine.

    Raises:
        EngineError: the engine could not answer cleanly.
    """
    (decision,) = decide_all([(subject, relation)], party, rulebook)
    return decision


def decide_all(
    asked: Sequence[tuple[Subject, Relation]], party: Party, rulebook: Rulebook
) -> list[Decision]:
    """Ask the engine about many slots for one party; several times as fast as one by one.

    Raises:
        EngineError: the engine could not answer cleanly.
    """
    engine = _Engine(asked, party, rulebook)
    disclose = engine.ask("disclose", range(len(asked)))
    visible = [n for n, answer in disclose.items() if answer.allowed]
    unattended = engine.ask("unattended", visible)
    free = [n for n, answer in unattended.items() if answer.allowed]
    allowed = {use: engine.ask(use, free) for use in USES}
    decisions = list[Decision]()
    for n, answer in disclose.items():
        if not answer.allowed:
            reasons = engine.reasons(answer) or (DEFAULT_DENY,)
            decisions.append(Decision(Effect.WITHHOLD, frozenset(), reasons))
        elif not unattended[n].allowed:
            reasons = engine.reasons(unattended[n]) or (DEFAULT_HOLD,)
            decisions.append(Decision(Effect.HOLD, frozenset(), reasons))
        else:
            uses = frozenset(use for use in USES if allowed[use][n].allowed)
            decisions.append(Decision(Effect.DISCLOSE, uses, engine.reasons(answer)))
    return decisions


class Judge:
    """A rulebook with a memory of its verdicts.

    The engine is shown the classes of slot and party, not these themselves, so what it cannot see
    cannot make two members of a class differ. Safe to share between threads; `memory` bounds the
    verdicts kept.
    """

    def __init__(self, rulebook: Rulebook, *, memory: int = 2**15) -> None:
        self.rulebook = rulebook
        self._known = lru_cache(maxsize=memory)(self._by_class)
        self._verdict = lru_cache(maxsize=memory)(self._ask_engine)

    def decide(self, subject: Subject, relation: Relation, party: Party) -> Decision:
        """Return what `decide` returns, from memory where the same or its like was asked before."""
        return self._known(subject, relation, party)

    def _by_class(self, subject: Subject, relation: Relation, party: Party) -> Decision:
        of = self.rulebook
        return self._verdict(of.subject_class(subject), relation, of.party_class(party))

    def _ask_engine(self, subject: Subject, relation: Relation, party_class: Party) -> Decision:
        return decide(subject, relation, party_class, self.rulebook)


class _Engine:
    """The slots, the party and the rulebook as the engine takes them, parsed once."""

    def __init__(
        self, asked: Sequence[tuple[Subject, Relation]], party: Party, rulebook: Rulebook
    ) -> None:
        self._rulebook = rulebook
        self._principal = {"type": "Party", "id": party.org}
        numbers = dict[Subject, str]()
        self._slots = [numbers.setdefault(s, str(len(numbers))) for s, _ in asked]
        self._contexts = [
            json.dumps({name: getattr(relation, name) for name in _RELATION})
            for _, relation in asked
        ]
        slots = [_slot_entity(number, subject) for subject, number in numbers.items()]
        told = json.dumps([_party_entity(party), *slots])
        try:
            self._entities = cedarpy.Entities.from_json_str(told, schema())
        except ValueError as error:
            raise EngineError(f"{error}: {told[:_TOLD]}") from error

    def ask(self, action: str, which: Collection[int]) -> Mapping[int, cedarpy.AuthzResult]:
        """Return the engine's answers by their place in what was asked."""
        requests = [
            {
                "principal": self._principal,
                "action": {"type": "Action", "id": action},
                "resource": {"type": "Slot", "id": self._slots[n]},
                "context": self._contexts[n],
            }
            for n in which
        ]
        engine = self._rulebook.engine
        try:
            answers = cedarpy.is_authorized_batch(requests, engine, self._entities, schema())
        except ValueError as error:
            raise EngineError(f"rulebook {self._rulebook.name}: {error}") from error
        for answer in answers:
            if answer.decision is cedarpy.Decision.NoDecision or answer.diagnostics.errors:
                faults = "; ".join(answer.diagnostics.errors) or "no decision"
                raise EngineError(f"rulebook {self._rulebook.name}: {faults}")
        return dict(zip(which, answers, strict=True))

    def reasons(self, answer: cedarpy.AuthzResult) -> tuple[Reason, ...]:
        """Return the policies that decided, sorted: the engine's order is not stable."""
        fired = (self._rulebook.policies[engine_id] for engine_id in answer.diagnostics.reasons)
        return tuple(sorted(Reason(policy.id, policy.reason) for policy in fired))


def _party_entity(party: Party) -> dict[str, object]:
    roles = [{"type": "Role", "id": role} for role in sorted(party.roles)]
    communities = [{"type": "Community", "id": each} for each in sorted(party.communities)]
    return {
        "uid": {"type": "Party", "id": party.org},
        "attrs": {
            "country": party.country,
            "kind": _member("Kind", party.kind),
            "hosts": sorted(party.hosts),
        },
        "parents": roles + communities,
    }


def _slot_entity(number: str, subject: Subject) -> dict[str, object]:
    return {
        "uid": {"type": "Slot", "id": number},
        "attrs": {
            "log": _member("Log", subject.log),
            "kind": int(subject.kind),
            "type": int(subject.type),
            "tlp": int(subject.tlp),
            "pap": int(subject.pap),
            "categories": [_member("Category", name) for name in sorted(subject.categories)],
            "only": subject.only,
            "relay": subject.relay,
        },
        "parents": [],
    }


def _member(enumeration: str, name: str) -> dict[str, object]:
    return {"__entity": {"type": enumeration, "id": name}}

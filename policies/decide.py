"""The one gate: may this party have this slot, and why.

Four questions go to the engine: `disclose` (at all?), `unattended` (without a person?), `detect`
and `block` (what may machines do with it?). Anything but a clean yes or no is a fault and raised:
a mistake must stop the node, not quietly withhold.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from functools import lru_cache

import cedarpy

from policies.errors import EngineError
from policies.party import Party
from policies.rulebook import Rulebook, schema
from policies.subject import Relation, Subject

_USES = ("detect", "block")
_ACTIONS = ("disclose", "unattended", *_USES)
_SLOT = {"type": "Slot", "id": "slot"}
_RELATION = tuple(fact.name for fact in fields(Relation))


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
    answers = _ask(subject, relation, party, rulebook)
    disclose, unattended = answers["disclose"], answers["unattended"]
    if not disclose.allowed:
        reasons = _reasons(disclose, rulebook) or (DEFAULT_DENY,)
        return Decision(Effect.WITHHOLD, frozenset(), reasons)
    if not unattended.allowed:
        reasons = _reasons(unattended, rulebook) or (DEFAULT_HOLD,)
        return Decision(Effect.HOLD, frozenset(), reasons)
    uses = frozenset(use for use in _USES if answers[use].allowed)
    return Decision(Effect.DISCLOSE, uses, _reasons(disclose, rulebook))


class Judge:
    """A rulebook with a memory of its verdicts.

    The engine is shown the party's class, not the party, so what it cannot see cannot make two
    members of a class differ. Safe to share between threads; `memory` bounds the verdicts kept.
    """

    def __init__(self, rulebook: Rulebook, *, memory: int = 2**15) -> None:
        self.rulebook = rulebook
        self._class_of = lru_cache(maxsize=2**12)(rulebook.party_class)
        self._verdict = lru_cache(maxsize=memory)(self._ask_engine)

    def decide(self, subject: Subject, relation: Relation, party: Party) -> Decision:
        """Return what `decide` returns, from memory where the same was asked before."""
        return self._verdict(subject, relation, self._class_of(party))

    def _ask_engine(self, subject: Subject, relation: Relation, party_class: Party) -> Decision:
        return decide(subject, relation, party_class, self.rulebook)


def _ask(
    subject: Subject, relation: Relation, party: Party, rulebook: Rulebook
) -> Mapping[str, cedarpy.AuthzResult]:
    principal = {"type": "Party", "id": party.org}
    context = json.dumps({name: getattr(relation, name) for name in _RELATION})
    requests = [
        {
            "principal": principal,
            "action": {"type": "Action", "id": action},
            "resource": _SLOT,
            "context": context,
        }
        for action in _ACTIONS
    ]
    entities = json.dumps([_party_entity(party), _slot_entity(subject)])
    try:
        results = cedarpy.is_authorized_batch(requests, rulebook.engine, entities, schema())
    except ValueError as error:
        raise EngineError(f"rulebook {rulebook.name}: {error}") from error
    for result in results:
        if result.decision is cedarpy.Decision.NoDecision or result.diagnostics.errors:
            faults = "; ".join(result.diagnostics.errors) or "no decision"
            raise EngineError(f"rulebook {rulebook.name}: {faults}")
    return dict(zip(_ACTIONS, results, strict=True))


def _reasons(result: cedarpy.AuthzResult, rulebook: Rulebook) -> tuple[Reason, ...]:
    """Return the policies that decided, sorted: the engine's order is not stable."""
    fired = (rulebook.policies[engine_id] for engine_id in result.diagnostics.reasons)
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


def _slot_entity(subject: Subject) -> dict[str, object]:
    return {
        "uid": _SLOT,
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

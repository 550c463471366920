"""What a rulebook is expected to say, case by case: the `*.cases.toml` beside it.

A file names its parties once, then lists cases. What is left out has its usual value:

    [party.peer]
    kind = "node"                                 # org, country, roles, communities, hosts

    [[case]]
    says = "AMBER goes to a named peer"
    subject = { tlp = "amber" }                   # log, kind, type, pap, categories, only, relay
    party = "peer"
    relation = ["published", "direct", "named"]   # these hold, the others do not
    expect = "disclose"
    for = ["members.named"]                       # exactly these reasons
"""

import tomllib
from dataclasses import dataclass, fields
from typing import Any

from policies.decide import Effect, decide
from policies.errors import BadCaseError, PoliciesError
from policies.party import STANDARD_ROLES, Party
from policies.rulebook import Rulebook
from policies.subject import Relation, Subject
from policies.tlp import Pap, Tlp

_SOMEBODY = "00000000-0000-4000-8000-000000000000"
_SETS = ("roles", "communities", "hosts")
_USUAL_SUBJECT = {
    "log": "event",
    "kind": 2,  # an attribute's
    "type": 1,  # head
    "pap": "clear",
    "categories": (),
    "only": False,
    "relay": True,
}
_FACTS = tuple(fact.name for fact in fields(Relation))


@dataclass(frozen=True, slots=True)
class Case:
    """One expectation: this effect, for exactly these reasons (sorted ids)."""

    says: str
    subject: Subject
    relation: Relation
    party: Party
    expect: Effect
    reasons: tuple[str, ...]

    def contradiction(self, rulebook: Rulebook) -> str | None:
        """Return how the rulebook answers differently, or None where it answers as expected."""
        decision = decide(self.subject, self.relation, self.party, rulebook)
        reasons = tuple(reason.id for reason in decision.reasons)
        if (decision.effect, reasons) == (self.expect, self.reasons):
            return None
        return (
            f"{self.says}: expected {self.expect} for {', '.join(self.reasons)}; "
            f"the answer is {decision.effect} for {', '.join(reasons)}"
        )


def read_cases(text: str) -> tuple[Case, ...]:
    """Read a cases file.

    Raises:
        BadCaseError: it is no TOML, or something in a party or case has no meaning.
    """
    try:
        raw = tomllib.loads(text)
        parties = {name: _party(party) for name, party in raw["party"].items()}
    except (tomllib.TOMLDecodeError, TypeError, KeyError, PoliciesError) as error:
        raise BadCaseError(f"no cases can be read: {error!r}") from error
    return tuple(_case(case, parties) for case in raw.get("case", []))


def _case(raw: dict[str, Any], parties: dict[str, Party]) -> Case:
    try:
        return Case(
            says=raw["says"],
            subject=_subject(raw["subject"]),
            relation=_relation(raw["relation"]),
            party=parties[raw["party"]],
            expect=Effect(raw["expect"]),
            reasons=tuple(sorted(raw["for"])),
        )
    except (TypeError, KeyError, ValueError) as error:
        raise BadCaseError(f"case {raw.get('says', '')!r} cannot be read: {error!r}") from error


def _party(raw: dict[str, Any]) -> Party:
    usual = {"org": _SOMEBODY, "country": "", "roles": STANDARD_ROLES.get(raw["kind"], ())}
    facts: dict[str, Any] = usual | raw
    sets = {name: frozenset(facts[name]) for name in _SETS if name in facts}
    return Party(**facts | sets)


def _subject(raw: dict[str, Any]) -> Subject:
    facts: dict[str, Any] = _USUAL_SUBJECT | raw
    tlp = Tlp[facts.pop("tlp").upper().replace("+", "_")]
    pap = Pap[facts.pop("pap").upper()]
    return Subject(tlp=tlp, pap=pap, categories=frozenset(facts.pop("categories")), **facts)


def _relation(facts: list[str]) -> Relation:
    if unknown := set(facts) - set(_FACTS):
        raise ValueError(f"there is no fact {min(unknown)!r}")
    return Relation(**{name: name in facts for name in _FACTS})

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
    uses = ["detect", "block"]                    # exactly these; left out: whatever they are
"""

import tomllib
from collections.abc import Collection, Iterable
from dataclasses import dataclass, fields
from importlib import resources
from typing import Any

from policies.decide import USES, Effect, decide
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
_CASE = frozenset({"says", "subject", "party", "relation", "expect", "for", "uses"})
_FACTS = tuple(fact.name for fact in fields(Relation))


@dataclass(frozen=True, slots=True)
class Case:
    """One expectation: this effect, for exactly these reasons (sorted ids), with these uses.

    `uses` None expects nothing of them.
    """

    says: str
    subject: Subject
    relation: Relation
    party: Party
    expect: Effect
    reasons: tuple[str, ...]
    uses: frozenset[str] | None = None

    def contradiction(self, rulebook: Rulebook) -> str | None:
        """Return how the rulebook answers differently, or None where it answers as expected."""
        decision = decide(self.subject, self.relation, self.party, rulebook)
        reasons = tuple(reason.id for reason in decision.reasons)
        uses = None if self.uses is None else decision.uses
        if (decision.effect, reasons, uses) == (self.expect, self.reasons, self.uses):
            return None
        return (
            f"{self.says}: expected {_told(self.expect, self.reasons, self.uses)}; "
            f"the answer is {_told(decision.effect, reasons, uses)}"
        )


@dataclass(frozen=True, slots=True)
class Outcome:
    """What asking a rulebook its cases gave.

    `asked` counts the cases; `contradictions` are one readable line each; `untried` are the
    rulebook's own policies (not the floor's) that no case expects to decide, sorted.
    """

    asked: int
    contradictions: tuple[str, ...]
    untried: tuple[str, ...]


def ask_cases(cases: Collection[Case], rulebook: Rulebook) -> Outcome:
    """Ask a rulebook everything that is expected of it."""
    answers = (case.contradiction(rulebook) for case in cases)
    expected = {reason for case in cases for reason in case.reasons}
    own = {policy.id for policy in rulebook.policies.values() if not policy.is_floor}
    return Outcome(
        asked=len(cases),
        contradictions=tuple(answer for answer in answers if answer is not None),
        untried=tuple(sorted(own - expected)),
    )


def shipped_cases(name: str) -> tuple[Case, ...]:
    """Return what a rulebook that comes with the program is expected to say."""
    path = resources.files("policies").joinpath(f"rulebooks/{name}.cases.toml")
    return read_cases(path.read_text(encoding="utf-8"))


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
        _refuse_unknown(raw.keys(), _CASE)
        return Case(
            says=raw["says"],
            subject=_subject(raw["subject"]),
            relation=_relation(raw["relation"]),
            party=parties[raw["party"]],
            expect=Effect(raw["expect"]),
            reasons=tuple(sorted(raw["for"])),
            uses=_uses(raw["uses"]) if "uses" in raw else None,
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


def _uses(names: list[str]) -> frozenset[str]:
    _refuse_unknown(names, USES)
    return frozenset(names)


def _told(effect: Effect, reasons: tuple[str, ...], uses: frozenset[str] | None) -> str:
    told = f"{effect} for {', '.join(reasons)}"
    return told if uses is None else f"{told}, uses {', '.join(sorted(uses)) or 'none'}"


def _relation(facts: list[str]) -> Relation:
    _refuse_unknown(facts, _FACTS)
    return Relation(**{name: name in facts for name in _FACTS})


def _refuse_unknown(names: Iterable[str], known: Collection[str]) -> None:
    if unknown := set(names) - set(known):
        raise ValueError(f"{min(unknown)!r} means nothing")

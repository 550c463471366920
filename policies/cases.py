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
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, fields
from importlib import resources
from typing import Any, NoReturn

from policies.decide import USES, Effect, decide
from policies.errors import BadCaseError
from policies.label import CATEGORIES
from policies.party import KINDS, ROLES, STANDARD_ROLES, Party
from policies.printable import printable, told
from policies.rulebook import Rulebook
from policies.subject import LOGS, Relation, Subject
from policies.tlp import Pap, Tlp

_CHARS = 256 << 10
_LINE = 1000  # a key of thousands of parts takes the reader of TOML minutes
_NAMED = 20  # of what is known, in a refusal
_SETS = ("roles", "communities", "hosts")
_SOMEBODY = "00000000-0000-4000-8000-000000000000"
_USUAL_SUBJECT = {
    "log": "event",
    "kind": 2,  # an attribute's
    "type": 1,  # head
    "pap": "clear",
    "categories": (),
    "only": False,
    "relay": True,
}

_TEXT, _NUMBER, _TRUTH = "a text", "a whole number from 1 to 255", "true or false"
_TEXTS, _TABLE, _TABLES = "a list of texts", "a table", "a list of tables"
_IS: Mapping[str, Callable[[Any], bool]] = {
    _TEXT: lambda value: isinstance(value, str),
    _NUMBER: lambda value: type(value) is int and value in range(1, 256),
    _TRUTH: lambda value: isinstance(value, bool),
    _TEXTS: lambda value: isinstance(value, list) and all(isinstance(one, str) for one in value),
    _TABLE: lambda value: isinstance(value, dict),
    _TABLES: lambda value: isinstance(value, list) and all(isinstance(one, dict) for one in value),
}
_FILE = {"party": _TABLE, "case": _TABLES}
_PARTY = dict.fromkeys(("kind", "org", "country"), _TEXT) | dict.fromkeys(_SETS, _TEXTS)
_SUBJECT = (
    dict.fromkeys(("tlp", "pap", "log"), _TEXT)
    | dict.fromkeys(("kind", "type"), _NUMBER)
    | dict.fromkeys(("only", "relay"), _TRUTH)
    | {"categories": _TEXTS}
)
_EXPECTED = {
    **dict.fromkeys(("says", "party", "expect"), _TEXT),
    **dict.fromkeys(("relation", "for"), _TEXTS),
    "subject": _TABLE,
}
_CASE = _EXPECTED | {"uses": _TEXTS}
_FACTS = tuple(fact.name for fact in fields(Relation))
_TLP = {each.word: each for each in Tlp}
_PAP = {each.word: each for each in Pap}


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


def shipped_cases_text(name: str) -> str:
    """Return the cases file of a rulebook that comes with the program."""
    path = resources.files("policies").joinpath(f"rulebooks/{name}.cases.toml")
    return path.read_text(encoding="utf-8")


def shipped_cases(name: str) -> tuple[Case, ...]:
    """Return what a rulebook that comes with the program is expected to say."""
    return read_cases(shipped_cases_text(name))


def read_cases(text: str) -> tuple[Case, ...]:
    """Read a cases file of at most 256 Ki characters, in lines of at most 1000.

    Raises:
        BadCaseError: it is no TOML, or something in a party or case has no meaning.
    """
    facts = _facts("the file", _toml(text), _FILE, _FILE)
    parties = {
        name: _party(f"party {printable(name)}", raw) for name, raw in facts["party"].items()
    }
    return tuple(_case(f"case {n}", raw, parties) for n, raw in enumerate(facts["case"], start=1))


def _toml(text: str) -> dict[str, Any]:
    if len(text) > _CHARS:
        _refuse("the file", f"it is longer than {_CHARS} characters")
    for number, line in enumerate(text.split("\n"), start=1):
        if len(line) > _LINE:
            _refuse(f"line {number}", f"it is longer than {_LINE} characters")
    try:
        return tomllib.loads(text)
    except RecursionError:
        _refuse("the file", "its brackets go too deep")
    except ValueError as error:
        _refuse("the file", told(str(error)))


def _case(where: str, raw: object, parties: Mapping[str, Party]) -> Case:
    facts = _facts(where, raw, _CASE, _EXPECTED)
    holds = _words(where, "relation", facts["relation"], _FACTS)
    return Case(
        says=facts["says"],
        subject=_subject(f"{where}, subject", facts["subject"]),
        relation=Relation(**{name: name in holds for name in _FACTS}),
        party=parties[_word(where, "party", facts["party"], parties)],
        expect=Effect(_word(where, "expect", facts["expect"], set(Effect))),
        reasons=tuple(sorted(facts["for"])),
        uses=_words(where, "uses", facts["uses"], USES) if "uses" in facts else None,
    )


def _party(where: str, raw: object) -> Party:
    facts = _facts(where, raw, _PARTY, ["kind"])
    kind = _word(where, "kind", facts["kind"], KINDS)
    return Party(
        org=facts.get("org", _SOMEBODY),
        kind=kind,
        country=facts.get("country", ""),
        roles=_words(where, "roles", facts.get("roles", STANDARD_ROLES[kind]), ROLES),
        communities=frozenset(facts.get("communities", ())),
        hosts=frozenset(facts.get("hosts", ())),
    )


def _subject(where: str, raw: object) -> Subject:
    facts: dict[str, Any] = _USUAL_SUBJECT | _facts(where, raw, _SUBJECT, ["tlp"])
    return Subject(
        log=_word(where, "log", facts["log"], LOGS),
        kind=facts["kind"],
        type=facts["type"],
        tlp=_TLP[_word(where, "tlp", facts["tlp"].lower(), _TLP)],
        pap=_PAP[_word(where, "pap", facts["pap"].lower(), _PAP)],
        categories=_words(where, "categories", facts["categories"], CATEGORIES),
        only=facts["only"],
        relay=facts["relay"],
    )


def _facts(
    where: str, raw: object, known: Mapping[str, str], needed: Iterable[str]
) -> dict[str, Any]:
    """Return a table that says nothing but what is known, everything in its form."""
    if not isinstance(raw, dict):
        _refuse(where, f"it is not {_TABLE}")
    for name, value in raw.items():
        _word(where, "its", name, known)
        if not _IS[known[name]](value):
            _refuse(where, f"{name} is not {known[name]}")
    for name in needed:
        if name not in raw:
            _refuse(where, f"it has no {name}")
    return raw


def _words(where: str, name: str, typed: Iterable[str], known: Collection[str]) -> frozenset[str]:
    return frozenset(_word(where, name, each, known) for each in typed)


def _word(where: str, name: str, typed: str, known: Collection[str]) -> str:
    """Return a word that means something."""
    if typed not in known:
        words = ", ".join(printable(each) for each in sorted(known)[:_NAMED]) or "none"
        _refuse(where, f"{name} {printable(typed)} means nothing; known are {words}")
    return typed


def _refuse(where: str, why: str) -> NoReturn:
    raise BadCaseError(f"{where} cannot be read: {why}") from None


def _told(effect: Effect, reasons: tuple[str, ...], uses: frozenset[str] | None) -> str:
    answer = f"{effect} for {', '.join(reasons)}"
    return answer if uses is None else f"{answer}, uses {', '.join(sorted(uses)) or 'none'}"

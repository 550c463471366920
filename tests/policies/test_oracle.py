"""The engine, a judge's memory and the plain table of `oracle.py` agree, case by case."""

from collections import defaultdict
from collections.abc import Collection
from functools import cache
from itertools import product

import pytest

from policies.decide import Decision, Judge, decide_all
from policies.party import STANDARD_ROLES, Party
from policies.rulebook import Rulebook, read_rulebook
from policies.subject import Subject
from policies.tlp import Pap, Tlp
from tests.policies import oracle
from tests.policies.space import RULEBOOKS, Case, drawn, every_class, rulebook
from tests.policies.strategies import COMMUNITIES, ORGS
from tests.policies.test_decide import relation

DRAWN = 90_000


def space(name: str) -> tuple[Case, ...]:
    """The cases asked of one rulebook: every class, and its share of those drawn."""
    return every_class() + drawn(DRAWN)[RULEBOOKS.index(name) :: len(RULEBOOKS)]


def engine(cases: Collection[Case], book: Rulebook) -> dict[Case, Decision]:
    """What the engine says, shown the whole party and slot and not their classes."""
    by_party = defaultdict[Party, list[Case]](list)
    for case in cases:
        by_party[case.party].append(case)
    answers = dict[Case, Decision]()
    for party, asked in by_party.items():
        decisions = decide_all([(case.subject, case.relation) for case in asked], party, book)
        answers |= dict(zip(asked, decisions, strict=True))
    return answers


def test_the_space_has_more_than_a_hundred_thousand_different_cases() -> None:
    cases = {case for name in RULEBOOKS for case in space(name)}
    asked = sum(len(space(name)) for name in RULEBOOKS)
    print(f"{len(cases):,} cases of slot, relation and party; {asked:,} verdicts of 5 rulebooks")
    assert len(cases) >= 100_000
    assert all(len(set(space(name))) == len(space(name)) for name in RULEBOOKS)


@pytest.mark.parametrize("name", RULEBOOKS)
def test_the_engine_says_what_the_table_says(name: str) -> None:
    answers = engine(space(name), rulebook(name))
    wrong = {
        case: decision
        for case, decision in answers.items()
        if (decision.effect, decision.uses) != oracle.verdict(name, *case)
    }
    assert wrong == {}
    effects = {decision.effect for decision in answers.values()}
    assert len(effects) == (2 if name == "open" else 3)


# ── Memory ───────────────────────────────────────────────────────────────────────────────────────

CURIOUS = read_rulebook(
    f"""
    @id("one") @reason("r") permit (principal == Party::"{ORGS[1]}", action, resource);
    @id("two") @reason("r") permit (principal in Community::"{COMMUNITIES[0]}", action, resource)
      when {{ resource.kind < 7 }};
    @id("three") @reason("r") permit (principal, action, resource)
      when {{ principal.country == "FR" || principal.hosts.contains("pacs") }};
    @id("four") @reason("r") forbid (principal, action == Action::"unattended", resource)
      when {{ resource.type == 3 }};
    """,
    name="curious",
    version="1",
)


@cache
def members_of_classes() -> tuple[Case, ...]:
    """Many members of few classes: slots of all kinds, and the parties of a whole federation."""
    slots = [
        Subject("event", kind, slot_type, tlp, Pap.AMBER, frozenset(), only=False, relay=True)
        for kind, slot_type, tlp in product(range(1, 14), range(1, 10), list(Tlp)[:4])
    ]
    ways = [
        relation(direct=direct, named=named, client=client)
        for direct, named, client in product((False, True), repeat=3)
    ]
    parties = [
        Party(
            ORGS[n % 4],
            ("node", "hub", "hospital")[n // 9],
            ("FR", "BE", "DE")[n % 3],
            STANDARD_ROLES[("node", "hub", "hospital")[n // 9]],
            frozenset(COMMUNITIES[: n % 5]),
            frozenset({"pacs"} if n % 7 == 0 else ()),
        )
        for n in range(27)
    ]
    return tuple(Case(*case) for case in product(slots, ways, parties))


def is_remembered(cases: Collection[Case], book: Rulebook) -> int:
    """Hold a judge against the engine; gives how many of the cases the judge asked it."""
    judge = Judge(book)
    answers = engine(cases, book)
    assert [case for case, told in answers.items() if judge.decide(*case) != told] == []
    return judge._verdict.cache_info().misses


@pytest.mark.parametrize("name", RULEBOOKS)
def test_a_judge_remembers_what_the_engine_says(name: str) -> None:
    share = members_of_classes()[RULEBOOKS.index(name) :: len(RULEBOOKS)]
    asked = is_remembered(share, rulebook(name))
    print(f"{len(share):,} cases, {asked:,} of them asked of the engine")
    assert asked < len(share) / 100


def test_a_judge_takes_nothing_for_alike_that_a_rule_tells_apart() -> None:
    share = members_of_classes()[::47]
    assert len(share) > 2_000
    assert is_remembered(share, CURIOUS) > len(share) / 2


def test_the_judges_are_asked_more_than_a_hundred_thousand_different_cases() -> None:
    assert len(set(members_of_classes())) == len(members_of_classes()) >= 100_000

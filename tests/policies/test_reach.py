"""Does a rulebook reach further: what is worked out from what policies mention holds for everything."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policies.compare import Verdict, gives_more
from policies.decide import Effect, decide
from policies.reach import reach
from policies.rulebook import SHIPPED, Rulebook, read_rulebook, shipped
from tests.policies.mutants import mutants
from tests.policies.space import Case, drawn
from tests.policies.strategies import ORGS, parties, relations, rulebook_texts, subjects

NATIONAL = shipped("national").text
GREEN = 'when { resource.tlp <= 2 };\n\n@id("members.named")'


def read(text: str) -> Rulebook:
    return read_rulebook(text, name="draft", version="1")


def also(permit_or_forbid: str) -> Rulebook:
    return read(f'{NATIONAL}\n@id("also")\n@reason("a test")\n{permit_or_forbid}')


def verdict(rulebook: Rulebook, case: Case) -> Verdict:
    decision = decide(case.subject, case.relation, case.party, rulebook)
    ids = [reason.id for reason in decision.reasons] if decision.effect is Effect.HOLD else []
    return Verdict(decision, rulebook.needs_of(ids))


@pytest.mark.parametrize("name", sorted(SHIPPED))
def test_a_rulebook_does_not_reach_further_than_itself(name: str) -> None:
    assert not reach(shipped(name), shipped(name)).is_further


def test_a_limit_that_is_lowered_does_not_reach_further_and_raised_again_does() -> None:
    tighter = read(NATIONAL.replace(GREEN, GREEN.replace("2", "1")))
    assert tighter.text != NATIONAL
    assert not reach(shipped("national"), tighter).is_further
    found = reach(tighter, shipped("national"))
    assert found.is_further
    assert found.example is not None
    assert "members.green" in [reason.id for reason in found.example.after.decision.reasons]


def test_a_condition_more_does_not_reach_further() -> None:
    narrow = NATIONAL.replace(GREEN, GREEN.replace("2 }", '2 && principal.country != "BE" }'))
    assert narrow != NATIONAL
    assert not reach(shipped("national"), read(narrow)).is_further
    assert reach(read(narrow), shipped("national")).is_further


def test_what_the_floor_forbids_anyhow_reaches_nobody() -> None:
    amber = also(
        'permit (principal in Role::"member", action, resource) when { resource.tlp == 3 };'
    )
    assert not reach(shipped("national"), amber).is_further


@pytest.mark.parametrize(
    "condition",
    [
        'resource.categories.containsAll([Category::"finance", Category::"ransom", Category::"clinical"])',
        'resource.kind == 12 && principal.kind == Kind::"community"',
        f'principal == Party::"{ORGS[0]}"',
        f'principal in Community::"{ORGS[1]}"',
        'principal.country == "BE"',
        'principal.hosts.contains("pacs")',
        "context.released && resource.type > 7",
        'principal.country != "BE"',
        "!resource.categories.isEmpty()",
    ],
)
def test_a_corner_that_only_a_new_agreement_names_is_found(condition: str) -> None:
    corner = also(
        f"permit (principal, action, resource) when {{ resource.tlp <= 2 && {condition} }};"
    )
    found = reach(shipped("national"), corner)
    assert found.is_further
    assert found.example is not None
    assert [reason.id for reason in found.example.after.decision.reasons] == ["also"]


@pytest.mark.parametrize(
    "condition", ["resource.tlp == 4", "resource.tlp == 3 && !context.named", "!resource.relay"]
)
def test_what_only_the_floor_asks_is_answered_so_that_it_forbids_least(condition: str) -> None:
    nothing = read('@id("none") @reason("r") forbid (principal, action, resource);')
    some = read(
        f'@id("some") @reason("r") permit (principal, action, resource) when {{ {condition} }};'
    )
    assert reach(nothing, some).is_further


def test_what_is_handed_over_in_its_sources_name_is_asked_about() -> None:
    """An authority is no client here: it is given a file, which its hold must go on holding."""
    held = 'Category::"personal")\n}\nunless { context.released || context.client };'
    assert NATIONAL.count(held) == 1
    to_all = NATIONAL.replace(held, held.replace("context.client", "context.client || context.own"))
    found = reach(shipped("national"), read(to_all))
    assert found.is_further
    assert found.example
    assert (found.example.relation.own, found.example.relation.client) == (True, False)


def test_no_two_steps_go_where_one_may_not() -> None:
    """First nothing asks for the source any more, which narrows; then what held it goes."""
    owner = NATIONAL.replace("|| context.own }", "}").replace(
        "permit (principal, action, resource)\nwhen { context.own };",
        'permit (principal in Role::"member", action, resource)\nwhen { resource.log == Log::"report" };',
    )
    assert "context.own" not in owner
    start, end = owner.index('@id("hold.ransom")'), owner.index('@id("hold.handover")')
    found = reach(read(owner), read(owner[:start] + owner[end:]))
    assert found.is_further
    assert found.example


@pytest.mark.parametrize(
    "condition",
    [
        'principal.country like "B*"',
        "resource.kind > resource.tlp && resource.tlp > 3",
        "[resource.tlp].contains(resource.kind)",
        "{a: resource.kind}.a == resource.type",
        '["a", principal.country].contains("b")',
    ],
)
def test_what_cannot_be_worked_out_counts_as_reaching_further(condition: str) -> None:
    odd = also(f"permit (principal, action, resource) when {{ {condition} }};")
    assert reach(shipped("national"), odd) == reach(shipped("national"), odd)
    assert reach(shipped("national"), odd).is_further
    assert reach(shipped("national"), odd).example is None


@settings(max_examples=60)
@given(rulebook_texts(), rulebook_texts(), st.lists(st.builds(Case, subjects, relations, parties)))
def test_no_verdict_widens_where_a_rulebook_does_not_reach_further(
    old_text: str, new_text: str, cases: list[Case]
) -> None:
    old, new = read(old_text), read(new_text)
    asked = [case for case in cases if case.relation.can_be]
    if any(gives_more(verdict(old, case), verdict(new, case)) for case in asked):
        assert reach(old, new).is_further


def test_no_slip_in_a_shipped_rulebook_widens_unseen() -> None:
    """Each slip, done and undone, against cases drawn at random."""
    old = shipped("community")
    asked = [case for case in drawn(2_000) if case.relation.can_be]
    before = [verdict(old, case) for case in asked]
    seen = 0
    for what, text in list(mutants(old.text))[::6]:
        new = read(text)
        after = [verdict(new, case) for case in asked]
        pairs = list(zip(before, after, strict=True))
        if any(gives_more(one, other) for one, other in pairs):
            seen += 1
            assert reach(old, new).is_further, what
        if any(gives_more(other, one) for one, other in pairs):
            assert reach(new, old).is_further, what
    assert seen

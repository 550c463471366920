"""What a new rulebook changes, found by asking both of them and by reading their texts."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policies.compare import RELATIONS, Change, Verdict, cannot_widen, compare, gives_more
from policies.decide import Decision, Effect, decide
from policies.party import Party
from policies.release import Need
from policies.rulebook import SHIPPED, Rulebook, read_rulebook, shipped
from policies.subject import Relation, Subject
from policies.tlp import Tlp
from tests.policies.strategies import (
    ORGS,
    parties,
    relations,
    rulebook_texts,
    subjects,
    tightened_texts,
)
from tests.policies.test_decide import peer, relation, subject

SLOTS = [subject(tlp) for tlp in Tlp]
DIRECT = relation()
PUBLIC_GREEN = """
@id("public.green")
@reason("a slip")
permit (principal, action, resource)
when { resource.tlp <= 2 };
"""
ALL = '@id("all") @reason("r") permit (principal, action, resource);'
HOLD = '@id("hold") @reason("r") forbid (principal, action == Action::"unattended", resource);'


def read(text: str) -> Rulebook:
    return read_rulebook(text, name="draft", version="1")


def effects(change: Change) -> tuple[Effect, Effect]:
    return change.before.decision.effect, change.after.decision.effect


def test_a_rulebook_changes_nothing_of_itself() -> None:
    for name in SHIPPED:
        assert compare(shipped(name), shipped(name), SLOTS, [peer()], [DIRECT]) == ()


def test_a_new_agreement_widens_exactly_what_it_lets_out() -> None:
    old = shipped("national")
    new = read(old.text + PUBLIC_GREEN)
    topic = peer(kind="community")
    (change,) = compare(old, new, SLOTS, [peer(), topic], [DIRECT])
    assert (change.subjects, change.parties) == ((subject(Tlp.GREEN),), (topic,))
    assert effects(change) == (Effect.WITHHOLD, Effect.DISCLOSE)
    assert [each.id for each in change.after.decision.reasons] == ["public.green"]
    assert (change.widens, change.narrows) == (True, False)
    (back,) = compare(new, old, SLOTS, [peer(), topic], [DIRECT])
    assert (back.widens, back.narrows) == (False, True)


def test_what_neither_rulebook_tells_apart_is_one_change_that_names_them_all() -> None:
    old, new = shipped("national"), shipped("closed")
    slots = [replace(subject(Tlp.CLEAR), kind=kind) for kind in (2, 3)]
    two = [peer(org=ORGS[0], country="BE"), peer(org=ORGS[1], country="DE")]
    (change,) = compare(old, new, slots, two, [DIRECT])
    assert (change.subjects, change.parties) == (tuple(slots), tuple(two))


@pytest.mark.parametrize("names_first", [True, False])
def test_parties_that_one_of_the_rulebooks_tells_apart_are_two_changes(names_first: bool) -> None:
    named = (
        ALL + f'@id("x") @reason("r") forbid (principal == Party::"{ORGS[0]}", action, resource);'
    )
    books = [read(named), read(HOLD + ALL)]
    old, new = books if names_first else reversed(books)
    two = [peer(org=ORGS[0]), peer(org=ORGS[1])]
    changes = compare(old, new, SLOTS[:1], two, [DIRECT])
    assert [change.parties for change in changes] == [(two[0],), (two[1],)]
    assert [change.widens for change in changes] == [names_first, not names_first]


def test_what_may_leave_without_a_person_is_wider_than_what_waits_for_one() -> None:
    nothing, held, free = read(""), read(ALL + HOLD), read(ALL)
    for before, after in ((nothing, held), (held, free), (nothing, free)):
        assert any(change.widens for change in compare(before, after, SLOTS, [peer()]))
        assert not any(change.widens for change in compare(after, before, SLOTS, [peer()]))


def test_a_hold_that_asks_for_less_widens() -> None:
    strict = read(ALL + HOLD.replace("forbid", '@needs("two-roles") forbid'))
    loose = read(ALL + HOLD)
    (change,) = compare(strict, loose, SLOTS[:1], [peer()], [DIRECT])
    assert (change.before.needs, change.after.needs) == (
        frozenset({Need.TWO_ROLES}),
        frozenset(),
    )
    assert (change.widens, change.narrows) == (True, False)
    assert (cannot_widen(strict, loose), cannot_widen(loose, strict)) == (False, True)


def test_one_use_for_another_both_widens_and_narrows() -> None:
    detect, block = (
        ALL + f'@id("n") @reason("r") forbid (principal, action == Action::"{use}", resource);'
        for use in ("block", "detect")
    )
    (change,) = compare(read(detect), read(block), SLOTS[:1], [peer()], [DIRECT])
    assert effects(change) == (Effect.DISCLOSE, Effect.DISCLOSE)
    assert (change.widens, change.narrows) == (True, True)


def test_a_reason_alone_is_no_change() -> None:
    assert compare(read(ALL), read(ALL.replace('"r"', '"q"')), SLOTS, [peer()]) == ()


def test_what_goes_in_its_sources_name_its_originator_sends() -> None:
    assert len(RELATIONS) == 96
    assert all(relation.direct for relation in RELATIONS if relation.own)


@settings(max_examples=30)
@given(
    st.tuples(rulebook_texts(), rulebook_texts()),
    st.lists(subjects, min_size=1, max_size=4),
    st.lists(parties, min_size=1, max_size=3),
    st.lists(relations, min_size=1, max_size=3, unique=True),
)
def test_what_is_found_by_class_is_what_is_found_one_by_one(
    texts: tuple[str, str],
    slots: list[Subject],
    asking: list[Party],
    ways: list[Relation],
) -> None:
    old, new = map(read, texts)
    one_by_one = {
        (slot, way, party)
        for slot in slots
        for way in ways
        for party in asking
        if (was := decide(slot, way, party, old)).effect
        is not (now := decide(slot, way, party, new)).effect
        or was.uses != now.uses
    }
    by_class = {
        (slot, change.relation, party)
        for change in compare(old, new, slots, asking, ways)
        for slot in change.subjects
        for party in change.parties
    }
    assert by_class == one_by_one


# ── By their texts ───────────────────────────────────────────────────────────────────────────────


@settings(max_examples=50)
@given(tightened_texts(), subjects, relations, parties)
def test_tightening_a_rulebook_never_discloses_more(
    texts: tuple[str, str], slot: Subject, way: Relation, party: Party
) -> None:
    loose, tight = map(read, texts)
    assert cannot_widen(loose, tight)
    before, after = (decide(slot, way, party, book) for book in (loose, tight))
    assert not gives_more(verdict(before), verdict(after))


@pytest.mark.parametrize("name", SHIPPED)
def test_giving_up_any_agreement_of_a_shipped_rulebook_widens_nothing(name: str) -> None:
    whole = shipped(name)
    policies = whole.text.split("\n@id(")
    for n, policy in enumerate(policies[1:], start=1):
        without = read("\n@id(".join([*policies[:n], *policies[n + 1 :]]))
        gives_up = "\npermit (" in policy
        assert cannot_widen(whole, without) is gives_up
        assert cannot_widen(without, whole) is not gives_up
        changes = compare(whole, without, SLOTS, [peer(), peer(kind="hub")], [DIRECT])
        assert not any(change.widens if gives_up else change.narrows for change in changes)


@settings(max_examples=50)
@given(tightened_texts(), subjects, relations, parties)
def test_where_somebody_gets_more_the_texts_do_not_show_the_contrary(
    texts: tuple[str, str], slot: Subject, way: Relation, party: Party
) -> None:
    loose, tight = map(read, texts)
    before, after = (decide(slot, way, party, book) for book in (tight, loose))
    if gives_more(verdict(before), verdict(after)):
        assert not cannot_widen(tight, loose)
        changes = compare(tight, loose, [slot], [party])
        assert any(change.widens for change in changes) or way not in RELATIONS


def test_layout_ids_and_reasons_do_not_matter_to_what_a_text_says() -> None:
    national = shipped("national")
    other = read(
        "// the same\n" + national.text.replace('@id("', '@id("x.').replace(" the ", " a ")
    )
    assert cannot_widen(national, other)
    assert cannot_widen(other, national)
    assert not cannot_widen(national, read(national.text.replace("tlp <= 2", "tlp <= 3")))


def verdict(decision: Decision) -> Verdict:
    return Verdict(decision, frozenset())

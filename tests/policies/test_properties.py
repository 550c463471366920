"""What holds for every case: relaying, joining and stricter words never give anybody more.

`test_compare.py` shows the same of a tightened rulebook, `tests/sharing/test_project.py` of whole
projections, `test_label.py` that joining labels is associative, commutative and idempotent.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from itertools import pairwise, product

from hypothesis import given, settings
from hypothesis import strategies as st

from policies.compare import Verdict, gives_more
from policies.decide import Decision, Effect, decide
from policies.label import CATEGORIES, Label, join
from policies.party import Party
from policies.rulebook import SHIPPED, Rulebook, read_rulebook, shipped
from policies.subject import Relation, Subject
from policies.tlp import Pap, Tlp
from tests.policies.space import rulebook
from tests.policies.strategies import (
    instants,
    labels,
    parties,
    relations,
    rulebook_texts,
    subjects,
)
from tests.policies.test_decide import peer, relation

OPEN = rulebook("open")
CLOSED, COMMUNITY = shipped("closed"), shipped("community")
books = st.sampled_from([shipped(name) for name in SHIPPED])
elsewhere = relations.map(lambda way: replace(way, own=False, client=False))


def gets_more(one: Decision, other: Decision) -> bool:
    """Whether the other decision lets out more; all holds counted alike."""
    return gives_more(Verdict(one, frozenset()), Verdict(other, frozenset()))


# ── Relaying ─────────────────────────────────────────────────────────────────────────────────────


@settings(max_examples=200)
@given(books, subjects, elsewhere, parties)
def test_under_one_rulebook_a_relay_gives_nobody_more_than_the_originator(
    book: Rulebook, slot: Subject, way: Relation, third: Party
) -> None:
    given_first = decide(slot, replace(way, direct=True), third, book)
    given_on = decide(slot, replace(way, direct=False), third, book)
    assert not gets_more(given_first, given_on)


@settings(max_examples=80)
@given(rulebook_texts(), subjects, elsewhere, parties)
def test_whatever_a_relay_agreed_it_gives_nobody_more_than_the_floor_lets_the_originator(
    text: str, slot: Subject, way: Relation, third: Party
) -> None:
    relay = read_rulebook(text + OPEN.text, name="relay", version="1")
    given_on = decide(slot, replace(way, direct=False), third, relay)
    assert not gets_more(decide(slot, replace(way, direct=True), third, OPEN), given_on)
    if given_on.effect is not Effect.WITHHOLD:
        assert slot.relay
        assert slot.tlp <= Tlp.GREEN


def handed_over(book: Rulebook) -> Iterator[Subject]:
    """Every sort of slot that this rulebook lets some other node have."""
    kinds = [frozenset({category}) for category in sorted(CATEGORIES)]
    for tlp, only, relayed, categories in product(Tlp, (False, True), (False, True), kinds):
        slot = Subject("event", 2, 1, tlp, Pap.CLEAR, categories, only, relayed)
        for named in (False, True):
            way = relation(named=named, released=True)
            if decide(slot, way, peer(), book).effect is Effect.DISCLOSE:
                yield slot


def passed_on(slots: Iterator[Subject]) -> list[tuple[Subject, bool]]:
    """Which of these slots another node could pass on at all, to one that is named or not."""
    return [
        (slot, named)
        for slot, named in product(slots, (False, True))
        if decide(slot, relation(direct=False, named=named), peer(), OPEN).effect
        is not Effect.WITHHOLD
    ]


def test_what_a_closed_csirt_gives_nobody_can_pass_on() -> None:
    given_out = list(handed_over(CLOSED))
    assert len(given_out) > 50
    assert passed_on(iter(given_out)) == []
    assert passed_on(handed_over(shipped("national")))


def test_who_told_a_community_nobody_can_pass_on() -> None:
    identities = [s for s in handed_over(COMMUNITY) if "source-identity" in s.categories]
    assert len(identities) > 5
    assert passed_on(iter(identities)) == []


# ── Joining, and stricter words ──────────────────────────────────────────────────────────────────


def of(label: Label, now: datetime, slot: Subject, way: Relation) -> tuple[Subject, Relation]:
    """A slot under this label at this moment."""
    under = replace(
        slot,
        tlp=label.tlp,
        pap=label.pap,
        categories=label.categories,
        only=label.only,
        relay=label.relay,
    )
    return under, replace(way, embargoed=label.is_embargoed(now))


@settings(max_examples=200)
@given(books, labels, labels, instants, subjects, relations, parties)
def test_a_join_gives_nobody_more_than_either_label(
    book: Rulebook,
    a: Label,
    b: Label,
    now: datetime,
    slot: Subject,
    way: Relation,
    party: Party,
) -> None:
    joined = decide(*of(join(a, b), now, slot, way), party, book)
    for label in (a, b):
        assert not gets_more(decide(*of(label, now, slot, way), party, book), joined)


@settings(max_examples=100)
@given(rulebook_texts(), subjects, relations, parties)
def test_uses_shrink_as_pap_grows_stricter(
    text: str, slot: Subject, way: Relation, party: Party
) -> None:
    book = read_rulebook(text + OPEN.text, name="drawn", version="1")
    decisions = [decide(replace(slot, pap=pap), way, party, book) for pap in sorted(Pap)]
    assert len({decision.effect for decision in decisions}) == 1
    for looser, stricter in pairwise(decisions):
        assert stricter.uses <= looser.uses
    assert decisions[-1].uses == frozenset()


# ── Holds ────────────────────────────────────────────────────────────────────────────────────────


@settings(max_examples=200)
@given(books, subjects, relations, parties)
def test_a_release_opens_what_is_held_and_nothing_else(
    book: Rulebook, slot: Subject, way: Relation, party: Party
) -> None:
    before = decide(slot, replace(way, released=False), party, book)
    after = decide(slot, replace(way, released=True), party, book)
    if before.effect is Effect.HOLD:
        assert before.uses == frozenset()
        assert after.effect is Effect.DISCLOSE
    else:
        assert after == before

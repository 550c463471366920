"""The Cedar text against the table in `oracle.py`."""

from dataclasses import replace
from itertools import product

import pytest
from hypothesis import given, settings

from policies.decide import Effect, decide
from policies.label import CATEGORIES
from policies.party import PUBLIC, STANDARD_ROLES, Party
from policies.rulebook import read_rulebook, shipped
from policies.subject import LOGS, Relation, Subject
from policies.tlp import Pap, Tlp
from tests.policies import oracle
from tests.policies.strategies import ORGS, parties, relations, rulebook_texts, subjects

NATIONAL = shipped("national")
OPEN = read_rulebook(
    '@id("all") @reason("everything") permit (principal, action, resource);',
    name="open",
    version="1",
)
PARTIES = [
    Party(ORGS[0], "hospital", "FR", STANDARD_ROLES["hospital"]),
    Party(ORGS[0], "node", "BE", STANDARD_ROLES["node"]),
    Party(ORGS[0], "hub", "", STANDARD_ROLES["hub"]),
    Party(ORGS[0], "machine", "FR", STANDARD_ROLES["hospital"]),
    PUBLIC,
]
LABELS = list(product(Tlp, (False, True), (False, True)))
FACTS = ("own", "client", "direct", "named", "embargoed", "published")
RELATIONS = [
    Relation(released=True, **dict(zip(FACTS, bits, strict=True)))
    for bits in product((False, True), repeat=len(FACTS))
]

OUT = [each for each in RELATIONS if each.published and not each.embargoed]


def floor_agrees(subject: Subject, relation: Relation, party: Party) -> bool:
    seen = decide(subject, relation, party, OPEN).effect is Effect.DISCLOSE
    return seen is oracle.ever_allowed(subject, relation, party)


def national(subject: Subject, relation: Relation, party: Party) -> Effect:
    ever = oracle.ever_allowed(subject, relation, party)
    if not (ever and oracle.agreed_nationally(subject, relation, party)):
        return Effect.WITHHOLD
    held = oracle.held_nationally(subject, relation, party)
    return Effect.HOLD if held else Effect.DISCLOSE


@pytest.mark.parametrize("party", PARTIES, ids=lambda party: party.kind)
def test_under_every_label_and_relation_the_floor_is_the_table(party: Party) -> None:
    wrong = []
    for (tlp, only, relay), relation in product(LABELS, RELATIONS):
        subject = Subject("event", 2, 1, tlp, Pap.CLEAR, frozenset(), only, relay)
        if not floor_agrees(subject, relation, party):
            wrong.append((subject, relation))
    assert wrong == []


@pytest.mark.parametrize("tlp", Tlp)
def test_in_every_log_and_category_the_floor_is_the_table(tlp: Tlp) -> None:
    kinds = [(log, frozenset[str]()) for log in sorted(LOGS)]
    kinds += [("event", frozenset({category})) for category in sorted(CATEGORIES)]
    wrong = []
    for (log, categories), relation, party in product(kinds, OUT, PARTIES[:3]):
        subject = Subject(log, 2, 1, tlp, Pap.CLEAR, categories, only=False, relay=True)
        if not floor_agrees(subject, relation, party):
            wrong.append((subject, relation, party.kind))
    assert wrong == []


@pytest.mark.parametrize("categories", [set[str](), {"clinical"}, {"attribution"}])
def test_for_every_colour_relation_and_party_the_national_rulebook_is_the_table(
    categories: set[str],
) -> None:
    wrong = []
    for tlp, relation, released, party in product(Tlp, OUT, (False, True), PARTIES):
        subject = Subject(
            "event", 2, 1, tlp, Pap.CLEAR, frozenset(categories), only=False, relay=True
        )
        stands = replace(relation, released=released)
        if decide(subject, stands, party, NATIONAL).effect is not national(subject, stands, party):
            wrong.append((subject, stands, party.kind))
    assert wrong == []


@settings(max_examples=200)
@given(subjects, relations, parties)
def test_for_everything_else_the_floor_is_the_table_too(
    subject: Subject, relation: Relation, party: Party
) -> None:
    decision = decide(subject, relation, party, OPEN)
    allowed = oracle.ever_allowed(subject, relation, party)
    assert decision.effect is (Effect.DISCLOSE if allowed else Effect.WITHHOLD)
    assert decision.uses == (oracle.uses(subject) if allowed else frozenset())


@settings(max_examples=200)
@given(subjects, relations, parties)
def test_the_national_rulebook_is_the_table(
    subject: Subject, relation: Relation, party: Party
) -> None:
    decision = decide(subject, relation, party, NATIONAL)
    assert decision.effect is national(subject, relation, party)


@settings(max_examples=60)
@given(rulebook_texts(), subjects, relations, parties)
def test_no_rulebook_breaches_the_floor(
    text: str, subject: Subject, relation: Relation, party: Party
) -> None:
    rulebook = read_rulebook(text + OPEN.text, name="drawn", version="1")
    decision = decide(subject, relation, party, rulebook)
    if not oracle.ever_allowed(subject, relation, party):
        assert decision.effect is Effect.WITHHOLD
        assert any(reason.id.startswith("floor.") for reason in decision.reasons)
    assert decision.uses <= oracle.uses(subject)


@pytest.mark.parametrize("kind", ["node", "hub", "hospital", "community", "machine", "public"])
def test_red_leaves_for_nobody_whatever_is_agreed(kind: str) -> None:
    party = Party(ORGS[0], kind, "BE", STANDARD_ROLES[kind])
    subject = Subject("event", 2, 1, Tlp.RED, Pap.CLEAR, frozenset(), only=False, relay=True)
    for relation in RELATIONS:
        if not relation.own:
            decision = decide(subject, relation, party, OPEN)
            assert decision.effect is Effect.WITHHOLD
            assert "floor.red" in {reason.id for reason in decision.reasons}

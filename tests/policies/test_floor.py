"""No rulebook breaches the floor; the Cedar text against the table in `oracle.py`, drawn freely.

`test_oracle.py` compares them over a whole space of cases.
"""

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policies.decide import Effect, decide
from policies.party import STANDARD_ROLES, Party
from policies.rulebook import read_rulebook
from policies.subject import Relation, Subject
from policies.tlp import Pap, Tlp
from tests.policies import oracle
from tests.policies.space import RULEBOOKS, rulebook
from tests.policies.strategies import ORGS, parties, relations, rulebook_texts, subjects

OPEN = rulebook("open")
FACTS = ("own", "client", "direct", "named", "embargoed", "published")
RELATIONS = [
    Relation(released=True, **dict(zip(FACTS, bits, strict=True)))
    for bits in product((False, True), repeat=len(FACTS))
]


@settings(max_examples=200)
@given(st.sampled_from(RULEBOOKS), subjects, relations, parties)
def test_whatever_is_drawn_every_rulebook_is_its_table(
    name: str, subject: Subject, relation: Relation, party: Party
) -> None:
    decision = decide(subject, relation, party, rulebook(name))
    told = oracle.verdict(name, subject, relation, party)
    assert (decision.effect, decision.uses) == told


@settings(max_examples=60)
@given(rulebook_texts(), subjects, relations, parties)
def test_no_rulebook_breaches_the_floor(
    text: str, subject: Subject, relation: Relation, party: Party
) -> None:
    drawn = read_rulebook(text + OPEN.text, name="drawn", version="1")
    decision = decide(subject, relation, party, drawn)
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

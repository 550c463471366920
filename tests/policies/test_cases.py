"""Shipped rulebooks say what their cases expect, and no slip in one of them passes its cases."""

from dataclasses import replace
from importlib import resources

import pytest

from policies.cases import ask_cases, read_cases, shipped_cases
from policies.decide import Effect, decide
from policies.errors import BadCaseError
from policies.rulebook import SHIPPED, Rulebook, read_rulebook, shipped
from policies.tlp import Tlp
from tests.policies.mutants import mutants
from tests.policies.strategies import ORGS
from tests.policies.test_decide import peer, relation, subject

_FLOOR = "floor.cedar"


def text_of(path: str) -> str:
    return resources.files("policies").joinpath(path).read_text(encoding="utf-8")


def contradictions(name: str, rulebook: Rulebook) -> tuple[str, ...]:
    return ask_cases(shipped_cases(name), rulebook).contradictions


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_rulebook_says_what_its_cases_expect(name: str) -> None:
    outcome = ask_cases(shipped_cases(name), shipped(name))
    assert outcome.contradictions == ()
    assert outcome.untried == ()
    assert outcome.asked >= 15


@pytest.mark.parametrize("name", SHIPPED)
def test_no_slip_in_a_shipped_rulebook_passes_its_cases(name: str) -> None:
    slips = list(mutants(shipped(name).text))
    assert len(slips) > 20
    unnoticed = [
        slip
        for slip, text in slips
        if not contradictions(name, read_rulebook(text, name=name, version="slip"))
    ]
    assert unnoticed == []


def test_no_slip_in_the_floor_passes_the_national_cases(monkeypatch: pytest.MonkeyPatch) -> None:
    slips = list(mutants(text_of(_FLOOR)))
    assert len(slips) > 100
    national, schema = shipped("national").text, text_of("schema.cedarschema")
    unnoticed = []
    for slip, floor in slips:
        texts = {_FLOOR: floor, "schema.cedarschema": schema}
        monkeypatch.setattr("policies.rulebook._shipped_text", texts.__getitem__)
        rulebook = read_rulebook(national, name="national", version="slip")
        if not contradictions("national", rulebook):
            unnoticed.append(slip)
    assert unnoticed == []


def test_a_closed_csirt_gives_its_partner_what_their_agreement_says_and_no_more() -> None:
    closed = shipped("closed")
    shown = [line[5:] for line in closed.text.splitlines() if line.startswith("//   ")]
    agreement = "\n".join(shown).replace("…", ORGS[0])
    agreed = read_rulebook(closed.text + agreement, name="closed", version="2")
    for tlp in Tlp:
        effects = [
            decide(subject(tlp, relay=False), relation(), party, book).effect
            for book in (closed, agreed)
            for party in (peer(org=ORGS[0]), peer(org=ORGS[1]))
        ]
        opened = Effect.DISCLOSE if tlp <= Tlp.GREEN else Effect.WITHHOLD
        assert effects == [Effect.WITHHOLD, Effect.WITHHOLD, opened, Effect.WITHHOLD]


# ── Reading and asking cases ─────────────────────────────────────────────────────────────────────


def test_a_case_that_is_wrong_says_how() -> None:
    case = next(each for each in shipped_cases("national") if each.expect is Effect.HOLD)
    assert replace(case, expect=Effect.DISCLOSE).contradiction(shipped("national")) == (
        f"{case.says}: expected disclose for hold.clinical; the answer is hold for hold.clinical"
    )
    assert replace(case, reasons=("members.named",)).contradiction(shipped("national"))


def test_a_case_that_is_wrong_about_uses_says_how() -> None:
    case = next(each for each in shipped_cases("national") if each.uses == frozenset({"detect"}))
    assert replace(case, uses=frozenset()).contradiction(shipped("national")) == (
        f"{case.says}: expected disclose for members.green, uses none; "
        "the answer is disclose for members.green, uses detect"
    )
    assert replace(case, uses=None).contradiction(shipped("national")) is None


def test_all_cases_are_asked_and_policies_that_none_tries_are_told() -> None:
    rulebook = shipped("national")
    cases = shipped_cases("national")
    wrong = replace(cases[0], expect=Effect.HOLD)
    outcome = ask_cases([wrong, *cases[1:4], wrong], rulebook)
    assert outcome.asked == 5
    assert len(outcome.contradictions) == 2
    assert "hold.clinical" in outcome.untried
    assert not any(policy.startswith("floor.") for policy in outcome.untried)


ONE = """
[party.peer]
kind = "node"
[[case]]
says = "x"
subject = { tlp = "green" }
party = "peer"
relation = ["published"]
expect = "disclose"
for = ["members.green"]
"""


def test_what_a_case_leaves_out_has_its_usual_value() -> None:
    (case,) = read_cases(ONE)
    assert (case.subject.log, case.subject.relay, case.subject.only) == ("event", True, False)
    assert case.party.roles == {"member", "community"}
    assert case.relation.published
    assert not case.relation.direct


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('tlp = "green"', 'tlp = "pink"'),
        ('tlp = "green"', 'tlp = "green", colour = 1'),
        ('tlp = "green"', 'pap = "green"'),
        ('party = "peer"', 'party = "pear"'),
        ('["published"]', '["publsihed"]'),
        ('"disclose"', '"reveal"'),
        ('says = "x"', ""),
        ('says = "x"', 'says = "x"\nuse = ["detect"]'),
        ('says = "x"', 'says = "x"\nuses = ["dectet"]'),
        ('kind = "node"', 'kind = "nod"'),
        ('kind = "node"', 'kind = "node"\nrole = ["member"]'),
        ("[[case]]", "[[case"),
    ],
)
def test_a_case_with_a_slip_is_refused(old: str, new: str) -> None:
    with pytest.raises(BadCaseError, match="read"):
        read_cases(ONE.replace(old, new, 1))

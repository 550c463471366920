"""Shipped rulebooks say what their cases expect, and no slip in one of them passes its cases."""

import time
from dataclasses import replace
from importlib import resources

import pytest

from policies.cases import ask_cases, read_cases, shipped_cases
from policies.decide import Effect, decide
from policies.errors import BadCaseError, BadRulebookError
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
    refused, unnoticed = [], []
    for slip, text in slips:
        try:
            rulebook = read_rulebook(text, name=name, version="slip")
        except BadRulebookError as error:
            refused.append(error.reason)
        else:
            unnoticed += [] if contradictions(name, rulebook) else [slip]
    assert unnoticed == []
    assert [reason for reason in refused if "stands only with a hold" not in reason] == []


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
        ("[[case]]", "[[cases]]"),
        ('for = ["members.green"]', 'for = "own"'),
        ('kind = "node"', 'kind = "node"\nhosts = "pacs"'),
        ('tlp = "green"', 'tlp = "green", log = "evnt"'),
        ('tlp = "green"', 'tlp = "green", categories = ["clincal"]'),
        ('tlp = "green"', 'tlp = "green", only = "no"'),
        ('tlp = "green"', f'tlp = "green", kind = {2**70}'),
        ('tlp = "green"', 'tlp = "green", kind = true'),
    ],
)
def test_a_case_with_a_slip_is_refused(old: str, new: str) -> None:
    assert old in ONE
    with pytest.raises(BadCaseError, match="read"):
        read_cases(ONE.replace(old, new, 1))


PARTY = '[party.peer]\nkind = "node"\n'


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "the file cannot be read: it has no party"),
        (PARTY, "the file cannot be read: it has no case"),
        ("party = 1", "the file cannot be read: party is not a table"),
        ("case = 1", "the file cannot be read: case is not a list of tables"),
        ("case = [1]\nparty = {}", "the file cannot be read: case is not a list of tables"),
        ("case = []\nparty = { a = 1 }", "party a cannot be read: it is not a table"),
        ("case = []\n[party.a]\nkind = 1", "party a cannot be read: kind is not a text"),
        (
            ONE + '[[case]]\nparty = "peer"\nsubject = 1',
            "case 2 cannot be read: subject is not a table",
        ),
        (ONE.replace('"green"', "5"), "case 1, subject cannot be read: tlp is not a text"),
        (ONE.replace('"peer"', '"pear"'), "case 1 cannot be read: party pear means nothing"),
        ("a = " + "[" * 900, "the file cannot be read: its brackets go too deep"),
        ("\n" + "[" * 60_000, "line 2 cannot be read: it is longer than 1000 characters"),
        ("\n" + ".".join(["a"] * 60_000) + " = 1", "line 2 cannot be read: it is longer"),
        ("\n" * (256 << 10) + "\n", "the file cannot be read: it is longer than 262144"),
        (f"a = {'9' * 900}x", "the file cannot be read: "),
    ],
)
def test_cases_that_are_none_are_refused_at_once_by_place_and_reason(text: str, told: str) -> None:
    began = time.monotonic()
    with pytest.raises(BadCaseError) as refused:
        read_cases(text)
    assert str(refused.value).startswith(told)
    assert time.monotonic() - began < 1


def test_the_worst_cases_that_may_be_given_are_read_or_refused_within_two_seconds() -> None:
    lines = (".".join(["a"] * 490 + [f"b{n}"]) + "=1" for n in range(260))
    began = time.monotonic()
    with pytest.raises(BadCaseError, match="its a means nothing"):
        read_cases("\n".join(lines))
    assert time.monotonic() - began < 2


@pytest.mark.parametrize(
    "text",
    [
        '[party."Jeanne Testpatient"]\nkind = 1\n[[case]]',
        ONE.replace('says = "x"', '"Jeanne Testpatient" = 1'),
        ONE.replace('party = "peer"', 'party = "Jeanne Testpatient"'),
        ONE.replace('["published"]', '["Jeanne Testpatient"]'),
        ONE.replace('says = "x"', 'says = "Jeanne Testpatient"\nuse = 1'),
        "a = { 'Jeanne Testpatient' = 1, 'Jeanne Testpatient' = 2 }",
    ],
)
def test_a_refusal_of_cases_repeats_nothing_that_may_be_about_a_patient(text: str) -> None:
    with pytest.raises(BadCaseError, match="cannot be read") as refused:
        read_cases(text)
    assert not any(word in str(refused.value) for word in ("Jeanne", "Testpatient"))

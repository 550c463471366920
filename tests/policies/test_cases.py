from dataclasses import replace
from importlib import resources

import pytest

from policies.cases import Case, read_cases
from policies.decide import Effect
from policies.errors import BadCaseError
from policies.rulebook import shipped

USES_ONLY = {"floor.exercise", "floor.pap.detect", "floor.pap.block"}  # change no effect


def cases_of(name: str) -> tuple[Case, ...]:
    path = resources.files("policies").joinpath(f"rulebooks/{name}.cases.toml")
    return read_cases(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("name", "case"),
    [
        pytest.param(name, case, id=f"{name}: {case.says}")
        for name in ("national", "hub")
        for case in cases_of(name)
    ],
)
def test_the_shipped_rulebooks_say_what_their_cases_expect(name: str, case: Case) -> None:
    assert case.contradiction(shipped(name)) is None


@pytest.mark.parametrize("name", ["national", "hub"])
def test_every_agreement_decides_some_case(name: str) -> None:
    decided = {reason for case in cases_of(name) for reason in case.reasons}
    agreements = {policy.id for policy in shipped(name).policies.values()}
    own = {policy for policy in agreements if not policy.startswith("floor.")}
    assert own - decided - {"own"} == set()


def test_every_policy_of_the_floor_decides_some_case() -> None:
    decided = {reason for case in cases_of("national") for reason in case.reasons}
    floor = {p.id for p in shipped("national").policies.values() if p.id.startswith("floor.")}
    assert floor - decided == USES_ONLY


def test_a_case_that_is_wrong_says_how() -> None:
    case = next(each for each in cases_of("national") if each.expect is Effect.HOLD)
    assert replace(case, expect=Effect.DISCLOSE).contradiction(shipped("national")) == (
        f"{case.says}: expected disclose for hold.clinical; the answer is hold for hold.clinical"
    )
    assert replace(case, reasons=("members.named",)).contradiction(shipped("national"))


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
        ('kind = "node"', 'kind = "nod"'),
        ('kind = "node"', 'kind = "node"\nrole = ["member"]'),
        ("[[case]]", "[[case"),
    ],
)
def test_a_case_with_a_slip_is_refused(old: str, new: str) -> None:
    with pytest.raises(BadCaseError, match="read"):
        read_cases(ONE.replace(old, new, 1))

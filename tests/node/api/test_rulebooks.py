"""Rules through the API: read, checked, tested, compared, proposed, approved, turned down."""

from typing import Any

import pytest

from node.actions import people
from policies.cases import shipped_cases_text
from policies.rulebook import shipped
from tests.node.api.hall import BE, PASSWORD, Hall
from tests.node.federation.ruling import NATIONAL, TIGHTER

TEXT = {"name": "next", "text": TIGHTER}
BACK = {"name": "national", "text": NATIONAL, "why": "BE may have it again"}


def second_operator(hall: Hall) -> str:
    """Another operator, with a password and a token."""
    people.add_person(
        hall.node, "test", login="bernard", org=hall.node.org, role="operator", password=PASSWORD
    )
    hall.tokens["bernard"] = people.make_token(hall.node, "test", "bernard")
    return "bernard"


def propose_signed_in(hall: Hall, body: dict[str, Any]) -> dict[str, Any]:
    """Amelie proposes at the console; what the API tells of it."""
    answer = hall.browser("amelie").send("/console/rules/new", act="propose", **body)
    assert answer.status_code == 303, answer.text
    about: dict[str, Any] = hall.api("amelie").get("/rulebooks").json()[0]
    return about


def propose(hall: Hall, body: dict[str, Any], login: str = "amelie") -> dict[str, Any]:
    answer = hall.api(login).post("/rulebooks", json=body)
    assert answer.status_code == 201, answer.text
    about: dict[str, Any] = answer.json()["about"]
    return about


def test_the_rulebook_in_force_is_told_with_text_and_reasons(hall: Hall) -> None:
    told = hall.api("reader").get("/rulebooks/in-force").json()
    assert told["text"] == NATIONAL
    assert told["about"]["digest"] == shipped("national").digest
    assert told["about"]["state"] == "in force"
    reasons = {policy["id"]: policy["reason"] for policy in told["policies"]}
    assert reasons["members.green"] == "up to TLP:GREEN goes to members of the federation"
    assert hall.api("claire").get("/rulebooks/in-force").status_code == 403


def test_a_text_is_checked_and_the_policy_at_fault_is_named(hall: Hall) -> None:
    api = hall.api("amelie")
    good = api.post("/rulebooks/check", json=TEXT)
    assert good.status_code == 200
    assert "no.green-to-be" in {policy["id"] for policy in good.json()["policies"]}
    bad = api.post(
        "/rulebooks/check", json={**TEXT, "text": TIGHTER.replace("tlp >= 2", "tpl >= 2")}
    )
    assert (bad.status_code, bad.json()["field"]) == (422, "no.green-to-be")
    assert "tpl" in bad.json()["detail"]
    assert hall.api("reader").post("/rulebooks/check", json=TEXT).status_code == 403


def test_a_text_that_would_end_the_process_is_refused_at_every_door(hall: Hall) -> None:
    deep = f'@id("deep") @reason("r") permit (principal, action, resource) when {{ {"(" * 99}true'
    body = {"name": "next", "text": deep + ")" * 99 + " };", "why": "x"}
    api = hall.api("amelie")
    without_why = {"name": body["name"], "text": body["text"]}
    for path, sent in (
        ("/rulebooks/check", without_why),
        ("/rulebooks/diff", without_why),
        ("/rulebooks/test", without_why | {"cases": ""}),
        ("/rulebooks", body),
    ):
        answer = api.post(path, json=sent)
        assert (answer.status_code, answer.json()["field"]) == (422, "deep")
        assert "too deep" in answer.json()["detail"]
    for act in ("look", "propose"):
        page = hall.browser("amelie").send("/console/rules/new", act=act, **body)
        assert page.status_code == 422
        assert "too deep" in page.text


OVERFLOWS = """@id("sum") @reason("r") permit (principal, action, resource)
when { resource.tlp * 9223372036854775807 > 0 };"""


@pytest.mark.parametrize(
    ("text", "cases", "field", "why"),
    [
        (NATIONAL, "party = 1", "cases", "party is not a table"),
        (NATIONAL, "case = 1", "cases", "case is not a list of tables"),
        (NATIONAL, "case = [1]", "cases", "case is not a list of tables"),
        (NATIONAL, "a = " + "[" * 500, "cases", "too deep"),
        (NATIONAL, ".".join(["a"] * 60_000) + " = 1", "cases", "line 1 cannot be read"),
        (OVERFLOWS, shipped_cases_text("national"), "sum", "calculates"),
    ],
)
def test_cases_that_cannot_be_asked_are_refused_with_the_place(
    hall: Hall, text: str, cases: str, field: str, why: str
) -> None:
    body = {"name": "next", "text": text, "cases": cases}
    answer = hall.api("amelie").post("/rulebooks/test", json=body)
    assert (answer.status_code, answer.json()["field"]) == (422, field)
    assert why in answer.json()["detail"]


def test_a_text_is_asked_its_cases(hall: Hall) -> None:
    cases = """
    [party.peer]
    kind = "node"
    country = "BE"
    [[case]]
    says = "GREEN goes to Belgium"
    subject = { tlp = "green" }
    party = "peer"
    relation = ["published", "direct"]
    expect = "disclose"
    for = ["members.green"]
    """
    told = hall.api("amelie").post("/rulebooks/test", json={**TEXT, "cases": cases}).json()
    assert told["asked"] == 1
    assert told["contradictions"][0].startswith("GREEN goes to Belgium: expected disclose")


def test_a_member_that_nobody_knows_is_told_but_no_text_that_stands_there(hall: Hall) -> None:
    api = hall.api("amelie")
    assert api.post("/rulebooks/diff", json={**TEXT, "nmae": 1}).json()["field"] == "nmae"
    answer = api.post("/rulebooks/diff", json={**TEXT, "Patient Maria Rossi": 1})
    assert answer.status_code == 422
    assert "Rossi" not in answer.text


def test_what_would_change_is_told_before_anything_does(hall: Hall) -> None:
    origin, event = hall.event("amelie", "green")
    hall.api("amelie").post(f"/events/{origin}/{event}/publish")
    told = hall.api("amelie").post("/rulebooks/diff", json=TEXT).json()
    assert (told["widens"], told["sentences"]) == (False, ["1 event recalled from node BE"])
    (party,) = told["parties"]
    assert party["parties"] == [BE]
    assert party["events"][0]["event"] == event
    assert party["events"][0]["reasons"][0]["id"] == "no.green-to-be"
    assert len(hall.api("amelie").get("/rulebooks").json()) == 1


def test_narrowing_is_in_force_at_once_and_widening_when_another_operator_approves(
    hall: Hall,
) -> None:
    narrowed = propose(hall, {**TEXT, "why": "a quarrel"})
    assert (narrowed["number"], narrowed["state"]) == (2, "in force")
    by_token = hall.api("amelie").post("/rulebooks", json=BACK)
    assert (by_token.status_code, by_token.json()["detail"]) == (
        403,
        "a person proposes what widens: sign in at the console",
    )
    widened = propose_signed_in(hall, BACK)
    assert (widened["number"], widened["state"]) == (3, "waiting")
    assert propose_signed_in(hall, BACK) == widened
    assert hall.api("amelie").get("/rulebooks/3/diff").json()["widens"]
    refused = hall.browser("amelie").send("/console/rules/3/approve")
    assert refused.status_code == 403
    assert "another operator" in refused.text
    bernard = second_operator(hall)
    by_token = hall.api(bernard).post("/rulebooks/3/approve")
    assert by_token.status_code == 403
    assert "sign in" in by_token.json()["detail"]
    assert hall.browser(bernard).send("/console/rules/3/approve").status_code == 303
    done = hall.api(bernard).get("/rulebooks/3").json()["about"]
    assert (done["state"], done["decided_by"]) == ("in force", "bernard")
    states = [each["state"] for each in hall.api("reader").get("/rulebooks").json()]
    assert states == ["in force", "replaced", "replaced"]
    assert hall.api("amelie").get("/peers").json()["rulebook"]["version"] == "3"


def test_a_proposal_is_turned_down_with_a_reason(hall: Hall) -> None:
    propose(hall, {**TEXT, "why": "a quarrel"})
    propose_signed_in(hall, BACK)
    api = hall.api("amelie")
    assert api.post("/rulebooks/3/reject", json={"reason": " "}).status_code == 422
    told = api.post("/rulebooks/3/reject", json={"reason": "not yet"}).json()["about"]
    assert (told["state"], told["note"]) == ("rejected", "not yet")
    assert api.post("/rulebooks/3/reject", json={"reason": "not yet"}).status_code == 409


@pytest.mark.parametrize("number", ["99", "0", "-1", "9999999999999999999999", "x"])
def test_a_number_that_is_none_is_answered_as_such(hall: Hall, number: str) -> None:
    assert hall.api("amelie").get(f"/rulebooks/{number}").status_code in {404, 422}
    assert hall.api("amelie").post(f"/rulebooks/{number}/approve").status_code in {404, 422}

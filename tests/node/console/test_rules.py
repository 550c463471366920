"""The pages of the rules: in force, history, a proposal with what it would change, the decision."""

import html
import re

import pytest

from node.actions import people
from tests.node.api.hall import PASSWORD, Hall, Visitor
from tests.node.federation.ruling import NATIONAL, TIGHTER

NEW = "/console/rules/new"


@pytest.fixture
def bernard(hall: Hall) -> Visitor:
    people.add_person(
        hall.node, "test", login="bernard", org=hall.node.org, role="operator", password=PASSWORD
    )
    return hall.browser("bernard")


def shared(hall: Hall) -> str:
    origin, event = hall.event("amelie", "green")
    hall.api("amelie").post(f"/events/{origin}/{event}/publish")
    return f"/console/events/{origin}/{event}"


def typed_text(page: str) -> str:
    found = re.search(r"<textarea id=\"text\"[^>]*>\n(.*?)</textarea>", page, re.DOTALL)
    assert found
    return html.unescape(found[1])


def test_the_page_tells_what_is_in_force_and_every_policy(hall: Hall) -> None:
    for login in ("amelie", "reader"):
        page = hall.browser(login).get("/console/rules").text
        assert hall.node.judge.rulebook.digest in page
        assert "up to TLP:GREEN goes to members of the federation" in page
        assert (NEW in page) == (login == "amelie")
        assert 'href="/console/rules" aria-current="page"' in page
    assert hall.browser("claire").get("/console/rules").status_code == 403


def test_the_form_holds_the_text_in_force_to_the_byte(hall: Hall) -> None:
    assert typed_text(hall.browser("amelie").get(NEW).text) == NATIONAL


def test_looking_shows_who_loses_what_and_changes_nothing(hall: Hall) -> None:
    event = shared(hall)
    visitor = hall.browser("amelie")
    page = visitor.send(NEW, text=TIGHTER, name="next", act="look").text
    assert "1 event recalled from node BE" in page
    assert f'href="{event}"' in page
    assert "no.green-to-be" in page
    assert "It lets nobody have more." in page
    assert typed_text(page) == TIGHTER
    assert hall.node.judge.rulebook.version == "1"


def test_what_only_takes_back_is_in_force_at_once(hall: Hall) -> None:
    visitor = hall.browser("amelie")
    answer = visitor.send(NEW, text=TIGHTER, name="next", why="a quarrel", act="propose")
    assert answer.headers["location"] == "/console/rules/2"
    assert "in force" in visitor.get("/console/rules/2").text
    assert hall.node.judge.rulebook.text == TIGHTER


def test_what_widens_waits_is_shown_to_the_second_operator_and_approved(
    hall: Hall, bernard: Visitor
) -> None:
    shared(hall)
    amelie = hall.browser("amelie")
    amelie.send(NEW, text=TIGHTER, name="next", why="a quarrel", act="propose")
    look = amelie.send(NEW, text=NATIONAL, name="national", act="look").text
    assert "It lets somebody have more." in look
    assert "1 event newly to node BE" in look
    amelie.send(NEW, text=NATIONAL, name="national", why="made up", act="propose")
    own = amelie.get("/console/rules/3").text
    assert "another operator has to approve it" in own
    assert "/console/rules/3/approve" not in own
    assert amelie.send("/console/rules/3/approve").status_code == 403
    assert "waits for another operator" in bernard.get("/console/rules").text
    page = bernard.get("/console/rules/3").text
    assert "1 event newly to node BE" in page
    answer = bernard.send("/console/rules/3/approve")
    assert answer.headers["location"] == "/console/rules/3"
    assert hall.node.judge.rulebook.version == "3"
    assert "Approved" in bernard.get("/console/rules/3").text


def test_a_proposal_is_turned_down_with_a_reason(hall: Hall, bernard: Visitor) -> None:
    amelie = hall.browser("amelie")
    amelie.send(NEW, text=TIGHTER, name="next", why="a quarrel", act="propose")
    amelie.send(NEW, text=NATIONAL, name="national", why="made up", act="propose")
    answer = bernard.send("/console/rules/3/reject", reason=" ")
    assert answer.status_code == 422
    assert "say it" in answer.text
    assert bernard.send("/console/rules/3/reject", reason="not yet").status_code == 303
    page = bernard.get("/console/rules/3").text
    assert "not yet" in page
    assert "/console/rules/3/reject" not in page
    assert hall.node.judge.rulebook.version == "2"


def test_a_text_that_is_no_rulebook_stays_typed_and_is_told_why(hall: Hall) -> None:
    text = TIGHTER.replace("tlp >= 2", "tpl >= 2")
    for act in ("look", "propose"):
        answer = hall.browser("amelie").send(NEW, text=text, name="next", why="x", act=act)
        assert answer.status_code == 422
        assert "This is no rulebook." in answer.text
        assert "no.green-to-be" in answer.text
        assert typed_text(answer.text) == text
    assert hall.node.judge.rulebook.version == "1"


def test_what_is_typed_wrongly_is_told_at_its_field(hall: Hall) -> None:
    answer = hall.browser("amelie").send(NEW, text=TIGHTER, name="next", why="", act="propose")
    assert answer.status_code == 422
    assert 'id="why-why"' in answer.text
    answer = hall.browser("amelie").send(NEW, text=TIGHTER, name="No name", act="look")
    assert 'id="name-why"' in answer.text


def test_hostile_words_are_shown_as_words(hall: Hall) -> None:
    evil = '"><script>alert(1)</script>'
    text = TIGHTER + f"// {evil}\n"
    visitor = hall.browser("amelie")
    visitor.send(NEW, text=text, name="next", why=evil, act="propose")
    for path in ("/console/rules", "/console/rules/2", NEW):
        assert "<script>alert" not in visitor.get(path).text


def test_both_sides_rules_stand_on_the_peers_page(hall: Hall) -> None:
    page = hall.browser("reader").get("/console/peers").text
    assert hall.node.judge.rulebook.digest in page
    assert "not told yet" in page


@pytest.mark.parametrize(
    "path", ["/console/rules/99", "/console/rules/x", "/console/rules/" + "9" * 30]
)
def test_a_rulebook_that_is_none_is_no_page(hall: Hall, path: str) -> None:
    assert hall.browser("amelie").get(path).status_code == 404


def test_who_is_no_operator_proposes_nothing(hall: Hall) -> None:
    assert hall.browser("reader").get(NEW).status_code == 403
    answer = hall.browser("reader").send(NEW, text=TIGHTER, name="next", why="x", act="propose")
    assert answer.status_code == 403

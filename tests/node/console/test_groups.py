"""The pages of sharing groups: the table, a new one, an edit with what it would change, the end."""

import re

from tests.node.api.hall import BE, VAL, Hall

STRANGER = "1c9e6a10-54c1-4f55-8a41-94a9d4b2aa78"
PAGE = "/console/groups"


def made(hall: Hall) -> str:
    """A group of BE, a hospital and somebody unknown; gives its page."""
    visitor = hall.browser("amelie")
    lines = f"BE\n{VAL.name}\n{STRANGER} CANARY <b>name"
    done = visitor.send(PAGE, name="Imaging incident", releasability="r", members=lines)
    assert done.status_code == 303, done.text
    page: str = done.headers["location"]
    return page


def shared(hall: Hall, page: str) -> None:
    group = page.rpartition("/")[2]
    origin, event = hall.event("amelie", "green", distribution="4", sharing_group_id=group)
    hall.api("amelie").post(f"/events/{origin}/{event}/publish")


def test_the_table_shows_who_cannot_be_reached(hall: Hall) -> None:
    made(hall)
    for login in ("amelie", "reader"):
        page = hall.browser(login).get(PAGE).text
        assert "Imaging incident" in page
        assert "CANARY &lt;b&gt;name" in page
        assert ("Make it" in page) == (login == "amelie")
    own = hall.browser("claire").get(PAGE).text
    assert "Imaging incident" in own
    assert "CANARY" not in own
    assert "Imaging incident" not in hall.browser("essais").get(PAGE).text


def test_an_edit_says_first_who_would_get_and_lose_what(hall: Hall) -> None:
    page = made(hall)
    shared(hall, page)
    visitor = hall.browser("amelie")
    form = {"name": "Imaging incident", "releasability": "", "members": "hub"}
    seen = visitor.send(page, **form, act="look").text
    for told in ("1 event newly to hub", "1 event taken from node BE", "1 event would be sealed"):
        assert told in seen
    assert BE in visitor.get(page).text
    assert visitor.send(page, **form, act="change").status_code == 303
    after = visitor.get(page).text
    assert BE not in after
    assert re.search(r"<textarea[^>]*>\n\S+ hub</textarea>", after)


def test_the_form_as_it_stands_changes_nothing(hall: Hall) -> None:
    page = made(hall)
    visitor = hall.browser("amelie")
    stands = re.search(r"<textarea[^>]*>\n(.*?)</textarea>", visitor.get(page).text, re.DOTALL)
    assert stands
    lines = stands[1].replace("&lt;", "<").replace("&gt;", ">")
    visitor.send(page, name="Imaging incident", releasability="r", members=lines, act="change")
    again = re.search(r"<textarea[^>]*>\n(.*?)</textarea>", visitor.get(page).text, re.DOTALL)
    assert again
    assert again[1] == stands[1]


def test_what_is_wrong_is_said_beside_what_was_typed(hall: Hall) -> None:
    page = made(hall)
    form = {"name": "n", "releasability": "", "members": "nobody at all"}
    answer = hall.browser("amelie").send(page, **form, act="change")
    assert answer.status_code == 422
    assert "members[0].org: is no uuid" in answer.text
    assert "nobody at all" in answer.text


def test_an_end_is_asked_once_and_then_stays(hall: Hall) -> None:
    page = made(hall)
    shared(hall, page)
    visitor = hall.browser("amelie")
    asked = visitor.get(f"{page}/end").text
    assert "1 event taken from node BE" in asked
    assert "End it for good" in asked
    assert visitor.send(f"{page}/end").status_code == 303
    after = visitor.get(page).text
    assert "This group has ended" in after
    assert "Show what would change" not in after
    assert hall.browser("reader").get(f"{page}/end").status_code == 403
    assert hall.browser("claire").send(f"{page}/end").status_code == 403

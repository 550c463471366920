"""Our own API through its door: every route, every role, what is refused and how it is told."""

import json
from typing import Any

import pytest

from tests.node.actions.house import CANARIES, ESSAIS
from tests.node.api.hall import BE, EARLY_WARNING, HUB, NOTIFICATION, REPORT_ID, Hall

NOBODY = "00000000-0000-4000-8000-000000000000"


def problem(answer: Any, status: int) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    told: dict[str, Any] = answer.json()
    assert told["status"] == status
    assert told["title"]
    assert told["detail"]
    return told


# ── Who is asked in ──────────────────────────────────────────────────────────────────────────────

ROUTES = [
    ("GET", "/me"),
    ("GET", "/events"),
    ("GET", f"/events/{NOBODY}/{NOBODY}"),
    ("GET", f"/events/{NOBODY}/{NOBODY}/explain?to={NOBODY}"),
    ("GET", f"/events/{NOBODY}/{NOBODY}/preview?to={NOBODY}"),
    ("GET", "/search?value=x"),
    ("GET", f"/incidents/{NOBODY}"),
    ("GET", f"/incidents/{NOBODY}/stages/1"),
    ("GET", "/holds"),
    ("GET", "/peers"),
    ("GET", "/picture"),
    ("POST", "/incidents"),
    ("POST", "/events"),
    ("POST", f"/events/{NOBODY}/{NOBODY}/attributes"),
    ("POST", f"/events/{NOBODY}/{NOBODY}/publish"),
    ("POST", f"/events/{NOBODY}/{NOBODY}/recall"),
    ("POST", "/releases/preview"),
    ("GET", f"/events/{NOBODY}/{NOBODY}/acts"),
    ("GET", f"/events/{NOBODY}/{NOBODY}/parts"),
    ("POST", f"/events/{NOBODY}/{NOBODY}/declarations"),
    ("GET", "/declarations"),
    ("POST", f"/declarations/{NOBODY}/{NOBODY}/file"),
    ("GET", "/ledger?value=x"),
    ("GET", f"/events/{NOBODY}/{NOBODY}/ledger"),
]


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_without_a_token_no_route_answers(hall: Hall, method: str, path: str) -> None:
    body: dict[str, Any] | None = {} if method == "POST" else None
    answer = hall.api().request(method, path, json=body)
    assert problem(answer, 401)["title"] == "Sign in"
    assert answer.headers["www-authenticate"] == "Bearer"


def test_a_wrong_token_opens_nothing(hall: Hall) -> None:
    api = hall.api("claire")
    token = hall.tokens["claire"]
    other = "1" if token.endswith("0") else "0"
    api.headers["Authorization"] = f"Bearer {token[:-1]}{other}"
    problem(api.get("/me"), 401)


def test_a_token_says_whom_it_stands_for(hall: Hall) -> None:
    me = hall.api("claire").get("/me").json()
    assert (me["name"], me["role"], me["node"]) == ("claire", "hospital", hall.node.org)


@pytest.mark.parametrize("login", ["claire", "reader"])
@pytest.mark.parametrize("act", ["publish", "recall"])
def test_only_an_operator_lets_go_or_takes_back(hall: Hall, login: str, act: str) -> None:
    origin, event = hall.report()
    path = f"/events/{origin}/{event}/{act}"
    problem(hall.api(login).post(path, json={"reason": "error"}), 403)


@pytest.mark.parametrize("path", ["/holds", "/peers", "/picture"])
def test_a_hospital_does_not_see_how_the_node_stands(hall: Hall, path: str) -> None:
    problem(hall.api("claire").get(path), 403)


def test_an_analyst_reads_and_does_not_report(hall: Hall) -> None:
    problem(hall.api("reader").post("/incidents", json=dict(EARLY_WARNING)), 403)


# ── Incidents ────────────────────────────────────────────────────────────────────────────────────


def test_a_stage_is_answered_with_what_is_due_and_again_the_same(hall: Hall) -> None:
    api = hall.api("claire")
    first = api.post("/incidents", json=dict(EARLY_WARNING))
    again = api.post("/incidents", json=dict(EARLY_WARNING))
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.content == again.content
    assert first.json()["due"]["early_warning"] == "2026-01-28T04:52:00Z"


def test_a_report_shows_its_stages_and_gives_back_what_was_sent(hall: Hall) -> None:
    hall.report()
    api = hall.api("claire")
    api.post("/incidents", json=dict(NOTIFICATION))
    report = api.get(f"/incidents/{REPORT_ID}").json()
    assert [each["stage"] for each in report["stages"]] == [
        "early_warning",
        "incident_notification",
    ]
    sent = api.get(f"/incidents/{REPORT_ID}/stages/1").json()
    assert sent["summary_internal"] == EARLY_WARNING["summary_internal"]


def test_a_hospital_never_reads_anothers_report(hall: Hall) -> None:
    origin, event = hall.report()
    other = hall.api("essais")
    unknown = problem(other.get(f"/incidents/{NOBODY}"), 404)
    assert problem(other.get(f"/incidents/{REPORT_ID}"), 404) == unknown
    assert problem(other.get(f"/incidents/{REPORT_ID}/stages/1"), 404) == unknown
    assert problem(other.get(f"/events/{origin}/{event}"), 404) == problem(
        other.get(f"/events/{origin}/{NOBODY}"), 404
    )
    hall.api("amelie").post(f"/events/{origin}/{event}/publish")
    seen = other.get(f"/events/{origin}/{event}")
    assert seen.status_code == 200
    assert [each for each in CANARIES if each in seen.text] == []


def test_every_field_at_fault_is_named(hall: Hall) -> None:
    body = {"stage": "early_warning", "aware_at": "yesterday", "cross_border": "perhaps"}
    told = problem(hall.api("claire").post("/incidents", json=body), 422)
    named = {told["field"], *(each["field"] for each in told["others"])}
    assert {"aware_at", "cross_border"} <= named
    assert told["fault"] == "caller"
    assert "yesterday" not in json.dumps(told)


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[]",
        b'{"stage": NaN}',
        b'{"stage": "early_warning", "title": "\\ud800"}',
        b'{"report_id": 5, "stage": "early_warning"}',
    ],
)
def test_what_is_no_stage_is_refused_as_a_problem(hall: Hall, body: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    problem(hall.api("claire").post("/incidents", content=body, headers=headers), 422)


def test_a_stage_that_takes_back_its_colour_is_taken(hall: Hall) -> None:
    body = {**EARLY_WARNING, "tlp": None}
    assert hall.api("claire").post("/incidents", json=body).status_code == 201


def test_staff_say_whose_report_they_mean_where_several_used_its_id(hall: Hall) -> None:
    hall.report()
    made = hall.api("essais").post("/incidents", json=dict(EARLY_WARNING)).json()
    staff = hall.api("amelie")
    assert "?org=" in problem(staff.get(f"/incidents/{REPORT_ID}"), 409)["detail"]
    problem(staff.get(f"/incidents/{REPORT_ID}/stages/1"), 409)
    chosen = staff.get(f"/incidents/{REPORT_ID}?org={ESSAIS.org}")
    assert chosen.json()["event"] == made["event"]
    assert staff.get(f"/incidents/{REPORT_ID}/stages/1?org={ESSAIS.org}").status_code == 200


def test_an_event_nested_too_deep_is_refused(hall: Hall) -> None:
    event = b'{"info":"x","y":' + b"[" * 1000 + b"]" * 1000 + b"}"
    headers = {"Content-Type": "application/json"}
    for login in ("claire", "amelie"):
        told = problem(
            hall.api(login).post(
                "/events", content=b'{"tlp":"green","Event":' + event + b"}", headers=headers
            ),
            422,
        )
        assert told["field"] == "Event"


# ── Events ───────────────────────────────────────────────────────────────────────────────────────


def test_an_event_is_added_once_published_and_taken_back(hall: Hall) -> None:
    api = hall.api("amelie")
    origin, event = hall.event("amelie", "green")
    path = f"/events/{origin}/{event}"
    assert api.get(path).json()["published"] is False
    first, again = api.post(f"{path}/publish", json={}), api.post(f"{path}/publish")
    assert (first.status_code, again.status_code) == (200, 200)
    assert first.content == again.content
    assert api.get(path).json()["published"] is True
    assert problem(api.post(f"{path}/recall", json={"reason": "whim"}), 422)["field"] == "reason"
    assert api.post(f"{path}/recall", json={"reason": "false_positive"}).status_code == 200
    problem(api.get(path), 404)


def test_attributes_are_added_to_ones_own_event_only(hall: Hall) -> None:
    origin, event = hall.event("claire", "green")
    more = {"Attribute": [{"type": "ip-dst", "category": "Network activity", "value": "192.0.2.9"}]}
    path = f"/events/{origin}/{event}/attributes"
    assert hall.api("claire").post(path, json=more).status_code == 201
    assert hall.api("claire").post(path, json=more).status_code == 200
    problem(hall.api("essais").post(path, json=more), 404)
    (hit,) = hall.api("claire").get("/search", params={"value": "192.0.2.9"}).json()
    assert (hit["event"], hit["value"]) == (event, "192.0.2.9")


def test_an_event_without_a_colour_of_its_node_is_refused(hall: Hall) -> None:
    told = problem(hall.api("amelie").post("/events", json={"Event": {"info": "x"}}), 422)
    assert told["field"] == "tlp"


def test_red_never_goes_out_by_token(hall: Hall) -> None:
    for login in ("claire", "amelie"):
        answer = hall.api(login).post(
            "/events", json={"Event": {"info": "Insider matter RED-CANARY"}, "tlp": "red"}
        )
        assert answer.status_code == 201
        origin, event = answer.json()["origin"], answer.json()["event"]
        for reader in ("claire", "amelie", "reader", "essais"):
            api = hall.api(reader)
            assert "RED-CANARY" not in api.get("/events").text
            assert "RED-CANARY" not in api.get(f"/events/{origin}/{event}").text
            for part in ("recall", "ledger"):  # not even that there is such an event
                assert api.get(f"/events/{origin}/{event}/{part}").status_code == 404


def test_pages_of_a_list_join_without_a_gap(hall: Hall) -> None:
    wanted = {hall.event("amelie", "green")[1] for _ in range(5)}
    api, after, found = hall.api("reader"), None, list[str]()
    while True:
        page = api.get("/events", params={"limit": 2} | ({"after": after} if after else {})).json()
        found += [row["event"] for row in page["rows"]]
        after = page["next"]
        if after is None:
            break
    assert len(found) == len(set(found))
    assert set(found) == wanted


@pytest.mark.parametrize(
    "path",
    [
        "/events?limit=0",
        "/events?limit=501",
        "/events?after=x",
        "/search",
        "/search?value=",
        "/events/x/y",
        f"/events/{NOBODY}/{NOBODY}/explain?to=x",
        "/incidents/%00",
    ],
)
def test_a_question_of_the_wrong_shape_is_a_problem(hall: Hall, path: str) -> None:
    assert problem(hall.api("amelie").get(path), 422)["fault"] == "caller"


# ── Decisions ────────────────────────────────────────────────────────────────────────────────────


def test_the_preview_is_the_package_that_the_explanation_names(hall: Hall) -> None:
    origin, event = hall.report()
    api, path = hall.api("amelie"), f"/events/{origin}/{event}"
    before = api.get(f"{path}/explain", params={"to": BE}).json()
    assert (before["sent"], before["size"]) == (0, 0)
    problem(api.get(f"{path}/preview", params={"to": BE}), 404)
    api.post(f"{path}/publish")
    after = api.get(f"{path}/explain", params={"to": BE}).json()
    package = api.get(f"{path}/preview", params={"to": BE})
    assert package.headers["content-type"] == "application/vnd.fisn.disclosure+ndjson"
    assert len(package.content) == after["size"] > 0
    assert [each for each in CANARIES if each.encode() in package.content] == []
    assert all(row["reasons"] for row in after["rows"] if row["effect"] == "withheld")


def test_who_does_not_answer_for_an_event_is_not_told_who_gets_it(hall: Hall) -> None:
    origin, event = hall.report()
    hall.api("amelie").post(f"/events/{origin}/{event}/publish")
    path = f"/events/{origin}/{event}/explain?to={HUB}"
    problem(hall.api("essais").get(path), 403)
    assert hall.api("claire").get(path).status_code == 200


def test_the_picture_and_the_peers_are_for_staff(hall: Hall) -> None:
    hall.report()
    picture = hall.api("reader").get("/picture").json()
    assert (picture["incidents"], picture["rows"][0]["country"]) == (1, "FR")
    state = hall.api("amelie").get("/peers").json()
    assert [peer["name"] for peer in state["peers"]] == ["node BE", "hub"]
    assert state["dirty"] == 1

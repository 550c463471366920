"""Sharing groups through the API: made, listed, foreseen, changed, ended; an event as MISP has it."""

from typing import Any

from tests.node.api.hall import BE, HUB, MISP, VAL, Hall

STRANGER = "1c9e6a10-54c1-4f55-8a41-94a9d4b2aa78"
BODY = {
    "name": "Imaging incident",
    "members": [{"org": BE}, {"org": VAL.org}, {"org": STRANGER, "name": "CANARY-NAME"}],
}


def made(hall: Hall, **more: Any) -> str:
    answer = hall.api("amelie").post("/sharing-groups", json={**BODY, **more})
    assert answer.status_code == 201, answer.text
    assert answer.json()["group"]["number"] == 1
    group: str = answer.json()["group"]["group"]
    return group


def shared(hall: Hall, group: str) -> tuple[str, str]:
    origin, event = hall.event("amelie", "green", distribution="4", sharing_group_id=group)
    assert hall.api("amelie").post(f"/events/{origin}/{event}/publish").is_success
    return origin, event


def test_an_operator_sees_every_member_and_how_it_is_reached(hall: Hall) -> None:
    group = made(hall)
    shared(hall, group)
    (told,) = hall.api("amelie").get("/sharing-groups").json()
    assert told == hall.api("reader").get(f"/sharing-groups/{group}").json()
    by = {each["org"]: (each["name"], each["reached_by"]) for each in told["members"]}
    assert by == {
        BE: ("node BE", BE),
        VAL.org: (VAL.name, VAL.org),
        STRANGER: ("CANARY-NAME", None),
    }
    assert (told["events"], told["version"], told["active"]) == (1, 1, True)


def test_a_hospital_is_shown_its_groups_without_the_others(hall: Hall) -> None:
    group = made(hall)
    (told,) = hall.api("claire").get("/sharing-groups").json()
    assert [each["org"] for each in told["members"]] == [VAL.org]
    for word in (BE, "CANARY", "amelie"):
        assert word not in hall.api("claire").get(f"/sharing-groups/{group}").text
    assert hall.api("essais").get("/sharing-groups").json() == []
    missing = hall.api("essais").get(f"/sharing-groups/{STRANGER}")
    hidden = hall.api("essais").get(f"/sharing-groups/{group}")
    assert (
        (hidden.status_code, hidden.text)
        == (missing.status_code, missing.text)
        == (404, missing.text)
    )


def test_a_change_is_foreseen_made_once_and_ended_for_good(hall: Hall) -> None:
    group, api = made(hall), hall.api("amelie")
    origin, event = shared(hall, group)
    to_hub = {"members": [{"org": HUB}]}
    seen = api.post(f"/sharing-groups/{group}/foresee", json={"change": to_hub}).json()
    gone = {each["name"]: (each["newly"], each["taken"]) for each in seen["parties"]}
    assert gone == {"hub": (1, 0), "node BE": (0, 1), VAL.name: (0, 1)}
    assert hall.api("claire").get(f"/events/{origin}/{event}").status_code == 200
    done = api.put(f"/sharing-groups/{group}", json=to_hub)
    assert (done.status_code, done.json()["relabelled"]) == (200, 1)
    assert hall.api("claire").get(f"/events/{origin}/{event}").status_code == 404
    assert api.put(f"/sharing-groups/{group}", json=to_hub).json()["relabelled"] == 0
    assert api.post(f"/sharing-groups/{group}/end").json()["group"]["active"] is False
    assert api.put(f"/sharing-groups/{group}", json=BODY).status_code == 409


def test_a_token_gives_what_a_hospital_brought_to_nobody_else(hall: Hall) -> None:
    api = hall.api("amelie")
    group = made(hall, members=[{"org": HUB}, {"org": VAL.org}])
    origin, event = hall.event("claire", "green", distribution="4", sharing_group_id=group)
    assert api.post(f"/events/{origin}/{event}/publish").is_success
    wider = {"members": [{"org": HUB}, {"org": VAL.org}, {"org": BE}]}
    refused = api.put(f"/sharing-groups/{group}", json=wider)
    assert refused.status_code == 403
    assert "sign in" in refused.text
    assert api.get(f"/events/{origin}/{event}/preview?to={BE}").status_code == 404
    assert api.put(f"/sharing-groups/{group}", json={"members": [{"org": VAL.org}]}).is_success
    assert api.put(f"/sharing-groups/{group}", json={"name": "Another"}).is_success


def test_only_an_operator_changes_groups_and_wrong_members_are_named(hall: Hall) -> None:
    group = made(hall)
    for login in ("claire", "reader"):
        api = hall.api(login)
        assert api.post("/sharing-groups", json=BODY).status_code == 403
        assert api.put(f"/sharing-groups/{group}", json={}).status_code == 403
        assert api.post(f"/sharing-groups/{group}/foresee", json={}).status_code == 403
        assert api.post(f"/sharing-groups/{group}/end").status_code == 403
    twice = hall.api("amelie").put(f"/sharing-groups/{group}", json={"members": [{"org": BE}] * 2})
    assert (twice.status_code, twice.json()["field"]) == (422, "members[1]")
    assert (
        hall.api("amelie").post("/sharing-groups", json={**BODY, "group": group}).status_code == 409
    )


def test_an_event_reads_as_misp_has_it_with_the_words_of_its_source(hall: Hall) -> None:
    group = made(hall)
    origin, event = shared(hall, group)
    own = hall.api("amelie").get(f"/events/{origin}/{event}/misp").json()["Event"]
    assert (own["distribution"], own["sharing_group_id"]) == ("4", "1")
    assert own["SharingGroup"]["SharingGroupOrg"]
    other = hall.api("claire").get(f"/events/{origin}/{event}/misp").json()["Event"]
    assert other["Attribute"][0]["value"] == "login-portal.example"
    assert other["distribution"] == "0"
    assert "SharingGroup" not in other
    assert hall.api("essais").get(f"/events/{origin}/{event}/misp").status_code == 404


def test_a_group_that_is_none_of_ones_own_is_refused_by_its_place(hall: Hall) -> None:
    event = {"Event": {**MISP, "distribution": 4, "sharing_group_id": STRANGER}, "tlp": "green"}
    answer = hall.api("claire").post("/events", json=event)
    assert answer.status_code == 422
    assert "Event.sharing_group_id: is no sharing group that you know here" in answer.text

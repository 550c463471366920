"""Holds, releases, files and the ledger through the API."""

import base64
import io
import zipfile
from typing import Any

from node.actions import people
from node.storage.people import Org
from tests.node.api.hall import BE, FR, NOTIFICATION, Hall
from tests.node.api.test_own import problem

POLICE = Org("1c9e6a10-54c1-4f55-8a41-94a9d4b2aa09", "Police", "law_enforcement", "FR")


def held(hall: Hall, party: str) -> list[dict[str, Any]]:
    holds = hall.api("amelie").get("/holds").json()
    return [each for each in holds if each["party"] == party]


def published(hall: Hall) -> tuple[str, str]:
    origin, event = hall.report()
    hall.api("claire").post("/incidents", json=dict(NOTIFICATION))
    hall.api("amelie").post(f"/events/{origin}/{event}/publish")
    return origin, event


def choice(*holds: dict[str, Any]) -> dict[str, Any]:
    names = ("record", "slot_type", "content")
    slots = [{name: each[name] for name in names} for each in holds]
    return {name: holds[0][name] for name in ("origin", "event", "party")} | {"slots": slots}


def let_go(hall: Hall, login: str, *holds: dict[str, Any], **form: str) -> None:
    """Release at the console, as a person."""
    first = holds[0]
    answer = hall.browser(login).send(
        f"/console/holds/{first['origin']}/{first['event']}/{first['party']}",
        slot=[f"{each['record']}:{each['slot_type']}:{each['content']}" for each in holds],
        **form,
    )
    assert answer.status_code == 303, answer.text


def test_what_is_held_goes_when_an_operator_releases_it(hall: Hall) -> None:
    published(hall)
    api = hall.api("amelie")
    (hold,) = held(hall, BE)
    assert hold["field"] == "appointments_postponed"
    assert hold["size"] > 0
    assert hold["reasons"][0]["id"] == "hold.clinical"
    shown = api.post("/releases/preview", json=choice(hold))
    assert b"100-499" in shown.content
    wrong = choice(hold | {"slot_type": 1})
    problem(api.post("/releases/preview", json=wrong), 404)
    stale = choice(hold | {"content": "0" * 64})
    problem(api.post("/releases/preview", json=stale), 409)
    let_go(hall, "amelie", hold, reason="agreed by telephone")
    assert held(hall, BE) == []
    one = f"/events/{hold['origin']}/{hold['event']}"
    after = api.get(f"{one}/preview?to={BE}")
    assert after.content == shown.content
    assert (
        shown.headers["x-projection-digest"] == api.get(f"{one}/explain?to={BE}").json()["digest"]
    )


def test_an_act_is_told_with_the_envelope_that_proves_it(hall: Hall) -> None:
    published(hall)
    (hold,) = held(hall, BE)
    api = hall.api("amelie")
    let_go(hall, "amelie", hold, reason="agreed")
    (act,) = api.get(f"/events/{hold['origin']}/{hold['event']}/acts").json()
    assert (act["person"], act["role"], act["reason"]) == ("amelie", "operator", "agreed")
    assert act["envelope"]["payloadType"] == "application/vnd.fisn.release.v1+json"
    assert b"amelie" in base64.b64decode(act["envelope"]["payload"])
    problem(hall.api("claire").get(f"/events/{hold['origin']}/{hold['event']}/acts"), 403)


def test_no_route_releases_anything_since_a_token_is_no_person(hall: Hall) -> None:
    published(hall)
    (hold,) = held(hall, BE)
    api = hall.api("amelie")
    answer = api.post("/releases", json=choice(hold) | {"reason": "please"})
    assert answer.status_code == 404  # there is no such route
    assert held(hall, BE) == [hold]


def test_a_file_is_declared_released_by_two_and_handed_over(hall: Hall) -> None:
    people.enrol_org(hall.node, "test", POLICE)
    origin, event = published(hall)
    api, one = hall.api("amelie"), f"/events/{origin}/{event}"
    parts = api.get(f"{one}/parts").json()
    slots = [
        {"record": each["record"], "slot_type": each["slot_type"]}
        for each in parts
        if each["name"] == "entity_name"
    ]
    body = {"to": POLICE.org, "slots": slots}
    first, again = (api.post(f"{one}/declarations", json=body) for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 200)
    made = first.json()["event"]
    path = f"/declarations/{FR}/{made}/file"
    assert "waits" in problem(api.post(path), 409)["detail"]
    for login in ("amelie", "reader"):
        order = {"ground": "order", "reference": "PR 26/0412"}
        let_go(hall, login, *held(hall, POLICE.org), reason="asked by the case officer", **order)
    (state,) = api.get("/declarations").json()
    assert (state["state"], state["acts"]) == ("released", ["amelie, operator", "reader, analyst"])
    file = api.post(path)
    assert file.headers["content-type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(file.content)) as archive:
        assert b"CH Val-Exemple" in archive.read("declaration.ndjson")
    problem(hall.api("reader").post(path), 403)


def test_the_ledger_answers_by_value_and_by_event(hall: Hall) -> None:
    origin, event = published(hall)
    api = hall.api("amelie")
    assert api.get("/ledger?value=198.51.100.23").json() == []
    told = api.get(f"/events/{origin}/{event}/ledger").json()
    assert (told["lines"], told["things"], told["more"]) == ([], [], 0)
    assert hall.api("claire").get(f"/events/{origin}/{event}/ledger").status_code == 200
    problem(hall.api("claire").get("/ledger?value=198.51.100.23"), 403)
    problem(hall.api("essais").get(f"/events/{origin}/{event}/ledger"), 404)

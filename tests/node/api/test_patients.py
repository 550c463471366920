"""Patient data at the API: refused with every place, and released by no token."""

from typing import Any

import pytest

from node.actions.patients import release_findings
from node.actions.people import caller_named
from tests.node.api.hall import EARLY_WARNING, FR, MISP, Hall
from tests.node.api.test_own import problem

TEXT = "Screen of the patient Jeanne Sorensen, born 3 April 1961, was left open."
WHY = "an invented person of an exercise"


def event(text: str) -> dict[str, Any]:
    said = {"type": "comment", "category": "Other", "value": text}
    return {"Event": {**MISP, "Attribute": [*MISP["Attribute"], said]}, "tlp": "green"}


def report(text: str) -> dict[str, Any]:
    return {**EARLY_WARNING, "summary_internal": text}


@pytest.mark.parametrize(
    ("path", "make", "place"),
    [("/incidents", report, "summary_internal"), ("/events", event, "attributes/2/value")],
)
def test_a_problem_lists_each_finding_and_never_the_text(
    hall: Hall, path: str, make: Any, place: str
) -> None:
    answer = hall.api("claire").post(path, json=make(TEXT))
    told = problem(answer, 422)
    assert "Sorensen" not in answer.text
    assert "1961" not in answer.text
    name, birth = told["findings"]
    assert name == {
        "path": place,
        "start": TEXT.index("Jeanne"),
        "end": TEXT.index(","),
        "kind": "name",
        "reason": "patients.name.after-patient",
        "sentence": "a name follows a word for patient",
        "id": name["id"],
    }
    assert (birth["kind"], birth["path"]) == ("birth", place)
    assert told["field"] == place
    assert name["id"] in told["detail"]
    assert hall.api("claire").get("/events").json()["rows"] == []


def test_after_a_persons_release_the_same_request_passes(hall: Hall) -> None:
    api = hall.api("claire")
    found = problem(api.post("/incidents", json=report(TEXT)), 422)["findings"]
    person = caller_named(hall.node, "claire")
    release_findings(hall.node, person, [each["id"] for each in found], WHY)
    assert api.post("/incidents", json=report(TEXT)).status_code == 201
    problem(api.post("/incidents", json=report(f"{TEXT} Again.")), 422)


def test_what_was_released_is_listed_with_its_signed_word(hall: Hall) -> None:
    for login in ("claire", "essais"):
        release_findings(hall.node, caller_named(hall.node, login), ["ab" * 16], WHY)
    (mine,) = hall.api("claire").get("/patients/releases").json()
    assert (mine["person"], mine["finding"], mine["reason"]) == ("claire", "ab" * 16, WHY)
    assert mine["envelope"]["payloadType"].startswith("application/vnd.fisn.patient-release")
    assert len(hall.api("reader").get("/patients/releases").json()) == 2


def test_no_route_lets_a_token_release(hall: Hall) -> None:
    for login in ("claire", "amelie"):
        answer = hall.api(login).post("/patients/releases", json={"findings": ["ab" * 16]})
        assert answer.status_code == 405
    assert hall.api("amelie").get("/patients/releases").json() == []


def test_attributes_are_looked_through_as_well(hall: Hall) -> None:
    origin, one = hall.event("claire", "green")
    assert origin == FR
    given = {"Attribute": event(TEXT)["Event"]["Attribute"]}
    path = f"/events/{origin}/{one}/attributes"
    found = problem(hall.api("claire").post(path, json=given), 422)["findings"]
    assert [each["path"] for each in found] == ["attributes/2/value"] * 2

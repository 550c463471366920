"""The API's description: complete, with examples, and readable without a network."""

from dataclasses import replace
from typing import Any

import pytest

from node.actions import people
from sharing.incidents.fields import FIELDS
from tests.node.actions.house import ESSAIS
from tests.node.api.hall import Hall


@pytest.fixture
def described(hall: Hall) -> dict[str, Any]:
    told: dict[str, Any] = hall.browser().get("/api/v1/openapi.json").json()
    return told


def test_every_route_names_its_answer_and_its_refusals(described: dict[str, Any]) -> None:
    assert described["openapi"].startswith("3.1")
    for path, methods in described["paths"].items():
        for method, route in methods.items():
            answers = route["responses"]
            assert {"401", "403", "404", "409", "422"} <= set(answers), path
            assert "application/problem+json" in answers["422"]["content"]
            assert route["description"], path
            assert route["security"], path
            first = answers["201" if "201" in answers else "200"]["content"]
            assert any(each for each in first.values()), (path, method)


def test_the_description_knows_every_field_a_report_may_have(described: dict[str, Any]) -> None:
    stage = described["components"]["schemas"]["StageBody"]
    wanted = {name for name, row in FIELDS.items() if row.type != "forbidden"}
    assert wanted <= set(stage["properties"])
    assert stage["examples"]


def test_the_example_of_a_report_is_taken_as_it_stands(
    hall: Hall, described: dict[str, Any]
) -> None:
    people.enrol_org(hall.node, "test", replace(ESSAIS, details={}))  # nobody known to call back
    (example,) = described["components"]["schemas"]["StageBody"]["examples"]
    answer = hall.api("essais").post("/incidents", json=example)
    assert answer.status_code == 201, answer.text


def test_the_example_of_an_event_is_taken_with_its_twin(
    hall: Hall, described: dict[str, Any]
) -> None:
    schemas = described["components"]["schemas"]
    told = schemas["EventBody"]["properties"]["Event"]
    assert all(
        "`twin`" in schemas[name]["properties"][what]["description"]
        for name, what in (
            ("EventBody", "Event"),
            ("AttributesBody", "Attribute"),
        )
    )
    done = hall.api("amelie").post("/events", json={"Event": told["examples"][0], "tlp": "green"})
    assert done.status_code == 201, done.text
    event = done.json()
    seen = hall.api("amelie").get(f"/events/{event['origin']}/{event['event']}").json()
    twins = [each["twin"]["value"] for each in seen["event"]["attributes"] if "twin" in each]
    assert twins == ["198.51.100.0/24"]
    page = hall.browser("amelie").get(f"/console/events/{event['origin']}/{event['event']}").text
    assert "to others <code>198.51.100.0/24</code>" in page


@pytest.mark.parametrize(
    ("body", "kind", "detail"),
    [
        (b'{"a": }', "application/json", "body: no JSON at byte 6: "),
        ('{"é": }'.encode(), "application/json", "body: no JSON at byte 7: "),
        (b'{"stage": "early_warning"}', None, "body: not read as JSON; send Content-Type: app"),
        (b'{"stage": "early_warning"}', "text/plain", "body: not read as JSON; send Content-Type"),
    ],
)
def test_a_body_that_is_not_read_is_told_as_such(
    hall: Hall, body: bytes, kind: str | None, detail: str
) -> None:
    headers = {"Content-Type": kind} if kind else {}
    answer = hall.api("claire").post("/incidents", content=body, headers=headers)
    told = answer.json()
    assert answer.status_code == 422
    assert told["detail"].startswith(detail)
    assert "field" not in told


def test_the_page_of_the_description_needs_nobody_else(hall: Hall) -> None:
    visitor = hall.browser()
    page = visitor.get("/docs")
    assert "<script>" not in page.text
    assert "http:" not in page.text
    assert "https:" not in page.text
    for name in ("start.js", "swagger-ui-bundle.js", "swagger-ui.css"):
        assert f"/docs/{name}" in page.text
        assert visitor.get(f"/docs/{name}").status_code == 200
    assert visitor.get("/docs/favicon.png").status_code == 404

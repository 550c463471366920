"""The pages of the hub, for its analyst."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from node.actions import people
from node.app import create_app
from tests.node.api.hall import PASSWORD, Visitor
from tests.node.nodes import ORG, HandClock, make_node


@pytest.fixture
def analyst(tmp_path: Path) -> Iterator[Visitor]:
    node = make_node(tmp_path, HandClock(), role="hub")
    people.add_person(node, "test", login="eleni", org=ORG, role="hub_analyst", password=PASSWORD)
    visitor = Visitor(TestClient(create_app(node), follow_redirects=False))
    done = visitor.post("/console/sign-in", {"login": "eleni", "password": PASSWORD})
    assert done.status_code == 303
    yield visitor
    node.close()


def test_the_hubs_analyst_begins_with_the_picture(analyst: Visitor) -> None:
    assert analyst.get("/console").headers["location"] == "/console/picture"
    for path in ("/console/picture", "/console/events", "/console/peers"):
        assert analyst.get(path).status_code == 200
    assert "No incidents are known." in analyst.get("/console/picture").text


def test_the_hubs_analyst_neither_reports_nor_releases(analyst: Visitor) -> None:
    assert analyst.get("/console/report").status_code == 403
    assert analyst.get("/console/holds").status_code == 403

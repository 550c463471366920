"""The whole application of one node: its faces, and what every answer has in common."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text
from starlette.testclient import TestClient
from structlog.testing import capture_logs

from federation.transport import Transport
from node import app as app_module
from node.app import create_app
from node.node import Node
from tests.node.nodes import HandClock, make_node


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    made = make_node(tmp_path, HandClock())
    yield made
    made.close()


@pytest.fixture
def client(node: Node) -> TestClient:
    return TestClient(create_app(node), follow_redirects=False)


def test_the_front_door_leads_people_to_the_console(client: TestClient) -> None:
    answer = client.get("/")
    assert (answer.status_code, answer.headers["location"]) == (303, "/console")


def test_a_node_says_that_it_lives_and_that_it_is_ready(client: TestClient, node: Node) -> None:
    assert client.get("/healthz").text == "ok\n"
    assert client.get("/readyz").status_code == 200
    with node.store.write() as unit:
        unit.connection.execute(text("UPDATE alembic_version SET version_num = '0000'"))
    assert client.get("/readyz").status_code == 503
    assert client.get("/healthz").status_code == 200


@pytest.mark.parametrize("path", ["/fed/v1/feed", "/api/v1/me", "/console", "/docs"])
def test_every_face_is_there_and_strict(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code != 404
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "unsafe" not in answer.headers["content-security-policy"]


def test_the_log_names_the_whole_route_behind_every_face(client: TestClient) -> None:
    paths = ["/api/v1/events/a/b", "/console/events/a/b", "/fed/v1/packages/a"]
    with capture_logs() as lines:
        for path in paths:
            client.get(path)
    assert [line["route"] for line in lines if line["event"] == "request"] == [
        "/api/v1/events/{origin}/{event}",
        "/console/events/{origin}/{event}",
        "/fed/v1/packages/{digest}",
    ]


@pytest.mark.parametrize("path", ["/fed/v1/feed", "/api/v1/me", "/api/v1/events"])
def test_strangers_get_nothing(client: TestClient, path: str) -> None:
    assert client.get(path).status_code == 401


@pytest.mark.parametrize(
    "path", ["//fed/v1/feed", "/fed/v1//feed", "/FED/v1/feed", "/api/v1/events/", "/redoc"]
)
def test_no_other_spelling_of_a_path_reaches_a_face(client: TestClient, path: str) -> None:
    assert client.get(f"http://testserver{path}").status_code == 404


def test_the_description_of_the_api_names_no_other_face(client: TestClient) -> None:
    paths = client.get("/api/v1/openapi.json").json()["paths"]
    assert paths
    assert all(path.startswith("/api/v1/") for path in paths)


def test_the_schedule_runs_while_the_application_does(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []

    class Recorded:
        def __init__(self, given: Node, transport: Transport) -> None:
            assert given is node

        def start(self) -> None:
            told.append("start")

        def stop(self) -> None:
            told.append("stop")

    monkeypatch.setattr(app_module, "Schedule", Recorded)
    with TestClient(create_app(node)):
        assert told == []
    with TestClient(create_app(node, transport=Transport())):
        assert told == ["start"]
    assert told == ["start", "stop"]

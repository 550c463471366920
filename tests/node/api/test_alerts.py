"""Alerts through the API and the console, and as a stream over a real socket."""

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any

import httpx2
import pytest
import uvicorn

from node.actions.people import revoke_token
from node.api import alerts_stream
from tests.node.api.hall import FR, Hall

PATIENCE_S = 30.0


@dataclass
class Heard:
    """One event of a stream."""

    id: int
    kind: str
    data: dict[str, Any]


@contextmanager
def served(hall: Hall) -> Iterator[str]:
    """The hall on a port of loopback."""
    with closing(socket.socket()) as bound:
        bound.bind(("127.0.0.1", 0))
        port = int(bound.getsockname()[1])
    config = uvicorn.Config(
        hall.app, host="127.0.0.1", port=port, log_level="warning", timeout_graceful_shutdown=1
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + PATIENCE_S
    while not server.started:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    try:
        yield f"http://127.0.0.1:{port}/api/v1"
    finally:
        server.should_exit = True
        thread.join(PATIENCE_S)


@contextmanager
def listening(base: str, token: str, last: int | None = None) -> Iterator[Iterator[Heard]]:
    """A hospital's stream."""
    headers = {"Authorization": f"Bearer {token}"}
    if last is not None:
        headers["Last-Event-ID"] = str(last)
    with (
        httpx2.Client(timeout=PATIENCE_S, trust_env=False) as client,
        client.stream("GET", f"{base}/alerts/stream", headers=headers) as answer,
    ):
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert answer.headers["x-accel-buffering"] == "no"
        assert "no-transform" in answer.headers["cache-control"]
        yield read(answer.iter_lines())


def read(lines: Iterator[str]) -> Iterator[Heard]:
    said: dict[str, str] = {}
    for line in lines:
        if not line and "id" in said:
            yield Heard(int(said["id"]), said["event"], json.loads(said["data"]))
            said = {}
        name, colon, value = line.partition(": ")
        if name and colon:
            said[name] = value


def alert(hall: Hall, info: str, tlp: str = "green", **more: Any) -> tuple[str, str]:
    origin, event = hall.event("amelie", tlp, info=info, **more)
    done = hall.api("amelie").post(f"/events/{origin}/{event}/alert", json={})
    assert done.status_code == 200, done.text
    return origin, event


@pytest.mark.loopback
def test_a_stream_tells_at_once_what_its_hospital_may_see_and_nothing_else(hall: Hall) -> None:
    with served(hall) as base, listening(base, hall.tokens["claire"]) as stream:
        time.sleep(1.5)  # it only tells what comes after it was opened
        alert(hall, "Red canary", "red")
        alert(hall, "For everybody")
        first = next(stream)
        assert (first.kind, first.data["info"], first.data["tlp"]) == (
            "alert",
            "For everybody",
            "green",
        )


@pytest.mark.loopback
def test_a_stream_that_comes_back_loses_none_and_doubles_none(hall: Hall) -> None:
    with served(hall) as base:
        for n in range(3):
            alert(hall, f"Before {n}")
        with listening(base, hall.tokens["claire"], last=1) as stream:
            assert [next(stream).id for _ in range(2)] == [2, 3]
            alert(hall, "While it listens")
            assert next(stream).id == 4
        for n in range(2):
            alert(hall, f"While it is away {n}")
        with listening(base, hall.tokens["claire"], last=4) as stream:
            alert(hall, "Back again")
            assert [next(stream).id for _ in range(3)] == [5, 6, 7]


@pytest.mark.loopback
def test_what_another_process_told_comes_within_the_next_look(hall: Hall) -> None:
    with served(hall) as base, listening(base, hall.tokens["claire"], last=0) as stream:
        hall.node.bell._listeners.clear()
        alert(hall, "From elsewhere")
        assert next(stream).data["info"] == "From elsewhere"


@pytest.mark.loopback
def test_a_stream_ends_with_its_token(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alerts_stream, "CHECK_S", 0.0)
    token = hall.tokens["claire"]
    with served(hall) as base, listening(base, token, last=0) as stream:
        alert(hall, "First")
        assert next(stream).id == 1
        revoke_token(hall.node, "test", "claire", token[:12])
        assert list(stream) == []


def test_a_stream_takes_no_stranger_and_no_odd_number(hall: Hall) -> None:
    assert hall.api().get("/alerts/stream").status_code == 401
    for odd in ("-1", "1.5", "x", "9" * 20, "١"):
        answer = hall.api("claire").get("/alerts/stream", params={"after": odd})
        assert answer.status_code == 422, odd


def test_alerts_are_read_and_acknowledged_by_their_organisation_alone(hall: Hall) -> None:
    origin, event = alert(hall, "For everybody")
    api = hall.api("claire")
    (one,) = api.get("/alerts").json()
    assert (one["number"], one["info"], one["seen_by"]) == (1, "For everybody", None)
    assert api.post("/alerts/1/acknowledge").json()["seen_by"] == "claire"
    assert api.post("/alerts/2/acknowledge").status_code == 404
    assert api.get(f"/events/{origin}/{event}/alerts").status_code == 403
    states = hall.api("amelie").get(f"/events/{origin}/{event}/alerts").json()
    seen = {state["name"]: state["seen_by"] for state in states}
    assert seen["CH Val-Exemple"] == "claire"
    assert seen["Clinique des Essais"] is None


def test_ways_are_set_by_those_they_belong_to(hall: Hall) -> None:
    api = hall.api("claire")
    words = {"mail": "soc@hospital.example", "second_mail": "", "language": "fr"}
    assert api.put("/alerts/contacts", json=words).json()["language"] == "fr"
    made = api.put("/alerts/webhook", json={"url": "https://siem.hospital.example/isac"}).json()
    assert made["secret"].startswith("whsec_")
    shown = api.get("/alerts/ways")
    assert made["secret"] not in shown.text
    assert shown.json()["webhook"] == "https://siem.hospital.example/isac"
    assert api.get("/alerts/ways", params={"org": FR}).status_code == 403
    assert hall.api("reader").put("/alerts/contacts", json=words).status_code == 403


def test_the_console_shows_alerts_and_takes_one_click(hall: Hall) -> None:
    origin, event = alert(hall, "For everybody")
    claire = hall.browser("claire")
    assert "For everybody" in claire.get("/console/alerts").text
    assert "For everybody" in claire.get("/console/alerts/rows").text
    assert claire.send("/console/alerts/1/acknowledge").status_code == 303
    assert "claire" in claire.get("/console/alerts").text
    amelie = hall.browser("amelie")
    told = amelie.get(f"/console/events/{origin}/{event}/alerts").text
    assert "CH Val-Exemple" in told
    assert "not yet" in told
    assert claire.get(f"/console/events/{origin}/{event}/alerts").status_code == 403


def test_the_console_sends_an_alert_and_sets_where_they_go(hall: Hall) -> None:
    origin, event = hall.event("amelie", "green")
    amelie = hall.browser("amelie")
    path = f"/console/events/{origin}/{event}/alert"
    assert "Send this event as an alert?" in amelie.get(path).text
    assert amelie.send(path).status_code == 303
    claire = hall.browser("claire")
    assert "Phishing" in claire.get("/console/alerts").text
    assert claire.get(path).status_code == 403
    words = {"mail": "soc@hospital.example", "second_mail": "", "language": "fr"}
    assert claire.send("/console/alerts/ways", **words).status_code == 303
    assert "soc@hospital.example" in claire.get("/console/alerts/ways").text
    assert claire.send("/console/alerts/ways", **words | {"mail": "x"}).status_code == 422
    hook = claire.send("/console/alerts/webhook", url="https://siem.hospital.example/isac")
    assert "whsec_" in hook.text
    assert claire.send("/console/alerts/webhook", url="https://10.0.0.1/").status_code == 422

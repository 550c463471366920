"""A hospital that asks cannot tell from any answer what else the node holds.

Two nodes that differ in nothing but what this hospital may not see are asked the same, by the API
and by pages: answers must be the same but for names that are drawn by chance.
"""

import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest

from tests.node.api.hall import FR, MISP, REPORT_ID, Hall, open_hall

MISSING = "00000000-0000-4000-8000-000000000000"
TAKEN = "5e1f8a30-7d1c-4b5e-9a2f-6d5c4b3a2f10"
SECRET = "only-the-others-know.example"
PASSING = re.compile(
    rb"(?i)x-request-id: \w+|name=\"csrf\" value=\"[^\"]*\"|[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f-]{17}"
    rb"|[0-9a-f]{64}|isac-[0-9a-f]+=[^;]*"
)
"""What is drawn anew each time: ids of requests, tokens of forms, uuids and digests of new things."""

TOLD: dict[str, Any] = {
    **MISP,
    "Attribute": [{"type": "domain", "category": "Network activity", "value": SECRET}],
}


def nothing_more(hall: Hall) -> None:
    del hall


def much_more(hall: Hall) -> None:
    """Another hospital's report and events, and the staff's, none of them for this hospital."""
    hall.report()
    for login in ("claire", "amelie"):
        for tlp in ("amber+strict", "red"):
            origin, event = hall.event(login, tlp, **{**TOLD, "info": f"{login} {tlp}"})
            published = hall.api("amelie").post(f"/events/{origin}/{event}/publish")
            assert published.is_success
    hall.event("claire", "green", uuid=TAKEN, **TOLD)  # it stays unpublished
    hall.api("amelie").post("/sharing-groups", json={"name": "theirs", "members": []})


def ask_all(hall: Hall) -> dict[str, bytes]:
    """What the hospital ESSAIS is answered: lists, searches, misses, clashes, errors."""
    api, page = hall.api("essais"), hall.browser("essais")
    own = {"Event": {**TOLD, "uuid": TAKEN, "info": "mine"}, "tlp": "green"}
    gets = [
        "/events",
        "/events?limit=1",
        f"/search?value={SECRET}",
        f"/events?after={FR}.{TAKEN}",
        f"/events/{FR}/{TAKEN}",
        f"/events/{FR}/{MISSING}",
        f"/events/{FR}/{TAKEN}/explain?to={FR}",
        f"/events/{FR}/{TAKEN}/ledger",
        f"/events/{FR}/{TAKEN}/misp",
        f"/incidents/{REPORT_ID}",
        f"/incidents/{REPORT_ID}/stages/1",
        "/holds",
        "/declarations",
        f"/ledger?value={SECRET}",
        "/peers",
        "/picture",
        "/sharing-groups",
        "/alerts",
        "/patients/releases",
    ]
    pages = ["/console/events", f"/console/events?value={SECRET}", f"/console/events/{FR}/{TAKEN}"]
    answers: dict[str, Callable[[], Any]] = {
        **{f"GET {path}": partial(api.get, path) for path in gets},
        **{f"GET {path}": partial(page.get, path) for path in pages},
        "a uuid that another has used": lambda: api.post("/events", json=own),
        "the same again": lambda: api.post("/events", json=own),
        "an event of no colour": lambda: api.post("/events", json={"Event": {"info": 7}}),
        "adding to what is not there": lambda: api.post(
            f"/events/{FR}/{MISSING}/attributes", json={"Attribute": []}
        ),
        "a report's id that another has used": lambda: api.post(
            "/incidents", json={"stage": "final_report", "report_id": REPORT_ID}
        ),
        "the list afterwards": lambda: api.get("/events"),
        "its page afterwards": lambda: page.get("/console/events"),
    }
    return {name: _plain(ask()) for name, ask in answers.items()}


def _plain(answer: Any) -> bytes:
    """Status, headers and body, without what is drawn anew."""
    headers = "\n".join(f"{name}: {value}" for name, value in sorted(answer.headers.items()))
    whole = f"{answer.status_code}\n{headers}\n".encode() + answer.content
    return PASSING.sub(b"*", whole)


@pytest.fixture
def halls(tmp_path: Path, furnished: Path) -> tuple[Path, Path]:
    """Two copies of one node."""
    folders = tmp_path / "bare", tmp_path / "full"
    for folder in folders:
        copytree(furnished, folder)
    return folders


def test_answers_do_not_depend_on_invisible_rows(halls: tuple[Path, Path]) -> None:
    said = []
    for folder, fill in zip(halls, (nothing_more, much_more), strict=True):
        with open_hall(folder) as hall:
            fill(hall)
            said.append(ask_all(hall))
    bare, full = said
    assert {name for name in bare if bare[name] != full[name]} == set()
    assert b"mine" in bare["the list afterwards"]


def test_what_is_drawn_anew_is_all_that_is_left_out(halls: tuple[Path, Path]) -> None:
    """A row that it may see does change its answers: the comparison can fail."""
    with open_hall(halls[0]) as hall:
        before = ask_all(hall)
    with open_hall(halls[1]) as hall:
        origin, event = hall.event("amelie", "green", **TOLD)
        hall.api("amelie").post(f"/events/{origin}/{event}/publish")
        after = ask_all(hall)
    changed = {name for name in before if before[name] != after[name]}
    assert {"GET /events", f"GET /search?value={SECRET}", "GET /console/events"} <= changed

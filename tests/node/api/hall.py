"""A national node with its people and hospitals, two peers in its roster, seen through its doors."""

import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import structlog
from argon2 import PasswordHasher
from fastapi import FastAPI
from starlette.testclient import TestClient
from structlog.typing import EventDict, WrappedLogger

from node.actions import people
from node.actions.caller import Role
from node.actions.enrolments import rule_file
from node.actions.init import NewNode, init_node
from node.app import create_app
from node.node import Node, open_node
from node.roster import own_entry, put_members
from node.settings import load_settings
from tests.node.actions.house import (
    BE,
    EARLY_WARNING,
    ESSAIS,
    FR,
    HUB,
    NOTIFICATION,
    REPORT_ID,
    RULE,
    VAL,
)
from tests.node.nodes import PASSWORD, HandClock

__all__ = [
    "BE",
    "EARLY_WARNING",
    "FR",
    "HUB",
    "NOTIFICATION",
    "PASSWORD",
    "REPORT_ID",
    "VAL",
    "open_hall",
]

PEOPLE: tuple[tuple[str, str, Role], ...] = (
    ("claire", VAL.org, "hospital"),
    ("essais", ESSAIS.org, "hospital"),
    ("amelie", FR, "operator"),
    ("reader", FR, "analyst"),
)
_MEMBERS = (("BE", BE, "national"), ("EU", HUB, "hub"))
MISP = {
    "info": "Phishing against hospital staff",
    "Attribute": [
        {"type": "domain", "category": "Network activity", "value": "login-portal.example"}
    ],
}


@dataclass(frozen=True)
class Hall:
    """The node, its application, and a token for everybody."""

    node: Node
    app: FastAPI
    tokens: dict[str, str]

    def api(self, login: str | None = None) -> TestClient:
        """A program with the person's token."""
        headers = {"Authorization": f"Bearer {self.tokens[login]}"} if login else {}
        return TestClient(self.app, base_url="http://testserver/api/v1", headers=headers)

    def browser(self, login: str | None = None) -> "Visitor":
        """Somebody's browser, signed in if a login is given."""
        visitor = Visitor(TestClient(self.app, follow_redirects=False))
        if login:
            done = visitor.post("/console/sign-in", {"login": login, "password": PASSWORD})
            assert done.status_code == 303, done.text
        return visitor

    def report(self, **more: Any) -> tuple[str, str]:
        """Claire's early warning; gives (origin, event)."""
        answer = self.api("claire").post("/incidents", json={**EARLY_WARNING, **more})
        assert answer.is_success, answer.text
        return answer.json()["origin"], answer.json()["event"]

    def event(self, login: str, tlp: str, **more: Any) -> tuple[str, str]:
        """An event of somebody's; gives (origin, event)."""
        event = {"uuid": str(uuid.uuid4()), **MISP, **more}
        answer = self.api(login).post("/events", json={"Event": event, "tlp": tlp})
        assert answer.status_code == 201, answer.text
        return answer.json()["origin"], answer.json()["event"]


class Visitor:
    """A browser without scripts: keeps cookies, sends forms with the page's CSRF token."""

    def __init__(self, client: TestClient) -> None:
        self.client = client

    def get(self, path: str, **headers: str) -> Any:
        return self.client.get(path, headers=headers)

    def post(self, path: str, form: dict[str, Any], **headers: str) -> Any:
        """Post a form as our own page does, unless the headers say otherwise."""
        sent = {"Sec-Fetch-Site": "same-origin", **headers}
        return self.client.post(path, data=form, headers=sent)

    def csrf(self) -> str:
        page: str = self.get("/console/events").text
        return page.split('name="csrf" value="', 1)[1].split('"', 1)[0]

    def send(self, path: str, **form: Any) -> Any:
        return self.post(path, {"csrf": self.csrf(), **form})


def furnish(folder: Path, url: str = "http://testserver") -> None:
    """Make the node FR in `folder`, with its members, hospitals and people."""
    chosen = NewNode(FR, "ISAC Santé France", "FR", "national", url)
    init_node(folder / "FR", chosen).close()
    entries = []
    for country, org, role in _MEMBERS:
        name = f"https://{country.lower()}.example.org"
        member = init_node(folder / country, NewNode(org, f"Node {country}", country, role, name))
        entries.append(own_entry(member.settings, member.keys))
        member.close()
    put_members(folder / "FR" / "roster.json", entries)
    node = init_node(folder / "FR", chosen)
    rule = rule_file(node.settings, "fr-health/3")
    rule.parent.mkdir(exist_ok=True)
    rule.write_text(RULE)
    for enrolled in (VAL, ESSAIS):
        people.enrol_org(node, "test", enrolled)
    people._HASHER = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
    for login, home, role_ in PEOPLE:
        people.add_person(node, "test", login=login, org=home, role=role_, password=PASSWORD)
    node.close()


@contextmanager
def open_hall(folder: Path) -> Iterator[Hall]:
    """Open the hall that was furnished in `folder`, on a clock that stands still."""
    clock = HandClock()
    node = replace(open_node(load_settings(folder / "FR")), clock=clock, wall=clock)
    tokens = {login: people.make_token(node, "test", login) for login, _, _ in PEOPLE}
    before = structlog.get_config()
    structlog.configure(processors=[structlog.processors.format_exc_info, _drop])
    yield Hall(node, create_app(node), tokens)
    structlog.configure(**before)
    node.close()


def _drop(logger: WrappedLogger, method: str, line: EventDict) -> EventDict:
    """Say aloud only what went wrong: a page that fails prints its traceback."""
    if "exception" in line:
        sys.stdout.write(f"{line['exception']}\n")
    raise structlog.DropEvent

"""Nodes for tests: made by the same functions as `isac init`, on a clock the test turns."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from node.actions.init import NewNode, init_node
from node.node import Node

ORG = "0f0e0d0c-0b0a-4908-8706-050403020100"
HOSPITAL = "3e0d6a52-7a0e-4b9e-9d52-0a5a3f1d9b11"
START = datetime(2026, 1, 27, 7, 40, tzinfo=UTC)
PASSWORD = "correct horse battery staple"


@dataclass
class HandClock:
    """A clock that stands still until it is turned."""

    now: datetime = START

    def __call__(self) -> datetime:
        return self.now

    def turn(self, **by: float) -> None:
        self.now += timedelta(**by)


def make_node(data: Path, clock: HandClock, *, role: str = "national", database: str = "") -> Node:
    more: dict[str, str | float | list[str]] = {"database_url": database} if database else {}
    chosen = NewNode(ORG, "Node FR", "FR", role, "http://127.0.0.1:8080", more)
    return replace(init_node(data, chosen), clock=clock, wall=clock)

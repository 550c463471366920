"""Who leads, that only the leader works, and that nothing a job raises ends the schedule."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select

from federation.transport import Transport
from node import schedule as schedule_module
from node.node import Node
from node.schedule import Schedule
from node.storage.store import upsert
from node.storage.tables_feed import lease, wake
from tests.node.nodes import START, HandClock, make_node


class Works:
    """Stands in for the jobs' actions; each may be given something to do."""

    def __init__(self) -> None:
        self.projected = threading.Event()
        self.pulled = threading.Event()
        self.woken = threading.Event()
        self.broken = False

    def project_dirty(self, node: Node, limit: int) -> int:
        del node, limit
        self.projected.set()
        return 0

    def pull_due(self, node: Node, transport: object, begin: object) -> int:
        del node, transport, begin
        self.pulled.set()
        if self.broken:
            raise RuntimeError("a bug")
        return 0

    def wake_due(self, node: Node) -> int:
        with node.store.write() as unit:
            upsert(unit.connection, wake, {"origin": "o", "event": "e", "at": START})
        self.woken.set()
        return 0


@pytest.fixture
def works(monkeypatch: pytest.MonkeyPatch) -> Works:
    standing = Works()
    for name in ("project_dirty", "pull_due", "wake_due"):
        monkeypatch.setattr(schedule_module, name, getattr(standing, name))
    return standing


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def node(tmp_path: Path, clock: HandClock) -> Iterator[Node]:
    made = make_node(tmp_path, clock)
    quick = made.settings.model_copy(update={"project_interval_s": 0.05})
    yield replace(made, settings=quick)
    made.close()


def schedule_of(node: Node) -> Schedule:
    return Schedule(node, Transport())


def written(node: Node) -> int:
    with node.store.read() as unit:
        return len(unit.connection.execute(select(wake)).all())


def test_all_jobs_run_and_one_that_breaks_runs_again(node: Node, works: Works) -> None:
    works.broken = True
    running = schedule_of(node)
    running.start()
    try:
        for done in (works.projected, works.woken, works.pulled):
            assert done.wait(5)
        works.pulled.clear()
        assert works.pulled.wait(5)
    finally:
        works.broken = False
        running.stop()
    assert written(node) == 1


def test_one_of_two_leads_until_it_stops(node: Node, works: Works) -> None:
    first, second = schedule_of(node), schedule_of(node)
    first.lead()
    second.lead()
    assert (first.leads, second.leads) == (True, False)
    first.start()
    first.stop()
    second.lead()
    assert (first.leads, second.leads) == (False, True)


def test_who_does_not_lead_does_nothing(node: Node, works: Works) -> None:
    schedule_of(node).lead()
    follower = schedule_of(node)
    follower.lead()
    follower.run("wake")
    assert not works.woken.is_set()


def test_a_leader_that_slept_past_its_lease_writes_nothing_more(
    node: Node, works: Works, clock: HandClock
) -> None:
    sleeper, other = schedule_of(node), schedule_of(node)
    sleeper.lead()
    clock.turn(seconds=9)
    other.lead()
    sleeper.run("wake")
    assert not sleeper.leads
    assert written(node) == 0
    other.run("wake")
    assert written(node) == 1


def test_a_new_leader_has_a_greater_fence(node: Node, clock: HandClock) -> None:
    for fence in (1, 2, 3):
        schedule_of(node).lead()
        clock.turn(seconds=9)
        with node.store.read() as unit:
            assert unit.connection.execute(select(lease.c.fence)).scalar() == fence

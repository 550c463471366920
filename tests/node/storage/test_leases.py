from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from node.storage import leases
from node.storage.errors import LostLeaseError
from node.storage.leases import Lease
from node.storage.schema import migrate
from node.storage.store import Store, open_store

AT = datetime(2026, 1, 27, 7, 40, tzinfo=UTC)
LENGTH = timedelta(seconds=8)


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    opened = open_store(database_url)
    migrate(opened)
    yield opened
    opened.close()


def take(store: Store, owner: str, after_s: float = 0) -> Lease | None:
    now = AT + timedelta(seconds=after_s)
    with store.write() as unit:
        return leases.take(unit.connection, "schedule", owner, now=now, length=LENGTH)


def test_one_leads_and_prolongs_under_the_same_fence(store: Store) -> None:
    assert take(store, "a") == Lease("schedule", "a", 1)
    assert take(store, "b", 1) is None
    assert take(store, "a", 7) == Lease("schedule", "a", 1)
    assert take(store, "b", 14) is None


def test_the_next_leader_has_a_greater_fence(store: Store) -> None:
    take(store, "a")
    assert take(store, "b", 9) == Lease("schedule", "b", 2)
    assert take(store, "a", 10) is None


def test_a_leader_that_slept_commits_nothing(store: Store) -> None:
    slept = take(store, "a")
    take(store, "b", 9)
    assert slept is not None
    with pytest.raises(LostLeaseError), store.write() as unit:
        leases.check(unit.connection, slept)


def test_a_late_leader_that_nobody_replaced_may_go_on(store: Store) -> None:
    held = take(store, "a")
    assert held is not None
    with store.write() as unit:
        leases.check(unit.connection, held)


def test_a_lease_given_back_can_be_taken_at_once(store: Store) -> None:
    held = take(store, "a")
    assert held is not None
    with store.write() as unit:
        leases.give_back(unit.connection, held, now=AT)
    assert take(store, "b") == Lease("schedule", "b", 2)
    with store.write() as unit:  # too late: it is another's
        leases.give_back(unit.connection, held, now=AT)
    assert take(store, "a") is None

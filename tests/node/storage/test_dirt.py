"""The dirty set and the wakes."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from node.storage.columns import metadata
from node.storage.dirt import (
    clear_dirt,
    is_dirty,
    mark_dirty,
    set_wake,
    wake_due,
)
from node.storage.feed import peek_dirt
from node.storage.notes import set_about
from node.storage.store import Store, open_store

NOW = datetime(2026, 1, 27, 7, 40, tzinfo=UTC)


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    opened = open_store(database_url)
    metadata.create_all(opened.engine)
    yield opened
    opened.close()


def test_marking_twice_keeps_one_row_of_a_later_generation(store: Store) -> None:
    with store.write() as unit:
        mark_dirty(unit.connection, [("o", "b"), ("o", "a"), ("o", "a")])
        mark_dirty(unit.connection, [("o", "a")])
    with store.read() as unit:
        taken = peek_dirt(unit.connection, 10)
    assert [(mark.event, mark.gen) for mark in taken] == [("a", 2), ("b", 1)]


def test_what_is_told_of_a_log_is_marked_with_it(store: Store) -> None:
    logs = [("o", f"{n:04}") for n in range(1200)]
    with store.write() as unit:
        for _, event in logs:
            set_about(unit.connection, ("us", f"note on {event}"), ("o", event))
        mark_dirty(unit.connection, [*logs[1:], ("o", "other")])
    with store.read() as unit:
        taken = {(mark.origin, mark.event) for mark in peek_dirt(unit.connection, 10_000)}
    assert len(taken) == 2 * 1199 + 1
    assert ("us", "note on 0001") in taken
    assert ("us", "note on 0000") not in taken


def test_a_mark_renewed_after_it_was_taken_stays(store: Store) -> None:
    with store.write() as unit:
        mark_dirty(unit.connection, [("o", "a"), ("o", "b")])
    with store.read() as unit:
        taken = peek_dirt(unit.connection, 10)
    with store.write() as unit:
        mark_dirty(unit.connection, [("o", "a")])
        clear_dirt(unit.connection, taken)
        assert is_dirty(unit.connection, "o", "a")
        assert not is_dirty(unit.connection, "o", "b")


def test_urgent_logs_are_taken_first_and_a_calm_mark_does_not_calm_them(store: Store) -> None:
    with store.write() as unit:
        mark_dirty(unit.connection, [("o", "a"), ("o", "z")])
        mark_dirty(unit.connection, [("o", "z")], urgent=True)
        mark_dirty(unit.connection, [("o", "z")])
        (first, second) = peek_dirt(unit.connection, 10)
    assert (first.event, first.urgent) == ("z", True)
    assert (second.event, second.urgent) == ("a", False)


def test_a_wake_that_has_come_becomes_dirt_once(store: Store) -> None:
    with store.write() as unit:
        set_wake(unit.connection, "o", "a", NOW)
        set_wake(unit.connection, "o", "b", NOW + timedelta(hours=1))
        set_wake(unit.connection, "o", "c", NOW)
        set_wake(unit.connection, "o", "c", None)
        assert wake_due(unit.connection, NOW) == 1
        assert wake_due(unit.connection, NOW) == 0
        assert [mark.event for mark in peek_dirt(unit.connection, 10)] == ["a"]

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import delete, update

from node.storage import audit
from node.storage.errors import TornAuditError
from node.storage.schema import migrate
from node.storage.store import Store, open_store
from node.storage.tables import audit as table

AT = datetime(2026, 1, 27, 7, 40, tzinfo=UTC)


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    opened = open_store(database_url)
    migrate(opened)
    yield opened
    opened.close()


def fill(store: Store, lines: int = 5) -> audit.Head:
    for number in range(lines):
        with store.write() as unit:
            at = AT + timedelta(seconds=number)
            detail = {"number": number, "word": "né"}
            head = audit.append(unit.connection, at, "claire", "publish", "o", "e", detail)
    return head


def check(store: Store) -> audit.Head:
    with store.read() as unit:
        return audit.verify(unit.connection)


def test_an_untouched_chain_verifies_to_its_head(store: Store) -> None:
    assert check(store).n == 0
    head = fill(store)
    assert check(store) == head
    assert head.n == 5


@pytest.mark.parametrize("column", ["actor", "action", "origin", "event", "detail", "prev", "hash"])
def test_a_changed_line_shows(store: Store, column: str) -> None:
    fill(store)
    with store.write() as unit:
        unit.connection.execute(update(table).where(table.c.n == 3).values({column: "0"}))
    with pytest.raises(TornAuditError, match="line 3 was changed"):
        check(store)


def test_a_changed_time_shows(store: Store) -> None:
    fill(store)
    with store.write() as unit:
        unit.connection.execute(update(table).where(table.c.n == 3).values(at=AT))
    with pytest.raises(TornAuditError, match="line 3 was changed"):
        check(store)


def test_a_missing_line_shows(store: Store) -> None:
    fill(store)
    with store.write() as unit:
        unit.connection.execute(delete(table).where(table.c.n == 3))
    with pytest.raises(TornAuditError, match="line 3 is missing"):
        check(store)


def test_lines_closed_up_over_a_gap_show(store: Store) -> None:
    fill(store)
    with store.write() as unit:
        unit.connection.execute(delete(table).where(table.c.n == 3))
        unit.connection.execute(update(table).where(table.c.n == 4).values(n=3))
        unit.connection.execute(update(table).where(table.c.n == 5).values(n=4))
    with pytest.raises(TornAuditError, match="line 3 was changed"):
        check(store)


def test_a_cut_end_shows_against_an_earlier_head(store: Store) -> None:
    head = fill(store)
    with store.write() as unit:
        unit.connection.execute(delete(table).where(table.c.n == 5))
    assert check(store) != head


def test_many_writers_make_one_chain(store: Store) -> None:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: fill(store, 5), range(4)))
    assert check(store).n == 20


def test_the_newest_lines_come_first(store: Store) -> None:
    fill(store)
    with store.read() as unit:
        lines = audit.latest(unit.connection, 2)
    assert [line.detail["number"] for line in lines] == [4, 3]
    assert lines[0].at == AT + timedelta(seconds=4)

"""Units of work, on both databases, with several writers."""

import re
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from unittest.mock import Mock

import pytest
from sqlalchemy import delete, func, select
from sqlalchemy.exc import DBAPIError, IntegrityError

from node.storage import store as store_module
from node.storage.errors import StoreBusyError, StoreError
from node.storage.schema import migrate
from node.storage.store import Store, Unit, insert_new, lock_name, open_store, upsert
from node.storage.tables import person
from node.storage.tables_feed import peer, wake

AT = datetime(2026, 1, 27, 7, 40, 0, 123456, tzinfo=UTC)
LATER = AT.replace(hour=8)


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    opened = open_store(database_url)
    migrate(opened)
    yield opened
    opened.close()


def rows(store: Store) -> dict[str, datetime]:
    with store.read() as unit:
        return {row.event: row.at for row in unit.connection.execute(select(wake))}


def put(unit: Unit, event: str, at: datetime = AT) -> None:
    upsert(unit.connection, wake, {"origin": "o", "event": event, "at": at})


def test_a_unit_is_kept_whole_and_instants_come_back_exact(store: Store) -> None:
    with store.write() as unit:
        put(unit, "a")
        put(unit, "b", LATER)
    assert rows(store) == {"a": AT, "b": LATER}


def test_a_unit_that_raises_leaves_nothing(store: Store) -> None:
    def break_off() -> None:
        with store.write() as unit:
            put(unit, "a")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        break_off()
    assert rows(store) == {}


def test_a_read_unit_cannot_write(store: Store) -> None:
    with pytest.raises(DBAPIError), store.read() as unit:
        put(unit, "a")
    with store.write() as unit:  # the same pooled connection writes again
        put(unit, "b")
    assert rows(store) == {"b": AT}


def test_sqlite_overwrites_what_is_deleted_however_it_was_built(tmp_path: Path) -> None:
    file, told = tmp_path / "isac.db", "to be forgotten " * 20
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA secure_delete = OFF")
        store_module._prepare_sqlite(connection, Mock())
        connection.execute("CREATE TABLE t (said TEXT)")
        connection.execute("INSERT INTO t VALUES (?)", (told,))
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        assert told.encode() in file.read_bytes()
        connection.execute("DELETE FROM t")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        assert told.encode() not in file.read_bytes()


def test_a_read_unit_sees_one_instant(store: Store) -> None:
    with store.write() as unit:
        put(unit, "a")
    with store.read() as reader:
        count = select(func.count()).select_from(wake)
        before = reader.connection.execute(count).scalar()
        with store.write() as unit:
            put(unit, "b")
        assert before == reader.connection.execute(count).scalar() == 1
    assert len(rows(store)) == 2


def test_an_upsert_overwrites_only_what_it_names(store: Store) -> None:
    with store.write() as unit:
        upsert(unit.connection, peer, {"org": "p", "pos": 7, "cursor": "c"})
        upsert(unit.connection, peer, {"org": "p", "pos": 8})
        row = unit.connection.execute(select(peer.c.pos, peer.c.cursor)).one()
    assert tuple(row) == (8, "c")


def test_an_upsert_of_keys_alone_keeps_the_row(store: Store) -> None:
    with store.write() as unit:
        upsert(unit.connection, peer, {"org": "p", "pos": 7})
        upsert(unit.connection, peer, [{"org": "p"}, {"org": "q"}])
        upsert(unit.connection, peer, [])
        found = unit.connection.execute(select(peer.c.org, peer.c.pos).order_by(peer.c.org)).all()
    assert [tuple(row) for row in found] == [("p", 7), ("q", 0)]


def test_inserting_new_tells_whether_it_was(store: Store) -> None:
    row = {"origin": "o", "event": "a", "at": AT}
    with store.write() as unit:
        assert insert_new(unit.connection, wake, row)
        assert not insert_new(unit.connection, wake, {**row, "at": LATER})
    assert rows(store) == {"a": AT}


def test_foreign_keys_hold(store: Store) -> None:
    orphan = {"login": "x", "org": "nobody", "role": "operator", "created_at": AT}
    with pytest.raises(IntegrityError), store.write() as unit:
        insert_new(unit.connection, person, orphan)


def test_an_error_shows_no_parameters(store: Store) -> None:
    secret = {"login": "s3cret", "org": "nobody", "role": "operator", "created_at": AT}
    with pytest.raises(DBAPIError) as caught, store.write() as unit:
        insert_new(unit.connection, person, secret)
    assert "s3cret" not in str(caught.value).split("DETAIL")[0]


def test_many_writers_lose_nothing(store: Store) -> None:
    def count_up(_: int) -> None:
        for _ in range(20):
            with store.write() as unit:
                lock_name(unit.connection, "count")
                found = unit.connection.execute(select(peer.c.pos)).scalar() or 0
                upsert(unit.connection, peer, {"org": "p", "pos": found + 1})

    with ThreadPoolExecutor(5) as pool:
        list(pool.map(count_up, range(5)))
    with store.read() as unit:
        assert unit.connection.execute(select(peer.c.pos)).scalar() == 100


def test_a_guard_runs_in_every_write_unit_and_may_end_it(store: Store) -> None:
    def refuse(connection: object) -> None:
        raise StoreError("no longer")

    guarded = store.guarded(refuse)
    with pytest.raises(StoreError, match="no longer"), guarded.write() as unit:
        put(unit, "a")
    assert rows(guarded) == {}
    with store.write() as unit:  # the unguarded one goes on, and the turn was given back
        put(unit, "b")
    assert rows(store) == {"b": AT}


def test_nested_write_units_are_told_instead_of_hanging(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_module, "BUSY_S", 0.05)
    nested = open_store(f"sqlite:///{tmp_path}/a.db")
    with pytest.raises(StoreBusyError, match="nested"), nested.write(), nested.write():
        pass
    nested.close()


def test_nobody_else_reads_the_file(tmp_path: Path) -> None:
    opened = open_store(f"sqlite:///{tmp_path}/a.db")
    migrate(opened)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    opened.close()
    assert modes == {"a.db": 0o600, "a.db-wal": 0o600, "a.db-shm": 0o600}


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "mysql://x/y"])
def test_a_database_that_cannot_serve_is_refused(url: str) -> None:
    with pytest.raises(StoreError, match="database_url"):
        open_store(url)


_WRITER = """
import os, sys
from datetime import UTC, datetime
from node.storage.store import open_store, upsert
from node.storage.tables_feed import wake
store = open_store(sys.argv[1])
for number in range(int(sys.argv[3])):
    with store.write() as unit:
        row = {"origin": sys.argv[2], "event": str(number), "at": datetime.now(UTC)}
        upsert(unit.connection, wake, row)
    print(number, flush=True)
os.kill(os.getpid(), 9)
"""


def test_what_was_acknowledged_survives_kill_9_of_two_processes_on_one_file(
    tmp_path: Path,
) -> None:
    url = f"sqlite:///{tmp_path}/a.db"
    opened = open_store(url)
    migrate(opened)
    writers = [
        subprocess.Popen([sys.executable, "-c", _WRITER, url, name, "25"], stdout=subprocess.PIPE)
        for name in ("x", "y")
    ]
    told = [writer.communicate()[0].split() for writer in writers]
    assert [writer.returncode for writer in writers] == [-9, -9]
    with opened.read() as unit:
        found = unit.connection.execute(select(wake.c.origin, wake.c.event)).all()
    opened.close()
    assert sorted(map(tuple, found)) == sorted(
        (name, number.decode())
        for name, numbers in zip("xy", told, strict=True)
        for number in numbers
    )
    assert len(found) == 50


def test_nothing_deleted_is_left_in_the_files_once_they_are_tidied(tmp_path: Path) -> None:
    """SQLite's secure_delete alone leaves copies, from when rows moved between pages."""
    for seed in range(5):
        path, chance, there = tmp_path / f"{seed}.sqlite", Random(seed), list[str]()
        with closing(open_store(f"sqlite:///{path}")) as store:
            migrate(store)
            with store.write() as unit:
                for _ in range(1000):
                    if not there or chance.random() < 0.6:
                        there.append(
                            f"canary{chance.randbytes(8).hex()}" + "x" * chance.randrange(900)
                        )
                        put(unit, there[-1])
                    else:
                        gone = there.pop(chance.randrange(len(there)))
                        unit.connection.execute(delete(wake).where(wake.c.event == gone))
            with store.read():  # a reader's connection is in the pool, too
                pass
            store.tidy()
            found = {text.decode() for text in re.findall(b"canary[0-9a-f]{16}", path.read_bytes())}
            assert found == {event[:22] for event in there}
            assert rows(store).keys() == set(there)
            assert not path.with_name(f"{path.name}-wal").stat().st_size


def test_a_database_that_is_tidied_goes_on(store: Store) -> None:
    with store.write() as unit:
        put(unit, "a")
    store.tidy()
    with store.write() as unit:
        put(unit, "b")
    assert rows(store).keys() == {"a", "b"}

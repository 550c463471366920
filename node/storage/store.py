"""The one way to the database: units of work on SQLite and PostgreSQL alike.

An action opens one unit; repositories are modules of functions that take its connection first and
never commit. A unit commits when its block ends and rolls back when the block raises. No unit stays
open while the network, a signature or a parse is at work.

A read unit sees one instant of the database and cannot write. Write units on SQLite follow each
other (`BEGIN IMMEDIATE`, so that no unit fails half way for want of the write lock); on PostgreSQL
they run side by side: lock rows (`with_for_update`) or a name (`lock_name`) before reading what the
write depends on.
"""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from sqlite3 import Connection as SqliteConnection
from sqlite3 import OperationalError as SqliteOperationalError
from typing import Any

from sqlalchemy import (
    Connection,
    Engine,
    Table,
    create_engine,
    event,
    func,
    make_url,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import ConnectionPoolEntry

from node.storage.errors import StoreBusyError, StoreError, StoreUnreachableError

BUSY_S = 30
# Parameters carry secrets and withheld values: no error message shows them. The pool has room for
# every thread of the web server, so that a request waits for a lock, never for a connection.
_POOL = {"hide_parameters": True, "pool_size": 16, "max_overflow": 48}
Row = Mapping[str, object]
Guard = Callable[[Connection], None]


@dataclass(frozen=True, slots=True)
class Unit:
    """One transaction: everything done on its connection happens, or nothing does."""

    connection: Connection


class Store:
    """A database opened for units of work; threads may share it."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.guard: Guard | None = None
        self._is_sqlite = engine.dialect.name == "sqlite"
        # Fairer and faster than SQLite's sleeping retries, which are left for other processes.
        self._turn = threading.Lock()
        if self._is_sqlite:
            self._reader = engine.execution_options(read_only=True)
        else:
            self._reader = engine.execution_options(
                isolation_level="REPEATABLE READ", postgresql_readonly=True
            )

    @contextmanager
    def read(self) -> Iterator[Unit]:
        """Give a unit that sees one instant of the database and cannot write."""
        with _reached(self._reader) as connection, connection.begin():
            yield Unit(connection)

    @contextmanager
    def write(self) -> Iterator[Unit]:
        """Give a unit that commits at the end of the block; units do not nest.

        Raises:
            StoreBusyError: another writer held its unit for 30 s.
        """
        if self._is_sqlite and not self._turn.acquire(timeout=BUSY_S):
            raise StoreBusyError(f"no turn to write within {BUSY_S} s: are write units nested?")
        try:
            with _reached(self.engine) as connection, connection.begin():
                if self.guard is not None:
                    self.guard(connection)
                yield Unit(connection)
        finally:
            if self._is_sqlite:
                self._turn.release()

    def guarded(self, guard: Guard) -> "Store":
        """Give this store with `guard` called first in every write unit; raising, it ends it."""
        store = copy(self)
        store.guard = guard
        return store

    def tidy(self) -> None:
        """Write the database's files anew, so that nothing deleted is left in their unused parts.

        Deleted rows are overwritten at once (`secure_delete`), but not the copies that SQLite
        leaves behind when it moves rows between pages. Writers wait meanwhile. On PostgreSQL they
        do not, and what is deleted is only given free, for other rows to overwrite.

        Raises:
            StoreBusyError: another process writes, or reads what is to be overwritten.
        """
        pooled = self.engine.raw_connection()
        driver: Any = pooled.driver_connection
        try:
            if self._is_sqlite:
                _vacuum_sqlite(driver)
            else:
                driver.autocommit = True
                driver.execute("VACUUM")
        finally:
            pooled.invalidate()  # its modes are not a unit's

    def close(self) -> None:
        """Close every connection of the pool."""
        self.engine.dispose()


def _reached(engine: Engine) -> Connection:
    try:
        return engine.connect()
    except OperationalError as error:
        why = str(error.orig).strip().splitlines()[0]
        raise StoreUnreachableError(f"the database does not answer: {why}") from error


def open_store(url: str) -> Store:
    """Open `sqlite:///PATH` or `postgresql+psycopg://…`; tables are made by `migrate`.

    Raises:
        StoreError: the address names another kind of database, or SQLite in memory.
    """
    address = make_url(url)
    match address.get_backend_name():
        case "sqlite":
            return Store(_open_sqlite(url, address.database))
        case "postgresql":
            psycopg = address.set(drivername="postgresql+psycopg")
            return Store(create_engine(psycopg, pool_pre_ping=True, **_POOL))
        case other:
            raise StoreError(f"database_url: sqlite or postgresql, not {other}")


def upsert(
    connection: Connection,
    table: Table,
    rows: Row | Sequence[Row],
    *,
    key: tuple[str, ...] = (),
) -> None:
    """Insert the rows; where `key` (the primary key unless given) is taken, overwrite the rest.

    Only columns named in the first row are written; all rows name the same ones.
    """
    named = [rows] if isinstance(rows, Mapping) else list(rows)
    if named:
        connection.execute(
            _upserting(table, tuple(named[0]), key, is_sqlite=_is_sqlite(connection)), named
        )


def insert_new(connection: Connection, table: Table, row: Row) -> bool:
    """Insert the row unless it collides with one that is there; tell whether it was new."""
    statement = _inserting_new(table, is_sqlite=_is_sqlite(connection))
    return connection.execute(statement, row).rowcount == 1


def insert_missing(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Insert the rows but those that collide with what is there."""
    if rows:
        connection.execute(_inserting_new(table, is_sqlite=_is_sqlite(connection)), rows)


def lock_name(connection: Connection, name: str) -> None:
    """Wait until no other unit holds `name`; held to the end of this unit.

    On SQLite a write unit is alone anyway.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(name, 0))))


def _is_sqlite(connection: Connection) -> bool:
    return connection.dialect.name == "sqlite"


# To build a statement costs more than to run it: each is built once.


@cache
def _upserting(
    table: Table, columns: tuple[str, ...], key: tuple[str, ...], *, is_sqlite: bool
) -> sqlite.Insert | postgresql.Insert:
    taken = key or tuple(column.name for column in table.primary_key)
    statement = _insert(table, is_sqlite=is_sqlite)
    changed = {name: statement.excluded[name] for name in columns if name not in taken}
    if not changed:
        return statement.on_conflict_do_nothing(index_elements=taken)
    return statement.on_conflict_do_update(index_elements=taken, set_=changed)


@cache
def _inserting_new(table: Table, *, is_sqlite: bool) -> sqlite.Insert | postgresql.Insert:
    statement = _insert(table, is_sqlite=is_sqlite).on_conflict_do_nothing()
    return statement.execution_options(preserve_rowcount=True)


def _insert(table: Table, *, is_sqlite: bool) -> sqlite.Insert | postgresql.Insert:
    return sqlite.insert(table) if is_sqlite else postgresql.insert(table)


def _open_sqlite(url: str, path: str | None) -> Engine:
    """Give an engine over one file.

    The file holds hospitals' incidents: nobody else reads it, and its -wal and -shm take
    the same mode. A connection lasts (pool), since opening one costs more than most units.
    """
    if not path or path == ":memory:":
        raise StoreError("database_url: SQLite needs a file, several threads share it")
    Path(path).touch(mode=0o600)
    engine = create_engine(url, connect_args={"timeout": BUSY_S}, **_POOL)
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(dbapi: SqliteConnection, entry: ConnectionPoolEntry) -> None:
    """Set what SQLite forgets with each connection.

    synchronous=FULL: under WAL, NORMAL survives kill -9 but a power cut may lose the last commits,
    and a hospital that saw "received" has a legal deadline behind it. One fsync a commit is cheap
    beside sealing. secure_delete: what was recalled is overwritten, not only forgotten.
    """
    del entry
    dbapi.isolation_level = None  # begin and commit are ours, not the driver's guesses
    if dbapi.execute("PRAGMA journal_mode").fetchone() != ("wal",):
        dbapi.execute("PRAGMA journal_mode = WAL")
    dbapi.execute("PRAGMA synchronous = FULL")
    dbapi.execute("PRAGMA foreign_keys = ON")
    dbapi.execute("PRAGMA secure_delete = ON")


def _vacuum_sqlite(driver: SqliteConnection) -> None:
    try:
        driver.execute("PRAGMA query_only = 0")
        driver.execute("VACUUM")
        [is_busy, *_] = driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    except SqliteOperationalError as error:
        raise StoreBusyError(f"no turn within {BUSY_S} s: {error}") from error
    if is_busy:
        raise StoreBusyError("the log is still being read: try again")


def _begin_sqlite(connection: Connection) -> None:
    """Begin on the driver's own connection: by way of SQLAlchemy it costs several times as much."""
    reads_only = connection.get_execution_options().get("read_only", False)
    driver = connection.connection.cursor()
    try:
        driver.execute(f"PRAGMA query_only = {int(reads_only)}")
        driver.execute("BEGIN" if reads_only else "BEGIN IMMEDIATE")
    except SqliteOperationalError as error:
        raise StoreBusyError(f"no turn within {BUSY_S} s: {error}") from error
    finally:
        driver.close()

"""Revisions make exactly the tables of `storage.tables`, and keep what is in an older database."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text

import migrations
from node.storage import schema, tables
from node.storage.errors import StoreError
from node.storage.schema import HEAD, is_ready, migrate, revision
from node.storage.store import Store, open_store

METADATA = tables.org.metadata
SCRIPTS = Path(migrations.__file__).parent


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    opened = open_store(database_url)
    yield opened
    opened.close()


def test_revisions_make_the_tables_that_the_program_uses(store: Store) -> None:
    assert migrate(store)
    with store.read() as unit:
        context = MigrationContext.configure(unit.connection, opts={"compare_type": True})
        assert compare_metadata(context, METADATA) == []


def test_names_of_constraints_are_those_of_the_tables(store: Store) -> None:
    migrate(store)
    with store.read() as unit:
        found = inspect(unit.connection)
        for table in METADATA.tables.values():
            made = {constraint["name"] for constraint in found.get_unique_constraints(table.name)}
            made |= {constraint["name"] for constraint in found.get_foreign_keys(table.name)}
            made.add(found.get_pk_constraint(table.name)["name"])
            made |= {index["name"] for index in found.get_indexes(table.name)} - made
            named = {str(constraint.name) for constraint in table.constraints}
            named |= {str(index.name) for index in table.indexes}
            assert made == named, table.name


def test_migrating_again_does_nothing(store: Store) -> None:
    assert not is_ready(store)
    assert migrate(store)
    assert is_ready(store)
    assert not migrate(store)


def test_two_that_start_at_once_migrate_once(store: Store) -> None:
    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(lambda _: migrate(store), range(4)))
    assert sorted(done) == [False, False, False, True]


def test_a_failing_revision_leaves_the_database_as_it_was(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    upgrade = schema._upgrade

    def break_off(connection: Connection) -> None:
        upgrade(connection)
        raise RuntimeError

    monkeypatch.setattr(schema, "_upgrade", break_off)
    with pytest.raises(RuntimeError):
        migrate(store)
    with store.read() as unit:
        assert inspect(unit.connection).get_table_names() == []


def test_a_database_of_a_newer_program_is_left_alone(store: Store) -> None:
    migrate(store)
    with store.write() as unit:
        unit.connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StoreError, match="9999"):
        migrate(store)


def test_head_is_the_newest_revision() -> None:
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    assert ScriptDirectory.from_config(config).get_current_head() == HEAD


@pytest.mark.parametrize("path", sorted(SCRIPTS.glob("versions/*.py")), ids=lambda path: path.name)
def test_a_revision_imports_nothing_of_ours(path: Path) -> None:
    imported = [
        line for line in path.read_text().splitlines() if line.startswith(("import ", "from "))
    ]
    assert imported == ["import sqlalchemy as sa", "from alembic import op"]


FIRST_ISSUE = """
INSERT INTO org VALUES ('0f0e0d0c-0b0a-4908-8706-050403020100', 'Node FR', 'node', 'FR', NULL, '{}');
INSERT INTO person VALUES ('claire', '0f0e0d0c-0b0a-4908-8706-050403020100', 'operator', 'h', 1, NULL);
INSERT INTO dirty VALUES ('0f0e0d0c-0b0a-4908-8706-050403020100', 'e', 3, FALSE, FALSE);
"""


def test_an_old_database_keeps_its_data_and_reaches_head(store: Store) -> None:
    """The oldest revision, filled, then upgraded: with one revision that is where it stays."""
    with store.write() as unit:
        schema._upgrade(unit.connection, "0001")
        for statement in filter(str.strip, FIRST_ISSUE.split(";")):
            unit.connection.execute(text(statement))
    migrate(store)
    with store.read() as unit:
        assert revision(unit.connection) == HEAD
        assert unit.connection.execute(text("SELECT role FROM person")).scalar() == "operator"
        assert unit.connection.execute(text("SELECT gen FROM dirty")).scalar() == 3

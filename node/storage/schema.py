"""Brings a database's tables up to date; Alembic loads only where there is something to do."""

from pathlib import Path

from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import DBAPIError

from node.storage.errors import StoreError
from node.storage.store import Store, lock_name

HEAD = "0003"
"""The newest revision; a test holds it against the files."""


def revision(connection: Connection) -> str | None:
    """Give the revision of the database, None where it has no tables yet."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return found


def is_ready(store: Store) -> bool:
    """Whether the database answers and has this program's tables."""
    try:
        with store.read() as unit:
            return revision(unit.connection) == HEAD
    except DBAPIError:
        return False


def migrate(store: Store) -> bool:
    """Make or change tables up to HEAD, in one unit; tell whether there was anything to do.

    Several processes may start at once: the first one works, the others wait and find it done.

    Raises:
        StoreError: the database comes from a newer program.
    """
    with store.read() as unit:
        if revision(unit.connection) == HEAD:
            return False
    with store.write() as unit:
        lock_name(unit.connection, "migrate")
        before = revision(unit.connection)
        if before == HEAD:
            return False
        if before is not None and before > HEAD:
            raise StoreError(
                f"database at revision {before}, this program knows {HEAD}: upgrade it"
            )
        _upgrade(unit.connection)
    return True


def _upgrade(connection: Connection, target: str = HEAD) -> None:
    from alembic import command  # noqa: PLC0415  0.6 s that a start with nothing to do saves
    from alembic.config import Config  # noqa: PLC0415

    import migrations  # noqa: PLC0415  a folder of scripts, found where it is installed

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    command.upgrade(config, target)

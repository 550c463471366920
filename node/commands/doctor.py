"""Looks at a node and says what is wrong with it."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import typer

from federation.errors import FederationError
from node.actions.peers import peer_states
from node.clock import ScenarioClock, wall_clock
from node.commands.shown import opened
from node.errors import NodeError
from node.keys import read_keys
from node.roster import read_roster
from node.settings import Settings, load_settings
from node.storage import audit, schema
from node.storage.store import Store, Unit, open_store

_DISK_MIN = 1 << 30
_IN_DATABASE = {"audit", "peers"}


class _UnwellError(NodeError):
    """A check found something wrong."""


def examine(data: Path) -> bool:
    """Print one line a check; tell whether all is well."""
    try:
        settings = load_settings(data)
    except NodeError as error:
        typer.echo(f"FAIL  settings: {error}")
        return False
    typer.echo(f"ok    settings: {settings.name} ({settings.org}), {settings.role}")
    checks: dict[str, Callable[[Settings], str]] = {
        "keys": _keys,
        "roster": _roster,
        "database": _database,
        "audit": _audit,
        "clock": _clock,
        "disk": _disk,
        "peers": _peers,
    }
    told: dict[str, bool] = {}
    for about, check in checks.items():
        if about in _IN_DATABASE and not told["database"]:
            typer.echo(f"-     {about}: not looked at without the database")
        else:
            told[about] = _tell(about, check, settings)
    return all(told.values())


def _tell(about: str, check: Callable[[Settings], str], settings: Settings) -> bool:
    try:
        found = check(settings)
    except (NodeError, FederationError, OSError) as error:
        typer.echo(f"FAIL  {about}: {error}")
        return False
    typer.echo(f"ok    {about}: {found}")
    return True


def _keys(settings: Settings) -> str:
    keys = read_keys(settings.data, settings.suite)
    return ", ".join(f"{key['use']} {key['kid']}" for key in keys.roster_keys())


def _roster(settings: Settings) -> str:
    registry = read_roster(settings.roster_file)
    mine = {key["kid"] for key in read_keys(settings.data, settings.suite).roster_keys()}
    listed = registry.members.get(settings.org)
    if listed is None or not mine <= {key.kid for key in listed.keys}:
        raise _UnwellError(f"{settings.roster_file} does not hold this node with its keys")
    return f"{len(registry.members)} members, {len(registry.unusable)} unusable keys"


def _database(settings: Settings) -> str:
    with _reading(settings) as (store, unit):
        found = schema.revision(unit.connection)
    if found != schema.HEAD:
        raise _UnwellError(f"revision {found}, not {schema.HEAD}: `isac migrate`")
    return f"{store.engine.dialect.name}, revision {found}"


@contextmanager
def _reading(settings: Settings) -> Iterator[tuple[Store, Unit]]:
    store = open_store(settings.database)
    try:
        with store.read() as unit:
            yield store, unit
    finally:
        store.close()


def _audit(settings: Settings) -> str:
    with _reading(settings) as (_, unit):
        head = audit.verify(unit.connection)
    return f"{head.n} lines, unbroken; head {head.hash}"


def _clock(settings: Settings) -> str:
    path = settings.clock_path
    if path is None:
        return f"wall time, {wall_clock():%Y-%m-%d %H:%M:%SZ}"
    away = ScenarioClock(path)() - wall_clock()
    return f"scenario clock {path}, {timedelta(seconds=round(away.total_seconds()))} from wall time"


def _peers(settings: Settings) -> str:
    with opened(settings.data) as node:
        states = [(f"{one.name}: {one.state}", one.failures) for one in peer_states(node)]
    told = "; ".join(state for state, _ in states)
    if any(failures for _, failures in states):
        raise _UnwellError(told)
    return told or "none in the roster"


def _disk(settings: Settings) -> str:
    free = shutil.disk_usage(settings.data).free
    if free < _DISK_MIN:
        raise _UnwellError(f"{free >> 20} MiB free")
    return f"{free >> 30} GiB free"

from collections.abc import Callable, Iterator
from pathlib import Path
from shutil import copytree

import pytest

from tests.node.federation.world import ORGS, World, make_world, open_world
from tests.node.nodes import HandClock


@pytest.fixture(scope="session")
def fresh_world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folders of new nodes on SQLite, made once and copied for each test."""
    folder = tmp_path_factory.mktemp("world")
    for node in make_world(folder, lambda: "", HandClock()).nodes.values():
        node.close()
    return folder


@pytest.fixture
def world(tmp_path: Path, fresh_world: Path) -> Iterator[World]:
    """Three national nodes and the hub, on SQLite."""
    copytree(fresh_world, tmp_path / "world")
    yield from _closed_after(open_world(tmp_path / "world", HandClock(), ORGS))


@pytest.fixture
def both_worlds(tmp_path: Path, database_urls: Callable[[], str]) -> Iterator[World]:
    """Three national nodes and the hub, on SQLite and on PostgreSQL."""
    yield from _closed_after(make_world(tmp_path / "world", database_urls, HandClock()))


def _closed_after(world: World) -> Iterator[World]:
    yield world
    for node in world.nodes.values():
        node.close()

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from shutil import copytree

import pytest

from node.actions.people import enrol_org
from node.node import open_node
from node.storage.people import Org
from tests.node.actions.house import FR, House, furnish
from tests.node.federation.world import World, make_world, open_world
from tests.node.nodes import HandClock

_MEMBERS = ("FR", "BE", "HUB")


@pytest.fixture(scope="session")
def fresh_members(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folders of new nodes that know each other, made once and copied for each test."""
    folder = tmp_path_factory.mktemp("members")
    for node in make_world(folder, lambda: "", HandClock(), _MEMBERS).nodes.values():
        node.close()
    return folder


@pytest.fixture
def house(tmp_path: Path, fresh_members: Path, database_url: str) -> Iterator[House]:
    """The node FR alone, with its people; on SQLite and on PostgreSQL."""
    copytree(fresh_members, tmp_path / "members")
    clock = HandClock()
    world = open_world(tmp_path / "members", clock, ("FR",))
    world["FR"].close()
    settings = world["FR"].settings.model_copy(update={"database_url": database_url})
    world.nodes["FR"] = replace(open_node(settings), clock=clock, wall=clock)
    enrol_org(world["FR"], "test", Org(FR, "Node FR", "node", "FR"))
    yield furnish(world)
    world["FR"].close()


@pytest.fixture
def federated(tmp_path: Path, fresh_members: Path) -> Iterator[House]:
    """The same house among real peers: BE and the hub; on SQLite."""
    copytree(fresh_members, tmp_path / "members")
    world: World = open_world(tmp_path / "members", HandClock(), _MEMBERS)
    yield furnish(world)
    for node in world.nodes.values():
        node.close()

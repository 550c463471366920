"""`isac sync repair` from the shell: whom it asks, and what it says."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from federation.call import Call, Reply
from federation.peer import Peer
from federation.transport import Transport
from node.actions.peers import peer_states
from node.cli import app
from node.errors import SettingsError
from node.storage import tables, tables_feed
from tests.node.federation.world import World


@pytest.fixture
def by_memory(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """The world's network instead of sockets."""

    def send(self: Transport, call: Call, peer: Peer) -> Reply:
        del self
        return world.memory.send(call, peer)

    monkeypatch.setattr(Transport, "send", send)
    monkeypatch.setattr("node.commands.sync.opened", lambda data: Opened(world, data))
    return world


class Opened:
    def __init__(self, world: World, data: Path) -> None:
        self._node = world[data.name]

    def __enter__(self) -> object:
        return self._node

    def __exit__(self, *raised: object) -> None:
        pass


def told(data: str, *named: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["sync", "repair", *named, "--data", data])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.exit_code, done.output


def test_a_peer_is_named_by_its_country_and_told_apart_from_the_others(by_memory: World) -> None:
    event = by_memory.post("FR", "Event", values=["a.example"])
    by_memory.project("FR")
    by_memory.pull("BE", "FR")
    with by_memory["BE"].store.write() as unit:
        for table in (tables.entry, tables.holding, tables_feed.seen):
            unit.connection.execute(table.delete())
    code, output = told("BE", "fr")
    assert (code, output.count("node FR"), output.count("node DE")) == (0, 1, 0)
    assert "1 missing here, 0 not held out any more; 1 brought, 0 dropped" in output
    assert "a.example" in by_memory.text("BE", event)
    assert "nothing differs" in told("BE", "FR")[1]
    words = {peer.name: peer.repair for peer in peer_states(by_memory["BE"])}
    assert words["node FR"].endswith("both agree")
    assert words["node DE"] == "not compared yet"


def test_one_that_does_not_answer_ends_with_an_error_after_the_others(by_memory: World) -> None:
    by_memory.project()
    by_memory.memory.down.add("https://fr.example.org")
    code, output = told("BE")
    assert code == 1
    assert output.count("nothing differs") == 2
    assert "cannot be reached" in output
    words = {peer.name: peer.repair for peer in peer_states(by_memory["BE"])}
    assert "comparing failed, tried again by itself" in words["node FR"]


def test_an_unknown_peer_is_refused_with_the_known_ones(by_memory: World) -> None:
    with pytest.raises(SettingsError, match="no peer XX: the roster holds node FR"):
        told("BE", "XX")

"""Two nodes as they run: the whole application, its schedule, real HTTP on loopback."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import uvicorn

from federation.transport import Transport
from node.actions.init import NewNode, init_node
from node.actions.peers import peer_states
from node.app import create_app
from node.clock import wall_clock
from node.listener import Server
from node.node import Node, open_node
from node.roster import own_entry, put_members
from policies.tlp import Tlp
from tests.node.federation.world import ORGS, Memory, World
from tests.node.nodes import HandClock

PATIENCE_S = 60.0  # two noisy cores


@dataclass
class Running:
    """Nodes that serve, each on a port of its own."""

    world: World
    ports: dict[str, int]
    servers: dict[str, tuple[uvicorn.Server, threading.Thread]] = field(default_factory=dict)

    def start(self, name: str) -> None:
        node = self.world[name]
        app = create_app(node, transport=Transport(allow_hosts=node.settings.allow_hosts))
        config = uvicorn.Config(
            app, host="127.0.0.1", port=self.ports[name], log_level="warning", lifespan="on"
        )
        server = Server(config, node.bell.ring_out)
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        self.servers[name] = (server, thread)
        until(lambda: server.started, "the server starts")

    def stop(self, name: str) -> None:
        server, thread = self.servers.pop(name)
        server.should_exit = True
        thread.join(PATIENCE_S)
        assert not thread.is_alive()


def free_ports(count: int) -> list[int]:
    """Ports that were free a moment ago."""
    bound = [socket.socket() for _ in range(count)]
    for one in bound:
        one.bind(("127.0.0.1", 0))
    ports = [int(one.getsockname()[1]) for one in bound]
    for one in bound:
        one.close()
    return ports


def made(
    folder: Path, name: str, address: str, peers: list[str], database: str, interval_s: float
) -> Node:
    more: dict[str, str | int | float | list[str]] = {
        "database_url": database,
        "pull_interval_s": interval_s,
        "project_interval_s": 0.1,
        "allow_hosts": peers,
    }
    chosen = NewNode(ORGS[name], f"Node {name}", name, "national", f"http://{address}", more)
    return init_node(folder / name, chosen)


def until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, f"in vain waited until {what}"
        time.sleep(0.1)


@contextmanager
def two_nodes(
    folder: Path, new_url: Callable[[], str], *, interval_s: float = 0.3
) -> Iterator[Running]:
    threads = set(threading.enumerate())
    ports = dict(zip(("FR", "BE"), free_ports(2), strict=True))
    addresses = [f"127.0.0.1:{port}" for port in ports.values()]
    fresh = {
        name: made(folder, name, f"127.0.0.1:{port}", addresses, new_url(), interval_s)
        for name, port in ports.items()
    }
    entries = [own_entry(node.settings, node.keys) for node in fresh.values()]
    for node in fresh.values():
        node.close()
        put_members(node.settings.roster_file, entries)
    nodes = {name: open_node(node.settings) for name, node in fresh.items()}
    running = Running(World(HandClock(wall_clock()), Memory(), nodes), ports)
    try:
        for name in nodes:
            running.start(name)
        yield running
    finally:
        for name in list(running.servers):
            running.stop(name)
        for thread in set(threading.enumerate()) - threads:
            thread.join(PATIENCE_S)  # jobs that were under way still hold connections
        for node in nodes.values():
            node.close()


@pytest.fixture
def on_sqlite(tmp_path: Path) -> Iterator[Running]:
    with two_nodes(tmp_path, lambda: "") as running:
        yield running


def test_what_one_node_posts_reaches_the_other_by_itself_and_is_taken_back_again(
    tmp_path: Path, database_urls: Callable[[], str]
) -> None:
    with two_nodes(tmp_path, database_urls) as running:
        world = running.world
        event = world.post("FR", "Phishing", Tlp.GREEN, ["green.example"])
        secret = world.post("FR", "Not for you", Tlp.AMBER, ["amber.example"])
        back = world.post("BE", "From the north", Tlp.GREEN, ["north.example"])
        until(lambda: "green.example" in world.text("BE", event), "BE holds what FR posted")
        until(lambda: "north.example" in world.text("FR", back), "FR holds what BE posted")
        assert world.log("BE", secret) is None
        world.edit("FR", event, "Raised", Tlp.AMBER, ["green.example"])
        until(lambda: world.held("BE", event) is None, "BE gave back what was raised")
        world.edit("FR", event, "Lowered", Tlp.GREEN, ["green.example"])
        until(lambda: "Lowered" in world.text("BE", event), "BE holds it again")
        world.recall("FR", event)
        until(lambda: world.held("BE", event) is None, "BE erased what was recalled")
        until(lambda: peer_states(world["FR"])[0].queue == 0, "BE confirmed all")
        until(lambda: peer_states(world["BE"])[0].state == "in step", "BE says it is in step")


def test_what_is_posted_comes_by_a_held_question_long_before_the_interval(tmp_path: Path) -> None:
    with two_nodes(tmp_path, lambda: "", interval_s=3600) as running:
        world = running.world
        until(lambda: peer_states(world["BE"])[0].state == "in step", "BE has asked FR")
        event = world.post("FR", "Phishing", Tlp.GREEN, ["green.example"])
        until(lambda: "green.example" in world.text("BE", event), "BE holds it")
        until(lambda: peer_states(world["FR"])[0].queue == 0, "BE confirmed it")
        began = time.monotonic()
        running.stop("FR")  # while BE's next question is held
        assert time.monotonic() - began < 10


def test_a_package_larger_than_a_page_takes_comes_over_real_http(on_sqlite: Running) -> None:
    world, values = on_sqlite.world, [f"{'x' * 200}{n}.example" for n in range(6000)]
    event = world.post("FR", "Bulk", Tlp.GREEN, values)
    until(lambda: values[-1] in world.text("BE", event), "BE holds all of it")


def test_a_node_that_was_away_is_shown_as_failing_and_missed_nothing(on_sqlite: Running) -> None:
    world = on_sqlite.world
    until(lambda: peer_states(world["BE"])[0].state == "in step", "BE has asked FR")
    on_sqlite.stop("FR")
    event = world.post("FR", "Phishing", Tlp.GREEN, ["green.example"])
    until(lambda: peer_states(world["BE"])[0].failures > 0, "BE has asked in vain")
    state = peer_states(world["BE"])[0]
    assert state.state.startswith("failing")
    assert "cannot be reached" in str(state.last_error)
    assert "asked again by itself" in str(state.last_error).lower()
    on_sqlite.start("FR")
    until(lambda: "green.example" in world.text("BE", event), "BE holds what was posted meanwhile")
    until(lambda: peer_states(world["BE"])[0].state == "in step", "BE is in step again")

"""Two nodes as they run: the whole application, its schedule, real HTTP on loopback."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import uvicorn

from federation.transport import Transport
from node.actions.init import NewNode, init_node
from node.actions.peers import peer_states
from node.app import create_app
from node.clock import wall_clock
from node.node import Node, open_node
from node.roster import own_entry, put_members
from policies.tlp import Tlp
from tests.node.federation.world import ORGS, Memory, World
from tests.node.nodes import HandClock

PATIENCE_S = 60.0  # two noisy cores


@dataclass
class Running:
    """A node that serves on a port of its own."""

    node: Node
    server: uvicorn.Server
    thread: threading.Thread

    def stop(self) -> None:
        self.server.should_exit = True
        self.thread.join(PATIENCE_S)
        assert not self.thread.is_alive()


def free_socket() -> socket.socket:
    bound = socket.socket()
    bound.bind(("127.0.0.1", 0))
    return bound


def made(folder: Path, name: str, address: str, peers: list[str], database: str) -> Node:
    more: dict[str, str | int | float | list[str]] = {
        "database_url": database,
        "pull_interval_s": 0.3,
        "project_interval_s": 0.1,
        "allow_hosts": peers,
    }
    chosen = NewNode(ORGS[name], f"Node {name}", name, "national", f"http://{address}", more)
    return init_node(folder / name, chosen)


def started(node: Node, bound: socket.socket) -> Running:
    app = create_app(node, transport=Transport(allow_hosts=node.settings.allow_hosts))
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="on"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]}, daemon=True)
    thread.start()
    running = Running(node, server, thread)
    until(lambda: server.started, "the server starts")
    return running


def until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, f"in vain waited until {what}"
        time.sleep(0.1)


@contextmanager
def two_nodes(folder: Path, new_url: Callable[[], str]) -> Iterator[World]:
    sockets = {name: free_socket() for name in ("FR", "BE")}
    addresses = {name: "127.0.0.1:%d" % bound.getsockname()[1] for name, bound in sockets.items()}
    fresh = [
        made(folder, name, addresses[name], list(addresses.values()), new_url())
        for name in sockets
    ]
    entries = [own_entry(node.settings, node.keys) for node in fresh]
    running = []
    for node in fresh:
        node.close()
        put_members(node.settings.roster_file, entries)
    try:
        for name, node in zip(sockets, fresh, strict=True):
            running.append(started(open_node(node.settings), sockets[name]))
        nodes = {name: one.node for name, one in zip(sockets, running, strict=True)}
        yield World(HandClock(wall_clock()), Memory(), nodes)
    finally:
        for one in running:
            one.stop()
            one.node.close()


def test_what_one_node_posts_reaches_the_other_by_itself_and_is_taken_back_again(
    tmp_path: Path, database_urls: Callable[[], str]
) -> None:
    with two_nodes(tmp_path, database_urls) as world:
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
        assert peer_states(world["BE"])[0].state == "in step"


@pytest.mark.parametrize("values", [6000])
def test_a_package_larger_than_a_page_takes_comes_over_real_http(
    tmp_path: Path, values: int
) -> None:
    numbers = iter(range(9))
    with two_nodes(tmp_path, lambda: f"sqlite:///{tmp_path}/{next(numbers)}.db") as world:
        event = world.post("FR", "Bulk", Tlp.GREEN, [f"{'x' * 200}{n}.example" for n in range(values)])
        until(lambda: f"{values - 1}.example" in world.text("BE", event), "BE holds all of it")


def test_a_node_that_comes_back_is_asked_again(tmp_path: Path) -> None:
    numbers = iter(range(9))
    with two_nodes(tmp_path, lambda: f"sqlite:///{tmp_path}/{next(numbers)}.db") as world:
        gone = world["FR"]
        until(lambda: peer_states(world["BE"])[0].state == "in step", "BE has asked FR")
        assert gone.settings.base_url == peer_states(world["BE"])[0].base_url

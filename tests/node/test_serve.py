"""`isac serve` as its own process: it serves, ends with its parent, and survives being killed."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path

import pytest

from node.actions.init import NewNode, init_node
from tests.node.nodes import ORG

pytestmark = pytest.mark.loopback


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


class Served:
    """A node's process, and how it answers."""

    def __init__(self, data: Path, port: int) -> None:
        self.port = port
        self.log = (data / "log").open("ab")
        command = [sys.executable, "-m", "node.cli", "serve", "--until-stdin-closes"]
        self.process = subprocess.Popen(
            [*command, "--data", str(data)], stdin=subprocess.PIPE, stderr=self.log
        )

    def status(self, path: str) -> int:
        """Give the status of an answer; 0: nobody listens."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("GET", path)
            return connection.getresponse().status
        except OSError:
            return 0
        finally:
            connection.close()

    def wait_until_ready(self) -> None:
        for _ in range(300):
            if self.status("/readyz") == 200:
                return
            assert self.process.poll() is None
            time.sleep(0.1)
        pytest.fail("not ready within 30 s")

    def end(self) -> None:
        self.process.kill()
        self.process.communicate()
        self.log.close()


@pytest.fixture
def home(tmp_path: Path) -> tuple[Path, int]:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    init_node(tmp_path, NewNode(ORG, "Node FR", "FR", "national", url, {"port": port})).close()
    return tmp_path, port


@pytest.fixture
def served(home: tuple[Path, int]) -> Iterator[Served]:
    running = Served(*home)
    running.wait_until_ready()
    yield running
    running.end()


def test_a_child_ends_when_its_parent_is_gone(served: Served) -> None:
    assert served.status("/") == 303
    assert served.process.stdin is not None
    served.process.stdin.close()
    assert served.process.wait(15) == 0


def test_a_node_that_was_killed_serves_again_and_leads_again(
    served: Served, home: tuple[Path, int]
) -> None:
    served.end()
    again = Served(*home)
    again.wait_until_ready()
    told = b""
    for _ in range(150):
        told = (home[0] / "log").read_bytes()
        if told.count(b'"leads"') == 2:
            break
        time.sleep(0.1)
    again.end()
    assert told.count(b'"leads"') == 2
    assert b"Traceback" not in told


def test_a_taken_port_is_told_and_exits_3(served: Served, home: tuple[Path, int]) -> None:
    second = Served(*home)
    second.process.wait(30)
    second.end()
    assert second.process.returncode == 3
    assert b"address already in use" in (home[0] / "log").read_bytes()

"""The victim: a real node's process, asked over its doors and weighed from outside."""

import json
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from node.actions.init import NewNode, init_node
from node.actions.people import add_person, make_token
from node.node import Node
from node.roster import put_members
from tests.hostile.forging import VICTIM
from tests.node.test_serve import free_port

PATIENCE_S = 60.0
_KIB = re.compile(r"^(Vm\w+):\s+(\d+) kB", re.MULTILINE)


@dataclass
class Victim:
    """A node that serves on loopback in a process of its own."""

    data: Path
    port: int
    token: str
    process: subprocess.Popen[bytes]

    @property
    def address(self) -> tuple[str, int]:
        return ("127.0.0.1", self.port)

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def get(self, path: str) -> tuple[int, Any]:
        """An honest question of one of its own people; gives status and JSON (or text)."""
        connection = HTTPConnection(*self.address, timeout=PATIENCE_S)
        try:
            connection.request("GET", path, headers={"Authorization": f"Bearer {self.token}"})
            answer = connection.getresponse()
            body = answer.read()
        finally:
            connection.close()
        is_json = "json" in (answer.getheader("content-type") or "")
        return answer.status, json.loads(body) if is_json else body.decode()

    def peers(self) -> Mapping[str, Mapping[str, Any]]:
        """How it says that it stands with each peer, by their organisations."""
        status, told = self.get("/api/v1/peers")
        assert status == 200
        return {peer["org"]: peer for peer in told["peers"]}

    def command(self, *words: str) -> str:
        """What `isac` prints on this node."""
        command = [sys.executable, "-m", "node.cli", *words, "--data", str(self.data)]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    def quarantine(self) -> list["Refused"]:
        """What it has refused, as its operator reads it."""
        head, *lines = self.command("quarantine", "list").splitlines()
        starts = [head.index(column) for column in ("from", "check", "log", "why", "answer")]
        cells = [[line[a:b].strip() for a, b in pairwise(starts)] for line in lines]
        return [Refused(src, int(check), why) for src, check, _, why in cells]

    def log(self, **facts: str) -> list[Mapping[str, Any]]:
        """What it has logged with these facts."""
        lines = [json.loads(line) for line in (self.data / "log").read_bytes().splitlines()]
        return [line for line in lines if facts.items() <= line.items()]

    def admit(self, members: Sequence[Mapping[str, object]]) -> None:
        """Its operator accepts these members."""
        put_members(self.data / "roster.json", members)

    def memory_kib(self, which: str = "VmRSS") -> int:
        """Its memory as the kernel counts it: VmRSS now, VmHWM the most there ever was."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(dict(_KIB.findall(status))[which])


@dataclass(frozen=True)
class Refused:
    """One item in quarantine: who sent it, the number of the check, why."""

    src: str
    check: int
    why: str


@contextmanager
def victim(
    data: Path,
    members: Sequence[Mapping[str, object]],
    allowed: Sequence[str],
    role: str = "national",
    prepare: Callable[[Node], None] = lambda _: None,
) -> Iterator[Victim]:
    """Make a node that knows these members, and let it serve."""
    port = free_port()
    more: dict[str, str | float | list[str]] = {
        "port": port,
        "pull_interval_s": 0.5,
        "project_interval_s": 0.2,
        "allow_hosts": [*allowed],
    }
    chosen = NewNode(VICTIM, "Victim", "FR", role, f"http://127.0.0.1:{port}", more)
    node = init_node(data, chosen)
    add_person(node, "test", login="op", org=node.org, role="operator", password=None)
    token = make_token(node, "test", "op")
    prepare(node)
    node.close()
    put_members(node.settings.roster_file, members)
    command = [sys.executable, "-m", "node.cli", "serve", "--until-stdin-closes"]
    with (data / "log").open("wb") as log:
        process = subprocess.Popen(
            [*command, "--data", str(data)], stdin=subprocess.PIPE, stderr=log
        )
        try:
            served = Victim(data, port, token, process)
            until(lambda: is_up(served), "the victim serves")
            yield served
            assert process.poll() is None, "the victim died"
        finally:
            process.kill()
            process.communicate()
    assert b"Traceback" not in (data / "log").read_bytes()


def is_up(served: Victim) -> bool:
    assert served.process.poll() is None
    try:
        return served.get("/readyz")[0] == 200
    except OSError:
        return False


def until(condition: Callable[[], bool], what: str, patience_s: float = PATIENCE_S) -> None:
    deadline = time.monotonic() + patience_s
    while not condition():
        if time.monotonic() > deadline:
            pytest.fail(f"in vain waited until {what}")
        time.sleep(0.1)

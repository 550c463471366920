"""The demo as a person runs it, undisturbed and with nodes killed in the middle of it.

ISAC_KILLS says how often a node is killed (2 unless set; by hand, more). Each kill falls at a random
moment after a random line of the play, told by its seed, and the play must end with the same table.
"""

import os
import random
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from node.demo.scenario import shipped_scenario
from tests.conftest import ROOT

KILLS = int(os.environ.get("ISAC_KILLS", "2"))
NODES = len(shipped_scenario().nodes)
STEPS = len(shipped_scenario().steps)
A_STEP_S = 3.0  # about as long as a step lasts
LIMIT_S = 280
STEP = re.compile(r"^\d\d (Jan|Feb) \d\d:\d\dZ  ")
WHOLE = re.compile(
    r"^234 cells ok, 0 failed, 26 later; 28 of them before and after a release; "
    r"0 canaries found; \d+ s$",
    re.MULTILINE,
)


class Demo:
    """A running `isac demo --check`; what it says is read line by line."""

    def __init__(self, directory: Path) -> None:
        self.said: list[str] = []
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-m", "node.cli", "demo", "--check", "--dir", str(directory)],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def listen(self, steps: int) -> None:
        """Read on until that many steps of the play have begun."""
        assert self.process.stdout is not None
        while sum(bool(STEP.match(line)) for line in self.said) < steps:
            line = self.process.stdout.readline()
            assert line, self.said
            self.said.append(line)

    def assert_whole(self) -> str:
        """Read to the end: it ended well, with every cell as the table says."""
        assert self.process.stdout is not None
        told = "".join([*self.said, *self.process.stdout])
        self.process.stdout.close()
        assert self.process.wait() == 0, told
        assert WHOLE.search(told), told
        return told


def serving(directory: Path) -> list[int]:
    """The process ids of this demo's nodes."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                command = (entry / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if b"serve" in command and any(
                argument.startswith(f"{directory}/".encode()) for argument in command
            ):
                found.append(int(entry.name))
    return sorted(found)


@pytest.mark.timeout(LIMIT_S)
def test_every_party_sees_exactly_what_the_table_says(tmp_path: Path) -> None:
    Demo(tmp_path / "demo").assert_whole()
    assert not serving(tmp_path / "demo")


@pytest.mark.timeout(LIMIT_S)
@pytest.mark.parametrize("seed", range(KILLS))
def test_a_node_killed_at_any_moment_changes_nothing_at_the_end(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    directory = tmp_path / "demo"
    demo = Demo(directory)
    demo.listen(chance.randint(1, STEPS))
    time.sleep(chance.uniform(0, A_STEP_S / 2))
    nodes = serving(directory)
    assert len(nodes) == NODES
    os.kill(chance.choice(nodes), signal.SIGKILL)
    assert "starting it again" in demo.assert_whole()


@pytest.mark.timeout(2 * LIMIT_S)
def test_a_demo_killed_itself_goes_on_where_it_was(tmp_path: Path) -> None:
    chance = random.Random(KILLS)
    directory = tmp_path / "demo"
    demo = Demo(directory)
    demo.listen(chance.randint(1, STEPS))
    time.sleep(chance.uniform(0, A_STEP_S))
    demo.process.kill()
    demo.process.communicate()
    until = time.monotonic() + 20
    while serving(directory) and time.monotonic() < until:
        time.sleep(0.1)
    assert not serving(directory), "a node outlived the demo"
    Demo(directory).assert_whole()

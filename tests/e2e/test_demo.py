"""The demo as a person runs it, undisturbed and with nodes killed in the middle of it.

ISAC_KILLS says how often a node is killed (2 unless set; by hand, more); each run kills at a random
moment of its own, told by its seed, and must end with the same table.
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

from tests.conftest import ROOT

KILLS = int(os.environ.get("ISAC_KILLS", "2"))
PLAY_S = 25.0  # about how long a play takes; a kill falls into it
LIMIT_S = 180
WHOLE = re.compile(r"^152 cells ok, 0 failed, 88 later; 0 canaries found; \d+ s$", re.MULTILINE)


def start(directory: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "node.cli", "demo", "--check", "--dir", str(directory)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def end(demo: subprocess.Popen[str]) -> tuple[int, str]:
    told, _ = demo.communicate(timeout=LIMIT_S)
    return demo.returncode, told


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


def assert_whole(demo: subprocess.Popen[str]) -> str:
    status, told = end(demo)
    assert status == 0, told
    assert WHOLE.search(told), told
    return told


@pytest.mark.timeout(LIMIT_S)
def test_every_party_sees_exactly_what_the_table_says(tmp_path: Path) -> None:
    assert_whole(start(tmp_path / "demo"))
    assert not serving(tmp_path / "demo")


@pytest.mark.timeout(LIMIT_S)
@pytest.mark.parametrize("seed", range(KILLS))
def test_a_node_killed_at_any_moment_changes_nothing_at_the_end(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    directory = tmp_path / "demo"
    demo = start(directory)
    time.sleep(chance.uniform(3, PLAY_S))
    nodes = serving(directory)
    assert nodes, end(demo)
    os.kill(chance.choice(nodes), signal.SIGKILL)
    assert "starting it again" in assert_whole(demo)


@pytest.mark.timeout(2 * LIMIT_S)
def test_a_demo_killed_itself_goes_on_where_it_was(tmp_path: Path) -> None:
    directory = tmp_path / "demo"
    demo = start(directory)
    time.sleep(random.Random(KILLS).uniform(8, PLAY_S))
    demo.kill()
    demo.communicate()
    until = time.monotonic() + 20
    while serving(directory) and time.monotonic() < until:
        time.sleep(0.1)
    assert not serving(directory), "a node outlived the demo"
    assert_whole(start(directory))

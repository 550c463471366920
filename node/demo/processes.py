"""The demo's nodes as processes of their own: started, watched, started again when one dies.

Each child runs `isac serve`, writes to its own log file, and ends when its standard input closes;
so no child outlives its parent, however the parent ends.
"""

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Self

from node.demo.errors import DemoError

_LOOK_S = 0.1
_QUICK_S = 5.0  # a child that dies younger than this did not come up
_QUICK_DEATHS = 5
_STOP_S = 10.0


class Supervisor:
    """The running nodes, by key."""

    def __init__(self, homes: Mapping[str, Path], tell: Callable[[str], None]) -> None:
        self._homes = dict(homes)
        self._tell = tell
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        self._born: dict[str, float] = {}
        self._quick_deaths = dict.fromkeys(homes, 0)
        self._ending = threading.Event()
        self._failure: str | None = None
        self._watcher = threading.Thread(target=self._watch, name="supervisor", daemon=True)

    def __enter__(self) -> Self:
        for key in self._homes:
            self._start(key)
        self._watcher.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        self._watcher.join()
        for child in self._children.values():
            if child.stdin is not None:
                child.stdin.close()
        for child in self._children.values():
            try:
                child.wait(_STOP_S)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()

    def check(self) -> None:
        """Raise DemoError when a node does not stay up, with the end of its log."""
        if self._failure is not None:
            raise DemoError(self._failure)

    def _start(self, key: str) -> None:
        home = self._homes[key]
        serve = ["serve", "--data", str(home), "--until-stdin-closes"]
        with (home / "serve.log").open("ab") as log:
            self._children[key] = subprocess.Popen(  # noqa: S603  ourselves, with our own directory
                [sys.executable, "-P", "-m", "node.cli", *serve],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C reaches the parent alone, which ends all in order
            )
        self._born[key] = time.monotonic()

    def _watch(self) -> None:
        while not self._ending.wait(_LOOK_S):
            for key, child in list(self._children.items()):
                if child.poll() is not None and self._failure is None:
                    self._revive(key, child)

    def _revive(self, key: str, child: subprocess.Popen[bytes]) -> None:
        quick = time.monotonic() - self._born[key] < _QUICK_S
        self._quick_deaths[key] = self._quick_deaths[key] + 1 if quick else 0
        if self._quick_deaths[key] >= _QUICK_DEATHS:
            log = (self._homes[key] / "serve.log").read_text(errors="replace")
            self._failure = f"node {key} does not stay up; the end of its log:\n{log[-1500:]}"
            return
        self._tell(f"node {key} ended ({child.returncode}); starting it again")
        if child.stdin is not None:
            child.stdin.close()
        self._start(key)

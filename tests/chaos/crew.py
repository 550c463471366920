"""The nodes as processes of their own: each runs what `isac serve` runs, and can be hit.

They are forked from one process that has everything imported, since importing takes ten times as
long as all the rest of a start, and a storm starts hundreds. Each ends when this process ends.
"""

import multiprocessing
import os
import signal
import sys
import threading
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Self

from node.commands.serve import serve

LOG = "serve.log"
END_S = 120.0  # of patience with a busy machine


@dataclass(frozen=True)
class Post:
    """Where a process serves: which node, listening where."""

    home: Path
    port: int


def run_node(home: str, port: int) -> None:
    """In the child: serve the node until the process is killed, or its parent has ended."""
    os.setsid()  # Ctrl-C reaches the parent alone
    os.environ["ISAC_PORT"] = str(port)
    with (Path(home) / LOG).open("ab") as log:
        for stream in (sys.stdout, sys.stderr):
            os.dup2(log.fileno(), stream.fileno())
    threading.Thread(target=_end_with_parent, daemon=True).start()
    serve(Path(home), until_stdin_closes=False)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
    os._exit(1)


class Crew:
    """The running processes, by name: one a node, or more of them on one database."""

    def __init__(self, posts: Mapping[str, Post]) -> None:
        self._posts = dict(posts)
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(["__main__", __name__])
        self._processes: dict[str, ForkServerProcess] = {}
        self._stopped = set[str]()
        self.counts = Counter[str]()
        self.faults: list[str] = []  # nodes that ended by themselves

    def __enter__(self) -> Self:
        for name in self._posts:
            self.start(name)
        return self

    @property
    def names(self) -> list[str]:
        return [*self._posts]

    def __exit__(self, *_: object) -> None:
        self.end()

    def start(self, name: str) -> None:
        post = self._posts[name]
        process = self._context.Process(
            target=run_node, args=(str(post.home), post.port), name=name
        )
        process.start()
        self._processes[name] = process

    def kill(self, name: str) -> None:
        """kill -9, also of one that is stopped."""
        process = self._processes[name]
        process.kill()
        process.join()
        self._stopped.discard(name)
        self.counts["kills"] += 1

    def stop(self, name: str) -> None:
        self._signal(name, signal.SIGSTOP)
        self._stopped.add(name)
        self.counts["stops"] += 1

    def go_on(self, name: str) -> None:
        if name in self._stopped:
            self._signal(name, signal.SIGCONT)
            self._stopped.discard(name)

    def revive(self, but: set[str]) -> None:
        """Start anew whoever ended; but those of them nobody hit are a fault of the product's."""
        for name, process in self._processes.items():
            if name not in but and not process.is_alive():
                self.faults.append(f"{name} ended by itself with {process.exitcode}")
                self.start(name)

    def end(self) -> None:
        """End all in good order; whoever does not is killed, and that is a fault."""
        for name in [*self._stopped]:
            self.go_on(name)
        for process in self._processes.values():
            process.terminate()
        for name, process in self._processes.items():
            process.join(END_S)
            if process.is_alive():
                self.faults.append(f"{name} does not end when told to")
                process.kill()
                process.join()
        self._processes.clear()

    def _signal(self, name: str, number: signal.Signals) -> None:
        pid = self._processes[name].pid
        if pid is not None:
            with suppress(ProcessLookupError):
                os.kill(pid, number)

"""`python -m tests.chaos --minutes 10 --database sqlite --seed 1`: one summary line."""

import argparse
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from tests.chaos.run import play
from tests.postgresql import running_cluster


def main() -> int:
    """Play one run; 1 if something is wrong, and then its folder stays."""
    ask = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    ask.add_argument("--minutes", type=float, default=10)
    ask.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    ask.add_argument("--seed", type=int, default=1)
    ask.add_argument(
        "--pause", type=float, default=2.0, help="seconds a source is silent, on average"
    )
    asked = ask.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="isac-chaos-"))
    print(f"in {folder}", flush=True)
    began = time.monotonic()
    with _databases(asked.database, folder) as new_url:
        outcome = play(
            folder,
            new_url,
            seed=asked.seed,
            seconds=asked.minutes * 60,
            pause_s=asked.pause,
            tell=lambda line: print(f"{time.monotonic() - began:5.0f} s  {line}", flush=True),
        )
    for fault in outcome.faults[:100]:
        print(f"FAIL  {fault}")
    print(f"{asked.database} seed {asked.seed}, {asked.minutes:g} minutes: {outcome.line()}")
    if outcome.faults:
        return 1
    shutil.rmtree(folder)
    return 0


@contextmanager
def _databases(kind: str, folder: Path) -> Iterator[Callable[[], str]]:
    if kind == "sqlite":
        numbers = count()
        yield lambda: f"sqlite:///{folder}/{next(numbers)}.sqlite"
        return
    with running_cluster() as cluster:
        yield cluster.new_database


if __name__ == "__main__":
    sys.exit(main())

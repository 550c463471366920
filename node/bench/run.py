"""`isac bench`: every benchmark in one run, as tables whose last column is what to look at."""

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Literal

from rich.console import Console
from rich.table import Table

from node.bench import alert, feed, policy, repair, seal
from node.bench.turns import Row

Tables = Iterable[tuple[str, Sequence[Row]]]
Which = Literal["seal", "policy", "feed", "alert", "repair"]


def _policy() -> Tables:
    yield "Verdicts", policy.run()


def _feed(sizes: Sequence[int]) -> Tables:
    yield "A pull, by the number of stored events", feed.run(sizes)
    yield "One more attribute, by the size of its event", feed.grow()
    yield "Catching up with everything", feed.catch_up()


def _alert() -> Tables:
    yield "An alert, from submission to hospitals' streams at one of 27 peers", alert.run()


def _repair(sizes: Sequence[int]) -> Tables:
    yield "Repair of a feed, by what differs", repair.run(sizes)


def run(which: Which | None = None, *, every_size: bool = False) -> int:
    """Run the benchmarks, or one of them, and print them; 0 when they ran."""
    benches: Mapping[Which, Callable[[], Tables]] = {
        "seal": lambda: seal.run(seal.ALL_SIZES if every_size else seal.SIZES),
        "policy": _policy,
        "feed": lambda: _feed(feed.ALL_SIZES if every_size else feed.SIZES),
        "repair": lambda: _repair(repair.ALL_SIZES if every_size else repair.SIZES),
    }
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 120)
    for name, bench in benches.items():
        if which in (None, name):
            with console.status(f"{name} …"):
                tables = list(bench())
            for title, rows in tables:
                console.print(_table(title, rows))
    return 0


def _table(title: str, rows: Sequence[Row]) -> Table:
    names = list(rows[0])
    table = Table(*names[:1], title=title, title_justify="left", box=None)
    for name in names[1:]:
        table.add_column(name, justify="right")
    for row in rows:
        table.add_row(*(str(row[name]) for name in names))
    return table

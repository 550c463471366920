"""`isac bench`: every benchmark in one run, as tables whose last column is the ratio to look at."""

import sys
from collections.abc import Callable, Sequence

from rich.console import Console
from rich.table import Table

from node.bench import feed, policy, seal

Rows = Sequence[dict[str, str | float]]

_BENCHES: tuple[tuple[str, Callable[[], Rows]], ...] = (
    ("Seal and verify, against the same hashes and one signature", seal.run),
    ("Verdicts", policy.run),
    ("An unchanged pull, by the number of stored events", feed.run),
)


def run() -> int:
    """Run all benchmarks and print them; 0 when they ran."""
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 120)
    for title, bench in _BENCHES:
        with console.status(f"{title} …"):
            rows = bench()
        console.print(_table(title, rows))
    return 0


def _table(title: str, rows: Rows) -> Table:
    names = list(rows[0])
    table = Table(*names[:1], title=title, title_justify="left", box=None)
    for name in names[1:]:
        table.add_column(name, justify="right")
    for row in rows:
        table.add_row(*(str(row[name]) for name in names))
    return table

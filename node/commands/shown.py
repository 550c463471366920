"""How a command opens its node and shows rows."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import typer

from node.node import Node, open_node
from node.settings import load_settings


@contextmanager
def opened(data: Path) -> Iterator[Node]:
    """Give the node in `data`, open to the end of the block."""
    node = open_node(load_settings(data))
    try:
        yield node
    finally:
        node.close()


def print_rows(names: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print a table, each column as wide as its widest cell."""
    table = [list(names), *([str(cell) for cell in row] for row in rows)]
    widths = [max(len(line[column]) for line in table) for column in range(len(names))]
    for line in table:
        typer.echo("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)))

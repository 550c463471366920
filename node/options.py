"""Options that commands of `isac` share, and how their groups are made."""

from pathlib import Path
from typing import Annotated

import typer

HERE = Path("isac-data")
Data = Annotated[
    Path, typer.Option("--data", envvar="ISAC_DATA", help="The node's data directory.")
]
As = Annotated[str, typer.Option("--as", help="In whose name: a login; else the only operator's.")]


def group(about: str) -> typer.Typer:
    """Give a new group of commands."""
    return typer.Typer(
        help=about,
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
    )

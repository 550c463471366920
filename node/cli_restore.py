"""`isac restore`: how its commands are called.

What they do is loaded by the command that needs it (see `node.cli`).
"""

# ruff: noqa: PLC0415  see above

from typing import Annotated

import typer

from node.options import HERE, As, Data, group

restore = group("This node comes back from a backup of its database.")

Without = Annotated[
    list[str] | None, typer.Option("--without", help="A member that cannot be asked; repeatable.")
]


@restore.command("begin")
def begin(data: Data = HERE) -> None:
    """Say that the database was put back from a backup; the node must be stopped."""
    from node.commands import restores

    restores.begin(data)


@restore.command("status")
def status(data: Data = HERE) -> None:
    """Show who has told how far he knows our logs, and which of them the backup is behind."""
    from node.commands import restores

    restores.status(data)


@restore.command("finish")
def finish(data: Data = HERE, without: Without = None, login: As = "") -> None:
    """Let the node seal and serve again."""
    from node.commands import restores

    restores.finish(data, without or [], login)

"""A node that comes back from a backup, from the shell."""

from collections.abc import Sequence
from pathlib import Path

import typer

from node import outside
from node.actions.people import caller_at_shell
from node.actions.restore import Restoring, finish_restore, state_of
from node.commands.shown import opened
from node.settings import load_settings


def begin(data: Path) -> None:
    """Let the next start take the database for a backup."""
    outside.call_restored(load_settings(data).data)
    typer.echo("start the node: it asks its peers how far they know its logs and is locked until")
    typer.echo("`isac restore finish`; `isac restore status` shows who has told")


def status(data: Path) -> None:
    """Print where a restore stands."""
    with opened(data) as node:
        state = state_of(node)
    if not state.is_locked and not state.unread:
        typer.echo("no restore is under way")
        return
    typer.echo("locked: nothing is sealed or served" if state.is_locked else "ended by an operator")
    _print("has not told how far it knows our logs", state.silent)
    _print("feed not read again, so nothing of it is relayed", state.unread)
    _print_logs(state)


def finish(data: Path, without: Sequence[str], login: str) -> None:
    """End a restore."""
    with opened(data) as node:
        state = finish_restore(node, caller_at_shell(node, login), without)
    typer.echo("ended: the node seals and serves again")
    _print_logs(state)


def _print_logs(state: Restoring) -> None:
    _print("went on after the backup, kept at home until edited and published", state.behind)
    _print("not in the backup; peers drop it", state.lost)


def _print(what: str, names: Sequence[str]) -> None:
    for name in names:
        typer.echo(f"{name}  {what}")

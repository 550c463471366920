"""The other members of the federation, from the shell."""

import json
from pathlib import Path

import typer

from node.actions.peers import peer_states
from node.commands.shown import opened, print_rows
from node.errors import SettingsError
from node.roster import own_entry, put_members
from node.settings import load_settings


def list_states(data: Path) -> None:
    """Print each peer's state."""
    with opened(data) as node:
        states = peer_states(node)
        if not states:
            typer.echo("no peers: the roster holds nobody else")
            return
        print_rows(
            ("peer", "queue", "pulled at", "refused", "state", "last error"),
            [
                (
                    f"{one.name} {one.org}",
                    one.queue,
                    f"{one.pulled_at:%Y-%m-%d %H:%M:%SZ}" if one.pulled_at else "never",
                    one.quarantined,
                    one.state,
                    one.last_error or "-",
                )
                for one in states
            ],
        )


def show_own_entry(data: Path) -> None:
    """Print this node as a member of a roster."""
    with opened(data) as node:
        typer.echo(json.dumps(own_entry(node.settings, node.keys), indent=1, ensure_ascii=False))


def accept(data: Path, file: Path) -> None:
    """Put the member in `file` into the roster."""
    try:
        entry = json.loads(file.read_bytes())
    except ValueError as error:
        raise SettingsError(f"{file}: {error}") from error
    put_members(load_settings(data).roster_file, [entry])

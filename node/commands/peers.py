"""The other members of the federation, from the shell."""

import json
from pathlib import Path

import typer

from node.actions.peers import peer_states
from node.commands.shown import opened, print_rows
from node.errors import SettingsError
from node.roster import own_entry, put_members
from node.settings import load_settings
from sharing.errors import SharingError
from sharing.seal.keys import KeyRegistry


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
        KeyRegistry.read({"members": [entry]})
    except (ValueError, SharingError) as error:
        raise SettingsError(f"{file} is no member's entry: {error}") from error
    settings = load_settings(data)
    if entry["org"] == settings.org:
        raise SettingsError(f"{file} is this node's own entry; a peer's is wanted")
    put_members(settings.roster_file, [entry])
    kids = ", ".join(f"{key['use']} {key['kid']}" for key in entry["keys"])
    typer.echo(f"accepted {entry['org']} with keys {kids}; compare them with the peer by telephone")
    typer.echo("a running node takes it up at its next start")

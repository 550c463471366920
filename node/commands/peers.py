"""The other members of the federation, from the shell."""

import json
from collections.abc import Sequence
from pathlib import Path

import typer

from node.actions.keys import accept_member
from node.actions.peers import PeerState, RulebookTold, equivocations, peer_states
from node.actions.people import caller_at_shell
from node.actions.receipts_got import refused_there, signed_receipt
from node.commands.shown import opened, print_rows
from node.errors import SettingsError
from node.roster import own_entry
from node.settings import load_settings

_DIGITS = 12  # of a digest: enough for people to compare


def list_states(data: Path) -> None:
    """Print each peer's state, and what an operator must not overlook."""
    with opened(data) as node:
        states = peer_states(node)
        if states:
            _print_states(states)
        else:
            typer.echo("no peers: the roster holds nobody else")
        for state in states:
            for warning in state.warnings:
                typer.echo(f"WARNING {state.name}: {warning}")
        for found in equivocations(node):
            typer.echo(f"ALARM {found.told}")
        for one in refused_there(node):
            typer.echo(
                f"{one.told}, {one.at:%Y-%m-%d %H:%M:%SZ}; `isac peer receipt {one.id}` prints its "
                "signed word"
            )


def _print_states(states: Sequence[PeerState]) -> None:
    print_rows(
        ("peer", "queue", "pulled at", "refused", "rules", "state", "repair", "last error"),
        [
            (
                f"{one.name} {one.org}",
                one.queue,
                f"{one.pulled_at:%Y-%m-%d %H:%M:%SZ}" if one.pulled_at else "never",
                one.quarantined,
                _rules(one.rulebook),
                one.state,
                one.repair,
                one.last_error or "-",
            )
            for one in states
        ],
    )


def show_receipt(data: Path, login: str, number: int) -> None:
    """Print a peer's receipt as it signed it."""
    with opened(data) as node:
        typer.echo(signed_receipt(node, caller_at_shell(node, login), number).decode())


def _rules(told: RulebookTold | None) -> str:
    return "-" if told is None else f"{told.version} {told.digest[:_DIGITS]}"


def show_own_entry(data: Path) -> None:
    """Print this node as a member of a roster."""
    with opened(data) as node:
        typer.echo(json.dumps(own_entry(node.settings, node.keys), indent=1, ensure_ascii=False))


def accept(data: Path, file: Path) -> None:
    """Put the member in `file` into the roster."""
    try:
        entry = json.loads(file.read_bytes())
    except ValueError as error:
        raise SettingsError(f"{file} is no member's entry: {error}") from error
    if not isinstance(entry, dict):
        raise SettingsError(f"{file} is no member's entry: not an object")
    try:
        member = accept_member(load_settings(data), entry)
    except SettingsError as error:
        raise SettingsError(f"{file} {error}") from error
    kids = ", ".join(f"{key.use} {key.kid}" for key in member.keys)
    typer.echo(f"accepted {member.org} with keys {kids}; compare them with the peer by telephone")
    typer.echo("a running node heeds it at once")

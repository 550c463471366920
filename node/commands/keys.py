"""The node's keys, and the end of anybody's, from the shell."""

from pathlib import Path

import typer

from node.actions.keys import prepare_keys, revoke_key, rotate_keys
from node.actions.renew import renew_logs
from node.clock import wall_clock
from node.commands.shown import opened, print_rows
from node.errors import SettingsError
from node.keys import read_keys
from node.roster import KeyEntry, keys_of
from node.settings import load_settings
from sharing.errors import UnreadableError
from sharing.seal.canonical import read_instant
from sharing.seal.keys import Use


def list_keys(data: Path) -> None:
    """Print this node's keys."""
    settings = load_settings(data)
    used = {key["kid"] for key in read_keys(settings.data, settings.suite).roster_keys()}
    listed = keys_of(settings.roster_file, settings.org)
    print_rows(
        ("key", "use", "alg", "state"),
        [(key["kid"], key["use"], key["alg"], _state(key, used)) for key in listed],
    )


def prepare(data: Path, use: str) -> None:
    """Make the keys to come."""
    settings = load_settings(data)
    kids = prepare_keys(settings, _use(use))
    typer.echo(f"to come: {', '.join(kids)}; not in use yet")
    typer.echo(
        "send `isac peer show` to every peer, and `isac keys rotate` once all have accepted it"
    )


def rotate(data: Path, use: str) -> None:
    """Put the keys to come in use."""
    settings = load_settings(data)
    turned = rotate_keys(settings, _use(use), at=wall_clock())
    typer.echo(f"in use: {', '.join(turned.in_use)}")
    typer.echo(f"retired: {', '.join(turned.retired) or 'none'}")
    typer.echo("a running node uses them from its next start: restart it now")
    typer.echo(
        "send `isac peer show` to every peer that has not accepted the new ones: until it does, it "
        "refuses what they sign, and takes it then"
    )


def revoke(data: Path, kid: str, reason: str, compromised_since: str) -> None:
    """End a key."""
    try:
        since = read_instant(compromised_since)
    except UnreadableError as error:
        raise SettingsError(f"--compromised-since {compromised_since}: {error}") from error
    settings = load_settings(data)
    org = revoke_key(settings, kid, compromised_since=since, reason=reason, at=wall_clock())
    typer.echo(f"revoked key {kid} of {org}; a running node heeds it at once")
    typer.echo("what it signed and was first seen since then goes into quarantine")
    if org == settings.org:
        typer.echo("send `isac peer show` to every peer: nobody else knows yet")
        typer.echo(
            "who has not seen our events yet refuses what this key signed: once the node is "
            "restarted with its new key, `isac keys reseal` signs them anew"
        )


def reseal(data: Path) -> None:
    """Seal anew what stolen keys of ours signed."""
    with opened(data) as node:
        typer.echo(f"sealed anew: {renew_logs(node)} logs")
    typer.echo("who has them sees nothing new; who refused them gets them by the next repair")


def _use(text: str) -> Use:
    try:
        return Use(text)
    except ValueError:
        raise SettingsError(f"--use {text}: seal or transport") from None


def _state(key: KeyEntry, used: set[str]) -> str:
    if since := key.get("compromised_since"):
        return f"compromised since {since}"
    if at := key.get("revoked_at"):
        return f"revoked {at}"
    if at := key.get("not_after"):
        return f"retired {at}"
    return "in use" if key["kid"] in used else "to come"

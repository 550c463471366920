"""The signed roster from the shell: who is trusted, enrolled, accepted, removed."""

import json
from pathlib import Path

import typer

from federation.enrolment import Token
from node.actions import enrolling
from node.actions.accepting import accept_listed, list_members
from node.actions.errors import ConflictError
from node.actions.people import caller_at_shell
from node.actions.roster import standing_of, trust_root, trusted, warning_of
from node.actions.rostering import make_online_key, publish_due, remove_member
from node.commands.shown import opened, print_rows
from node.errors import SettingsError
from node.keys import read_owned
from node.node import Node
from node.tls import transport_to_peers

_ACTOR = "shell"


def show(data: Path) -> None:
    """Print the members as the signed roster lists them, and whom of them we accepted."""
    with opened(data) as node:
        rows = list_members(node)
        if not rows:
            typer.echo("no signed roster here lists anybody else")
            return
        print_rows(
            ("member", "role", "state", "address", "fingerprint", "not as we hold it"),
            [
                (
                    f"{one.name or one.country} {one.org}",
                    one.role,
                    one.state,
                    ", ".join(one.base_urls) or "-",
                    one.fingerprint,
                    ", ".join(one.differs) or "-",
                )
                for one in rows
            ],
        )
        typer.echo("compare a fingerprint by telephone, then: isac roster accept ORG")


def status(data: Path) -> None:
    """Print what is trusted here, and how old it is."""
    with opened(data) as node:
        held, stage = trusted(node), standing_of(node)
        if held is None or stage is None:
            typer.echo("no root is trusted here: the roster is this operator's own file")
            return
        root, roster = held.root, held.roster
        typer.echo(
            f"root {root.version}, {root.threshold} of {len(root.keys)}, "
            f"until {root.expires:%Y-%m-%d}"
        )
        typer.echo(f"     {root.fingerprint}")
        if roster is None:
            typer.echo("no roster yet")
        else:
            typer.echo(
                f"roster {roster.version}, {len(roster.members)} members, until "
                f"{roster.expires:%Y-%m-%d %H:%MZ}"
            )
        typer.echo(f"state: {stage.value}")
        if (warned := warning_of(node)) is not None:
            typer.echo(warned.told)


def trust(data: Path, file: Path, fingerprint: str) -> None:
    """Trust a root."""
    with opened(data) as node:
        root = trust_root(node, _ACTOR, _bytes(file), fingerprint)
    typer.echo(f"root {root.version} is trusted: {root.fingerprint}")


def online(data: Path, out: Path) -> None:
    """Make the hub's online key, and write its public half for the root."""
    with opened(data) as node:
        if not node.is_hub:
            raise ConflictError("only the hub signs rosters")
        public = make_online_key(node)
    out.write_text(json.dumps(public, indent=1) + "\n")
    typer.echo(f"wrote {public['kid']} to {out}; the root names it with --online {out}")


def publish(data: Path) -> None:
    """Publish a roster now, if there is anything to say."""
    with opened(data) as node:
        version = publish_due(node)
        typer.echo("nothing to publish" if version is None else f"published roster {version}")


def invite(data: Path, login: str, org: str) -> None:
    """Make a token for one organisation."""
    with opened(data) as node:
        token = enrolling.invite(node, caller_at_shell(node, login), org)
    typer.echo(token.text)
    typer.echo(f"for {org} alone, once, within 24 hours; it is not shown again", err=True)


def waiting(data: Path) -> None:
    """Print who has enrolled and waits."""
    with opened(data) as node:
        rows = enrolling.list_enrolments(node)
    if not rows:
        typer.echo("nobody waits")
        return
    print_rows(
        ("organisation", "role", "country", "address", "invited by", "fingerprint"),
        [
            (
                f"{one.name} {one.org}",
                one.role,
                one.country,
                ", ".join(one.base_urls),
                one.invited_by,
                one.fingerprint,
            )
            for one in rows
        ],
    )


def approve(data: Path, login: str, org: str, fingerprint: str) -> None:
    """Make an organisation a member."""
    with opened(data) as node:
        enrolling.approve(node, caller_at_shell(node, login), org, fingerprint)
    typer.echo(f"{org} is a member; the next roster lists it")


def reject(data: Path, login: str, org: str) -> None:
    """Turn an enrolment down."""
    with opened(data) as node:
        enrolling.reject(node, caller_at_shell(node, login), org)
    typer.echo(f"turned down: {org}")


def accept(data: Path, org: str, fingerprint: str) -> None:
    """Accept a member that the roster lists."""
    with opened(data) as node:
        entry = accept_listed(node, _ACTOR, org, fingerprint)
    typer.echo(f"accepted {entry.org}; a running node exchanges with it from now on")


def remove(data: Path, org: str, why: str) -> None:
    """Remove a member."""
    with opened(data) as node:
        remove_member(node, _ACTOR, org, why)
    typer.echo(f"removed {org}; the next roster says so to all")


def join(data: Path, token_file: Path, hub: str) -> None:
    """Enrol this node at the hub."""
    token = Token.read(read_owned(token_file).decode("ascii", "replace"))
    with opened(data) as node:
        fingerprint = _join(node, token, hub)
    typer.echo("the hub's officers see this fingerprint; read it to them by telephone:")
    typer.echo(fingerprint)


def _join(node: Node, token: Token, hub: str) -> str:
    transport = transport_to_peers(node.settings)
    return enrolling.join(node, _ACTOR, token, hub, transport)


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise SettingsError(f"{file}: {error.strerror}") from error

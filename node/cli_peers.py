"""`isac peer`, `isac keys`, `isac quarantine`, `isac patients`: how their commands are called.

What they do is loaded by the command that needs it (see `node.cli`).
"""

# ruff: noqa: PLC0415  see above

from pathlib import Path
from typing import Annotated

import typer

from node.options import HERE, As, Data, group

peer = group("The other members of the federation.")
keys = group("This node's keys, and the end of anybody's.")
quarantine = group("What was refused, and the proof of what should not be.")
patients = group("Findings of patient data: false alarms, released by a person.")

Use = Annotated[str, typer.Option("--use", help="seal or transport")]


@peer.command("list")
def list_peers(data: Data = HERE) -> None:
    """Show each peer's state in words."""
    from node.commands import peers

    peers.list_states(data)


@peer.command("show")
def show_own_entry(data: Data = HERE) -> None:
    """Print this node as a member, for the rosters of others."""
    from node.commands import peers

    peers.show_own_entry(data)


@peer.command("receipt")
def show_receipt(
    number: Annotated[int, typer.Argument(help="As `isac peer list` names it.")],
    data: Data = HERE,
    login: As = "",
) -> None:
    """Print what a peer signed about something of ours, for whoever is to check it."""
    from node.commands import peers

    peers.show_receipt(data, login, number)


@peer.command("accept")
def accept_peer(
    file: Annotated[Path, typer.Argument(help="What its `isac peer show` printed.")],
    data: Data = HERE,
) -> None:
    """Put a member, or its new keys, into the roster; a running node heeds it at once."""
    from node.commands import peers

    peers.accept(data, file)


@keys.command("list")
def list_keys(data: Data = HERE) -> None:
    """Show this node's keys as its roster has them: in use, to come, retired, revoked."""
    from node.commands import keys as acts

    acts.list_keys(data)


@keys.command("prepare")
def prepare_keys(data: Data = HERE, use: Use = "seal") -> None:
    """Make the keys to come and list them, so that peers know them before they are used."""
    from node.commands import keys as acts

    acts.prepare(data, use)


@keys.command("rotate")
def rotate_keys(data: Data = HERE, use: Use = "seal") -> None:
    """Put the keys to come in use, made now if none are prepared, and retire the others."""
    from node.commands import keys as acts

    acts.rotate(data, use)


@keys.command("revoke")
def revoke_key(
    # no argument: one id in 64 begins with a hyphen
    kid: Annotated[str, typer.Option("--key", help="Its id, of whichever member.")],
    reason: Annotated[str, typer.Option(help="Why, for people.")],
    compromised_since: Annotated[
        str,
        typer.Option(help="RFC 3339: what it signed and was first seen since then is refused."),
    ],
    data: Data = HERE,
) -> None:
    """End a stolen key that this node does not use (any more); a retired one needs no end."""
    from node.commands import keys as acts

    acts.revoke(data, kid, reason, compromised_since)


@keys.command("reseal")
def reseal_events(data: Data = HERE) -> None:
    """Seal anew, with the key in use, what stolen keys of ours signed and may travel."""
    from node.commands import keys as acts

    acts.reseal(data)


@quarantine.command("list")
def list_refused(data: Data = HERE) -> None:
    """Show what was refused last: from whom, which check, why."""
    from node.commands import quarantine as acts

    acts.list_refused(data)


@quarantine.command("release")
def release_refused(
    number: Annotated[int, typer.Argument(help="Its number in `isac quarantine list`.")],
    why: Annotated[str, typer.Option("--why", help="Why it is no patient data; signed.")],
    data: Data = HERE,
    login: As = "",
) -> None:
    """Say that what check 8 refused holds no patient data; its sender's feed is read anew."""
    from node.commands import patients

    patients.release_refused(data, login, number, why)


@patients.command("release")
def release_findings(
    findings: Annotated[list[str], typer.Argument(help="Ids, as the refusal named them.")],
    why: Annotated[str, typer.Option("--why", help="Why it is no patient data; signed.")],
    data: Data = HERE,
    login: As = "",
) -> None:
    """Say of findings that they are no patient data; exactly the same text then passes."""
    from node.commands import patients as acts

    acts.release(data, login, findings, why)


@patients.command("list")
def list_patient_releases(data: Data = HERE, login: As = "") -> None:
    """Show what was released as no patient data: by whom, when, why."""
    from node.commands import patients as acts

    acts.list_released(data, login)


@quarantine.command("export")
def export_refused(
    number: Annotated[int, typer.Argument(help="Its number in `isac quarantine list`.")],
    out: Annotated[Path, typer.Option(help="A new directory.")],
    raw: Annotated[
        bool, typer.Option("--raw", help="What came, as it came: it may hold what is not for you.")
    ] = False,
    data: Data = HERE,
) -> None:
    """Write what was refused; of two statements for one version, the proof for a stranger."""
    from node.commands import quarantine as acts

    acts.export(data, number, out, raw=raw)

"""`isac peer`, `isac keys`, `isac quarantine`: how commands about the federation are called.

What they do is loaded by the command that needs it (see `node.cli`).
"""

# ruff: noqa: PLC0415  see above

from pathlib import Path
from typing import Annotated

import typer

from node.options import HERE, Data, group

peer = group("The other members of the federation.")
keys = group("This node's keys, and the end of anybody's.")
quarantine = group("What was refused, and the proof of what should not be.")

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


@peer.command("accept")
def accept_peer(
    file: Annotated[Path, typer.Argument(help="What its `isac peer show` printed.")],
    data: Data = HERE,
) -> None:
    """Put a member, or its new keys, into the roster; a new one counts after a restart."""
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


@quarantine.command("list")
def list_refused(data: Data = HERE) -> None:
    """Show what was refused last: from whom, which check, why."""
    from node.commands import quarantine as acts

    acts.list_refused(data)


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

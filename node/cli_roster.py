"""`isac roster` and `isac root`: how their commands are called.

What they do is loaded by the command that needs it (see `node.cli`).
"""

# ruff: noqa: PLC0415  see above

from pathlib import Path
from typing import Annotated

import typer

from node.options import HERE, As, Data, group

roster = group("The signed roster: members the federation lists, and those accepted here.")
root = group("The offline root: keys and documents as files, no node needed.")

Org = Annotated[str, typer.Argument(help="The organisation's uuid.")]
Fingerprint = Annotated[
    str, typer.Option("--fingerprint", help="As its operator read it to you by telephone.")
]
Passphrase = Annotated[
    Path | None, typer.Option("--passphrase-file", help="A file of mode 600; else unprotected.")
]
Days = Annotated[int, typer.Option(min=1, max=800, help="How long it is valid.")]
Keys = Annotated[list[Path], typer.Option("--key", help="A .pub file of `isac root key`.")]
Online = Annotated[list[Path], typer.Option(help="The .pub file of `isac roster online`.")]


@roster.command("status")
def show_status(data: Data = HERE) -> None:
    """Show which root and roster are held here, and how old they are."""
    from node.commands import roster as acts

    acts.status(data)


@roster.command("show")
def show_members(data: Data = HERE) -> None:
    """Show the members that the roster lists, and which of them were accepted here."""
    from node.commands import roster as acts

    acts.show(data)


@roster.command("trust")
def trust_root(
    file: Annotated[Path, typer.Argument(help="A root, signed by its threshold.")],
    data: Data = HERE,
    fingerprint: Fingerprint = "",
) -> None:
    """Trust a root: the first one by its fingerprint, the next by its signatures."""
    from node.commands import roster as acts

    acts.trust(data, file, fingerprint)


@roster.command("accept")
def accept_member(org: Org, fingerprint: Fingerprint, data: Data = HERE) -> None:
    """Accept a listed member, or what it may not change of itself; until then it gets nothing."""
    from node.commands import roster as acts

    acts.accept(data, org, fingerprint)


@roster.command("join")
def join_federation(
    token_file: Annotated[Path, typer.Option(help="A file of mode 600 with the hub's token.")],
    hub: Annotated[str, typer.Option(help="The hub's base URL.")],
    data: Data = HERE,
) -> None:
    """Enrol this node: trust the token's root, send our keys, and prove that we hold them."""
    from node.commands import roster as acts

    acts.join(data, token_file, hub)


@roster.command("online")
def make_online_key(
    out: Annotated[Path, typer.Option(help="Where its public half goes, for the root.")],
    data: Data = HERE,
) -> None:
    """Make the key that the hub signs rosters with (hub)."""
    from node.commands import roster as acts

    acts.online(data, out)


@roster.command("publish")
def publish_roster(data: Data = HERE) -> None:
    """Publish a roster now if anything changed; a running hub does it by itself (hub)."""
    from node.commands import roster as acts

    acts.publish(data)


@roster.command("invite")
def invite_member(
    org: Annotated[str, typer.Option(help="The uuid of who may join.")],
    data: Data = HERE,
    login: As = "",
) -> None:
    """Print a token for one organisation: for one use, within 24 hours (hub)."""
    from node.commands import roster as acts

    acts.invite(data, login, org)


@roster.command("waiting")
def list_enrolments(data: Data = HERE) -> None:
    """Show who has enrolled and waits for a second officer (hub)."""
    from node.commands import roster as acts

    acts.waiting(data)


@roster.command("approve")
def approve_enrolment(
    org: Org, fingerprint: Fingerprint, data: Data = HERE, login: As = ""
) -> None:
    """Make an organisation a member, by another officer than who invited it (hub)."""
    from node.commands import roster as acts

    acts.approve(data, login, org, fingerprint)


@roster.command("reject")
def reject_enrolment(org: Org, data: Data = HERE, login: As = "") -> None:
    """Turn an enrolment down (hub)."""
    from node.commands import roster as acts

    acts.reject(data, login, org)


@roster.command("remove")
def remove_member(
    org: Org,
    why: Annotated[str, typer.Option("--why", help="Why, for people; every member reads it.")],
    data: Data = HERE,
) -> None:
    """Remove a member from the federation, at once (hub)."""
    from node.commands import roster as acts

    acts.remove(data, org, why)


@root.command("key")
def make_root_key(
    out: Annotated[Path, typer.Option(help="The private half; OUT.pub is the public one.")],
    passphrase_file: Passphrase = None,
) -> None:
    """Make one of the offline keys."""
    from node.commands import root as acts

    acts.make_key(out, passphrase_file)


@root.command("init")
def init_root(
    out: Annotated[Path, typer.Option(help="The new root.")],
    threshold: Annotated[int, typer.Option(min=1, help="How many keys must sign.")],
    keys: Keys,
    online: Online,
    days: Days = 365,
) -> None:
    """Write the first root; then each keeper of a key signs it."""
    from node.commands import root as acts

    acts.init(out, threshold, keys, online, days)


@root.command("next")
def next_root(
    old: Annotated[Path, typer.Argument(help="The root in force.")],
    out: Annotated[Path, typer.Option(help="The new root.")],
    threshold: Annotated[int, typer.Option(help="0: as before.")] = 0,
    keys: Keys = [],  # noqa: B006  typer needs a list
    online: Online = [],  # noqa: B006
    days: Days = 365,
) -> None:
    """Write the root that follows; enough keys of both must sign it."""
    from node.commands import root as acts

    acts.follow(old, out, threshold, keys, online, days)


@root.command("sign")
def sign_root(
    file: Annotated[Path, typer.Argument(help="A root, or a member's entry to vouch for.")],
    key: Annotated[Path, typer.Option(help="An offline key.")],
    passphrase_file: Passphrase = None,
) -> None:
    """Add a signature."""
    from node.commands import root as acts

    acts.sign(file, key, passphrase_file)


@root.command("show")
def show_root(file: Annotated[Path, typer.Argument(help="A root.")]) -> None:
    """Show a root, its fingerprint, and who has signed it."""
    from node.commands import root as acts

    acts.show(file)

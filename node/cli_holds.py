"""`isac hold`, `isac export`, `isac ledger`: how commands about what leaves are called.

What they do is loaded by the command that needs it (see `node.cli`).
"""

# ruff: noqa: PLC0415  see above

from pathlib import Path
from typing import Annotated

import typer

from node.options import HERE, As, Data, group

hold = group("What waits for persons before it goes.")
export = group("Files for authorities: declared by one person, released by two.")

Log = Annotated[str, typer.Argument(help="The event, or the log as `isac hold list` names it.")]
To = Annotated[str, typer.Option("--to", help="Its uuid, or its name as `list` shows it.")]
Slots = Annotated[
    list[str] | None, typer.Option("--slot", help="RECORD:TYPE; else all that waits for it.")
]


@hold.command("list")
def list_held(data: Data = HERE, login: As = "") -> None:
    """Show what waits: for whom, why, what it takes, and who has released it so far."""
    from node.commands import holds

    holds.list_held(data, login)


@hold.command("preview")
def preview(
    event: Log,
    to: To,
    out: Annotated[Path, typer.Option(help="Where to write the package.")],
    slots: Slots = None,
    data: Data = HERE,
    login: As = "",
) -> None:
    """Write the package that would travel after a release, byte for byte."""
    from node.commands import holds

    holds.preview(data, login, event, to, slots or [], out)


@hold.command("release")
def release(
    event: Log,
    to: To,
    reason: Annotated[str, typer.Option(help="Why it may go; signed and kept with your name.")],
    slots: Slots = None,
    ground: Annotated[str, typer.Option(help="For an authority: consent or order.")] = "",
    reference: Annotated[str, typer.Option(help="Of the consent or the order.")] = "",
    data: Data = HERE,
    login: As = "",
) -> None:
    """Release to one party what waits for it, as it reads now; some releases take two persons."""
    from node.commands import holds

    holds.release(
        data,
        login,
        event,
        to,
        slots or [],
        reason=reason,
        ground=ground,
        reference=reference,
    )


@export.command("declare")
def declare(
    event: Annotated[str, typer.Argument(help="An event of this node.")],
    to: Annotated[str, typer.Option("--to", help="The authority: its uuid or its name.")],
    fields: Annotated[
        list[str] | None, typer.Option("--field", help="A field of the incident.")
    ] = None,
    values: Annotated[
        list[str] | None, typer.Option("--value", help="The value of an indicator.")
    ] = None,
    data: Data = HERE,
    login: As = "",
) -> None:
    """Cut a declaration; it then waits for two persons (`isac hold release`)."""
    from node.commands import holds

    holds.declare(data, login, event, to, fields or [], values or [])


@export.command("list")
def list_files(data: Data = HERE, login: As = "") -> None:
    """Show every declaration and how far it is."""
    from node.commands import holds

    holds.list_files(data, login)


@export.command("take")
def take(
    declaration: Annotated[str, typer.Argument(help="As `isac export list` names it.")],
    out: Annotated[Path, typer.Option(help="The directory to write the file into.")],
    data: Data = HERE,
    login: As = "",
) -> None:
    """Write the file of a released declaration; each time leaves its line in the audit."""
    from node.commands import holds

    holds.take(data, login, declaration, out)


def ledger(
    value: Annotated[str, typer.Argument(help="An indicator, or another value.")] = "",
    event: Annotated[str, typer.Option(help="Instead: all that is known of this event.")] = "",
    origin: Annotated[str, typer.Option(help="Whose event; else this node's.")] = "",
    data: Data = HERE,
    login: As = "",
) -> None:
    """Say who was given what, when, under which rulebook, and who confirmed it."""
    from node.commands import holds

    holds.ask_ledger(data, login, value, event, origin)

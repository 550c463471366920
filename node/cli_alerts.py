"""`isac alert`: how its commands are called.

What they do is loaded by the command that needs it (see `node.cli`).
"""

# ruff: noqa: PLC0415  see above

from typing import Annotated

import typer

from node.options import HERE, As, Data, group

alert = group("Urgent events: sent to all at once; who has seen them.")

Event = Annotated[str, typer.Argument(help="An event's uuid.")]
Origin = Annotated[str, typer.Option(help="Whose event; else this node's.")]


@alert.command("send")
def send(event: Event, data: Data = HERE, login: As = "") -> None:
    """Publish an event of this node as urgent: pushed to all peers, told to hospitals here."""
    from node.commands import alerts

    alerts.send(data, login, event)


@alert.command("status")
def status(event: Event, origin: Origin = "", data: Data = HERE, login: As = "") -> None:
    """Show who here was told of an event, how, and who has acknowledged it."""
    from node.commands import alerts

    alerts.status(data, login, origin, event)

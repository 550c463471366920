"""`isac sync`: how its commands are called; what they do is loaded by them (see `node.cli`)."""

# ruff: noqa: PLC0415  see above

from typing import Annotated

import typer

from node.options import HERE, As, Data, group

sync = group("The exchange with peers, by hand.")


@sync.command("repair")
def repair(
    peer: Annotated[str, typer.Argument(help="Its country or uuid, or hub; else every peer.")] = "",
    data: Data = HERE,
) -> None:
    """Compare what peers' feeds hold out to us with what we hold of them, and mend it."""
    from node.commands import sync as acts

    raise typer.Exit(acts.repair(data, peer))


@sync.command("now")
def now(
    peer: Annotated[str, typer.Argument(help="Its country or uuid, or hub; else every peer.")] = "",
    data: Data = HERE,
) -> None:
    """Pull at once, without waiting for the schedule; gives 1 where a pull failed."""
    from node.commands import sync as acts

    raise typer.Exit(acts.pull_now(data, peer))


@sync.command("status")
def status(data: Data = HERE) -> None:
    """Say how we stand with every peer."""
    from node.commands import peers as acts

    acts.list_states(data)


@sync.command("explain")
def explain(
    event: Annotated[str, typer.Argument(help="The event's uuid.")],
    to: Annotated[str, typer.Option(help="A peer: its country or uuid, or hub.")],
    as_: As = "",
    data: Data = HERE,
) -> None:
    """Say how far an event has come on its way to a peer; gives 1 where it has not arrived."""
    from node.commands import sync as acts

    raise typer.Exit(acts.explain_way(data, event, to, as_))

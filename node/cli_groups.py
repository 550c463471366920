"""`isac group`: how commands about sharing groups are called.

What they do is loaded by the command that needs it (see `node.cli`).
"""

# ruff: noqa: PLC0415  see above

from typing import Annotated

import typer

from node.options import HERE, As, Data, group

groups = group("Sharing groups: who gets what is for them.")

Group = Annotated[str, typer.Argument(help="Its uuid, number or name.")]
Members = Annotated[
    list[str] | None,
    typer.Option(
        "--member", help="A uuid, or a name as `isac` shows it; UUID=ORG: reached by ORG."
    ),
]
Shows = Annotated[
    bool | None, typer.Option("--show-members/--hide-members", help="To the members themselves.")
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say what it would change.")]


@groups.command("list")
def list_all(data: Data = HERE, login: As = "") -> None:
    """Show every group, who of it cannot be reached, and how many events are for it."""
    from node.commands import groups as act

    act.list_all(data, login)


@groups.command("show")
def show(which: Group, data: Data = HERE, login: As = "") -> None:
    """Show one group and how each member is reached."""
    from node.commands import groups as act

    act.show(data, login, which)


@groups.command("add")
def add(
    name: Annotated[str, typer.Argument(help="What people call it.")],
    members: Members = None,
    releasability: Annotated[str, typer.Option(help="For whom it is, in words.")] = "",
    shows_members: Shows = None,
    data: Data = HERE,
    login: As = "",
) -> None:
    """Make a group."""
    from node.commands import groups as act

    act.add(data, login, name, members or [], releasability, shows_members=shows_members)


@groups.command("set")
def change(
    which: Group,
    members: Members = None,
    name: Annotated[str, typer.Option(help="Another name.")] = "",
    shows_members: Shows = None,
    dry_run: DryRun = False,
    data: Data = HERE,
    login: As = "",
) -> None:
    """Change a group; its members become exactly those named, if any is named."""
    from node.commands import groups as act

    act.change(
        data, login, which, members or [], name, shows_members=shows_members, dry_run=dry_run
    )


@groups.command("end")
def end(which: Group, dry_run: DryRun = False, data: Data = HERE, login: As = "") -> None:
    """End a group for good: what was for it is taken back from its members."""
    from node.commands import groups as act

    act.end(data, login, which, dry_run=dry_run)

"""`isac policy`: how commands about rulebooks are called.

What they do is loaded by the command that needs it (see `node.cli`).
"""

# ruff: noqa: PLC0415  see above

from pathlib import Path
from typing import Annotated

import typer

from node.options import HERE, As, Data, group

policy = group("Rulebooks: what they decide, who would get what, and who approved them.")

Text = Annotated[str, typer.Argument(help="A file of Cedar text, or a shipped rulebook's name.")]
Number = Annotated[int, typer.Argument(help="As `isac policy history` numbers it.")]


@policy.command("check")
def check_rulebook(which: Text) -> None:
    """Check a rulebook together with the floor that it can never breach."""
    from node.commands import policy as rulebooks

    rulebooks.check(which)


@policy.command("test")
def try_cases(
    which: Text,
    cases: Annotated[
        Path | None, typer.Option(help="What it should say; else NAME.cases.toml beside it.")
    ] = None,
) -> None:
    """Ask a rulebook the cases beside it: 0 if it answers as expected, else 1."""
    from node.commands import policy as rulebooks

    raise typer.Exit(0 if rulebooks.test(which, cases) else 1)


@policy.command("show")
def show_rulebook(
    which: Annotated[
        str, typer.Argument(help="A number of the history or a shipped name; else: in force.")
    ] = "",
    data: Data = HERE,
    text: Annotated[bool, typer.Option("--text", help="The Cedar text and nothing else.")] = False,
    cases: Annotated[
        bool, typer.Option("--cases", help="The cases of a shipped one and nothing else.")
    ] = False,
) -> None:
    """Print a rulebook: every policy with its reason."""
    from node.commands import policy as rulebooks

    rulebooks.show(data, which, text=text, cases=cases)


@policy.command("history")
def list_rulebooks(data: Data = HERE) -> None:
    """List every rulebook that was ever proposed here, newest first."""
    from node.commands import policy as rulebooks

    rulebooks.history(data)


@policy.command("explain")
def explain_event(
    event: Annotated[str, typer.Argument(help="The event's uuid.")],
    to: Annotated[
        str, typer.Option(help="Who would get it: a country, hub, or an organisation's uuid.")
    ],
    data: Data = HERE,
    origin: Annotated[
        str, typer.Option(help="Where it comes from, if several used its uuid.")
    ] = "",
    login: As = "",
) -> None:
    """Say of each slot of an event whether a party gets it, and which policies decided so."""
    from node.commands import policy as rulebooks

    rulebooks.explain(data, login, event, to, origin)


@policy.command("diff")
def diff_rulebook(
    which: Annotated[
        str, typer.Argument(help="A file, a shipped name, or a number of the history.")
    ],
    data: Data = HERE,
    login: As = "",
) -> None:
    """Say who would newly see what of all that is stored, and what would be recalled."""
    from node.commands import policy as rulebooks

    rulebooks.diff(data, login, which)


@policy.command("apply")
def apply_rulebook(
    which: Text,
    why: Annotated[str, typer.Option(help="Why it changes; kept for ever.")],
    data: Data = HERE,
    name: Annotated[str, typer.Option(help="What to call it; else the file's name.")] = "",
    login: As = "",
) -> None:
    """Propose a rulebook. What only takes back is in force at once, the rest after approval."""
    from node.commands import policy as rulebooks

    rulebooks.apply(data, login, which, name, why)


@policy.command("approve")
def approve_rulebook(number: Number, data: Data = HERE, login: As = "") -> None:
    """Put in force what another operator proposed."""
    from node.commands import policy as rulebooks

    rulebooks.approve(data, login, number)


@policy.command("reject")
def reject_rulebook(
    number: Number,
    reason: Annotated[str, typer.Option(help="Why not; kept for ever.")],
    data: Data = HERE,
    login: As = "",
) -> None:
    """Turn a proposal down, or take one's own back."""
    from node.commands import policy as rulebooks

    rulebooks.reject(data, login, number, reason)

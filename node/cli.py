"""`isac`: one node from the command line.

Here is how commands are called; what they do is in `node.commands`, loaded by the command that
needs it, so that `isac --help` answers at once. Answers go to stdout, everything else to stderr.
Exit 0: done. 1: refused, with the reason on one line. 2: wrong usage. 3: `serve` could not begin.
Whoever may read the data directory may do anything here; `--as` says in whose name.
"""

# ruff: noqa: PLC0415  see above

import sys
from pathlib import Path
from typing import Annotated

import typer

from federation.errors import FederationError
from node.actions.errors import ActionError
from node.errors import NodeError
from policies.errors import PoliciesError
from sharing.errors import SharingError


def _group(about: str) -> typer.Typer:
    return typer.Typer(
        help=about,
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
    )


app = _group("A national health ISAC's node: report, decide, seal, exchange.")
org = _group("Organisations enrolled at this node.")
person = _group("People who may sign in.")
token = _group("Tokens for programs.")
peer = _group("The other members of the federation.")
imports = _group("Bring in what others wrote.")
seal = _group("Packages, for anyone; no node needed.")
policy = _group("Rulebooks, and what they decide.")
app.add_typer(org, name="org")
app.add_typer(person, name="person")
app.add_typer(token, name="token")
app.add_typer(peer, name="peer")
app.add_typer(imports, name="import")
app.add_typer(seal, name="seal")
app.add_typer(policy, name="policy")

Package = Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A package.")]
HERE = Path("isac-data")
OPERATOR = "operator"
Data = Annotated[
    Path, typer.Option("--data", envvar="ISAC_DATA", help="The node's data directory.")
]
As = Annotated[str, typer.Option("--as", help="In whose name: a login; else the only operator's.")]
PasswordFile = Annotated[
    Path | None,
    typer.Option(help="Its first line is the password; else one is made and shown once."),
]


def main() -> None:
    """Run the command line; an expected refusal is one line, anything else a traceback."""
    try:
        app(prog_name="isac")
    except (
        ActionError,
        FederationError,
        NodeError,
        PoliciesError,
        SharingError,
        OSError,
    ) as error:
        typer.echo(f"isac: {error}", err=True)
        sys.exit(1)


@app.command()
def init(
    name: Annotated[str, typer.Option(help="The node's name, as people read it.")],
    country: Annotated[str, typer.Option(help="ISO 3166-1, two capital letters.")],
    data: Data = HERE,
    org: Annotated[str, typer.Option(help="Its uuid in the roster; else a new one.")] = "",
    role: Annotated[str, typer.Option(help="national or hub")] = "national",
    base_url: Annotated[str, typer.Option(help="Its address for others; else host:port.")] = "",
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 8080,
    operator: Annotated[str, typer.Option(help="Login of the first operator.")] = OPERATOR,
    password_file: PasswordFile = None,
) -> None:
    """Make a node: settings, keys, roster, database, first operator."""
    from node.actions.init import NewNode
    from node.commands import setup

    url = base_url or f"http://{host}:{port}"
    new = NewNode(org, name, country, role, url, {"host": host, "port": port})
    setup.init(data, new, operator, password_file)


@app.command()
def serve(
    data: Data = HERE,
    until_stdin_closes: Annotated[
        bool, typer.Option(help="End when stdin does: a child ends with its parent.")
    ] = False,
) -> None:
    """Run the node: its doors and its schedule."""
    from node.commands.serve import serve as run

    run(data, until_stdin_closes=until_stdin_closes)


@app.command()
def migrate(data: Data = HERE) -> None:
    """Bring the database up to date (every start does so, too)."""
    from node.commands import setup

    setup.migrate(data)


@app.command()
def doctor(data: Data = HERE) -> None:
    """Check settings, keys, roster, database, audit chain, clock and peers."""
    from node.commands.doctor import examine

    raise typer.Exit(0 if examine(data) else 1)


@app.command()
def submit(
    file: Annotated[Path, typer.Argument(help="A report stage as JSON.")],
    data: Data = HERE,
    login: As = "",
) -> None:
    """Submit one stage of an incident report; the same file twice is one stage."""
    from node.commands import share

    share.submit(data, login, file)


@app.command()
def recall(
    origin: str,
    event: str,
    reason: Annotated[str, typer.Option(help="Why it is taken back.")],
    data: Data = HERE,
    login: As = "",
) -> None:
    """Take an event of ours back, everywhere."""
    from node.commands import share

    share.recall(data, login, origin, event, reason)


@app.command()
def demo(
    check: Annotated[
        bool, typer.Option("--check", help="Play to the end, compare, exit 0 or 1.")
    ] = False,
    directory: Annotated[Path | None, typer.Option("--dir", help="Where the nodes live.")] = None,
) -> None:
    """Run three national nodes and the hub on this machine, with a story."""
    from node.demo.run import run

    raise typer.Exit(run(check=check, directory=directory))


@app.command()
def bench() -> None:
    """Measure sealing, deciding and the feed on this machine."""
    from node.bench.run import run

    raise typer.Exit(run())


@org.command("add")
def add_org(
    name: Annotated[str, typer.Option(help="Its name, as people read it.")],
    data: Data = HERE,
    org: Annotated[str, typer.Option(help="Its uuid; else a new one.")] = "",
    kind: Annotated[str, typer.Option(help="hospital or supplier")] = "hospital",
    country: Annotated[str, typer.Option(help="Else the node's.")] = "",
    enrolment: Annotated[str, typer.Option(help="The rule it accepted, e.g. fr-health/3.")] = "",
) -> None:
    """Enrol an organisation, or change what is known of it; prints its uuid."""
    from node.commands import people

    people.add_org(data, org=org, name=name, kind=kind, country=country, enrolment=enrolment)


@org.command("list")
def list_orgs(data: Data = HERE) -> None:
    """List the organisations enrolled here."""
    from node.commands import people

    people.list_orgs(data)


@person.command("add")
def add_person(
    login: str,
    role: Annotated[str, typer.Option(help="hospital, operator, analyst or hub_analyst")],
    data: Data = HERE,
    org: Annotated[str, typer.Option(help="Uuid of the organisation; else the node's.")] = "",
    password_file: PasswordFile = None,
) -> None:
    """Let a person in."""
    from node.commands import people

    people.add_person(data, login, role, org, password_file)


@person.command("list")
def list_persons(data: Data = HERE) -> None:
    """List everybody who may sign in."""
    from node.commands import people

    people.list_persons(data)


@person.command("password")
def change_password(login: str, data: Data = HERE, password_file: PasswordFile = None) -> None:
    """Replace a person's password and end their sessions."""
    from node.commands import people

    people.change_password(data, login, password_file)


@person.command("disable")
def disable_person(login: str, data: Data = HERE) -> None:
    """Shut a person out at once: password, sessions, tokens."""
    from node.commands import people

    people.disable_person(data, login)


@token.command("make")
def make_token(
    login: str,
    data: Data = HERE,
    days: Annotated[int, typer.Option(min=1, max=3650, help="How long it is good.")] = 365,
) -> None:
    """Make a token; it is printed now and never again."""
    from node.commands import people

    people.make_token(data, login, days)


@token.command("revoke")
def revoke_token(
    login: str,
    prefix: Annotated[str, typer.Argument(help="Its first 12 characters.")],
    data: Data = HERE,
) -> None:
    """End a token."""
    from node.commands import people

    people.revoke_token(data, login, prefix)


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
    """Put a member into the roster; it counts after a restart."""
    from node.commands import peers

    peers.accept(data, file)


@imports.command("misp")
def import_misp(
    files: list[Path],
    data: Data = HERE,
    tlp: Annotated[str, typer.Option(help="Label of what carries none.")] = "",
    publish: Annotated[bool, typer.Option("--publish", help="Share it at once.")] = False,
    login: As = "",
) -> None:
    """Bring in MISP events; a file at fault is named, the others go on."""
    from node.commands import share

    refused = share.import_misp(data, login, files, tlp=tlp, publish=publish)
    raise typer.Exit(1 if refused else 0)


@seal.command("verify")
def verify_package(
    file: Package,
    keys: Annotated[Path, typer.Option(exists=True, dir_okay=False, help="A roster.")],
    prev: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="The version held before."),
    ] = None,
) -> None:
    """Check a package: 0 accepted, 1 refused with the numbered check and why."""
    from node.commands import seal as packages

    raise typer.Exit(packages.verify(file, keys, prev))


@seal.command("redact")
def redact_package(
    file: Package,
    withhold: Annotated[
        list[str] | None,
        typer.Argument(help="7 a record, 3-9 records, 2:2 a slot of a record."),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Where to; else stdout.")] = None,
    stricter_than: Annotated[
        str | None, typer.Option(help="A TLP colour: withhold every slot above it.")
    ] = None,
    class_table: Annotated[
        bool, typer.Option(help="Tell kinds and labels of what is withheld.")
    ] = True,
) -> None:
    """Withhold parts of a package; what is left still verifies, and no key is needed."""
    from node.commands import seal as packages

    status = packages.redact(
        file, withhold or [], out, stricter_than=stricter_than, class_table=class_table
    )
    raise typer.Exit(status)


@seal.command("show")
def show_package(
    file: Package,
    keys: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="A roster, to prove it.")
    ] = None,
) -> None:
    """Print what a package discloses, what it withholds, and who proved it."""
    from node.commands import seal as packages

    raise typer.Exit(packages.show(file, keys))


@policy.command("check")
def check_rulebook(file: Annotated[Path, typer.Argument(help="Cedar text.")]) -> None:
    """Check a rulebook together with the floor that it can never breach."""
    from node.commands import policy as rulebooks

    rulebooks.check(file)


@policy.command("show")
def show_rulebook(
    name: Annotated[str, typer.Argument(help="A shipped rulebook: national or hub.")],
) -> None:
    """Print every policy of a shipped rulebook with its reason."""
    from node.commands import policy as rulebooks

    rulebooks.show(name)


if __name__ == "__main__":
    main()

"""`isac`: one node from the command line.

Here is how commands are called; what they do is in `node.commands`, loaded by the command that
needs it, so that `isac --help` answers at once. Answers go to stdout, everything else to stderr.
Exit 0: done. 1: refused, with the reason on one line. 2: wrong usage. 3: `serve` could not begin.
Whoever may read the data directory may do anything here; `--as` says in whose name.
"""

# ruff: noqa: PLC0415  see above

import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from federation.errors import FederationError
from node.actions.errors import ActionError
from node.cli_alerts import alert
from node.cli_groups import groups
from node.cli_holds import export, hold, ledger
from node.cli_peers import keys, patients, peer, quarantine
from node.cli_policy import policy
from node.cli_restore import restore
from node.cli_roster import root, roster
from node.cli_sync import sync
from node.errors import NodeError
from node.options import HERE, As, Data, group
from policies.errors import PoliciesError
from sharing.errors import SharingError

app = group("A national health ISAC's node: report, decide, seal, exchange.")
org = group("Organisations enrolled at this node.")
person = group("People who may sign in.")
token = group("Tokens for programs.")
imports = group("Bring in what others wrote.")
seal = group("Packages, for anyone; no node needed.")
app.add_typer(org, name="org")
app.add_typer(person, name="person")
app.add_typer(token, name="token")
app.add_typer(peer, name="peer")
app.add_typer(sync, name="sync")
app.add_typer(keys, name="keys")
app.add_typer(quarantine, name="quarantine")
app.add_typer(patients, name="patients")
app.add_typer(imports, name="import")
app.add_typer(seal, name="seal")
app.add_typer(policy, name="policy")
app.add_typer(hold, name="hold")
app.add_typer(export, name="export")
app.add_typer(groups, name="group")
app.add_typer(alert, name="alert")
app.add_typer(roster, name="roster")
app.add_typer(root, name="root")
app.add_typer(restore, name="restore")

Package = Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A package.")]
Before = Annotated[
    Path | None,
    typer.Option("--prev", exists=True, dir_okay=False, help="The version held before."),
]
Keys = Annotated[
    Path | None,
    typer.Option("--keys", exists=True, dir_okay=False, help="A roster, to prove it."),
]
Out = Annotated[Path | None, typer.Option(help="Where to; else stdout.")]
OPERATOR = "operator"
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
def init(  # noqa: PLR0913, PLR0917  an option is an argument
    name: Annotated[str, typer.Option(help="The node's name, as people read it.")],
    country: Annotated[str, typer.Option(help="ISO 3166-1, two capital letters.")],
    data: Data = HERE,
    org: Annotated[str, typer.Option(help="Its uuid in the roster; else a new one.")] = "",
    role: Annotated[str, typer.Option(help="national or hub")] = "national",
    base_url: Annotated[str, typer.Option(help="Its address for others; else host:port.")] = "",
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 8080,
    suite: Annotated[str, typer.Option(help="ed25519 or ed25519+ml-dsa-65")] = "ed25519",
    operator: Annotated[str, typer.Option(help="Login of the first operator.")] = OPERATOR,
    password_file: PasswordFile = None,
) -> None:
    """Make a node: settings, keys, roster, database, first operator."""
    from node.actions.init import NewNode
    from node.commands import setup

    url = base_url or f"http://{host}:{port}"
    new = NewNode(org, name, country, role, url, {"host": host, "port": port, "suite": suite})
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
def tidy(data: Data = HERE) -> None:
    """Overwrite what recalled values left in the database's files; best by night, writers wait."""
    from node.commands import setup

    setup.tidy(data)


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
    reason: Annotated[str, typer.Option(help="Why it is taken back.")] = "",
    attribute: Annotated[
        list[str] | None, typer.Option(help="Only this attribute of it, by uuid; repeatable.")
    ] = None,
    status: Annotated[
        bool, typer.Option("--status", help="Instead: who has confirmed that it is gone.")
    ] = False,
    data: Data = HERE,
    login: As = "",
) -> None:
    """Take an event of ours back, or attributes of it, everywhere; or say how far that is."""
    from node.commands import share

    if status:
        share.show_taken_back(data, login, origin, event)
    else:
        share.recall(data, login, origin, event, reason, attribute)


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
def bench(
    which: Annotated[
        Literal["seal", "policy", "feed", "alert", "repair"] | None,
        typer.Argument(help="One of them; else all."),
    ] = None,
    every_size: Annotated[
        bool, typer.Option("--all", help="Seal 10 to 100,000 attributes, in a few minutes.")
    ] = False,
) -> None:
    """Measure sealing, deciding, the feed, its repair and alerts on this machine."""
    from node.bench.run import run

    raise typer.Exit(run(which, every_size=every_size))


@org.command("add")
def add_org(
    name: Annotated[str, typer.Option(help="Its name, as people read it.")],
    data: Data = HERE,
    org: Annotated[str, typer.Option(help="Its uuid; else a new one.")] = "",
    kind: Annotated[str, typer.Option(help="hospital, supplier or law_enforcement")] = "hospital",
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
    prev: Before = None,
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
    out: Out = None,
    stricter_than: Annotated[
        str | None, typer.Option(help="A TLP colour: withhold every slot above it.")
    ] = None,
    class_table: Annotated[
        bool, typer.Option(help="Tell kinds and labels of what is withheld.")
    ] = True,
    prev: Before = None,
) -> None:
    """Withhold parts of a package; what is left still verifies, and no key is needed."""
    from node.commands import seal as packages

    status = packages.redact(
        file, withhold or [], out, stricter_than=stricter_than, class_table=class_table, prev=prev
    )
    raise typer.Exit(status)


@seal.command("merge")
def merge_packages(
    files: Annotated[
        list[Path],
        typer.Argument(exists=True, dir_okay=False, help="Packages of one version."),
    ],
    out: Out = None,
    keys: Keys = None,
    prev: Before = None,
) -> None:
    """Make one package of what any of several discloses; no key is needed."""
    from node.commands import seal as packages

    raise typer.Exit(packages.merge(files, out, keys, prev))


@seal.command("show")
def show_package(file: Package, keys: Keys = None, prev: Before = None) -> None:
    """Print what a package discloses, what it withholds, and who proved it."""
    from node.commands import seal as packages

    raise typer.Exit(packages.show(file, keys, prev))


@seal.command("diff")
def diff_packages(
    files: Annotated[
        list[Path],
        typer.Argument(exists=True, dir_okay=False, help="OLD NEW, or NEW with --prev OLD."),
    ],
    prev: Before = None,
    keys: Keys = None,
) -> None:
    """Print what one package or delta tells that an earlier one did not, and the reverse."""
    from node.commands import seal as packages

    raise typer.Exit(packages.diff([*([prev] if prev else []), *files], keys))


app.command("ledger")(ledger)

if __name__ == "__main__":
    main()

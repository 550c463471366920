"""Reporting, importing, recalling, from the shell."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

import orjson
import typer
from rich.console import Console
from rich.progress import track

from node.actions.caller import Caller
from node.actions.confirmations import taken_back
from node.actions.errors import ActionError, BadInputError
from node.actions.imports import Imported
from node.actions.imports import import_misp as take_in
from node.actions.patients import PatientDataError
from node.actions.people import caller_at_shell
from node.actions.recall import recall as take_back
from node.actions.submit import submit_report
from node.commands.shown import opened, print_rows
from node.node import Node
from policies.tlp import Tlp, read_tlp
from sharing.errors import SharingError


def submit(data: Path, login: str, file: Path) -> None:
    """Submit the stage in `file`."""
    try:
        body = orjson.loads(file.read_bytes())
    except ValueError as error:
        raise BadInputError("", f"{file}: {error}") from error
    if not isinstance(body, dict):
        raise BadInputError("", f"{file}: not an object")
    with opened(data) as node:
        done = submit_report(node, caller_at_shell(node, login), body)
        typer.echo(f"report {done.report_id}")
        typer.echo(f"event {done.origin} {done.event}")
        for what, due in done.due.items():
            typer.echo(f"due {what}: {due:%Y-%m-%d %H:%M} UTC")


def recall(
    data: Path,
    login: str,
    origin: str,
    event: str,
    reason: str,
    attributes: Sequence[str] | None,
) -> None:
    """Take an event back, or only these attributes of it."""
    with opened(data) as node:
        caller = caller_at_shell(node, login)
        done = take_back(node, caller, origin, event, reason, attributes or None)
    what = f"{len(attributes)} attributes of event" if attributes else "event"
    typer.echo(f"{what} {done.event}: {'recalled' if done.is_new else 'was recalled already'}")


def show_taken_back(data: Path, login: str, origin: str, event: str) -> None:
    """Print who has confirmed that what was taken back of an event is gone."""
    with opened(data) as node:
        back = taken_back(node, caller_at_shell(node, login), origin, event)
    typer.echo(back.told)
    if not back.parties:
        return
    print_rows(
        ("from", "what", "version", "came for it", "confirmed", "passed on to"),
        [
            (
                one.party_name,
                one.op,
                one.version,
                _at(one.asked_at),
                _at(one.confirmed_at) + (f" (refused: {one.refused})" if one.refused else ""),
                f"{one.confirmed} of {one.sent} confirmed" if one.sent else "-",
            )
            for one in back.parties
        ],
    )


def _at(at: datetime | None) -> str:
    return "not yet" if at is None else f"{at:%Y-%m-%d %H:%M:%SZ}"


def import_misp(data: Path, login: str, files: Sequence[Path], *, tlp: str, publish: bool) -> int:
    """Bring in the files; gives how many were refused, each named with its fault."""
    label = _label(tlp)
    taken: list[Imported] = []
    refused = 0
    with opened(data) as node:
        caller = caller_at_shell(node, login)
        console = Console(stderr=True)
        for file in track(files, "importing", console=console, disable=not console.is_terminal):
            try:
                done = _import_one(node, caller, file, label, publish=publish)
            except PatientDataError as error:
                refused += 1
                for line in _findings(file, error):
                    console.print(line, markup=False, highlight=False, soft_wrap=True)
            except BadInputError as error:
                refused += 1
                console.print(f"refused {error}", markup=False, highlight=False, soft_wrap=True)
            else:
                taken += done
                for one in done:
                    typer.echo(f"{file.name}: {_told(one)}")
                    for each in one.notes:
                        typer.echo(f"{file.name}: {each}", err=True)
    attributes = sum(one.attributes for one in taken)
    typer.echo(
        f"{len(taken)} events with {attributes:,} attributes from {len(files) - refused} of "
        f"{len(files)} files; {refused} refused"
    )
    return refused


def _told(one: Imported) -> str:
    state = "published" if one.published else "held: it stays here until an operator publishes it"
    already = "" if one.done.is_new else ", was here already"
    return f"event {one.done.event}, {one.attributes} attributes, {state}{already}"


def _findings(file: Path, error: PatientDataError) -> Iterator[str]:
    """Say line by line where patient data stands, and what to do if it is none."""
    yield f"refused {file.name}: it holds patient data"
    for field, why in ((error.field, error.why), *error.others):
        yield f"  {field}: {why}" if field else f"  {why}"
    yield "  take it out; or, where it is none: isac patients release FINDING… --why …"


def _import_one(
    node: Node, caller: Caller, file: Path, label: Tlp | None, *, publish: bool
) -> list[Imported]:
    """Bring in one file; what is wrong with it is told with its name."""
    try:
        return take_in(node, caller, file.name, file.read_bytes(), tlp=label, publish=publish)
    except OSError as error:
        raise BadInputError(file.name, str(error.strerror)) from error
    except PatientDataError:
        raise
    except (ActionError, SharingError) as error:
        named = file.name in str(error)
        raise BadInputError("" if named else file.name, str(error)) from error


def _label(text: str) -> Tlp | None:
    if not text:
        return None
    label = read_tlp(text)
    if label is None:
        raise BadInputError("tlp", f"{text} is no TLP label")
    return label

"""Findings of patient data, from the shell: released as false alarms, listed."""

from collections.abc import Sequence
from pathlib import Path

import typer

from node.actions.patients import Released, list_releases, release_findings
from node.actions.patients import release_refused as let_in
from node.actions.people import caller_at_shell
from node.commands.shown import opened, print_rows


def release(data: Path, login: str, findings: Sequence[str], why: str) -> None:
    """Release findings by the ids that a refusal named."""
    with opened(data) as node:
        _tell(release_findings(node, caller_at_shell(node, login), findings, why))


def release_refused(data: Path, login: str, number: int, why: str) -> None:
    """Release all findings of what a peer sent."""
    with opened(data) as node:
        _tell(let_in(node, caller_at_shell(node, login), number, why))
        typer.echo("its sender's feed is read anew, and the item with it")


def list_released(data: Path, login: str) -> None:
    """Print the newest releases."""
    with opened(data) as node:
        print_rows(
            ("at", "finding", "by", "of", "why"),
            [
                (
                    f"{one.released_at:%Y-%m-%d %H:%M:%SZ}",
                    one.finding,
                    f"{one.person}, {one.role}",
                    one.org,
                    one.reason,
                )
                for one in list_releases(node, caller_at_shell(node, login))
            ],
        )


def _tell(done: Released) -> None:
    was_there = len(done.findings) - done.new
    typer.echo(f"{done.new} released" + (f", {was_there} were already" if was_there else ""))

"""Packages on files: the pure functions of `sharing.seal.cli`, with bytes from and to the disk."""

import sys
from collections.abc import Sequence
from pathlib import Path

import typer

from node.clock import wall_clock
from sharing.seal.cli import Outcome, Status, redact_package, show_package, verify_package


def verify(file: Path, keys: Path, prev: Path | None) -> int:
    """Check a package against a roster; gives the exit status."""
    before = None if prev is None else prev.read_bytes()
    return _tell(
        verify_package(file.read_bytes(), keys.read_bytes(), now=wall_clock(), prev=before)
    )


def redact(
    file: Path,
    withhold: Sequence[str],
    out: Path | None,
    *,
    stricter_than: str | None,
    class_table: bool,
) -> int:
    """Write the package without what is named, to `out` or stdout; gives the exit status."""
    done = redact_package(
        file.read_bytes(), withhold, stricter_than=stricter_than, class_table=class_table
    )
    if done.status is Status.DONE:
        if out is None:
            sys.stdout.buffer.write(done.package)
        else:
            out.write_bytes(done.package)
        typer.echo(done.text, err=True)
        return done.status
    return _tell(done)


def show(file: Path, keys: Path | None) -> int:
    """Print what a package discloses and withholds; gives the exit status."""
    roster = None if keys is None else keys.read_bytes()
    return _tell(show_package(file.read_bytes(), roster, now=wall_clock()))


def _tell(outcome: Outcome) -> int:
    typer.echo(outcome.text, err=outcome.status is Status.MISUSED)
    return outcome.status

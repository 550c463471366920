"""Packages on files: the pure functions of `sharing.seal.cli`, with bytes from and to the disk."""

import sys
from collections.abc import Sequence
from pathlib import Path

import typer

from node.clock import wall_clock
from sharing.seal import limits
from sharing.seal.cli import (
    Outcome,
    Status,
    diff_packages,
    merge_packages,
    redact_package,
    show_package,
    verify_package,
)


def verify(file: Path, keys: Path, prev: Path | None) -> int:
    """Check a package or delta against a roster; gives the exit status."""
    return _tell(
        verify_package(_read(file), keys.read_bytes(), now=wall_clock(), prev=_read_if(prev))
    )


def redact(
    file: Path,
    withhold: Sequence[str],
    out: Path | None,
    *,
    stricter_than: str | None,
    class_table: bool,
    prev: Path | None,
) -> int:
    """Write the package without what is named, to `out` or stdout; gives the exit status."""
    done = redact_package(
        _read(file),
        withhold,
        stricter_than=stricter_than,
        class_table=class_table,
        prev=_read_if(prev),
    )
    return _write(done, out)


def merge(files: Sequence[Path], out: Path | None, keys: Path | None, prev: Path | None) -> int:
    """Write one package of what any of these discloses; gives the exit status."""
    done = merge_packages(
        [_read(file) for file in files],
        roster=_read_if(keys),
        now=wall_clock(),
        prev=_read_if(prev),
    )
    return _write(done, out)


def show(file: Path, keys: Path | None, prev: Path | None) -> int:
    """Print what a package discloses and withholds; gives the exit status."""
    return _tell(
        show_package(
            _read(file),
            _read_if(keys),
            now=wall_clock(),
            prev=_read_if(prev),
        )
    )


def diff(files: Sequence[Path], keys: Path | None) -> int:
    """Print what the second file tells that the first did not, and the reverse."""
    if len(files) != 2:
        return _tell(Outcome(Status.MISUSED, "diff takes two files: the old and the new one"))
    old, new = files
    return _tell(
        diff_packages(
            _read(new),
            _read(old),
            _read_if(keys),
            now=wall_clock(),
        )
    )


def _read(file: Path) -> bytes:
    """The file, or as much of it as shows that it is too large."""
    with file.open("rb") as opened:
        return opened.read(limits.PACKAGE_BYTES + 1)


def _read_if(file: Path | None) -> bytes | None:
    return None if file is None else _read(file)


def _write(outcome: Outcome, out: Path | None) -> int:
    if outcome.status is not Status.DONE:
        typer.echo(outcome.text, err=True)  # stdout is for the package
        return outcome.status
    if out is None:
        sys.stdout.buffer.write(outcome.package)
    else:
        try:
            out.write_bytes(outcome.package)
        except OSError as error:
            return _tell(Outcome(Status.MISUSED, f"cannot write {out}: {error.strerror}"))
    typer.echo(outcome.text, err=True)
    return outcome.status


def _tell(outcome: Outcome) -> int:
    typer.echo(outcome.text, err=outcome.status is Status.MISUSED)
    return outcome.status

"""Rulebooks from the shell: is it sound, and what would it say."""

from pathlib import Path

import typer

from policies.rulebook import Rulebook, read_rulebook, shipped


def check(file: Path) -> None:
    """Check the rulebook in `file` together with the floor; prints its digest and policies."""
    _print(read_rulebook(file.read_text(), name=file.stem, version="unversioned"))


def show(name: str) -> None:
    """Print the shipped rulebook: every policy with its reason."""
    _print(shipped(name))


def _print(rulebook: Rulebook) -> None:
    typer.echo(f"{rulebook.name} {rulebook.version} {rulebook.digest}")
    for policy in sorted(rulebook.policies.values(), key=lambda one: one.id):
        typer.echo(f"{policy.id}: {policy.reason}")

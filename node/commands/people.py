"""Organisations, people and tokens, from the shell."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import typer

from node.actions import people
from node.actions.caller import read_role
from node.commands.shown import opened, print_rows
from node.storage.people import Org

_ACTOR = "shell"


def add_org(data: Path, *, org: str, name: str, kind: str, country: str, enrolment: str) -> None:
    """Enrol an organisation; prints its uuid."""
    with opened(data) as node:
        home = country or node.settings.country
        new = Org(org or str(uuid4()), name, kind, home, enrolment or None)
        people.enrol_org(node, _ACTOR, new)
        typer.echo(new.org)


def list_orgs(data: Path) -> None:
    """Print the organisations enrolled here."""
    with opened(data) as node:
        print_rows(
            ("org", "kind", "country", "enrolment", "name"),
            [
                (one.org, one.kind, one.country, one.enrolment or "-", one.name)
                for one in people.list_orgs(node)
            ],
        )


def add_person(data: Path, login: str, role: str, org: str, password_file: Path | None) -> None:
    """Let a person in."""
    with opened(data) as node, chosen_password(password_file) as password:
        people.add_person(
            node,
            _ACTOR,
            login=login,
            org=org or node.org,
            role=read_role(role),
            password=password,
        )


def list_persons(data: Path) -> None:
    """Print everybody who may sign in, or might once."""
    with opened(data) as node:
        print_rows(
            ("login", "role", "org", "state"),
            [
                (one.login, one.role, one.org, "shut out" if one.disabled_at else "let in")
                for one in people.list_persons(node)
            ],
        )


def change_password(data: Path, login: str, password_file: Path | None) -> None:
    """Replace a person's password."""
    with opened(data) as node, chosen_password(password_file) as password:
        people.change_password(node, _ACTOR, login, password)


def disable_person(data: Path, login: str) -> None:
    """Shut a person out."""
    with opened(data) as node:
        people.disable_person(node, _ACTOR, login)


def make_token(data: Path, login: str, days: int) -> None:
    """Print a new token."""
    with opened(data) as node:
        typer.echo(people.make_token(node, _ACTOR, login, life=timedelta(days=days)))


def revoke_token(data: Path, login: str, prefix: str) -> None:
    """End a token."""
    with opened(data) as node:
        people.revoke_token(node, _ACTOR, login, prefix)


@contextmanager
def chosen_password(file: Path | None) -> Iterator[str]:
    """Give the password in the file, or one of 120 bits, shown once its person is let in."""
    if file is not None:
        yield file.read_text().partition("\n")[0]
        return
    made = secrets.token_urlsafe(15)
    yield made
    typer.echo(f"password (shown once): {made}", err=True)

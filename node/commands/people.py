"""Organisations, people and tokens, from the shell."""

import secrets
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
    with opened(data) as node:
        people.add_person(
            node,
            _ACTOR,
            login=login,
            org=org or node.org,
            role=read_role(role),
            password=choose_password(password_file),
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
    with opened(data) as node:
        people.change_password(node, _ACTOR, login, choose_password(password_file))


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


def choose_password(file: Path | None) -> str:
    """Read the password from the file, or make one of 120 bits and show it, once."""
    if file is not None:
        return file.read_text().partition("\n")[0]
    made = secrets.token_urlsafe(15)
    typer.echo(f"password (shown once): {made}", err=True)
    return made

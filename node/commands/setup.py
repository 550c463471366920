"""Making a node, and keeping its database up to date."""

from pathlib import Path

import typer

from node.actions.init import NewNode, init_node
from node.actions.people import add_person, list_persons
from node.commands.people import chosen_password
from node.settings import load_settings
from node.storage import schema
from node.storage.store import open_store


def init(data: Path, new: NewNode, operator: str, password_file: Path | None) -> None:
    """Make a node with its first operator; what is there stays."""
    node = init_node(data, new)
    typer.echo(f"node {node.settings.name} ({node.org}) in {data}")
    if not list_persons(node):
        with chosen_password(password_file) as password:
            add_person(
                node, "init", login=operator, org=node.org, role="operator", password=password
            )
        typer.echo(f"operator {operator}")
    node.close()


def migrate(data: Path) -> None:
    """Bring the database up to date."""
    store = open_store(load_settings(data).database)
    changed = schema.migrate(store)
    store.close()
    typer.echo(f"revision {schema.HEAD}: {'reached now' if changed else 'nothing to do'}")


def tidy(data: Path) -> None:
    """Leave nothing deleted in unused parts of the database's files."""
    store = open_store(load_settings(data).database)
    try:
        store.tidy()
    finally:
        store.close()
    typer.echo("tidied")

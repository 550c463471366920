"""Sharing groups, from the shell."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import typer

from node.actions.errors import NotFoundError
from node.actions.groups import GroupShown, show_group, show_groups
from node.actions.groups_change import (
    GroupChanged,
    change_group,
    create_group,
    end_group,
    foresee_group,
)
from node.actions.people import caller_at_shell
from node.actions.towards import party_named
from node.commands.shown import opened, print_rows
from node.node import Node


def list_all(data: Path, login: str) -> None:
    """Print every group."""
    with opened(data) as node:
        print_rows(
            ("number", "group", "name", "state", "members", "unreachable", "events"),
            [
                (
                    one.number,
                    one.group,
                    one.name,
                    "active" if one.active else "ended",
                    len(one.members),
                    "; ".join(each.name or each.org for each in one.unreachable) or "-",
                    one.events,
                )
                for one in show_groups(node, caller_at_shell(node, login))
            ],
        )


def show(data: Path, login: str, which: str) -> None:
    """Print one group's members."""
    with opened(data) as node:
        caller = caller_at_shell(node, login)
        one = show_group(node, caller, _find(show_groups(node, caller), which).group)
        state = "active" if one.active else "ended"
        typer.echo(f"{one.name}, {state}, version {one.version}: {one.events} events are for it")
        if one.releasability:
            typer.echo(one.releasability)
        print_rows(
            ("org", "name", "reached by"),
            [
                (each.org, each.name or "-", each.reached_by or f"nobody: {each.why}")
                for each in one.members
            ],
        )


def add(
    data: Path,
    login: str,
    name: str,
    members: Sequence[str],
    releasability: str,
    *,
    shows_members: bool | None,
) -> None:
    """Make a group."""
    with opened(data) as node:
        body = _body(node, members, shows_members)
        body |= {"name": name, "releasability": releasability, "members": body.get("members", [])}
        _print_done(create_group(node, caller_at_shell(node, login), body))


def change(
    data: Path,
    login: str,
    which: str,
    members: Sequence[str],
    name: str,
    *,
    shows_members: bool | None,
    dry_run: bool,
) -> None:
    """Change a group, or say what that would do."""
    with opened(data) as node:
        caller = caller_at_shell(node, login)
        group = _find(show_groups(node, caller), which).group
        body = _body(node, members, shows_members) | ({"name": name} if name else {})
        for told in foresee_group(node, caller, group, body).sentences:
            typer.echo(told)
        if not dry_run:
            _print_done(change_group(node, caller, group, body))


def end(data: Path, login: str, which: str, *, dry_run: bool) -> None:
    """End a group, or say what that would do."""
    with opened(data) as node:
        caller = caller_at_shell(node, login)
        group = _find(show_groups(node, caller), which).group
        for told in foresee_group(node, caller, group, {}, ends=True).sentences:
            typer.echo(told)
        if not dry_run:
            _print_done(end_group(node, caller, group))


def _print_done(done: GroupChanged) -> None:
    again = "" if done.is_new else ", as it was"
    typer.echo(f"group {done.group.group}{again}; events sealed anew: {done.relabelled}")


def _body(node: Node, members: Sequence[str], shows: bool | None) -> dict[str, object]:  # noqa: FBT001  or None
    body: dict[str, object] = {} if shows is None else {"shows_members": shows}
    return body | ({"members": [_member(node, each) for each in members]} if members else {})


def _member(node: Node, text: str) -> Mapping[str, object]:
    org, _, via = text.partition("=")
    return {"org": _org(node, org), **({"via": _org(node, via)} if via else {})}


def _org(node: Node, text: str) -> str:
    """The uuid of who is meant; one that nobody knows stands for itself."""
    try:
        return party_named(node, text)
    except NotFoundError:
        return text


def _find(known: Sequence[GroupShown], which: str) -> GroupShown:
    found = [each for each in known if which in {each.group, str(each.number), each.name}]
    if len(found) != 1:
        raise NotFoundError("sharing group" if not found else "one group: several have that name")
    return found[0]

"""Sending alerts, and who has seen them, from the shell."""

from pathlib import Path

import typer

from node.actions.alerts import send_alert
from node.actions.alerts_ack import AlertState, states_of
from node.actions.people import caller_at_shell
from node.commands.shown import opened, print_rows


def send(data: Path, login: str, event: str) -> None:
    """Send an event of this node as an alert."""
    with opened(data) as node:
        done = send_alert(node, caller_at_shell(node, login), node.org, event)
        told = "sent" if done.is_new else "this version was sent before"
        typer.echo(f"event {done.event}: {told}")


def status(data: Path, login: str, origin: str, event: str) -> None:
    """Print who was told, and who has seen it."""
    with opened(data) as node:
        states = states_of(node, caller_at_shell(node, login), origin or node.org, event)
    rows = [(one.name, one.number, one.kind, _ways(one), _seen(one)) for one in states]
    print_rows(("organisation", "alert", "kind", "ways", "seen"), rows)


def _ways(one: AlertState) -> str:
    told = (f"{way.way} {way.state} {way.status}".strip() for way in one.deliveries)
    return "; ".join(("stream", *told))


def _seen(one: AlertState) -> str:
    if one.seen_at is not None:
        return f"{one.seen_by}, {one.seen_at:%Y-%m-%d %H:%M} UTC"
    return "NOT SEEN" if one.overdue else "not yet"

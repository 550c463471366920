"""Holds, files for authorities and the ledger, from the shell."""

from collections.abc import Collection, Sequence
from pathlib import Path

import typer

from node.actions.disclosed import Had, Line, who_had_event, who_had_value
from node.actions.errors import BadInputError, NotFoundError
from node.actions.handover import declare as cut
from node.actions.handover import hand_over, list_authorities, list_declarations, list_parts
from node.actions.holds import Hold, Slot, list_holds, preview_release
from node.actions.holds import release as let_go
from node.actions.people import caller_at_shell
from node.commands.shown import opened, print_rows
from node.storage.people import Org

_SECONDS = "%Y-%m-%d %H:%M:%SZ"


def list_held(data: Path, login: str) -> None:
    """Print what waits for persons."""
    with opened(data) as node:
        print_rows(
            ("event", "to", "slot", "what", "why", "it takes", "released by"),
            [
                (
                    one.event,
                    one.party_name,
                    f"{one.record}:{one.slot_type}",
                    f"{one.name} ({one.tlp})",
                    ", ".join(reason.id for reason in one.reasons),
                    "; ".join(one.needs) or "an operator",
                    "; ".join(given.person for given in one.given) or "-",
                )
                for one in list_holds(node, caller_at_shell(node, login))
            ],
        )


def preview(data: Path, login: str, event: str, to: str, slots: Sequence[str], out: Path) -> None:
    """Write what the party would get."""
    with opened(data) as node:
        caller = caller_at_shell(node, login)
        chosen = _held(list_holds(node, caller), event, to, slots)
        first = chosen[0]
        shown = preview_release(
            node, caller, first.origin, first.event, first.party, _slots(chosen)
        )
        out.write_bytes(shown.package)
        typer.echo(f"{len(shown.package)} bytes, projection {shown.digest or '-'}")


def release(
    data: Path,
    login: str,
    event: str,
    to: str,
    slots: Sequence[str],
    *,
    reason: str,
    ground: str,
    reference: str,
) -> None:
    """Release held slots to one party, as far as one person can."""
    with opened(data) as node:
        caller = caller_at_shell(node, login)
        chosen = _held(list_holds(node, caller), event, to, slots)
        first = chosen[0]
        done = let_go(
            node,
            caller,
            first.origin,
            first.event,
            first.party,
            _slots(chosen),
            reason,
            ground=ground,
            reference=reference,
        )
        gone = sum(each.is_released for each in done.slots)
        typer.echo(f"{gone} released to {first.party_name}, {len(done.slots) - gone} waiting")


def declare(
    data: Path, login: str, event: str, to: str, names: Collection[str], values: Collection[str]
) -> None:
    """Cut a declaration of these fields and of indicators with these values."""
    with opened(data) as node:
        caller = caller_at_shell(node, login)
        parts = list_parts(node, caller, node.org, event)
        chosen = [
            Slot(each.record, each.slot_type)
            for each in parts
            if each.name in names or each.value in values
        ]
        known = {each.name for each in parts} | {each.value for each in parts}
        if unknown := sorted({*names, *values} - known):
            raise NotFoundError(f"field or value of this event: {unknown[0]}")
        made = cut(node, caller, node.org, event, _authority(list_authorities(node), to), chosen)
        typer.echo(f"declaration {made.event}{'' if made.is_new else ', was there already'}")


def list_files(data: Path, login: str) -> None:
    """Print every declaration and how far it is."""
    with opened(data) as node:
        print_rows(
            ("declaration", "for", "state", "released by", "about"),
            [
                (one.event, one.party_name, one.state, "; ".join(one.acts) or "-", one.about)
                for one in list_declarations(node, caller_at_shell(node, login))
            ],
        )


def take(data: Path, login: str, declaration: str, out: Path) -> None:
    """Write the file of a released declaration."""
    with opened(data) as node:
        made = hand_over(node, caller_at_shell(node, login), node.org, declaration)
        out.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = out / made.name
        path.write_bytes(made.content)
        typer.echo(f"{path}: {len(made.content)} bytes")


def ask_ledger(data: Path, login: str, value: str, event: str, origin: str) -> None:
    """Print who was given a value, or something of an event."""
    if bool(value) is bool(event):
        raise BadInputError("ledger", "ask for a value, or with --event for an event")
    with opened(data) as node:
        caller = caller_at_shell(node, login)
        if value:
            _print_had(who_had_value(node, caller, value))
        else:
            _print_lines(who_had_event(node, caller, origin or node.org, event).lines)


def _print_had(had: Sequence[Had]) -> None:
    print_rows(
        ("to", "event", "what", "given", "confirmed", "until", "rulebook"),
        [
            (
                one.party_name,
                one.event,
                f"{one.what} {one.slot} by {one.way}",
                f"{one.given_at:{_SECONDS}}",
                _confirmed(one),
                "has it" if one.until is None else f"{one.until:{_SECONDS}} ({one.ended_by})",
                one.rulebook[:12],
            )
            for one in had
        ],
    )


def _print_lines(lines: Sequence[Line]) -> None:
    print_rows(
        ("to", "what", "version", "records", "given", "confirmed", "rulebook"),
        [
            (
                one.party_name,
                f"{one.op} by {one.way}",
                one.version,
                one.records,
                f"{one.given_at:{_SECONDS}}",
                _confirmed(one),
                one.rulebook[:12],
            )
            for one in lines
        ],
    )


def _confirmed(one: Had | Line) -> str:
    if one.confirmed_at is None:
        return "in person" if one.way == "file" else "not yet"
    return f"{one.confirmed_at:{_SECONDS}}{', signed' if one.proven else ''}"


def _held(holds: Sequence[Hold], event: str, to: str, slots: Sequence[str]) -> list[Hold]:
    """What is meant of what waits: of this log, for this party, these slots or all."""
    found = [
        each
        for each in holds
        if event in {each.event, each.about}
        and to.casefold() in {each.party, each.party_name.casefold()}
        and (not slots or f"{each.record}:{each.slot_type}" in slots)
    ]
    if not found or (slots and len(found) != len(set(slots))):
        raise NotFoundError("hold")
    if len({(each.event, each.party) for each in found}) > 1:
        raise BadInputError("event", "name the log itself, as `isac hold list` does")
    return found


def _slots(holds: Sequence[Hold]) -> list[Slot]:
    return [Slot(each.record, each.slot_type, each.content) for each in holds]


def _authority(known: Sequence[Org], to: str) -> str:
    for home in known:
        if to in {home.org, home.name}:
            return home.org
    raise NotFoundError("authority")

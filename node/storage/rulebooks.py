"""Every rulebook that was ever proposed at this node, kept for ever; one of them is in force.

A row's number is its version as peers see it. `place` counts the rulebooks that were put in force,
so the one in force is the one at the last place. What a row says of its making is never changed; a
decision is added to it once. Whoever puts one in force, or writes what was decided under the one in
force, holds `lock_rules` first: of the two, one comes after the other.
"""

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update

from node.storage.store import lock_name
from node.storage.tables import rulebook

_LOCK = "rulebook"
_IN_FORCE = rulebook.c.place.desc()
_NUMBER = (  # asked with every piece of work: built once
    select(rulebook.c.number).where(rulebook.c.place.is_not(None)).order_by(_IN_FORCE).limit(1)
)


@dataclass(frozen=True, slots=True)
class RulebookRow:
    """A rulebook and what became of it.

    `base` is the number of the one in force when it was proposed (None: it was the first),
    `foreseen` what its author was told would change, in sentences. `decided_by` approved it or
    turned it down at `decided_at`, None where nobody had to; `note` says why it was turned down.
    """

    number: int
    name: str
    digest: str
    text: str = field(repr=False)
    author: str
    why: str
    proposed_at: datetime
    base: int | None
    widens: bool
    foreseen: tuple[str, ...]
    place: int | None = None
    decided_by: str | None = None
    decided_at: datetime | None = None
    note: str = ""


def lock_rules(conn: Connection) -> None:
    """Wait until nobody else changes the rules or writes under them, to the end of the unit."""
    lock_name(conn, _LOCK)


def number_in_force(conn: Connection) -> int | None:
    """Give the number of the rulebook in force; None before the node's first start."""
    found: int | None = conn.execute(_NUMBER).scalar()
    return found


def find_in_force(conn: Connection) -> RulebookRow | None:
    """Give the rulebook in force; None before the node's first start."""
    number = number_in_force(conn)
    return None if number is None else find_rulebook(conn, number)


def find_rulebook(conn: Connection, number: int) -> RulebookRow | None:
    """Give the rulebook of this number, or None."""
    row = conn.execute(select(rulebook).where(rulebook.c.number == number)).first()
    return None if row is None else _read(row)


def list_rulebooks(conn: Connection) -> tuple[RulebookRow, ...]:
    """Give all of them, newest first."""
    rows = conn.execute(select(rulebook).order_by(rulebook.c.number.desc()))
    return tuple(map(_read, rows))


def next_number(conn: Connection) -> int:
    """Give the number that the next row takes; the rules are locked."""
    last: int | None = conn.execute(select(func.max(rulebook.c.number))).scalar()
    return 1 if last is None else last + 1


def next_place(conn: Connection) -> int:
    """Give the place that the next rulebook in force takes; the rules are locked."""
    last: int | None = conn.execute(select(func.max(rulebook.c.place))).scalar()
    return 1 if last is None else last + 1


def add_rulebook(conn: Connection, row: RulebookRow) -> None:
    """Keep a new row; the rules are locked."""
    values = {name: getattr(row, name) for name in RulebookRow.__dataclass_fields__}
    conn.execute(insert(rulebook).values({**values, "foreseen": json.dumps(row.foreseen)}))


def decide_rulebook(
    conn: Connection,
    number: int,
    *,
    place: int | None,
    by: str | None,
    at: datetime,
    note: str = "",
) -> None:
    """Write what became of a row: put in force at `place`, or None, turned down; locked."""
    conn.execute(
        update(rulebook)
        .where(rulebook.c.number == number, rulebook.c.decided_at.is_(None))
        .values(place=place, decided_by=by, decided_at=at, note=note)
    )


def _read(row: Row[Any]) -> RulebookRow:
    values = {name: getattr(row, name) for name in RulebookRow.__dataclass_fields__}
    return RulebookRow(**{**values, "foreseen": tuple(json.loads(row.foreseen))})

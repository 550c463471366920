"""Sharing groups of this node, their members, and what of our logs is for them.

A group's `version` counts its changes; what they were is in the audit chain. `spread` keeps what a
source said of how far its event goes, in MISP's words; nothing of it is ever sealed.
"""

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, select

from node.storage.store import lock_name, upsert
from node.storage.tables_groups import group_member, sharing_group, spread
from sharing.event import Spread


@dataclass(frozen=True, slots=True, order=True)
class MemberRow:
    """An organisation in a group; `via` is the member of the federation that it is reached by."""

    org: str
    name: str
    extend: bool = False
    via: str | None = None


@dataclass(frozen=True, slots=True)
class GroupRow:
    """A sharing group; its members by name.

    `number` is what MISP calls it by. `owner` is the organisation that made it; `shows_members`:
    members may see who else is in it. `reached` are the parties it reached when the labels of what
    is for it were last made.
    """

    group: str
    number: int
    name: str
    releasability: str
    active: bool
    roaming: bool
    servers: tuple[str, ...]
    shows_members: bool
    reached: tuple[str, ...]
    version: int
    owner: str
    created_by: str
    created_at: datetime
    changed_at: datetime
    members: tuple[MemberRow, ...] = ()


_LISTS = ("servers", "reached")
_COLUMNS = tuple(name for name in GroupRow.__dataclass_fields__ if name != "members")


def lock_groups(conn: Connection, groups: Iterable[str]) -> None:
    """Let nobody else change these groups, or seal for them, before the end of the unit."""
    for group in sorted(set(groups)):
        lock_name(conn, f"group {group}")


def find_group(conn: Connection, group: str) -> GroupRow | None:
    """Give the group with its members, or None."""
    row = conn.execute(select(sharing_group).where(sharing_group.c.group == group)).first()
    return None if row is None else _read(row, _members(conn, [group]).get(group, ()))


def group_by_number(conn: Connection, number: int) -> GroupRow | None:
    """Give the group that has this number here, or None."""
    found = conn.execute(
        select(sharing_group.c.group).where(sharing_group.c.number == number)
    ).scalar()
    return None if found is None else find_group(conn, found)


def list_groups(conn: Connection) -> tuple[GroupRow, ...]:
    """Give all groups by name, with their members."""
    rows = conn.execute(
        select(sharing_group).order_by(sharing_group.c.name, sharing_group.c.group)
    ).all()
    members = _members(conn, [row.group for row in rows])
    return tuple(_read(row, members.get(row.group, ())) for row in rows)


def put_group(conn: Connection, row: GroupRow) -> None:
    """Keep a group as it is from now on, members and all; it is locked."""
    values = {name: getattr(row, name) for name in _COLUMNS}
    lists = {name: json.dumps(getattr(row, name)) for name in _LISTS}
    upsert(conn, sharing_group, {**values, **lists})
    conn.execute(delete(group_member).where(group_member.c.group == row.group))
    if row.members:
        conn.execute(
            insert(group_member),
            [
                {"group": row.group, "org": m.org, "name": m.name, "extend": m.extend, "via": m.via}
                for m in row.members
            ],
        )


def next_number(conn: Connection) -> int:
    """Give the number of the next group, held to the end of the unit."""
    lock_name(conn, "group numbers")
    last: int | None = conn.execute(select(func.max(sharing_group.c.number))).scalar()
    return 1 if last is None else last + 1


def group_versions(conn: Connection, groups: Collection[str]) -> Mapping[str, int]:
    """Give the versions of these groups, as far as they are here."""
    rows = conn.execute(
        select(sharing_group.c.group, sharing_group.c.version).where(
            sharing_group.c.group.in_(sorted(groups))
        )
    )
    return {row.group: row.version for row in rows}


def put_spreads(conn: Connection, event: str, said: Mapping[str, Spread | None]) -> None:
    """Keep what the source says of an event of ours and its parts; None: nothing any more."""
    gone = [part for part in spreads_of(conn, event) if part in said]
    for part in gone:
        conn.execute(delete(spread).where(spread.c.event == event, spread.c.part == part))
    rows = [
        {
            "event": event,
            "part": part,
            "level": each.level,
            "group": each.group or None,
            "left_out": json.dumps(sorted(each.left_out)),
        }
        for part, each in sorted(said.items())
        if each is not None
    ]
    if rows:
        conn.execute(insert(spread), rows)


def spreads_of(conn: Connection, event: str) -> Mapping[str, Spread]:
    """Give what the source said of an event of ours, by uuid of the event and its parts."""
    rows = conn.execute(select(spread).where(spread.c.event == event))
    return {
        row.part: Spread(row.level, row.group or "", left_out=frozenset(json.loads(row.left_out)))
        for row in rows
    }


def events_for(conn: Connection, group: str) -> tuple[str, ...]:
    """Give the events of ours of which something is for the group, by uuid."""
    rows = conn.execute(
        select(spread.c.event).where(spread.c.group == group).distinct().order_by(spread.c.event)
    )
    return tuple(row.event for row in rows)


def count_events(conn: Connection) -> Mapping[str, int]:
    """Give for how many events of ours each group was chosen."""
    rows = conn.execute(
        select(spread.c.group, func.count(spread.c.event.distinct()).label("n"))
        .where(spread.c.group.is_not(None))
        .group_by(spread.c.group)
    )
    return {row.group: row.n for row in rows}


def _members(conn: Connection, groups: Collection[str]) -> dict[str, tuple[MemberRow, ...]]:
    rows = conn.execute(select(group_member).where(group_member.c.group.in_(groups)))
    found: dict[str, list[MemberRow]] = {}
    for row in rows:
        member = MemberRow(row.org, row.name, row.extend, row.via)
        found.setdefault(row.group, []).append(member)
    return {
        group: tuple(sorted(some, key=lambda each: (each.name, each.org)))
        for group, some in found.items()
    }


def _read(row: Row[Any], members: tuple[MemberRow, ...]) -> GroupRow:
    values = {name: getattr(row, name) for name in _COLUMNS}
    lists = {name: tuple(json.loads(values[name])) for name in _LISTS}
    return GroupRow(**{**values, **lists, "members": members})

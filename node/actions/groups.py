"""Sharing groups of this node: who is in them, how each is reached, and who may see that.

A member is reached as an organisation enrolled here, as a member of the federation, or through the
one that stands for it (D9). Whoever is reached by none of these stays in the group and is shown to
operators as unreachable. A hospital sees the groups it is in: their name, and itself.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from node.actions.caller import Caller
from node.actions.errors import NotFoundError
from node.actions.people import AUTHORITY
from node.node import Node
from node.storage import audit
from node.storage.groups import (
    GroupRow,
    MemberRow,
    count_events,
    find_group,
    group_by_number,
    list_groups,
    lock_groups,
    next_number,
    put_group,
)
from node.storage.people import Org, list_orgs
from node.storage.store import Unit
from sharing.event import Audience
from sharing.formats.misp_groups import Group, Reached

_UNKNOWN = "is no sharing group that you know here: what is for it goes to nobody"
_ENDED = "has ended: what is for it goes to nobody"
_MOST_DIGITS = 9


@dataclass(frozen=True, slots=True)
class Route:
    """How a member is reached: `by` a party of ours; None: not at all, and `why`."""

    member: MemberRow
    by: str | None
    why: str


@dataclass(frozen=True, slots=True)
class MemberShown:
    """An organisation in a group; `reached_by` None: nothing gets to it, for the reason `why`."""

    org: str
    name: str
    extend: bool
    via: str | None
    reached_by: str | None
    why: str


@dataclass(frozen=True, slots=True)
class GroupShown:
    """A sharing group as its reader may see it.

    `whole` False: of its members only the reader's own organisation is shown, and nothing of how it
    is kept. `events` are the events of this node of which something is for it.
    """

    group: str
    number: int
    name: str
    active: bool
    whole: bool
    members: tuple[MemberShown, ...]
    releasability: str = ""
    roaming: bool = True
    servers: tuple[str, ...] = ()
    shows_members: bool = False
    version: int = 0
    owner: str = ""
    created_by: str = ""
    created_at: datetime | None = None
    changed_at: datetime | None = None
    events: int = 0

    @property
    def unreachable(self) -> tuple[MemberShown, ...]:
        """The members that nothing gets to."""
        return tuple(each for each in self.members if each.reached_by is None)


class Federation:
    """Who can be reached from this node at one moment."""

    def __init__(self, node: Node, unit: Unit) -> None:
        self._node = node
        self._members = node.registry.members
        self.homes: dict[str, Org] = {home.org: home for home in list_orgs(unit.connection)}

    def routes(self, row: GroupRow) -> Iterator[Route]:
        """How each member of a group is reached."""
        for member in row.members:
            by, why = self._route(row, member)
            yield Route(member, by, why)

    def reach(self, row: GroupRow) -> frozenset[str]:
        """Whom a group reaches."""
        return frozenset(route.by for route in self.routes(row) if route.by is not None)

    def name_of(self, org: str) -> str:
        """What an organisation is called here; empty if nobody knows."""
        if org in self.homes:
            return self.homes[org].name
        if org == self._node.org:
            return self._node.settings.name
        member = self._members.get(org)
        if member is None:
            return ""
        return "hub" if member.role == "hub" else f"node {member.country}"

    def _route(self, row: GroupRow, member: MemberRow) -> tuple[str | None, str]:
        if not row.active:
            return None, "the group has ended"
        home = self.homes.get(member.org)
        if home is not None and home.kind == AUTHORITY:
            return None, "an authority gets files that persons release"
        if home is not None or member.org == self._node.org:
            by, urls = member.org, {self._node.settings.base_url}
        else:
            found = self._members.get(member.org) or self._members.get(member.via or "")
            if found is None:
                return None, "neither enrolled here nor a member of the federation"
            by, urls = found.org, {*found.base_urls}
        if not row.roaming and row.servers:
            allowed = {url.rstrip("/") for url in row.servers}
            if allowed.isdisjoint(url.rstrip("/") for url in urls):
                return None, "none of the group's servers is its"
        return by, ""


def show_groups(node: Node, caller: Caller) -> tuple[GroupShown, ...]:
    """Give the groups the caller may know of, by name."""
    with node.store.read() as unit:
        federation, counts = Federation(node, unit), count_events(unit.connection)
        rows = [row for row in list_groups(unit.connection) if knows(caller, row)]
        return tuple(shown(federation, caller, row, counts.get(row.group, 0)) for row in rows)


def show_group(node: Node, caller: Caller, group: str) -> GroupShown:
    """Give one group.

    Raises:
        NotFoundError: there is none, or none that the caller may know of.
    """
    with node.store.read() as unit:
        row = known_group(unit, caller, group)
        events = count_events(unit.connection).get(row.group, 0)
        return shown(Federation(node, unit), caller, row, events)


def knows(caller: Caller, row: GroupRow) -> bool:
    """Whether the caller may know that the group is there."""
    return caller.is_staff or any(each.org == caller.org for each in row.members)


def may_see_members(caller: Caller, row: GroupRow) -> bool:
    """Whether the caller may see who is in the group."""
    return caller.is_staff or (row.shows_members and knows(caller, row))


def known_group(unit: Unit, caller: Caller, group: str) -> GroupRow:
    """Give the row of a group that the caller may know of.

    Raises:
        NotFoundError: there is none, or none that he may know of.
    """
    row = find_group(unit.connection, group)
    if row is None or not knows(caller, row):
        raise NotFoundError("sharing group")
    return row


def shown(federation: Federation, caller: Caller, row: GroupRow, events: int) -> GroupShown:
    """Give a group as the caller may see it."""
    members = tuple(
        MemberShown(
            route.member.org,
            route.member.name or federation.name_of(route.member.org),
            route.member.extend,
            route.member.via,
            route.by,
            route.why,
        )
        for route in federation.routes(row)
    )
    if not may_see_members(caller, row):
        own = tuple(each for each in members if each.org == caller.org)
        return GroupShown(row.group, row.number, row.name, row.active, whole=False, members=own)
    return GroupShown(
        group=row.group,
        number=row.number,
        name=row.name,
        active=row.active,
        whole=True,
        members=members,
        releasability=row.releasability,
        roaming=row.roaming,
        servers=row.servers,
        shows_members=row.shows_members,
        version=row.version,
        owner=row.owner,
        created_by=row.created_by if caller.is_staff else "",
        created_at=row.created_at,
        changed_at=row.changed_at,
        events=events if caller.is_staff else 0,
    )


def reach_for(node: Node, caller: Caller, *, by_number: bool) -> Callable[[Group], Reached]:
    """Say whom the groups reach that a document of the caller names.

    What this node knows of a group counts, and of that no member that the document leaves out. A
    group it does not know is taken from a document that staff bring. A number is only worth
    something in a document made for this node (`by_number`): in any other it is another's.
    """

    def reach(group: Group) -> Reached:
        with node.store.read() as unit:
            row = _row_of(unit, group, by_number=by_number)
        if row is None and group.members is not None:
            return _as_described(node, caller, group)
        if row is None or not knows(caller, row):
            return Reached(Audience(), 0, group.uuid, _UNKNOWN)
        return _reached(node, row, group)

    return reach


def _row_of(unit: Unit, group: Group, *, by_number: bool) -> GroupRow | None:
    if group.uuid:
        return find_group(unit.connection, group.uuid)
    key = group.key.strip()
    is_number = key.isascii() and key.isdecimal() and len(key) <= _MOST_DIGITS
    return group_by_number(unit.connection, int(key)) if by_number and is_number else None


def _reached(node: Node, row: GroupRow, group: Group) -> Reached:
    if not (row.active and group.active):
        return Reached(Audience(), row.version, row.group, _ENDED)
    told = None if group.members is None else {each.org for each in group.members}
    with node.store.read() as unit:
        routes = Federation(node, unit).routes(row)
        parties = {
            route.by for route in routes if route.by and (told is None or route.member.org in told)
        }
    return Reached(Audience(frozenset(parties)), row.version, row.group)


def _as_described(node: Node, caller: Caller, group: Group) -> Reached:
    """A group that only the document knows; from staff it becomes one of this node."""
    row = described_row(node, caller, group)
    if group.uuid and caller.is_staff:
        row = _adopt(node, caller, row)
    return _reached(node, row, group)


def described_row(node: Node, caller: Caller, group: Group) -> GroupRow:
    """Give a document's group as a row that nobody keeps yet: version 0, no number."""
    now = node.clock()
    return GroupRow(
        group=group.uuid,
        number=0,
        name=group.name or group.uuid,
        releasability=group.releasability,
        active=group.active,
        roaming=group.roaming,
        servers=group.servers,
        shows_members=False,
        reached=(),
        version=0,
        owner=caller.org,
        created_by=caller.name,
        created_at=now,
        changed_at=now,
        members=tuple(MemberRow(m.org, m.name, m.extend) for m in group.members or ()),
    )


def _adopt(node: Node, caller: Caller, row: GroupRow) -> GroupRow:
    """Keep a group that came inside an event; whoever was first stays."""
    with node.store.write() as unit:
        conn = unit.connection
        lock_groups(conn, [row.group])
        known = find_group(conn, row.group)
        if known is not None:
            return known
        reached = tuple(sorted(Federation(node, unit).reach(row)))
        row = replace(row, number=next_number(conn), reached=reached, version=1)
        put_group(conn, row)
        detail = {"group": row.group, "version": 1, "members": [m.org for m in row.members]}
        audit.append(conn, node.clock(), caller.name, "group.adopt", detail=detail)
    return row

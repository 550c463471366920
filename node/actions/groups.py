"""Sharing groups of this node: who is in them, how each is reached, and who may see that.

A member is reached as an organisation enrolled here, as a member of the federation, or through the
one that stands for it (D9). Whoever is reached by none of these stays in the group and is shown to
operators as unreachable. A hospital sees the groups it is in: their name, and itself.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from node.actions.caller import Caller
from node.actions.errors import NotFoundError
from node.actions.people import AUTHORITY
from node.node import Node
from node.storage.groups import GroupRow, MemberRow, count_events, find_group, list_groups
from node.storage.people import Org, list_orgs
from node.storage.store import Unit


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

    def reach(self, row: GroupRow) -> Mapping[str, frozenset[str]]:
        """Whom a group reaches, and for which of its members each."""
        found: dict[str, frozenset[str]] = {}
        for route in self.routes(row):
            if route.by is not None:
                found[route.by] = found.get(route.by, frozenset()) | {route.member.org}
        return found

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

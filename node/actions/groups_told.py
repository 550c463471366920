"""An event as MISP's JSON, for whoever asks: the own people of its source read their words back.

Anybody else is told by the label how far it may go, and of no sharing group at all: MISP shows
every member all others, and we do not.
"""

from collections.abc import Mapping

from node.actions.caller import Caller
from node.actions.groups import Federation, knows, may_see_members
from node.actions.read import read_event
from node.node import Node
from node.storage.groups import GroupRow, find_group, spreads_of
from sharing.event import Json
from sharing.formats.misp import write_misp
from sharing.formats.misp_groups import Group, Member, ShownGroup, Words


def read_misp_event(node: Node, caller: Caller, origin: str, event: str) -> Mapping[str, Json]:
    """Give the event as far as the caller may see it, as MISP has it.

    Raises:
        NotFoundError: there is none, or nothing of it that he may see.
        StoredPackageError: the bytes that are kept of it are damaged.
    """
    shown = read_event(node, caller, origin, event)
    words = _words(node, caller, shown.uuid) if shown.own else None
    return write_misp(shown, words)


def _words(node: Node, caller: Caller, event: str) -> Words:
    """What the source said of its event, in its own words."""
    with node.store.read() as unit:
        said = spreads_of(unit.connection, event)
        federation, groups = Federation(node, unit), dict[str, ShownGroup]()
        for group in {each.group for each in said.values() if each.group}:
            row = find_group(unit.connection, group)
            if row is not None and knows(caller, row):
                groups[group] = ShownGroup(row.number, _group(federation, caller, row))
    return Words({part: (each.level, each.group) for part, each in said.items()}, groups)


def _group(federation: Federation, caller: Caller, row: GroupRow) -> Group:
    """A group by its name; who is in it only for whoever may see that."""
    named = Group(str(row.number), row.group, row.name, active=row.active, roaming=row.roaming)
    if not may_see_members(caller, row):
        return named
    members = tuple(
        Member(each.org, each.name or federation.name_of(each.org), each.extend)
        for each in row.members
    )
    return Group(
        key=str(row.number),
        uuid=row.group,
        name=row.name,
        releasability=row.releasability,
        active=row.active,
        roaming=row.roaming,
        servers=row.servers,
        members=members,
    )

"""Sharing groups that come inside documents: whom they reach, and which become ones of this node.

Reading a document writes nothing. A group that staff bring is kept in the unit that writes what is
for it, so a document that is refused leaves nothing behind.
"""

from collections.abc import Iterable
from dataclasses import replace

from node.actions.caller import Caller
from node.actions.groups import Federation, knows
from node.actions.patients import check_words
from node.actions.sealing import OvertakenError
from node.node import Node
from node.storage import audit
from node.storage.groups import (
    GroupRow,
    MemberRow,
    find_group,
    group_by_number,
    lock_groups,
    next_number,
    put_group,
)
from node.storage.store import Unit
from sharing.event import Audience
from sharing.formats.misp_groups import Group, Reached

_UNKNOWN = "is no sharing group that you know here: what is for it goes to nobody"
_ENDED = "has ended: what is for it goes to nobody"
_MOST_DIGITS = 9


class Met:
    """Says whom the groups reach that the documents of a caller name (a `Reach`).

    What this node knows of a group counts, and of that no member that a document leaves out. Where
    it knows none, or the caller may know of none, the document's own word counts, and no group of
    ours is noted with the event: else the answer would tell whether there is one, and who makes one
    later would change what is no business of his. A number is only worth something in a document
    made for this node (`by_number`): in any other it is another's. `adopted` are the groups, by
    uuid, that become ours with what is read.
    """

    def __init__(self, node: Node, caller: Caller, *, by_number: bool) -> None:
        self._node, self._caller, self._by_number = node, caller, by_number
        self.adopted: dict[str, GroupRow] = {}

    def __call__(self, group: Group) -> Reached:
        """Give whom a group reaches."""
        with self._node.store.read() as unit:
            federation = Federation(self._node, unit)
            row = self.adopted.get(group.uuid) or self._known(unit, group)
        if row is None and group.members is None:
            return Reached(Audience(), note=_UNKNOWN)
        if row is None:
            row = described_row(self._node, self._caller, group)
            if group.uuid and self._caller.is_staff:
                reached = tuple(sorted(federation.reach(row)))
                row = self.adopted[group.uuid] = replace(row, reached=reached, version=1)
        return _reached(federation, row, group)

    def check(self, within: str = "") -> None:
        """Let the words of the adopted groups pass; `within` is put before every place.

        Raises:
            PatientDataError: they hold patient data that nobody released.
        """
        for row in self.adopted.values():
            check_group(self._node, self._caller, row, f"{within}SharingGroup.")

    def _known(self, unit: Unit, group: Group) -> GroupRow | None:
        key, row = group.key.strip(), None
        if group.uuid:
            row = find_group(unit.connection, group.uuid)
        elif self._by_number and key.isascii() and key.isdecimal() and len(key) <= _MOST_DIGITS:
            row = group_by_number(unit.connection, int(key))
        return row if row is not None and knows(self._caller, row) else None


def _reached(federation: Federation, row: GroupRow, group: Group) -> Reached:
    uuid = row.group if row.version else ""
    if not (row.active and group.active):
        return Reached(Audience(), row.version, uuid, _ENDED)
    orgs = frozenset(each.org for each in row.members)
    told = orgs if group.members is None else frozenset(each.org for each in group.members)
    parties = (party for party, its in federation.reach(row).items() if its & told)
    return Reached(Audience(frozenset(parties)), row.version, uuid, left_out=orgs - told)


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


def check_group(node: Node, caller: Caller, row: GroupRow, within: str = "") -> None:
    """Let the words of a group pass, which its members may read.

    Raises:
        PatientDataError: they hold patient data that nobody released; `within` goes before places.
    """
    words = {"name": row.name, "releasability": row.releasability}
    words |= {f"servers[{n}]": url for n, url in enumerate(row.servers)}
    words |= {f"members[{n}].name": each.name for n, each in enumerate(row.members)}
    check_words(node, caller, within=within, **words)


def adopt(node: Node, unit: Unit, caller: Caller, rows: Iterable[GroupRow]) -> None:
    """Keep groups that documents brought, in the unit that writes what is for them.

    Raises:
        OvertakenError: somebody else made one of them meanwhile; nothing of this unit may be kept.
    """
    conn, new = unit.connection, sorted(rows, key=lambda row: row.group)
    lock_groups(conn, [row.group for row in new])
    for row in new:
        if find_group(conn, row.group) is not None:
            raise OvertakenError(f"sharing group {row.group} was made meanwhile")
        put_group(conn, replace(row, number=next_number(conn)))
        detail = {"group": row.group, "version": 1, "members": [m.org for m in row.members]}
        audit.append(conn, node.clock(), caller.name, "group.adopt", detail=detail)

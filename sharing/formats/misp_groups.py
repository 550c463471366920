"""MISP's sharing groups: as a document describes them, and as a reader is shown one.

A group says by its members which organisations may have a thing. Where it is not `roaming` and
names servers, a member has it only through one of these. What a group's document says is that
document's word; who is in it by ours is the node's to say (`Reach`).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from sharing.event import Audience, Json
from sharing.formats.misp_members import JsonObject

ANNOUNCED = "0"
"""MISP's number for the server that wrote the document; its url stands beside it, if at all."""


@dataclass(frozen=True, slots=True)
class Member:
    """An organisation in a group; `extend`: MISP lets it add others (we let only operators)."""

    org: str
    name: str = ""
    extend: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """A sharing group as a document names it.

    `key` is what the thing itself says (`sharing_group_id`): a uuid, or a number of the instance
    that wrote the document; `uuid` is empty where the document does not describe the group, and
    `members` None where it does not list them. `servers` are base URLs.
    """

    key: str
    uuid: str = ""
    name: str = ""
    releasability: str = ""
    active: bool = True
    roaming: bool = False
    servers: tuple[str, ...] = ()
    members: tuple[Member, ...] | None = None


@dataclass(frozen=True, slots=True)
class Reached:
    """Whom a group reaches from here, by the version of it that was read; `note` for people.

    `left_out` are its members, as the node knows them, that the document does not list.
    """

    audience: Audience
    version: int = 0
    uuid: str = ""
    note: str = ""
    left_out: frozenset[str] = frozenset()


Reach = Callable[[Group], Reached]
"""Says whom a group reaches; the node's own groups are known to the node alone."""


def reach_as_told(group: Group) -> Reached:
    """Whom a group reaches by the document's own word: the members it lists, or nobody."""
    if group.members is None:
        why = "is not described: what is for it goes to nobody"
        return Reached(Audience(), uuid=group.uuid, note=why)
    if not group.active:
        why = "is not active: what is for it goes to nobody"
        return Reached(Audience(), uuid=group.uuid, note=why)
    return Reached(Audience(frozenset(each.org for each in group.members)), uuid=group.uuid)


def read_groups(given: JsonObject) -> dict[str, Group]:
    """The sharing group that a thing carries, by its number and its uuid; none if it has none.

    A member without its `Organisation` cannot be named, so it is none.
    """
    group = given.object("SharingGroup")
    if group is None:
        return {}
    key = given.text("sharing_group_id", group.text("id", ""))
    read = Group(
        key=key,
        uuid=group.uuid("uuid") if "uuid" in group else "",
        name=group.text("name", "")[:200],
        releasability=group.text("releasability", ""),
        active=group.flag("active", default=True),
        roaming=group.flag("roaming"),
        servers=tuple(_servers(group)),
        members=tuple(_members(group)) if "SharingGroupOrg" in group else None,
    )
    return {name: read for name in (key, read.uuid) if name} or {"": read}


def _members(group: JsonObject) -> list[Member]:
    found: dict[str, Member] = {}
    for each in group.objects("SharingGroupOrg"):
        org = each.object("Organisation")
        if org is not None:
            uuid = org.uuid("uuid")
            found[uuid] = Member(uuid, org.text("name", "")[:200], each.flag("extend"))
    return list(found.values())


def _servers(group: JsonObject) -> list[str]:
    """The servers' addresses; one without an address is nobody's."""
    found = []
    for each in group.objects("SharingGroupServer"):
        server = each.object("Server")
        found.append("" if server is None else server.text("url", "").strip().rstrip("/"))
    return list(dict.fromkeys(found))


@dataclass(frozen=True, slots=True)
class ShownGroup:
    """A group as one reader is shown it; `members` None: he may not see who else is in it."""

    number: int
    group: Group


@dataclass(frozen=True, slots=True)
class Words:
    """What a source said in MISP's words, for its own people who read their event back.

    `levels` are by uuid of the event and its parts, with the uuid of the group for level 4.
    """

    levels: Mapping[str, tuple[int, str]] = field(default_factory=dict)
    groups: Mapping[str, ShownGroup] = field(default_factory=dict)

    def of(self, uuid: str) -> dict[str, Json] | None:
        """The members by which MISP tells how far this thing goes; None where nothing was said."""
        if uuid not in self.levels:
            return None
        level, group = self.levels[uuid]
        said: dict[str, Json] = {"distribution": str(level)}
        shown = self.groups.get(group)
        if shown is not None:
            said["sharing_group_id"] = str(shown.number)
            said["SharingGroup"] = write_group(shown)
        return said


def write_group(shown: ShownGroup) -> dict[str, Json]:
    """A group as MISP writes it; who is in it only for a reader who may see that."""
    group = shown.group
    written: dict[str, Json] = {
        "id": str(shown.number),
        "uuid": group.uuid,
        "name": group.name,
        "releasability": group.releasability,
        "active": group.active,
        "roaming": group.roaming,
    }
    if group.members is None:
        return written
    members: list[Json] = [
        {"extend": each.extend, "Organisation": {"uuid": each.org, "name": each.name}}
        for each in group.members
    ]
    servers: list[Json] = [
        {"server_id": ANNOUNCED, "all_orgs": False, "Server": {"url": url}} for url in group.servers
    ]
    return {**written, "SharingGroupOrg": members, "SharingGroupServer": servers}

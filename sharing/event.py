"""Event and its parts, with the meaning MISP core gives them.

An `Event` is what somebody says; a `Draft` adds how far it may go and who said it. Whatever a
foreign document holds that is not named here rides in `extra` and is never dropped. The same types
serve a reader: in a View a part that is withheld is missing, and a value that is withheld is None.
Uuids are lower case. Timestamps are whole seconds since 1970, first_seen and last_seen RFC 3339.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from policies.label import Label
from policies.tlp import Pap, Tlp, is_pap_tag, is_tlp_tag, read_pap, read_tlp

Json: TypeAlias = bool | int | float | str | list["Json"] | dict[str, "Json"] | None
Members: TypeAlias = Mapping[str, Json]
Profile: TypeAlias = Literal["compact", "fine"]
Precision: TypeAlias = Literal["exact", "twin"]


@dataclass(frozen=True, slots=True)
class Audience:
    """The organisations and communities a source names, by uuid."""

    parties: frozenset[str] = frozenset()
    communities: frozenset[str] = frozenset()

    def __and__(self, other: "Audience") -> "Audience":
        """Whoever both name."""
        return Audience(self.parties & other.parties, self.communities & other.communities)

    def __bool__(self) -> bool:
        """Whether anybody is named."""
        return bool(self.parties or self.communities)


NOBODY = Audience()


@dataclass(frozen=True, slots=True)
class Spread:
    """How far a thing goes in its source's own words: MISP's level, and for level 4 the group.

    It is kept beside the log and never sealed. `version` is that of the group as it was read; 0:
    of a group that the node does not know. `left_out` are members of the group that the source did
    not list: they never get it as its members.
    """

    level: int
    group: str = ""
    version: int = 0
    left_out: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Mark:
    """How far one thing may go by its source's own words, where they differ from its parent's.

    `audience` None means whoever the parent names. Two further facts make no other mark: `given` is
    what its source said in MISP's words; `confined`, that it is RED since fewer may have it than
    could be named: so may all that stands in it.
    """

    label: Label
    audience: Audience | None = None
    given: Spread | None = field(default=None, compare=False)
    confined: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class Tag:
    """A tag on an event, object or attribute."""

    name: str
    extra: Members = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Twin:
    """A coarser value beside an exact one, for those who may not have that: 198.51.100.0/24.

    Its mark may be looser than the attribute's, never stricter.
    """

    value: str
    mark: Mark


@dataclass(frozen=True, slots=True)
class Attribute:
    """One value and what is said of it.

    `value` is None where it was deleted or is withheld; `data` of an attachment rides with it.
    `context` is what an incident's indicator says of itself (role, confidence …). `profile` is the
    source's choice how it is cut: compact, the value within the head; fine, apart from it; None by
    its label. In a View `precision` says that the value is but its twin's.
    """

    uuid: str
    type: str
    category: str
    value: str | None
    to_ids: bool
    timestamp: int
    comment: str = ""
    first_seen: str | None = None
    last_seen: str | None = None
    deleted: bool = False
    object_relation: str | None = None
    data: str | None = None
    tags: tuple[Tag, ...] = ()
    galaxies: tuple[Members, ...] = ()
    context: Members = field(default_factory=dict)
    extra: Members = field(default_factory=dict)
    mark: Mark | None = None
    profile: Profile | None = None
    twin: Twin | None = None
    precision: Precision = "exact"


@dataclass(frozen=True, slots=True)
class Object:
    """Attributes that belong together under a template; its template's members are in `extra`."""

    uuid: str
    name: str
    timestamp: int
    comment: str = ""
    first_seen: str | None = None
    last_seen: str | None = None
    deleted: bool = False
    attributes: tuple[Attribute, ...] = ()
    tags: tuple[Tag, ...] = ()
    extra: Members = field(default_factory=dict)
    mark: Mark | None = None


@dataclass(frozen=True, slots=True)
class Relation:
    """An object's reference to another object or attribute of the event."""

    uuid: str
    object_uuid: str
    referenced_uuid: str
    relationship_type: str
    timestamp: int
    comment: str = ""
    deleted: bool = False
    extra: Members = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ReportText:
    """A written report that belongs to an event (MISP's EventReport; not a hospital's report)."""

    uuid: str
    name: str
    content: str | None
    timestamp: int
    deleted: bool = False
    tags: tuple[Tag, ...] = ()
    extra: Members = field(default_factory=dict)
    mark: Mark | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """What one source says about one matter. `orgc` names the creator: MISP's Orgc members."""

    uuid: str
    info: str
    date: str
    threat_level_id: int
    analysis: int
    timestamp: int
    published: bool = False
    orgc: Members | None = None
    tags: tuple[Tag, ...] = ()
    galaxies: tuple[Members, ...] = ()
    attributes: tuple[Attribute, ...] = ()
    objects: tuple[Object, ...] = ()
    relations: tuple[Relation, ...] = ()
    reports: tuple[ReportText, ...] = ()
    extra: Members = field(default_factory=dict)

    @property
    def attribute_count(self) -> int:
        """How many attributes it holds, those inside objects included."""
        return len(self.attributes) + sum(len(each.attributes) for each in self.objects)


@dataclass(frozen=True, slots=True)
class Draft:
    """An event somebody typed or brought, with the label its source gives it.

    `source` is the uuid of the organisation that said it; `at_least` is the colour below which
    nothing of it may fall, whatever a tag says (what comes from outside is not loosened by itself).
    `hides_creator`: nobody but the source and its node may read who made it. `given` is what its
    source said of the whole in MISP's words; `notes` say, for people, what of that counts for less.
    """

    event: Event
    label: Label
    source: str
    audience: Audience = NOBODY
    at_least: Tlp = Tlp.CLEAR
    hides_creator: bool = False
    given: Spread | None = None
    notes: tuple[str, ...] = ()

    @property
    def spreads(self) -> dict[str, Spread | None]:
        """What the source said in MISP's words, by uuid of the event and all its parts."""
        inside = [each for thing in self.event.objects for each in thing.attributes]
        parts = (self.event.attributes, self.event.objects, inside, self.event.reports)
        said = [spreads_in(some) for some in parts]
        return {self.event.uuid: self.given} | said[0] | said[1] | said[2] | said[3]


def spreads_in(things: Iterable[Attribute | Object | ReportText]) -> dict[str, Spread | None]:
    """What their source said of each of these in MISP's words; None: nothing."""
    return {each.uuid: each.mark.given if each.mark else None for each in things}


@dataclass(frozen=True, slots=True)
class TagMarks:
    """What the tags on one thing say about its label; `unread` if a TLP tag has no meaning."""

    tlp: Tlp | None = None
    pap: Pap | None = None
    unread: bool = False

    def __bool__(self) -> bool:
        """Whether the tags say anything."""
        return self.tlp is not None or self.pap is not None or self.unread

    def __or__(self, other: "TagMarks") -> "TagMarks":
        """What both say: the strictest."""
        return TagMarks(
            max((each.tlp for each in (self, other) if each.tlp is not None), default=None),
            max((each.pap for each in (self, other) if each.pap is not None), default=None),
            self.unread or other.unread,
        )


def read_marks(tags: Iterable[Tag]) -> TagMarks:
    """Read the tlp and PAP tags among `tags`: the strictest of several counts.

    A PAP tag without meaning counts as PAP:RED: no machine acts on what nobody could read.
    """
    tlps: list[Tlp] = []
    paps: list[Pap] = []
    unread = False
    for tag in tags:
        if is_tlp_tag(tag.name):
            tlp = read_tlp(tag.name)
            unread = unread or tlp is None
            tlps += [] if tlp is None else [tlp]
        if is_pap_tag(tag.name):
            paps.append(read_pap(tag.name) or Pap.RED)
    return TagMarks(max(tlps, default=None), max(paps, default=None), unread)

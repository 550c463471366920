"""One event of MISP's JSON: its parts, and what its distributions mean for its labels.

Distribution becomes label and audience (decisions.md D9), intersected with TLP: nothing is looser
than its intake label, and a stricter tag in the document wins. What is not known here is carried;
what describes one instance's copy (`NODE_LOCAL`) is not shared. Local tags stay at home, but a
colour they name counts; so does one that stands in what is carried (`misp_labels.py`).
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from policies.label import Label, join
from policies.tlp import Pap, Tlp
from sharing.event import (
    NOBODY,
    Attribute,
    Audience,
    Draft,
    Event,
    Json,
    Mark,
    Members,
    Object,
    Relation,
    ReportText,
    Spread,
    Tag,
    TagMarks,
    read_marks,
)
from sharing.formats.choices import CHOICES, read_profile, read_twin
from sharing.formats.misp_groups import Group, Reach, Reached, reach_as_told, read_groups
from sharing.formats.misp_labels import Said
from sharing.formats.misp_members import BadMispError, JsonObject, is_uuid

UNVERIFIED = "unverified-origin"
UNREAD = "unread-label"

UNKNOWN = -1

_CREATOR = 0
_TO_GROUP = 4
_INHERIT = 5
_LEVELS = range(_INHERIT + 1)
_THING = {"uuid", "timestamp", "comment", "first_seen", "last_seen", "deleted", "Tag"}
_EVENT = frozenset(
    {"uuid", "info", "date", "threat_level_id", "analysis", "timestamp", "Orgc", "Tag", "Galaxy"}
    | {"Attribute", "Object", "EventReport"}
)
_ATTRIBUTE = frozenset(
    {"type", "category", "value", "value1", "value2", "to_ids", "object_relation", "data", "Galaxy"}
    | _THING
)
_OBJECT = frozenset({"name", "Attribute", "ObjectReference"} | _THING)
_REFERENCE = frozenset(
    {"uuid", "object_uuid", "source_uuid", "referenced_uuid", "relationship_type", "timestamp"}
    | {"comment", "deleted", "Object", "Attribute"}
)
_REPORT = frozenset({"uuid", "name", "content", "timestamp", "deleted", "Tag"})
_NAME = frozenset({"name"})
_ORGC = frozenset({"local", "uuid"})
_WRAPPING = frozenset({"Event", "response"})


@dataclass(frozen=True, slots=True)
class Distribution:
    """How far MISP would let one thing go: a level of MISP, and for level 4 the group.

    A level that MISP does not have is `UNKNOWN`, the strictest of all. `place` is where it stands.
    """

    level: int
    group: Group | None = None
    place: str = ""


@dataclass(frozen=True, slots=True)
class MispEvent:
    """An event as a MISP document tells it; `draft` turns it into one of ours.

    `distributions` are by uuid of event, object, attribute and report, where the document gives one
    of its own; `local` is what is said of a thing's colour by what does not travel as its tag:
    local tags, and whatever else claims to be a label. `left_out` are the places of parts that by
    their own distribution do not go as far as what they hang on.
    """

    event: Event
    distributions: Mapping[str, Distribution]
    local: Mapping[str, TagMarks]
    left_out: tuple[str, ...] = ()

    @property
    def groups(self) -> tuple[Group, ...]:
        """The sharing groups that something of it is for, each once."""
        named = (each.group for each in self.distributions.values())
        return tuple(dict.fromkeys(group for group in named if group is not None))

    def draft(
        self,
        *,
        intake: Label,
        own_org: str,
        source: str,
        creator: str | None = None,
        reach: Reach = reach_as_told,
    ) -> Draft:
        """The event under the label that intake, distribution and local tags give it.

        `own_org` is the node's own organisation, `source` who brought the document; `creator` who
        made the event, else whom the document claims. `reach` says whom a sharing group reaches.
        """
        event = self.event
        reached = {group: reach(group) for group in self.groups}
        by = creator or str((event.orgc or {}).get("uuid", source))
        marker = _Marker(self, own_org, by, reached)
        whole = marker.mark(event.uuid, intake) or Mark(intake)
        base = _with_tags(whole.label, read_marks(event.tags))
        marked = replace(
            event,
            attributes=tuple(marker.attribute(each, base) for each in event.attributes),
            objects=tuple(marker.object(each, base) for each in event.objects),
            reports=tuple(
                replace(each, mark=marker.mark(each.uuid, base)) for each in event.reports
            ),
        )
        unverified = whole.label.categories | {UNVERIFIED}
        return Draft(
            event=marked,
            label=replace(whole.label, categories=unverified),
            source=source,
            audience=whole.audience or NOBODY,
            at_least=intake.tlp,
            given=whole.given,
            notes=tuple(self._notes(reached)),
        )

    def _notes(self, reached: Mapping[Group, Reached]) -> Iterator[str]:
        """What of the distributions reaches fewer than was said, for people to read."""
        for place in self.left_out:
            yield f"{place or 'Event'}: parts that are local, or for fewer, are left out"
        told = set[Group]()
        for each in self.distributions.values():
            place = f"{each.place}." if each.place else ""
            if each.level == UNKNOWN:
                yield f"{place}distribution: is no level of MISP's, so it goes to nobody"
            if each.group is None or each.group in told:
                continue
            told.add(each.group)
            if note := reached[each.group].note:  # told by its place: its name is anybody's text
                yield f"{place}sharing_group_id: {note}"


@dataclass(frozen=True, slots=True)
class _Marker:
    """Says what distribution and local tags make of each thing, starting from its parent's label.

    A distribution says nothing of a colour, so a thing keeps its parent's where no tag gives one.
    """

    said: MispEvent
    own_org: str
    creator: str
    reached: Mapping[Group, Reached]

    def attribute(self, attribute: Attribute, base: Label) -> Attribute:
        mark = self.mark(attribute.uuid, base)
        return attribute if mark is None else replace(attribute, mark=mark)

    def object(self, thing: Object, base: Label) -> Object:
        mark = self.mark(thing.uuid, base)
        inner = mark.label if mark else base
        attributes = tuple(self.attribute(each, inner) for each in thing.attributes)
        return replace(thing, mark=mark, attributes=attributes)

    def mark(self, uuid: str, base: Label) -> Mark | None:
        given, local = self.said.distributions.get(uuid), self.said.local.get(uuid)
        if given is None and not local:
            return None
        mark = Mark(base) if given is None else self._spread(given, base)
        return replace(mark, label=_with_tags(mark.label, local)) if local else mark

    def _spread(self, given: Distribution, base: Label) -> Mark:
        spread = Spread(given.level)
        match given.level:
            case 0:
                strict = Label(Tlp.AMBER_STRICT, only=True)
                return Mark(join(base, strict), Audience(frozenset({self.creator})), spread)
            case 1:
                own = Label(Tlp.CLEAR, only=True, relay=False)
                return Mark(join(base, own), Audience(frozenset({self.own_org})), spread)
            case 2:
                return Mark(replace(base, relay=False), given=spread)
            case 3:
                return Mark(base, given=spread)
            case 4:
                return self._to_group(given.group, base)
            case _:
                strict = Label(Tlp.AMBER_STRICT, only=True, relay=False)
                return Mark(join(base, strict), NOBODY, Spread(_CREATOR))

    def _to_group(self, group: Group | None, base: Label) -> Mark:
        met = Reached(NOBODY) if group is None else self.reached[group]
        spread = Spread(_TO_GROUP, met.uuid, met.version, met.left_out)
        return Mark(replace(base, only=True), met.audience, spread)


@dataclass(slots=True)
class _Reading:
    """What is gathered while one event is read; `fresh` gives the uuids a document left out.

    With `choices` its author is our own source, and may choose how attributes are cut.
    """

    fresh: Callable[[], str] | None
    choices: bool
    timestamp: int
    groups: Mapping[str, Group]
    said: Said
    distributions: dict[str, Distribution] = field(default_factory=dict)

    def uuid(self, given: JsonObject) -> str:
        """The uuid of a thing, with the distribution it has of its own noted."""
        uuid = given.uuid("uuid", self.fresh)
        level = given.number("distribution", _INHERIT)
        if level not in _LEVELS:
            level = UNKNOWN
        if level != _INHERIT:
            group = self._group(given) if level == _TO_GROUP else None
            self.distributions[uuid] = Distribution(level, group, given.path)
        return uuid

    def stays(self, name: str, given: JsonObject) -> bool:
        """Whether a part stays behind; noted, if it does."""
        if is_left := given.stays(name):
            self.said.left_out.append(given.path)
        return is_left

    def tags(self, uuid: str, given: JsonObject) -> tuple[Tag, ...]:
        """The tags of a thing that travel; local ones only leave their mark."""
        travelling: list[Tag] = []
        local: list[Tag] = []
        for each in given.objects("Tag"):
            tag = Tag(each.text("name"), self.said.carried(uuid, each, _NAME))
            stays = each.flag("local") or not each.flag("exportable", default=True)
            (local if stays else travelling).append(tag)
        self.said.note(uuid, read_marks(local))
        return tuple(travelling)

    def _group(self, given: JsonObject) -> Group:
        """The group that a thing is for: as the thing describes it, else as the event does."""
        key = given.text("sharing_group_id", "")
        own = read_groups(given)
        if not key and own:
            return next(iter(own.values()))
        return own.get(key) or self.groups.get(key) or _undescribed(key)


def _undescribed(key: str) -> Group:
    """A group of which the document tells but what it is called by."""
    text = key.strip().lower()
    return Group(key, uuid=text if is_uuid(text) else "")


def read_event(
    given: JsonObject,
    *,
    around: Iterable[JsonObject] = (),
    fresh: Callable[[], str] | None = None,
    now: datetime | None = None,
    choices: bool = False,
) -> MispEvent:
    """Return one event of a document; of what is wrapped `around` it, only a label counts.

    Who drafts an event may leave out what `fresh` and `now` give; with `choices` he may also say
    how attributes are cut.

    Raises:
        BadMispError: names the place of what is missing, wrong or there twice.
    """
    at = given.number("timestamp", int(now.timestamp()) if now else 0)
    reading = _Reading(fresh, choices, at, read_groups(given), Said(refuses=choices))
    uuid = reading.uuid(given)
    for each in around:
        reading.said.carried(uuid, each, _WRAPPING)
    event = Event(
        uuid=uuid,
        info=given.text("info"),
        date=given.text_or_none("date") or _day(given, at),
        threat_level_id=given.choice("threat_level_id", range(1, 5), 4),
        analysis=given.choice("analysis", range(3), 0),
        timestamp=at,
        published=given.flag("published"),
        orgc=_orgc(given, uuid, reading),
        tags=reading.tags(uuid, given),
        galaxies=_galaxies(given, uuid, reading),
        attributes=tuple(_attribute(each, reading) for each in given.objects("Attribute")),
        reports=tuple(_report(each, reading) for each in given.objects("EventReport")),
        extra=reading.said.carried(uuid, given, _EVENT),
    )
    objects: list[Object] = []
    relations: list[Relation] = []
    for each in given.objects("Object"):
        objects.append(_object(each, reading))
        references = each.objects("ObjectReference")
        relations += [_relation(ref, objects[-1].uuid, reading) for ref in references]
    event = replace(event, objects=tuple(objects), relations=tuple(relations))
    _refuse_twice(given, event)
    left_out = tuple(sorted(set(reading.said.left_out)))
    return MispEvent(event, reading.distributions, reading.said.marks, left_out)


def _attribute(given: JsonObject, reading: _Reading) -> Attribute:
    uuid, deleted = reading.uuid(given), given.flag("deleted")
    known = _ATTRIBUTE | CHOICES if reading.choices else _ATTRIBUTE
    return Attribute(
        uuid=uuid,
        type=given.text("type"),
        category=given.text("category", "Other"),
        value=None if deleted else _value(given),
        to_ids=given.flag("to_ids"),
        timestamp=given.number("timestamp", reading.timestamp),
        comment=given.text("comment", ""),
        first_seen=given.text_or_none("first_seen"),
        last_seen=given.text_or_none("last_seen"),
        deleted=deleted,
        object_relation=given.text_or_none("object_relation"),
        data=None if deleted else given.text_or_none("data"),
        tags=reading.tags(uuid, given),
        galaxies=_galaxies(given, uuid, reading),
        extra=reading.said.carried(uuid, given, known),
        profile=read_profile(given) if reading.choices else None,
        twin=read_twin(given) if reading.choices else None,
    )


def _value(given: JsonObject) -> str:
    """The value, also where an old document has it in two halves."""
    if "value" not in given and "value1" in given:
        halves = (given.text("value1"), given.text("value2", ""))
        return "|".join(half for half in halves if half)
    return given.text("value")


def _object(given: JsonObject, reading: _Reading) -> Object:
    uuid = reading.uuid(given)
    thing = Object(
        uuid=uuid,
        name=given.text("name"),
        timestamp=given.number("timestamp", reading.timestamp),
        comment=given.text("comment", ""),
        first_seen=given.text_or_none("first_seen"),
        last_seen=given.text_or_none("last_seen"),
        deleted=given.flag("deleted"),
        attributes=tuple(_attribute(each, reading) for each in given.objects("Attribute")),
        tags=reading.tags(uuid, given),
        extra=reading.said.carried(uuid, given, _OBJECT),
    )
    reading.said.told(thing)
    return thing


def _relation(given: JsonObject, object_uuid: str, reading: _Reading) -> Relation:
    return Relation(
        uuid=given.uuid("uuid", reading.fresh),
        object_uuid=object_uuid,
        referenced_uuid=given.uuid("referenced_uuid"),
        relationship_type=given.text("relationship_type", ""),
        timestamp=given.number("timestamp", reading.timestamp),
        comment=given.text("comment", ""),
        deleted=given.flag("deleted"),
        extra=reading.said.carried(object_uuid, given, _REFERENCE),
    )


def _report(given: JsonObject, reading: _Reading) -> ReportText:
    uuid, deleted = reading.uuid(given), given.flag("deleted")
    return ReportText(
        uuid=uuid,
        name=given.text("name"),
        content=None if deleted else given.text("content", ""),
        timestamp=given.number("timestamp", reading.timestamp),
        deleted=deleted,
        tags=reading.tags(uuid, given),
        extra=reading.said.carried(uuid, given, _REPORT),
    )


def _orgc(given: JsonObject, uuid: str, reading: _Reading) -> Members | None:
    orgc = given.object("Orgc")
    if orgc is None:
        return None
    rest = reading.said.carried(uuid, orgc, _ORGC, names=_NAME)
    return {**rest, "uuid": orgc.uuid("uuid")} if "uuid" in orgc else rest


def _galaxies(given: JsonObject, uuid: str, reading: _Reading) -> tuple[Members, ...]:
    """Galaxies as they came, without the numbers one instance gave them and their clusters."""
    found: list[Members] = []
    for galaxy in given.objects("Galaxy"):
        clusters: list[Json] = []
        for each in galaxy.objects("GalaxyCluster"):
            cluster = reading.said.carried(uuid, each, frozenset())
            if not reading.stays("GalaxyCluster", each):
                clusters.append(cluster)
        rest = reading.said.carried(uuid, galaxy, frozenset({"GalaxyCluster"}))
        if not reading.stays("Galaxy", galaxy):
            found.append({**rest, "GalaxyCluster": clusters} if clusters else rest)
    return tuple(found)


def _with_tags(label: Label, said: TagMarks) -> Label:
    unread = frozenset({UNREAD}) if said.unread else frozenset[str]()
    return join(label, Label(said.tlp or Tlp.CLEAR, said.pap or Pap.CLEAR, unread))


def _day(given: JsonObject, timestamp: int) -> str:
    if not 0 < timestamp < 2**32:
        given.bad("date", "is missing, and there is no timestamp to take it from")
    return datetime.fromtimestamp(timestamp, UTC).date().isoformat()


def _refuse_twice(given: JsonObject, event: Event) -> None:
    """Distributions, tags and references name a thing by its uuid alone, whatever it is."""
    seen = {event.uuid: "Event"}
    for what, uuid in _things(event):
        if uuid in seen:
            twice = f"{what} {uuid} is there twice"
            both = f"{seen[uuid]} and {what} have one uuid, {uuid}"
            raise BadMispError(given.document, given.path, twice if seen[uuid] == what else both)
        seen[uuid] = what


def _things(event: Event) -> Iterator[tuple[str, str]]:
    inside = [each for thing in event.objects for each in thing.attributes]
    yield from (("Attribute", each.uuid) for each in [*event.attributes, *inside])
    yield from (("Object", each.uuid) for each in event.objects)
    yield from (("ObjectReference", each.uuid) for each in event.relations)
    yield from (("EventReport", each.uuid) for each in event.reports)

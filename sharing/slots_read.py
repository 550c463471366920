"""Records read back: the event that the disclosed slots of a log tell, and its fields.

The inverse of `slots_event` and `slots_incident` for whatever is disclosed; what is withheld is
simply missing. Members, kinds and slots we do not know are carried in `extra` or left alone.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import orjson

from policies.label import Label
from sharing.event import (
    Attribute,
    Event,
    Json,
    Mark,
    Members,
    Object,
    Relation,
    ReportText,
    Tag,
    Twin,
    read_marks,
)
from sharing.seal.holding import Holding
from sharing.seal.records import EVENT_LABEL, Kind, SlotType

_CORE = frozenset({"uuid", "info", "date", "threat_level_id", "analysis", "timestamp"})
_ATTRIBUTE = frozenset(
    {"uuid", "type", "category", "to_ids", "timestamp", "deleted", "value", "data"}
)
_CARRIED = frozenset({"value", "data"})
_THING = frozenset({"uuid", "name", "timestamp", "deleted"})
_RELATION = frozenset(
    {
        "uuid",
        "object_uuid",
        "referenced_uuid",
        "relationship_type",
        "timestamp",
        "deleted",
    }
)
_TAG = frozenset({"uuid", "target", "name"})


@dataclass(frozen=True, slots=True)
class FieldRead:
    """An incident field as far as it is disclosed: its values by slot type, each with its label."""

    name: str
    values: Mapping[int, tuple[Json, Label]]


@dataclass(frozen=True, slots=True)
class LogRead:
    """What the disclosed slots of a log tell. `labels` are by uuid of event, attribute, object."""

    event: Event
    fields: tuple[FieldRead, ...]
    labels: Mapping[str, Label]


Slots = Mapping[int, dict[str, Json]]


@dataclass(slots=True)
class _Parts:
    """The parts of a log while they are read."""

    core: Slots = field(default_factory=dict)
    attributes: list[tuple[str, Attribute]] = field(default_factory=list)
    objects: list[Object] = field(default_factory=list)
    reports: list[ReportText] = field(default_factory=list)
    relations: list[Relation] = field(default_factory=list)
    tags: dict[str, list[Tag]] = field(default_factory=dict)
    galaxies: dict[str, list[Members]] = field(default_factory=dict)
    fields: list[FieldRead] = field(default_factory=list)
    labels: dict[str, Label] = field(default_factory=dict)


def read_log(holding: Holding, masks: Mapping[int, int] | None = None) -> LogRead:
    """Read what `masks` discloses of a holding, or all that is held."""
    shown = holding.masks if masks is None else masks
    table, parts = holding.labels, _Parts()
    known: dict[int, Label] = {}
    for index, mask in shown.items():
        record = holding.records[index]
        header = record.header
        if header.kind not in _READERS or not mask & 1:
            continue
        slots: dict[int, dict[str, Json]] = {}
        labels: dict[int, Label] = {}
        for n, (kind, byte, slot) in enumerate(
            zip(header.types, header.labels, record.slots, strict=True)
        ):
            if slot is None or not mask >> n & 1:
                continue
            if byte not in known:
                known[byte] = table.effective(byte)
            slots[kind], labels[kind] = orjson.loads(slot), known[byte]
        if SlotType.HEAD in slots:
            _READERS[header.kind](parts, slots, labels)
    return _whole(parts, holding)


def _whole(parts: _Parts, holding: Holding) -> LogRead:
    """Put tags and galaxies on their things, and attributes into their objects."""
    inside: dict[str, list[Attribute]] = {}
    alone: list[Attribute] = []
    objects = {each.uuid for each in parts.objects}
    for target, attribute in parts.attributes:
        tagged = _with_said(attribute, parts)
        if target in objects:
            inside.setdefault(target, []).append(tagged)
        else:
            alone.append(tagged)
    head = parts.core.get(SlotType.HEAD, {})
    orgc = parts.core.get(SlotType.IDENTITY, {}).get("Orgc")
    event = Event(
        uuid=str(head.get("uuid", holding.statement.event)),
        info=str(head.get("info", "")),
        date=str(head.get("date", "")),
        threat_level_id=_int(head.get("threat_level_id", 4)),
        analysis=_int(head.get("analysis", 0)),
        timestamp=_int(head.get("timestamp", 0)),
        orgc=orgc if isinstance(orgc, dict) else None,
        tags=tuple(parts.tags.get("", ())),
        galaxies=tuple(parts.galaxies.get("", ())),
        attributes=tuple(alone),
        objects=tuple(_with_parts(each, inside, parts) for each in parts.objects),
        relations=tuple(parts.relations),
        reports=tuple(
            replace(each, tags=tuple(parts.tags.get(each.uuid, ()))) for each in parts.reports
        ),
        extra=_rest(head, _CORE),
    )
    labels = {**parts.labels, event.uuid: holding.labels.effective(EVENT_LABEL)}
    for target, tags in parts.tags.items():
        _raise_by_tags(labels, target or event.uuid, tags)
    return LogRead(event, tuple(parts.fields), labels)


def _with_parts(thing: Object, inside: Mapping[str, list[Attribute]], parts: _Parts) -> Object:
    return replace(
        thing,
        tags=tuple(parts.tags.get(thing.uuid, ())),
        attributes=tuple(inside.get(thing.uuid, ())),
    )


def _with_said(attribute: Attribute, parts: _Parts) -> Attribute:
    tags, galaxies = parts.tags.get(attribute.uuid), parts.galaxies.get(attribute.uuid)
    if not tags and not galaxies:
        return attribute
    return replace(attribute, tags=tuple(tags or ()), galaxies=tuple(galaxies or ()))


def _raise_by_tags(labels: dict[str, Label], target: str, tags: Sequence[Tag]) -> None:
    """A disclosed tag stricter than the label byte wins; a looser one means nothing (D6)."""
    tlp = read_marks(tags).tlp
    label = labels.get(target)
    if tlp is not None and label is not None and tlp > label.tlp:
        labels[target] = replace(label, tlp=tlp)


def _core(parts: _Parts, slots: Slots, labels: Mapping[int, Label]) -> None:
    del labels
    parts.core = slots


def _attribute(parts: _Parts, slots: Slots, labels: Mapping[int, Label]) -> None:
    head = slots[SlotType.HEAD]
    times = slots.get(SlotType.TIMES, {})
    placed = slots.get(SlotType.PLACEMENT, {})
    carried = slots.get(SlotType.VALUE, head)
    apart = {} if carried is head else _rest(carried, _CARRIED)
    uuid = str(head.get("uuid", ""))
    attribute = Attribute(
        uuid=uuid,
        type=str(head.get("type", "")),
        category=str(head.get("category", "")),
        value=_text(carried.get("value")),
        to_ids=head.get("to_ids") is True,
        timestamp=_int(head.get("timestamp", 0)),
        comment=str(slots.get(SlotType.TEXT, {}).get("comment", "")),
        first_seen=_text(times.get("first_seen")),
        last_seen=_text(times.get("last_seen")),
        deleted=head.get("deleted") is True,
        object_relation=_text(placed.get("relation")),
        data=_text(carried.get("data")),
        context=slots.get(SlotType.CONTEXT, {}),
        extra=_rest(head, _ATTRIBUTE) | apart,
        twin=_twin(slots, labels),
    )
    parts.attributes.append((str(placed.get("object", "")), attribute))
    parts.labels[uuid] = labels.get(SlotType.VALUE, labels[SlotType.HEAD])


def _twin(slots: Slots, labels: Mapping[int, Label]) -> Twin | None:
    value = _text(slots.get(SlotType.TWIN, {}).get("value"))
    return None if value is None else Twin(value, Mark(labels[SlotType.TWIN]))


def _object(parts: _Parts, slots: Slots, labels: Mapping[int, Label]) -> None:
    head = slots[SlotType.HEAD]
    times = slots.get(SlotType.TIMES, {})
    thing = Object(
        uuid=str(head.get("uuid", "")),
        name=str(head.get("name", "")),
        timestamp=_int(head.get("timestamp", 0)),
        comment=str(slots.get(SlotType.TEXT, {}).get("comment", "")),
        first_seen=_text(times.get("first_seen")),
        last_seen=_text(times.get("last_seen")),
        deleted=head.get("deleted") is True,
        extra=_rest(head, _THING),
    )
    parts.objects.append(thing)
    parts.labels[thing.uuid] = labels[SlotType.HEAD]


def _report(parts: _Parts, slots: Slots, labels: Mapping[int, Label]) -> None:
    head = slots[SlotType.HEAD]
    report = ReportText(
        uuid=str(head.get("uuid", "")),
        name=str(head.get("name", "")),
        content=_text(slots.get(SlotType.TEXT, {}).get("content")),
        timestamp=_int(head.get("timestamp", 0)),
        deleted=head.get("deleted") is True,
        extra=_rest(head, _THING),
    )
    parts.reports.append(report)
    parts.labels[report.uuid] = labels[SlotType.HEAD]


def _relation(parts: _Parts, slots: Slots, labels: Mapping[int, Label]) -> None:
    head = slots[SlotType.HEAD]
    relation = Relation(
        uuid=str(head.get("uuid", "")),
        object_uuid=str(head.get("object_uuid", "")),
        referenced_uuid=str(head.get("referenced_uuid", "")),
        relationship_type=str(head.get("relationship_type", "")),
        timestamp=_int(head.get("timestamp", 0)),
        comment=str(slots.get(SlotType.TEXT, {}).get("comment", "")),
        deleted=head.get("deleted") is True,
        extra=_rest(head, _RELATION),
    )
    parts.relations.append(relation)
    parts.labels[relation.uuid] = labels[SlotType.HEAD]


def _tag(parts: _Parts, slots: Slots, labels: Mapping[int, Label]) -> None:
    del labels
    head = slots[SlotType.HEAD]
    tag = Tag(str(head.get("name", "")), _rest(head, _TAG))
    parts.tags.setdefault(str(head.get("target", "")), []).append(tag)


def _galaxy(parts: _Parts, slots: Slots, labels: Mapping[int, Label]) -> None:
    del labels
    head = slots[SlotType.HEAD]
    galaxy = head.get("galaxy")
    if isinstance(galaxy, dict):
        parts.galaxies.setdefault(str(head.get("target", "")), []).append(galaxy)


def _field(parts: _Parts, slots: Slots, labels: Mapping[int, Label]) -> None:
    values: dict[int, tuple[Json, Label]] = {
        kind: (slots[kind]["value"], labels[kind])
        for kind in (SlotType.VALUE, SlotType.TWIN)
        if "value" in slots.get(kind, {})
    }
    if values:
        parts.fields.append(FieldRead(str(slots[SlotType.HEAD].get("field", "")), values))


_Reader = Callable[[_Parts, Slots, Mapping[int, Label]], None]
_READERS: Mapping[int, _Reader] = {
    Kind.CORE: _core,
    Kind.ATTRIBUTE: _attribute,
    Kind.OBJECT: _object,
    Kind.EVENT_TAG: _tag,
    Kind.TAG: _tag,
    Kind.REPORT_TEXT: _report,
    Kind.GALAXY: _galaxy,
    Kind.RELATION: _relation,
    Kind.FIELD: _field,
}


def _rest(head: Members, known: frozenset[str]) -> dict[str, Json]:
    """The members nobody here knows."""
    return {name: value for name, value in head.items() if name not in known}


def _text(value: Json) -> str | None:
    return value if isinstance(value, str) else None


def _int(value: Json) -> int:
    """A whole number, also one spelled as text; 0 for what is none."""
    if isinstance(value, int):
        return value
    is_number = isinstance(value, str) and len(value) <= 18 and value.isdecimal()
    return int(str(value)) if is_number else 0

"""View: a log as far as one reader may see it, as plain data for pages and JSON.

It shows what `project` disclosed and only ever coarsens that. The source of an incident and its
node read the report log laid over the event's: the exact words win, and `shared` says under which
label a thing leaves. Where only the twin of a value is disclosed, it stands for the value, and
nothing detects by it. Readers of an incident who are neither its own nor staff of a node or the hub
get times by the day and the entity as a kind of place in a country; they are told that something is
withheld, staff of nodes and hub also which fields.
"""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from dataclasses import fields as fields_of
from datetime import UTC, datetime

from policies.label import Label
from policies.party import Party
from sharing.event import (
    Attribute,
    Event,
    Json,
    Members,
    Object,
    Precision,
    Relation,
    ReportText,
    Tag,
    Twin,
)
from sharing.incidents.derive import day
from sharing.incidents.fields import FACILITIES, FIELDS
from sharing.seal.holding import Holding
from sharing.seal.records import Kind, SlotType
from sharing.slots_read import FieldRead, LogRead, read_log

_STAFF = frozenset({"node", "hub"})
_SIDE = frozenset({Kind.LABEL, Kind.ADDRESSEE, Kind.PAD})
_CHOICES = frozenset({"mark", "profile"})  # of whoever cuts, not of whoever reads
_DAY_S = 86_400
_Thing = Event | Attribute | Object | Relation | ReportText | Tag


@dataclass(frozen=True, slots=True)
class SeenField:
    """An incident field as its reader sees it; a twin is coarser than what was reported."""

    name: str
    group: str
    value: Json
    precision: Precision
    label: Label


@dataclass(frozen=True, slots=True)
class Seen:
    """How often notes say that an attribute was seen, or was no threat (`sharing.notes`).

    `last` is the last such day; `by_country` is there for those only who may know it.
    """

    attribute: str
    type: str
    count: int = 0
    last: str = ""
    by_country: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class View:
    """One log for one reader.

    `labels` are by uuid of event, attribute, object, report; a thing without one has the event's.
    `shared` is for an incident's own readers: by field name and attribute uuid, the label under
    which the thing leaves; what is not in it stays at home. `entity` says who it happened to, as
    precisely as the reader may know. `withheld` names withheld fields, for staff of nodes and hub.
    `recalled` are attributes taken back: what of them is shown, an incident's report alone says.
    """

    origin: str
    uuid: str
    log: str
    epoch: int
    seq: int
    sealed_at: datetime
    published: bool
    own: bool
    event: Event
    label: Label
    labels: Mapping[str, Label]
    fields: tuple[SeenField, ...]
    shared: Mapping[str, Label]
    entity: str
    some_withheld: bool
    withheld: tuple[str, ...]
    sightings: tuple[Seen, ...] = ()
    recalled: frozenset[str] = frozenset()

    def field(self, name: str) -> SeenField | None:
        """The field of that name, if the reader may see it."""
        return next((each for each in self.fields if each.name == name), None)

    @property
    def notice(self) -> str:
        """The line under a view from which something was withheld; empty if nothing was."""
        if self.withheld:
            return "withheld: " + ", ".join(self.withheld)
        return "some fields withheld" if self.some_withheld else ""


def view(
    holding: Holding,
    masks: Mapping[int, int],
    *,
    reader: Party,
    own: bool = False,
    report: Holding | None = None,
    report_masks: Mapping[int, int] | None = None,
    withheld: Sequence[Members] = (),
    published: bool = True,
) -> View:
    """Return what `reader` sees of what `masks` discloses.

    `report`, with what `report_masks` discloses of it, makes the reader an own one. `withheld` are
    the grounds its sender gave for a received log.
    """
    read = read_log(holding, masks)
    own = own or report is not None
    is_incident = report is not None or _has_fields(holding)
    shared = _shared(read) if own and is_incident else {}
    fields = [_seen(each) for each in read.fields]
    if report is not None:
        over = read_log(report, report_masks)
        read, fields = _laid_over(read, over), _fields_over(fields, over.fields)
    far = is_incident and not own and reader.kind not in _STAFF
    gone = () if own else _withheld_fields(holding, masks, withheld)
    whole = View(
        origin=holding.statement.iss,
        uuid=holding.statement.event,
        log=holding.statement.log,
        epoch=holding.statement.epoch,
        seq=holding.statement.seq,
        sealed_at=holding.statement.iat,
        published=published,
        own=own,
        event=_dated(_with_twins(read.event), holding),
        label=read.labels[read.event.uuid],
        labels=read.labels,
        fields=tuple(fields),
        shared=shared,
        entity=_entity(fields, own=own, far=far) if is_incident else "",
        some_withheld=not own and (bool(gone) or _is_partial(holding, masks, withheld)),
        withheld=gone if reader.kind in _STAFF else (),
    )
    return _from_afar(whole) if far else whole


def _has_fields(holding: Holding) -> bool:
    return any(record.header.kind == Kind.FIELD for record in holding.records.values())


def _seen(read: FieldRead) -> SeenField:
    exact = read.values.get(SlotType.VALUE)
    value, label = exact or read.values[SlotType.TWIN]
    row = FIELDS.get(read.name)
    return SeenField(
        name=read.name,
        group=row.group if row else "",
        value=value,
        precision="exact" if exact else "twin",
        label=label,
    )


def _with_twins(event: Event) -> Event:
    """The event with the twin in the place of each value that is withheld."""
    return replace(
        event,
        attributes=tuple(map(_twin_for_value, event.attributes)),
        objects=tuple(
            replace(each, attributes=tuple(map(_twin_for_value, each.attributes)))
            for each in event.objects
        ),
    )


def _twin_for_value(attribute: Attribute) -> Attribute:
    """A whole network must not be blocked because of one of its addresses: no twin detects."""
    if attribute.value is not None or attribute.twin is None:
        return attribute
    value = attribute.twin.value
    return replace(attribute, value=value, twin=None, to_ids=False, precision="twin")


def _shared(read: LogRead) -> dict[str, Label]:
    """Under which label a thing leaves: for a field the loosest of its values'."""
    fields = {
        each.name: _loosest(label for _, label in each.values.values()) for each in read.fields
    }
    attributes = {each.uuid: read.labels[each.uuid] for each in read.event.attributes}
    return {**fields, **attributes}


def _loosest(labels: Iterable[Label]) -> Label:
    return min(labels, key=lambda label: (label.only, label.tlp))


def _laid_over(event_log: LogRead, report_log: LogRead) -> LogRead:
    """The event with the report's indicators, which have the same uuids, in place of its own."""
    over = {each.uuid: each for each in report_log.event.attributes}
    rest = [each for each in event_log.event.attributes if each.uuid not in over]
    event = replace(event_log.event, attributes=(*over.values(), *rest))
    labels = {uuid: report_log.labels[uuid] for uuid in over}
    return replace(event_log, event=event, labels={**event_log.labels, **labels})


def _fields_over(fields: Iterable[SeenField], over: Iterable[FieldRead]) -> list[SeenField]:
    """The report's fields, and what the node itself added to the event, in the table's order."""
    found: dict[str, SeenField] = {}
    for each in fields:
        found[each.name] = _beside(found.get(each.name), each)
    found |= {each.name: _seen(each) for each in over}
    order = {name: n for n, name in enumerate(FIELDS)}
    return sorted(found.values(), key=lambda each: order.get(each.name, len(order)))


def _beside(before: SeenField | None, seen: SeenField) -> SeenField:
    """A field that stands there more than once, each time for others: all its values."""
    if before is None:
        return seen
    values = before.value if isinstance(before.value, list) else [before.value]
    return replace(seen, value=[*values, seen.value])


def _entity(fields: Iterable[SeenField], *, own: bool, far: bool) -> str:
    """Who it happened to: by name, by type and country, or as a kind of place in a country."""
    known = {each.name: each.value for each in fields}
    kind, country = known.get("entity_type"), known.get("entity_country")
    if own and known.get("entity_name"):
        return str(known["entity_name"])
    if far:
        place = FACILITIES.get(str(kind), "health entity")
        return f"a {place} in {country}" if country else f"a {place}"
    return ", ".join(str(each) for each in (kind, country) if each)


def _from_afar(whole: View) -> View:
    """The view of an incident for readers far from its source."""
    return replace(
        whole,
        sealed_at=_midnight(whole.sealed_at),
        event=_by_the_day(whole.event),
        fields=tuple(map(_coarse, whole.fields)),
    )


def _coarse(seen: SeenField) -> SeenField:
    """A field as readers far from the source get it."""
    row = FIELDS.get(seen.name)
    if seen.name == "entity_type":
        return replace(seen, value=FACILITIES.get(str(seen.value), "other"), precision="twin")
    if row is not None and row.type == "datetime":
        return replace(seen, value=day(seen.value), precision="twin")
    return seen


def _by_the_day(event: Event) -> Event:
    """The event with every time in it brought down to its day."""
    return replace(
        event,
        timestamp=_day_of(event.timestamp),
        attributes=tuple(_attribute_by_the_day(each) for each in event.attributes),
    )


def _attribute_by_the_day(attribute: Attribute) -> Attribute:
    context = {
        name: day(value) if name == "valid_until" else value
        for name, value in attribute.context.items()
    }
    return replace(
        attribute,
        timestamp=_day_of(attribute.timestamp),
        first_seen=attribute.first_seen and attribute.first_seen[:10],
        last_seen=attribute.last_seen and attribute.last_seen[:10],
        context=context,
    )


def _day_of(timestamp: int) -> int:
    return timestamp - timestamp % _DAY_S


def _midnight(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def _dated(event: Event, holding: Holding) -> Event:
    """The event with the time of its newest version: its core is not sealed anew for that (D27)."""
    if holding.statement.seq == 1:
        return event
    sealed = int(holding.statement.iat.astimezone(UTC).timestamp())
    return replace(event, timestamp=max(event.timestamp, sealed))


def _withheld_fields(
    holding: Holding, masks: Mapping[int, int], grounds: Iterable[Members]
) -> tuple[str, ...]:
    """The names of fields of which a value is withheld, as far as they are known here."""
    names: set[str] = set()
    for ground in grounds:
        fields = ground.get("fields")
        names.update(map(str, fields if isinstance(fields, list) else ()))
    hidden = {
        index: mask
        for index, mask in holding.masks.items()
        if mask != masks.get(index, 0) and holding.records[index].header.kind == Kind.FIELD
    }
    names.update(each.name for each in read_log(holding, hidden).fields)
    return tuple(sorted(names))


def _is_partial(holding: Holding, masks: Mapping[int, int], grounds: Sequence[Members]) -> bool:
    """Whether anything but labels is withheld, by us or by who sent it."""
    shown = {index for index in masks if holding.records[index].header.kind not in _SIDE}
    held = {i: m for i, m in holding.masks.items() if holding.records[i].header.kind not in _SIDE}
    if grounds or any(mask != masks.get(index, 0) for index, mask in held.items()):
        return True
    if holding.classes is None:
        return holding.statement.live > len(holding.records)
    return _live(holding) > len(shown) or any(
        None in holding.records[index].slots for index in shown
    )


def _live(holding: Holding) -> int:
    """How many live records are more than labels, by the class table."""
    count, start = 0, 0
    for length, header in holding.classes.runs if holding.classes else ():
        if header.kind not in _SIDE:
            stop = start + length
            count += length - (bisect_left(holding.void, stop) - bisect_left(holding.void, start))
        start += length
    return count


def to_json(shown: View) -> dict[str, Json]:
    """The view as JSON: labels in words, instants in RFC 3339, things with their own labels."""
    event = shown.event
    return {
        "origin": shown.origin,
        "uuid": shown.uuid,
        "log": shown.log,
        "epoch": shown.epoch,
        "seq": shown.seq,
        "sealed_at": shown.sealed_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "published": shown.published,
        "own": shown.own,
        "entity": shown.entity,
        "label": label_json(shown.label),
        "notice": shown.notice,
        "withheld": [*shown.withheld],
        "fields": [
            {
                "name": each.name,
                "group": each.group,
                "value": each.value,
                "precision": each.precision,
                "label": label_json(each.label),
            }
            for each in shown.fields
        ],
        "shared": {name: label_json(label) for name, label in shown.shared.items()},
        "sightings": [
            {
                "attribute": each.attribute,
                "type": each.type,
                "count": each.count,
                "last": each.last,
                "by_country": {**each.by_country},
            }
            for each in shown.sightings
        ],
        "event": _plain(event, shown.labels),
    }


def label_json(label: Label) -> dict[str, Json]:
    """A label in words."""
    return {
        "tlp": label.tlp.word,
        "pap": label.pap.word,
        "categories": [*sorted(label.categories)],
        "until": label.until.astimezone(UTC).isoformat() if label.until else None,
        "only": label.only,
        "relay": label.relay,
    }


def _plain(thing: _Thing, labels: Mapping[str, Label]) -> dict[str, Json]:
    """The members of a part that hold something, with its own label."""
    plain: dict[str, Json] = {}
    for member in fields_of(thing):
        given = getattr(thing, member.name)
        if given is None or given in ((), {}, "") or member.name in _CHOICES:
            continue
        plain[member.name] = _plain_value(given, labels)
    own = labels.get(str(plain.get("uuid", "")))
    return {**plain, "label": label_json(own)} if own else plain


def _plain_value(given: object, labels: Mapping[str, Label]) -> Json:
    if isinstance(given, tuple):
        return [_plain_value(each, labels) for each in given]
    if isinstance(given, Mapping):
        return {str(name): each for name, each in given.items()}
    if isinstance(given, bool | int | float | str):
        return given
    if isinstance(given, Twin):
        return {"value": given.value, "label": label_json(given.mark.label)}
    return _plain(given, labels) if isinstance(given, _Thing) else None

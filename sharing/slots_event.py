"""An event's parts as records: which slot holds what, and under which label.

Slots are made once, here; from then on their exact bytes are the thing and nobody writes them
again. Where its source does not choose, an attribute is compact up to GREEN (its value stands in
the head) and fine from AMBER on (its value stands apart). Beside a fine value its source may put a
coarse twin under a label of its own: the head then goes with the twin, and all else that is said
with the exact value. A deleted attribute keeps its head and its place, nothing else. What is said
of a thing (tag, galaxy, relation) is never looser than the thing.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from uuid import UUID

import orjson

from policies.label import Label, join
from policies.tlp import Pap, Tlp
from sharing.errors import BadChoiceError, BadRecordError
from sharing.event import (
    NOBODY,
    Attribute,
    Draft,
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
from sharing.seal import limits
from sharing.seal.records import Header, Kind, Record, SlotType
from sharing.slots_names import LabelBook, galaxy_key, tag_key

SOURCE_IDENTITY = "source-identity"
UNREAD = "unread-label"
_NAME_BASED = frozenset({3, 5, 8})  # versions of uuid that may be a hash of what they name


def record_of(kind: Kind, slots: Iterable[tuple[SlotType, int, Members]]) -> Record:
    """The record of these slots (type, label byte, members), which ascend by type.

    Raises:
        BadRecordError: a slot is larger than any verifier accepts.
    """
    types, labels, members = zip(*slots, strict=True)
    # copied: what orjson returns holds on to a buffer of some kilobytes
    raw = tuple(b"%b" % orjson.dumps(each) for each in members)
    if max(map(len, raw)) > limits.SLOT_BYTES:
        what = f"{kind.name.lower()} {members[0].get('uuid')}"
        raise BadRecordError(f"{what} is larger than {limits.SLOT_BYTES} bytes")
    return Record(_header(kind, types, labels), raw)


@lru_cache(maxsize=1024)
def _header(kind: Kind, types: tuple[int, ...], labels: tuple[int, ...]) -> Header:
    return Header(kind, types, labels)


def event_mark(draft: Draft) -> Mark:
    """The label of the event as a whole: its draft's, and what its tags add to that."""
    marks = read_marks(draft.event.tags)
    tagged = Label(
        tlp=max(marks.tlp or Tlp.CLEAR, draft.at_least),
        pap=marks.pap or Pap.CLEAR,
        categories=frozenset({UNREAD}) if marks.unread else frozenset(),
    )
    return Mark(join(draft.label, tagged), draft.audience)


@dataclass(slots=True)
class EventCutter:
    """Turns the parts of one event into records, under one book of labels."""

    book: LabelBook
    at_least: Tlp = Tlp.CLEAR
    hides_creator: bool = False

    def event(self, event: Event) -> Iterator[Record]:
        """Every record of an event but its label records."""
        whole = self.book.whole
        marks = {event.uuid: whole}
        yield self._core(event)
        yield from self._said_of("", event.tags, event.galaxies, whole)
        for attribute in event.attributes:
            yield from self.attribute(attribute, whole, marks)
        for thing in event.objects:
            yield from self._object(thing, whole, marks)
        for report in event.reports:
            yield from self._report(report, whole)
        yield from (self._relation(relation, marks) for relation in event.relations)

    def attribute(
        self, attribute: Attribute, parent: Mark, marks: dict[str, Mark], placed_in: str = ""
    ) -> Iterator[Record]:
        """An attribute with its tags and galaxies; its label is added to `marks`."""
        mark = self._mark(attribute.mark, attribute.tags, parent)
        marks[attribute.uuid] = mark
        byte = self.book.byte(mark)
        twin = self._twin(attribute, mark, parent)
        loose = byte if twin is None else self.book.byte(twin)
        bytes_of = dict.fromkeys((SlotType.HEAD, SlotType.TWIN), loose)
        profile = attribute.profile or ("fine" if mark.label.tlp >= Tlp.AMBER else "compact")
        fine = twin is not None or profile == "fine"
        slots = _attribute_slots(attribute, fine=fine, placed_in=placed_in)
        yield record_of(
            Kind.ATTRIBUTE, ((kind, bytes_of.get(kind, byte), members) for kind, members in slots)
        )
        yield from self._said_of(attribute.uuid, attribute.tags, attribute.galaxies, mark)

    def _twin(self, attribute: Attribute, mark: Mark, parent: Mark) -> Mark | None:
        """The effective label of an attribute's twin, None where it has none.

        Raises:
            BadChoiceError: the twin cannot stand beside the value, or is stricter than it.
        """
        twin = attribute.twin
        if twin is None:
            return None
        own = replace(
            twin.mark.label,
            tlp=max(twin.mark.label.tlp, self.at_least),
            # a colour that nobody could read holds for all of the attribute
            categories=twin.mark.label.categories | (mark.label.categories & {UNREAD}),
        )
        resolved = self.book.resolve(replace(twin.mark, label=own), parent)
        why = _why_no_twin(attribute, twin)
        if why is None and join(resolved.label, mark.label) != mark.label:
            colours = f"{resolved.label.tlp.word} beside {mark.label.tlp.word}"
            why = f"its twin's label is stricter than its own ({colours})"
        if why is not None:
            raise BadChoiceError(f"attribute {attribute.uuid}: {why}")
        return resolved

    def _core(self, event: Event) -> Record:
        head: dict[str, Json] = {
            "uuid": event.uuid,
            "info": event.info,
            "date": event.date,
            "threat_level_id": event.threat_level_id,
            "analysis": event.analysis,
            "timestamp": event.timestamp,
        }
        slots: list[tuple[SlotType, int, Members]] = [(SlotType.HEAD, 0, _with(head, event.extra))]
        if event.orgc:
            byte = self.book.byte(self._creator())
            slots.append((SlotType.IDENTITY, byte, {"Orgc": dict(event.orgc)}))
        return record_of(Kind.CORE, slots)

    def _creator(self) -> Mark:
        """The label of who made the event: the event's, or one under which it stays at home."""
        whole = self.book.whole
        categories = whole.label.categories | {SOURCE_IDENTITY}
        label = replace(whole.label, categories=categories)
        if not self.hides_creator:
            return replace(whole, label=label)
        strict = replace(label, tlp=max(label.tlp, Tlp.AMBER_STRICT))
        return self.book.resolve(Mark(strict, NOBODY), whole)

    def _object(self, thing: Object, parent: Mark, marks: dict[str, Mark]) -> Iterator[Record]:
        mark = self._mark(thing.mark, thing.tags, parent)
        marks[thing.uuid] = mark
        byte = self.book.byte(mark)
        head: Members = {"uuid": thing.uuid, "name": thing.name, "timestamp": thing.timestamp}
        slots = [(SlotType.HEAD, _with(_deleted(head, gone=thing.deleted), thing.extra))]
        if not thing.deleted:
            slots += _words_and_times(thing)
        yield record_of(Kind.OBJECT, ((kind, byte, members) for kind, members in slots))
        yield from self._said_of(thing.uuid, thing.tags, (), mark)
        for attribute in thing.attributes:
            yield from self.attribute(attribute, mark, marks, placed_in=thing.uuid)

    def _report(self, report: ReportText, parent: Mark) -> Iterator[Record]:
        mark = self._mark(report.mark, report.tags, parent)
        byte = self.book.byte(mark)
        head: Members = {"uuid": report.uuid, "name": report.name, "timestamp": report.timestamp}
        slots: list[tuple[SlotType, int, Members]] = [
            (SlotType.HEAD, byte, _with(_deleted(head, gone=report.deleted), report.extra))
        ]
        if not report.deleted:
            slots.append((SlotType.TEXT, byte, {"content": report.content}))
        yield record_of(Kind.REPORT_TEXT, slots)
        yield from self._said_of(report.uuid, report.tags, (), mark)

    def _relation(self, relation: Relation, marks: dict[str, Mark]) -> Record:
        """A relation tells of both its ends, so it is as strict as both."""
        ends = (relation.object_uuid, relation.referenced_uuid)
        mark = _both(*(marks.get(end, self.book.whole) for end in ends))
        head: dict[str, Json] = {
            "uuid": relation.uuid,
            "object_uuid": relation.object_uuid,
            "referenced_uuid": relation.referenced_uuid,
            "relationship_type": relation.relationship_type,
            "timestamp": relation.timestamp,
        }
        byte = self.book.byte(mark)
        slots: list[tuple[SlotType, int, Members]] = [
            (SlotType.HEAD, byte, _with(_deleted(head, gone=relation.deleted), relation.extra))
        ]
        if relation.comment:
            slots.append((SlotType.TEXT, byte, {"comment": relation.comment}))
        return record_of(Kind.RELATION, slots)

    def _said_of(
        self, target: str, tags: Iterable[Tag], galaxies: Iterable[Members], mark: Mark
    ) -> Iterator[Record]:
        byte = self.book.byte(mark)
        about: dict[str, Json] = {"target": target} if target else {}
        kind = Kind.TAG if target else Kind.EVENT_TAG
        for name, tag in {tag.name: tag for tag in tags}.items():
            uuid = self.book.names.uuid(tag_key(target, name))
            head: dict[str, Json] = {"uuid": uuid, **about, "name": name}
            yield record_of(kind, [(SlotType.HEAD, byte, _with(head, tag.extra))])
        for galaxy in {galaxy_key(target, dict(each)): each for each in galaxies}.items():
            uuid = self.book.names.uuid(galaxy[0])
            body: dict[str, Json] = {"uuid": uuid, **about, "galaxy": dict(galaxy[1])}
            yield record_of(Kind.GALAXY, [(SlotType.HEAD, byte, body)])

    def _mark(self, own: Mark | None, tags: Iterable[Tag], parent: Mark) -> Mark:
        """The effective label of a thing that its source marked, by word or by tag, or did not."""
        said = read_marks(tags)
        if own is None and not said:
            return parent
        colours = [own.label.tlp] if own else []
        colours += [said.tlp] if said.tlp is not None else []
        label = own.label if own else Label(parent.label.tlp)
        mark = Mark(
            replace(
                label,
                tlp=max(*colours, self.at_least) if colours else parent.label.tlp,
                pap=max(label.pap, said.pap or Pap.CLEAR),
                categories=label.categories | ({UNREAD} if said.unread else set()),
            ),
            own.audience if own else None,
        )
        return self.book.resolve(mark, parent)


def _attribute_slots(
    attribute: Attribute, *, fine: bool, placed_in: str
) -> Iterator[tuple[SlotType, Members]]:
    head: dict[str, Json] = {
        "uuid": attribute.uuid,
        "type": attribute.type,
        "category": attribute.category,
        "to_ids": attribute.to_ids,
        "timestamp": attribute.timestamp,
    }
    carried: dict[str, Json] = {}
    if attribute.deleted:
        head["deleted"] = True
    else:
        carried["value"] = attribute.value
        if attribute.data is not None:
            carried["data"] = attribute.data
    if attribute.twin is not None:  # whoever gets the head with the twin gets nothing unknown
        carried |= {name: x for name, x in attribute.extra.items() if name not in carried}
        yield SlotType.HEAD, head
    else:
        yield SlotType.HEAD, _with(head if fine else head | carried, attribute.extra)
    if not attribute.deleted:
        yield from _words_and_times(attribute)
    if attribute.context:
        yield SlotType.CONTEXT, attribute.context
    if placed_in:
        yield SlotType.PLACEMENT, {"object": placed_in, "relation": attribute.object_relation}
    if fine and carried:
        yield SlotType.VALUE, carried
    if attribute.twin is not None:
        yield SlotType.TWIN, {"value": attribute.twin.value}


def _why_no_twin(attribute: Attribute, twin: Twin) -> str | None:
    """Why an attribute can have no twin, whatever their labels; None if it can."""
    if attribute.value is None or attribute.deleted:
        return "a twin needs a value to stand beside"
    if attribute.profile == "compact":
        return "a twin needs the fine profile: a compact head holds the value"
    if twin.value.strip().casefold() == attribute.value.strip().casefold():
        return "its twin is its value"
    if UUID(attribute.uuid).version in _NAME_BASED:
        return "a uuid that may be made of its value would tell it to those who get the twin"
    return None


def _words_and_times(thing: Attribute | Object) -> Iterator[tuple[SlotType, Members]]:
    if thing.comment:
        yield SlotType.TEXT, {"comment": thing.comment}
    times: dict[str, Json] = {}
    if thing.first_seen is not None:
        times["first_seen"] = thing.first_seen
    if thing.last_seen is not None:
        times["last_seen"] = thing.last_seen
    if times:
        yield SlotType.TIMES, times


def _both(one: Mark, other: Mark) -> Mark:
    audiences = (one.audience or NOBODY, other.audience or NOBODY)
    same = audiences[0] == audiences[1]
    return Mark(join(one.label, other.label), audiences[0] if same else audiences[0] & audiences[1])


def _deleted(head: Members, *, gone: bool) -> Members:
    return {**head, "deleted": True} if gone else head


def _with(head: Members, extra: Members) -> Members:
    """The head with the members we do not know; those it has itself stand."""
    return {**head, **{name: each for name, each in extra.items() if name not in head}}

"""From what is shared to records, and what changes between two versions of a log.

`cut_event` seals an event as its source drafted it; `cut_report` the whole of a hospital's report,
for a log that never leaves its node; `cut_incident` only what of it may leave, by the field table
and the enrolment rule. Records come unsorted; `diff` says what a new version appends and voids.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple

import orjson

from policies.label import Label
from policies.tlp import Pap, Tlp, read_pap, read_tlp
from sharing.errors import SharingError
from sharing.event import NOBODY, Attribute, Draft, Json
from sharing.incidents.enrolment import Enrolment, read_enrolment
from sharing.incidents.indicator import Indicator
from sharing.incidents.report import Earlier, Report
from sharing.seal.holding import HeldRecord, Holding
from sharing.seal.records import Kind, Record, SlotType
from sharing.slots_event import EventCutter, event_mark
from sharing.slots_incident import (
    incident_event,
    incident_fields,
    pseudonym_fields,
    report_event,
    report_fields,
)
from sharing.slots_names import PSEUDONYM, LabelBook, Names

__all__ = [
    "Change",
    "Enrolment",
    "Names",
    "add_attributes",
    "cut_event",
    "cut_incident",
    "cut_report",
    "diff",
    "earlier_of",
    "is_about",
    "read_enrolment",
    "take_back",
    "touches_only",
]

EXERCISE = "exercise"


class Change(NamedTuple):
    """What the next version of a log appends, and the indices it voids."""

    append: tuple[Record, ...]
    void: tuple[int, ...]


def cut_event(draft: Draft, names: Names) -> list[Record]:
    """The records of an event, under the label its source gave it and its tags add to."""
    mark = event_mark(draft)
    book = LabelBook(mark.label, draft.audience, names)
    cutter = EventCutter(book, draft.at_least, hides_creator=draft.hides_creator)
    records = list(cutter.event(draft.event))
    return [*book.records(), *records]


def cut_report(report: Report, uuid: str, names: Names) -> list[Record]:
    """The records of a whole report, each under the submitter's colour or a stricter one."""
    label = Label(report.colour, report.pap, _categories(report))
    book = LabelBook(label, NOBODY, names)
    records = [
        *EventCutter(book).event(report_event(report, uuid)),
        *report_fields(report, book),
    ]
    return [*book.records(), *records]


def cut_incident(
    report: Report,
    enrolment: Enrolment,
    uuid: str,
    names: Names,
    *,
    name_before: Callable[[str], str] | None = None,
) -> list[Record]:
    """The records of what may leave of a report; a report under TLP:RED leaves nothing but a core.

    `name_before` gives the entity's pseudonym before a class of recipients; whatever the report
    itself gave for one is not used, since only its node can make one.
    """
    own = {name: value for name, value in report.values.items() if name != PSEUDONYM}
    report = replace(report, values=own)
    colour = Tlp.RED if report.colour == Tlp.RED else Tlp.GREEN
    book = LabelBook(Label(colour, report.pap, _categories(report)), NOBODY, names)
    records = [
        *EventCutter(book).event(incident_event(report, enrolment, uuid)),
        *incident_fields(report, enrolment, book),
        *(pseudonym_fields(report, enrolment, book, name_before) if name_before else ()),
    ]
    return [*book.records(), *records]


def diff(held: Holding, records: Iterable[Record]) -> Change:
    """What turns the held version into these records: the same bytes stay where they are."""
    wanted = {_bytes(record): record for record in records}
    void: list[int] = []
    for index, record in held.records.items():
        if wanted.pop(_bytes(record), None) is None:
            void.append(index)
    return Change(tuple(wanted.values()), tuple(void))


def touches_only(held: Holding, change: Change, fields: frozenset[str]) -> bool:
    """Whether a change of the held version is one of these incident fields and of nothing else."""
    touched: list[Record | HeldRecord] = [*change.append]
    touched += [held.records[index] for index in change.void]
    return all(_field(record) in fields for record in touched)


def add_attributes(
    held: Holding, attributes: Sequence[Attribute], names: Names, at_least: Tlp = Tlp.CLEAR
) -> Change:
    """What adds these attributes to an event of ours; one that is there already is replaced.

    `names` are those of `held`. What is not mentioned stays: absence never deletes.

    Raises:
        SharingError: `held` has no label of its own, so it is no log of ours.
    """
    whole = names.event
    if whole is None:
        raise SharingError("attributes were to be added to a log whose label is not known")
    book = LabelBook(whole.label, whole.audience or NOBODY, names)
    cutter = EventCutter(book, at_least)
    cut = [r for a in attributes for r in cutter.attribute(a, book.whole, {})]
    change = diff(held, [*book.records(), *cut])
    edited = {attribute.uuid for attribute in attributes}
    replaced = [i for i in change.void if _about(held.records[i]) in edited]
    return Change(change.append, tuple(replaced))


def take_back(held: Holding, uuids: Collection[str]) -> Change:
    """What takes these attributes out of an event of ours, and whatever is said of them in it."""
    return Change((), tuple(i for i, record in held.records.items() if is_about(record, uuids)))


def is_about(record: Record | HeldRecord, uuids: Collection[str]) -> bool:
    """Whether a record is one of these attributes, a tag of one, or a relation to one."""
    if record.header.kind != Kind.RELATION:
        return _about(record) in uuids
    head = _members(record).get(SlotType.HEAD, {})
    return any(head.get(end) in uuids for end in ("object_uuid", "referenced_uuid"))


def earlier_of(report_log: Holding) -> Earlier:
    """What a report said so far, read from its own log."""
    values: dict[str, Json] = {}
    choices: dict[str, Tlp] = {}
    indicators: list[Indicator] = []
    timestamp: int | None = None
    for record in report_log.records.values():
        slots = _members(record)
        head = slots.get(SlotType.HEAD, {})
        match record.header.kind:
            case Kind.CORE:
                timestamp = int(str(head["timestamp"]))
            case Kind.FIELD:
                name = str(head["field"])
                values[name] = slots[SlotType.VALUE]["value"]
                tlp = read_tlp(str(head["choice"])) if "choice" in head else None
                choices |= {name: tlp} if tlp is not None else {}
            case Kind.ATTRIBUTE:
                indicators.append(_indicator(slots))
            case _:
                pass
    return Earlier(values, tuple(indicators), choices, timestamp)


def _categories(report: Report) -> frozenset[str]:
    return frozenset({EXERCISE}) if report.is_exercise else frozenset()


def _bytes(record: Record | HeldRecord) -> tuple[bytes | None, ...]:
    return (record.header.encoded, *record.slots)


def _field(record: Record | HeldRecord) -> str:
    """The name of the incident field that a record is; empty for any other."""
    head = record.slots[0]
    if record.header.kind != Kind.FIELD or head is None:
        return ""
    return str(orjson.loads(head).get("field", ""))


def _about(record: Record | HeldRecord) -> str:
    """The attribute that a record is, or is said of; empty for any other."""
    if record.header.kind not in {Kind.ATTRIBUTE, Kind.TAG, Kind.GALAXY}:
        return ""
    head = _members(record).get(SlotType.HEAD, {})
    return str(head.get("uuid" if record.header.kind == Kind.ATTRIBUTE else "target", ""))


def _members(record: Record | HeldRecord) -> dict[int, dict[str, Json]]:
    return {
        kind: orjson.loads(slot)
        for kind, slot in zip(record.header.types, record.slots, strict=True)
        if slot is not None
    }


def _indicator(slots: dict[int, dict[str, Json]]) -> Indicator:
    head, facts = slots[SlotType.HEAD], dict(slots[SlotType.CONTEXT])
    times = slots.get(SlotType.TIMES, {})
    first_seen, last_seen = times.get("first_seen"), times.get("last_seen")
    carried = slots.get(SlotType.VALUE, head)
    kind, tlp, pap = facts.pop("type"), facts.pop("tlp", None), facts.pop("pap")
    return Indicator(
        uuid=str(head["uuid"]),
        type=str(kind),
        value=str(carried["value"]),
        tlp=None if tlp is None else read_tlp(str(tlp)),
        pap=read_pap(str(pap)) or Pap.RED,
        timestamp=int(str(head["timestamp"])),
        first_seen=None if first_seen is None else str(first_seen),
        last_seen=None if last_seen is None else str(last_seen),
        facts=facts,
    )

"""A report as records: whole for its own log, and as little as may leave for the event's.

The report log holds everything under the submitter's colour, or a stricter label (`lane.py`). The
event is cut by `fields.csv` and the enrolment rule alone: an allow-list, so what nobody thought of
stays at home. What is not cut leaves no trace in the event's log, neither its number nor its edits.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from policies.label import Label
from policies.tlp import Tlp
from sharing.event import Attribute, Audience, Event, Json, Mark
from sharing.incidents.derive import bare_url, exact_of, hour, twin_of
from sharing.incidents.enrolment import INDICATORS as ALL_INDICATORS
from sharing.incidents.enrolment import Enrolment
from sharing.incidents.fields import FIELDS, INDICATORS, Field, Reach
from sharing.incidents.indicator import TRAVELS, Indicator
from sharing.incidents.lane import field_label, indicator_label
from sharing.incidents.report import Report
from sharing.seal.records import Kind, Record, SlotType
from sharing.slots_event import record_of
from sharing.slots_names import PSEUDONYM, LabelBook, field_key, pseudonym_key

_THREAT_LEVELS = {"red": 1, "yellow": 2, "green": 3}
_UNDEFINED = 4
_UNTITLED = "Incident"


def report_event(report: Report, uuid: str) -> Event:
    """The report as an event, for its own log: every indicator with all it holds."""
    return Event(
        uuid=uuid,
        info=str(report.values.get("title", _UNTITLED)),
        date=_date(report),
        threat_level_id=_UNDEFINED,
        analysis=0,
        timestamp=report.timestamp,
        attributes=tuple(_whole(report.colour, each) for each in report.indicators),
    )


def report_fields(report: Report, book: LabelBook) -> Iterator[Record]:
    """One record a field of the report: the value as it was sent, and a stricter colour chosen."""
    for name, value in report.values.items():
        label = field_label(name, report.colour, report.choices.get(name))
        byte = book.byte(book.resolve(Mark(label, None), book.whole))
        head: dict[str, Json] = {"uuid": book.names.uuid(field_key(name)), "field": name}
        if name in report.choices:
            head["choice"] = report.choices[name].word
        yield record_of(
            Kind.FIELD, [(SlotType.HEAD, 0, head), (SlotType.VALUE, byte, {"value": value})]
        )


def incident_event(report: Report, enrolment: Enrolment, uuid: str) -> Event:
    """The event that may leave, but for its fields: core and attackers' indicators."""
    title, severity = _shareable(report, "title"), _shareable(report, "impact_severity")
    ended = report.values.get("status") == "closed" and _colour(report, "status") <= Tlp.GREEN
    return Event(
        uuid=uuid,
        info=str(title or _UNTITLED),
        date=_date(report),
        threat_level_id=_THREAT_LEVELS.get(str(severity), _UNDEFINED),
        analysis=2 if ended else 1,
        timestamp=report.timestamp,
        attributes=tuple(_cut_indicators(report, enrolment)),
    )


@dataclass(frozen=True, slots=True)
class FieldSlot:
    """A value slot of a field that may leave: exact value or coarse twin, under its label."""

    type: SlotType
    value: Json
    mark: Mark


def incident_fields(report: Report, enrolment: Enrolment, book: LabelBook) -> Iterator[Record]:
    """One record a field that may leave, with the slots that may."""
    for name, value in report.values.items():
        slots = tuple(cut_field(FIELDS[name], value, _colour(report, name), enrolment))
        if not slots:
            continue
        marks = [book.resolve(slot.mark, book.whole) for slot in slots]
        head = min(marks, key=_looseness)
        uuid = book.names.uuid(field_key(name))
        yield record_of(
            Kind.FIELD,
            [
                (SlotType.HEAD, book.byte(head), {"uuid": uuid, "field": name}),
                *(
                    (slot.type, book.byte(mark), {"value": slot.value})
                    for slot, mark in zip(slots, marks, strict=True)
                ),
            ],
        )


def pseudonym_fields(
    report: Report, enrolment: Enrolment, book: LabelBook, name_before: Callable[[str], str]
) -> Iterator[Record]:
    """One record a class of recipients, addressed to it alone; `name_before` gives its value."""
    row = FIELDS[PSEUDONYM]
    tlp = _colour(report, PSEUDONYM)
    named = enrolment.addressees(PSEUDONYM, row.exact_to, tlp) if row.exact_to else frozenset()
    for recipients, orgs in enrolment.classes(named).items():
        value = name_before(recipients)
        label = Label(tlp, categories=row.categories, only=True)
        byte = book.byte(book.resolve(Mark(label, Audience(orgs)), book.whole))
        uuid = book.names.uuid(pseudonym_key(value))
        yield record_of(
            Kind.FIELD,
            [
                (SlotType.HEAD, byte, {"uuid": uuid, "field": PSEUDONYM}),
                (SlotType.VALUE, byte, {"value": value}),
            ],
        )


def cut_field(row: Field, value: Json, tlp: Tlp, enrolment: Enrolment) -> Iterator[FieldSlot]:
    """The slots of one field that may leave; `tlp` is the field's, or the stricter one chosen.

    A twin has the colour the table gives it, or the stricter one that was chosen for the field.
    """
    if row.exact_to is not None:
        exact = exact_of(row.derivation, value)
        mark = _mark(row, row.exact_to, tlp, enrolment)
        if exact is not None and mark is not None:
            yield FieldSlot(SlotType.VALUE, exact, mark)
    if row.twin_to is not None and row.twin_tlp is not None:
        chosen = tlp if row.tlp is not None and tlp > row.tlp else Tlp.CLEAR
        twin = twin_of(row.derivation, value)
        mark = _mark(row, row.twin_to, max(row.twin_tlp, chosen), enrolment)
        if twin is not None and mark is not None:
            yield FieldSlot(SlotType.TWIN, twin, mark)


def _mark(row: Field, reach: Reach, tlp: Tlp, enrolment: Enrolment) -> Mark | None:
    """Label and audience of one slot; None where nobody beyond its owners could read it."""
    named = enrolment.addressees(row.name, reach, tlp)
    open_to_community = tlp <= Tlp.GREEN and not reach.only
    open_to_clients = tlp <= Tlp.AMBER and reach in {
        Reach.HUB_AND_CLIENTS,
        Reach.ADDRESSED_AND_CLIENTS,
    }
    if not named and not open_to_community and not open_to_clients:
        return None
    label = Label(tlp, categories=row.categories, only=reach.only)
    return Mark(label, Audience(named))


def _looseness(mark: Mark) -> tuple[bool, int, int]:
    return (mark.label.only, int(mark.label.tlp), len(mark.label.categories))


def _colour(report: Report, name: str) -> Tlp:
    """The colour of a field: the table's, a stricter choice, or RED if the whole report is RED."""
    row = FIELDS[name].tlp or Tlp.RED
    whole = Tlp.RED if report.colour == Tlp.RED else Tlp.CLEAR
    return max(row, report.choices.get(name, Tlp.CLEAR), whole)


def _shareable(report: Report, name: str) -> Json:
    return report.values.get(name) if _colour(report, name) <= Tlp.GREEN else None


def _date(report: Report) -> str:
    """The day it began if that may be told, else the day of submission."""
    began = _shareable(report, "occurred_from") or report.values.get("submitted_at")
    return str(began)[:10]


def _whole(colour: Tlp, indicator: Indicator) -> Attribute:
    own: dict[str, Json] = {"type": indicator.type, "pap": indicator.pap.word}
    if indicator.tlp is not None:
        own["tlp"] = indicator.tlp.word
    label = indicator_label(colour, indicator.tlp, indicator.facts.get("role"))
    return replace(
        _attribute(indicator, indicator.value),
        context={**own, **indicator.facts},
        mark=None if label == Label(colour) else Mark(label, None),
    )


def _attribute(indicator: Indicator, value: str) -> Attribute:
    kind = INDICATORS[indicator.type]
    return Attribute(
        uuid=indicator.uuid,
        type=kind.misp,
        category=kind.category,
        value=value,
        to_ids=indicator.to_ids,
        timestamp=indicator.timestamp,
        first_seen=indicator.first_seen,
        last_seen=indicator.last_seen,
    )


def _cut_indicators(report: Report, enrolment: Enrolment) -> Iterator[Attribute]:
    """The attackers' indicators that may leave, with their structured facts and no free text."""
    for indicator in report.indicators:
        tlp = max(indicator.tlp or report.colour, Tlp.RED if report.colour == Tlp.RED else 1)
        if indicator.is_victims or tlp == Tlp.RED:
            continue
        cut = _cut_value(indicator, Tlp(tlp))
        if cut is None:
            continue
        value, colour = cut
        named = enrolment.named.get(ALL_INDICATORS, frozenset()) if colour > Tlp.GREEN else None
        if colour == Tlp.AMBER_STRICT and not named:
            continue
        facts = {name: _told(name, v) for name, v in indicator.facts.items() if name in TRAVELS}
        whole = _attribute(indicator, value)
        yield replace(
            whole,
            first_seen=whole.first_seen and str(hour(whole.first_seen)),
            last_seen=whole.last_seen and str(hour(whole.last_seen)),
            deleted=indicator.is_revoked,
            context={**facts, "twin": True} if value != indicator.value else facts,
            mark=Mark(Label(colour, indicator.pap), Audience(named) if named else None),
        )


def _told(name: str, fact: Json) -> Json:
    """A fact of an indicator as it leaves: times by the hour."""
    return hour(fact) if name == "valid_until" else fact


def _cut_value(indicator: Indicator, tlp: Tlp) -> tuple[str, Tlp] | None:
    """The value that may leave and its colour: of an AMBER URL that tells of a person, the twin."""
    if indicator.type != "url" or tlp < Tlp.AMBER:
        return indicator.value, tlp
    bare = bare_url(indicator.value)
    if bare is None:
        return None
    return bare, tlp if bare == indicator.value or tlp > Tlp.AMBER else Tlp.GREEN

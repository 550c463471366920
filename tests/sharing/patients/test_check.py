"""Events and reports as the doors hand them over: every text is read, releases die on edit."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from sharing.event import Attribute, Event, Json, Object, Relation, ReportText, Tag
from sharing.incidents.fields import FIELDS
from sharing.incidents.report import read_report
from sharing.patients.check import MOST, Checked, check_event, check_report, check_values
from sharing.patients.finding import Kind, Where
from sharing.patients.places import where_of
from tests.sharing.incidents.cassiopee import CANARIES, DETAILS, WARNED_AT, WARNING
from tests.sharing.making import counting

KEY = bytes(range(32))
OTHER_KEY = bytes(32)
SECRET = "patient Maria Rossi, born 03.04.1961"


def attribute(kind: str = "domain", value: str = "evil.example", **more: Any) -> Attribute:
    plain = Attribute("aa", kind, "Network activity", value, to_ids=True, timestamp=1)
    return replace(plain, **more)


def event(**more: Any) -> Event:
    return replace(Event("ee", "info", "2026-01-27", 1, 1, 1), **more)


def thing(*attributes: Attribute, **more: Any) -> Object:
    return replace(Object("oo", "file", 1, attributes=attributes), **more)


def kinds(checked: Checked) -> set[Kind]:
    return {each.finding.kind for each in checked.found}


HELD = {
    "info": event(info=SECRET),
    "tag": event(tags=(Tag(SECRET),)),
    "orgc": event(orgc={"name": SECRET}),
    "unknown member": event(extra={"x": [{"y": SECRET}]}),
    "unknown member's name": event(extra={SECRET: 1}),
    "galaxy": event(galaxies=({"meta": {"note": [SECRET]}},)),
    "value": event(attributes=(attribute("comment", SECRET),)),
    "unknown type": event(attributes=(attribute("some-new-type", SECRET),)),
    "comment": event(attributes=(attribute(comment=SECRET),)),
    "context": event(attributes=(attribute(context={"text": SECRET}),)),
    "attribute's tag": event(attributes=(attribute(tags=(Tag("x", {"note": SECRET}),)),)),
    "attribute's galaxy": event(attributes=(attribute(galaxies=({"a": SECRET},)),)),
    "attribute's unknown member": event(attributes=(attribute(extra={"note": SECRET}),)),
    "object": event(objects=(thing(comment=SECRET),)),
    "object's name": event(objects=(thing(name=SECRET),)),
    "object's unknown member": event(objects=(thing(extra={"description": SECRET}),)),
    "object's attribute": event(objects=(thing(attribute("text", SECRET)),)),
    "relation": event(relations=(Relation("rr", "oo", "aa", "uses", 1, comment=SECRET),)),
    "report": event(reports=(ReportText("tt", "note", SECRET, 1),)),
    "report's name": event(reports=(ReportText("tt", SECRET, "x", 1),)),
}


@pytest.mark.parametrize("where", HELD)
def test_a_patient_is_found_in_every_text_of_an_event(where: str) -> None:
    checked = check_event(HELD[where], key=KEY)
    assert {Kind.NAME, Kind.BIRTH} <= kinds(checked)
    for each in checked.found:
        assert "Rossi" not in each.sentence + each.path + each.place + repr(each)


PERSONS = (
    ("first-name", None, Kind.NAME),
    ("date-of-birth", None, Kind.BIRTH),
    ("passport-number", None, Kind.NATIONAL_ID),
    ("primary-residence", None, Kind.RECORD),
    ("target-email", None, Kind.EMAIL),
    ("text", "full-name", Kind.NAME),
    ("text", "social-security-number", Kind.NATIONAL_ID),
)


@pytest.mark.parametrize(("kind", "relation", "found"), PERSONS)
def test_an_attribute_about_a_person_is_refused(kind: str, relation: str, found: Kind) -> None:
    value = attribute(kind, "Rossi 4711", object_relation=relation, to_ids=False)
    assert kinds(check_event(event(objects=(thing(value),)), key=KEY)) == {found}


def test_a_structured_name_in_unknown_json_is_refused() -> None:
    held = event(extra={"Person": {"lastName": "rossi", "date_of_birth": "3.4.61", "uuid": "x"}})
    assert kinds(check_event(held, key=KEY)) == {Kind.NAME, Kind.BIRTH}


def test_indicators_are_not_patients() -> None:
    values = (
        ("ip-dst|port", "203.0.113.45|44351"),
        ("email-src", "maria.rossi@imago.example"),
        ("email-dst", "drop.box@imago.example"),
        ("phone-number", "+39 333 1234567"),
        ("whois-registrant-name", "Maria Rossi"),
        ("iban", "BE68539007547034"),
        ("sha256", "1" * 64),
        ("url", "https://x.example/?id=44051401359"),
        ("filename", "patient-monitor.exe"),
    )
    given = tuple(attribute(kind, value, uuid=str(n)) for n, (kind, value) in enumerate(values))
    assert check_event(event(attributes=given), key=KEY) == Checked()


def test_the_recipient_of_a_mail_is_a_victim_but_not_where_an_attacker_collects() -> None:
    assert where_of("email-dst", "Payload delivery", None, to_ids=False) is Where.VICTIM_EMAIL
    assert where_of("email-dst", "Payload delivery", None, to_ids=True) is Where.INDICATOR
    assert where_of("email-dst", "Network activity", None, to_ids=False) is Where.INDICATOR


def test_a_released_finding_passes_until_its_text_is_edited() -> None:
    held = HELD["comment"]
    found = check_event(held, key=KEY).found
    released = frozenset(each.id for each in found)
    passed = check_event(held, key=KEY, released=released)
    assert (passed.found, passed.released) == ((), found)
    one_less = check_event(held, key=KEY, released=released - {found[0].id})
    assert one_less.found == found[:1]
    edited = event(attributes=(attribute(comment=SECRET + "."),))
    assert check_event(edited, key=KEY, released=released).found != ()


def test_a_release_holds_for_the_same_text_in_the_same_kind_of_place_only() -> None:
    ids = {each.id for each in check_event(HELD["comment"], key=KEY).found}
    again = event(attributes=(attribute(comment=SECRET, uuid="bb", type="md5", value="x"),))
    assert {each.id for each in check_event(again, key=KEY).found} == ids
    assert not ids & {each.id for each in check_event(HELD["info"], key=KEY).found}


def test_an_id_tells_nothing_without_the_key() -> None:
    ids = {each.id for each in check_event(HELD["comment"], key=KEY).found}
    assert not ids & {each.id for each in check_event(HELD["comment"], key=OTHER_KEY).found}
    with pytest.raises(ValueError, match="0 bytes"):
        check_event(HELD["comment"], key=b"")


def test_more_than_a_bound_is_said_not_listed() -> None:
    many = tuple(attribute(uuid=str(n), comment=f"patient Maria Rossi {n}") for n in range(MOST))
    assert check_event(event(attributes=many), key=KEY).whole
    more = (*many, attribute(uuid="last", comment=SECRET))
    checked = check_event(event(attributes=more), key=KEY)
    assert len(checked.found) == MOST
    assert not checked.whole


def test_a_report_is_refused_for_the_patient_in_its_free_text() -> None:
    body = {**WARNING, "indicators": []}
    report = read_report(body, at=WARNED_AT, fresh=counting(), details=DETAILS)
    checked = check_report(report, key=KEY)
    assert {each.place for each in checked.found} == {"field/summary_internal"}
    assert kinds(checked) == {Kind.NAME, Kind.NATIONAL_ID, Kind.RECORD}
    told = " ".join(each.sentence for each in checked.found)
    assert not [canary for canary in CANARIES[:2] if canary in told]


def test_a_report_without_patients_passes_with_its_contacts_and_victims() -> None:
    body: dict[str, Json] = {
        **WARNING,
        "summary_internal": "PACS chiffré, 1 200 patients réorientés, ticket 482137123.",
        "affected_services": [{"service": "imaging_pacs_ris", "workaround": "plaques portées"}],
        "indicators": [
            {"type": "email_address", "value": "j.testpatient@ch-val.example", "role": "recipient"},
            {"type": "ipv4", "value": "10.20.30.40", "role": "victim_side", "context": "PACS"},
        ],
    }
    at = datetime(2026, 1, 27, 8, tzinfo=UTC)
    report = read_report(body, at=at, fresh=counting(), details=DETAILS)
    assert check_report(report, key=KEY) == Checked()


@pytest.mark.parametrize("name", [n for n, f in FIELDS.items() if f.type.startswith("text")])
def test_every_free_text_of_a_report_is_read(name: str) -> None:
    checked = check_values({name: "NIR 295109912611193"}, key=KEY)
    assert [each.path for each in checked.found] == [f"fields/{name}"]


def test_texts_inside_lists_and_objects_of_a_report_are_read() -> None:
    values: dict[str, Json] = {
        "affected_services": [{"service": "imaging_pacs_ris", "workaround": SECRET}],
        "actor_claim": {"name": "x", "author": SECRET},
        "a field of a later version": {"deep": [SECRET]},
    }
    paths = {each.path for each in check_values(values, key=KEY).found}
    assert paths == {
        "fields/affected_services/0/workaround",
        "fields/actor_claim/author",
        "fields/#0/deep/0",
    }


def test_the_context_of_an_indicator_is_read_and_a_sure_number_in_its_value() -> None:
    body: dict[str, Json] = {
        **WARNING,
        "summary_internal": "x",
        "affected_services": [],
        "indicators": [
            {"type": "url", "value": "https://x.example/?nir=295109912611193", "role": "c2"},
            {"type": "ipv4", "value": "203.0.113.45", "role": "c2", "context": SECRET},
        ],
    }
    report = read_report(body, at=WARNED_AT, fresh=counting(), details=DETAILS)
    places = {each.place for each in check_report(report, key=KEY).found}
    assert places == {"indicator/value/url", "indicator/context/text"}

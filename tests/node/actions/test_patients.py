"""Patient data at the doors: refused with place and reason, kept nowhere, released by a person."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any
from uuid import uuid4

import orjson
import pytest
import structlog
from sqlalchemy import select

from node.actions.caller import Caller
from node.actions.errors import BadInputError, NotAllowedError
from node.actions.holds import Slot, release
from node.actions.imports import import_misp
from node.actions.patients import (
    PatientDataError,
    Released,
    list_releases,
    release_findings,
)
from node.actions.submit import add_attributes, submit_event, submit_report
from node.storage import audit
from node.storage.columns import metadata
from policies.tlp import Tlp
from sharing.patients.release import verify_patient_release
from tests.node.actions.house import BE, EARLY_WARNING, ESSAIS, EVENT, FR, NOTIFICATION, VAL, House

TEXT = "Screen of the patient Jeanne Sorensen, born 3 April 1961, was left open."
SECRETS = ("Sorensen", "April 1961")
TAG = "the DICOM tag (0010,0010) was shown"
TAG_SPAN = "characters 15 to 35"
WHY = "the number of a DICOM tag names nobody"


def report(**more: object) -> dict[str, Any]:
    return {**EARLY_WARNING, "summary_internal": "PACS encrypted.", **more}


def event(**attribute: object) -> dict[str, Any]:
    first, *_ = EVENT["Attribute"]
    return {**EVENT, "Attribute": [{**first, **attribute}]}


def misp(text: str) -> bytes:
    return orjson.dumps({"response": [{"Event": EVENT}, {"Event": _second(text)}]})


def _second(text: str) -> dict[str, Any]:
    return {**event(comment=text), "uuid": "5e1f8a30-7d1c-4b5e-9a2f-6d5c4b3a2f20"}


def _add(house: House, caller: Caller, text: str) -> object:
    done = submit_event(house.node, caller, {"Event": EVENT, "tlp": "green"})
    added = [{"type": "domain", "category": "Network activity", "value": "b.example"}]
    added += [{**added[0], "value": "c.example", "comment": text}]
    return add_attributes(house.node, caller, FR, done.event, added)


Send = Callable[[House, Caller, str], object]
DOORS: Mapping[str, Send] = {
    "report": lambda house, by, text: submit_report(house.node, by, report(summary_internal=text)),
    "service": lambda house, by, text: submit_report(
        house.node,
        by,
        report(affected_services=[{"service": "website", "workaround": text}]),
    ),
    "indicator": lambda house, by, text: submit_report(
        house.node,
        by,
        report(
            indicators=[
                {"type": "ipv4", "value": "198.51.100.7", "role": "c2"},
                {"type": "ipv4", "value": "198.51.100.8", "role": "c2", "context": text},
            ]
        ),
    ),
    "event": lambda house, by, text: submit_event(
        house.node, by, {"Event": event(comment=text), "tlp": "green"}
    ),
    "attributes": _add,
    "import": lambda house, by, text: import_misp(
        house.node, by, "two.json", misp(text), tlp=Tlp.GREEN, publish=False
    ),
}
PATHS = {
    "report": "summary_internal",
    "service": "affected_services[0].workaround",
    "indicator": "indicators[1].context.text",
    "event": f"attributes/{EVENT['Attribute'][0]['uuid']}/comment",
    "attributes": "attributes/2/comment",
    "import": f"two.json: {_second('')['uuid']}/attributes/{EVENT['Attribute'][0]['uuid']}/comment",
}


def refused(house: House, door: str, text: str, by: Caller | None = None) -> PatientDataError:
    with pytest.raises(PatientDataError) as caught:
        DOORS[door](house, by or house.claire, text)
    return caught.value


def ids(error: PatientDataError) -> list[str]:
    return [each.id for each in error.findings]


def kept(house: House) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table."""
    with house.node.store.read() as unit:
        return {
            table.name: [tuple(row) for row in unit.connection.execute(select(table))]
            for table in metadata.sorted_tables
        }


def lines(house: House, action: str) -> Iterator[audit.AuditLine]:
    with house.node.store.read() as unit:
        found = audit.latest(unit.connection, 100)
    return (line for line in found if line.action == action)


# ── Refused ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("door", DOORS)
def test_each_door_names_the_place_the_characters_and_the_reason(house: House, door: str) -> None:
    error = refused(house, door, TEXT)
    name, birth = error.findings
    assert (name.path, birth.path) == (PATHS[door], PATHS[door])
    assert TEXT[name.finding.start : name.finding.end] == "Jeanne Sorensen"
    assert TEXT[birth.finding.start : birth.finding.end] == "3 April 1961"
    assert "characters 23 to 37: a name follows a word for patient" in str(error)
    assert all(one in str(error) for one in ids(error))


ODD_PLACES: tuple[dict[str, Any], ...] = (
    {"Attribute": [{"type": "vulnerability", "value": TEXT}]},
    {"Attribute": [{"type": "domain", "value": "44051401359"}]},
    {"Attribute": [{"type": "domain", "value": "x.example", "category": TEXT}]},
    {"Attribute": [{"type": TEXT, "value": "x.example"}]},
    {"Attribute": [{"type": "attachment", "value": "a.txt", "data": TEXT}]},
    {"Object": [{"name": "o", "first_seen": TEXT, "Attribute": []}]},
    {"Object": [{"name": "o", "meta-category": TEXT, "Attribute": []}]},
    {"date": TEXT},
    {"Tag": [{"name": "x", "colour": TEXT}]},
    {"Galaxy": [{"uuid": TEXT}]},
    {"nhs_number": 9434765919},
    {"data": TEXT},
)


BRING: Mapping[str, Callable[[House, dict[str, Any]], object]] = {
    "event": lambda house, given: submit_event(
        house.node, house.claire, {"Event": given, "tlp": "green"}
    ),
    "import": lambda house, given: import_misp(
        house.node, house.claire, "a.json", orjson.dumps(given), tlp=Tlp.GREEN, publish=False
    ),
}


@pytest.mark.parametrize("place", ODD_PLACES)
@pytest.mark.parametrize("door", BRING)
def test_no_place_in_an_event_hides_a_patient(
    house: House, door: str, place: dict[str, Any]
) -> None:
    given = {"info": "Phishing", "date": "2026-01-27", "timestamp": "1769500000", **place}
    for each in (given, *given.get("Attribute", ()), *given.get("Object", ())):
        each["uuid"] = str(uuid4())
    before = kept(house)
    with pytest.raises(PatientDataError) as caught:
        BRING[door](house, given)
    assert not [secret for secret in (*SECRETS, "44051401359") if secret in str(caught.value)]
    assert kept(house) == before


@pytest.mark.parametrize("door", sorted(set(DOORS) - {"attributes"}))
def test_nothing_of_what_was_refused_is_kept_told_or_logged(house: House, door: str) -> None:
    before = kept(house)
    with structlog.testing.capture_logs() as logged:
        error = refused(house, door, TEXT)
    assert kept(house) == before
    told = f"{error} {error!r} {vars(error)} {logged}"
    assert not [secret for secret in SECRETS if secret in told]


def test_attributes_that_are_refused_leave_their_event_as_it_was(house: House) -> None:
    submit_event(house.node, house.claire, {"Event": EVENT, "tlp": "green"})
    before = kept(house)
    refused(house, "attributes", TEXT)
    assert kept(house) == before


def test_every_later_stage_is_looked_through_as_well(house: House) -> None:
    submit_report(house.node, house.claire, report())
    before = kept(house)
    with pytest.raises(PatientDataError, match="measures_taken"):
        submit_report(house.node, house.claire, {**NOTIFICATION, "measures_taken": TEXT})
    assert kept(house) == before


def test_two_hundred_findings_are_told_and_that_there_are_more(house: House) -> None:
    first, *_ = EVENT["Attribute"]
    many = [{**first, "uuid": None, "value": f"h{n}.example", "comment": TEXT} for n in range(101)]
    for one in many:
        del one["uuid"]
    body = {"Event": {**EVENT, "Attribute": many}, "tlp": "green"}
    with pytest.raises(PatientDataError) as caught:
        submit_event(house.node, house.amelie, body)
    assert len(caught.value.findings) == 200
    assert not caught.value.whole
    assert "there is more" in str(caught.value)
    release_findings(house.node, house.amelie, ids(caught.value), WHY)
    assert submit_event(house.node, house.amelie, body).is_new  # the same text, at every place


def test_the_reason_of_a_release_from_a_hold_is_looked_through(house: House) -> None:
    slot = Slot(EVENT["uuid"], 10)
    for words in ({"reason": TEXT}, {"reason": "case 7", "ground": "order", "reference": TEXT}):
        before = kept(house)
        with pytest.raises(PatientDataError, match="characters 23 to 37"):
            release(house.node, house.amelie, FR, EVENT["uuid"], BE, [slot], **words)
        assert kept(house) == before


# ── Released ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("door", DOORS)
def test_a_release_lets_exactly_that_text_pass_and_dies_with_an_edit(
    house: House, door: str
) -> None:
    error = refused(house, door, TAG)
    assert TAG_SPAN in str(error)
    done = release_findings(house.node, house.claire, ids(error), WHY)
    assert done == Released(tuple(ids(error)), new=1)
    refused(house, door, f"{TAG}!")
    DOORS[door](house, house.claire, TAG)


def test_a_release_holds_for_its_own_kind_of_place_only(house: House) -> None:
    release_findings(house.node, house.claire, ids(refused(house, "report", TAG)), WHY)
    refused(house, "event", TAG)


def test_one_finding_released_leaves_the_others(house: House) -> None:
    name, birth = ids(refused(house, "report", TEXT))
    release_findings(house.node, house.claire, [birth], WHY)
    assert ids(refused(house, "report", TEXT)) == [name]


def test_an_operators_release_counts_for_all_and_a_hospitals_for_itself(house: House) -> None:
    found = ids(refused(house, "event", TAG, house.other))
    assert ids(refused(house, "event", TAG, house.claire)) == found
    release_findings(house.node, house.claire, found, WHY)
    refused(house, "event", TAG, house.other)
    refused(house, "event", TAG, house.amelie)
    release_findings(house.node, house.amelie, found, WHY)
    DOORS["event"](house, house.other, TAG)


def test_what_a_release_says_is_signed_and_told_in_the_audit_without_the_text(
    house: House,
) -> None:
    (found,) = ids(refused(house, "report", TAG))
    release_findings(house.node, house.claire, [found], f"  {WHY} ")
    (row,) = list_releases(house.node, house.claire)
    said = verify_patient_release(row.envelope, house.node.registry)
    assert (said.iss, said.org, said.finding) == (FR, VAL.org, found)
    assert (said.person, said.role, said.reason) == ("claire", "hospital", WHY)
    assert said.iat == house.node.clock()
    DOORS["report"](house, house.claire, TAG)
    (line,) = lines(house, "patients.release")
    assert (line.actor, list(line.detail["findings"])) == ("claire", [found])  # type: ignore[call-overload]  # JSON
    (taken,) = lines(house, "report.submit")
    place = {"finding": found, "kind": "record", "place": "field/summary_internal"}
    assert taken.detail["released"] == [place]
    assert "(0010,0010)" not in f"{line.detail}{taken.detail}"


@pytest.mark.parametrize("door", ["event", "attributes", "import"])
def test_what_was_taken_by_a_release_says_so_in_the_audit(house: House, door: str) -> None:
    (found,) = ids(refused(house, door, TAG))
    release_findings(house.node, house.claire, [found], WHY)
    DOORS[door](house, house.claire, TAG)
    action = {"event": "event.submit", "attributes": "event.add", "import": "event.import"}[door]
    told = [line.detail["released"] for line in lines(house, action) if "released" in line.detail]
    place = {"finding": found, "kind": "record", "place": "attribute/comment"}
    assert told == [[place]]


def test_the_same_word_again_changes_nothing(house: House) -> None:
    found = ids(refused(house, "report", TAG))
    release_findings(house.node, house.claire, found, WHY)
    before = kept(house)
    assert release_findings(house.node, house.claire, found, "other words").new == 0
    assert kept(house) == before


def test_who_may_see_which_releases(house: House) -> None:
    for caller in (house.claire, house.other, house.amelie):
        release_findings(house.node, caller, ["ab" * 16], WHY)
    assert [row.org for row in list_releases(house.node, house.other)] == [ESSAIS.org]
    assert [row.org for row in list_releases(house.node, house.reader)] == [FR, ESSAIS.org, VAL.org]


@pytest.mark.parametrize("who", ["claire", "amelie"])
def test_a_token_is_nobody_who_could_release(house: House, who: str) -> None:
    person: Caller = getattr(house, who)
    machine = replace(person, party=replace(person.party, kind="machine"))
    with pytest.raises(NotAllowedError, match="a token is nobody"):
        release_findings(house.node, machine, ["ab" * 16], WHY)
    assert list_releases(house.node, house.amelie) == ()


def test_who_only_reads_releases_nothing(house: House) -> None:
    with pytest.raises(NotAllowedError):
        release_findings(house.node, house.reader, ["ab" * 16], WHY)


@pytest.mark.parametrize(
    ("found", "why", "field"),
    [
        ([], WHY, "findings"),
        (["ab" * 16, "AB" * 16], WHY, "findings[1]"),
        (["ab" * 16], "  ", "reason"),
        (["ab" * 16], "x" * 1001, "reason"),
        (["ab" * 16], "a\0b", "reason"),
        (["ab" * 16], TEXT, "reason"),
    ],
)
def test_a_release_that_says_too_little_or_too_much_is_none(
    house: House, found: list[str], why: str, field: str
) -> None:
    with pytest.raises(BadInputError) as caught:
        release_findings(house.node, house.claire, found, why)
    assert caught.value.field == field
    assert "Sorensen" not in str(caught.value)
    assert list_releases(house.node, house.amelie) == ()

"""All 127 fields, one by one: what of each is cut, under which label, for whom.

`CUT` is written by hand from the schema, apart from `fields.csv`; a field it does not name leaves
nothing in an event.
"""

import csv
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.tlp import Tlp
from sharing.event import Json
from sharing.incidents.derive import bare_url, twin_of
from sharing.incidents.enrolment import Enrolment
from sharing.incidents.fields import FACILITIES, FIELDS, INDICATORS, LISTS, SHAPES, Field
from sharing.incidents.values import read_value
from sharing.seal.records import SlotType
from sharing.slots_incident import cut_field
from tests.sharing.incidents.cassiopee import FR_HEALTH
from tests.sharing.making import BE, DE, HUB

EXACT, TWIN = SlotType.VALUE, SlotType.TWIN


@dataclass(frozen=True)
class Cut:
    """One slot that leaves: its type, colour, whether `only`, for whom, and under which category."""

    slot: SlotType
    tlp: Tlp
    only: bool = False
    to: frozenset[str] = frozenset()
    category: str = ""


TO_HUB = frozenset({HUB})
OPEN = (Cut(EXACT, Tlp.GREEN),)
HOUR_OPEN = (Cut(TWIN, Tlp.GREEN),)
HUB_GREEN = (Cut(EXACT, Tlp.GREEN, only=True, to=TO_HUB),)
HUB_GREEN_TWIN = (Cut(TWIN, Tlp.GREEN, only=True, to=TO_HUB),)
HUB_AMBER = (Cut(EXACT, Tlp.AMBER, only=True, to=TO_HUB),)


def each(names: str, cut: tuple[Cut, ...]) -> dict[str, tuple[Cut, ...]]:
    return dict.fromkeys(names.split(), cut)


CUT: dict[str, tuple[Cut, ...]] = {
    **each(
        """report_id event_id stage stage_version legal_basis is_exercise exercise_id language tlp
        pap entity_country entity_type title summary_shareable status suspected_malicious
        cross_border affected_member_states cross_border_mechanism rsit root_cause
        root_cause_detail initial_access attack_techniques malware_family vulnerabilities
        supplier_involved supplier_role nature_severity impact_severity impact_outlook ransomware
        lessons iocs_available""",
        OPEN,
    ),
    **dict.fromkeys(["occurred_from", "occurred_to"], HOUR_OPEN),
    **dict.fromkeys(["detected_at", "aware_at", "submitted_at"], HUB_GREEN_TWIN),
    **each(
        """ruleset_id entity_class other_sectors detection_method significant significance_criteria
        public_statement""",
        HUB_GREEN,
    ),
    **each(
        """entity_pseudonym downtime_procedures crisis_plan_activated ed_status data_breach
        data_categories exfiltration foreign_subjects assistance_requested""",
        HUB_AMBER,
    ),
    "affected_services": (*HUB_AMBER, Cut(TWIN, Tlp.GREEN)),
    "devices": (Cut(EXACT, Tlp.AMBER, to=TO_HUB),),
    "ambulance_diversion": (Cut(EXACT, Tlp.AMBER, to=TO_HUB),),
    "supplier_name": (Cut(EXACT, Tlp.AMBER, to=frozenset({BE, DE, HUB})),),
    "appointments_postponed": (
        Cut(TWIN, Tlp.AMBER, only=True, to=frozenset({BE, DE}), category="clinical"),
    ),
}
SAMPLES: dict[str, Json] = {
    "text": "words",
    "forbidden": "words",
    "string": "words",
    "int": 212,
    "band": 212,
    "decimal": 1.5,
    "percent": 7,
    "bool": True,
    "datetime": "2026-01-27T04:52:31Z",
    "country": "FR",
    "nuts2": "FRK2",
    "email": "a@b.example",
    "e164": "+33199001234",
    "uri": "urn:fisac:fr:2026:x",
    "uuid": "aaaaaaaa-0000-4000-8000-00000000000d",
    "uuid4": "aaaaaaaa-0000-4000-8000-00000000000d",
}
IDS = {
    "attack_techniques": "T1078.001",
    "vulnerabilities": "CVE-2099-99999",
    "significance_criteria": "health/ed-closed",
}
OBJECTS: dict[str, dict[str, Json]] = {
    "affected_service": {"service": "backup", "degradation": "severe", "workaround": "paper"},
    "device": {"model": "Gateway", "exploited": True},
    "asset": {"kind": "server", "count": 3},
    "reported_by_third_party": {"reported": True, "org": "ACME"},
    "actor_claim": {"name": "Crew", "confidence": 40},
    "payment": {"amount": 5, "currency": "BTC"},
    "le_hold": {"field": "wallet_addresses", "until": "2026-03-01"},
    "external_ref": {"regime": "gdpr", "date": "2026-01-28"},
}


def sample(row: Field) -> Json:
    """A value that fits."""
    kind = row.type.split(" ")[0]
    bare = kind.removesuffix("[]")
    if bare == "enum":
        one: Json = row.allowed[0]
    elif bare == "id":
        one = IDS[row.name]
    elif bare == "object":
        one = dict(OBJECTS[row.values.removeprefix("@")])
    else:
        one = SAMPLES[bare]
    return [one] if kind.endswith("[]") else one


def cut(row: Field, enrolment: Enrolment = FR_HEALTH, tlp: Tlp | None = None) -> tuple[Cut, ...]:
    slots = cut_field(row, sample(row), tlp or row.tlp or Tlp.RED, enrolment)
    return tuple(
        Cut(
            slot.type,
            slot.mark.label.tlp,
            slot.mark.label.only,
            slot.mark.audience.parties if slot.mark.audience else frozenset(),
            " ".join(slot.mark.label.categories),
        )
        for slot in slots
    )


def test_there_are_127_fields_and_the_expected_cuts_name_no_other() -> None:
    assert len(FIELDS) == 127
    assert set(CUT) <= set(FIELDS)


@pytest.mark.parametrize("name", FIELDS)
def test_of_each_field_leaves_what_the_schema_lets_leave(name: str) -> None:
    assert cut(FIELDS[name]) == CUT.get(name, ())


@pytest.mark.parametrize("name", [name for name in FIELDS if name != "patient_level_data"])
def test_each_field_reads_a_value_of_its_type_unchanged(name: str) -> None:
    row = FIELDS[name]
    assert read_value(row.type, row.values, sample(row)) == sample(row)


@pytest.mark.parametrize("name", FIELDS)
def test_nothing_red_is_ever_cut(name: str) -> None:
    assert cut(FIELDS[name], tlp=Tlp.RED) == ()


@pytest.mark.parametrize("name", FIELDS)
@pytest.mark.parametrize("tlp", [Tlp.AMBER, Tlp.AMBER_STRICT])
def test_a_stricter_choice_on_a_field_is_never_loosened_by_its_cut(name: str, tlp: Tlp) -> None:
    row = FIELDS[name]
    chosen = max(row.tlp or Tlp.RED, tlp)
    for slot in cut(row, tlp=chosen):
        is_choice = row.tlp is not None and chosen > row.tlp
        assert slot.tlp >= (chosen if is_choice or slot.slot == EXACT else Tlp.GREEN)


@pytest.mark.parametrize("name", FIELDS)
def test_a_rule_that_names_nobody_lets_only_the_open_fields_leave(name: str) -> None:
    to_clients = {"ambulance_diversion": EXACT, "supplier_name": EXACT}
    expected = [
        slot.slot
        for slot in CUT.get(name, ())
        if (slot.tlp == Tlp.GREEN and not slot.only) or to_clients.get(name) == slot.slot
    ]
    slots = cut(FIELDS[name], Enrolment("nobody", 1))
    assert [slot.slot for slot in slots] == expected
    assert all(not slot.to and not slot.only for slot in slots)


def test_the_table_says_what_the_schema_says(shared_data: Path) -> None:
    text = (shared_data / "fields.csv").read_text(encoding="utf-8")
    theirs = list(csv.DictReader(text.splitlines()))
    assert [row["field"] for row in theirs] == list(FIELDS)
    for row in theirs:
        ours = FIELDS[row["field"]]
        assert (ours.early_warning, ours.incident_notification, ours.final_report) == (
            row["early_warning"],
            row["incident_notification"],
            row["final_report"],
        )
        assert (ours.tlp.word.upper() if ours.tlp else "-") == row["default_tlp"]
        assert (ours.personal, ours.leaves) == (row["personal_data"], row["leaves_node"])
        assert ours.group == row["group"].removesuffix(" (separate object)")


def test_a_required_field_with_a_condition_says_which_and_no_other_does() -> None:
    for row in FIELDS.values():
        stages = (row.early_warning, row.incident_notification, row.final_report)
        assert bool(row.when) == ("C" in stages)


def test_every_name_in_the_table_leads_somewhere() -> None:
    assert set(FACILITIES) == set(LISTS["entity_type"])
    for row in FIELDS.values():
        for values in [
            row.values,
            *(spec[1] for shape in SHAPES.values() for spec in shape.values()),
        ]:
            if values.startswith("@"):
                assert values[1:] in LISTS or values[1:] in SHAPES
    assert set(LISTS["victim_role"]) <= set(LISTS["role"])
    assert INDICATORS["ipv4"].misp == "ip-dst"


@pytest.mark.parametrize(
    ("derivation", "value", "twin"),
    [
        ("hour", "2026-01-27T23:59:59Z", "2026-01-27T23:00:00Z"),
        ("hour", "2026-01-27", "2026-01-27"),
        ("day", "2026-01-27T23:59:59Z", "2026-01-27"),
        ("band", 0, "0"),
        ("band", 1, "1-9"),
        ("band", 9, "1-9"),
        ("band", 10, "10-99"),
        ("band", 99, "10-99"),
        ("band", 100, "100-499"),
        ("band", 499, "100-499"),
        ("band", 500, "500+"),
        (
            "service",
            [{"service": "website"}, {"service": "backup"}, {"service": "website"}],
            ["backup", "website"],
        ),
        ("service", [], None),
    ],
)
def test_a_twin_is_what_its_derivation_says(derivation: str, value: Json, twin: Json) -> None:
    assert twin_of(derivation, value) == twin


@given(st.integers(0, 10**6), st.integers(0, 10**6))
def test_two_counts_in_one_band_cannot_be_told_apart(one: int, other: int) -> None:
    bounds = (0, 9, 99, 499)
    places = [sum(n > bound for bound in bounds) for n in (one, other)]
    assert (twin_of("band", one) == twin_of("band", other)) == (places[0] == places[1])


@pytest.mark.parametrize(
    ("url", "bare"),
    [
        ("https://x.example/a?u=me", "https://x.example/a"),
        ("https://me:pw@x.example:8443/a#me", "https://x.example:8443/a"),
        ("https://[2001:db8::1]:80/a?b", "https://[2001:db8::1]:80/a"),
        ("https://x.example/a", "https://x.example/a"),
        ("https://X.example/a", "https://X.example/a"),
        ("https://x.example/a?", "https://x.example/a"),
        ("not a url?me", None),
        ("https://[broken?me", None),
    ],
)
def test_a_bare_url_has_lost_what_may_name_a_person(url: str, bare: str | None) -> None:
    assert bare_url(url) == bare

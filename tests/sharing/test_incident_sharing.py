"""INC-FR-01 before every kind of reader: the demo's visibility table, held row by row."""

from dataclasses import dataclass, replace

import orjson
import pytest

from policies.decide import Effect, Judge
from policies.label import Label
from policies.party import Party
from policies.release import Need
from policies.rulebook import shipped
from policies.tlp import Pap, Tlp
from sharing.event import Json
from sharing.project import Projection, Release, Standing, project, withheld_grounds
from sharing.seal.holding import Holding
from sharing.seal.package import write_package
from sharing.seal.records import Kind, SlotType
from sharing.view import View, to_json, view
from tests.sharing.incidents.cassiopee import CANARIES, PSEUDONYM, event_log, notified, report_log
from tests.sharing.making import BE, DE, FR, HOSPITAL, HUB, NL, NOW, OTHER_HOSPITAL, party, received

NATIONAL, AT_HUB = Judge(shipped("national")), Judge(shipped("hub"))
OWN = Standing(own=True, client=True, direct=True, published=True)
CLIENT = replace(OWN, own=False)
PEER = replace(CLIENT, client=False)
HUB_PARTY = party(HUB, "hub", "GR")
EVENT_LOG, REPORT_LOG = event_log(notified()), report_log(notified())


def sent(to: Party, releases: tuple[Release, ...] = ()) -> Projection:
    """What the FR node sends to another node."""
    return project(EVENT_LOG, to, PEER, NATIONAL, releases, NOW)


TWO = frozenset({Need.TWO_PERSONS, Need.TWO_ROLES})


def own_view(reader: Party, *, released: bool = False) -> View:
    masks = project(EVENT_LOG, reader, OWN, NATIONAL, (), NOW).masks
    over = project(REPORT_LOG, reader, OWN, NATIONAL, (), NOW)
    if released:
        freed = [
            Release(each.record, each.slot_type, each.slot_hash, reader.org, TWO)
            for each in over.held
        ]
        over = project(REPORT_LOG, reader, OWN, NATIONAL, freed, NOW)
    report_masks = over.masks
    return view(EVENT_LOG, masks, reader=reader, report=REPORT_LOG, report_masks=report_masks)


def client_view() -> View:
    reader = party(OTHER_HOSPITAL, "hospital", "FR")
    return view(
        EVENT_LOG, project(EVENT_LOG, reader, CLIENT, NATIONAL, (), NOW).masks, reader=reader
    )


def staff_view(of: Party, judge: Judge = NATIONAL) -> View:
    """What the staff of a receiving node reads."""
    projection = sent(of)
    there = received(EVENT_LOG, dict(projection.masks))
    masks = project(there, of, replace(CLIENT, published=True), judge, (), NOW).masks
    grounds = withheld_grounds(projection)
    return view(there, masks, reader=of, withheld=grounds)


def peers_hospital_view(of: Party) -> View:
    """What a hospital reads at its own node, which got the incident from FR."""
    projection = sent(of)
    there = received(EVENT_LOG, dict(projection.masks))
    reader = party(OTHER_HOSPITAL, "hospital", of.country)
    masks = project(there, reader, CLIENT, NATIONAL, (), NOW).masks
    return view(there, masks, reader=reader, withheld=withheld_grounds(projection))


READERS = {
    "FR hospital": own_view(party(HOSPITAL, "hospital", "FR")),
    "FR node": own_view(party(FR, "node", "FR")),
    "FR node, two roles": own_view(party(FR, "node", "FR"), released=True),
    "other FR hospital": client_view(),
    "BE node": staff_view(party(BE)),
    "BE hospital": peers_hospital_view(party(BE)),
    "DE node": staff_view(party(DE, country="DE")),
    "DE hospital": peers_hospital_view(party(DE, country="DE")),
    "NL node": staff_view(party(NL, country="NL")),
    "hub": staff_view(HUB_PARTY, AT_HUB),
}
EVERYBODY = frozenset(READERS)
FR_OWN = frozenset({"FR hospital", "FR node", "FR node, two roles"})
WAITING = frozenset({"FR node"})  # what a ransom cost is not open to it yet
HOSPITALS = frozenset({"other FR hospital", "BE hospital", "DE hospital"})
NODES = frozenset({"BE node", "DE node", "NL node", "hub"})
TO_HUB = frozenset({"hub"})


@dataclass(frozen=True)
class Row:
    """A field of the table: what own readers see, and what each group of others sees instead."""

    field: str
    full: Json
    others: dict[frozenset[str], Json]
    held: bool = False

    def expected(self, reader: str) -> Json:
        if reader in FR_OWN:
            return None if self.held and reader in WAITING else self.full
        return next((value for group, value in self.others.items() if reader in group), None)


SERVICES: Json = [
    {
        "service": "imaging_pacs_ris",
        "degradation": "unavailable",
        "from": "2026-01-27T03:55:00Z",
        "workaround": "plates carried by Jeanne TESTPATIENT",
    },
    {"service": "emergency_department", "degradation": "severe"},
]
NAMES: Json = ["emergency_department", "imaging_pacs_ris"]
STATES: Json = [
    {"service": "imaging_pacs_ris", "degradation": "unavailable"},
    {"service": "emergency_department", "degradation": "severe"},
]
SUPPLIER = "ImagoPartage Services (fictitious MSP)"
WITH_SUPPLIER = EVERYBODY - FR_OWN - {"NL node"}
SHAREABLE = "Encryption of imaging servers through a provider's tunnel."
TABLE = [
    Row("entity_name", "CH Val-Exemple (fictitious)", {}),
    Row("entity_type", "hospital_general", {NODES: "hospital_general", HOSPITALS: "hospital"}),
    Row("entity_country", "FR", {EVERYBODY: "FR"}),
    Row("entity_pseudonym", PSEUDONYM, {TO_HUB: PSEUDONYM}),
    Row("entity_region", "FRK2", {}),
    Row("contact_email", "duval@secours-demo.example", {}),
    Row("contact_name", "Claire Duval-Demo", {}),
    Row("summary_shareable", SHAREABLE, {EVERYBODY: SHAREABLE}),
    Row("supplier_name", SUPPLIER, {WITH_SUPPLIER: SUPPLIER}),
    Row("affected_services", SERVICES, {TO_HUB: STATES, EVERYBODY: NAMES}),
    Row("ambulance_diversion", "yes", {TO_HUB: "yes", frozenset({"other FR hospital"}): "yes"}),
    Row("appointments_postponed", 212, {}),
    Row("patient_safety_impact", "moderate", {}),
    Row("patients_harmed", 1, {}),
    Row("deaths_possibly_linked", 0, {}),
    Row("data_breach", "yes", {TO_HUB: "yes"}),
    Row("data_categories", ["health", "images_dicom"], {TO_HUB: ["health", "images_dicom"]}),
    Row("dpa_reference", "CNIL-DEMO-0042", {}),
    Row("root_cause", "malicious-actions", {EVERYBODY: "malicious-actions"}),
    Row("attack_techniques", ["T1078", "T1486"], {EVERYBODY: ["T1078", "T1486"]}),
    Row("ransom_demanded", "yes", {}),
    Row("ransom_amount", 1500000, {}, held=True),
    Row("wallet_addresses", ["demo-wallet-not-real-0001"], {}, held=True),
    Row(
        "occurred_from",
        "2026-01-27T03:55:00Z",
        {NODES: "2026-01-27T03:00:00Z", HOSPITALS: "2026-01-27"},
    ),
    Row("detected_at", "2026-01-27T04:20:00Z", {TO_HUB: "2026-01-27T04:00:00Z"}),
    Row("submitted_at", "2026-01-28T16:30:59Z", {TO_HUB: "2026-01-28T16:00:00Z"}),
    Row("aware_at", "2026-01-27T04:52:00Z", {TO_HUB: "2026-01-27"}),
]


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.field)
@pytest.mark.parametrize("reader", READERS)
def test_each_reader_sees_of_each_field_what_the_visibility_table_says(
    row: Row, reader: str
) -> None:
    seen = READERS[reader].field(row.field)
    assert (seen.value if seen else None) == row.expected(reader)


def test_own_readers_alone_see_the_internal_summary() -> None:
    assert {name for name, shown in READERS.items() if shown.field("summary_internal")} == FR_OWN


ATTACKERS = {
    "203.0.113.45",
    "198.51.100.23",
    "2001:db8:bad:c0de::5",
    "update-imaging.example",
    "203.0.113.77",
    "27" * 32,
    "44" * 16,
    "maintenance@imago.example",
    "CVE-2099-99999",
    "64500",
}
STRIPPED = "https://files.example.net/pacs/patch.bin"
FULL_URL = STRIPPED + "?u=mdupont"
VICTIMS = {"j.testpatient@ch-val.example", "10.20.30.40"}
LANE = {"demo-wallet-not-real-0001", "demo-leak-site-not-real.onion"}


@pytest.mark.parametrize("reader", READERS)
def test_attackers_indicators_reach_everybody_and_victims_and_wallets_nobody(reader: str) -> None:
    values = {attribute.value for attribute in READERS[reader].event.attributes}
    if reader in FR_OWN:
        assert values == ATTACKERS | {FULL_URL} | VICTIMS | (
            LANE if reader not in WAITING else set()
        )
    else:
        assert values == ATTACKERS | {STRIPPED}


def test_only_its_own_people_read_an_indicators_context() -> None:
    for reader, shown in READERS.items():
        contexts = [attribute.context for attribute in shown.event.attributes]
        assert all("role" in context for context in contexts)
        assert any("context" in context for context in contexts) == (reader in FR_OWN)


def test_entities_are_named_typed_or_described_by_distance() -> None:
    assert {name: shown.entity for name, shown in READERS.items()} == {
        **dict.fromkeys(FR_OWN, "CH Val-Exemple (fictitious)"),
        **dict.fromkeys(NODES, "hospital_general, FR"),
        **dict.fromkeys(HOSPITALS, "a hospital in FR"),
    }


def test_hospitals_are_told_that_something_is_withheld_and_nodes_what() -> None:
    assert {READERS[reader].notice for reader in HOSPITALS} == {"some fields withheld"}
    assert {READERS[reader].notice for reader in FR_OWN} == {""}
    assert READERS["BE node"].withheld == (
        "affected_services",
        "ambulance_diversion",
        "appointments_postponed",
        "assistance_requested",
        "aware_at",
        "data_breach",
        "data_categories",
        "detected_at",
        "devices",
        "entity_class",
        "entity_pseudonym",
        "significant",
        "submitted_at",
    )
    assert READERS["hub"].withheld == ("appointments_postponed",)


def test_times_of_the_event_tell_hospitals_the_day_and_nodes_the_hour() -> None:
    for reader in HOSPITALS:
        shown = READERS[reader]
        assert shown.event.timestamp % 86400 == 0
        assert {a.timestamp % 86400 for a in shown.event.attributes} == {0}
    assert {a.timestamp % 3600 for a in READERS["BE node"].event.attributes} == {0}


def test_the_band_of_postponed_appointments_waits_for_a_release_to_each_node() -> None:
    for org in (BE, DE):
        waiting = sent(party(org))
        (item,) = waiting.held
        assert (item.field, item.slot_type) == ("appointments_postponed", SlotType.TWIN)
        assert [reason.id for reason in item.reasons] == ["hold.clinical"]
        release = Release(item.record, item.slot_type, item.slot_hash, org)
        free = sent(party(org), (release,))
        assert not free.held
        there = received(EVENT_LOG, dict(free.masks))
        seen = view(there, there.masks, reader=party(org)).field("appointments_postponed")
        assert seen is not None
        assert (seen.value, seen.precision) == ("100-499", "twin")
        assert sent(party(NL), (release,)).masks == sent(party(NL)).masks


def test_a_release_dies_with_the_content_it_was_for() -> None:
    (item,) = sent(party(BE)).held
    other = Release(item.record, item.slot_type, "0" * 64, BE)
    assert sent(party(BE), (other,)) == sent(party(BE))


def test_nobody_but_named_nodes_waits_for_the_band() -> None:
    assert not sent(party(NL)).held
    assert not sent(HUB_PARTY).held


def test_what_leaves_keeps_its_label_beside_the_exact_words() -> None:
    shared = READERS["FR hospital"].shared
    assert shared["supplier_name"] == Label(Tlp.AMBER)
    assert shared["title"].tlp == Tlp.GREEN
    assert shared["detected_at"] == Label(Tlp.GREEN, only=True)
    assert "contact_email" not in shared
    assert "ransom_amount" not in shared


def test_no_canary_is_in_any_byte_of_the_event_log() -> None:
    raw = write_package(EVENT_LOG) + orjson.dumps([to_json(READERS[r]) for r in NODES | HOSPITALS])
    for canary in CANARIES:
        assert canary.encode() not in raw
        assert canary.casefold().encode() not in raw.lower()
    everything = orjson.dumps(to_json(READERS["FR hospital"])).decode()
    assert all(canary in everything for canary in CANARIES if canary not in {"duval", "1 500 000"})


def test_the_report_leaves_to_nobody_and_its_own_people_read_it_whole() -> None:
    for other in (party(BE), HUB_PARTY, party(NL)):
        assert not project(REPORT_LOG, other, PEER, NATIONAL, (), NOW).masks
    hospital = party(OTHER_HOSPITAL, "hospital", "FR")
    assert not project(REPORT_LOG, hospital, CLIENT, NATIONAL, (), NOW).masks
    assert project(REPORT_LOG, party(HOSPITAL, "hospital"), OWN, NATIONAL, (), NOW).masks == (
        REPORT_LOG.masks
    )


def test_an_unpublished_incident_is_seen_by_its_own_people_alone() -> None:
    hidden = replace(PEER, published=False)
    assert not project(EVENT_LOG, party(BE), hidden, NATIONAL, (), NOW).masks
    hospital = party(OTHER_HOSPITAL, "hospital", "FR")
    unseen = replace(CLIENT, published=False)
    assert not project(EVENT_LOG, hospital, unseen, NATIONAL, (), NOW).masks
    assert project(EVENT_LOG, party(FR), replace(OWN, published=False), NATIONAL, (), NOW).masks


def test_a_machine_may_block_what_pap_green_allows_and_only_find_what_amber_does() -> None:
    uses: dict[Pap, set[frozenset[str]]] = {}
    for verdict in sent(party(BE)).verdicts:
        if verdict.kind == Kind.ATTRIBUTE and verdict.decision.effect is Effect.DISCLOSE:
            uses.setdefault(verdict.label.pap, set()).add(verdict.decision.uses)
    assert uses == {
        Pap.GREEN: {frozenset({"detect", "block"})},
        Pap.AMBER: {frozenset({"detect"})},
    }


def test_relayed_by_the_hub_an_incident_holds_nothing_above_green() -> None:
    at_hub = received(EVENT_LOG, dict(sent(HUB_PARTY).masks))
    relayed = replace(PEER, direct=False)
    onward = project(at_hub, party(NL), relayed, AT_HUB, (), NOW)
    assert onward.masks
    labels = [verdict.label for verdict in onward.verdicts if verdict.disclosed]
    assert {label.tlp for label in labels} == {Tlp.GREEN}
    assert not any(label.only for label in labels)


def test_what_is_told_of_the_withheld_counts_it_by_ground() -> None:
    told = withheld_grounds(sent(party(BE)))
    by_ground = {str(each["ground"]): each for each in told}
    assert set(by_ground) == {"audience", "label", "policy"}
    assert by_ground["policy"]["fields"] == ["appointments_postponed"]
    assert by_ground["label"]["fields"] == ["ambulance_diversion", "devices"]
    assert by_ground["audience"]["slots"] == 1  # the state of the services; their names went
    assert {each["kind"] for each in told} == {Kind.FIELD}


def test_every_member_gets_no_addressee_but_itself() -> None:
    for org in (BE, DE, HUB):
        to = HUB_PARTY if org == HUB else party(org)
        named = [
            orjson.loads(slot)["party"]
            for slot in _slots(received(EVENT_LOG, dict(sent(to).masks)), Kind.ADDRESSEE)
        ]
        assert set(named) == {org}


def _slots(holding: Holding, kind: Kind) -> list[bytes]:
    records = (r for r in holding.records.values() if r.header.kind == kind)
    return [slot for record in records for slot in record.slots if slot is not None]

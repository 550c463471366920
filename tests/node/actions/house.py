"""A national node with two hospitals and its own people, among other members of the federation."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from node.actions.caller import Caller
from node.actions.enrolments import rule_file
from node.actions.people import enrol_org, local_party
from node.node import Node
from node.storage.people import Org
from policies.tlp import Tlp
from sharing.view import View
from tests.node.federation.world import ORGS, World

FR, BE, DE, HUB = (ORGS[name] for name in ("FR", "BE", "DE", "HUB"))
VAL = Org(
    org="1c9e6a10-54c1-4f55-8a41-94a9d4b2aa01",
    name="CH Val-Exemple",
    kind="hospital",
    country="FR",
    enrolment="fr-health/3",
    details={
        "entity_type": "hospital_general",
        "entity_class": "essential",
        "contact_email": "astreinte@secours-demo.example",
    },
)
ESSAIS = Org(
    org="1c9e6a10-54c1-4f55-8a41-94a9d4b2aa02",
    name="Clinique des Essais",
    kind="hospital",
    country="FR",
    details={"entity_type": "clinic", "contact_email": "si@essais-demo.example"},
)
RULE = f"""
id = "fr-health"
version = 3
hub = "{HUB}"
amber_to_hub = true
[named]
supplier_name = ["{BE}", "{DE}", "{HUB}"]
appointments_postponed = ["{BE}", "{DE}"]
"""
CANARIES = (
    "Jeanne TESTPATIENT",
    "PACS-CANARY-01",
    "CH Val-Exemple",
    "astreinte@secours-demo.example",
    "10.20.30.40",
    "j.testpatient@ch-val.example",
    "mdupont",
    "demo-wallet-not-real-0001",
)
REPORT_ID = "3d0f8f1e-1f5e-4c86-9b0d-0c55e9f0a001"
EARLY_WARNING: Mapping[str, Any] = {
    "report_id": REPORT_ID,
    "stage": "early_warning",
    "aware_at": "2026-01-27T04:52:00Z",
    "title": "Ransomware in the imaging network of a hospital",
    "summary_internal": "PACS-CANARY-01 encrypted; the screen of Jeanne TESTPATIENT was open.",
    "summary_shareable": "Imaging servers encrypted through a provider's tunnel.",
    "status": "ongoing",
    "suspected_malicious": "yes",
    "cross_border": "unknown",
    "occurred_from": "2026-01-27T03:55:00Z",
    "significant": "significant",
    "affected_services": [{"service": "imaging_pacs_ris", "degradation": "unavailable"}],
    "ambulance_diversion": "yes",
    "data_breach": "unknown",
    "supplier_involved": "yes",
    "supplier_name": "ImagoPartage Services",
    "wallet_addresses": ["demo-wallet-not-real-0001"],
    "indicators": [
        {"type": "ipv4", "value": "198.51.100.23", "role": "c2", "tlp": "GREEN", "pap": "GREEN"},
        {
            "type": "url",
            "value": "https://files.example.net/pacs/patch.bin?u=mdupont",
            "role": "distribution",
            "tlp": "AMBER",
        },
        {"type": "ipv4", "value": "10.20.30.40", "role": "victim_side"},
        {"type": "email_address", "value": "j.testpatient@ch-val.example", "role": "victim_side"},
    ],
}
NOTIFICATION: Mapping[str, Any] = {
    "report_id": REPORT_ID,
    "stage": "incident_notification",
    "appointments_postponed": 212,
    "root_cause": "malicious-actions",
    "measures_taken": "tunnels cut",
    "indicators": [
        {"type": "domain", "value": "update-imaging.example", "role": "c2", "tlp": "GREEN"}
    ],
}
EVENT: Mapping[str, Any] = {
    "uuid": "5e1f8a30-7d1c-4b5e-9a2f-6d5c4b3a2f10",
    "info": "Phishing against hospital staff",
    "date": "2026-01-27",
    "timestamp": "1769500000",
    "Attribute": [
        {
            "uuid": "5e1f8a30-7d1c-4b5e-9a2f-6d5c4b3a2f11",
            "type": "domain",
            "category": "Network activity",
            "value": "login-portal.example",
            "to_ids": True,
            "timestamp": "1769500000",
        }
    ],
}


@dataclass(frozen=True, slots=True)
class House:
    """The node FR, and who calls it."""

    world: World
    node: Node
    claire: Caller  # of the hospital CH Val-Exemple
    other: Caller  # of another hospital
    amelie: Caller  # operator
    reader: Caller  # analyst

    def caller_at(self, name: str, role: str = "operator") -> Caller:
        """Staff of another node."""
        node = self.world[name]
        return Caller(f"staff of {name}", node.org, node.me, role)  # type: ignore[arg-type]  # a test's own words


def furnish(world: World) -> House:
    """Enrol the hospitals at FR, with the rule one of them accepted."""
    node = world["FR"]
    path = rule_file(node.settings, "fr-health/3")
    path.parent.mkdir(exist_ok=True)
    path.write_text(RULE)
    for org in (VAL, ESSAIS):
        enrol_org(node, "test", org)
    return House(
        world=world,
        node=node,
        claire=Caller("claire", VAL.org, local_party(VAL), "hospital"),
        other=Caller("essais", ESSAIS.org, local_party(ESSAIS), "hospital"),
        amelie=Caller("amelie", FR, node.me, "operator"),
        reader=Caller("reader", FR, node.me, "analyst"),
    )


def values(view: View) -> set[str | None]:
    """The attribute values a view shows."""
    inside = [each for thing in view.event.objects for each in thing.attributes]
    return {each.value for each in [*view.event.attributes, *inside]}


def shown_fields(view: View) -> dict[str, object]:
    """The incident fields a view shows."""
    return {each.name: each.value for each in view.fields}


def tlp_of(word: str) -> Tlp:
    return next(tlp for tlp in Tlp if tlp.word == word)

"""Incident INC-FR-01 of the demo scenario, as its hospital submits it (invented throughout)."""

from collections.abc import Callable
from datetime import UTC, datetime

from sharing.event import Json
from sharing.incidents.enrolment import read_enrolment
from sharing.incidents.report import NOTHING_EARLIER, Earlier, Report, read_report
from sharing.seal.holding import Holding
from sharing.slots import Names, cut_incident, cut_report
from tests.sharing.making import BE, DE, HUB, counting, sealed

EVENT = "aaaaaaaa-0000-4000-8000-00000000000e"
REPORT = "aaaaaaaa-0000-4000-8000-00000000000f"
REPORT_ID = "aaaaaaaa-0000-4000-8000-00000000000d"
WARNED_AT = datetime(2026, 1, 27, 7, 40, 31, tzinfo=UTC)
NOTIFIED_AT = datetime(2026, 1, 28, 16, 30, 59, tzinfo=UTC)
PSEUDONYM = "hub-2026-5f1c0a"

FR_HEALTH = read_enrolment(
    f"""
    id = "fr-health"
    version = 3
    hub = "{HUB}"
    amber_to_hub = true
    [named]
    supplier_name = ["{BE}", "{DE}", "{HUB}"]
    appointments_postponed = ["{BE}", "{DE}"]
    """
)

CANARIES = (
    "Jeanne TESTPATIENT",
    "j.testpatient@ch-val.example",
    "mdupont",
    "CH Val-Exemple",
    "10.20.30.40",
    "PACS-CANARY-01",
    "1 500 000",
    "1500000",
    "demo-wallet-not-real-0001",
    "demo-leak-site-not-real.onion",
    "2 99 99 99 999 999 99",
    "(0010,0010)",
    "CNIL-DEMO-0042",
    "duval",
    "FRK2",
    "04:52",
    "03:55",
)
"""What must not be in a byte of the event's log; the wallet and the minutes among them."""

DETAILS: dict[str, Json] = {
    "entity_name": "CH Val-Exemple (fictitious)",
    "entity_ref": "1c9e6a10-54c1-4f55-8a41-94a9d4b2aa01",
    "entity_national_id": "FINESS 999999999",
    "entity_country": "FR",
    "entity_region": "FRK2",
    "entity_type": "hospital_general",
    "entity_class": "essential",
    "entity_size": "large",
    "contact_name": "Claire Duval-Demo",
    "contact_role": "RSSI",
    "contact_email": "duval@secours-demo.example",
    "contact_phone": "+33199001234",
}

WARNING: dict[str, Json] = {
    "stage": "early_warning",
    "language": "fr",
    "tlp": "AMBER+STRICT",
    "title": "Ransomware in the imaging network of a hospital",
    "summary_internal": "PACS-CANARY-01 chiffré. Écran de Jeanne TESTPATIENT, NIR 2 99 99 99 999 "
    "999 99, DICOM (0010,0010). Rançon 1 500 000 EUR, demo-wallet-not-real-0001.",
    "summary_shareable": "Encryption of imaging servers through a provider's tunnel.",
    "status": "ongoing",
    "suspected_malicious": "yes",
    "cross_border": "unknown",
    "occurred_from": "2026-01-27T03:55Z",
    "detected_at": "2026-01-27T04:20Z",
    "aware_at": "2026-01-27T04:52Z",
    "significant": "significant",
    "affected_services": [
        {
            "service": "imaging_pacs_ris",
            "degradation": "unavailable",
            "from": "2026-01-27T03:55Z",
            "workaround": "plates carried by Jeanne TESTPATIENT",
        },
        {"service": "emergency_department", "degradation": "severe"},
    ],
    "patient_safety_impact": "potential",
    "ambulance_diversion": "yes",
    "diversion_from": "2026-01-27T06:05Z",
    "data_breach": "unknown",
    "assistance_requested": ["forensics", "containment"],
    "supplier_involved": "yes",
    "supplier_name": "ImagoPartage Services (fictitious MSP)",
    "supplier_role": "imaging",
    "ransomware": "yes",
    "indicators": [
        {
            "type": "ipv4",
            "value": "203.0.113.45",
            "role": "initial_access",
            "tlp": "GREEN",
            "pap": "GREEN",
            "confidence": 80,
            "false_positive_risk": "low",
            "context": "supplier VPN logins, from the desk of Jeanne TESTPATIENT",
        }
    ],
}


def _indicator(kind: str, value: str, role: str, tlp: str, pap: str = "GREEN") -> Json:
    return {
        "type": kind,
        "value": value,
        "role": role,
        "tlp": tlp,
        "pap": pap,
        "confidence": 60,
        "false_positive_risk": "low",
        "context": {"text": "seen at PACS-CANARY-01", "malware_family": "demolock"},
    }


INDICATORS: list[Json] = [
    _indicator("ipv4", "198.51.100.23", "c2", "GREEN"),
    _indicator("ipv6", "2001:db8:bad:c0de::5", "exfil", "GREEN"),
    _indicator("domain", "update-imaging.example", "c2", "GREEN"),
    _indicator("ipv4", "203.0.113.77", "scanner", "GREEN", "AMBER"),
    _indicator(
        "url", "https://files.example.net/pacs/patch.bin?u=mdupont", "distribution", "AMBER"
    ),
    _indicator("file_hash_sha256", "27" * 32, "payload", "GREEN"),
    _indicator("file_hash_md5", "44" * 16, "payload", "GREEN"),
    _indicator("email_address", "maintenance@imago.example", "phishing", "GREEN"),
    _indicator("email_address", "j.testpatient@ch-val.example", "recipient", "GREEN"),
    _indicator("ipv4", "10.20.30.40", "victim_side", "GREEN"),
    _indicator("btc_address", "demo-wallet-not-real-0001", "payment", "RED", "RED"),
    _indicator("onion", "demo-leak-site-not-real.onion", "leak_site", "RED", "RED"),
    _indicator("cve", "CVE-2099-99999", "vulnerability", "GREEN"),
    _indicator("asn", "AS64500", "hosting", "GREEN", "AMBER"),
]

NOTIFICATION: dict[str, Json] = {
    "stage": "incident_notification",
    "cross_border": "yes",
    "affected_member_states": ["BE", "DE", "FR"],
    "cross_border_mechanism": ["shared_supplier"],
    "rsit": ["information-content-security:unauthorised-information-modification"],
    "root_cause": "malicious-actions",
    "attack_techniques": ["T1078", "T1486"],
    "nature_severity": "high",
    "impact_severity": "red",
    "patient_safety_impact": "moderate",
    "patients_harmed": 1,
    "deaths_possibly_linked": 0,
    "appointments_postponed": 212,
    "surgeries_postponed": 38,
    "ambulances_diverted": 27,
    "data_breach": "yes",
    "data_categories": ["health", "images_dicom"],
    "dpa_notified": "yes",
    "dpa_reference": "CNIL-DEMO-0042",
    "ransom_demanded": "yes",
    "ransom_amount": 1500000,
    "ransom_currency": "EUR",
    "ransom_contact_channel": "http://demo-leak-site-not-real.onion/chat",
    "wallet_addresses": ["demo-wallet-not-real-0001"],
    "le_hold": [{"field": "wallet_addresses", "until": "2026-03-01"}],
    "measures_taken": "PACS-CANARY-01 isolé.",
    "actor_claim": {"name": "Cassiopee crew", "confidence": 40},
    "devices": [
        {"manufacturer": "Imago", "model": "Gateway 7", "exploited": True},
        {"manufacturer": "Other", "model": "PACS-CANARY-01", "exploited": False},
    ],
    "recipients": [BE],
    "indicators": INDICATORS,
}


def submitted(
    body: Json,
    at: datetime,
    version: int = 1,
    earlier: Earlier = NOTHING_EARLIER,
    fresh: Callable[[], str] | None = None,
) -> Report:
    """The report as it stands after this stage, stamped by its node."""
    read = read_report(body, at=at, fresh=fresh or counting(), details=DETAILS, earlier=earlier)
    return read.stamped(report_id=REPORT_ID, event=EVENT, version=version, at=at)


def warned() -> Report:
    return submitted(WARNING, WARNED_AT)


def notified() -> Report:
    """The report after both stages."""
    first = warned()
    earlier = Earlier(first.values, first.indicators, first.choices, first.timestamp)
    fresh = counting()
    for _ in range(100):
        fresh()
    return submitted(NOTIFICATION, NOTIFIED_AT, 2, earlier, fresh)


def event_log(report: Report, names: Names | None = None) -> Holding:
    names = names or Names(counting())
    return sealed(
        cut_incident(report, FR_HEALTH, EVENT, names, name_before=lambda _: PSEUDONYM), EVENT
    )


def report_log(report: Report) -> Holding:
    return sealed(cut_report(report, REPORT, Names(counting())), REPORT, log="report")

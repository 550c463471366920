"""What of a report is stricter than the rest of it, in the report's own log."""

from dataclasses import replace

import orjson
import pytest

from policies.label import Label
from policies.tlp import Tlp
from sharing.incidents.fields import FIELDS
from sharing.incidents.lane import field_label, indicator_label
from sharing.seal.holding import Holding
from sharing.seal.records import Kind, SlotType
from tests.sharing.incidents.cassiopee import notified, report_log

STRICT = Tlp.AMBER_STRICT
RANSOM = {"ransom_amount", "ransom_currency", "ransom_paid", "paid_amount"}
LANE = {
    *("ransom_deadline", "ransom_contact_channel", "negotiation", "paid_by", "paid_at"),
    *("wallet_addresses", "transaction_ids", "le_case_ref", "le_hold"),
}


def labels_of_fields(log: Holding) -> dict[str, Label]:
    return {
        orjson.loads(record.slots[0] or b"")["field"]: log.labels.effective(record.header.labels[1])
        for record in log.records.values()
        if record.header.kind == Kind.FIELD
    }


def labels_of_values(log: Holding) -> dict[str, Label]:
    found = {}
    for record in log.records.values():
        if record.header.kind == Kind.ATTRIBUTE:
            place = record.header.types.index(SlotType.VALUE)
            value = orjson.loads(record.slots[place] or b"")["value"]
            found[value] = log.labels.effective(record.header.labels[place])
    return found


def test_the_ransom_lane_is_these_fields_and_no_other() -> None:
    assert {name for name, row in FIELDS.items() if row.category == "ransom"} == RANSOM
    assert {name for name, row in FIELDS.items() if row.category == "law-enforcement"} == LANE


def test_a_field_of_the_lane_is_marked_in_the_report_and_the_others_are_not() -> None:
    labels = labels_of_fields(report_log(notified()))
    assert labels["ransom_amount"] == Label(STRICT, categories=frozenset({"ransom"}))
    assert labels["wallet_addresses"] == Label(Tlp.RED, categories=frozenset({"law-enforcement"}))
    assert labels["ransom_demanded"] == labels["summary_internal"] == Label(STRICT)


def test_a_field_its_source_called_red_is_red() -> None:
    labels = labels_of_fields(report_log(replace(notified(), choices={"measures_taken": Tlp.RED})))
    assert labels["measures_taken"] == Label(Tlp.RED)


def test_victims_wallets_and_leak_sites_are_told_apart_from_attackers_addresses() -> None:
    labels = labels_of_values(report_log(notified()))
    assert labels["10.20.30.40"].categories == {"personal"}
    assert labels["demo-wallet-not-real-0001"].categories == {"law-enforcement"}
    assert labels["demo-wallet-not-real-0001"].tlp is Tlp.RED
    assert labels["198.51.100.23"] == Label(STRICT)


@pytest.mark.parametrize(
    ("tlp", "role", "label"),
    [
        (None, "c2", Label(STRICT)),
        (Tlp.GREEN, "c2", Label(STRICT)),
        (Tlp.RED, "c2", Label(Tlp.RED)),
        (Tlp.GREEN, "payment", Label(STRICT)),
        (Tlp.RED, "leak_site", Label(Tlp.RED, categories=frozenset({"law-enforcement"}))),
        (Tlp.RED, "recipient", Label(Tlp.RED, categories=frozenset({"personal"}))),
        (None, None, Label(STRICT)),
    ],
)
def test_an_indicator_is_as_strict_as_its_colour_and_its_role(
    tlp: Tlp | None, role: str | None, label: Label
) -> None:
    assert indicator_label(STRICT, tlp, role) == label


def test_a_red_report_is_red_throughout() -> None:
    assert indicator_label(Tlp.RED, Tlp.GREEN, "c2") == Label(Tlp.RED)
    assert field_label("title", Tlp.RED) == Label(Tlp.RED)

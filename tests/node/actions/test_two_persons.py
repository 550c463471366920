"""What one person cannot let go alone: who must act, what counts, and how it is proven."""

from dataclasses import replace
from hashlib import sha256

import orjson
import pytest

from node.actions.caller import Caller
from node.actions.errors import ConflictError, NotAllowedError, NotFoundError
from node.actions.holds import Hold, Slot, list_acts, list_holds, preview_release, release
from node.actions.publish import publish
from node.actions.read import read_event, read_stage_content
from node.actions.submit import submit_report
from node.storage import audit
from sharing.errors import RefusedError
from sharing.release_act import verify_release_act
from tests.node.actions.house import (
    BE,
    EARLY_WARNING,
    FR,
    NOTIFICATION,
    REPORT_ID,
    House,
    shown_fields,
    values,
)

WALLET = "demo-wallet-not-real-0001"
RANSOM = {
    "ransom_demanded": "yes",
    "ransom_amount": 1500000,
    "ransom_currency": "EUR",
    "indicators": [
        {"type": "ipv4", "value": "203.0.113.45", "role": "c2", "tlp": "GREEN"},
        {"type": "btc_address", "value": WALLET, "role": "payment", "tlp": "RED", "pap": "RED"},
    ],
}


def reported(house: House) -> str:
    done = submit_report(house.node, house.claire, {**EARLY_WARNING, **NOTIFICATION, **RANSOM})
    publish(house.node, house.amelie, FR, done.event)
    return done.event


def at_home(house: House) -> list[Hold]:
    """What waits for the node's own staff."""
    return [each for each in list_holds(house.node, house.amelie) if each.party == FR]


def slots(holds: list[Hold]) -> list[Slot]:
    return [Slot(each.record, each.slot_type, each.content) for each in holds]


def act(house: House, caller: Caller, holds: list[Hold], reason: str = "case 7") -> bool:
    done = release(house.node, caller, FR, holds[0].event, FR, slots(holds), reason)
    assert len({each.is_released for each in done.slots}) == 1
    return done.slots[0].is_released


def sees(house: House, event: str, caller: Caller | None = None) -> tuple[object, bool]:
    """The ransom and the wallet, as the staff reads them."""
    seen = read_event(house.node, caller or house.amelie, FR, event)
    return shown_fields(seen).get("ransom_amount"), WALLET in values(seen)


def test_the_ransom_is_open_to_its_source_and_waits_for_its_nodes_staff(house: House) -> None:
    event = reported(house)
    assert sees(house, event, house.claire) == (1500000, True)
    for staff in (house.amelie, house.reader):
        assert sees(house, event, staff) == (None, False)
    assert shown_fields(read_event(house.node, house.amelie, FR, event))["ransom_demanded"] == "yes"
    holds = at_home(house)
    assert {each.name for each in holds} == {
        *("ransom_amount", "ransom_currency", "wallet_addresses", "attribute")
    }
    for each in holds:
        assert [reason.id for reason in each.reasons] == ["hold.ransom"]
        assert each.needs == ("two persons in different roles",)
        assert (each.about, each.party_name) == (event, "this node's staff")
    assert WALLET not in str(holds)


def test_one_person_alone_opens_nothing_whoever_it_is(house: House) -> None:
    event = reported(house)
    holds = at_home(house)
    second_operator = replace(house.amelie, name="bruno")
    for person in (house.amelie, house.amelie, second_operator):
        assert not act(house, person, holds)
        assert sees(house, event) == (None, False)
    (first, *_) = at_home(house)
    assert [(given.person, given.role) for given in first.given] == [
        ("amelie", "operator"),
        ("bruno", "operator"),
    ]


def test_two_persons_in_different_roles_open_it_to_the_staff_and_to_nobody_else(
    house: House,
) -> None:
    event = reported(house)
    holds = at_home(house)
    assert not act(house, house.reader, holds)  # whoever comes first
    assert act(house, house.amelie, holds)
    for staff in (house.amelie, house.reader):
        assert sees(house, event, staff) == (1500000, True)
    assert at_home(house) == []
    other = read_event(house.node, house.other, FR, event)
    assert "ransom_amount" not in shown_fields(other)
    assert WALLET not in values(other)


def test_a_program_is_no_person(house: House) -> None:
    reported(house)
    holds = at_home(house)
    token = replace(house.amelie, party=replace(house.amelie.party, kind="machine"))
    with pytest.raises(NotAllowedError, match="token"):
        act(house, token, holds)
    assert at_home(house)[0].given == ()


def test_what_was_released_waits_again_when_it_is_edited(house: House) -> None:
    event = reported(house)
    holds = at_home(house)
    act(house, house.reader, holds)
    act(house, house.amelie, holds)
    house.world.clock.turn(hours=1)
    submit_report(
        house.node,
        house.claire,
        {"report_id": REPORT_ID, "stage": "correction", "ransom_amount": 900000},
    )
    assert [each.name for each in at_home(house)] == ["ransom_amount"]
    assert sees(house, event) == (None, True)
    with pytest.raises(ConflictError, match="edited"):
        act(house, house.amelie, [each for each in holds if each.name == "ransom_amount"])


def test_what_a_stage_said_is_no_way_round(house: House) -> None:
    reported(house)
    sent = orjson.loads(read_stage_content(house.node, house.claire, REPORT_ID, 1))
    assert sent["ransom_amount"] == 1500000
    assert {each["value"] for each in sent["indicators"]} == {WALLET, "203.0.113.45"}
    for staff in (house.amelie, house.reader):
        told = orjson.loads(read_stage_content(house.node, staff, REPORT_ID, 1))
        assert set(sent) - set(told) == {"ransom_amount", "ransom_currency", "wallet_addresses"}
        assert [each["value"] for each in told["indicators"]] == ["203.0.113.45"]


def test_nothing_travels_when_the_staff_opens_something(house: House) -> None:
    reported(house)
    holds = at_home(house)
    shown = preview_release(house.node, house.amelie, FR, holds[0].event, FR, slots(holds))
    assert (shown.package, shown.digest) == (b"", None)
    for party in (BE, house.claire.org):
        with pytest.raises(NotFoundError):
            release(house.node, house.amelie, FR, holds[0].event, party, slots(holds), "please")


def test_every_act_is_signed_and_its_digest_stands_in_the_audit(house: House) -> None:
    reported(house)
    holds = at_home(house)
    act(house, house.reader, holds, "asked by the case officer")
    act(house, house.amelie, holds)
    first, second = list_acts(house.node, house.amelie, FR, holds[0].event)
    said = verify_release_act(first.envelope, house.node.registry)
    assert (said.person, said.role, said.reason) == (
        "reader",
        "analyst",
        "asked by the case officer",
    )
    assert (said.iss, said.origin, said.event, said.party) == (FR, FR, holds[0].event, FR)
    assert {(each.record, each.slot_type, each.content) for each in said.slots} == {
        (each.record, each.slot_type, each.content) for each in holds
    }
    assert said.rulebook == house.node.judge.rulebook.digest
    with house.node.store.read() as unit:
        lines = [
            line for line in audit.latest(unit.connection, 10) if line.action == "hold.release"
        ]
        audit.verify(unit.connection)
    assert [(line.actor, line.detail["released"]) for line in lines] == [
        ("amelie", len(holds)),
        ("reader", 0),
    ]
    assert [line.detail["act"] for line in lines] == [
        sha256(each.envelope).hexdigest() for each in (second, first)
    ]
    with pytest.raises(RefusedError, match="check 3"):
        verify_release_act(
            first.envelope.replace(b'"sig":"', b'"sig":"AAAA', 1), house.node.registry
        )

"""What waits for a person, who lets it go, and to whom: with the packages that then travel."""

from dataclasses import replace

import pytest

from node.actions.errors import BadInputError, NotAllowedError, NotFoundError
from node.actions.explain import explain, preview
from node.actions.groups_change import change_group, create_group
from node.actions.holds import Hold, Slot, list_holds, preview_release, release
from node.actions.publish import publish
from node.actions.submit import submit_event, submit_report
from node.storage import audit
from tests.node.actions.house import (
    BE,
    CANARIES,
    DE,
    EARLY_WARNING,
    ESSAIS,
    EVENT,
    FR,
    HUB,
    NOTIFICATION,
    REPORT_ID,
    VAL,
    House,
)

NOBODY = "1c9e6a10-54c1-4f55-8a41-94a9d4b2aa78"


def reported(house: House) -> str:
    done = submit_report(house.node, house.claire, {**EARLY_WARNING, **NOTIFICATION})
    publish(house.node, house.amelie, FR, done.event)
    return done.event


def from_others(house: House) -> tuple[Hold, ...]:
    """What is held from other members, not from the staff itself."""
    return tuple(each for each in list_holds(house.node, house.amelie) if each.party != FR)


def test_only_what_is_held_waits_and_only_for_whom_it_is_named_to(house: House) -> None:
    event = reported(house)
    holds = list_holds(house.node, house.amelie)
    assert {(each.about, each.field, each.party) for each in holds} == {
        (event, "appointments_postponed", BE),  # DE is no member of this small federation
        (event, "wallet_addresses", FR),  # for its own staff, as long as two have not opened it
    }
    (hold,) = from_others(house)
    assert hold.event == event
    assert (hold.party_name, hold.tlp) == ("node BE", "amber")
    assert [reason.id for reason in hold.reasons]
    assert all(reason.text for reason in hold.reasons)


def test_a_release_lets_one_slot_go_to_one_party_and_dies_when_the_value_is_edited(
    house: House,
) -> None:
    event = reported(house)
    (hold,) = from_others(house)
    before = preview(house.node, house.amelie, FR, event, BE)
    assert b"100-499" not in before
    given = (FR, event, BE, [Slot(hold.record, hold.slot_type, hold.content)])
    assert release(house.node, house.amelie, *given, "agreed by telephone").is_new
    assert not release(house.node, house.amelie, *given, "once more").is_new
    assert from_others(house) == ()
    after = preview(house.node, house.amelie, FR, event, BE)
    assert b"100-499" in after
    assert b'"value":212' not in after
    assert b"100-499" not in preview(house.node, house.amelie, FR, event, HUB)
    with house.node.store.read() as unit:
        line = audit.latest(unit.connection, 1)[0]
    assert (line.actor, line.action) == ("amelie", "hold.release")
    assert line.detail["party"] == BE
    house.world.clock.turn(hours=1)
    submit_report(
        house.node,
        house.claire,
        {"report_id": REPORT_ID, "stage": "correction", "appointments_postponed": 613},
    )
    assert [each.field for each in from_others(house)] == ["appointments_postponed"]
    assert b"500+" not in preview(house.node, house.amelie, FR, event, BE)


def test_a_hold_is_released_by_an_operator_with_a_reason_and_to_a_member(house: House) -> None:
    event = reported(house)
    (hold,) = from_others(house)
    slots = [Slot(hold.record, hold.slot_type)]
    with pytest.raises(NotAllowedError):
        list_holds(house.node, house.claire)
    for caller in (house.claire, house.reader):
        with pytest.raises(NotAllowedError):
            release(house.node, caller, FR, event, BE, slots, "please")
    for reason in (" ", "agreed\0", "x" * 1001):
        with pytest.raises(BadInputError, match="reason"):
            release(house.node, house.amelie, FR, event, BE, slots, reason)
    with pytest.raises(BadInputError, match="slots"):
        release(house.node, house.amelie, FR, event, BE, [], "please")
    for party in (HUB, DE, ESSAIS.org, FR):
        with pytest.raises(NotFoundError):
            release(house.node, house.amelie, FR, event, party, slots, "please")
    exact = [Slot(hold.record, 10)]
    with pytest.raises(NotFoundError):
        release(house.node, house.amelie, FR, event, BE, exact, "the exact number")
    with pytest.raises(NotFoundError):
        release(house.node, house.amelie, BE, event, BE, slots, "please")


def test_a_program_releases_nothing_not_even_what_one_person_may(house: House) -> None:
    event = reported(house)
    (hold,) = from_others(house)
    token = replace(house.amelie, party=replace(house.amelie.party, kind="machine"))
    with pytest.raises(NotAllowedError, match="sign in"):
        release(house.node, token, FR, event, BE, [Slot(hold.record, hold.slot_type)], "please")
    assert from_others(house)[0].given == ()


def test_nothing_unpublished_waits_for_anybody(house: House) -> None:
    submit_report(house.node, house.claire, {**EARLY_WARNING, **NOTIFICATION})
    assert from_others(house) == ()


def test_an_explanation_counts_every_slot_and_names_the_policies(house: House) -> None:
    event = reported(house)
    told = explain(house.node, house.amelie, FR, event, BE)
    assert told.sent + told.withheld + told.held == sum(row.count for row in told.rows)
    assert told.held == 2  # the band, and with it the head that would name its field
    rows = {(row.name, row.slot): row for row in told.rows}
    assert rows["appointments_postponed", "twin"].effect == "held"
    assert rows["supplier_name", "value"].effect == "sent"
    assert rows["supplier_name", "value"].named
    assert rows["ambulance_diversion", "value"].effect == "withheld"
    assert {row.effect for row in told.rows if row.name == "domain update-imaging.example"} == {
        "sent"
    }
    assert all(row.reasons for row in told.rows)
    assert {"floor.amber"} <= {reason.id for row in told.rows for reason in row.reasons}
    assert not any(canary in str(told) for canary in CANARIES)


def test_preview_and_explanation_name_one_package(house: House) -> None:
    event = reported(house)
    for party in (BE, HUB, ESSAIS.org):
        told = explain(house.node, house.amelie, FR, event, party)
        package = preview(house.node, house.amelie, FR, event, party)
        assert told.size == len(package) > 0
        assert told.digest is not None
    assert b'"cls"' in preview(house.node, house.amelie, FR, event, BE).split(b"\n")[0]
    assert b'"cls"' not in preview(house.node, house.amelie, FR, event, ESSAIS.org).split(b"\n")[0]


def test_the_source_is_told_who_gets_its_incident_and_no_other_hospital_is(house: House) -> None:
    event = reported(house)
    assert explain(house.node, house.claire, FR, event, BE).sent
    with pytest.raises(NotAllowedError):
        explain(house.node, house.other, FR, event, BE)
    for party in (VAL.org, BE, "nobody"):
        with pytest.raises(NotFoundError):
            explain(house.node, house.other, FR, REPORT_ID, party)
    with pytest.raises(NotFoundError):
        explain(house.node, house.amelie, FR, event, "nobody")


def test_a_source_asks_about_organisations_it_may_know_of(house: House) -> None:
    event, answers = reported(house), set[str]()
    for party in (ESSAIS.org, NOBODY, "\0"):
        for ask in (explain, preview):
            with pytest.raises(NotFoundError) as refused:
                ask(house.node, house.claire, FR, event, party)
            answers.add(str(refused.value))
    assert answers == {"no such organisation"}
    for party in (VAL.org, FR, BE):
        assert explain(house.node, house.claire, FR, event, party).rows
    group = {"name": "x", "members": [VAL.org, ESSAIS.org]}
    made = create_group(house.node, house.amelie, group).group.group
    with pytest.raises(NotFoundError):
        explain(house.node, house.claire, FR, event, ESSAIS.org)
    change_group(house.node, house.amelie, made, {"shows_members": True})
    assert explain(house.node, house.claire, FR, event, ESSAIS.org).party_name == ESSAIS.name


def test_who_gets_nothing_has_no_package(house: House) -> None:
    done = submit_event(house.node, house.amelie, {"Event": EVENT, "tlp": "red", "publish": True})
    assert explain(house.node, house.amelie, FR, done.event, BE).size == 0
    with pytest.raises(NotFoundError):
        preview(house.node, house.amelie, FR, done.event, BE)


def test_the_preview_is_the_package_that_travels(federated: House) -> None:
    house = federated
    event = reported(house)
    (hold,) = from_others(house)
    slots = [Slot(hold.record, hold.slot_type)]
    promised = preview_release(house.node, house.amelie, FR, event, BE, slots)
    release(house.node, house.amelie, FR, event, BE, slots, "agreed")
    previews = {org: preview(house.node, house.amelie, FR, event, org) for org in (BE, HUB)}
    assert previews[BE] == promised.package
    told = explain(house.node, house.amelie, FR, event, BE)
    assert promised.digest == told.digest
    house.world.settle()
    for name, org in (("BE", BE), ("HUB", HUB)):
        got = house.world.held_from(name, event, "FR")
        assert got is not None
        assert got.package == previews[org]
        assert not any(canary.encode() in got.package for canary in CANARIES)
    be = house.world.held_from("BE", event, "FR")
    assert be is not None
    assert be.digest == told.digest

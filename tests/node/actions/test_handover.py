"""Files for the police: cut by one person, released by two on a ground, and proven afterwards."""

import io
import zipfile
from dataclasses import replace

import pytest

from node.actions.caller import Caller
from node.actions.disclosed import who_had_event, who_had_value
from node.actions.errors import (
    BadInputError,
    ConflictError,
    NotAllowedError,
    NotFoundError,
)
from node.actions.explain import explain
from node.actions.handover import (
    Declared,
    HandedOver,
    declare,
    hand_over,
    list_declarations,
    list_parts,
)
from node.actions.holds import Hold, Slot, list_holds, preview_release, release
from node.actions.people import add_person, enrol_org
from node.actions.publish import publish
from node.actions.read import list_events
from node.actions.search import search_values
from node.actions.submit import submit_event, submit_report
from node.storage import audit
from node.storage.people import Org
from sharing.release_act import verify_release_act
from sharing.seal.package import read_package
from sharing.seal.verify import verify
from sharing.view import View, view
from tests.node.actions.house import (
    BE,
    CANARIES,
    EARLY_WARNING,
    EVENT,
    FR,
    NOTIFICATION,
    REPORT_ID,
    House,
    shown_fields,
    values,
)

POLICE = Org("1c9e6a10-54c1-4f55-8a41-94a9d4b2aa09", "Police judiciaire", "law_enforcement", "FR")
ORDER = "order", "PR 26/0412"
CONSENT = "consent", "letter of 3 February"
VICTIM = "10.20.30.40"


def reported(house: House) -> str:
    enrol_org(house.node, "test", POLICE)
    indicators = {"indicators": EARLY_WARNING["indicators"]}
    words = {**EARLY_WARNING, **NOTIFICATION, **indicators}
    done = submit_report(house.node, house.claire, words)
    publish(house.node, house.amelie, FR, done.event)
    return done.event


def chosen(house: House, event: str, *names: str) -> list[Slot]:
    """The values of these fields and of indicators with these values."""
    parts = list_parts(house.node, house.amelie, FR, event)
    slots = [
        Slot(each.record, each.slot_type)
        for each in parts
        if each.slot == "value" and {each.name, each.value} & set(names)
    ]
    assert len(slots) == len(names)
    return slots


def declared(house: House, event: str, *names: str) -> Declared:
    slots = chosen(house, event, *names)
    return declare(house.node, house.amelie, FR, event, POLICE.org, slots)


def holds(house: House, made: Declared) -> list[Hold]:
    return [each for each in list_holds(house.node, house.amelie) if each.event == made.event]


def act(house: House, made: Declared, by: Caller, ground: tuple[str, str]) -> list[bool]:
    slots = [Slot(each.record, each.slot_type, each.content) for each in holds(house, made)]
    done = release(
        house.node,
        by,
        FR,
        made.event,
        POLICE.org,
        slots,
        "asked by the case officer",
        ground=ground[0],
        reference=ground[1],
    )
    return [each.is_released for each in done.slots]


def read_file(house: House, file: HandedOver) -> tuple[View, dict[str, bytes]]:
    """What the police reads, after checking it as a stranger would."""
    with zipfile.ZipFile(io.BytesIO(file.content)) as archive:
        inside = {name: archive.read(name) for name in archive.namelist()}
    package = read_package(inside["declaration.ndjson"])
    checked = verify(package, house.node.registry, first_seen_at=house.world.clock())
    holding = checked.holding
    assert holding.statement.log == "declaration"
    return view(holding, holding.masks, reader=house.node.me), inside


def test_a_file_goes_when_two_persons_released_it_on_one_ground(house: House) -> None:
    event = reported(house)
    made = declared(house, event, "entity_name", "198.51.100.23")
    waiting = holds(house, made)
    assert {each.party_name for each in waiting} == {"Police judiciaire"}
    assert {each.about for each in waiting} == {event}
    assert {each.needs for each in waiting} == {
        ("the source's consent or an order, with its reference", "two persons")
    }
    assert act(house, made, house.amelie, CONSENT) == [False, False]
    assert act(house, made, house.amelie, CONSENT) == [False, False]
    with pytest.raises(ConflictError, match="waits"):
        hand_over(house.node, house.amelie, FR, made.event)
    assert act(house, made, house.reader, ORDER) == [False, False]  # another ground: no agreement
    assert act(house, made, house.reader, CONSENT) == [True, True]
    seen, inside = read_file(house, hand_over(house.node, house.amelie, FR, made.event))
    assert shown_fields(seen) == {"entity_name": "CH Val-Exemple"}
    assert values(seen) == {"198.51.100.23"}
    summary = inside["summary.txt"].decode()
    for told in (*CONSENT, "amelie, operator", "reader, analyst", "CH Val-Exemple", POLICE.name):
        assert told in summary
    acts = [
        verify_release_act(inside[name], house.node.registry)
        for name in inside
        if name.startswith("act-")
    ]
    assert {each.person for each in acts} == {"amelie", "reader"}
    assert {each.event for each in acts} == {made.event}


def test_the_file_holds_the_very_bytes_that_were_previewed(house: House) -> None:
    event = reported(house)
    made = declared(house, event, "entity_name")
    slots = [Slot(each.record, each.slot_type) for each in holds(house, made)]
    shown = preview_release(house.node, house.reader, FR, made.event, POLICE.org, slots)
    for by in (house.amelie, house.reader):
        act(house, made, by, ORDER)
    file = hand_over(house.node, house.amelie, FR, made.event)
    _, inside = read_file(house, file)
    assert inside["declaration.ndjson"] == shown.package != b""
    assert hand_over(house.node, house.amelie, FR, made.event) == file


def test_whom_it_hit_goes_on_an_order_only(house: House) -> None:
    event = reported(house)
    made = declared(house, event, VICTIM, "198.51.100.23")
    by_reasons = {len(each.reasons): each for each in holds(house, made)}
    assert [reason.id for reason in by_reasons[2].reasons] == ["hold.handover", "hold.victim"]
    assert "an order, with its reference" in by_reasons[2].needs
    for by in (house.amelie, house.reader):
        released = act(house, made, by, CONSENT)
    assert sorted(released) == [False, True]
    with pytest.raises(ConflictError):
        hand_over(house.node, house.amelie, FR, made.event)
    for by in (house.amelie, house.reader):
        released = act(house, made, by, ORDER)
    assert released == [True]
    seen, _ = read_file(house, hand_over(house.node, house.amelie, FR, made.event))
    assert values(seen) == {VICTIM, "198.51.100.23"}


def test_a_declaration_tells_nothing_of_what_was_not_chosen(house: House) -> None:
    event = reported(house)
    made = declared(house, event, "entity_type")
    for by in (house.amelie, house.reader):
        act(house, made, by, ORDER)
    seen, inside = read_file(house, hand_over(house.node, house.amelie, FR, made.event))
    assert (seen.some_withheld, seen.notice) == (False, "")
    for text in (*CANARIES, event, REPORT_ID):
        assert text.encode() not in inside["declaration.ndjson"]


def test_nobody_declares_what_he_may_not_read(house: House) -> None:
    event = reported(house)
    parts = list_parts(house.node, house.amelie, FR, event)
    assert not any(part.name == "wallet_addresses" for part in parts)  # two must open it first
    held = next(
        each for each in list_holds(house.node, house.amelie) if each.name == "wallet_addresses"
    )
    slot = [Slot(held.record, held.slot_type)]
    with pytest.raises(NotFoundError):
        declare(house.node, house.amelie, FR, event, POLICE.org, slot)
    for by in (house.amelie, house.reader):
        release(house.node, by, FR, held.event, FR, slot, "case 7")
    token = replace(house.amelie, party=replace(house.amelie.party, kind="machine"))
    with pytest.raises(NotFoundError):  # TLP:RED is for people
        declare(house.node, token, FR, event, POLICE.org, slot)
    made = declare(house.node, house.amelie, FR, event, POLICE.org, slot)
    for by in (house.amelie, house.reader):
        act(house, made, by, ORDER)
    seen, _ = read_file(house, hand_over(house.node, house.amelie, FR, made.event))
    assert shown_fields(seen) == {"wallet_addresses": ["demo-wallet-not-real-0001"]}


def test_an_edit_at_the_source_ends_a_declaration_before_it_went(house: House) -> None:
    event = reported(house)
    made = declared(house, event, "appointments_postponed", "entity_name")
    act(house, made, house.amelie, ORDER)
    house.world.clock.turn(hours=1)
    correction = {"report_id": REPORT_ID, "stage": "correction", "appointments_postponed": 613}
    submit_report(house.node, house.claire, correction)
    assert holds(house, made) == []
    assert [each.state for each in list_declarations(house.node, house.amelie)] == ["outdated"]
    with pytest.raises(ConflictError, match="something else"):
        hand_over(house.node, house.amelie, FR, made.event)
    again = declared(house, event, "appointments_postponed", "entity_name")
    assert again.is_new
    assert [each.state for each in list_declarations(house.node, house.amelie)][1] == "waits"


def test_the_same_choice_is_the_same_declaration(house: House) -> None:
    event = reported(house)
    first, again = declared(house, event, "entity_name"), declared(house, event, "entity_name")
    assert (first.is_new, again.is_new) == (True, False)
    assert first.event == again.event != declared(house, event, "entity_type").event


def test_no_door_of_the_node_shows_a_declaration_and_no_feed_has_it(federated: House) -> None:
    house = federated
    event = reported(house)
    made = declared(house, event, "entity_name")
    for by in (house.amelie, house.reader):
        act(house, made, by, ORDER)
    hand_over(house.node, house.amelie, FR, made.event)
    house.world.settle()
    for name in ("BE", "HUB"):
        assert house.world.held_from(name, made.event, "FR") is None
    for caller in (house.amelie, house.reader, house.claire, house.other):
        rows = list_events(house.node, caller).rows
        assert made.event not in {each.event for each in rows}
        hits = search_values(house.node, caller, "CH Val-Exemple")
        assert made.event not in {each.event for each in hits}
        with pytest.raises(NotFoundError):
            explain(house.node, caller, FR, made.event, BE)


def test_who_hands_over_and_why_stands_in_audit_and_ledger(house: House) -> None:
    event = reported(house)
    made = declared(house, event, "198.51.100.23")
    for by in (house.amelie, house.reader):
        act(house, made, by, ORDER)
    assert who_had_value(house.node, house.amelie, "198.51.100.23") == ()
    hand_over(house.node, house.amelie, FR, made.event)
    hand_over(house.node, house.amelie, FR, made.event)
    (had,) = who_had_value(house.node, house.amelie, "198.51.100.23")
    assert (had.party, had.party_name, had.way) == (POLICE.org, POLICE.name, "file")
    assert (had.event, had.until, had.confirmed_at) == (made.event, None, None)
    (line,) = who_had_event(house.node, house.amelie, FR, event).lines
    assert (line.party_name, line.way, line.event) == (POLICE.name, "file", made.event)
    with house.node.store.read() as unit:
        lines = audit.latest(unit.connection, 2)
    assert {each.action for each in lines} == {"declaration.hand-over"}
    assert lines[0].detail["persons"] == ["amelie", "reader"]
    (state,) = list_declarations(house.node, house.reader)
    assert (state.state, state.party_name) == ("handed over", POLICE.name)


def test_the_police_is_offered_nothing_and_has_no_people_here(house: House) -> None:
    event = reported(house)
    told = explain(house.node, house.amelie, FR, event, POLICE.org)
    assert told.refused
    assert (told.sent, told.size) == (0, 0)
    with pytest.raises(BadInputError, match="no door"):
        add_person(
            house.node,
            "test",
            login="inspecteur",
            org=POLICE.org,
            role="hospital",
            password="a long enough password",
        )


def test_a_reference_needs_its_ground_and_a_ground_its_reference(house: House) -> None:
    event = reported(house)
    made = declared(house, event, "entity_name")
    for ground in (("order", ""), ("", "PR 26/0412"), ("wish", "PR 26/0412"), ("order", "x\0")):
        with pytest.raises(BadInputError):
            act(house, made, house.amelie, ground)
    assert holds(house, made)[0].given == ()


def test_only_an_operator_declares_and_hands_over_and_only_to_an_authority(house: House) -> None:
    event = reported(house)
    slots = chosen(house, event, "entity_name")
    for caller in (house.claire, house.other, house.reader):
        with pytest.raises((NotAllowedError, NotFoundError)):
            declare(house.node, caller, FR, event, POLICE.org, slots)
    for to in (BE, house.claire.org, FR, "nobody"):
        with pytest.raises(NotFoundError, match="authority"):
            declare(house.node, house.amelie, FR, event, to, slots)
    made = declared(house, event, "entity_name")
    for by in (house.amelie, house.reader):
        act(house, made, by, ORDER)
    for caller in (house.reader, house.claire):
        with pytest.raises(NotAllowedError):
            hand_over(house.node, caller, FR, made.event)
    with pytest.raises(NotFoundError):
        hand_over(house.node, house.amelie, FR, event)
    with pytest.raises(NotAllowedError):
        list_declarations(house.node, house.claire)


def test_a_red_event_leaves_as_such_a_file_too(house: House) -> None:
    reported(house)
    done = submit_event(house.node, house.amelie, {"Event": EVENT, "tlp": "red", "publish": True})
    made = declared(house, done.event, "login-portal.example")
    for by in (house.amelie, house.reader):
        act(house, made, by, CONSENT)
    seen, _ = read_file(house, hand_over(house.node, house.amelie, FR, made.event))
    assert values(seen) == {"login-portal.example"}

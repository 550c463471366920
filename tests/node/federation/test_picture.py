"""The hub's picture and the peers' states, out of real reports that travelled."""

import re
from datetime import timedelta

import pytest

from node.actions.errors import NotAllowedError
from node.actions.holds import list_holds
from node.actions.peers import exchange_state, peer_states
from node.actions.picture import hub_picture
from node.actions.publish import publish
from node.actions.recall import recall
from node.actions.submit import submit_report
from tests.node.actions.house import CANARIES, EARLY_WARNING, NOTIFICATION, House, furnish
from tests.node.federation.world import ORGS, World, url_of


@pytest.fixture
def house(world: World) -> House:
    return furnish(world)


def report(house: House) -> str:
    """The early warning of a hospital, published; gives the event's uuid."""
    taken = submit_report(house.node, house.claire, EARLY_WARNING)
    publish(house.node, house.amelie, taken.origin, taken.event)
    return taken.event


def test_the_hub_sees_a_report_in_its_picture_and_no_longer_after_its_recall(house: House) -> None:
    event = report(house)
    house.world.settle()
    staff = house.caller_at("HUB", "hub_analyst")
    picture = hub_picture(house.world["HUB"], staff)
    [row] = picture.rows
    assert (row.country, row.entity_type, row.status) == ("FR", "hospital_general", "ongoing")
    assert (picture.incidents, picture.countries, row.incidents) == (1, 1, 1)
    assert picture.indicators == {"ip-dst": 1, "url": 1}
    assert row.indicators == 2
    recall(house.node, house.amelie, ORGS["FR"], event, "false_positive")
    house.world.settle()
    empty = hub_picture(house.world["HUB"], staff)
    assert (empty.rows, empty.incidents, empty.indicators) == ((), 0, {})


def test_a_later_stage_changes_the_row_not_their_number(house: House) -> None:
    report(house)
    house.world.settle()
    submit_report(house.node, house.claire, {**NOTIFICATION, "status": "contained"})
    house.world.settle()
    picture = hub_picture(house.world["HUB"], house.caller_at("HUB", "hub_analyst"))
    assert [(row.status, row.incidents) for row in picture.rows] == [("contained", 1)]


def test_an_event_without_incident_fields_is_no_incident(house: House) -> None:
    house.world.post("FR", "Phishing", values=["green.example"])
    house.world.settle()
    picture = hub_picture(house.world["HUB"], house.caller_at("HUB", "hub_analyst"))
    assert picture.incidents == 0
    assert picture.indicators == {"domain": 1}


def test_a_hospital_sees_neither_picture_nor_peers(house: House) -> None:
    with pytest.raises(NotAllowedError):
        hub_picture(house.node, house.claire)
    with pytest.raises(NotAllowedError):
        exchange_state(house.node, house.claire)


def test_canaries_absent_from_all_bytes_that_leave(house: House) -> None:
    report(house)
    house.world.settle()
    submit_report(house.node, house.claire, NOTIFICATION)
    house.world.settle()
    assert list_holds(house.node, house.amelie)  # what is held has not left either
    wire = b"".join(reply.body for _, _, reply in house.world.memory.passed)
    assert b"198.51.100.23" in wire
    assert [canary for canary in CANARIES if canary.encode() in wire] == []
    told = b"".join(line for line in wire.splitlines() if b"postponed" in line)
    assert told
    assert not re.search(rb"\b212\b", told)  # a hash may hold these digits, but not alone


def test_a_peer_is_shown_with_what_waits_for_it_and_what_went_wrong(world: World) -> None:
    world.post("FR", "One", values=["one.example"])
    world.post("FR", "Two", values=["two.example"])
    staff = furnish(world).amelie
    assert exchange_state(world["FR"], staff).dirty == 2
    world.project("FR")
    world.clock.turn(minutes=5)
    told = exchange_state(world["FR"], staff)
    state = {peer.name: peer for peer in told.peers}["node BE"]
    assert told.dirty == 0
    assert (state.state, state.queue, state.asked_at) == ("not asked yet", 2, None)
    assert state.oldest_unsent == world.clock() - timedelta(minutes=5)
    world.pull("BE", "FR")
    world.pull("BE", "FR")
    world.memory.down.add(url_of("BE"))
    for _ in range(5):
        world.pull("FR", "BE")
    state = {peer.name: peer for peer in peer_states(world["FR"])}["node BE"]
    assert (state.queue, state.oldest_unsent, state.asked_at) == (0, None, world.clock())
    assert state.next_try_at is not None
    assert (
        state.state == f"down: 5 in a row, backing off until {state.next_try_at:%Y-%m-%d %H:%M:%SZ}"
    )
    world.clock.turn(hours=1)
    assert peer_states(world["FR"])[0].state == "down: 5 in a row, asked again now"
    assert "cannot be reached" in str(state.last_error)


def test_a_failing_peer_that_asks_us_is_up_and_is_asked_within_an_interval(world: World) -> None:
    interval = timedelta(seconds=world["FR"].settings.pull_interval_s)
    world.memory.down.add(url_of("BE"))
    while _until(world, "FR", "BE") <= interval:
        world.pull("FR", "BE")
    world.memory.down.clear()
    for _ in range(20):
        world.pull("BE", "FR")
    assert _until(world, "FR", "BE") == interval  # since it failed, however often it asks
    world.memory.down.add(url_of("BE"))
    world.pull("FR", "BE")
    waits = _until(world, "FR", "BE")
    world.pull("DE", "FR")
    assert _until(world, "FR", "BE") == waits


def _until(world: World, name: str, other: str) -> timedelta:
    """How long a node waits before it asks another again."""
    [row] = [one for one in peer_states(world[name]) if one.name == f"node {other}"]
    return (row.next_try_at or world[name].wall()) - world[name].wall()


def test_a_peer_that_answers_again_is_in_step_and_later_late(world: World) -> None:
    world.memory.down.add(url_of("BE"))
    world.pull("FR", "BE")
    world.memory.down.clear()
    world.pull("FR", "BE")
    states = {peer.name: peer.state for peer in peer_states(world["FR"])}
    assert states["node BE"] == "in step"
    assert states["hub"] == "not asked yet"
    world.clock.turn(hours=1)
    assert peer_states(world["FR"])[0].state.startswith("late")

"""What comes twice, late or broken, and processes that die half way."""

import re
from contextlib import suppress
from dataclasses import replace

import pytest

from federation.call import Call, Reply
from node.actions.exchange import pull
from node.actions.peers import peer_states
from node.actions.projector import project_dirty
from node.storage.feed import find_seen
from node.storage.quarantine import quarantined
from tests.node.federation.mischief import (
    begin_anew_at,
    feed_of,
    forget_everything,
    forget_log,
    refusals,
    spoil_on_disk,
)
from tests.node.federation.world import (
    ORGS,
    OTHERS,
    CrashError,
    CrashingStore,
    World,
    honest,
    snapshot,
    url_of,
)


def test_the_same_feed_again_changes_nothing(both_worlds: World) -> None:
    world = both_worlds
    for number in range(5):
        world.post("FR", f"Event {number}", values=[f"{number}.example"])
    world.settle()
    before = snapshot(world["BE"])
    world.pull("BE", "FR")
    assert snapshot(world["BE"]) == before
    begin_anew_at(world, "BE", "FR")
    result = world.pull("BE", "FR")
    assert (result.items, result.admitted) == (5, 0)
    assert snapshot(world["BE"]) == before


@pytest.mark.parametrize("committed", [False, True])
def test_a_crash_at_any_commit_of_a_pull_loses_and_doubles_nothing(
    world: World, committed: bool
) -> None:
    events = [world.post("FR", f"Event {n}", values=[f"{n}.example"]) for n in range(3)]
    world.project("FR")
    crashes = 0
    while True:
        crashes += 1
        dying = replace(
            world["BE"], store=CrashingStore(world["BE"].store, crashes, committed=committed)
        )
        try:
            pull(dying, world.peer("BE", "FR"), world.memory)
        except CrashError:
            world.pull("BE", "FR")
            for event in events:
                assert f"{events.index(event)}.example" in world.text("BE", event)
            with world["BE"].store.read() as unit:
                rows = [find_seen(unit.connection, ORGS["FR"], ORGS["FR"], one) for one in events]
            assert sorted(row.pos for row in rows if row is not None) == [1, 2, 3]
            forget_everything(world, "BE")
        else:
            break
    assert crashes > 2


@pytest.mark.parametrize("committed", [False, True])
def test_a_crash_at_any_commit_of_the_projector_leaves_no_gap(
    world: World, committed: bool
) -> None:

    for number in range(4):
        events = [world.post("FR", f"Event {number}.{n}", values=["a.example"]) for n in range(2)]
        dying = replace(
            world["FR"], store=CrashingStore(world["FR"].store, number + 1, committed=committed)
        )
        with suppress(CrashError):
            project_dirty(dying, 100)
        world.project("FR")
        places = feed_of(world, "FR", "BE")
        assert [pos for pos, _, _ in places] == list(range(1, len(places) + 1))
        assert {event for _, event, _ in places} >= set(events)


def test_one_changed_byte_is_refused_by_every_recipient_and_the_rest_flows(
    both_worlds: World,
) -> None:
    world = both_worlds
    bad = world.post("FR", "Spoiled", values=["spoiled.example"])
    good = world.post("FR", "Whole", values=["whole.example"])

    def spoil(call: Call, reply: Reply) -> Reply:
        return replace(reply, body=reply.body.replace(b"spoiled.example", b"spoiled.exAmple"))

    world.project("FR")
    world.memory.spoil = spoil
    for name in OTHERS:
        result = world.pull(name, "FR")
        assert (result.admitted, result.quarantined, result.error) == (1, 1, None)
        [(check, reason)] = refusals(world, name)
        assert check == 5
        assert "root" in reason
        assert world.held(name, bad) is None
        assert "whole.example" in world.text(name, good)
        with world[name].store.read() as unit:
            [row] = quarantined(unit.connection)
        assert b"spoiled.exAmple" in row.raw
        state = {peer.org: peer for peer in peer_states(world[name])}[ORGS["FR"]]
        assert (state.state, state.quarantined) == ("in step", 1)


@pytest.mark.parametrize("how", ["told anew", "recalled"])
def test_refused_bytes_do_not_outlive_what_takes_their_content_back(world: World, how: str) -> None:
    event = world.post("FR", "Spoiled", values=["spoiled.example"])
    other = world.post("FR", "Another", values=["another.example"])

    def spoil(call: Call, reply: Reply) -> Reply:
        return replace(
            reply, body=re.sub(rb"(spoiled|another).example", rb"\1.exAmple", reply.body)
        )

    world.project("FR")
    world.memory.spoil = spoil
    assert world.pull("BE", "FR").quarantined == 2
    world.memory.spoil = honest
    if how == "recalled":
        world.recall("FR", event)
    else:
        world.edit("FR", event, "Narrowed")
    world.project("FR")
    world.pull("BE", "FR")
    with world["BE"].store.read() as unit:
        raw = {row.event: row.raw for row in quarantined(unit.connection)}
    assert raw[event] == b""  # that it was refused, and why, stays
    assert b"another.exAmple" in raw[other]


def test_a_stored_package_spoiled_on_disk_is_refused_by_number_and_the_rest_flows(
    world: World,
) -> None:
    bad = world.post("FR", "Spoiled", values=["spoiled.example"])
    good = world.post("FR", "Whole", values=["whole.example"])
    world.project("FR")
    spoil_on_disk(world, "FR", bad, b"spoiled.example", b"spoiled.exAmple")
    for name in OTHERS:
        assert world.pull(name, "FR").quarantined == 1
        assert [check for check, _ in refusals(world, name)] == [5]
        assert "whole.example" in world.text(name, good)


def test_a_stored_package_that_cannot_be_read_is_told_the_operator_and_the_rest_flows(
    world: World,
) -> None:
    bad = world.post("FR", "Spoiled", values=["spoiled.example"])
    good = world.post("FR", "Whole", values=["whole.example"])
    world.project("FR")
    spoil_on_disk(world, "FR", bad, b'{"fise":1', b'{"fise":x')
    for _ in range(2):
        result = world.pull("BE", "FR")
        assert result.error is None
    assert "whole.example" in world.text("BE", good)
    assert world.log("BE", bad) is None
    [(check, reason)] = refusals(world, "FR")
    assert check == 0
    assert "cannot be served" in reason


def test_a_page_with_a_spoiled_trailer_moves_nothing(world: World) -> None:
    event = world.post("FR", "Phishing", values=["green.example"])
    world.project("FR")

    def spoil(call: Call, reply: Reply) -> Reply:
        return replace(reply, body=reply.body.replace(b'"keyid":"', b'"keyid":"A'))

    world.memory.spoil = spoil
    result = world.pull("BE", "FR")
    assert result.error is not None
    assert world.log("BE", event) is None
    world.memory.spoil = lambda call, reply: reply
    assert world.pull("BE", "FR").admitted == 1


def test_a_large_package_comes_by_its_digest(world: World) -> None:
    values = [f"{'x' * 200}{n}.example" for n in range(5000)]
    event = world.post("FR", "Bulk", values=values)
    world.project("FR")
    assert world.pull("BE", "FR").admitted == 1
    assert any("/packages/" in call.path for call, _, _ in world.memory.passed)
    assert values[-1] in world.text("BE", event)
    asked = len(world.memory.passed)
    begin_anew_at(world, "BE", "FR")
    world.pull("BE", "FR")
    assert not any("/packages/" in call.path for call, _, _ in world.memory.passed[asked:])


def test_a_new_life_of_the_feed_is_read_from_its_start_and_what_it_no_longer_lists_goes(
    world: World,
) -> None:
    kept = world.post("FR", "Kept", values=["kept.example"])
    lost = world.post("FR", "Lost", values=["lost.example"])
    world.project("FR")
    world.pull("BE", "FR")
    restored = replace(world["FR"], keys=replace(world["FR"].keys, incarnation="ab" * 16))
    world.nodes["FR"] = world.memory.nodes[url_of("FR")] = restored
    forget_log(world, "FR", lost)
    result = world.pull("BE", "FR")
    assert result.error is None
    assert "kept.example" in world.text("BE", kept)
    assert world.held("BE", lost) is None
    assert world.pull("BE", "FR").items == 0

"""A peer that floods brings so much in a day and no more, by whatever way."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from node.actions.exchange import PullResult
from node.actions.peers import peer_states
from node.actions.quota import STRANGERS, heed_quota
from node.actions.repair import repair_due
from node.storage.quota import brought_on
from tests.node.federation.mischief import begin_anew_at, feed_of, refusals, say_otherwise
from tests.node.federation.test_push import Doors, pushed
from tests.node.federation.world import ORGS, World, url_of

TOLD = "it has brought 0.001 MiB since midnight UTC, all it may in a day. The rest comes tomorrow"


def allow(world: World, name: str, mib: float) -> None:
    """The node takes so much of each peer in a day."""
    node = world[name]
    strict = replace(node, settings=node.settings.model_copy(update={"peer_day_mib": mib}))
    world.nodes[name] = world.memory.nodes[url_of(name)] = strict


@pytest.fixture
def flooded(world: World) -> World:
    """BE has taken as much from FR today as it will."""
    allow(world, "BE", 0.001)
    world.post("FR", "First", values=["first.example"])
    world.project("FR")
    assert world.pull("BE", "FR").admitted == 1
    return world


def test_quota_answers_429_and_disk_stays(flooded: World) -> None:
    doors = Doors(flooded)
    event = flooded.post("FR", "Ransomware", urgent=True)
    flooded.project("FR")
    answer = doors.send(pushed(flooded, nth=1), flooded.peer("FR", "BE"))
    assert answer.status == 429
    assert "retry-after" in answer.headers
    assert flooded.log("BE", event) is None


def test_what_a_feed_holds_beyond_the_quota_waits_for_tomorrow(flooded: World) -> None:
    for version in ("a new log", "another"):
        event = flooded.post("FR", version, values=["late.example"])
        flooded.project("FR")
        result = flooded.pull("BE", "FR")
        assert result.admitted == 0
        assert result.error is not None
        assert result.error.startswith(TOLD)
        assert flooded.log("BE", event) is None
    flooded.clock.turn(hours=24)
    assert flooded.pull("BE", "FR").admitted == 2
    assert "late.example" in flooded.text("BE", event)


def test_what_is_refused_counts_as_well(flooded: World) -> None:
    flooded.clock.turn(hours=24)
    [(_, event, _)] = feed_of(flooded, "FR", "BE")
    say_otherwise(flooded, "FR", event, "Another", ["another.example"])
    flooded.project("FR")
    assert flooded.pull("BE", "FR").quarantined == 1
    assert len(refusals(flooded, "BE")) == 1
    flooded.post("FR", "Second", values=["second.example"])
    flooded.project("FR")
    assert flooded.pull("BE", "FR").error is not None


def test_who_floods_holds_up_nobody_else(flooded: World) -> None:
    event = flooded.post("DE", "Phishing", values=["other.example"])
    flooded.project("DE")
    flooded.pull("BE", "DE")
    assert "other.example" in flooded.text("BE", event)


def test_a_pushed_recall_of_what_is_here_is_taken_past_the_quota(flooded: World) -> None:
    [(_, event, _)] = feed_of(flooded, "FR", "BE")
    flooded.recall("FR", event)
    flooded.project("FR")
    assert Doors(flooded).send(pushed(flooded), flooded.peer("FR", "BE")).status == 204
    assert flooded.held("BE", event) is None


def relay(world: World) -> PullResult:
    """The hub reads all, then BE the hub."""
    world.project("FR", "DE")
    for source in ("FR", "DE"):
        world.pull("HUB", source)
    world.project("HUB")
    return world.pull("BE", "HUB")


def by_the_hub(world: World, event: str) -> bool:
    return world.held_from("BE", event, "HUB") is not None


def shares(world: World) -> Mapping[str, int]:
    """What the hub brought to BE today."""
    day = world.clock().replace(hour=0, minute=0, second=0, microsecond=0)
    with world["BE"].store.read() as unit:
        return brought_on(unit.connection, ORGS["HUB"], day)


def new_life(world: World, name: str) -> None:
    """The node's feeds begin anew, as after a restore."""
    node = world[name]
    renewed = replace(node, keys=replace(node.keys, incarnation="ab" * 16))
    world.nodes[name] = world.memory.nodes[url_of(name)] = renewed


@pytest.fixture
def relayed(world: World) -> World:
    """BE has taken as much of FR by the hub today as it will."""
    allow(world, "BE", 0.001)
    world.post("FR", "First", values=["first.example"])
    assert relay(world).admitted == 1
    return world


def test_a_flood_through_the_hub_holds_up_nobody_else_there(relayed: World) -> None:
    flood = [relayed.post("FR", f"Flood {n}", values=[f"{n}.example"]) for n in range(3)]
    other = relayed.post("DE", "Phishing", values=["other.example"])
    result = relay(relayed)
    assert (result.error, result.admitted) == (None, 1)
    assert "other.example" in relayed.text("BE", other)
    assert not any(by_the_hub(relayed, event) for event in flood)


def test_the_operator_is_told_who_floods_through_whom(relayed: World) -> None:
    told = {state.name: " ".join(state.warnings) for state in peer_states(relayed["BE"])}
    assert told["hub"].startswith("It has brought 0.001 MiB of node FR since midnight UTC")
    assert "MiB" not in told["node FR"] + told["node DE"]


def test_who_floods_through_the_hub_still_has_its_own_share(relayed: World) -> None:
    event = relayed.post("FR", "Direct", values=["direct.example"])
    relay(relayed)
    assert relayed.pull("BE", "FR").admitted == 2
    assert "direct.example" in relayed.text("BE", event)
    assert not by_the_hub(relayed, event)


def test_what_was_left_out_comes_by_itself_once_the_day_is_over(relayed: World) -> None:
    event = relayed.post("FR", "Flood", values=["flood.example"])
    relay(relayed)
    relay(relayed)
    assert repair_due(relayed["BE"], relayed.memory) == 0, "again and again on the same day"
    relayed.clock.turn(hours=24)
    assert repair_due(relayed["BE"], relayed.memory) > 0
    assert by_the_hub(relayed, event)


def test_what_was_left_out_is_not_taken_for_ended_when_the_hub_begins_anew(relayed: World) -> None:
    event = relayed.post("DE", "Phishing", values=["old.example"])
    relay(relayed)
    begin_anew_at(relayed, "BE", "HUB")
    new_life(relayed, "HUB")
    relayed.edit("DE", event, "Phishing", values=["old.example", "new.example"])
    relay(relayed)
    assert "old.example" in relayed.text("BE", event)


def test_what_is_taken_back_is_taken_back_past_every_share(relayed: World) -> None:
    [(_, event, _)] = feed_of(relayed, "FR", "HUB")
    relayed.recall("FR", event)
    relay(relayed)
    assert relayed.held("BE", event) is None


def test_what_is_here_already_counts_nothing(relayed: World) -> None:
    before = shares(relayed)
    begin_anew_at(relayed, "BE", "HUB")
    assert relay(relayed).admitted == 0
    assert shares(relayed) == before


def test_strangers_have_one_share_together(relayed: World) -> None:
    node = relayed["BE"]
    one, other = (f"1a6f1f3e-000{n}-4000-8000-00000000000{n}" for n in (8, 9))
    late = []
    for stranger in (one, other):
        with node.store.write() as unit:
            late.append(heed_quota(node, unit, ORGS["HUB"], {stranger: 2000, ORGS["DE"]: 10}))
    assert late == [set(), {other}]
    assert STRANGERS in shares(relayed)

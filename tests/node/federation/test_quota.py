"""A peer that floods brings so much in a day and no more, by whatever way."""

from dataclasses import replace

import pytest

from tests.node.federation.mischief import feed_of, refusals, say_otherwise
from tests.node.federation.test_push import Doors, pushed
from tests.node.federation.world import World, url_of

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

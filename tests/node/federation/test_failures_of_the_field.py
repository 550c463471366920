"""The two reference failures of the field, which must not be ours (misp.md §1.3, §3.1).

What shares today by tags filters the attributes of an event and forgets those within its objects;
and what was put in front of it to make up for that refuses a request whole where a part of it is too
strict. Here the part stays at home, and the rest travels under its signature.
"""

import json
from typing import Any

import orjson
import pytest

from node.actions.imports import import_misp
from node.actions.people import enrol_org
from node.actions.publish import publish
from node.actions.read import read_event
from node.actions.submit import submit_event
from node.storage.people import Org
from policies.tlp import Tlp
from sharing.seal.package import read_package
from sharing.seal.verify import verify
from tests.node.actions.house import BE, FR, House, furnish, values
from tests.node.federation.world import World

SECRET = "Q3J1Y2lhbA-red-inside-an-object"
OPEN = "tunnel.example"
EVENT: dict[str, Any] = {
    "uuid": "7c9e6679-7425-40de-944b-e07fc1f90ae7",
    "info": "Tunnel into imaging networks",
    "date": "2026-01-27",
    "timestamp": "1769500000",
    "Tag": [{"name": "tlp:green"}],
    "Attribute": [{"type": "domain", "category": "Network activity", "value": "plain.example"}],
    "Object": [
        {
            "name": "domain-ip",
            "meta-category": "network",
            "comment": "as seen in the imaging network",
            "Attribute": [
                {
                    "type": "domain",
                    "category": "Network activity",
                    "object_relation": "domain",
                    "value": OPEN,
                },
                {
                    "type": "text",
                    "category": "Other",
                    "object_relation": "text",
                    "value": SECRET,
                    "comment": f"comment on {SECRET}",
                    "Tag": [{"name": "tlp:red"}],
                },
            ],
        }
    ],
}
NUMBERED = json.loads(json.dumps(EVENT))
for _n, _each in enumerate(
    [*NUMBERED["Attribute"], *NUMBERED["Object"], *NUMBERED["Object"][0]["Attribute"]]
):
    _each |= {"uuid": f"7c9e6679-7425-40de-944b-e07fc1f90b{_n:02}", "timestamp": "1769500000"}


@pytest.fixture
def house(world: World) -> House:
    enrol_org(world["FR"], "test", Org(FR, "Node FR", "node", "FR"))
    return furnish(world)


def submitted(house: House, who: str) -> str:
    """The event comes in by the API or as a file of MISP's; an operator publishes it."""
    if who == "as a file":
        raw = orjson.dumps({"Event": NUMBERED})
        (done,) = import_misp(
            house.node, house.amelie, "event.json", raw, tlp=Tlp.GREEN, publish=True
        )
        return done.done.event
    caller = house.claire if who == "by a hospital" else house.amelie
    made = submit_event(house.node, caller, {"Event": EVENT, "tlp": "green"})
    publish(house.node, house.amelie, FR, made.event)
    return made.event


@pytest.mark.parametrize("how", ["by a hospital", "by an operator", "as a file"])
def test_a_red_attribute_inside_an_object_stays_while_the_object_travels(
    house: House, how: str
) -> None:
    """Answers MISP's push filter, which drops tagged attributes of the event, not of its objects."""
    event = submitted(house, how)
    house.world.settle()
    for name in ("BE", "DE", "HUB"):
        got = house.world.text(name, event)
        assert all(told in got for told in (OPEN, "domain-ip", "plain.example", EVENT["info"]))
        assert SECRET not in got
    passed = b"".join(reply.body for _, _, reply in house.world.memory.passed)
    assert OPEN.encode() in passed
    assert SECRET.encode() not in passed
    (thing,) = read_event(house.world["BE"], house.caller_at("BE"), FR, event).event.objects
    assert [each.value for each in thing.attributes] == [OPEN]
    at_home = values(read_event(house.node, house.amelie, FR, event))
    assert {SECRET, OPEN} <= at_home


@pytest.mark.parametrize("tag", ["tlp:red", "TLP:RED", "tlp:rainbow"])
def test_however_red_is_spelled_it_stays(house: House, tag: str) -> None:
    event = json.loads(json.dumps(EVENT))
    event["Object"][0]["Attribute"][1]["Tag"] = [{"name": tag}]
    made = submit_event(house.node, house.amelie, {"Event": event, "tlp": "green"})
    publish(house.node, house.amelie, FR, made.event)
    house.world.settle()
    got = house.world.text("BE", made.event)
    assert OPEN in got
    assert SECRET not in got


def test_what_holds_something_too_strict_is_redacted_and_not_refused_whole(house: House) -> None:
    """Answers the guard in front of MISP, which rejects all of a request for one part of it (403).

    What arrives instead is the rest, says that something was withheld, and verifies to a stranger.
    """
    event = submitted(house, "by an operator")
    house.world.project("FR")
    pulled = house.world.pull("BE", "FR")
    assert (pulled.error, pulled.admitted) == (None, 1)
    held = house.world.held_from("BE", event, "FR")
    assert held is not None
    assert held.withheld
    node = house.world["BE"]
    checked = verify(read_package(held.package), node.registry, first_seen_at=house.world.clock())
    assert checked.holding.statement.event == event
    seen = read_event(node, house.caller_at("BE"), FR, event)
    assert seen.notice
    assert values(seen) == {OPEN, "plain.example"}


def test_a_page_with_one_log_that_may_not_go_brings_the_others(house: House) -> None:
    """The same of a whole request: of three events the RED one is not told of, two arrive."""
    world = house.world
    going = [world.post("FR", f"event {n}", values=[f"g{n}.example"]) for n in range(2)]
    staying = world.post("FR", SECRET, Tlp.RED, values=["r.example"])
    world.project("FR")
    assert world.pull("BE", "FR").admitted == len(going)
    assert all(world.held("BE", event) is not None for event in going)
    assert world.log("BE", staying) is None


def test_two_nodes_agree_on_what_is_missing(house: House) -> None:
    """The receiver passes on no more than it got, and its own readers read no more."""
    event = submitted(house, "by an operator")
    house.world.settle()
    assert BE in {peer.org for peer in house.node.peers}
    for name in ("BE", "DE"):
        view = read_event(house.world[name], house.caller_at(name), FR, event)
        assert SECRET not in str(view)

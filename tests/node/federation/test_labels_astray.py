"""Nothing leaves whose colour stands where MISP has no place for one: searched for on the wire.

A file brings in, beside what anybody may have, what somebody coloured by any of the members of
`astray.py`, at any of its places. Our own API refuses the same, by its place, and keeps nothing.
"""

from collections.abc import Callable
from typing import Any

import orjson
import pytest

from node.actions.errors import BadInputError
from node.actions.imports import import_misp
from node.actions.people import enrol_org
from node.actions.submit import add_attributes, submit_event, submit_report
from node.storage.people import Org
from policies.tlp import Tlp
from tests.node.actions.house import EARLY_WARNING, EVENT, FR, House, furnish
from tests.node.federation.world import World, snapshot
from tests.sharing.astray import (
    CASES,
    GALAXIES,
    IDS,
    MEMBERS,
    PLACES,
    WHOLE,
    Made,
    beside_of,
    event_with,
)

SAYS = Callable[[str], Made]
NAMES = ("tlp", "TLP", "pap", "label", "labels", "marking", "object_marking_refs")
HAVE = {"": {"tlp"}, "indicators": {"tlp", "pap"}, "affected_services": set[str]()}
"""What of a report has which of these; there they count."""
_MEMBERS, _PLACES = [*MEMBERS, *GALAXIES], [*PLACES]
SOME = [
    (n, IDS[n], place, says)
    for n, (place, member, says) in enumerate(CASES)
    if (_MEMBERS.index(member) + _PLACES.index(place)) % 4 == 0
]
"""Every fourth pair of member and place: each member, and each place, more than once."""


@pytest.fixture
def house(world: World) -> House:
    enrol_org(world["FR"], "test", Org(FR, "Node FR", "node", "FR"))
    return furnish(world)


def canary(n: int) -> str:
    return f"canary-{n:03}.example"


def wire(house: House) -> bytes:
    return b"".join(reply.body for _, _, reply in house.world.memory.passed)


@pytest.mark.parametrize("colour", ["red", "rainbow"])
def test_a_file_with_colours_astray_discloses_nothing_of_them(house: House, colour: str) -> None:
    events = [
        {"Event": event_with(canary(n), PLACES[place](canary(n), says(colour)))}
        for n, _, place, says in SOME
    ]
    raw = orjson.dumps({"response": events})
    import_misp(house.node, house.amelie, "many.json", raw, tlp=Tlp.GREEN, publish=True)
    house.world.settle()
    sent = wire(house)
    assert [name for n, name, _, _ in SOME if canary(n).encode() in sent] == []
    beside = {name for n, name, _, _ in SOME if beside_of(canary(n)).encode() in sent}
    assert beside == {name for _, name, place, _ in SOME if place not in WHOLE}


def kept(house: House) -> object:
    return snapshot(house.node)


def test_our_own_api_refuses_a_label_astray_and_keeps_nothing(house: House) -> None:
    before = kept(house)
    for place, _, says in CASES:
        event = event_with(canary(0), PLACES[place](canary(0), says("red")))
        with pytest.raises(BadInputError, match="is no place for a label"):
            submit_event(house.node, house.claire, {"Event": event, "tlp": "green"})
    assert kept(house) == before


def test_attributes_that_are_added_may_have_none_either(house: House) -> None:
    made = submit_event(house.node, house.claire, {"Event": EVENT, "tlp": "green"})
    before = kept(house)
    for says in MEMBERS.values():
        one = PLACES["attribute"](canary(0), says("red"))["Attribute"]
        with pytest.raises(BadInputError, match="is no place for a label"):
            add_attributes(house.node, house.claire, FR, made.event, one)
    assert kept(house) == before


@pytest.mark.parametrize(
    ("within", "name"),
    [(within, name) for within, own in HAVE.items() for name in NAMES if name not in own],
)
def test_a_report_refuses_a_label_that_it_does_not_know(
    house: House, within: str, name: str
) -> None:
    report: dict[str, Any] = orjson.loads(orjson.dumps(dict(EARLY_WARNING)))
    thing = report[within][0] if within else report
    thing[name] = "red"
    before = kept(house)
    with pytest.raises(BadInputError) as refused:
        submit_report(house.node, house.claire, report)
    assert refused.value.field.startswith(within)
    assert kept(house) == before


def test_a_label_that_stands_where_it_counts_is_taken(house: House) -> None:
    event = event_with(canary(0), PLACES["attribute"](canary(0), {"Tag": [{"name": "tlp:red"}]}))
    body = {"Event": event, "tlp": "green", "pap": "green", "publish": True}
    submit_event(house.node, house.amelie, body)
    house.world.settle()
    assert canary(0).encode() not in wire(house)
    assert beside_of(canary(0)).encode() in wire(house)

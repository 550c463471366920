"""A source's coarse twin through a node and its peers: who gets it, who finds it, who is told."""

from typing import Any

import orjson
import pytest

from node.actions.errors import BadInputError
from node.actions.explain import explain, preview
from node.actions.imports import import_misp
from node.actions.read import read_event
from node.actions.search import search_values
from node.actions.submit import add_attributes, submit_event
from policies.tlp import Tlp
from sharing.formats.misp import COARSE, write_misp
from tests.node.actions.house import BE, EVENT, FR, House

EXACT, NETWORK = "198.51.100.7", "198.51.100.0/24"
UUID = "5e1f8a30-7d1c-4b5e-9a2f-6d5c4b3a2f77"


def address(**more: Any) -> dict[str, Any]:
    """An address that stays at home, and the network that does not."""
    return {
        "uuid": UUID,
        "type": "ip-dst",
        "category": "Network activity",
        "value": EXACT,
        "to_ids": True,
        "comment": "of ward 7",
        "timestamp": "1769500000",
        "Tag": [{"name": "tlp:amber+strict"}],
        "twin": {"value": NETWORK, "tlp": "green"},
    } | more


def body(**more: Any) -> dict[str, Any]:
    return {"Event": {**EVENT, "Attribute": [address(**more)]}, "tlp": "green", "publish": True}


def shared(house: House, **more: Any) -> str:
    """The event at FR, and at BE what BE may have of it."""
    done = submit_event(house.node, house.amelie, body(**more))
    house.world.project("FR")
    house.world.pull("BE", "FR")
    return done.event


def test_a_peer_reads_and_finds_the_twin_and_no_byte_of_the_value(federated: House) -> None:
    event = shared(federated)
    there, analyst = federated.world["BE"], federated.caller_at("BE", "analyst")
    (got,) = read_event(there, analyst, FR, event).event.attributes
    assert (got.value, got.precision, got.to_ids, got.comment) == (NETWORK, "twin", False, "")
    text = federated.world.text("BE", event)
    assert NETWORK in text
    assert EXACT not in text
    assert "of ward 7" not in text
    assert [hit.value for hit in search_values(there, analyst, NETWORK)] == [NETWORK]
    assert search_values(there, analyst, NETWORK)[0].tlp == "green"
    assert search_values(there, analyst, EXACT) == ()


def test_its_own_people_read_and_find_both(federated: House) -> None:
    event = shared(federated)
    (got,) = read_event(federated.node, federated.amelie, FR, event).event.attributes
    assert (got.value, got.precision, got.to_ids) == (EXACT, "exact", True)
    assert got.twin is not None
    assert got.twin.value == NETWORK
    for value in (EXACT, NETWORK):
        (hit,) = search_values(federated.node, federated.amelie, value)
        assert (hit.value, hit.attribute) == (value, UUID)


def test_explain_and_preview_tell_value_and_twin_apart(federated: House) -> None:
    event = shared(federated)
    told = explain(federated.node, federated.amelie, FR, event, BE)
    slots = {row.slot: (row.effect, row.tlp) for row in told.rows if row.kind == "attribute"}
    assert slots == {
        "head": ("sent", "green"),
        "text": ("withheld", "amber+strict"),
        "value": ("withheld", "amber+strict"),
        "twin": ("sent", "green"),
    }
    package = preview(federated.node, federated.amelie, FR, event, BE)
    assert NETWORK.encode() in package
    assert EXACT.encode() not in package


def test_an_edit_without_the_twin_takes_it_back_everywhere(federated: House) -> None:
    event = shared(federated)
    plain = address(timestamp="1769500001")
    del plain["twin"]
    add_attributes(federated.node, federated.amelie, FR, event, [plain])
    federated.world.project("FR")
    federated.world.pull("BE", "FR")
    assert NETWORK not in federated.world.text("BE", event)
    coarser = address(timestamp="1769500002", twin={"value": "198.51.0.0/16", "tlp": "clear"})
    add_attributes(federated.node, federated.amelie, FR, event, [coarser])
    federated.world.project("FR")
    federated.world.pull("BE", "FR")
    assert "198.51.0.0/16" in federated.world.text("BE", event)
    assert EXACT not in federated.world.text("BE", event)


def test_the_same_event_with_its_twin_again_changes_nothing(house: House) -> None:
    first = submit_event(house.node, house.amelie, body())
    again = submit_event(house.node, house.amelie, body())
    assert (first.is_new, again.is_new, again.seq) == (True, False, first.seq)


def test_a_coarse_value_leaves_for_misp_as_what_it_is(federated: House) -> None:
    event = shared(federated)
    there, analyst = federated.world["BE"], federated.caller_at("BE", "analyst")
    written: Any = write_misp(read_event(there, analyst, FR, event))["Event"]
    (attribute,) = written["Attribute"]
    assert (attribute["value"], attribute["to_ids"]) == (NETWORK, False)
    assert attribute["Tag"] == [{"name": COARSE}]
    written = write_misp(read_event(federated.node, federated.amelie, FR, event))["Event"]
    (attribute,) = written["Attribute"]
    assert (attribute["value"], attribute["to_ids"]) == (EXACT, True)
    assert {"name": COARSE} not in attribute["Tag"]
    assert NETWORK not in orjson.dumps(written).decode()


def test_a_strangers_file_chooses_nothing(house: House) -> None:
    raw = orjson.dumps({"Event": {**EVENT, "Attribute": [address(profile="odd")]}})
    (done,) = import_misp(house.node, house.amelie, "x.json", raw, tlp=Tlp.GREEN, publish=False)
    (got,) = read_event(house.node, house.amelie, FR, done.done.event).event.attributes
    assert (got.twin, got.value) == (None, EXACT)
    assert got.extra["twin"] == {"value": NETWORK, "tlp": "green"}


@pytest.mark.parametrize(
    ("wrong", "field", "why"),
    [
        ({"profile": "thin"}, "Event.Attribute[0].profile", "neither compact nor fine"),
        ({"twin": {"value": "x"}}, "Event.Attribute[0].twin.tlp", "missing"),
        ({"twin": {"value": "x", "tlp": "mauve"}}, "Event.Attribute[0].twin.tlp", "none of"),
        ({"twin": {"tlp": "green"}}, "Event.Attribute[0].twin.value", "missing"),
        ({"twin": {"value": "", "tlp": "green"}}, "Event.Attribute[0].twin.value", "empty"),
        (
            {"twin": {"value": "x", "tlp": "green", "to": "BE"}},
            "Event.Attribute[0].twin.to",
            "no member of a twin",
        ),
        ({"twin": "x"}, "Event.Attribute[0].twin", "wants an object"),
        ({"deleted": True}, "Event.Attribute[0].twin", "no value"),
        ({"twin": {"value": NETWORK, "tlp": "red"}}, "Event", "stricter than its own"),
        ({"profile": "compact"}, "Event", "needs the fine profile"),
    ],
)
def test_a_choice_that_cannot_be_is_refused_by_its_place(
    house: House, wrong: dict[str, Any], field: str, why: str
) -> None:
    with pytest.raises(BadInputError, match=why) as refused:
        submit_event(house.node, house.amelie, body(**wrong))
    assert refused.value.field == field
    assert EXACT not in str(refused.value)


def test_a_hospitals_choice_counts_as_well(house: House) -> None:
    typed = {"Event": {**EVENT, "Attribute": [address()]}, "tlp": "amber+strict"}
    done = submit_event(house.node, house.claire, typed)
    (got,) = read_event(house.node, house.claire, FR, done.event).event.attributes
    assert got.twin is not None
    assert (got.value, got.twin.mark.label.tlp) == (EXACT, Tlp.GREEN)

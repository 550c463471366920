"""Parts that hang on a thing of MISP with a distribution of their own, or for one instance alone."""

from typing import Any

import orjson
import pytest

from policies.label import Label
from policies.tlp import Tlp
from sharing.formats.misp import read_misp
from tests.sharing.making import FR, HOSPITAL

UUID = "11111111-1111-4111-8111-111111111111"
ATTRIBUTE = {
    "uuid": "33333333-3333-4333-8333-333333333333",
    "type": "ip-dst",
    "category": "Other",
    "value": "192.0.2.1",
}
PARTS: dict[str, Any] = {
    "galaxy": lambda own: {"Galaxy": [{"name": "hidden", **own}]},
    "cluster": lambda own: {
        "Galaxy": [{"name": "g", "GalaxyCluster": [{"value": "hidden", **own}]}]
    },
    "relation": lambda own: {
        "Galaxy": [
            {
                "name": "g",
                "GalaxyCluster": [
                    {"value": "c", "GalaxyClusterRelation": [{"type": "hidden", **own}]}
                ],
            }
        ]
    },
    "note": lambda own: {"Note": [{"note": "hidden", **own}]},
    "opinion on a note": lambda own: {
        "Note": [{"note": "n", "Opinion": [{"comment": "hidden", **own}]}]
    },
    "one alone": lambda own: {"Anything": {"text": "hidden", **own}},
}
PLACES = ("event", "attribute")
LEVELS: list[Any] = ["0", 1, "2", 4, "6", "-1", "three", True, [], {"a": 1}]
FEWER = [{"distribution": level} for level in LEVELS]
AS_FAR = [{}, {"distribution": 3}, {"distribution": "5"}, {"distribution": None}, {"local": False}]
LOCAL = [{"local": value} for value in (True, 1, "1", "yes", [0])]


def read(place: str, more: dict[str, Any]) -> tuple[str, tuple[str, ...]]:
    """All that is kept of such a document, and what people are told."""
    attribute = ATTRIBUTE | (more if place == "attribute" else {})
    event = {"uuid": UUID, "info": "x", "timestamp": "1700000000", "Attribute": [attribute]}
    document = {"Event": event | (more if place == "event" else {})}
    (found,) = read_misp(orjson.dumps(document), name="document")
    draft = found.draft(intake=Label(Tlp.GREEN), own_org=FR, source=HOSPITAL)
    return repr(draft.event), draft.notes


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("own", FEWER, ids=str)
def test_a_part_that_is_for_fewer_than_its_thing_is_left_out_and_told(
    place: str, part: str, own: dict[str, Any]
) -> None:
    kept, notes = read(place, PARTS[part](own))
    assert "hidden" not in kept
    assert "192.0.2.1" in kept
    assert [note for note in notes if "left out" in note]
    assert "hidden" not in "".join(notes)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("part", ["galaxy", "cluster"])
@pytest.mark.parametrize("own", LOCAL, ids=str)
def test_what_is_attached_for_one_instance_alone_is_left_out(
    place: str, part: str, own: dict[str, Any]
) -> None:
    kept, notes = read(place, PARTS[part](own))
    assert "hidden" not in kept
    assert notes


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("own", AS_FAR, ids=str)
def test_a_part_that_goes_as_far_as_its_thing_is_carried(
    place: str, part: str, own: dict[str, Any]
) -> None:
    kept, notes = read(place, PARTS[part](own))
    assert "hidden" in kept
    assert not notes


def test_the_colour_of_what_is_left_out_counts_for_its_thing() -> None:
    more = PARTS["cluster"]({"distribution": "0", "tag_name": "tlp:red"})
    assert "RED" in read("attribute", more)[0]

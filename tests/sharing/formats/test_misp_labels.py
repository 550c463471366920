"""A colour that stands where MISP has no place for one counts for the thing it stands in."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from policies.label import Label
from policies.tlp import Pap, Tlp
from sharing.formats.misp import BadMispError, MispEvent, read_misp
from sharing.seal.holding import Holding
from sharing.slots import Names, cut_event
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
    uuid_of,
)
from tests.sharing.making import FR, HOSPITAL, counting, sealed

CANARY = "zqcanaryqz.example"
SAYS = Callable[[str], Made]


def read(document: object, *, own: bool = False) -> MispEvent:
    (found,) = read_misp(orjson.dumps(document), name="f", choices=own)
    return found


def labels_of(
    document: object, text: str, tlp: Tlp = Tlp.GREEN, pap: Pap = Pap.CLEAR
) -> list[Label]:
    """The labels under which the seal has this text, wherever it stands."""
    draft = read(document).draft(intake=Label(tlp, pap), own_org=FR, source=HOSPITAL)
    holding = sealed(cut_event(draft, Names(counting())), draft.event.uuid)
    found = [holding.labels.effective(byte) for byte in _bytes_with(holding, text)]
    assert found
    return found


def _bytes_with(holding: Holding, text: str) -> Iterator[int]:
    for record in holding.records.values():
        for slot, byte in zip(record.slots, record.header.labels, strict=True):
            if slot is not None and text.encode() in slot:
                yield byte


def stays(label: Label) -> bool:
    return label.tlp is Tlp.RED or "unread-label" in label.categories


@pytest.mark.parametrize("colour", ["red", "rainbow"])
@pytest.mark.parametrize(("place", "member", "says"), CASES, ids=IDS)
def test_a_colour_counts_for_the_thing_it_stands_in(
    place: str, member: str, says: SAYS, colour: str
) -> None:
    del member
    event = event_with(CANARY, PLACES[place](CANARY, says(colour)))
    assert all(map(stays, labels_of({"Event": event}, CANARY)))
    beside = labels_of({"Event": event}, beside_of(CANARY))
    assert all(map(stays, beside)) is (place in WHOLE)


@pytest.mark.parametrize("says", MEMBERS.values(), ids=MEMBERS)
def test_a_colour_beside_an_event_or_beside_all_of_them_counts_for_it(says: SAYS) -> None:
    event = event_with(CANARY, PLACES["attribute"](CANARY, {}))
    for document in (
        {"Event": event, **says("red")},
        {"response": [{"Event": event, **says("red")}]},
        {"response": [{"Event": event}], **says("red")},
        [{"Event": event, **says("red")}],
    ):
        assert all(map(stays, labels_of(document, CANARY)))


def test_what_can_be_read_is_read_and_the_strictest_of_several_wins() -> None:
    says = {"tlp": "amber", "tags": ["tlp:green", "tlp:amber+strict"], "pap": "amber"}
    event = event_with(CANARY, PLACES["attribute"](CANARY, says))
    (label,) = labels_of(event, CANARY)
    assert (label.tlp, label.pap, stays(label)) == (Tlp.AMBER_STRICT, Pap.AMBER, False)


@pytest.mark.parametrize("member", ["tlp", "EventTag", "tags, texts", "STIX marking", "label"])
@pytest.mark.parametrize("place", PLACES)
def test_a_looser_colour_opens_nothing(place: str, member: str) -> None:
    says = MEMBERS[member]("clear") if member != "STIX marking" else {}
    event = event_with(CANARY, PLACES[place](CANARY, says))
    assert {label.tlp for label in labels_of(event, CANARY, Tlp.AMBER)} == {Tlp.AMBER}


@pytest.mark.parametrize("content", [5, True, {"a": 1}, [0.5], "secret", {"x": ["y"]}])
@pytest.mark.parametrize("name", ["tlp", "TLP", "label", "object_marking_refs"])
def test_what_no_label_can_be_is_an_unread_one(name: str, content: object) -> None:
    event = event_with(CANARY, PLACES["attribute"](CANARY, {name: content}))
    assert all(map(stays, labels_of(event, CANARY)))


@pytest.mark.parametrize("content", [None, "", " ", [], {}, False])
def test_a_label_that_says_nothing_is_none(content: object) -> None:
    says = {"tlp": content, "label": content, "EventTag": content}
    event = event_with(CANARY, PLACES["attribute"](CANARY, says))
    assert not any(map(stays, labels_of(event, CANARY)))


def test_a_pap_that_nobody_can_read_is_red() -> None:
    event = event_with(CANARY, PLACES["attribute"](CANARY, {"PAP": "pink"}))
    assert [label.pap for label in labels_of(event, CANARY)] == [Pap.RED]


def test_an_object_that_says_its_colour_by_an_attribute_has_it() -> None:
    for value in ("red", "TLP:RED", "rainbow"):
        event = event_with(CANARY, PLACES["object"](CANARY, {}))
        tells = {"type": "text", "uuid": uuid_of(CANARY, "tlp"), "value": value}
        event["Object"][0]["Attribute"].append({**tells, "object_relation": "tlp"})
        assert all(map(stays, labels_of(event, CANARY)))
        event["Object"][0]["Attribute"][-1]["object_relation"] = "subject"
        assert not any(map(stays, labels_of(event, CANARY)))


PROSE = "see the TLP:RED report"
NO_LABEL: dict[str, Made] = {
    "a comment": {"comment": PROSE},
    "a note": {"Note": [{"note": PROSE, "authors": "x"}]},
    "what a cluster is": {
        "Galaxy": [
            {
                "description": PROSE,
                "GalaxyCluster": [
                    {
                        "description": PROSE,
                        "meta": {
                            "refs": ["https://files.example/report_tlp-white.pdf"],
                            "label": "Growing of cereals",
                            "Preferred Label": ["01 Crops"],
                        },
                    }
                ],
            }
        ]
    },
    "the life of a name": {"ttl_policy": 300, "ttlPolicy": "short"},
    "the numbers of a tag": {"Tag": [{"name": "apt", "id": "5", "hide_tag": True, "local": 0}]},
    "another tag": {"EventTag": [{"tag_id": "3", "Tag": {"name": "admiralty-scale:b", "id": 3}}]},
    "what a proposal says of itself": {"ShadowAttribute": [{"value": "x", "tlp": "red"}]},
}


@pytest.mark.parametrize("says", NO_LABEL.values(), ids=NO_LABEL)
@pytest.mark.parametrize("place", ["attribute", "object", "attribute of an object", "event"])
def test_what_speaks_of_something_else_is_no_label(place: str, says: Made) -> None:
    event = event_with(CANARY, PLACES[place](CANARY, says))
    assert {label.tlp for label in labels_of(event, CANARY)} == {Tlp.GREEN}
    assert not any(map(stays, labels_of(event, CANARY)))


def test_the_name_of_an_organisation_is_no_label() -> None:
    event = event_with(CANARY, PLACES["creator"](CANARY, {}))
    event["Orgc"]["name"] = "TLP Works"
    assert not any(map(stays, labels_of(event, CANARY)))


def test_a_value_and_a_reports_text_may_speak_of_tlp() -> None:
    event = event_with(CANARY, PLACES["attribute"](f"{CANARY} {PROSE}", {}))
    event |= PLACES["report"](f"{CANARY} {PROSE}", {})
    assert not any(map(stays, labels_of({**event, "info": PROSE}, CANARY)))


@pytest.mark.parametrize(("place", "member", "says"), CASES, ids=IDS)
def test_our_own_source_is_told_where_a_label_belongs(place: str, member: str, says: SAYS) -> None:
    del member
    event = event_with(CANARY, PLACES[place](CANARY, says("red")))
    with pytest.raises(BadMispError, match="is no place for a label") as refused:
        read(event, own=True)
    assert CANARY not in str(refused.value)


def test_the_place_of_a_label_astray_is_named() -> None:
    event = event_with(CANARY, PLACES["attribute of an object"](CANARY, {"TLP": "red"}))
    with pytest.raises(BadMispError) as refused:
        read(event, own=True)
    assert refused.value.where == "Object[0].Attribute[0].tlp"
    assert refused.value.why.endswith("that of any other thing is a tag in its `Tag`")


@pytest.mark.parametrize("name", ["x_deep", "event_tags"])
def test_what_is_nested_too_deep_is_refused_wherever_labels_are_looked_for(name: str) -> None:
    event = event_with(CANARY, PLACES["attribute"](CANARY, {}))
    raw = orjson.dumps({**event, name: "DEEP"}).replace(b'"DEEP"', b"[" * 900 + b"]" * 900)
    with pytest.raises(BadMispError, match="is nested deeper than 24"):
        read_misp(raw, name="f")


def test_no_thing_of_a_real_event_has_a_label_astray(shared_data: Path) -> None:
    files = sorted((shared_data / "real" / "misp-events").glob("*.json"))
    whole = [each for each in files if each.name != "rqz-dnsduvel_blocklist.json"]
    found: list[Any] = [one for each in whole for one in read_misp(each.read_bytes(), name="f")]
    assert (len(found), [dict(one.local) for one in found if one.local]) == (24, [])


def test_the_table_has_every_member_at_every_place() -> None:
    assert len(CASES) == len(PLACES) * (len(MEMBERS) + len(GALAXIES))

"""MISP's distribution and our labels, both ways, over every level and colour (decisions.md D9)."""

from datetime import UTC, datetime
from itertools import product
from typing import Any

import orjson
import pytest

from policies.label import Label
from policies.tlp import Tlp
from sharing.event import Audience, Spread
from sharing.formats.misp import BadMispError, distribution_of, read_misp, write_misp
from sharing.formats.misp_groups import Group, Member, Reached, ShownGroup, Words, write_group
from sharing.seal.holding import Holding
from sharing.seal.records import Kind
from sharing.slots import Names, cut_event
from sharing.view import view
from tests.sharing.making import BE, DE, FR, HOSPITAL, HUB, NL, counting, party, sealed

CREATOR = "55f6ea5e-51ac-4344-bc8c-4170950d210f"
GROUP = "2b7c4c0e-9d55-4a0e-8f0d-7a4f7f2f0a01"
EVENT = "11111111-1111-4111-8111-111111111111"
OBJECT = "22222222-2222-4222-8222-222222222222"
PART = "33333333-3333-4333-8333-333333333333"
LEVELS = (None, "0", "1", "2", "3", "4", "5", "6", "-1")
PLACES = ("attribute", "object", "in object", "report")
TELLING = {
    "uuid": GROUP,
    "name": "Imaging",
    "SharingGroupOrg": [{"Organisation": {"uuid": org, "name": "x"}} for org in (BE, DE)],
}


def limits(level: str | None) -> tuple[Tlp, bool, bool, set[str]]:
    """The table of D9, once more: the least colour, `only`, `relay`, and whom it names."""
    match level:
        case "0":
            return Tlp.AMBER_STRICT, True, True, {CREATOR}
        case "1":
            return Tlp.CLEAR, True, False, {FR}
        case "2":
            return Tlp.CLEAR, False, False, set()
        case "3" | "5" | None:
            return Tlp.CLEAR, False, True, set()
        case "4":
            return Tlp.CLEAR, True, True, {BE, DE}
        case _:
            return Tlp.AMBER_STRICT, True, False, set()


def said(level: str | None, **more: Any) -> dict[str, Any]:
    group = {"sharing_group_id": "7", "SharingGroup": TELLING} if level == "4" else {}
    return {**({} if level is None else {"distribution": level}), **group, **more}


def document(whole: str | None, place: str, part: str | None, tlp: Tlp | None) -> dict[str, Any]:
    tags = [] if tlp is None else [{"name": tlp.tag}]
    value = {"type": "ip-dst", "category": "Other", "value": "192.0.2.1"}
    inner = {"uuid": PART, **value, **said(part), "Tag": tags}
    plain = {"uuid": PART, **value}
    thing: dict[str, Any] = {"uuid": OBJECT, "name": "file"}
    report = {"uuid": PART, "name": "r", "content": "c", **said(part), "Tag": tags}
    parts: dict[str, dict[str, Any]] = {
        "attribute": {"Attribute": [inner]},
        "object": {"Object": [{**thing, **said(part), "Tag": tags, "Attribute": [plain]}]},
        "in object": {"Object": [{**thing, "Attribute": [inner]}]},
        "report": {"EventReport": [report]},
    }
    head = {"uuid": EVENT, "info": "i", "date": "2026-01-27", "timestamp": "1769500000"}
    return {**head, "Orgc": {"uuid": CREATOR, "name": "c"}, **said(whole), **parts[place]}


def held(given: dict[str, Any], tlp: Tlp) -> Holding:
    (read,) = read_misp(orjson.dumps(given), name="f")
    draft = read.draft(intake=Label(tlp), own_org=FR, source=HOSPITAL)
    return sealed(cut_event(draft, Names(counting())), EVENT)


def facts(holding: Holding, place: str) -> list[tuple[Tlp, bool, bool, set[str]]]:
    """What the seal says of each slot of the part, whoever asks."""
    kind = {"report": Kind.REPORT_TEXT}.get(place, Kind.ATTRIBUTE)
    found = []
    for record in holding.records.values():
        if record.header.kind == kind:
            for byte in record.header.labels:
                label = holding.labels.effective(byte)
                who = set(holding.labels.addressees(byte))
                found.append((label.tlp, label.only, label.relay, who))
    assert found
    return found


@pytest.mark.parametrize(("whole", "tlp"), [*product(LEVELS, Tlp)])
def test_an_events_distribution_and_colour_are_both_limits(whole: str | None, tlp: Tlp) -> None:
    least, only, relay, who = limits(whole)
    holding = held(document(whole, "attribute", None, None), tlp)
    assert facts(holding, "attribute")[0] == (max(least, tlp), only, relay, who)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(("part", "tlp"), [*product(LEVELS, Tlp)])
def test_a_parts_distribution_and_colour_are_both_limits(
    place: str, part: str | None, tlp: Tlp
) -> None:
    least, only, relay, who = limits(part)
    holding = held(document("3", place, part, tlp), Tlp.CLEAR)
    for slot in facts(holding, place):
        assert slot == (max(least, tlp), only, relay, who)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(("whole", "part"), [*product(LEVELS, LEVELS)])
def test_a_part_never_goes_further_than_its_event_or_its_own_words(
    place: str, whole: str | None, part: str | None
) -> None:
    limits_ = (limits(whole), limits(part))
    for tlp in (Tlp.CLEAR, Tlp.AMBER):
        for colour, only, relay, who in facts(held(document(whole, place, part, None), tlp), place):
            assert colour >= max(tlp, limits_[0][0])
            assert only == (limits_[0][1] or limits_[1][1])
            assert relay == (limits_[0][2] and limits_[1][2])
            for _, is_only, _, named in limits_:
                assert not is_only or who <= named or colour == Tlp.RED


def test_a_looser_colour_does_not_open_an_object_that_fewer_may_have() -> None:
    """Under an event for a group nobody fewer can be named, so what fewer may have is RED."""
    given = document("4", "object", "0", None)
    given["Object"][0]["Attribute"][0]["Tag"] = [{"name": "tlp:green"}]
    given["Object"][0]["Attribute"][0]["distribution"] = "5"
    assert {slot[0] for slot in facts(held(given, Tlp.GREEN), "object")} == {Tlp.RED}


@pytest.mark.parametrize(
    ("given", "word"),
    [
        (said("6"), "distribution: is no level of MISP's, so it goes to nobody"),
        (
            {"distribution": "4", "sharing_group_id": "9"},
            "sharing_group_id: is not described",
        ),
        ({"distribution": "4"}, "sharing_group_id: is not described"),
        (
            said("4", SharingGroup={**TELLING, "active": False}),
            "sharing_group_id: is not active",
        ),
    ],
)
def test_what_nobody_can_read_reaches_nobody_and_says_so(given: dict[str, Any], word: str) -> None:
    whole = {**document(None, "attribute", None, None), **given}
    (read,) = read_misp(orjson.dumps(whole), name="f")
    draft = read.draft(intake=Label(Tlp.CLEAR), own_org=FR, source=HOSPITAL)
    assert draft.label.only
    assert not draft.audience
    assert len(draft.notes) == 1
    assert word in draft.notes[0]


def test_a_group_is_read_with_its_members_and_servers() -> None:
    servers = [{"all_orgs": True, "Server": {"url": "https://misp.example/"}}, {"server_id": "0"}]
    orgs = [*TELLING["SharingGroupOrg"], {"extend": "1", "Organisation": {"uuid": NL}}, {"org": 1}]
    group = {**TELLING, "roaming": "0", "SharingGroupServer": servers, "SharingGroupOrg": orgs}
    whole = {**document(None, "attribute", None, None), **said("4"), "SharingGroup": group}
    (read,) = read_misp(orjson.dumps(whole), name="f")
    assert read.groups == (
        Group(
            key="7",
            uuid=GROUP,
            name="Imaging",
            servers=("https://misp.example", ""),
            members=(Member(BE, "x"), Member(DE, "x"), Member(NL, extend=True)),
        ),
    )


def test_whom_a_group_reaches_is_the_nodes_to_say_and_its_version_is_kept() -> None:
    (read,) = read_misp(orjson.dumps(document("4", "attribute", None, None)), name="f")

    def reach(group: Group) -> Reached:
        assert group.uuid == GROUP
        return Reached(Audience(frozenset({HUB})), 5, GROUP)

    draft = read.draft(intake=Label(Tlp.GREEN), own_org=FR, source=HOSPITAL, reach=reach)
    assert draft.audience.parties == {HUB}
    assert draft.spreads == {EVENT: Spread(4, GROUP, 5), PART: None}


# ── Outwards ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("tlp", "only", "relay", "embargoed"),
    [*product(Tlp, (False, True), (True, False), (False, True))],
)
def test_a_label_becomes_the_level_by_which_misp_cannot_widen_it(
    tlp: Tlp, only: bool, relay: bool, embargoed: bool
) -> None:
    until = datetime(2027, 1, 1, tzinfo=UTC) if embargoed else None
    level = distribution_of(Label(tlp, only=only, relay=relay, until=until))
    if tlp > Tlp.GREEN or only or embargoed:
        assert level == "0"
    elif tlp == Tlp.CLEAR and relay:
        assert level == "3"
    else:
        assert level == "1"


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(("whole", "tlp"), [*product(Tlp, Tlp)])
def test_every_element_that_differs_has_its_own_tag_and_level(
    place: str, whole: Tlp, tlp: Tlp
) -> None:
    level = {Tlp.CLEAR: "3", Tlp.GREEN: "1"}
    given = document(None, place, None, tlp)
    (read,) = read_misp(orjson.dumps(given), name="f")
    draft = read.draft(intake=Label(Tlp.CLEAR), own_org=FR, source=HOSPITAL)
    draft = type(draft)(draft.event, Label(whole), HOSPITAL)
    holding = sealed(cut_event(draft, Names(counting())), EVENT)
    shown = view(holding, holding.masks, reader=party(FR), own=True)
    event: Any = write_misp(shown)["Event"]
    part = {
        "attribute": lambda: event["Attribute"][0],
        "object": lambda: event["Object"][0],
        "in object": lambda: event["Object"][0]["Attribute"][0],
        "report": lambda: event["EventReport"][0],
    }[place]()
    assert event["distribution"] == level.get(whole, "0")
    assert {"name": whole.tag} in event["Tag"]
    same_level = level.get(tlp, "0") == level.get(whole, "0")
    assert part["distribution"] == ("5" if same_level else level.get(tlp, "0"))
    assert [each["name"] for each in part.get("Tag", ()) if each["name"].startswith("tlp:")] == (
        [tlp.tag]
    )


@pytest.mark.parametrize(("whole", "part"), [*product(LEVELS[:7], LEVELS[:7])])
def test_its_own_people_read_back_the_distribution_they_gave(
    whole: str | None, part: str | None
) -> None:
    given = document(whole, "attribute", part, None)
    (read,) = read_misp(orjson.dumps(given), name="f")
    draft = read.draft(intake=Label(Tlp.GREEN), own_org=FR, source=HOSPITAL)
    holding = sealed(cut_event(draft, Names(counting())), EVENT)
    shown = view(holding, holding.masks, reader=party(FR), own=True)
    levels = {uuid: (each.level, each.group) for uuid, each in draft.spreads.items() if each}
    group = ShownGroup(7, Group("7", GROUP, "Imaging"))
    event: Any = write_misp(shown, Words(levels, {GROUP: group}))["Event"]
    inner = event["Attribute"][0]
    if whole not in {None, "5"}:
        assert event["distribution"] == whole
    assert inner["distribution"] == (part or "5")
    for level, thing in ((whole, event), (part, inner)):
        assert thing.get("sharing_group_id") == ("7" if level == "4" else None)
        assert ("SharingGroup" in thing) == (level == "4")


def test_a_group_shown_without_its_members_names_none() -> None:
    members = (Member(BE, "CANARY"),)
    whole = write_group(ShownGroup(7, Group("7", GROUP, "n", servers=("u",), members=members)))
    assert "CANARY" in repr(whole)
    hidden = write_group(ShownGroup(7, Group("7", GROUP, "n", servers=("u",), members=None)))
    assert {"SharingGroupOrg", "SharingGroupServer"}.isdisjoint(hidden)


@pytest.mark.parametrize(
    "told",
    [
        {"EventReport": [{"uuid": PART, "name": "n", "content": "c", "distribution": "3"}]},
        {"Object": [{"uuid": PART, "name": "file", "distribution": "3"}]},
        {"uuid": PART, "distribution": "3"},
    ],
)
def test_nothing_widens_another_thing_by_having_its_uuid(told: dict[str, Any]) -> None:
    confined = document(None, "attribute", "0", None)
    (alone,) = read_misp(orjson.dumps(confined), name="f.json")
    (attribute,) = alone.draft(intake=Label(Tlp.GREEN), own_org=FR, source=FR).event.attributes
    assert attribute.mark
    assert attribute.mark.label.only
    with pytest.raises(BadMispError, match="have one uuid"):
        read_misp(orjson.dumps(confined | told), name="f.json")

"""A sharing group changes: between real nodes, whoever left it has what was for it no longer."""

from typing import Any

import pytest

from node.actions.errors import BadInputError, ConflictError, NotAllowedError, NotFoundError
from node.actions.groups import show_group, show_groups
from node.actions.groups_change import (
    change_group,
    create_group,
    end_group,
    foresee_group,
)
from node.actions.groups_told import read_misp_event
from node.actions.people import enrol_org
from node.actions.publish import publish
from node.actions.read import read_event
from node.actions.submit import add_attributes, submit_event
from node.storage import audit
from node.storage.people import Org
from tests.node.actions.house import ESSAIS, VAL, House, furnish, values
from tests.node.federation.world import ORGS, World

FR, BE, DE, HUB = (ORGS[name] for name in ("FR", "BE", "DE", "HUB"))
CLINIC = "1c9e6a10-54c1-4f55-8a41-94a9d4b2aa77"
STRANGER = "1c9e6a10-54c1-4f55-8a41-94a9d4b2aa78"
ATTRIBUTE: dict[str, Any] = {
    "type": "domain",
    "category": "Network activity",
    "value": "for-the-group.example",
}
PLAIN: dict[str, Any] = {**ATTRIBUTE, "value": "for-all.example"}


@pytest.fixture
def house(world: World) -> House:
    """The node FR, with its people, among BE, DE and the hub."""
    enrol_org(world["FR"], "test", Org(FR, "Node FR", "node", "FR"))
    return furnish(world)


def group_of(house: House, *members: Any, **more: Any) -> str:
    body = {"name": "Imaging incident", "members": [*members], **more}
    return create_group(house.node, house.amelie, body).group.group


def share(house: House, group: str, tlp: str = "green", **event: Any) -> str:
    """An event for the group, published; gives its uuid."""
    told = {
        "info": "Tunnel into imaging networks",
        "Attribute": [ATTRIBUTE],
        "distribution": 4,
        "sharing_group_id": group,
        **event,
    }
    done = submit_event(house.node, house.amelie, {"Event": told, "tlp": tlp, "publish": True})
    house.world.settle()
    return done.event


def members(*orgs: str) -> dict[str, object]:
    return {"members": [{"org": org} for org in orgs]}


@pytest.mark.parametrize("tlp", ["clear", "green", "amber", "amber+strict"])
def test_what_is_for_a_group_reaches_its_members_and_nobody_else(house: House, tlp: str) -> None:
    event = share(house, group_of(house, BE), tlp)
    assert "for-the-group.example" in house.world.text("BE", event)
    assert house.world.log("DE", event) is None
    assert house.world.log("HUB", event) is None


@pytest.mark.parametrize("at", ["event", "object", "attribute"])
def test_who_left_a_group_has_nothing_of_it_any_more(house: House, at: str) -> None:
    group, world = group_of(house, BE, DE), house.world
    to_group = {"distribution": 4, "sharing_group_id": group}
    inside: dict[str, Any] = {"attribute": {**ATTRIBUTE, **to_group}}.get(at, ATTRIBUTE)
    thing = {"name": "tunnel", "Attribute": [ATTRIBUTE], **to_group}
    event = share(
        house,
        group,
        distribution=4 if at == "event" else 3,
        Attribute=[PLAIN] if at == "object" else [PLAIN, inside],
        Object=[thing] if at == "object" else [],
    )
    for name in ("BE", "DE"):
        assert "for-the-group.example" in world.text(name, event)

    done = change_group(house.node, house.amelie, group, members(DE))
    assert done.relabelled == 1
    world.settle()

    assert "for-the-group.example" not in world.text("BE", event)
    assert ("for-all.example" in world.text("BE", event)) is (at != "event")
    assert "for-the-group.example" in world.text("DE", event)
    assert "for-the-group.example" in values(read_event(house.node, house.amelie, FR, event))


def test_who_joined_a_group_gets_what_is_for_it_and_the_ground_is_kept(house: House) -> None:
    group, world = group_of(house, BE), house.world
    event = share(house, group, tlp="amber")
    done = change_group(house.node, house.amelie, group, members(BE, DE))
    world.settle()
    assert "for-the-group.example" in world.text("DE", event)
    assert world.log("HUB", event) is None
    row = world.log("FR", event)
    assert row is not None
    assert row.ground["groups"] == {group: done.group.version}
    with house.node.store.read() as unit:
        line, act, *_ = audit.latest(unit.connection, 5)
    assert (line.action, line.event) == ("event.regroup", event)
    assert line.detail["group"] == group
    assert line.detail["version"] == done.group.version == 2
    assert (act.action, act.detail["added"]) == ("group.change", [DE])


def test_an_ended_group_gives_nobody_anything_and_does_not_begin_again(house: House) -> None:
    group, world = group_of(house, BE, DE), house.world
    event = share(house, group)
    end_group(house.node, house.amelie, group)
    world.settle()
    assert not world.text("BE", event)
    assert not world.text("DE", event)
    with pytest.raises(ConflictError, match="ended"):
        change_group(house.node, house.amelie, group, members(BE))
    with pytest.raises(BadInputError, match="has ended: what is for it goes to nobody"):
        share(house, group)


def test_what_an_attribute_is_for_changes_without_the_rest_of_its_event(house: House) -> None:
    one, other = group_of(house, BE, DE), group_of(house, BE, DE)
    parts = [
        {**ATTRIBUTE, "distribution": 4, "sharing_group_id": one, "value": "one.example"},
        {**ATTRIBUTE, "distribution": 4, "sharing_group_id": other, "value": "other.example"},
        {**ATTRIBUTE, "distribution": 0, "value": "own.example"},
        PLAIN,
    ]
    event = share(house, one, distribution=3, Attribute=parts)
    change_group(house.node, house.amelie, one, members(DE))
    house.world.settle()
    seen = house.world.text("BE", event)
    assert [word in seen for word in ("one.", "other.", "own.", "for-all.")] == [0, 1, 0, 1]
    seen = house.world.text("DE", event)
    assert [word in seen for word in ("one.", "other.", "own.", "for-all.")] == [1, 1, 0, 1]


def test_the_preview_says_what_then_happens_and_changes_nothing(house: House) -> None:
    group, world = group_of(house, BE, VAL.org), house.world
    event = share(house, group)
    unpublished = {
        "info": "not yet",
        "Attribute": [ATTRIBUTE],
        "distribution": 4,
        "sharing_group_id": group,
    }
    submit_event(house.node, house.amelie, {"Event": unpublished, "tlp": "green"})
    before = world.log("FR", event)
    body = members(DE, STRANGER)
    seen = foresee_group(house.node, house.amelie, group, body)
    assert seen.events == 2
    assert set(seen.sentences) == {
        "1 event newly to node DE",
        "1 event taken from node BE",
        f"1 event taken from {VAL.name}",
    }
    assert [each.org for each in seen.group.unreachable] == [STRANGER]
    assert world.log("FR", event) == before
    assert change_group(house.node, house.amelie, group, body).relabelled == seen.events


def test_a_member_is_reached_through_whoever_stands_for_it(house: House) -> None:
    group = group_of(house, {"org": CLINIC, "name": "A clinic", "via": BE}, STRANGER)
    event = share(house, group)
    assert "for-the-group.example" in house.world.text("BE", event)
    shown = show_group(house.node, house.amelie, group)
    by = {each.org: (each.reached_by, each.why) for each in shown.members}
    assert by[CLINIC] == (BE, "")
    assert by[STRANGER] == (None, "neither enrolled here nor a member of the federation")


def test_a_group_bound_to_servers_reaches_only_who_is_at_one(house: House) -> None:
    servers = ["https://be.example.org/", "https://misp.elsewhere.example"]
    group = group_of(house, BE, DE, roaming=False, servers=servers)
    event = share(house, group)
    assert "for-the-group.example" in house.world.text("BE", event)
    assert house.world.log("DE", event) is None


def test_a_hospital_in_a_group_gets_what_is_for_it_and_loses_it(house: House) -> None:
    group = group_of(house, VAL.org, BE)
    event = share(house, group, tlp="amber+strict")
    assert "for-the-group.example" in values(read_event(house.node, house.claire, FR, event))
    with pytest.raises(NotFoundError):
        read_event(house.node, house.other, FR, event)
    change_group(house.node, house.amelie, group, members(BE))
    with pytest.raises(NotFoundError):
        read_event(house.node, house.claire, FR, event)


def test_a_hospital_sees_its_groups_and_of_the_members_only_itself(house: House) -> None:
    group = group_of(house, VAL.org, BE, {"org": STRANGER, "name": "CANARY-NAME"})
    (seen,) = show_groups(house.node, house.claire)
    assert (seen.group, seen.name, seen.whole) == (group, "Imaging incident", False)
    assert [each.org for each in seen.members] == [VAL.org]
    assert "CANARY" not in repr(seen)
    assert "amelie" not in repr(seen)
    assert show_groups(house.node, house.other) == ()
    for one in (group, STRANGER):
        with pytest.raises(NotFoundError, match="no such sharing group"):
            show_group(house.node, house.other, one)
    change_group(house.node, house.amelie, group, {"shows_members": True})
    assert "CANARY-NAME" in repr(show_group(house.node, house.claire, group))


def test_a_hospital_reads_its_own_words_back_without_who_else_is_in_the_group(
    house: House,
) -> None:
    group = group_of(house, VAL.org, BE, {"org": STRANGER, "name": "CANARY-NAME"})
    told = {"info": "x", "distribution": 4, "sharing_group_id": 1, "Attribute": [ATTRIBUTE]}
    done = submit_event(house.node, house.claire, {"Event": told, "tlp": "green"})
    publish(house.node, house.amelie, FR, done.event)
    house.world.settle()
    own: Any = read_misp_event(house.node, house.claire, FR, done.event)["Event"]
    assert (own["distribution"], own["sharing_group_id"]) == ("4", "1")
    assert own["SharingGroup"]["uuid"] == group
    assert "SharingGroupOrg" not in own["SharingGroup"]
    assert "CANARY" not in repr(own)
    assert BE not in repr(own)
    staff: Any = read_misp_event(house.node, house.amelie, FR, done.event)["Event"]
    assert "CANARY-NAME" in repr(staff["SharingGroup"]["SharingGroupOrg"])
    there = house.caller_at("BE")
    at_peer: Any = read_misp_event(house.world["BE"], there, FR, done.event)["Event"]
    assert at_peer["distribution"] == "0"  # a MISP there can keep nobody else from it
    assert "SharingGroup" not in repr(at_peer)
    everything = b"".join(reply.body for _, _, reply in house.world.memory.passed)
    for word in (group, "CANARY", "sharing_group", STRANGER, VAL.org):
        assert word.encode() not in everything


def test_a_group_that_one_may_not_know_is_like_one_that_is_not_there(house: House) -> None:
    group = group_of(house, BE)
    errors = set()
    for named in (group, STRANGER):
        told = {"info": "x", "distribution": 4, "sharing_group_id": named}
        with pytest.raises(BadInputError) as caught:
            submit_event(house.node, house.claire, {"Event": told, "tlp": "green"})
        errors.add(str(caught.value).replace(named, "…"))
    assert len(errors) == 1
    assert "goes to nobody" in errors.pop()


def test_added_attributes_follow_the_group_they_are_for(house: House) -> None:
    group = group_of(house, BE, DE)
    event = share(house, group, distribution=3, Attribute=[PLAIN])
    later = {**ATTRIBUTE, "distribution": 4, "sharing_group_id": group}
    add_attributes(house.node, house.amelie, FR, event, [later])
    house.world.settle()
    assert "for-the-group.example" in house.world.text("BE", event)
    assert "for-the-group.example" not in house.world.text("HUB", event)
    change_group(house.node, house.amelie, group, members(DE))
    house.world.settle()
    assert "for-the-group.example" not in house.world.text("BE", event)
    assert "for-the-group.example" in house.world.text("DE", event)


def test_the_same_members_again_change_nothing(house: House) -> None:
    group = group_of(house, BE, DE)
    event = share(house, group)
    before = house.world.log("FR", event)
    again = change_group(house.node, house.amelie, group, members(DE, BE))
    assert (again.is_new, again.relabelled) == (False, 0)
    assert house.world.log("FR", event) == before


@pytest.mark.parametrize("who", ["claire", "reader"])
def test_only_operators_make_and_change_groups(house: House, who: str) -> None:
    caller = getattr(house, who)
    group = group_of(house, VAL.org, ESSAIS.org)
    for act in (
        lambda: create_group(house.node, caller, {"name": "x"}),
        lambda: change_group(house.node, caller, group, {}),
        lambda: end_group(house.node, caller, group),
        lambda: foresee_group(house.node, caller, group, {}),
    ):
        with pytest.raises(NotAllowedError):
            act()


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "name"),
        ({"name": ""}, "name"),
        ({"name": "x\ny"}, "name"),
        ({"name": "x", "colour": 1}, "colour"),
        ({"name": "x", "members": "y"}, "members"),
        ({"name": "x", "members": ["y"]}, r"members\[0\].org"),
        ({"name": "x", "members": [BE, BE]}, r"members\[1\]"),
        ({"name": "x", "members": [{"org": BE, "via": "z"}]}, r"members\[0\].via"),
        ({"name": "x", "servers": [3]}, "servers"),
        ({"name": "x", "roaming": 1}, "roaming"),
        ({"name": "x", "group": "y"}, "group"),
    ],
)
def test_a_group_that_cannot_be_is_refused_naming_the_place(
    house: House, body: dict[str, object], field: str
) -> None:
    with pytest.raises(BadInputError, match=f"^{field}:"):
        create_group(house.node, house.amelie, body)

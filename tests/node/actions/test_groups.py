"""Sharing groups that come inside events, and events that come while a group changes."""

from typing import Any

import orjson
import pytest

from node.actions.drafts import make_event, read_body
from node.actions.errors import NotFoundError
from node.actions.groups import show_group, show_groups
from node.actions.groups_change import change_group, create_group
from node.actions.imports import Imported, import_misp
from node.actions.own import find_own
from node.actions.sealing import OvertakenError, Version, write_version
from node.actions.submit import submit_event
from node.storage.groups import spreads_of
from node.storage.people import Org
from policies.tlp import Tlp
from sharing.event import Spread
from sharing.seal.records import EVENT_LABEL
from tests.node.actions.house import BE, EVENT, FR, HUB, VAL, House

GROUP = "2b7c4c0e-9d55-4a0e-8f0d-7a4f7f2f0a01"
STRANGER = "1c9e6a10-54c1-4f55-8a41-94a9d4b2aa78"


def listing(*orgs: str, **more: Any) -> dict[str, Any]:
    inside = [{"Organisation": {"uuid": org, "name": f"org {org[-2:]}"}} for org in orgs]
    return {"uuid": GROUP, "name": "Imaging", "SharingGroupOrg": inside, **more}


def brought(house: House, who: Any, group: Any = None, **more: Any) -> Imported:
    told = {} if group is None else {"SharingGroup": group}
    event = {**EVENT, "distribution": "4", "sharing_group_id": "7", **told, **more}
    raw = orjson.dumps({"Event": event})
    (done,) = import_misp(house.node, who, "f.json", raw, tlp=Tlp.GREEN, publish=False)
    return done


def named(house: House, event: str) -> set[str]:
    with house.node.store.read() as unit:
        own = find_own(house.node, unit, house.amelie, FR, event)
    assert own.holding.labels.effective(EVENT_LABEL).only
    return set(own.holding.labels.addressees(EVENT_LABEL))


def test_a_group_inside_a_file_becomes_one_of_this_node_and_can_be_changed(house: House) -> None:
    done = brought(house, house.amelie, listing(BE, STRANGER))
    assert done.notes == ()
    assert named(house, done.done.event) == {BE}
    (known,) = show_groups(house.node, house.amelie)
    assert (known.group, known.name, known.events) == (GROUP, "Imaging", 1)
    assert [each.org for each in known.unreachable] == [STRANGER]
    change_group(house.node, house.amelie, GROUP, {"members": [HUB]})
    assert named(house, done.done.event) == {HUB}


def test_a_file_brings_nobody_back_into_a_group_and_nobody_new(house: House) -> None:
    create_group(house.node, house.amelie, {"name": "x", "group": GROUP, "members": [BE, VAL.org]})
    done = brought(house, house.amelie, listing(BE, HUB))
    assert named(house, done.done.event) == {BE}
    members = show_group(house.node, house.amelie, GROUP).members
    assert {each.org for each in members} == {BE, VAL.org}


def test_the_number_of_a_group_elsewhere_is_no_number_here(house: House) -> None:
    for n in range(7):
        create_group(house.node, house.amelie, {"name": str(n), "members": [BE]})
    done = brought(house, house.amelie)
    assert named(house, done.done.event) == set()
    assert done.notes == (
        "sharing group 7: is no sharing group that you know here: what is for it goes to nobody",
    )


def test_a_level_nobody_knows_keeps_an_imported_event_at_home_and_says_so(house: House) -> None:
    done = brought(house, house.amelie, distribution="6")
    assert named(house, done.done.event) == set()
    assert done.notes == ("Event.distribution: is no level of MISP's, so it goes to nobody",)


def test_a_hospitals_file_makes_no_group_here(house: House) -> None:
    done = brought(house, house.claire, listing(BE, VAL.org))
    assert show_groups(house.node, house.amelie) == ()
    assert named(house, done.done.event) == {BE, VAL.org}


def test_a_claimed_creator_gets_nothing_of_what_somebody_else_submits(house: House) -> None:
    told = {**EVENT, "distribution": "0", "Orgc": {"uuid": BE, "name": "BE"}}
    done = submit_event(house.node, house.claire, {"Event": told, "tlp": "green"})
    assert named(house, done.event) == {VAL.org}


def test_an_event_read_before_its_group_changed_is_not_written_after(house: House) -> None:
    create_group(house.node, house.amelie, {"name": "x", "group": GROUP, "members": [BE]})
    told = {**EVENT, "distribution": 4, "sharing_group_id": GROUP}
    home = Org(FR, "Node FR", "node", "FR")
    typed = read_body(house.node, house.amelie, home, {"Event": told, "tlp": "green"})
    made = make_event(house.node, typed.draft, published=True)
    assert isinstance(made, Version)
    change_group(house.node, house.amelie, GROUP, {"members": [HUB]})
    with (
        pytest.raises(OvertakenError, match=f"group {GROUP} was changed"),
        house.node.store.write() as unit,
    ):
        write_version(unit, made)
    with pytest.raises(NotFoundError):
        named(house, EVENT["uuid"])


def test_what_an_event_is_for_is_kept_beside_it_as_it_was_last_said(house: House) -> None:
    done = brought(house, house.amelie, listing(BE))
    with house.node.store.read() as unit:
        said = spreads_of(unit.connection, done.done.event)
    assert said == {done.done.event: Spread(4, GROUP)}
    brought(house, house.amelie, distribution="2")
    with house.node.store.read() as unit:
        said = spreads_of(unit.connection, done.done.event)
    assert said == {done.done.event: Spread(2)}
    assert change_group(house.node, house.amelie, GROUP, {"members": [HUB]}).relabelled == 0

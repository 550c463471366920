"""Sharing groups that come inside events, and events that come while a group changes."""

from typing import Any

import orjson
import pytest

from node.actions.drafts import make_event, read_body
from node.actions.errors import BadInputError, ConflictError, NotFoundError
from node.actions.groups import show_group, show_groups
from node.actions.groups_change import change_group, create_group
from node.actions.groups_met import Met, adopt, described_row
from node.actions.imports import Imported, import_misp
from node.actions.notes import sight
from node.actions.own import find_own
from node.actions.patients import PatientDataError, release_findings
from node.actions.sealing import OvertakenError, Version, write_version
from node.actions.submit import add_attributes, submit_event
from node.storage.groups import spreads_of
from node.storage.people import Org
from policies.tlp import Tlp
from sharing.event import Spread
from sharing.formats.misp_groups import Group
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
    (note,) = done.notes
    assert note.startswith("Event.sharing_group_id: is no sharing group that you know here: ")


def test_a_level_nobody_knows_keeps_an_imported_event_at_home_and_says_so(house: House) -> None:
    done = brought(house, house.amelie, distribution="6")
    assert named(house, done.done.event) == set()
    assert done.notes == ("Event.distribution: is no level of MISP's, so it goes to nobody",)


PATIENT = "Patient Maria Rossi, born 3 April 1961"


@pytest.mark.parametrize(
    ("group", "event"),
    [
        (listing(BE), {"info": PATIENT}),
        (listing(BE, name=PATIENT), {}),
        (listing(BE, releasability=PATIENT), {}),
        (listing(BE, SharingGroupOrg=[{"Organisation": {"uuid": BE, "name": PATIENT}}]), {}),
        (
            listing(BE, SharingGroupServer=[{"Server": {"url": f"https://x.example/{PATIENT}"}}]),
            {},
        ),
    ],
)
def test_a_refused_document_leaves_no_group_behind(
    house: House, group: dict[str, Any], event: dict[str, Any]
) -> None:
    with pytest.raises(PatientDataError) as refused:
        brought(house, house.amelie, group, **event)
    assert refused.value.field.startswith("f.json")
    assert "Rossi" not in str(refused.value)
    told = {**EVENT, "distribution": 4, "SharingGroup": group, **event}
    with pytest.raises(PatientDataError):
        submit_event(house.node, house.amelie, {"Event": told, "tlp": "green"})
    assert show_groups(house.node, house.amelie) == ()


def test_a_false_alarm_in_the_name_of_a_group_is_released_whatever_the_file_is_called(
    house: House,
) -> None:
    with pytest.raises(PatientDataError, match=r"f\.json/SharingGroup\.name: ") as refused:
        brought(house, house.amelie, listing(BE, name=PATIENT))
    ids = [each.id for each in refused.value.findings]
    release_findings(house.node, house.amelie, ids, "a made up name")
    event = {**EVENT, "distribution": 4, "SharingGroup": listing(BE, name=PATIENT)}
    submit_event(house.node, house.amelie, {"Event": event, "tlp": "green"})
    assert [each.name for each in show_groups(house.node, house.amelie)] == [PATIENT]


def test_a_document_refused_when_it_is_written_leaves_no_group_behind(house: House) -> None:
    submit_event(house.node, house.amelie, {"Event": EVENT, "tlp": "green", "publish": True})
    with pytest.raises(ConflictError, match="says something else"):
        brought(house, house.amelie, listing(BE))
    assert show_groups(house.node, house.amelie) == ()


def test_a_group_comes_with_what_is_submitted_or_added(house: House) -> None:
    told = {**EVENT, "distribution": 4, "SharingGroup": listing(BE)}
    done = submit_event(house.node, house.amelie, {"Event": told, "tlp": "green"})
    other = "2b7c4c0e-9d55-4a0e-8f0d-7a4f7f2f0a02"
    more = {
        **EVENT["Attribute"][0],
        "uuid": "5e1f8a30-7d1c-4b5e-9a2f-6d5c4b3a2f12",
        "distribution": 4,
        "SharingGroup": listing(BE, uuid=other),
    }
    add_attributes(house.node, house.amelie, FR, done.event, [more])
    known = show_groups(house.node, house.amelie)
    assert {(each.group, each.events) for each in known} == {(GROUP, 1), (other, 1)}
    assert named(house, done.event) == {BE}


def test_a_group_made_while_a_file_is_read_is_the_one_that_counts(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    def late(self: Met, within: str = "") -> None:
        if not show_groups(house.node, house.amelie):
            create_group(house.node, house.amelie, {"name": "x", "group": GROUP, "members": [HUB]})

    monkeypatch.setattr(Met, "check", late)
    done = brought(house, house.amelie, listing(BE, HUB))
    assert named(house, done.done.event) == {HUB}
    unkept = described_row(house.node, house.amelie, Group("", uuid=GROUP))
    with pytest.raises(OvertakenError, match=GROUP), house.node.store.write() as unit:
        adopt(house.node, unit, house.amelie, [unkept])
    assert [each.name for each in show_groups(house.node, house.amelie)] == ["x"]


@pytest.mark.parametrize(
    "words",
    [
        {"name": PATIENT},
        {"releasability": PATIENT},
        {"servers": [PATIENT]},
        {"members": [{"org": BE, "name": PATIENT}]},
    ],
)
def test_no_patient_stands_in_the_words_of_a_group(house: House, words: dict[str, Any]) -> None:
    with pytest.raises(PatientDataError, match=next(iter(words))):
        create_group(house.node, house.amelie, {"name": "x", **words})
    create_group(house.node, house.amelie, {"name": "x", "group": GROUP, "members": [BE]})
    with pytest.raises(PatientDataError, match=next(iter(words))):
        change_group(house.node, house.amelie, GROUP, words)
    assert show_group(house.node, house.amelie, GROUP).name == "x"


@pytest.mark.parametrize("members", [[BE, VAL.org], None])
def test_nothing_tells_a_hospital_of_a_group_it_may_not_know(
    house: House, members: list[str] | None
) -> None:
    create_group(house.node, house.amelie, {"name": "hidden", "group": GROUP, "members": [HUB]})

    def answer(group: str) -> tuple[str, object]:
        told = listing(*(members or ()), uuid=group)
        if members is None:
            del told["SharingGroupOrg"]
        done = brought(house, house.other, told, uuid=group)
        event = {**EVENT, "uuid": group, "distribution": 4, "SharingGroup": told, "info": "other"}
        try:
            submit_event(house.node, house.claire, {"Event": event, "tlp": "green"})
        except BadInputError as error:
            return str(error), done.notes
        return "taken", done.notes

    assert answer(GROUP) == answer(STRANGER)


def test_who_claims_a_groups_uuid_first_has_nothing_changed_when_it_is_made(house: House) -> None:
    done = brought(house, house.claire, listing(BE, VAL.org))
    made = create_group(
        house.node, house.amelie, {"name": "x", "group": GROUP, "members": [HUB, VAL.org]}
    )
    assert (made.relabelled, made.group.events) == (0, 0)
    assert named(house, done.done.event) == {BE, VAL.org}
    assert change_group(house.node, house.amelie, GROUP, {"members": [HUB]}).relabelled == 0


def test_whom_a_document_left_out_stays_out_when_he_comes_in_again(house: House) -> None:
    everybody = {"members": [BE, HUB, VAL.org]}
    create_group(house.node, house.amelie, {"name": "x", "group": GROUP, **everybody})
    done = brought(house, house.claire, listing(BE, VAL.org))
    assert named(house, done.done.event) == {BE, VAL.org}
    for members in ({"members": [VAL.org]}, everybody):
        change_group(house.node, house.amelie, GROUP, members)
    assert named(house, done.done.event) == {BE, VAL.org}
    new = {"members": [*everybody["members"], FR]}
    change_group(house.node, house.amelie, GROUP, new)
    assert named(house, done.done.event) == {BE, VAL.org, FR}


@pytest.mark.parametrize("unknown", [PATIENT, "9434765919"])
def test_what_is_typed_where_no_text_belongs_is_not_repeated(house: House, unknown: str) -> None:
    told = {**EVENT, "distribution": 4, "sharing_group_id": unknown}
    acts = (
        lambda: submit_event(house.node, house.claire, {"Event": told, "tlp": "green"}),
        lambda: submit_event(house.node, house.claire, {"Event": EVENT, unknown: 1}),
        lambda: create_group(house.node, house.amelie, {"name": "x", unknown: 1}),
        lambda: create_group(
            house.node, house.amelie, {"name": "x", "members": [{"org": BE, unknown: 1}]}
        ),
        lambda: sight(house.node, house.claire, [{"value": "x", unknown: 1}]),
    )
    for act in acts:
        with pytest.raises(BadInputError) as refused:
            act()
        assert unknown not in str(refused.value)
    with pytest.raises(BadInputError, match=r"^tpl: is no member of a submission"):
        submit_event(house.node, house.claire, {"Event": EVENT, "tpl": "green"})


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

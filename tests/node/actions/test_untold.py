"""What a hospital's event keeps to itself: who it is, the minute it wrote, and which uuids exist."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson
import pytest

from node.actions.errors import BadInputError, ConflictError, NotFoundError
from node.actions.explain import explain
from node.actions.imports import import_misp
from node.actions.publish import publish
from node.actions.read import read_event, read_report, read_stage_content
from node.actions.submit import add_attributes, submit_event, submit_report
from policies.tlp import Tlp
from sharing.event import Event
from sharing.view import to_json
from tests.node.actions.house import BE, EARLY_WARNING, EVENT, FR, REPORT_ID, VAL, House, values

AT = datetime(2026, 1, 27, 7, 43, 21, tzinfo=UTC)
UUID1 = "b8b60cf2-fb4a-11f0-8de9-0242ac120002"
TYPED: dict[str, Any] = {
    "info": "Phishing against hospital staff",
    "Attribute": [{"type": "domain", "category": "Network activity", "value": "a.example"}],
}
ADDRESS = "soc@ch-val.example"
MORE: dict[str, Any] = {"type": "domain", "category": "Network activity", "value": "b.example"}


def deep(levels: int) -> object:
    return orjson.loads(b"[" * levels + b"]" * levels)


@pytest.mark.parametrize("named", [{}, {"addressees": [BE]}, {"addressees": [BE], "only": True}])
def test_no_byte_that_others_get_names_the_hospital_or_its_minute(
    federated: House, named: dict[str, Any]
) -> None:
    house, world = federated, federated.world
    world.clock.now = AT
    body = {"Event": TYPED, "tlp": "green", **named}
    done = submit_event(house.node, house.claire, body)
    world.clock.turn(seconds=61)
    add_attributes(house.node, house.claire, FR, done.event, [MORE])
    world.clock.now = AT.replace(day=28, hour=9, minute=0, second=0)
    publish(house.node, house.amelie, FR, done.event)
    world.settle()
    assert "b.example" in world.text("BE", done.event)
    got = b"".join(reply.body for _, _, reply in world.memory.passed)
    if not named.get("only"):
        assert "b.example" in world.text("HUB", done.event)
        view = read_event(house.node, house.other, FR, done.event)
        got += orjson.dumps(to_json(view), default=str)
    telling = (
        VAL.org,
        VAL.name,
        "T07:43",
        "T07:44",
        *(str(int(AT.timestamp()) + n) for n in (0, 61)),
    )
    assert [each for each in telling if each.encode() in got] == []
    own = read_event(house.node, house.claire, FR, done.event).event.orgc
    staff = read_event(house.node, house.amelie, FR, done.event).event.orgc
    assert own == staff == {"uuid": VAL.org, "name": VAL.name}


PART: dict[str, Any] = MORE | {"uuid": "5e1f8a30-7d1c-4b5e-9a2f-6d5c4b3a2f18"}
REPORT: dict[str, Any] = {
    "uuid": "5e1f8a30-7d1c-4b5e-9a2f-6d5c4b3a2f19",
    "name": "n",
    "content": "c",
}
ME = {"id": "5", "uuid": VAL.org, "name": VAL.name}
CLUSTER: dict[str, Any] = {
    "value": "v",
    "distribution": "3",
    "Org": ME,
    "Orgc": ME,
    "authors": [ADDRESS],
}
NOTE: dict[str, Any] = {
    "note": "x",
    "authors": ADDRESS,
    "orgc_uuid": VAL.org,
    "distribution": "3",
    "Orgc": ME,
}
NESTED: dict[str, dict[str, Any]] = {
    "cluster": {"Galaxy": [{"name": "Threats", "GalaxyCluster": [CLUSTER]}]},
    "opinion": {"Opinion": [{**NOTE, "opinion": "90"}]},
    "note on an attribute": {"Attribute": [PART | {"Note": [NOTE]}]},
    "event of a report": {"EventReport": [REPORT | {"Event": {"Orgc": ME}}]},
    "a tag's": {"Tag": [{"name": "x:y", "Organisation": ME, "user_email": ADDRESS}]},
}


@pytest.mark.parametrize("where", NESTED)
def test_creators_within_what_a_hospital_brings_stay_behind(federated: House, where: str) -> None:
    house, world = federated, federated.world
    raw = orjson.dumps({"Event": {**EVENT, "Orgc": ME, **NESTED[where]}})
    (file,) = import_misp(house.node, house.claire, "f.json", raw, tlp=Tlp.GREEN, publish=False)
    typed = submit_event(house.node, house.claire, {"Event": TYPED | NESTED[where], "tlp": "green"})
    for done in (file.done, typed):
        publish(house.node, house.amelie, FR, done.event)
    world.settle()
    for done in (file.done, typed):
        view = read_event(house.node, house.other, FR, done.event)
        told = world.text("BE", done.event) + repr(to_json(view))
        assert world.text("BE", done.event)
        assert [each for each in (VAL.org, VAL.name, ADDRESS) if each in told] == []


def test_creators_within_what_staff_bring_are_kept_but_for_hospitals_enrolled_here(
    house: House,
) -> None:
    public = {"uuid": BE, "name": "MITRE"}
    clusters = [{**CLUSTER, "Orgc": who, "authors": ["them"]} for who in (public, ME)]
    told = {**EVENT, "Orgc": ME, "Galaxy": [{"name": "Threats", "GalaxyCluster": clusters}]}
    raw = orjson.dumps({"Event": told})
    (done,) = import_misp(house.node, house.amelie, "f.json", raw, tlp=Tlp.GREEN, publish=True)
    event = read_event(house.node, house.other, FR, done.done.event).event
    assert event.orgc is None
    assert "MITRE" in repr(event.galaxies)
    assert "them" in repr(event.galaxies)
    assert VAL.org not in repr(event)
    assert VAL.name not in repr(event)
    own = read_event(house.node, house.amelie, FR, done.done.event).event.orgc
    assert own == {"uuid": VAL.org, "name": VAL.name}


@pytest.mark.parametrize(
    ("told", "place"),
    [
        ({"info": f"Phishing at {VAL.name}"}, "info"),
        ({"info": f"phishing at {VAL.name.upper().replace(' ', '  ')}!"}, "info"),
        ({"Attribute": [PART | {"comment": f"from {VAL.name}"}]}, "attributes/1/comment"),
        ({"Attribute": [PART | {"seen_by": {"x": VAL.org}}]}, "attributes/1/extra/seen_by/x"),
        ({"Attribute": [PART | {VAL.name: 1}]}, "attributes/1/extra/1"),
        ({"Tag": [{"name": f'seen:at="{VAL.name}"'}]}, "tags/1/name"),
        ({"Attribute": [PART | {"value": "mail.ch-val-exemple.example"}]}, "attributes/1/value"),
        ({"info": "seen_at_CH_Väl_Exemple"}, "info"),
    ],
)
def test_a_text_of_a_hospital_that_names_it_is_refused_with_its_place(
    house: House, told: dict[str, Any], place: str
) -> None:
    with pytest.raises(BadInputError, match="names who brought it") as caught:
        submit_event(house.node, house.claire, {"Event": TYPED | told, "tlp": "green"})
    assert str(caught.value).startswith(f"{place}: ")
    raw = orjson.dumps({"Event": {**EVENT, **told}})
    with pytest.raises(BadInputError, match=f"f.json: {place}: names who"):
        import_misp(house.node, house.claire, "f.json", raw, tlp=None, publish=False)
    submit_event(house.node, house.other, {"Event": TYPED | told, "tlp": "green"})


def test_attributes_that_a_hospital_adds_name_it_neither(house: House) -> None:
    done = submit_event(house.node, house.claire, {"Event": TYPED, "tlp": "green"})
    named = MORE | {"comment": f"seen at {VAL.name}"}
    with pytest.raises(BadInputError, match="1/comment: names who brought it"):
        add_attributes(house.node, house.claire, FR, done.event, [named])
    add_attributes(house.node, house.claire, FR, done.event, [MORE | {"Note": [NOTE]}])
    publish(house.node, house.amelie, FR, done.event)
    event = read_event(house.node, house.other, FR, done.event).event
    assert "b.example" in values_of(event)
    assert ADDRESS not in repr(event)


def test_what_leaves_of_a_report_is_without_the_hospitals_name(federated: House) -> None:
    house, world = federated, federated.world
    odd = VAL.name.replace("C", "\uff23")
    told = {
        "title": f"Ransomware at {VAL.name}",
        "summary_shareable": f"Servers of {odd} encrypted",
        "supplier_name": f"IT of {VAL.name.upper()}",
        "entity_name": "Centre Val",
        "malware_family": "seen by centre  val first",
    }
    done = submit_report(house.node, house.claire, {**EARLY_WARNING, **told})
    publish(house.node, house.amelie, FR, done.event)
    world.settle()
    got = world.text("BE", done.event) + world.text("HUB", done.event)
    got += repr(to_json(read_event(house.node, house.other, FR, done.event)))
    assert "Ransomware at […]" in got
    assert "IT of […]" in got
    assert "seen by […] first" in got
    for name in (VAL.name, VAL.name.upper(), odd, VAL.org, "entre Val", "entre  val"):
        assert name not in got
    kept = orjson.loads(read_stage_content(house.node, house.claire, REPORT_ID, 1))
    assert {name: kept[name] for name in told} == told


def test_an_attribute_is_not_added_under_the_uuid_of_another_part(house: House) -> None:
    told = {**EVENT, "EventReport": [REPORT], "Attribute": [PART]}
    done = submit_event(house.node, house.amelie, {"Event": told, "tlp": "green"})
    for uuid in (REPORT["uuid"], done.event):
        with pytest.raises(BadInputError, match=r"another part|one uuid"):
            add_attributes(house.node, house.amelie, FR, done.event, [MORE | {"uuid": uuid}])
    add_attributes(house.node, house.amelie, FR, done.event, [MORE | {"value": "c.example"}])


def values_of(event: Event) -> list[str | None]:
    return [each.value for each in event.attributes]


def test_a_creator_that_staff_brought_goes_as_far_as_the_event(house: House) -> None:
    raw = orjson.dumps({"Event": {**EVENT, "Orgc": {"uuid": BE, "name": "CERT"}}})
    (done,) = import_misp(house.node, house.amelie, "f.json", raw, tlp=Tlp.GREEN, publish=True)
    view = read_event(house.node, house.other, FR, done.done.event)
    assert view.event.orgc == {"uuid": BE, "name": "CERT"}


def test_a_uuid_tells_a_hospital_nothing_of_what_others_have(house: House) -> None:
    body = {"Event": EVENT, "tlp": "green"}
    free = submit_event(house.node, house.other, body)
    taken = submit_event(house.node, house.claire, body)
    assert EVENT["uuid"] not in {free.event, taken.event}
    assert free.event != taken.event
    assert {UUID(each.event).version for each in (free, taken)} == {4}
    for caller, first in ((house.other, free), (house.claire, taken)):
        again = submit_event(house.node, caller, body)
        assert (again.event, again.seq, again.is_new) == (first.event, 1, False)
        with pytest.raises(ConflictError, match="says something else"):
            submit_event(house.node, caller, {**body, "Event": {**EVENT, "info": "else"}})


def test_staff_keep_the_uuid_they_give(house: House) -> None:
    done = submit_event(house.node, house.amelie, {"Event": EVENT, "tlp": "green"})
    assert done.event == EVENT["uuid"]


@pytest.mark.parametrize("more", [{}, {"uuid": UUID1}])
def test_a_retry_finds_its_event_whatever_uuid_it_has(house: House, more: dict[str, str]) -> None:
    body = {"Event": {**TYPED, **more}, "tlp": "green"}
    first = submit_event(house.node, house.claire, body)
    house.world.clock.turn(hours=5)
    again = submit_event(house.node, house.claire, body)
    assert (again.event, again.is_new) == (first.event, False)
    assert submit_event(house.node, house.other, body).event != first.event


def test_a_hospital_finds_its_event_by_the_uuid_it_gave(house: House) -> None:
    done = submit_event(house.node, house.claire, {"Event": EVENT, "tlp": "green"})
    given = EVENT["uuid"]
    assert read_event(house.node, house.claire, FR, given).event.uuid == done.event
    assert explain(house.node, house.claire, FR, given, BE).rows
    assert add_attributes(house.node, house.claire, FR, given, [MORE]).event == done.event
    for caller in (house.other, house.amelie):
        with pytest.raises(NotFoundError, match=r"^no such event$"):
            read_event(house.node, caller, FR, given)


def test_an_added_attribute_does_not_tell_the_machine_it_was_made_on(house: House) -> None:
    done = submit_event(house.node, house.claire, {"Event": EVENT, "tlp": "green"})
    key = (FR, done.event)
    more = [{**MORE, "uuid": UUID1}]
    assert add_attributes(house.node, house.claire, *key, more).seq == 2
    assert not add_attributes(house.node, house.claire, *key, more).is_new
    changed = [{**more[0], "value": "c.example"}]
    assert add_attributes(house.node, house.claire, *key, changed).seq == 3
    view = read_event(house.node, house.claire, *key)
    assert values(view) == {"login-portal.example", "c.example"}
    assert {UUID(each.uuid).version for each in view.event.attributes} == {4}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"Event": {**TYPED, "x": deep(1000)}, "tlp": "green"}, "Event"),
        ({"Event": TYPED, "tlp": "green", "addressees": [deep(1000)]}, "addressees"),
    ],
)
def test_what_is_nested_too_deep_is_refused(house: House, body: dict[str, Any], field: str) -> None:
    for caller in (house.claire, house.amelie):
        with pytest.raises(BadInputError) as refused:
            submit_event(house.node, caller, body)
        assert refused.value.field == field


def test_a_stage_that_changes_only_what_stays_at_home_is_no_news(federated: House) -> None:
    house, world = federated, federated.world
    world.clock.now = AT
    done = submit_report(house.node, house.claire, EARLY_WARNING)
    publish(house.node, house.amelie, FR, done.event)
    world.settle()
    before = world.held_from("BE", done.event, "FR")
    assert before is not None
    world.clock.turn(hours=3)
    secret = {**EARLY_WARNING, "summary_internal": "PACS-CANARY-01 is back"}
    assert submit_report(house.node, house.claire, secret).version == 2
    house.world.project()
    assert world.pull("BE", "FR").items == 0
    assert world.held_from("BE", done.event, "FR") == before
    own = world.log("FR", done.event)
    assert own is not None
    assert own.seq == 1
    told = to_json(read_event(house.node, house.claire, FR, done.event))
    assert "PACS-CANARY-01 is back" in orjson.dumps(told, default=str).decode()
    world.clock.turn(hours=3)
    submit_report(house.node, house.claire, {**secret, "status": "contained"})
    world.settle()
    assert '"contained"' in world.text("BE", done.event)


def test_staff_choose_whose_report_they_mean_where_several_used_its_id(house: House) -> None:
    one = submit_report(house.node, house.claire, EARLY_WARNING)
    house.world.clock.turn(hours=1)
    two = submit_report(house.node, house.other, EARLY_WARNING)
    with pytest.raises(ConflictError, match=r"\?org=") as refused:
        read_report(house.node, house.amelie, REPORT_ID)
    for caller, done in ((house.claire, one), (house.other, two)):
        assert caller.org in refused.value.why
        assert read_report(house.node, house.amelie, REPORT_ID, caller.org).event == done.event
        assert read_report(house.node, caller, REPORT_ID).event == done.event
    with pytest.raises(NotFoundError):
        read_report(house.node, house.other, REPORT_ID, house.claire.org)

"""Events from people and machines: whose they are, how far they go, and the same one twice."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import pytest

from node.actions.errors import BadInputError, ConflictError, NotAllowedError, NotFoundError
from node.actions.publish import publish
from node.actions.read import list_events, read_event
from node.actions.recall import recall
from node.actions.submit import add_attributes, submit_event, submit_report
from node.storage.dirt import is_dirty
from node.storage.logs import find_log
from policies.tlp import Tlp
from tests.node.actions.house import BE, EARLY_WARNING, EVENT, FR, HUB, House, values

UUID1 = "b8b60cf2-fb4a-11f0-8de9-0242ac120002"


def attribute(value: str, **more: object) -> dict[str, object]:
    return {"type": "domain", "category": "Network activity", "value": value, **more}


def test_a_hospitals_event_that_says_no_colour_is_amber_strict_and_its_own(house: House) -> None:
    done = submit_event(house.node, house.claire, {"Event": EVENT})
    view = read_event(house.node, house.claire, FR, done.event)
    assert (view.label.tlp, view.own, view.published) == (Tlp.AMBER_STRICT, True, False)
    assert view.event.orgc == {"uuid": house.claire.org, "name": "CH Val-Exemple"}
    assert view.label.categories == frozenset()
    with pytest.raises(NotFoundError):
        read_event(house.node, house.other, FR, done.event)


def test_staff_must_choose_a_colour(house: House) -> None:
    with pytest.raises(BadInputError) as refused:
        submit_event(house.node, house.amelie, {"Event": EVENT})
    assert refused.value.field == "tlp"
    tagged = {**EVENT, "Tag": [{"name": "tlp:green"}]}
    done = submit_event(house.node, house.amelie, {"Event": tagged})
    assert read_event(house.node, house.amelie, FR, done.event).label.tlp is Tlp.GREEN


def test_the_creator_a_hospital_claims_is_replaced_by_itself(house: House) -> None:
    claimed = {**EVENT, "Orgc": {"uuid": house.other.org, "name": "somebody else"}}
    done = submit_event(house.node, house.claire, {"Event": claimed})
    orgc = read_event(house.node, house.claire, FR, done.event).event.orgc
    assert orgc == {"uuid": house.claire.org, "name": "CH Val-Exemple"}


def test_the_same_event_again_changes_nothing(house: House) -> None:
    body = {"Event": {**EVENT, "Attribute": [attribute("a.example")]}, "tlp": "green"}
    first = submit_event(house.node, house.claire, body)
    again = submit_event(house.node, house.claire, body)
    assert first.is_new
    assert not again.is_new
    assert (again.event, again.epoch, again.seq) == (first.event, first.epoch, first.seq)


def test_another_event_of_the_same_uuid_is_a_conflict(house: House) -> None:
    submit_event(house.node, house.claire, {"Event": EVENT, "tlp": "green"})
    with pytest.raises(ConflictError, match="says something else"):
        submit_event(
            house.node, house.claire, {"Event": {**EVENT, "info": "other"}, "tlp": "green"}
        )


def test_a_uuid_that_another_hospital_uses_tells_nothing(house: House) -> None:
    one = submit_event(house.node, house.claire, {"Event": EVENT})
    two = submit_event(house.node, house.other, {"Event": EVENT})
    assert two.is_new
    assert two.event != one.event
    assert UUID(two.event).version == 4
    assert values(read_event(house.node, house.claire, FR, one.event)) == {"login-portal.example"}


def test_a_uuid_that_tells_a_machine_and_a_minute_is_replaced(house: House) -> None:
    told = {**EVENT, "uuid": UUID1, "Attribute": [attribute("a.example", uuid=UUID1[:-1] + "3")]}
    done = submit_event(house.node, house.claire, {"Event": told, "tlp": "green"})
    view = read_event(house.node, house.claire, FR, done.event)
    named = {done.event, view.event.uuid, *(each.uuid for each in view.event.attributes)}
    assert {UUID(one).version for one in named} == {4}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"Event": {"Attribute": []}, "tlp": "green"}, "Event.info"),
        (
            {"Event": {**EVENT, "Attribute": [{"type": "domain"}]}, "tlp": "green"},
            "Event.Attribute[0].value",
        ),
        ({"Event": EVENT, "tlp": "purple"}, "tlp"),
        ({"Event": EVENT, "tlp": "green", "pap": 7}, "pap"),
        ({"Event": EVENT, "tlp": "amber", "addressees": ["nobody"]}, "addressees[0]"),
        ({"Event": EVENT, "tlp": "amber", "addressees": BE}, "addressees"),
        ({"Event": EVENT, "tlp": "amber", "only": True}, "addressees"),
        ({"Event": EVENT, "tlp": "green", "publish": "yes"}, "publish"),
        ({"Event": EVENT, "colour": "green"}, "colour"),
        ({"tlp": "green"}, "Event"),
    ],
)
def test_what_is_wrong_is_named_by_its_place(
    house: House, body: dict[str, Any], field: str
) -> None:
    with pytest.raises(BadInputError) as refused:
        submit_event(house.node, house.amelie, body)
    assert refused.value.field == field
    assert list_events(house.node, house.amelie).rows == ()


def test_whom_the_source_names_is_sealed_with_it(house: House) -> None:
    body = {"Event": EVENT, "tlp": "amber", "addressees": [BE, HUB], "only": True}
    done = submit_event(house.node, house.amelie, body)
    view = read_event(house.node, house.amelie, FR, done.event)
    assert (view.label.tlp, view.label.only) == (Tlp.AMBER, True)


def test_publishing_is_an_operators_act_and_marks_the_log_dirty(house: House) -> None:
    with pytest.raises(NotAllowedError):
        submit_event(house.node, house.claire, {"Event": EVENT, "tlp": "green", "publish": True})
    done = submit_event(house.node, house.claire, {"Event": EVENT, "tlp": "green"})
    with pytest.raises(NotAllowedError):
        publish(house.node, house.claire, FR, done.event)
    with pytest.raises(NotFoundError):
        read_event(house.node, house.other, FR, done.event)
    with house.node.store.write() as unit:
        unit.connection.exec_driver_sql("DELETE FROM dirty")
    assert publish(house.node, house.amelie, FR, done.event).is_new
    assert not publish(house.node, house.amelie, FR, done.event).is_new
    with house.node.store.read() as unit:
        assert is_dirty(unit.connection, FR, done.event)
    assert read_event(house.node, house.other, FR, done.event).label.tlp is Tlp.GREEN


def test_publishing_what_is_not_there_or_not_ours_is_the_same_answer(house: House) -> None:
    for origin in (FR, BE):
        with pytest.raises(NotFoundError, match=r"^no such event of yours$"):
            publish(house.node, house.amelie, origin, EVENT["uuid"])


def test_attributes_are_added_once_and_replaced_by_their_uuid(house: House) -> None:
    done = submit_event(house.node, house.claire, {"Event": EVENT, "tlp": "green"})
    key = (FR, done.event)
    added = add_attributes(house.node, house.claire, *key, [attribute("b.example")])
    assert (added.seq, added.is_new) == (2, True)
    again = add_attributes(house.node, house.claire, *key, [attribute("b.example")])
    assert (again.seq, again.is_new) == (2, False)
    known = EVENT["Attribute"][0] | {"value": "c.example", "timestamp": "1769500001"}
    assert add_attributes(house.node, house.claire, *key, [known]).seq == 3
    view = read_event(house.node, house.claire, *key)
    assert values(view) == {"b.example", "c.example"}
    assert {each.tlp for each in view.labels.values()} == {Tlp.GREEN}


def test_attributes_are_added_to_ones_own_events_only(house: House) -> None:
    done = submit_event(house.node, house.claire, {"Event": EVENT, "tlp": "green"})
    publish(house.node, house.amelie, FR, done.event)
    for caller, event in ((house.other, done.event), (house.other, UUID1)):
        with pytest.raises(NotFoundError, match=r"^no such event of yours$"):
            add_attributes(house.node, caller, FR, event, [attribute("b.example")])
    with pytest.raises(BadInputError) as refused:
        add_attributes(house.node, house.claire, FR, done.event, [{"type": "domain"}])
    assert refused.value.field == "Event.Attribute[0].value"
    reported = submit_report(house.node, house.claire, EARLY_WARNING)
    with pytest.raises(ConflictError, match="stage of its report"):
        add_attributes(house.node, house.claire, FR, reported.event, [attribute("b.example")])


def test_writers_that_add_at_once_all_add(house: House) -> None:
    done = submit_event(house.node, house.claire, {"Event": EVENT, "tlp": "green"})

    def add(n: int) -> int:
        return add_attributes(
            house.node, house.claire, FR, done.event, [attribute(f"{n}.example")]
        ).seq

    with ThreadPoolExecutor(3) as pool:
        assert sorted(pool.map(add, range(4))) == [2, 3, 4, 5]
    assert len(values(read_event(house.node, house.claire, FR, done.event))) == 5


def test_publishing_while_somebody_adds_is_not_undone(house: House) -> None:
    done = submit_event(house.node, house.claire, {"Event": EVENT, "tlp": "green"})

    def add(n: int) -> None:
        add_attributes(house.node, house.claire, FR, done.event, [attribute(f"{n}.example")])

    with ThreadPoolExecutor(2) as pool:
        jobs = [pool.submit(add, n) for n in range(4)]
        publish(house.node, house.amelie, FR, done.event)
        for job in jobs:
            job.result()
    with house.node.store.read() as unit:
        row = find_log(unit.connection, FR, done.event)
    assert row is not None
    assert (row.published, row.seq) == (True, 5)


def test_a_recalled_events_uuid_is_not_used_again(house: House) -> None:
    done = submit_event(house.node, house.claire, {"Event": EVENT, "tlp": "green"})
    recall(house.node, house.amelie, FR, done.event, "error")
    with pytest.raises(ConflictError, match="recalled"):
        submit_event(house.node, house.claire, {"Event": EVENT, "tlp": "green"})
    assert submit_event(house.node, house.other, {"Event": EVENT}).event != done.event

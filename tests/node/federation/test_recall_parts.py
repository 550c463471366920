"""Attributes taken back: gone at every hop, confirmed like a recall, and not brought back."""

from typing import Any

import pytest
from sqlalchemy import select

from node.actions.caller import Caller
from node.actions.confirmations import taken_back
from node.actions.errors import BadInputError, NotAllowedError, NotFoundError
from node.actions.recall import Recalled, recall
from node.actions.stored import open_holding
from node.actions.submit import add_attributes
from node.storage import audit
from node.storage.logs import best_holding, find_holding
from node.storage.tables import entry, holding
from policies.tlp import Tlp
from sharing.event import Audience
from sharing.seal.records import Kind
from tests.node.federation.world import ORGS, OTHERS, World, url_of

FR = ORGS["FR"]
VALUES = ("gone.example", "kept.example")


def staff(world: World, role: Any = "operator") -> Caller:
    return Caller("amelie", FR, world["FR"].me, role)


def uuid_of(world: World, event: str, value: str) -> str:
    """The attribute of FR's event that has this value."""
    holding = world.held("FR", event)
    assert holding is not None
    for uuid, index in holding.things[Kind.ATTRIBUTE].items():
        if value.encode() in b"".join(slot or b"" for slot in holding.records[index].slots):
            return uuid
    raise AssertionError(value)


def take(world: World, event: str, *values: str, reason: str = "false_positive") -> Recalled:
    uuids = [uuid_of(world, event, value) for value in values]
    return recall(world["FR"], staff(world), FR, event, reason, uuids)


def told(world: World, event: str) -> str:
    return taken_back(world["FR"], staff(world), FR, event).told


def test_an_attribute_that_is_taken_back_is_gone_everywhere_and_confirmed(
    both_worlds: World,
) -> None:
    world = both_worlds
    event = world.post("FR", "Phishing", values=VALUES)
    world.settle()
    assert take(world, event, "gone.example").is_new
    pending = "confirmed by 0 of 3, pending 3: hub, node BE, node DE"
    assert told(world, event) == pending  # though nothing is decided yet
    world.project("FR")
    assert told(world, event) == pending
    world.pull("BE", "FR")
    world.send_receipts("BE")
    assert told(world, event) == "confirmed by 1 of 3, pending 2: hub, node DE"
    world.settle()
    world.send_receipts()
    assert told(world, event) == "confirmed by 3 of 3"
    for name in ("FR", *OTHERS):
        assert "kept.example" in world.text(name, event)
        assert "gone.example" not in world.text(name, event)
        assert not stored(world, name, "gone.example")


def stored(world: World, name: str, value: str) -> bool:
    """Whether a value is left in what is held or indexed, of whatever source."""
    node = world[name]
    with node.store.read() as unit:
        rows = unit.connection.execute(select(holding.c.origin, holding.c.event, holding.c.src))
        found = [find_holding(unit.connection, *row) for row in rows]
        entries = unit.connection.execute(select(entry)).all()
    held = b"".join(b"".join(open_holding(one).disclosure.slots) for one in found if one)
    return value.encode() in held or value in str(entries)


def test_only_those_who_had_the_attribute_are_asked(world: World) -> None:
    named = Audience(parties=frozenset({ORGS["BE"]}))
    event = world.post("FR", "For BE", Tlp.AMBER, VALUES, audience=named)
    world.settle()
    take(world, event, "gone.example")
    world.settle()
    world.send_receipts()
    assert told(world, event) == "confirmed by 1 of 1"


def test_what_is_taken_back_is_named_in_the_audit_and_its_value_is_not(world: World) -> None:
    event = world.post("FR", "Phishing", values=VALUES)
    uuid = uuid_of(world, event, "gone.example")
    take(world, event, "gone.example", reason="error")
    with world["FR"].store.read() as unit:
        line = audit.latest(unit.connection, 1)[0]
    assert line.action == "event.recall.attributes"
    assert (line.detail["reason"], line.detail["attributes"]) == ("error", [uuid])
    assert "gone.example" not in str(line)


def test_the_same_again_changes_nothing_and_what_was_never_there_is_told(world: World) -> None:
    event = world.post("FR", "Phishing", values=VALUES)
    gone, kept = (uuid_of(world, event, value) for value in VALUES)
    first = take(world, event, "gone.example")
    again = recall(world["FR"], staff(world), FR, event, "error", [gone])
    assert (again.seq, again.is_new) == (first.seq, False)
    with pytest.raises(BadInputError, match=r"attributes\[1\]"):
        recall(world["FR"], staff(world), FR, event, "error", [kept, event])
    assert "kept.example" in world.text("FR", event)
    assert recall(world["FR"], staff(world), FR, event, "error", [gone, kept]).is_new


def test_what_was_recalled_is_not_added_again_but_its_value_may_come_as_another(
    world: World,
) -> None:
    event = world.post("FR", "Phishing", values=VALUES)
    gone = uuid_of(world, event, "gone.example")
    take(world, event, "gone.example")
    same = {"type": "domain", "category": "Network activity", "value": "gone.example"}
    new = same | {"value": "new.example"}
    with pytest.raises(BadInputError, match=f"{gone} was recalled") as caught:
        add_attributes(world["FR"], staff(world), FR, event, [new, same | {"uuid": gone}])
    assert caught.value.field == "Attribute[1].uuid"
    assert "new.example" not in world.text("FR", event)
    add_attributes(world["FR"], staff(world), FR, event, [same])
    assert "gone.example" in world.text("FR", event)
    assert uuid_of(world, event, "gone.example") != gone


def test_an_empty_list_does_not_take_back_the_whole_event(world: World) -> None:
    event = world.post("FR", "Phishing", values=VALUES)
    with pytest.raises(BadInputError, match="attributes"):
        recall(world["FR"], staff(world), FR, event, "error", [])
    with world["FR"].store.read() as unit:
        assert best_holding(unit.connection, FR, event) is not None


def test_only_an_operator_takes_attributes_back_and_none_of_a_recalled_event(
    world: World,
) -> None:
    event = world.post("FR", "Phishing", values=VALUES)
    uuid = uuid_of(world, event, "gone.example")
    with pytest.raises(NotAllowedError):
        recall(world["FR"], staff(world, "analyst"), FR, event, "error", [uuid])
    with pytest.raises(BadInputError, match="reason"):
        recall(world["FR"], staff(world), FR, event, "because", [uuid])
    recall(world["FR"], staff(world), FR, event, "error")
    with pytest.raises(NotFoundError):
        recall(world["FR"], staff(world), FR, event, "error", [uuid])


def test_what_is_said_of_an_attribute_goes_with_it(world: World) -> None:
    event = world.post("FR", "Phishing", values=["kept.example"])
    tagged = {
        "type": "domain",
        "category": "Network activity",
        "value": "gone.example",
        "Tag": [{"name": "canary-tag"}],
    }
    add_attributes(world["FR"], staff(world), FR, event, [tagged])
    assert "canary-tag" in world.text("FR", event)
    take(world, event, "gone.example")
    assert "canary-tag" not in world.text("FR", event)
    assert "kept.example" in world.text("FR", event)


def test_so_much_that_the_log_would_begin_anew_is_taken_back_only_with_all_of_it(
    world: World,
) -> None:
    values = [f"v{n}.example" for n in range(1100)]
    event = world.post("FR", "Phishing", values=[*values, "kept.example"])
    kept = uuid_of(world, event, "kept.example")
    held = world.held("FR", event)
    assert held is not None
    gone = [uuid for uuid in held.things[Kind.ATTRIBUTE] if uuid != kept]
    with pytest.raises(BadInputError, match="recall it"):
        recall(world["FR"], staff(world), FR, event, "error", gone)
    assert "v7.example" in world.text("FR", event)


def test_what_ended_in_a_new_epoch_is_not_read_from_anothers_older_copy(world: World) -> None:
    values = [f"v{n}.example" for n in range(1100)]
    event = world.post("FR", "Phishing", values=[*values, "kept.example"])
    world.settle()
    assert world.held_from("BE", event, "HUB") is not None
    world.memory.down.update({url_of("HUB"), url_of("DE")})
    world.edit("FR", event, "Phishing", Tlp.GREEN, ["kept.example"])
    world.project("FR")
    world.pull("BE", "FR")
    log = world.log("BE", event)
    assert log is not None
    assert log.epoch == 1
    world.edit("FR", event, "Phishing", Tlp.RED, ["kept.example"])
    world.project("FR")
    world.pull("BE", "FR")
    assert world.held("BE", event) is None
    with world["BE"].store.read() as unit:
        assert unit.connection.execute(select(entry).where(entry.c.event == event)).first() is None

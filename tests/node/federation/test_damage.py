"""Stored bytes that change on the disk: told the operator, healed or left out; the rest flows."""

from collections.abc import Callable

import pytest
import zstandard
from sqlalchemy import select, update

from federation.wire import Op
from node.actions.caller import Caller
from node.actions.explain import explain
from node.actions.peers import exchange_state
from node.actions.read import read_event
from node.api.errors import status_of, why_of
from node.storage import tables
from node.storage.errors import StoredPackageError
from policies.tlp import Tlp
from tests.node.federation.mischief import begin_anew_at, feed_of, refusals
from tests.node.federation.ruling import TIGHTER, put_in_force
from tests.node.federation.world import ORGS, World

Spoil = Callable[[bytes, int], bytes]
SPREAD = 40


def flip(raw: bytes, nth: int) -> bytes:
    """The bytes with one bit of the `nth` of so many places changed: first, last, all between."""
    at = nth * (len(raw) - 1) // (SPREAD - 1)
    return raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :]


def flip_within(raw: bytes, nth: int) -> bytes:
    """The same of what is packed, packed again."""
    return zstandard.compress(flip(zstandard.decompress(raw), nth))


def spoil(world: World, name: str, event: str, nth: int, how: Spoil) -> None:
    table = tables.holding
    with world[name].store.write() as unit:
        conn = unit.connection
        [raw] = conn.scalars(select(table.c.package).where(table.c.event == event))
        spoiled = how(raw, nth)
        conn.execute(update(table).where(table.c.event == event).values(package=spoiled))


def staff(world: World, name: str) -> Caller:
    return Caller("op", ORGS[name], world[name].me, "operator")


both = pytest.mark.parametrize("how", [flip, flip_within])


@both
def test_one_damaged_package_at_the_sender_stops_nothing_but_itself(
    world: World, how: Spoil
) -> None:
    bad = [world.post("FR", f"Bad {n}", values=[f"bad{n}.example"]) for n in range(SPREAD)]
    for nth, event in enumerate(bad):
        spoil(world, "FR", event, nth, how)
    good = world.post("FR", "Whole", values=["whole.example"])
    world.project("FR")
    assert world.dirt("FR") == 0
    assert world.pull("BE", "FR").error is None
    assert "whole.example" in world.text("BE", good)
    reported = len(refusals(world, "FR"))
    refused = [check for check, _ in refusals(world, "BE")]
    intact = [event for event in bad if world.held("BE", event) is not None]
    assert reported
    assert all(refused)
    assert reported + len(refused) + len(intact) == SPREAD
    assert len(intact) <= 1 + (how is flip)  # a checksum's bit, or a byte that tells nothing


@both
def test_a_package_damaged_after_it_was_projected_does_not_stop_the_feed(
    world: World, how: Spoil
) -> None:
    bad = [world.post("FR", f"Bad {n}", values=[f"bad{n}.example"]) for n in range(SPREAD)]
    good = world.post("FR", "Whole", values=["whole.example"])
    world.project("FR")
    for nth, event in enumerate(bad):
        spoil(world, "FR", event, nth, how)
    assert world.pull("BE", "FR").error is None
    assert "whole.example" in world.text("BE", good)
    assert all("cannot be served" in reason for _, reason in refusals(world, "FR"))


@both
def test_a_damaged_package_at_the_receiver_is_healed_by_the_next_and_blames_nobody(
    world: World, how: Spoil
) -> None:
    bad = [world.post("FR", f"Bad {n}", values=[f"bad{n}.example"]) for n in range(SPREAD)]
    world.project("FR")
    world.pull("BE", "FR")
    for nth, event in enumerate(bad):
        spoil(world, "BE", event, nth, how)
        world.edit("FR", event, f"Bad {nth}", values=[f"bad{nth}.example", f"new{nth}.example"])
    good = world.post("FR", "Whole", values=["whole.example"])
    world.project("FR")
    result = world.pull("BE", "FR")
    assert (result.error, result.quarantined, result.admitted) == (None, 0, SPREAD + 1)
    assert "whole.example" in world.text("BE", good)
    for nth, event in enumerate(bad):
        assert f"new{nth}.example" in world.text("BE", event)
    told = refusals(world, "BE")
    assert told
    assert all(check == 0 and "our own stored package" in reason for check, reason in told)
    assert exchange_state(world["BE"], staff(world, "BE")).damaged == len(told)
    world.project("BE")


def test_the_same_package_again_heals_a_damaged_one(world: World) -> None:
    event = world.post("FR", "Event", values=["a.example"])
    world.project("FR")
    world.pull("BE", "FR")
    spoil(world, "BE", event, 0, flip)
    begin_anew_at(world, "BE", "FR")
    assert world.pull("BE", "FR").admitted == 1
    assert "a.example" in world.text("BE", event)


def test_a_recall_erases_a_damaged_package(world: World) -> None:
    event = world.post("FR", "Event", values=["a.example"])
    world.project("FR")
    world.pull("BE", "FR")
    for name in ("FR", "BE"):
        spoil(world, name, event, 0, flip)
    world.recall("FR", event)
    world.project("FR")
    assert world.pull("BE", "FR").admitted == 1
    assert world.held("BE", event) is None


def test_what_is_damaged_is_not_offered_under_rules_it_was_not_decided_by(world: World) -> None:
    bad = world.post("FR", "Bad", values=["bad.example"])
    clear = world.post("FR", "Bad, for all", Tlp.CLEAR, values=["clear.example"])
    world.project("FR")
    world.pull("BE", "FR")
    for each in (bad, clear):
        spoil(world, "FR", each, 0, flip)
    put_in_force(world["FR"], TIGHTER)  # touches what is GREEN
    good = world.post("FR", "Whole", values=["whole.example"])
    world.project("FR")
    offered = {(event, op) for _, event, op in feed_of(world, "FR", "BE")}
    assert offered == {(bad, Op.WITHDRAW), (clear, Op.PUT)}
    world.pull("BE", "FR")
    world.pull("DE", "FR")
    assert "whole.example" in world.text("DE", good)
    assert world.held("BE", bad) is None
    assert "clear.example" in world.text("BE", clear)


@both
def test_reading_what_is_damaged_is_a_fault_of_ours_that_the_operator_finds(
    world: World, how: Spoil
) -> None:
    node, caller = world["FR"], staff(world, "FR")
    event = world.post("FR", "Event", Tlp.GREEN, ["a.example"])
    spoil(world, "FR", event, 5 if how is flip_within else 0, how)
    with pytest.raises(StoredPackageError, match="damaged") as caught:
        read_event(node, caller, ORGS["FR"], event)
    with pytest.raises(StoredPackageError, match="damaged"):
        explain(node, caller, ORGS["FR"], event, ORGS["BE"])
    known = status_of(caught.value)
    assert known is not None
    assert known[0] == 500
    assert event not in why_of(caught.value)
    [(check, reason)] = refusals(world, "FR")
    assert check == 0
    assert event in reason
    assert "a.example" not in reason

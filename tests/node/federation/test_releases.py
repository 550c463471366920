"""What persons released, when its label or the rules grow stricter: it waits for what is missing."""

from node.actions.caller import Caller
from node.actions.holds import Hold, Slot, list_holds, release
from node.node import Node
from policies.label import Label
from policies.tlp import Tlp
from tests.node.federation.ruling import NATIONAL, operator, put_in_force
from tests.node.federation.world import ORGS, World

VALUE = "held.example"
HELD = Label(Tlp.GREEN, categories=frozenset({"attribution"}))
HELD_BY_TWO = Label(Tlp.GREEN, categories=frozenset({"attribution", "finance"}))
FINANCE_BY_TWO = (
    NATIONAL
    + """
@id("hold.finance")
@needs("two-roles")
@reason("what concerns finance leaves only when two release it")
forbid (principal in Role::"member", action == Action::"unattended", resource)
when { resource.categories.contains(Category::"finance") }
unless { context.released || context.client || context.own };
"""
)
ATTRIBUTION_BY_TWO = NATIONAL.replace(
    '@id("hold.attribution")', '@id("hold.attribution")\n@needs("two-roles")'
)
IN_OTHER_WORDS = NATIONAL.replace('@id("hold.attribution")', '@id("hold.who-did-it")').replace(
    "attribution leaves for another member", "who did it leaves for another member"
)


def held(world: World, event: str) -> list[Hold]:
    """What of the event waits at FR for BE."""
    waiting = list_holds(world["FR"], operator(world["FR"]))
    return [each for each in waiting if (each.event, each.party) == (event, ORGS["BE"])]


def let_go(world: World, event: str, caller: Caller, holds: list[Hold]) -> bool:
    slots = [Slot(each.record, each.slot_type, each.content) for each in holds]
    given = (ORGS["FR"], event, ORGS["BE"], slots, "agreed")
    done = release(world["FR"], caller, *given)
    world.settle()
    return all(each.is_released for each in done.slots)


def analyst(node: Node) -> Caller:
    return Caller("hugo", node.org, node.me, "analyst")


def released(world: World) -> str:
    """An event held for attribution, that one operator of FR let go to BE."""
    event = world.post("FR", "Who did it", values=[VALUE], label=HELD)
    world.settle()
    assert VALUE not in world.text("BE", event)
    assert let_go(world, event, operator(world["FR"]), held(world, event))
    assert VALUE in world.text("BE", event)
    assert VALUE not in world.text("DE", event)
    return event


def test_what_one_released_waits_for_a_second_when_its_label_takes_two(both_worlds: World) -> None:
    world = both_worlds
    fr = world["FR"]
    put_in_force(fr, FINANCE_BY_TWO)
    event = released(world)
    world.edit("FR", event, "Who did it", values=[VALUE], label=HELD_BY_TWO)
    world.settle()
    assert VALUE not in world.text("BE", event)
    waiting = held(world, event)
    assert {each.needs for each in waiting} == {("two persons in different roles",)}
    assert {given.person for each in waiting for given in each.given} == {"amelie"}
    assert not let_go(world, event, operator(fr), waiting)  # he alone again: nothing more
    assert let_go(world, event, analyst(fr), waiting)
    assert VALUE in world.text("BE", event)
    assert held(world, event) == []


def test_what_one_released_waits_for_a_second_when_the_rules_take_two(both_worlds: World) -> None:
    world = both_worlds
    fr = world["FR"]
    event = released(world)
    done = put_in_force(fr, ATTRIBUTION_BY_TWO)
    assert not done.about.widens
    assert "1 event recalled from node BE" in done.about.foreseen
    world.settle()
    assert VALUE not in world.text("BE", event)
    assert let_go(world, event, analyst(fr), held(world, event))
    assert VALUE in world.text("BE", event)
    put_in_force(fr, NATIONAL)  # by two operators, since it takes less
    world.settle()
    assert VALUE in world.text("BE", event)


def test_a_release_outlives_whatever_takes_no_more_of_it(world: World) -> None:
    event = released(world)
    for rules in (FINANCE_BY_TWO, IN_OTHER_WORDS):
        put_in_force(world["FR"], rules)
        world.settle()
        assert VALUE in world.text("BE", event)
        assert held(world, event) == []


def test_an_act_that_was_not_enough_releases_nothing_when_the_rules_take_less(
    world: World,
) -> None:
    fr = world["FR"]
    put_in_force(fr, ATTRIBUTION_BY_TWO)
    event = world.post("FR", "Who did it", values=[VALUE], label=HELD)
    world.settle()
    assert not let_go(world, event, operator(fr), held(world, event))
    put_in_force(fr, NATIONAL)
    world.settle()
    assert VALUE not in world.text("BE", event)
    assert let_go(world, event, operator(fr), held(world, event))
    assert VALUE in world.text("BE", event)

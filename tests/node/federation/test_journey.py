"""How far an event has come on its way to a peer, and what of a peer asks for a person."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from node.actions.errors import NotFoundError
from node.actions.journey import Journey, journey
from node.actions.peers import exchange_state, peer_states
from node.node import Node
from policies.tlp import Tlp
from sharing.seal.keys import KeyRegistry
from tests.node.federation.ruling import operator
from tests.node.federation.world import ORGS, World


def way(world: World, event: str, to: str = "BE") -> Journey:
    return journey(world["FR"], operator(world["FR"]), ORGS["FR"], event, ORGS[to])


def said(world: World, event: str) -> str:
    return " ".join(way(world, event).sentences)


def test_every_place_an_event_passes_through_is_told(both_worlds: World) -> None:
    world = both_worlds
    event = world.post("FR", "Phishing", values=["a.example"], published=False)
    assert "not published" in said(world, event)
    event = world.post("FR", "Phishing", values=["b.example"])
    assert "being decided anew" in said(world, event)
    world.project("FR")
    assert "has never come for its feed" in said(world, event)
    world.pull("BE", "FR")
    assert "has not confirmed it yet" in said(world, event)
    assert not way(world, event).arrived
    world.pull("BE", "FR")
    assert "node BE confirmed it" in said(world, event)
    assert way(world, event).arrived
    assert not way(world, event, "DE").arrived


def test_what_policy_keeps_is_told_with_its_reason(world: World) -> None:
    event = world.post("FR", "For us", Tlp.AMBER, ["a.example"])
    world.settle()
    told = said(world, event)
    assert "nothing of it goes" in told
    assert "TLP:AMBER goes only to" in told


def test_nobody_else_than_a_peer_has_a_way(world: World) -> None:
    event = world.post("FR", "Phishing", values=["a.example"])
    with pytest.raises(NotFoundError):
        journey(world["FR"], operator(world["FR"]), ORGS["FR"], event, ORGS["FR"])


def test_a_peers_clock_that_is_ahead_is_told_before_it_matters(world: World) -> None:
    world.pull("BE", "FR")
    fine = {one.org: one for one in peer_states(world["BE"])}[ORGS["FR"]]
    assert (fine.skew_s, fine.warnings) == (0.0, ())
    ahead = replace(world["FR"], wall=lambda: world.clock() + timedelta(seconds=42))
    world.memory.nodes[ahead.settings.base_url] = ahead
    world.pull("BE", "FR")
    state = {one.org: one for one in peer_states(world["BE"])}[ORGS["FR"]]
    assert state.skew_s == 42.0
    assert "42 s ahead" in state.warnings[0]


def test_a_key_that_ends_soon_is_told_at_both_nodes(world: World) -> None:
    node = world["BE"]
    until = node.wall() + timedelta(days=12)
    ending = replace(node, roster=lambda: ends_on(node, ORGS["FR"], until))
    told = {one.org: one for one in peer_states(ending)}
    assert told[ORGS["FR"]].keys_until == until
    assert f"{until:%Y-%m-%d}" in told[ORGS["FR"]].warnings[0]
    assert told[ORGS["DE"]].warnings == ()
    ours = replace(node, roster=lambda: ends_on(node, node.org, until))
    assert "Our key ends" in exchange_state(ours, operator(ours)).warnings[0]
    assert exchange_state(node, operator(node)).warnings == ()


def ends_on(node: Node, org: str, until: datetime) -> KeyRegistry:
    """The node's registry, in which a member's keys end at an instant."""
    keys = {
        kid: replace(key, not_after=until) if key.org == org else key
        for kid, key in node.registry.keys.items()
    }
    return replace(node.registry, keys=keys)

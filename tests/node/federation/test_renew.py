"""A recall outlives the key that signed it."""

from dataclasses import replace

import pytest

from node.actions.keys import revoke_key
from node.actions.renew import renew_logs, renew_recalls
from node.errors import SettingsError
from sharing.seal.recall import verify_recall
from tests.node.federation.rotating import rotate, tell
from tests.node.federation.world import OTHERS, World


def revoke(world: World, kid: str) -> None:
    now = world.clock()
    revoke_key(world["FR"].settings, kid, compromised_since=now, reason="stolen", at=now)


def test_who_hears_a_recall_only_after_its_key_was_stolen_believes_it_all_the_same(
    world: World,
) -> None:
    event = world.post("FR", "To be recalled", values=["recalled.example"])
    world.settle()
    world.recall("FR", event)
    (stolen,) = (signer.kid for signer in world["FR"].signers)
    world.project("FR")
    world.pull("DE", "FR")
    rotate(world, "FR")
    revoke(world, stolen)
    assert renew_recalls(world["FR"]) == 1
    assert renew_recalls(world["FR"]) == 0
    tell(world, "FR", *OTHERS)
    assert "recalled.example" in world.text("BE", event)
    world.settle()
    assert [world.text(name, event) for name in OTHERS] == ["", "", ""]


def test_a_recall_is_left_alone_as_long_as_its_key_is_good(world: World) -> None:
    event = world.post("FR", "To be recalled", values=["recalled.example"])
    world.recall("FR", event)
    rotate(world, "FR")
    before = world.log("FR", event)
    assert renew_recalls(world["FR"]) == 0
    after = world.log("FR", event)
    assert before is not None
    assert after == before
    assert after.recall is not None
    verify_recall(after.recall, world["FR"].registry, first_seen_at=world.clock())


def posted_and_stolen(world: World) -> str:
    """An event that DE saw before the theft, the hub and BE not; the key is changed since."""
    event = world.post("FR", "Before the theft", values=["honest.example"])
    world.project("FR")
    for _ in range(2):  # the second pull confirms what came with the first
        world.pull("DE", "FR")
    (stolen,) = (signer.kid for signer in world["FR"].signers)
    world.clock.turn(hours=1)
    rotate(world, "FR")
    revoke(world, stolen)
    return event


def test_who_did_not_see_an_event_before_the_theft_believes_it_once_it_is_sealed_anew(
    world: World,
) -> None:
    event = posted_and_stolen(world)
    tell(world, "FR", *OTHERS)
    world.settle()
    assert "honest.example" not in world.text("BE", event)
    assert renew_logs(world["FR"]) == 1
    assert renew_logs(world["FR"]) == 0
    world.settle()
    for refuser in ("BE", "HUB"):
        world.repair(refuser, "FR")
    assert [("honest.example" in world.text(name, event)) for name in OTHERS] == [True] * 3


def test_who_saw_it_before_hears_nothing_new(world: World) -> None:
    event = posted_and_stolen(world)
    before = world.held_from("DE", event, "FR")
    assert before is not None
    tell(world, "FR", *OTHERS)
    renew_logs(world["FR"])
    world.settle()
    assert "honest.example" in world.text("DE", event)
    assert world.held_from("DE", event, "FR") == before
    assert "honest.example" in world.text("BE", event)


def test_nothing_is_sealed_anew_with_a_stolen_key(world: World) -> None:
    posted_and_stolen(world)
    node = world["FR"]
    kid = node.signers[0].kid
    stolen = replace(node.registry.keys[kid], compromised_since=world.clock())
    registry = replace(node.registry, keys={**node.registry.keys, kid: stolen})
    with pytest.raises(SettingsError, match="isac keys rotate"):
        renew_logs(replace(node, roster=lambda: registry))

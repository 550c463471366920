"""A recall outlives the key that signed it."""

from node.actions.keys import revoke_key
from node.actions.renew import renew_recalls
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

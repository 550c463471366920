"""The whole way of a log: sealed at one node, projected, pulled, checked, held, taken back."""

from policies.label import Label
from policies.tlp import Tlp
from sharing.event import Audience
from tests.node.federation.mischief import feed_of
from tests.node.federation.world import ORGS, OTHERS, World, url_of


def test_green_reaches_every_member_and_amber_nobody(both_worlds: World) -> None:
    world = both_worlds
    green = world.post("FR", "Phishing", values=["green.example"])
    amber = world.post("FR", "Not for you", Tlp.AMBER, values=["amber.example"])
    world.settle()
    for name in OTHERS:
        assert "green.example" in world.text(name, green)
        assert world.log(name, amber) is None
    assert world.dirt("FR") == 0


def test_amber_reaches_the_named_one_alone_and_is_not_relayed(world: World) -> None:
    named = Audience(parties=frozenset({ORGS["HUB"]}))
    event = world.post("FR", "For the hub", Tlp.AMBER, ["hub.example"], audience=named)
    world.settle()
    assert "hub.example" in world.text("HUB", event)
    assert world.log("BE", event) is None
    assert world.log("DE", event) is None


def test_green_comes_twice_once_from_its_node_and_once_by_the_hub(world: World) -> None:
    event = world.post("FR", "Phishing", values=["green.example"])
    world.settle()
    direct, relayed = world.held_from("BE", event, "FR"), world.held_from("BE", event, "HUB")
    assert direct is not None
    assert relayed is not None
    assert (direct.hops, relayed.hops) == (0, 1)
    assert world.held_from("BE", event, "DE") is None  # nobody relays what came by a relay


def test_what_is_relayed_only_reaches_a_node_that_cannot_see_the_originator(world: World) -> None:
    world.memory.down.add(url_of("FR"))
    event = world.post("FR", "Phishing", values=["green.example"])
    world.project("FR")
    world.memory.down.clear()
    world.pull("HUB", "FR")
    world.memory.down.add(url_of("FR"))
    world.project("HUB")
    world.pull("DE", "HUB")
    assert "green.example" in world.text("DE", event)
    result = world.pull("DE", "FR")
    assert result.error is not None
    assert "cannot be reached" in result.error


def test_no_peer_is_sent_a_slot_it_may_not_have(world: World) -> None:
    for canary in ("canary-amber.example", "canary-red.example"):
        world.post("FR", canary, Tlp.RED if "red" in canary else Tlp.AMBER, [canary])
    event = world.post("FR", "Open", Tlp.GREEN, ["open.example"])
    world.settle()
    bytes_on_the_wire = b"".join(reply.body for _, _, reply in world.memory.passed)
    assert b"open.example" in bytes_on_the_wire
    assert b"canary" not in bytes_on_the_wire
    assert event.encode() in bytes_on_the_wire


def test_raising_the_label_takes_the_event_back_from_everybody(both_worlds: World) -> None:
    world = both_worlds
    event = world.post("FR", "Phishing", values=["green.example"])
    world.settle()
    world.edit("FR", event, "Phishing", Tlp.AMBER, ["green.example"])
    world.settle()
    for name in OTHERS:
        assert world.held(name, event) is None
    world.edit("FR", event, "Phishing", Tlp.GREEN, ["green.example"])
    world.settle()
    for name in OTHERS:
        assert "green.example" in world.text(name, event)


def test_what_is_void_is_gone_everywhere_also_where_a_slow_source_still_gives_it(
    world: World,
) -> None:
    event = world.post("FR", "Phishing", values=["old.example", "kept.example"])
    world.settle()
    world.edit("FR", event, "Phishing", values=["kept.example"])
    world.project("FR")
    world.pull("BE", "FR")  # the hub has not heard of it yet
    by_hub = world.held_from("BE", event, "HUB")
    assert by_hub is not None
    assert b"old.example" not in by_hub.package
    assert b"kept.example" in by_hub.package
    assert "old.example" not in world.text("BE", event)


def test_a_recall_ends_what_every_source_gave(both_worlds: World) -> None:
    world = both_worlds
    event = world.post("FR", "Wrong", values=["innocent.example"])
    world.settle()
    world.recall("FR", event)
    world.project("FR")
    world.pull("BE", "FR")
    assert world.held("BE", event) is None
    assert world.held_from("BE", event, "HUB") is None
    world.settle()
    for name in OTHERS:
        log = world.log(name, event)
        assert log is not None
        assert log.is_recalled
        assert world.held(name, event) is None


def test_a_recalled_log_stays_away_when_an_old_copy_comes_by_another_way(world: World) -> None:
    event = world.post("FR", "Wrong", values=["innocent.example"])
    world.project("FR")
    world.pull("HUB", "FR")
    world.project("HUB")
    world.recall("FR", event)
    world.project("FR")
    world.pull("BE", "FR")
    assert world.pull("BE", "HUB").items == 1  # the hub has not heard of the recall
    assert world.held("BE", event) is None
    world.settle()
    assert world.held("HUB", event) is None
    assert world.held("BE", event) is None


def test_who_never_was_offered_a_log_is_not_told_of_its_recall(world: World) -> None:
    event = world.post("FR", "Internal", Tlp.AMBER, values=["inside.example"])
    world.project("FR")
    world.recall("FR", event)
    world.settle()
    assert feed_of(world, "FR", "BE") == []
    assert world.log("BE", event) is None


def test_a_source_that_says_stop_stops_also_the_hub_in_between(world: World) -> None:
    event = world.post("FR", "Phishing", values=["green.example"])
    world.settle()
    world.edit(
        "FR", event, "Phishing", label=Label(Tlp.GREEN, relay=False), values=["green.example"]
    )
    world.settle()
    assert world.held_from("BE", event, "HUB") is None
    assert world.held_from("BE", event, "FR") is not None


# ── What may leave at this moment ────────────────────────────────────────────────────────────────

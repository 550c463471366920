"""What changes travels, not what is known already; and what comes of it is the package, to the byte."""

from federation.call import Call, Reply
from federation.errors import TransportError
from federation.feed import FEED_PATH
from federation.wire import ItemLine, Op, read_item_line
from node.actions.sealing import fresh_uuid, next_version, read_own, write_version
from node.storage import tables
from policies.label import Label
from policies.tlp import Tlp
from sharing.event import Attribute, Mark
from sharing.slots import Names, add_attributes
from tests.node.federation.mischief import refusals
from tests.node.federation.ruling import FINANCE_TO_DE, put_in_force
from tests.node.federation.world import World, honest

VALUES = [f"host{n}.example" for n in range(50)]
FINANCE = Mark(Label(Tlp.GREEN, categories=frozenset({"finance"})))


def add(world: World, event: str, value: str, mark: Mark | None = None) -> None:
    """Append one attribute to an event of FR."""
    node = world["FR"]
    with node.store.read() as unit:
        own = read_own(unit, node.org, event)
    assert own is not None
    uuid = fresh_uuid(node)
    one = Attribute(uuid, "domain", "Network activity", value, True, 1769500001, mark=mark)
    names = Names.of(own.holding, lambda: fresh_uuid(node))
    version = next_version(node, own, add_attributes(own.holding, [one], names), node.clock())
    assert version is not None
    with node.store.write() as unit:
        write_version(unit, version)


def lines(world: World, since: int = 0) -> list[ItemLine]:
    """The item lines of all pages that passed since then."""
    pages = [r.body for c, _, r in world.memory.passed[since:] if c.path.startswith(FEED_PATH)]
    found = [line for page in pages for line in page.split(b"\n") if line.startswith(b'{"pos":')]
    return [read_item_line(line) for line in found]


def brought(world: World, to: str, source: str = "FR") -> list[ItemLine]:
    """Pull, and give the item lines that came."""
    since = len(world.memory.passed)
    result = world.pull(to, source)
    assert (result.error, result.quarantined) == (None, 0)
    return lines(world, since)


def fetched(world: World, since: int) -> int:
    """How many packages were asked for by their digests since then."""
    return sum(not c.path.startswith(FEED_PATH) for c, _, _ in world.memory.passed[since:])


def assert_same_bytes(world: World, event: str, *names: str) -> None:
    """All of them hold the very bytes of a package that FR would write for them now."""
    held = [world.held_from(name, event, "FR") for name in names]
    assert all(row is not None for row in held)
    assert len({row.package for row in held if row}) == 1
    assert len({row.digest for row in held if row}) == 1


def test_a_second_version_travels_as_what_was_added(both_worlds: World) -> None:
    world = both_worlds
    event = world.post("FR", "Phishing", values=VALUES)
    world.project("FR")
    (first,) = brought(world, "BE")
    assert brought(world, "BE") == []  # which confirms the first
    add(world, event, "one-more.example")
    world.project("FR")
    (second,) = brought(world, "BE")
    (whole,) = brought(world, "DE")
    assert (first.is_delta, second.is_delta, whole.is_delta) == (False, True, False)
    assert second.base == first.digest
    assert second.digest == whole.digest
    assert second.size < whole.size / 5
    assert_same_bytes(world, event, "BE", "DE")
    assert "one-more.example" in world.text("BE", event)


def test_several_versions_and_what_became_void_travel_as_one_delta(world: World) -> None:
    event = world.post("FR", "Phishing", values=VALUES)
    world.project("FR")
    brought(world, "BE")
    brought(world, "BE")
    world.edit("FR", event, "Phishing", values=VALUES[3:])
    world.edit("FR", event, "Phishing, corrected", values=[*VALUES[5:], "late.example"])
    world.project("FR")
    (line,) = brought(world, "BE")
    brought(world, "DE")
    assert line.is_delta
    assert_same_bytes(world, event, "BE", "DE")
    text = world.text("BE", event)
    assert "corrected" in text
    assert VALUES[0] not in text


def test_what_a_rule_takes_back_is_erased_by_the_same_delta(world: World) -> None:
    event = world.post("FR", "Phishing", values=VALUES)
    add(world, event, "account.example", FINANCE)
    world.project("FR")
    brought(world, "BE")
    assert "account.example" in world.text("BE", event)
    brought(world, "BE")
    put_in_force(world["FR"], FINANCE_TO_DE)
    add(world, event, "one-more.example")
    world.project("FR")
    (line,) = brought(world, "BE")
    assert line.is_delta
    assert line.erase
    text = world.text("BE", event)
    assert "one-more.example" in text
    assert "account.example" not in text
    row = world.held_from("BE", event, "FR")
    assert row is not None
    assert b"account.example" not in row.package


def test_what_was_withheld_before_and_goes_now_travels_in_a_package(world: World) -> None:
    put_in_force(world["FR"], FINANCE_TO_DE)
    event = world.post("FR", "Phishing", values=VALUES)
    add(world, event, "account.example", FINANCE)
    world.project("FR")
    brought(world, "BE")
    brought(world, "BE")
    put_in_force(world["FR"], FINANCE_TO_DE.replace('"DE"', '"BE"'))
    add(world, event, "one-more.example")
    world.project("FR")
    (line,) = brought(world, "BE")
    assert not line.is_delta
    assert "account.example" in world.text("BE", event)


def test_who_lost_what_a_delta_leads_on_from_fetches_the_package(both_worlds: World) -> None:
    world = both_worlds
    event = world.post("FR", "Phishing", values=VALUES)
    world.project("FR")
    brought(world, "BE")
    brought(world, "BE")
    with world["BE"].store.write() as unit:
        unit.connection.execute(tables.holding.delete())
    add(world, event, "one-more.example")
    world.project("FR")
    since = len(world.memory.passed)
    (line,) = brought(world, "BE")
    assert line.is_delta
    assert fetched(world, since) == 1
    brought(world, "DE")
    assert_same_bytes(world, event, "BE", "DE")
    assert brought(world, "BE") == []  # our place has moved


def test_a_delta_that_was_spoilt_is_made_good_by_the_package(world: World) -> None:
    """The sender's signature covers the line, not the bytes: those the seal alone can vouch for."""
    event = world.post("FR", "Phishing", values=VALUES)
    world.project("FR")
    brought(world, "BE")
    brought(world, "BE")
    add(world, event, "one-more.example")
    world.project("FR")
    world.memory.spoil = lambda call, reply: (
        Reply(reply.status, reply.headers, reply.body.replace(b"one-more.e", b"one-more.f"))
        if call.path.startswith(FEED_PATH)
        else reply
    )
    since = len(world.memory.passed)
    world.pull("BE", "FR")
    assert fetched(world, since) == 1
    assert refusals(world, "BE") == []
    assert "one-more.example" in world.text("BE", event)


def test_who_cannot_get_the_package_keeps_his_place_and_asks_again(world: World) -> None:
    event = world.post("FR", "Phishing", values=VALUES)
    world.project("FR")
    brought(world, "BE")
    brought(world, "BE")
    with world["BE"].store.write() as unit:
        unit.connection.execute(tables.holding.delete())
    add(world, event, "one-more.example")
    world.project("FR")
    world.memory.spoil = lambda call, reply: (
        reply if call.path.startswith(FEED_PATH) else Reply(503, {"retry-after": "1"}, b"")
    )
    world.pull("BE", "FR")
    assert world.held_from("BE", event, "FR") is None
    world.memory.spoil = honest
    world.pull("BE", "FR")
    assert "one-more.example" in world.text("BE", event)


def test_a_relay_hands_on_deltas_of_what_it_holds(world: World) -> None:
    event = world.post("FR", "Phishing", values=VALUES)
    world.settle()
    add(world, event, "one-more.example")
    since = len(world.memory.passed)
    world.settle()
    relayed = [line for line in lines(world, since) if line.hops == 1 and line.op is Op.PUT]
    assert relayed
    assert all(line.is_delta for line in relayed)
    row = world.held_from("BE", event, "HUB")
    assert row is not None
    assert b"one-more.example" in row.package


def test_what_was_given_and_not_confirmed_is_no_base(world: World) -> None:
    """BE's answer was lost: FR gave it, and cannot know."""
    event = world.post("FR", "Phishing", values=VALUES)
    world.project("FR")

    def lose(call: Call, reply: Reply) -> Reply:
        raise TransportError("lost on the way")

    world.memory.spoil = lose
    world.pull("BE", "FR")
    world.memory.spoil = honest
    add(world, event, "one-more.example")
    world.project("FR")
    (line,) = brought(world, "BE")
    assert not line.is_delta
    assert "one-more.example" in world.text("BE", event)

"""The signed roster between nodes: how news arrives, and what a stolen hub key cannot do."""

import pytest

from federation.errors import BadTrustError
from federation.gossip import Gossip
from federation.members import read_entry, sign_entry
from federation.trust import Standing
from node.actions.accepting import accept_listed, list_members
from node.actions.disown import disown_compromised
from node.actions.errors import BadInputError, ConflictError, NotFoundError
from node.actions.exchange import pull
from node.actions.keys import revoke_key
from node.actions.roster import (
    fetch,
    fetch_due,
    may_exchange,
    standing_of,
    take,
    trust_root,
    trusted,
    warning_of,
)
from node.actions.rostering import publish_due, remove_member, take_entry
from node.schedule import Schedule
from node.storage.roster import list_entries, roster_version
from tests.federation.trusting import keeper
from tests.node.federation.rostered import (
    Doors,
    federate,
    kids_at,
    members_of,
    root_of,
    told,
    trust,
    turn,
    version_at,
)
from tests.node.federation.rotating import forge, rotate
from tests.node.federation.world import ORGS, World, url_of

NEWCOMER = "1a6f1f3e-0009-4000-8000-000000000009"


@pytest.fixture
def doors(world: World) -> Doors:
    return federate(world)


# ── News arrives ─────────────────────────────────────────────────────────────────────────────────


def test_everybody_holds_the_hubs_roster_with_everybodys_own_entry(
    world: World, doors: Doors
) -> None:
    assert set(members_of(world)) == set(ORGS.values())
    for name in world.nodes:
        assert version_at(world, name) == version_at(world, "HUB") > 1
        assert standing_of(world[name]) is Standing.FRESH
        assert warning_of(world[name]) is None
        assert {one.state for one in list_members(world[name])} == {"accepted"}
    assert doors.down == set()


def test_pages_name_the_version_of_the_senders_roster(world: World, doors: Doors) -> None:
    world.post("FR", "Any", values=["any.example"])
    world.project("FR")
    assert pull(world["BE"], world.peer("BE", "FR"), doors).admitted == 1
    with world["FR"].store.read() as unit:
        assert roster_version(unit.connection) == version_at(world, "FR") > 0


def test_a_new_key_reaches_everybody_without_any_operator(world: World, doors: Doors) -> None:
    old = kids_at(world, "BE")
    rotate(world, "FR")
    event = world.post("FR", "By the new key", values=["new.example"])
    turn(world, doors)
    turn(world, doors)
    assert kids_at(world, "BE") > old
    world.settle()
    assert "new.example" in world.text("BE", event)
    [change] = [one for one in told(world, "BE", "roster.change") if one["of"] == ORGS["FR"]]
    assert any("new key" in each for each in _list(change["changes"]))
    assert any("retired" in each for each in _list(change["changes"]))


def test_two_rotations_reach_somebody_who_slept_through_them(world: World, doors: Doors) -> None:
    others = [name for name in world.nodes if name != "BE"]
    for _ in range(2):
        rotate(world, "FR")
        turn(world, doors, *others)
        turn(world, doors, *others)
    event = world.post("FR", "By the third key", values=["third.example"])
    turn(world, doors)
    world.settle()
    assert "third.example" in world.text("BE", event)


def test_a_key_the_hub_revokes_is_dead_everywhere_within_the_schedule(
    world: World, doors: Doors
) -> None:
    [kid] = [signer.kid for signer in world["FR"].signers]
    world.clock.turn(hours=1)
    since = world.clock()
    forged = forge(world, "FR", "Forged", iat=since)
    world.settle()
    assert "stolen.example" in world.text("BE", forged)
    revoke_key(world["HUB"].settings, kid, compromised_since=since, reason="", at=world.clock())
    publish_due(world["HUB"])
    schedule = Schedule(world["BE"], doors)  # type: ignore[arg-type]
    schedule.lead()
    schedule.run("fetch roster")
    schedule.run("roster")
    assert world.text("BE", forged) == ""
    assert world["BE"].registry.keys[kid].compromised_since == since
    assert disown_compromised(world["BE"]) == 0


def test_the_roster_spreads_while_the_hub_is_down(world: World, doors: Doors) -> None:
    remove_member(world["HUB"], "shell", ORGS["DE"], "left")
    publish_due(world["HUB"])
    assert fetch(world["FR"], world.peer("FR", "HUB"), doors) is None
    doors.down.add(url_of("HUB"))
    assert fetch(world["BE"], world.peer("BE", "HUB"), doors) is not None
    assert fetch(world["BE"], world.peer("BE", "FR"), doors) is None
    assert version_at(world, "BE") == version_at(world, "HUB")
    assert ORGS["DE"] not in {peer.org for peer in world["BE"].peers}


def test_a_removed_member_gets_nothing_and_its_past_stays(world: World, doors: Doors) -> None:
    event = world.post("DE", "Before", values=["before.example"])
    world.settle()
    german = world.peer("DE", "BE")
    remove_member(world["HUB"], "shell", ORGS["DE"], "left")
    turn(world, doors)
    turn(world, doors)
    later = world.post("BE", "After", values=["after.example"])
    world.project("BE")
    result = pull(world["DE"], german, doors)
    assert (result.admitted, "401" in str(result.error)) == (0, True)
    assert world.text("DE", later) == ""
    assert "before.example" in world.text("BE", event)
    assert told(world, "BE", "roster.change")[-1]["changes"] == ["removed from the federation"]


def test_a_member_that_comes_back_needs_our_operator_and_then_gets_everything(
    world: World, doors: Doors
) -> None:
    remove_member(world["HUB"], "shell", ORGS["DE"], "by mistake")
    turn(world, doors)
    missed = world.post("BE", "Meanwhile", values=["meanwhile.example"])
    turn(world, doors)
    world.project("BE")
    fingerprint = read_entry(members_of_before(world, "DE")).fingerprint
    world.clock.turn(seconds=1)
    accept_listed(world["HUB"], "shell", ORGS["DE"], fingerprint)
    turn(world, doors)
    turn(world, doors)
    assert ORGS["DE"] not in {peer.org for peer in world["BE"].peers}
    [again] = [one for one in list_members(world["BE"]) if one.org == ORGS["DE"]]
    assert again.state == "removed"
    accept_listed(world["BE"], "shell", ORGS["DE"], again.fingerprint.upper().replace(" ", ""))
    turn(world, doors)
    world.project("BE")
    assert pull(world["DE"], world.peer("DE", "BE"), doors).error is None
    assert "meanwhile.example" in world.text("DE", missed)


def members_of_before(world: World, name: str) -> bytes:
    with world["HUB"].store.read() as unit:
        return list_entries(unit.connection)[ORGS[name]]


# ── Time ─────────────────────────────────────────────────────────────────────────────────────────


def test_a_roster_that_grows_old_slows_a_node_down_and_a_new_one_mends_it(
    world: World, doors: Doors
) -> None:
    doors.down.add(url_of("HUB"))
    node = world["BE"]
    for days, stage, is_red in (
        (8, Standing.EXPIRED, False),
        (7, Standing.FROZEN, True),
        (23, Standing.READ_ONLY, True),
    ):
        world.clock.turn(days=days)
        fetch_due(node, doors)
        warned = warning_of(node)
        assert warned is not None
        assert (standing_of(node), warned.is_red) == (stage, is_red)
        assert may_exchange(node) is (stage is not Standing.READ_ONLY)
    world.post("FR", "Late", values=["late.example"])
    world.project("FR")
    assert pull(world["BE"], world.peer("BE", "FR"), doors).items == 0
    doors.down.clear()
    publish_due(world["HUB"])
    turn(world, doors)
    assert standing_of(node) is Standing.FRESH
    assert pull(world["BE"], world.peer("BE", "FR"), doors).admitted == 1


def test_the_hub_publishes_daily_and_at_each_change_only(world: World, doors: Doors) -> None:
    hub = world["HUB"]
    version = version_at(world, "HUB")
    assert publish_due(hub) is None
    world.clock.turn(hours=23)
    assert publish_due(hub) is None
    world.clock.turn(hours=1)
    assert publish_due(hub) == version + 1
    assert publish_due(world["BE"]) is None
    assert doors.down == set()


# ── What an operator decides, and mistakes ───────────────────────────────────────────────────────


def test_a_first_root_is_trusted_by_its_fingerprint_only(world: World) -> None:
    envelope = root_of(world)
    with pytest.raises(BadInputError, match="fingerprint"):
        trust_root(world["BE"], "shell", envelope, "aaaa bbbb")
    assert trusted(world["BE"]) is None
    assert standing_of(world["BE"]) is None
    assert may_exchange(world["BE"])
    trust(world["BE"], envelope)
    assert warning_of(world["BE"]) is not None


def test_a_node_without_a_root_takes_no_roster(world: World) -> None:
    assert not take(world["BE"], Gossip((root_of(world),), None), "somebody")
    fetch_due(world["BE"], Doors(world))
    assert trusted(world["BE"]) is None


def test_nobody_is_accepted_unlisted_by_a_wrong_fingerprint_or_as_ourselves(
    world: World, doors: Doors
) -> None:
    node = world["BE"]
    with pytest.raises(NotFoundError):
        accept_listed(node, "shell", NEWCOMER, "x")
    with pytest.raises(BadInputError, match="do not accept"):
        accept_listed(node, "shell", ORGS["FR"], "x")
    with pytest.raises(BadInputError, match="our own"):
        accept_listed(node, "shell", node.org, "x")
    with pytest.raises(ConflictError, match="only the hub"):
        remove_member(node, "shell", ORGS["FR"], "x")
    with pytest.raises(BadInputError):
        remove_member(world["HUB"], "shell", ORGS["HUB"], "x")
    with pytest.raises(BadInputError):
        remove_member(world["HUB"], "shell", ORGS["FR"], " ")
    assert doors.down == set()


def test_the_hub_publishes_no_entry_that_a_member_may_not_change(
    world: World, doors: Doors
) -> None:
    entry = read_entry(members_of(world)[ORGS["FR"]])
    for change, word in (
        ({"role": "hub"}, "refused"),
        ({"communities": ["health"]}, "refused"),
        ({"org": NEWCOMER}, "member"),
    ):
        envelope = sign_entry({**entry.facts, **change}, entry.version + 1, world["FR"].signers)
        with pytest.raises(BadTrustError, match=word):
            take_entry(world["HUB"], envelope)
    stale = sign_entry({**entry.facts, "name": "Other"}, entry.version, world["FR"].signers)
    with pytest.raises(BadTrustError, match="version"):
        take_entry(world["HUB"], stale)
    by_thief = sign_entry({**entry.facts, "name": "Other"}, 9, [keeper("thief")])
    with pytest.raises(BadTrustError, match="refused"):
        take_entry(world["HUB"], by_thief)
    with pytest.raises(ConflictError):
        take_entry(world["BE"], by_thief)
    assert members_of(world)[ORGS["FR"]] == next(
        one for org, one in members_of(world).items() if org == ORGS["FR"]
    )
    assert doors.down == set()


def test_what_the_hub_says_of_our_own_keys_changes_nothing_here(world: World, doors: Doors) -> None:
    [kid] = [signer.kid for signer in world["FR"].signers]
    now = world.clock()
    revoke_key(world["HUB"].settings, kid, compromised_since=now, reason="", at=now)
    turn(world, doors)
    turn(world, doors)
    assert world["FR"].registry.keys[kid].compromised_since is None
    assert world["BE"].registry.keys[kid].compromised_since == now


def _list(value: object) -> list[str]:
    assert isinstance(value, list)
    return value

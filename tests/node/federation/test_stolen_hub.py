"""What whoever steals the hub's online key can do: silence; and what he cannot: anything else."""

import pytest

from federation.call import Call, Reply
from federation.errors import BadTrustError
from federation.gossip import GOSSIP_TYPE, Gossip, write_gossip
from federation.members import endorse, read_entry, sign_entry
from federation.peer import Peer
from federation.trust import Revocation, unchecked_roster, write_roster
from node.actions.accepting import list_members
from node.actions.exchange import pull
from node.actions.keys import revoke_key
from node.actions.roster import fetch, take, trusted
from node.actions.rostering import publish_due
from node.keys import read_signer
from tests.federation.trusting import OFFLINE, keeper, key, public
from tests.node.federation.rostered import (
    Doors,
    entry_of,
    federate,
    kids_at,
    members_of,
    root_of,
    stolen_roster,
    told,
    trust,
    turn,
    version_at,
)
from tests.node.federation.world import ORGS, World, url_of

NEWCOMER = "1a6f1f3e-0009-4000-8000-000000000009"


@pytest.fixture
def doors(world: World) -> Doors:
    return federate(world)


def test_roster_alone_admits_nobody(world: World, doors: Doors) -> None:
    """A thief of the hub's key lists a member of his own: it gets nothing, is asked nothing."""
    thief, carrier = keeper("thief"), keeper("thief transport")
    facts = {
        "org": NEWCOMER,
        "name": "Node XX",
        "role": "node",
        "country": "LU",
        "communities": [],
        "base_urls": ["https://thief.example"],
        "keys": [
            endorse(key("thief"), NEWCOMER, [thief]),
            endorse(key("thief transport", "transport"), NEWCOMER, [carrier]),
        ],
    }
    forged = stolen_roster(world, [*members_of(world).values(), sign_entry(facts, 1, [thief])])
    take(world["BE"], Gossip((), forged), "thief")
    assert version_at(world, "BE") == version_at(world, "HUB") + 1
    assert NEWCOMER not in world["BE"].registry.members
    assert NEWCOMER not in {peer.org for peer in world["BE"].peers}
    assert thief.kid not in world["BE"].registry.keys
    [listed] = [one for one in list_members(world["BE"]) if one.org == NEWCOMER]
    assert listed.state == "new"
    assert doors.down == set()


def test_a_stolen_hub_key_swaps_no_key_and_moves_no_address(world: World, doors: Doors) -> None:
    before = entry_of(world, "BE", "FR")
    thief, hub = keeper("thief"), read_signer(world["HUB"].settings.data / "keys" / "roster.pem")
    swapped = {
        **read_entry(members_of(world)[ORGS["FR"]]).facts,
        "base_urls": ["https://thief.example"],
        "keys": [endorse(key("thief"), ORGS["FR"], [thief, hub])],
    }
    forged = sign_entry(swapped, 99, [thief, hub])
    others = [one for org, one in members_of(world).items() if org != ORGS["FR"]]
    take(world["BE"], Gossip((), stolen_roster(world, [*others, forged])), "thief")
    assert entry_of(world, "BE", "FR") == before
    assert world.peer("BE", "FR").base_url == url_of("FR")
    [listed] = [one for one in list_members(world["BE"]) if one.org == ORGS["FR"]]
    assert listed.state == "changed"
    assert doors.down == set()


def test_a_stolen_hub_key_can_silence(world: World, doors: Doors) -> None:
    kids = kids_at(world, "BE")
    revoked = [Revocation(kid, world.clock(), "", world.clock()) for kid in sorted(kids)]
    take(world["BE"], Gossip((), stolen_roster(world, revoked=revoked)), "thief")
    world.clock.turn(seconds=1)
    world.post("FR", "Unheard", values=["unheard.example"])
    world.project("FR")
    assert pull(world["BE"], world.peer("BE", "FR"), doors).admitted == 0


def test_an_older_roster_takes_no_revocation_back(world: World, doors: Doors) -> None:
    held = trusted(world["HUB"])
    assert held is not None
    assert held.roster is not None
    [kid] = [signer.kid for signer in world["FR"].signers]
    now = world.clock()
    revoke_key(world["HUB"].settings, kid, compromised_since=now, reason="stolen", at=now)
    turn(world, doors)
    turn(world, doors)
    with pytest.raises(BadTrustError, match="rollback"):
        take(world["BE"], Gossip((), held.roster.envelope), "somebody")
    # not even a newer one without it, signed by whoever stole the key
    take(world["BE"], Gossip((), stolen_roster(world)), "thief")
    assert world["BE"].registry.keys[kid].compromised_since == now
    published = publish_due(world["HUB"])
    take(world["HUB"], Gossip((), stolen_roster(world)), "thief")
    publish_due(world["HUB"])
    last = trusted(world["HUB"])
    assert last is not None
    assert last.roster is not None
    assert [one.kid for one in last.roster.revoked] == [kid]
    assert published is None


def test_the_root_takes_the_key_from_a_thief_who_ran_ahead(world: World, doors: Doors) -> None:
    held = trusted(world["HUB"])
    assert held is not None
    assert held.roster is not None
    thief = read_signer(world["HUB"].settings.data / "keys" / "roster.pem")
    ahead = write_roster(
        version=2**52,
        issued=world.clock(),
        members=held.roster.members,
        revoked=(),
        removed=(),
        signers=[thief],
    )
    for name in world.nodes:
        take(world[name], Gossip((), ahead), "thief")
    (world["HUB"].settings.data / "keys" / "roster.pem").unlink()
    root = root_of(world, 2)
    trust(world["HUB"], root)
    assert publish_due(world["HUB"]) == 1
    turn(world, doors)
    for name in world.nodes:
        assert version_at(world, name) == 1
        assert [one["version"] for one in told(world, name, "root.take")] == [1, 2]
    with pytest.raises(BadTrustError, match="signature"):
        take(world["BE"], Gossip((), ahead), "thief")


def test_a_root_that_too_few_have_signed_changes_nothing(world: World, doors: Doors) -> None:
    before = trusted(world["BE"])
    few = root_of(world, 2, public("thief online"), by=2)
    with pytest.raises(BadTrustError, match="threshold"):
        take(world["BE"], Gossip((few,), None), "thief")
    with pytest.raises(BadTrustError, match="threshold"):
        trust(world["BE"], few)
    assert trusted(world["BE"]) == before
    assert len(OFFLINE) == 5
    assert doors.down == set()


def test_a_lying_source_is_told_in_the_audit_and_a_late_one_is_not(
    world: World, doors: Doors
) -> None:
    held = trusted(world["BE"])
    assert held is not None
    assert held.roster is not None
    late = stolen_roster(world)
    publish_due(world["HUB"])
    lie = write_roster(
        version=unchecked_roster(late).version,
        issued=world.clock(),
        members=(),
        revoked=(),
        removed=(),
        signers=[keeper("thief")],
    )

    class Liar:
        def send(self, call: Call, peer: Peer) -> Reply:
            del call, peer
            return Reply(200, {"content-type": GOSSIP_TYPE}, write_gossip(Gossip((), lie)))

    assert "signature" in str(fetch(world["BE"], world.peer("BE", "FR"), Liar()))
    [line] = told(world, "BE", "roster.refuse")
    assert line["from"] == ORGS["FR"]
    assert doors.down == set()

"""A new node comes to the federation: token, proof, a second officer, everybody's own operator."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import orjson
import pytest

from federation.enrolment import Token, read_request, write_request
from federation.errors import BadReplyError, BadTrustError
from federation.trust import unchecked_root
from node.actions.accepting import accept_listed, list_members
from node.actions.caller import Caller, Role
from node.actions.enrolling import approve, invite, join, list_enrolments, reject, take_enrolment
from node.actions.errors import BadInputError, ConflictError, NotAllowedError, NotFoundError
from node.actions.exchange import pull
from node.actions.init import NewNode, init_node
from node.actions.roster import trusted
from node.actions.rostering import own_signed, publish_due
from node.keys import signers_on_disk
from tests.node.federation.rostered import Doors, federate, root_of, trust, turn
from tests.node.federation.world import ORGS, World, url_of

ES = "1a6f1f3e-0005-4000-8000-00000000e505"
STRANGER = "1a6f1f3e-0006-4000-8000-000000000006"


@pytest.fixture
def doors(world: World, tmp_path: Path) -> Doors:
    """A federation with a signed roster, and a node that nobody knows yet."""
    doors = federate(world)
    chosen = NewNode(ES, "Node ES", "ES", "national", url_of("ES"))
    node = replace(init_node(tmp_path / "ES", chosen), clock=world.clock, wall=world.clock)
    world.nodes["ES"] = world.memory.nodes[url_of("ES")] = node
    return doors


def officer(world: World, name: str, role: Role = "operator") -> Caller:
    hub = world["HUB"]
    return Caller(name, hub.org, hub.me, role)


def invited(world: World, org: str = ES) -> Token:
    return invite(world["HUB"], officer(world, "anna"), org)


def enrolled(world: World, doors: Doors) -> str:
    """ES is a member as the hub sees it; gives its fingerprint."""
    fingerprint = join(world["ES"], "shell", invited(world), url_of("HUB"), doors)
    approve(world["HUB"], officer(world, "ben"), ES, fingerprint)
    publish_due(world["HUB"])
    return fingerprint


def request(world: World, token: Token, signers: int | None = None) -> bytes:
    """What ES would send, once it trusts the hub's root; signed by so many of its keys."""
    node, held = world["ES"], trusted(world["HUB"])
    assert held is not None
    assert held.roster is not None
    keys = signers_on_disk(node.settings.data)[1]
    return write_request(token, own_signed(node), held.roster.digest, keys[:signers])


def test_a_new_node_exchanges_with_those_whose_operators_have_accepted_it(
    world: World, doors: Doors
) -> None:
    fingerprint = enrolled(world, doors)
    event = world.post("FR", "For members", values=["members.example"])
    turn(world, doors, "FR", "BE", "ES")
    [listed] = [one for one in list_members(world["FR"]) if one.org == ES]
    assert (listed.state, listed.fingerprint) == ("new", fingerprint)
    assert ES not in world["FR"].registry.members
    accept_listed(world["FR"], "shell", ES, fingerprint)
    french = next(one for one in list_members(world["ES"]) if one.org == ORGS["FR"])
    accept_listed(world["ES"], "shell", ORGS["FR"], french.fingerprint)
    world.project("FR")
    assert pull(world["ES"], world.peer("ES", "FR"), doors).error is None
    assert "members.example" in world.text("ES", event)
    assert ES not in world["BE"].registry.members


def test_the_officers_see_the_fingerprint_that_the_node_printed(world: World, doors: Doors) -> None:
    fingerprint = join(world["ES"], "shell", invited(world), url_of("HUB"), doors)
    [waiting] = list_enrolments(world["HUB"])
    assert (waiting.org, waiting.fingerprint, waiting.invited_by) == (ES, fingerprint, "anna")
    assert ES not in world["HUB"].registry.members
    assert trusted(world["ES"]) == trusted(world["HUB"])


def test_who_made_the_token_does_not_approve_what_came(world: World, doors: Doors) -> None:
    fingerprint = join(world["ES"], "shell", invited(world), url_of("HUB"), doors)
    hub = world["HUB"]
    with pytest.raises(NotAllowedError, match="second officer"):
        approve(hub, officer(world, "anna"), ES, fingerprint)
    with pytest.raises(BadInputError, match="compare anew"):
        approve(hub, officer(world, "ben"), ES, f"{fingerprint}x")
    analyst = officer(world, "carl", "analyst")
    for act in (
        lambda: approve(hub, analyst, ES, fingerprint),
        lambda: reject(hub, analyst, ES),
        lambda: invite(hub, analyst, ES),
    ):
        with pytest.raises(NotAllowedError, match="only an operator"):
            act()
    assert ES not in hub.registry.members
    approve(hub, officer(world, "ben"), ES, fingerprint.upper())
    assert ES in hub.registry.members
    with pytest.raises(NotFoundError):
        approve(hub, officer(world, "ben"), ES, fingerprint)


def test_who_was_turned_down_is_no_member_and_needs_a_new_token(world: World, doors: Doors) -> None:
    token = invited(world)
    join(world["ES"], "shell", token, url_of("HUB"), doors)
    reject(world["HUB"], officer(world, "anna"), ES)
    assert list_enrolments(world["HUB"]) == ()
    assert ES not in world["HUB"].registry.members
    with pytest.raises(BadReplyError, match="used before"):
        join(world["ES"], "shell", token, url_of("HUB"), doors)
    assert enrolled(world, doors)


def test_a_token_counts_once(world: World, doors: Doors) -> None:
    token = invited(world)
    body = request(world, token)
    take_enrolment(world["HUB"], body)
    with pytest.raises(BadTrustError, match="used before"):
        take_enrolment(world["HUB"], body)
    assert doors.down == set()


def test_a_token_counts_for_a_day(world: World, doors: Doors) -> None:
    token = invited(world)
    world.clock.now += timedelta(hours=24)
    with pytest.raises(BadTrustError, match="expired"):
        take_enrolment(world["HUB"], request(world, token))
    world.clock.now -= timedelta(seconds=1)
    take_enrolment(world["HUB"], request(world, token))
    assert doors.down == set()


def test_a_token_counts_for_one_organisation(world: World, doors: Doors) -> None:
    with pytest.raises(BadTrustError, match="another organisation"):
        take_enrolment(world["HUB"], request(world, invited(world, STRANGER)))
    assert list_enrolments(world["HUB"]) == ()
    assert doors.down == set()


def test_a_newer_token_ends_an_older_one_and_a_made_up_one_is_none(
    world: World, doors: Doors
) -> None:
    first = invited(world)
    invited(world)
    for token in (first, Token("A" * 43, first.root)):
        with pytest.raises(BadTrustError, match="newer one"):
            take_enrolment(world["HUB"], request(world, token))
    assert doors.down == set()


def test_a_proof_is_by_every_key_and_over_this_token_and_roster(world: World, doors: Doors) -> None:
    token = invited(world)
    hub, held = world["HUB"], trusted(world["HUB"])
    assert held is not None
    assert held.roster is not None
    with pytest.raises(BadTrustError, match="possession"):
        take_enrolment(hub, request(world, token, signers=1))
    swapped = {**orjson.loads(request(world, token)), "token": "B" * 43}
    with pytest.raises(BadTrustError, match="roster"):
        take_enrolment(hub, orjson.dumps(swapped))
    with pytest.raises(BadTrustError, match="roster"):
        read_request(request(world, token), "0" * 64)
    for raw in (b"", b"{}", b'{"token":1,"entry":2,"proof":3}'):
        with pytest.raises(BadTrustError, match="form"):
            take_enrolment(hub, raw)
    take_enrolment(hub, request(world, token))  # none of them has spent it
    assert doors.down == set()


def test_who_joins_trusts_the_root_that_the_token_names_and_no_other(
    world: World, doors: Doors
) -> None:
    other = Token(invited(world).secret, "a" * 32)
    with pytest.raises(BadTrustError, match="does not have the root"):
        join(world["ES"], "shell", other, url_of("HUB"), doors)
    assert trusted(world["ES"]) is None


def test_who_joins_after_the_root_has_changed_ends_with_the_newest(
    world: World, doors: Doors
) -> None:
    second = root_of(world, 2)
    trust(world["HUB"], second)
    publish_due(world["HUB"])
    join(world["ES"], "shell", invited(world), url_of("HUB"), doors)
    held = trusted(world["ES"])
    assert held is not None
    assert held.root == unchecked_root(second)


def test_only_the_hub_of_a_signed_roster_enrols(world: World, doors: Doors) -> None:
    with pytest.raises(ConflictError):
        invite(world["FR"], officer(world, "anna"), ES)
    with pytest.raises(ConflictError):
        take_enrolment(world["FR"], b"{}")
    for org in ("x", ES.upper(), ORGS["HUB"]):
        with pytest.raises(BadInputError):
            invited(world, org)
    assert doors.down == set()


@pytest.mark.parametrize("text", ["", "isac-join.x.y", f"isac-join.{'A' * 43}.{'1' * 32}"])
def test_what_is_no_token_is_told(text: str) -> None:
    with pytest.raises(BadTrustError, match="no token"):
        Token.read(text)


def test_a_token_comes_back_from_its_text_and_is_not_kept(world: World, doors: Doors) -> None:
    token = invited(world)
    assert Token.read(f" {token.text}\n") == token
    files = world["HUB"].settings.data.glob("isac.db*")
    assert not any(token.secret.encode() in file.read_bytes() for file in files)
    assert doors.down == set()

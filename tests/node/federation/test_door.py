"""The door of fed/1, driven by real requests through the real application, without a socket."""

from dataclasses import replace
from datetime import timedelta

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from federation import sync
from federation.auth import NONCE_BYTES, sign_request, write_nonce
from federation.call import Ask, Call, Reply
from federation.feed import FEED_PATH, PACKAGES_PATH
from federation.opening import OpenedPage
from federation.peer import Peer
from node.actions.exchange import pull
from node.api import federation
from node.app import create_app
from node.node import Node
from node.storage.feed import rows_after
from node.storage.peers import find_peer
from policies.tlp import Tlp
from sharing.event import Audience
from tests.federation.test_pin import ANOTHER, OURS, PIN, as_nginx
from tests.node.federation.world import ORGS, World, url_of


class Door:
    """Carries calls through a node's application."""

    def __init__(self, node: Node, app: FastAPI | None = None, sender: str = "testclient") -> None:
        if app is None:
            app = FastAPI()
            app.include_router(federation.router(node))
        self._client = TestClient(app, base_url=node.settings.base_url, client=(sender, 1))
        self.node = node

    def send(self, call: Call, peer: Peer) -> Reply:
        with self._client.stream(call.method, call.path, headers=dict(call.headers)) as answer:
            body = b"".join(answer.iter_raw())
        return Reply(answer.status_code, {k.lower(): v for k, v in answer.headers.items()}, body)


def asked(world: World, asker: str, door: str, *, nonce: str | None = None) -> Ask:
    node = world[asker]
    return sync.ask(
        world.peer(asker, door),
        me=node.org,
        bookmark=None,
        nonce=nonce or write_nonce(node.rng(NONCE_BYTES)),
        signer=node.transport_signer,
        now=node.wall(),
    )


def test_a_pull_through_the_door_brings_what_was_posted(world: World) -> None:
    event = world.post("FR", "Phishing", values=["green.example"])
    world.project("FR")
    result = pull(world["BE"], world.peer("BE", "FR"), Door(world["FR"]))
    assert (result.admitted, result.error) == (1, None)
    assert "green.example" in world.text("BE", event)


def test_a_page_travels_as_zstd_where_that_is_accepted(world: World) -> None:
    world.post("FR", "Phishing", values=["green.example"])
    world.project("FR")
    question = asked(world, "BE", "FR")
    reply = Door(world["FR"]).send(question.call, world.peer("BE", "FR"))
    assert reply.headers["content-encoding"] == "zstd"
    assert b"green.example" not in reply.body
    page = sync.page(reply, question, registry=world["BE"].registry, now=world.clock())
    assert isinstance(page, OpenedPage)
    assert len(page.items) == 1


def test_a_replayed_feed_request_gets_no_page(world: World) -> None:
    question = asked(world, "BE", "FR")
    door = Door(world["FR"])
    assert door.send(question.call, world.peer("BE", "FR")).status == 200
    again = door.send(question.call, world.peer("BE", "FR"))
    assert again.status == 401
    assert b"used before" in again.body


def test_who_spoils_a_request_does_not_burn_its_nonce(world: World) -> None:
    question = asked(world, "BE", "FR")
    door = Door(world["FR"])
    spoiled = replace(question.call, path=question.call.path.replace("limit=200", "limit=199"))
    assert door.send(spoiled, world.peer("BE", "FR")).status == 401
    assert door.send(question.call, world.peer("BE", "FR")).status == 200


def test_a_stranger_gets_the_same_plain_refusal_whatever_he_asks(world: World) -> None:
    event = world.post("FR", "Phishing", values=["green.example"])
    world.project("FR")
    stranger = Door(world["FR"])
    peer = world.peer("BE", "FR")
    answers = {
        stranger.send(Call("GET", path), peer).body
        for path in (f"{FEED_PATH}?limit=10&wants=own", f"{PACKAGES_PATH}{'0' * 64}")
    }
    assert len(answers) == 1
    assert event.encode() not in answers.pop()


def test_a_member_whose_key_was_revoked_is_refused(world: World) -> None:
    node = world["FR"]
    kid = world["BE"].transport_signer.kid
    revoked = replace(node.registry.keys[kid], revoked_at=world.clock() - timedelta(hours=1))
    registry = replace(node.registry, keys={**node.registry.keys, kid: revoked})
    question = asked(world, "BE", "FR")
    door = Door(replace(node, roster=lambda: registry))
    assert door.send(question.call, world.peer("BE", "FR")).status == 401


def test_a_member_that_is_no_peer_is_refused(world: World) -> None:
    node = world["FR"]
    others = tuple(peer for peer in node.peers if peer.org != ORGS["BE"])
    question = asked(world, "BE", "FR")
    answer = Door(replace(node, peers=others)).send(question.call, world.peer("BE", "FR"))
    assert answer.status == 403


def pinned(world: World, header: str = "Client-Cert") -> Door:
    """FR's door where BE pins its TLS key and proxies tell certificates in this header."""
    node, be = world["FR"], ORGS["BE"]
    member = replace(node.registry.members[be], tls_pins=frozenset({PIN}))
    registry = replace(node.registry, members={**node.registry.members, be: member})
    settings = node.settings.model_copy(update={"client_cert_header": header})
    return Door(replace(node, roster=lambda: registry, settings=settings))


def told_with(call: Call, certificate: str) -> Call:
    return replace(call, headers={**call.headers, "client-cert": certificate})


def test_a_member_that_pins_its_tls_key_is_heard_over_that_key_only(world: World) -> None:
    door, peer = pinned(world), world.peer("BE", "FR")
    assert door.send(told_with(asked(world, "BE", "FR").call, as_nginx(OURS)), peer).status == 200
    for told in (as_nginx(ANOTHER), "none"):
        reply = door.send(told_with(asked(world, "BE", "FR").call, told), peer)
        assert reply.status == 401
        assert b"pins its TLS keys" in reply.body
    assert door.send(asked(world, "BE", "FR").call, peer).status == 401


def test_a_certificate_is_believed_from_a_trusted_proxy_only(world: World) -> None:
    """Whoever reaches the node past its proxy could tell any certificate."""
    node = pinned(world).node
    app = create_app(node)
    for sender, status in (("127.0.0.1", 200), ("192.0.2.7", 401)):
        call = told_with(asked(world, "BE", "FR").call, as_nginx(OURS))
        assert Door(node, app, sender).send(call, world.peer("BE", "FR")).status == status


def test_who_pins_no_tls_key_is_heard_as_ever(world: World) -> None:
    door, peer = pinned(world), world.peer("DE", "FR")
    assert door.send(asked(world, "DE", "FR").call, peer).status == 200


def test_pins_are_not_checked_where_no_proxy_tells_certificates(world: World) -> None:
    door, peer = pinned(world, header=""), world.peer("BE", "FR")
    assert door.send(asked(world, "BE", "FR").call, peer).status == 200
    assert door.send(told_with(asked(world, "BE", "FR").call, "x"), peer).status == 200


def test_who_is_refused_for_his_connection_burns_no_nonce(world: World) -> None:
    door, peer, call = pinned(world), world.peer("BE", "FR"), asked(world, "BE", "FR").call
    assert door.send(call, peer).status == 401
    assert door.send(told_with(call, as_nginx(OURS)), peer).status == 200


def test_an_old_request_is_refused(world: World) -> None:
    question = asked(world, "BE", "FR")
    world.clock.turn(minutes=5)
    answer = Door(world["FR"]).send(question.call, world.peer("BE", "FR"))
    assert answer.status == 401
    assert b"too long ago" in answer.body


def test_a_request_for_another_node_is_refused(world: World) -> None:
    question = asked(world, "BE", "DE")
    assert Door(world["FR"]).send(question.call, world.peer("BE", "FR")).status == 401


def signed(world: World, asker: str, door: str, path: str) -> Call:
    node = world[asker]
    return sign_request(
        Call("GET", path),
        base_url=url_of(door),
        signer=node.transport_signer,
        nonce=write_nonce(node.rng(NONCE_BYTES)),
        now=node.wall(),
    )


def test_the_cursor_of_another_peer_is_refused(world: World) -> None:
    world.post("FR", "Phishing", values=["green.example"])
    world.project("FR")
    world.pull("DE", "FR")
    with world["DE"].store.read() as unit:
        row = find_peer(unit.connection, ORGS["FR"])
    assert row is not None
    path = f"{FEED_PATH}?cursor={row.cursor}&limit=10&wants=own"
    door = Door(world["FR"])
    assert door.send(signed(world, "BE", "FR", path), world.peer("BE", "FR")).status == 400
    assert door.send(signed(world, "DE", "FR", path), world.peer("DE", "FR")).status == 200


def test_a_request_for_a_page_that_was_refused_counts_no_second_time(world: World) -> None:
    call = signed(world, "BE", "FR", f"{FEED_PATH}?cursor={'A' * 76}")
    door, peer = Door(world["FR"]), world.peer("BE", "FR")
    refused, again = door.send(call, peer), door.send(call, peer)
    assert (refused.status, b"cursor" in refused.body) == (400, True)
    assert (again.status, b"used before" in again.body) == (401, True)


@pytest.mark.parametrize("query", ["limit=0", "limit=201", "limit=x", "offset=1", "wants=many"])
def test_a_query_that_cannot_be_read_is_refused(world: World, query: str) -> None:
    call = signed(world, "BE", "FR", f"{FEED_PATH}?{query}")
    assert Door(world["FR"]).send(call, world.peer("BE", "FR")).status == 400


def test_a_feed_that_lives_a_new_life_says_so(world: World) -> None:
    world.post("FR", "Phishing", values=["green.example"])
    world.project("FR")
    world.pull("BE", "FR")
    restored = replace(world["FR"], keys=replace(world["FR"].keys, incarnation="ab" * 16))
    result = pull(world["BE"], world.peer("BE", "FR"), Door(restored))
    assert result.error is None
    assert result.items == 1  # read again from the start


def digest_for(world: World, peer: str) -> str:
    with world["FR"].store.read() as unit:
        [row] = rows_after(unit.connection, ORGS[peer], 0, 10)
    assert row.offer.digest is not None
    return row.offer.digest


def test_foreign_digest_and_unknown_digest_look_alike(world: World) -> None:
    world.post(
        "FR", "For BE", Tlp.AMBER, ["be.example"], audience=Audience(frozenset({ORGS["BE"]}))
    )
    world.project("FR")
    digest = digest_for(world, "BE")
    door = Door(world["FR"])
    mine = door.send(signed(world, "BE", "FR", PACKAGES_PATH + digest), world.peer("BE", "FR"))
    foreign = door.send(signed(world, "DE", "FR", PACKAGES_PATH + digest), world.peer("DE", "FR"))
    unknown = door.send(signed(world, "DE", "FR", PACKAGES_PATH + "0" * 64), world.peer("DE", "FR"))
    assert (mine.status, foreign.status) == (200, 404)
    assert (foreign.status, foreign.body, foreign.headers) == (
        unknown.status,
        unknown.body,
        unknown.headers,
    )
    assert b"be.example" in mine.body


def test_a_package_whose_log_is_dirty_is_not_served_yet(world: World) -> None:
    event = world.post("FR", "Phishing", values=["green.example"])
    world.project("FR")
    digest = digest_for(world, "BE")
    world.edit("FR", event, "Raised", Tlp.RED)
    call = signed(world, "BE", "FR", PACKAGES_PATH + digest)
    answer = Door(world["FR"]).send(call, world.peer("BE", "FR"))
    assert answer.status == 503
    assert answer.headers["retry-after"] == "1"
    assert b"green.example" not in answer.body

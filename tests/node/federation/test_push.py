"""Pushes between nodes: sooner than the feed, by the same checks, and nothing hangs on them."""

from dataclasses import replace
from threading import Event
from time import sleep

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from federation.auth import NONCE_BYTES, write_nonce
from federation.call import Call, Reply
from federation.peer import Peer
from federation.push import PUSH_CAP, PUSH_PATH, push_call
from node.actions.push import QUOTA, Pusher, push_due
from node.actions.serve import push_page
from node.api import federation
from node.node import Node
from node.storage.feed import find_seen, rows_after
from node.storage.peers import find_peer
from node.storage.pushes import due_pushes
from policies.tlp import Tlp
from tests.node.federation.world import ORGS, Memory, World


class Doors:
    """Carries calls through the real doors of all nodes, and the rest of the network's ways."""

    def __init__(self, world: World) -> None:
        self.passed: list[tuple[str, Call, Reply]] = []
        self.down: set[str] = set()
        self._memory = Memory(world.memory.nodes)
        self._doors = {node.settings.base_url: self._door(node) for node in world.nodes.values()}

    def _door(self, node: Node) -> TestClient:
        app = FastAPI()
        app.include_router(federation.router(node))
        return TestClient(app, base_url=node.settings.base_url)

    def send(self, call: Call, peer: Peer) -> Reply:
        self._memory.down = self.down
        if peer.base_url in self.down:
            return self._memory.send(call, peer)
        door = self._doors[peer.base_url]
        answer = door.request(call.method, call.path, headers=dict(call.headers), content=call.body)
        headers = {name.lower(): value for name, value in answer.headers.items()}
        reply = Reply(answer.status_code, headers, answer.content)
        self.passed.append((peer.org, call, reply))
        return reply

    def pushes(self) -> list[tuple[str, int]]:
        return [(to, reply.status) for to, call, reply in self.passed if call.path == PUSH_PATH]


@pytest.fixture
def doors(world: World) -> Doors:
    return Doors(world)


def push(world: World, doors: Doors, name: str = "FR") -> int:
    world.project(name)
    return push_due(world[name], doors)


def place(world: World, at: str, source: str) -> int:
    with world[at].store.read() as unit:
        row = find_peer(unit.connection, ORGS[source])
    return 0 if row is None else row.pos


def test_an_urgent_event_is_admitted_by_every_peer_before_any_pull(
    world: World, doors: Doors
) -> None:
    event = world.post("FR", "Ransomware", values=["green.example"], urgent=True)
    assert push(world, doors) == 3
    for name in ("BE", "DE", "HUB"):
        assert "green.example" in world.text(name, event)
        assert place(world, name, "FR") == 0


def test_an_event_that_is_not_urgent_is_not_pushed(world: World, doors: Doors) -> None:
    world.post("FR", "Phishing")
    assert push(world, doors) == 0
    assert doors.pushes() == []


def test_the_feed_delivers_a_push_again_as_a_no_op(world: World, doors: Doors) -> None:
    event = world.post("FR", "Ransomware", values=["green.example"], urgent=True)
    push(world, doors)
    before = world.held_from("BE", event, "FR")
    result = world.pull("BE", "FR")
    assert (result.items, result.admitted, result.error) == (1, 0, None)
    assert world.held_from("BE", event, "FR") == before
    assert place(world, "BE", "FR") == 1


def test_a_push_holds_no_more_than_policy_lets_its_peer_have(world: World, doors: Doors) -> None:
    world.post("FR", "For nobody", Tlp.RED, ["red.example"], urgent=True)
    push(world, doors)
    assert not any(b"red.example" in call.body for _, call, _ in doors.passed)


def test_what_was_taken_is_not_pushed_again_and_what_was_not_is_tried_until_it_is_confirmed(
    world: World, doors: Doors
) -> None:
    world.post("FR", "Ransomware", urgent=True)
    doors.down = {"https://be.example.org"}
    assert push(world, doors) == 2
    assert push(world, doors) == 0
    world.clock.turn(minutes=16)
    doors.down = set()
    world.project()
    assert push(world, doors) == 1
    world.clock.turn(minutes=16)
    assert push(world, doors) == 0


def test_a_peer_that_pulled_meanwhile_is_not_pushed_to(world: World, doors: Doors) -> None:
    world.post("FR", "Ransomware", urgent=True)
    doors.down = {"https://be.example.org"}
    push(world, doors)
    world.pull("BE", "FR")
    world.pull("BE", "FR")  # comes back with the cursor behind it
    world.clock.turn(minutes=16)
    with world["FR"].store.read() as unit:
        assert due_pushes(unit.connection, world.clock()) == ()


def pushed(world: World, to: str = "BE", nth: int = 0) -> Call:
    """The request by which FR pushes its first row to a peer, or a later one."""
    node, peer = world["FR"], world.peer("FR", to)
    nonce = write_nonce(node.rng(NONCE_BYTES))
    with node.store.read() as unit:
        row = rows_after(unit.connection, peer.org, 0, nth + 1)[nth].offer
    body = push_page(node, peer.org, row.pos, nonce)
    assert body is not None
    return push_call(peer, body, nonce=nonce, signer=node.transport_signer, now=node.wall())


def test_a_replayed_push_is_refused_and_moves_nothing(world: World, doors: Doors) -> None:
    world.post("FR", "Ransomware", urgent=True)
    world.project("FR")
    call = pushed(world)
    assert doors.send(call, world.peer("FR", "BE")).status == 204
    assert doors.send(call, world.peer("FR", "BE")).status == 401
    assert place(world, "BE", "FR") == 0


def test_a_push_whose_bytes_were_changed_on_the_way_is_refused(world: World, doors: Doors) -> None:
    event = world.post("FR", "Ransomware", values=["green.example"], urgent=True)
    world.project("FR")
    call = pushed(world)
    call = replace(call, body=call.body.replace(b"green.example", b"evil1.example"))
    assert doors.send(call, world.peer("FR", "BE")).status == 401
    assert world.log("BE", event) is None


def test_a_page_for_another_peer_or_of_another_request_is_refused(
    world: World, doors: Doors
) -> None:
    event = world.post("FR", "Ransomware", urgent=True)
    world.project("FR")
    node, be = world["FR"], world.peer("FR", "BE")
    for stolen in (pushed(world, "DE"), pushed(world)):
        fresh = write_nonce(node.rng(NONCE_BYTES))
        call = push_call(
            be, stolen.body, nonce=fresh, signer=node.transport_signer, now=node.wall()
        )
        reply = doors.send(call, be)
        assert reply.status == 400, reply.body
    assert world.log("BE", event) is None


def test_a_page_of_the_feed_is_no_push(world: World, doors: Doors) -> None:
    event = world.post("FR", "Ransomware", urgent=True)
    world.pull("BE", "FR")
    world.project("FR")
    world.memory.passed.clear()
    world.memory.spoil = lambda call, reply: replace(reply, status=503)
    world.pull("BE", "FR")
    page = world.memory.passed[-1][2].body
    node, be = world["FR"], world.peer("FR", "BE")
    nonce = write_nonce(node.rng(NONCE_BYTES))
    call = push_call(be, page, nonce=nonce, signer=node.transport_signer, now=node.wall())
    assert doors.send(call, be).status == 400
    assert world.log("BE", event) is None


def test_a_push_longer_than_its_cap_is_refused_unread(world: World, doors: Doors) -> None:
    node, be = world["FR"], world.peer("FR", "BE")
    nonce = write_nonce(node.rng(NONCE_BYTES))
    long = b"x" * (PUSH_CAP + 1)
    call = push_call(be, long, nonce=nonce, signer=node.transport_signer, now=node.wall())
    assert doors.send(call, be).status == 413


def test_a_package_that_does_not_fit_makes_its_receiver_read_the_feed(
    world: World, doors: Doors
) -> None:
    world.pull("BE", "FR")
    event = world.post(
        "FR", "Ransomware", values=[f"host{n:05}.example" for n in range(900)], urgent=True
    )
    assert push(world, doors) == 3
    assert all(len(call.body) <= PUSH_CAP for _, call, _ in doors.passed)
    assert world.log("BE", event) is None
    with world["BE"].store.read() as unit:
        row = find_peer(unit.connection, ORGS["FR"])
    assert row is not None
    assert row.next_try_at == world.clock()
    assert world.pull("BE", "FR").admitted == 1


def test_a_push_of_another_life_of_the_feed_waits_until_the_feed_was_read_anew(
    world: World, doors: Doors
) -> None:
    world.post("FR", "Phishing")
    world.project("FR")
    world.pull("BE", "FR")
    node = world["FR"]
    node = replace(node, keys=replace(node.keys, incarnation="ab" * 16))
    world.nodes["FR"] = world.memory.nodes["https://fr.example.org"] = node
    event = world.post("FR", "Ransomware", urgent=True)
    world.project("FR")
    with node.store.read() as unit:
        pos = next(
            r.offer.pos for r in rows_after(unit.connection, ORGS["BE"], 0, 9) if r.offer.urgent
        )
    nonce = write_nonce(node.rng(NONCE_BYTES))
    body = push_page(node, ORGS["BE"], pos, nonce)
    assert body is not None
    be = world.peer("FR", "BE")
    call = push_call(be, body, nonce=nonce, signer=node.transport_signer, now=node.wall())
    assert doors.send(call, be).status == 400
    assert world.log("BE", event) is None


def test_a_peer_that_floods_pushes_is_told_to_wait_and_others_are_not(
    world: World, doors: Doors
) -> None:
    world.post("FR", "Ransomware", urgent=True)
    world.project("FR")
    be = world.peer("FR", "BE")
    statuses = [doors.send(pushed(world), be).status for _ in range(QUOTA + 1)]
    assert statuses[:-1] == [204] * QUOTA
    assert statuses[-1] == 429
    world.post("DE", "Ransomware", urgent=True)
    world.project("DE")
    assert push_due(world["DE"], doors) == 3


def test_a_stranger_pushes_nothing(world: World, doors: Doors) -> None:
    event = world.post("FR", "Ransomware", urgent=True)
    world.project("FR")
    call = pushed(world)
    unsigned = replace(call, headers={"content-type": call.headers["content-type"]})
    assert doors.send(unsigned, world.peer("FR", "BE")).status == 401
    assert world.log("BE", event) is None


def test_a_log_that_changes_while_it_is_pushed_waits(world: World, doors: Doors) -> None:
    event = world.post("FR", "Ransomware", urgent=True)
    world.project("FR")
    world.edit("FR", event, "Nothing after all", Tlp.RED)
    assert push_due(world["FR"], doors) == 0
    assert doors.pushes() == []


def test_a_recall_of_an_urgent_event_is_pushed_and_leaves_no_bytes(
    world: World, doors: Doors
) -> None:
    event = world.post("FR", "Ransomware", values=["green.example"], urgent=True)
    push(world, doors)
    world.recall("FR", event)
    assert push(world, doors) == 3
    for name in ("BE", "DE", "HUB"):
        assert world.held(name, event) is None
    with world["BE"].store.read() as unit:
        seen = find_seen(unit.connection, ORGS["FR"], ORGS["FR"], event)
    assert seen is not None
    assert seen.digest is None


def test_a_peer_that_hangs_holds_up_nobody_else_and_is_not_pushed_to_twice(world: World) -> None:
    let_go, asked = Event(), list[str]()

    class Hanging:
        def send(self, call: Call, peer: Peer) -> Reply:
            asked.append(peer.org)
            if peer.org == ORGS["BE"]:
                let_go.wait(30)
            return Reply(204, {}, b"")

    world.post("FR", "Ransomware", urgent=True)
    world.project("FR")
    pusher = Pusher(Hanging())
    assert pusher.begin(world["FR"]) == 3
    while len(asked) < 3 or len(due_now(world)) > 1:
        sleep(0.01)
    assert pusher.begin(world["FR"]) == 0
    let_go.set()
    pusher._workers.shutdown(wait=True)
    assert sorted(asked) == sorted(ORGS[name] for name in ("BE", "DE", "HUB"))
    assert due_now(world) == []


def due_now(world: World) -> list[str]:
    with world["FR"].store.read() as unit:
        return [one.peer for one in due_pushes(unit.connection, world.clock())]

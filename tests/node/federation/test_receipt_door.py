"""The door for receipts: signed requests alone, each once, and nothing a stranger learns from."""

from dataclasses import replace

from fastapi import FastAPI
from starlette.testclient import TestClient

from federation.auth import NONCE_BYTES, write_nonce
from federation.call import Call, Reply
from federation.peer import Peer
from federation.receipt import RECEIPT_CAP, RECEIPT_TYPE, bring
from node.actions.receipts import send_due
from node.api import federation
from node.node import Node
from tests.node.federation.test_receipts import due, status
from tests.node.federation.world import World

AS_A_STRANGER = {"content-type": RECEIPT_TYPE}


class Door:
    """Carries calls with bodies through a node's application."""

    def __init__(self, node: Node) -> None:
        app = FastAPI()
        app.include_router(federation.router(node))
        self._client = TestClient(app, base_url=node.settings.base_url)

    def send(self, call: Call, peer: Peer) -> Reply:
        sent = self._client.request(
            call.method, call.path, headers=dict(call.headers), content=call.body
        )
        return Reply(sent.status_code, dict(sent.headers), sent.content)


def recalled(world: World) -> str:
    event = world.post("FR", "Phishing")
    world.settle()
    world.recall("FR", event)
    world.project("FR")
    world.pull("BE", "FR")
    return event


def brought(world: World, body: bytes, by: str = "BE") -> Call:
    node = world[by]
    return bring(
        world.peer(by, "FR"),
        body,
        nonce=write_nonce(node.rng(NONCE_BYTES)),
        signer=node.transport_signer,
        now=node.wall(),
    )


def test_a_receipt_through_the_door_counts(world: World) -> None:
    event = recalled(world)
    assert send_due(world["BE"], Door(world["FR"])) == 1
    assert status(world, event).confirmed == 1


def test_the_door_says_why_a_receipt_does_not_count(world: World) -> None:
    event = recalled(world)
    door, peer = Door(world["FR"]), world.peer("BE", "FR")
    mine = due(world, "BE")
    call = brought(world, mine)
    spoilt = replace(call, body=call.body.replace(b"payload", b"PAYLOAD", 1))
    assert door.send(spoilt, peer).status == 401  # not what was signed
    assert door.send(brought(world, b"{}"), peer).status == 400
    assert door.send(brought(world, mine, by="DE"), peer).status == 400
    assert door.send(brought(world, b"x" * (RECEIPT_CAP + 1)), peer).status == 413
    assert status(world, event).confirmed == 0
    assert door.send(call, peer).status == 204
    replayed = door.send(call, peer)
    assert (replayed.status, b"used before" in replayed.body) == (401, True)
    assert door.send(brought(world, mine), peer).status == 204
    assert status(world, event).confirmed == 1


def test_a_stranger_at_the_receipts_door_learns_nothing(world: World) -> None:
    recalled(world)
    door, peer, mine = Door(world["FR"]), world.peer("BE", "FR"), due(world, "BE")
    answers = {
        door.send(replace(brought(world, body), headers=AS_A_STRANGER), peer).body
        for body in (b"", b"{}", mine)
    }
    assert len(answers) == 1

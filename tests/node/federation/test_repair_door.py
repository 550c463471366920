"""Repair through the door of fed/1, by real requests through the real application."""

from dataclasses import replace

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from federation.auth import NONCE_BYTES, sign_request, write_nonce
from federation.call import Call, Reply
from federation.peer import Peer
from federation.repair import StretchAsk
from federation.repair_lines import ITEMS_PATH, QUESTION_CAP, REPAIR_PATH, ask_stretches
from node.actions.repair import repair
from node.api import federation
from node.node import Node
from node.storage import tables, tables_feed
from tests.node.federation.world import World


class Door:
    """Carries calls, with their bodies, through a node's application."""

    def __init__(self, node: Node) -> None:
        app = FastAPI()
        app.include_router(federation.router(node))
        self._client = TestClient(app, base_url=node.settings.base_url)

    def send(self, call: Call, peer: Peer) -> Reply:
        with self._client.stream(
            call.method, call.path, headers=dict(call.headers), content=call.body or None
        ) as answer:
            body = b"".join(answer.iter_raw())
        return Reply(answer.status_code, {k.lower(): v for k, v in answer.headers.items()}, body)


def signed(world: World, path: str, body: bytes) -> Call:
    node = world["BE"]
    return sign_request(
        Call("POST", path, {"content-type": "application/vnd.fisn.repair"}, body),
        base_url=world.peer("BE", "FR").base_url,
        signer=node.transport_signer,
        nonce=write_nonce(node.rng(NONCE_BYTES)),
        now=node.wall(),
    )


def test_what_was_lost_comes_through_the_door(world: World) -> None:
    event = world.post("FR", "Event", values=["a.example"])
    world.project("FR")
    world.pull("BE", "FR")
    with world["BE"].store.write() as unit:
        for table in (tables.entry, tables.holding, tables_feed.seen):
            unit.connection.execute(table.delete())
    done = repair(world["BE"], world.peer("BE", "FR"), Door(world["FR"]))
    assert (done.error, done.missing, done.brought) == (None, 1, 1)
    assert "a.example" in world.text("BE", event)


@pytest.mark.parametrize("path", [REPAIR_PATH, ITEMS_PATH])
@pytest.mark.parametrize("body", [b"x\n", b"{}\n", b"\n", b'{"stretch":"","list":1}\n'])
def test_what_is_no_question_gets_no_answer(world: World, path: str, body: bytes) -> None:
    reply = Door(world["FR"]).send(signed(world, path, body), world.peer("BE", "FR"))
    assert (reply.status, b"no question" in reply.body) == (400, True)


def test_a_body_longer_than_a_question_can_be_is_not_read(world: World) -> None:
    ask = StretchAsk("", listed=False).write() + b"\n"
    question = signed(world, REPAIR_PATH, ask * (QUESTION_CAP // len(ask) + 2))
    assert Door(world["FR"]).send(question, world.peer("BE", "FR")).status == 413


def test_a_question_counts_once_and_for_its_own_body(world: World) -> None:
    node, door, peer = world["BE"], Door(world["FR"]), world.peer("BE", "FR")
    world.project("FR")
    question = ask_stretches(
        peer,
        [StretchAsk("", listed=True)],
        nonce=write_nonce(node.rng(NONCE_BYTES)),
        signer=node.transport_signer,
        now=node.wall(),
    )
    other = replace(question, body=StretchAsk("a", listed=True).write() + b"\n")
    assert door.send(other, peer).status == 401
    assert door.send(question, peer).status == 200
    assert door.send(question, peer).status == 401

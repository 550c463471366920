"""A question that waits: held while there is nothing, answered when there is, ended in time."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import replace
from typing import TypeVar

import httpx2
import pytest
from fastapi import FastAPI

from federation import sync
from federation.auth import NONCE_BYTES, write_nonce
from federation.call import Ask, Reply
from federation.opening import OpenedPage
from node.actions import listen
from node.actions.exchange import pull
from node.actions.lanes import one_by_one
from node.actions.listen import Listener
from node.api import federation, feed_wait
from node.node import Node
from node.storage.peers import find_peer
from policies.tlp import Tlp
from sharing.event import Audience
from tests.node.federation.world import ORGS, World

T = TypeVar("T")


def asked(world: World, asker: str, *, wait_s: int = 20, limit: int = 0) -> Ask:
    """The asker's question to FR from where it has read to."""
    node, peer = world[asker], world.peer(asker, "FR")
    with node.store.read() as unit:
        row = find_peer(unit.connection, peer.org)
    return sync.ask(
        peer,
        me=node.org,
        bookmark=None if row is None else row.bookmark,
        nonce=write_nonce(node.rng(NONCE_BYTES)),
        signer=node.transport_signer,
        now=node.wall(),
        limit=limit,
        wait_s=wait_s,
    )


class Room:
    """FR's door in one event loop, where questions can be asked while others are held."""

    def __init__(self, node: Node) -> None:
        app = FastAPI()
        app.include_router(federation.router(node))
        self._client = httpx2.AsyncClient(
            transport=httpx2.ASGITransport(app), base_url=node.settings.base_url
        )

    def ask(self, question: Ask) -> "asyncio.Task[Reply]":
        return asyncio.create_task(self._ask(question))

    async def _ask(self, question: Ask) -> Reply:
        call = question.call
        headers = dict(call.headers) | {"accept-encoding": "identity"}
        got = await self._client.request(call.method, call.path, headers=headers)
        return Reply(got.status_code, dict(got.headers), got.content)


async def is_held(task: "asyncio.Task[Reply]") -> bool:
    await asyncio.wait([task], timeout=0.3)
    return not task.done()


async def soon(task: Awaitable[T]) -> T:
    """What it gives, if it does so long before the wait would end."""
    return await asyncio.wait_for(task, 5)


def opened(world: World, reply: Reply, question: Ask) -> OpenedPage:
    page = sync.page(reply, question, registry=world["BE"].registry, now=world.clock())
    assert isinstance(page, OpenedPage)
    return page


def post_for_de(world: World) -> str:
    audience = Audience(parties=frozenset({ORGS["DE"]}))
    return world.post("FR", "For DE", Tlp.AMBER, ["amber.example"], audience=audience)


def run(story: Callable[[], Coroutine[None, None, None]]) -> None:
    asyncio.run(story())


@pytest.fixture(autouse=True)
def _only_the_bell(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nobody look by himself, so that whatever wakes was told by the bell."""
    monkeypatch.setattr(feed_wait, "LOOK_S", 60.0)


def test_a_question_is_held_until_something_is_due_for_who_asks(world: World) -> None:
    world.pull("BE", "FR")

    async def story() -> None:
        room, question = Room(world["FR"]), asked(world, "BE")
        task = room.ask(question)
        assert await is_held(task)
        await asyncio.to_thread(world.post, "FR", "Phishing", values=["green.example"])
        assert await is_held(task)  # nothing is decided yet
        await asyncio.to_thread(world.project, "FR")
        page = opened(world, await soon(task), question)
        assert page.more
        assert page.items == ()

    run(story)


def test_what_is_for_others_ends_no_wait(world: World) -> None:
    world.pull("BE", "FR")

    async def story() -> None:
        task = Room(world["FR"]).ask(asked(world, "BE"))
        assert await is_held(task)
        await asyncio.to_thread(post_for_de, world)
        await asyncio.to_thread(world.project, "FR")
        assert await is_held(task)
        world["FR"].bell.ring_out()
        await soon(task)

    run(story)


def test_who_has_something_to_read_is_not_held(world: World) -> None:
    world.post("FR", "Phishing", values=["green.example"])
    world.project("FR")

    async def story() -> None:
        question = asked(world, "BE", limit=200)
        page = opened(world, await soon(Room(world["FR"]).ask(question)), question)
        assert len(page.items) == 1

    run(story)


def test_a_wait_ends_in_time_with_a_signed_page(world: World) -> None:
    world.pull("BE", "FR")

    async def story() -> None:
        question, began = asked(world, "BE", wait_s=1), time.monotonic()
        page = opened(world, await soon(Room(world["FR"]).ask(question)), question)
        assert not page.more
        assert time.monotonic() - began >= 1

    run(story)


def test_another_process_that_projects_is_noticed_without_the_bell(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed_wait, "LOOK_S", 0.2)
    world.pull("BE", "FR")
    other = world["FR"]
    deaf = replace(other, bell=type(other.bell)())

    async def story() -> None:
        task = Room(deaf).ask(asked(world, "BE"))
        assert await is_held(task)
        await asyncio.to_thread(world.post, "FR", "Phishing", values=["green.example"])
        await asyncio.to_thread(world.project, "FR")
        await soon(task)

    run(story)


def test_of_a_peer_one_question_is_held_its_newest(world: World) -> None:
    for name in ("BE", "DE"):
        world.pull(name, "FR")

    async def story() -> None:
        room = Room(world["FR"])
        first, other = room.ask(asked(world, "BE")), room.ask(asked(world, "DE"))
        assert await is_held(first)
        second = room.ask(asked(world, "BE"))
        assert (await soon(first)).status == 200
        assert await is_held(second)
        assert not other.done()
        world["FR"].bell.ring_out()
        await soon(asyncio.gather(second, other))

    run(story)


def test_beyond_the_bound_a_question_is_answered_at_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed_wait, "HELD", 1)
    for name in ("BE", "DE"):
        world.pull(name, "FR")

    async def story() -> None:
        room = Room(world["FR"])
        held = room.ask(asked(world, "BE"))
        assert await is_held(held)
        assert (await soon(room.ask(asked(world, "DE")))).status == 200
        assert not held.done()
        world["FR"].bell.ring_out()
        await soon(held)

    run(story)


def test_who_is_revoked_while_he_waits_gets_no_page(world: World) -> None:
    world.pull("BE", "FR")
    node, kid = world["FR"], world["BE"].transport_signer.kid
    registry = [node.registry]

    async def story() -> None:
        task = Room(replace(node, roster=lambda: registry[0])).ask(asked(world, "BE"))
        assert await is_held(task)
        revoked = replace(registry[0].keys[kid], revoked_at=world.clock())
        registry[0] = replace(registry[0], keys={**registry[0].keys, kid: revoked})
        node.bell.ring()
        assert (await soon(task)).status == 401

    run(story)


def test_a_member_that_is_removed_while_it_waits_gets_no_page(world: World) -> None:
    world.pull("BE", "FR")
    node = world["FR"]
    peers = list(node.peers)

    async def story() -> None:
        task = Room(replace(node, peers=peers)).ask(asked(world, "BE"))
        assert await is_held(task)
        peers[:] = [peer for peer in peers if peer.org != world["BE"].org]
        node.bell.ring()
        assert (await soon(task)).status == 403

    run(story)


def test_what_is_asked_with_is_confirmed_before_the_wait(world: World) -> None:
    world.post("FR", "Phishing", values=["green.example"])
    world.project("FR")
    world.pull("BE", "FR")

    async def story() -> None:
        task = Room(world["FR"]).ask(asked(world, "BE"))
        assert await is_held(task)
        with world["FR"].store.read() as unit:
            row = find_peer(unit.connection, world["BE"].org)
        assert row is not None
        assert row.acked_pos == row.head_pos == 1
        world["FR"].bell.ring_out()
        await soon(task)

    run(story)


# ── Who listens ──────────────────────────────────────────────────────────────────────────────────


def listener(world: World) -> Listener:
    return Listener(world.memory, one_by_one)


def begun(world: World, ears: Listener) -> int:
    """Listen once from BE; gives to how many peers it listened."""
    return ears.listen_due(world["BE"], one_by_one)


def test_news_that_is_heard_is_pulled(world: World) -> None:
    world.pull("BE", "FR")
    event = world.post("FR", "Phishing", values=["green.example"])
    world.project("FR")
    begun(world, listener(world))
    assert "green.example" in world.text("BE", event)


def test_who_never_answered_is_left_to_the_pulls(world: World) -> None:
    assert begun(world, listener(world)) == 0
    world.memory.down.add(world.peer("BE", "FR").base_url)
    assert world.pull("BE", "FR").error is not None
    assert begun(world, listener(world)) == 0


def test_who_holds_no_question_is_not_asked_again_before_the_interval(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The door in memory holds nothing: it stands for a peer, or a proxy, that does not either."""
    world.pull("BE", "FR")
    ears = listener(world)
    assert begun(world, ears) == 1
    assert begun(world, ears) == 0
    world.clock.turn(seconds=61)
    assert begun(world, ears) == 1
    monkeypatch.setattr(listen, "_EARLY_S", 25.0)  # as if it had been held
    world.clock.turn(seconds=61)
    assert begun(world, ears) == begun(world, ears) == 1


def test_a_node_that_is_set_not_to_wait_does_not_listen(world: World) -> None:
    world.pull("BE", "FR")
    node = world["BE"]
    settings = node.settings.model_copy(update={"feed_wait_s": 0})
    ears = listener(world)
    assert ears.listen_due(replace(node, settings=settings), one_by_one) == 0
    assert pull(node, world.peer("BE", "FR"), world.memory).error is None

"""A world with a signed roster: a root of five keepers, the hub's online key, real doors."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from fastapi import FastAPI
from starlette.testclient import TestClient

from federation.call import Call, Reply
from federation.errors import TransportError
from federation.members import read_entry
from federation.peer import Peer
from federation.trust import (
    ROOT_TYPE,
    Revocation,
    Root,
    add_signature,
    unchecked_root,
    write_root,
    write_roster,
)
from node.actions.roster import fetch_due, trust_root, trusted
from node.actions.rostering import bring_entry, make_online_key, publish_due
from node.api import federation, roster
from node.keys import read_signer
from node.node import Node
from node.roster import entries_of
from node.storage import audit
from tests.federation.trusting import OFFLINE, keeper, public
from tests.node.federation.world import ORGS, World, url_of


@dataclass
class Doors:
    """Carries calls to whichever node answers at an address."""

    world: World
    down: set[str] = field(default_factory=set)
    answer_s: float = 0  # the schedule's pusher sets it

    def send(self, call: Call, peer: Peer) -> Reply:
        if peer.base_url in self.down:
            raise TransportError(f"{peer.base_url} cannot be reached")
        node = next(one for name, one in self.world.nodes.items() if url_of(name) == peer.base_url)
        app = FastAPI()
        app.include_router(federation.router(node))
        app.include_router(roster.router(node))
        client = TestClient(app, base_url=peer.base_url)
        answer = client.request(
            call.method, call.path, headers=dict(call.headers), content=call.body
        )
        headers = {name.lower(): value for name, value in answer.headers.items()}
        return Reply(answer.status_code, headers, answer.content)


def root_of(
    world: World, version: int = 1, online: dict[str, str] | None = None, by: int = 3
) -> bytes:
    """A root that names the hub's online key, signed by its first keepers."""
    envelope = write_root(
        version=version,
        expires=world.clock() + timedelta(days=365),
        threshold=3,
        keys=[public(name) for name in OFFLINE],
        online=[online or make_online_key(world["HUB"])],
    )
    for name in OFFLINE[:by]:
        envelope = add_signature(ROOT_TYPE, envelope, keeper(name))
    return envelope


def trust(node: Node, envelope: bytes) -> Root:
    """The node's operator trusts a root whose fingerprint he was told."""
    return trust_root(node, "shell", envelope, unchecked_root(envelope).fingerprint)


def federate(world: World) -> Doors:
    """Everybody trusts one root, has brought its entry to the hub, and holds its roster."""
    doors, root = Doors(world), root_of(world)
    for node in world.nodes.values():
        trust(node, root)
    publish_due(world["HUB"])
    turn(world, doors)
    turn(world, doors)
    return doors


def turn(world: World, doors: Doors, *names: str) -> None:
    """A minute goes by: everybody asks, tells the hub, and the hub publishes."""
    world.clock.turn(seconds=60)
    for name in names or world.nodes:
        fetch_due(world[name], doors)
        bring_entry(world[name], doors)
    publish_due(world["HUB"])


def version_at(world: World, name: str) -> int:
    """The version of the roster that a node holds."""
    held = trusted(world[name])
    assert held is not None
    return 0 if held.roster is None else held.roster.version


def entry_of(world: World, at: str, of: str) -> dict[str, object]:
    return dict(entries_of(world[at].settings.roster_file)[ORGS[of]])


def kids_at(world: World, at: str, of: str = "FR") -> set[str]:
    return {one.kid for one in world[at].registry.members[ORGS[of]].keys}


def told(world: World, name: str, action: str) -> list[dict[str, object]]:
    with world[name].store.read() as unit:
        lines = audit.latest(unit.connection, 200)
    return [dict(line.detail) for line in reversed(lines) if line.action == action]


def stolen_roster(
    world: World, members: Sequence[bytes] | None = None, *, revoked: Sequence[Revocation] = ()
) -> bytes:
    """What a thief of the hub's online key signs, over what the hub said last."""
    held = trusted(world["HUB"])
    assert held is not None
    assert held.roster is not None
    return write_roster(
        version=held.roster.version + 1,
        issued=world.clock(),
        members=held.roster.members if members is None else members,
        revoked=revoked,
        removed=(),
        signers=[read_signer(world["HUB"].settings.data / "keys" / "roster.pem")],
    )


def members_of(world: World) -> dict[str, bytes]:
    held = trusted(world["HUB"])
    assert held is not None
    assert held.roster is not None
    return {read_entry(one).org: one for one in held.roster.members}

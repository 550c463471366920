"""The network of a run: every node's door, every byte that passes, and its faults."""

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from federation.call import Call, Reply
from federation.errors import RolledBackError, TransportError
from federation.peer import Peer
from node.node import Node
from tests.node.federation.world import answer
from tests.simulation.stage import Stage

Watch = Callable[[str, str, bytes], None]  # sender, receiver, the bytes that leave


@dataclass
class Faults:
    """How often what goes wrong with a call or its answer."""

    lost_call: float = 0.03
    lost_reply: float = 0.04
    twice: float = 0.03  # the call comes twice; the second answer arrives
    late: float = 0.03  # an earlier answer arrives instead
    spoilt: float = 0.04  # one bit is another


@dataclass
class Network:
    """Carries calls between the nodes; `cut` are pairs that cannot reach each other."""

    stage: Stage
    chance: Random
    watch: Watch
    faults: Faults | None = field(default_factory=Faults)
    down: set[str] = field(default_factory=set)
    cut: set[frozenset[str]] = field(default_factory=set)
    late: dict[tuple[str, str], Reply] = field(default_factory=dict)
    passed: int = 0

    def carrier(self, name: str) -> "Carrier":
        return Carrier(self, name)

    def reachable(self, one: str, other: str) -> bool:
        return not self.down & {one, other} and frozenset({one, other}) not in self.cut

    def send(self, asker: str, call: Call, peer: Peer) -> Reply:
        name = next(one for one, node in self.stage.nodes.items() if node.org == peer.org)
        if not self.reachable(asker, name):
            raise TransportError(f"{peer.base_url} cannot be reached")
        faults, chance = self.faults, self.chance
        if faults and chance.random() < faults.lost_call:
            raise TransportError("lost on the way there")
        reply = self._answered(name, asker, call)
        if faults is None:
            return reply
        if chance.random() < faults.twice:
            reply = self._answered(name, asker, call)
        before = self.late.get((name, asker), reply)
        self.late[name, asker] = reply
        if chance.random() < faults.late:
            reply = before
        if chance.random() < faults.lost_reply:
            raise TransportError("lost on the way back")
        if chance.random() < faults.spoilt and reply.body:
            reply = Reply(reply.status, reply.headers, spoilt(reply.body, chance))
        return reply

    def _answered(self, name: str, asker: str, call: Call) -> Reply:
        reply = door(self.stage.nodes[name], call)
        self.passed += len(reply.body)
        self.watch(name, asker, reply.body)
        return reply


@dataclass(frozen=True)
class Carrier:
    """The network as one node uses it."""

    network: Network
    name: str

    def send(self, call: Call, peer: Peer) -> Reply:
        return self.network.send(self.name, call, peer)


def door(node: Node, call: Call) -> Reply:
    """What the node's door says."""
    try:
        return answer(node, call)
    except RolledBackError:
        return Reply(503, {"retry-after": "60"}, b"")


def spoilt(body: bytes, chance: Random) -> bytes:
    at = chance.randrange(len(body))
    return body[:at] + bytes([body[at] ^ 1 << chance.randrange(8)]) + body[at + 1 :]

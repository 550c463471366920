"""An alert, from its submission at one node until it stands in hospitals' streams at another.

The sender is a node in this process with 27 peers. One of them is a real node: `isac serve` in a
process of its own, pushed to over HTTP on loopback, to which so many streams of hospitals are open
over sockets. The other 26 answer at once, as machines of their own would but for the network; or
they are nodes in this process that check and store what is pushed to them as the door does, past
HTTP alone, and so take their time from sender and readers, which are in it, too. Time runs from
before the event is sealed until a stream's last byte of it was read here.
"""

import asyncio
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from socket import socket
from statistics import quantiles
from uuid import uuid4

from federation.auth import Received, verify_request
from federation.call import Call, Reply
from federation.peer import Peer
from federation.transport import Transport
from node.actions.alerts import send_alert
from node.actions.caller import Caller
from node.actions.init import NewNode, init_node
from node.actions.people import add_person, enrol_org, make_token
from node.actions.projector import project_dirty
from node.actions.push import push_due, take_push
from node.actions.sealing import Birth, first_version, fresh_uuid, write_version
from node.actions.serve import spend
from node.bench.turns import Row
from node.demo.processes import Supervisor
from node.node import Node, open_node
from node.roster import own_entry, put_members
from node.storage.people import Org
from policies.label import Label
from policies.tlp import Tlp
from sharing.event import Attribute, Draft, Event
from sharing.slots import Names, cut_event

PEERS = 27
LISTENERS = 1_000
ALERTS = 8
_HOSPITALS = 50
_TIMESTAMP = 1_700_000_000
_CONNECTING = 50  # at a time
_PATIENCE_S = 60.0


@dataclass(frozen=True, slots=True)
class _Carrier:
    """Carries pushes: to the served node over HTTP, to the others straight into their checks."""

    nodes: dict[str, Node]
    served: str
    transport: Transport
    takes: bool = True  # whether the others do more than answer

    def send(self, call: Call, peer: Peer) -> Reply:
        """The peer's answer."""
        if peer.org == self.served:
            return self.transport.send(call, peer)
        if not self.takes:
            return Reply(204, {}, b"")
        node = self.nodes[peer.org]
        received = Received(call.method, call.path, tuple(call.headers.items()), call.body)
        base_url, now = node.settings.base_url, node.wall()
        asker = verify_request(received, base_url=base_url, registry=node.registry, now=now)
        spend(node, asker)
        take_push(node, asker.org, call.body, asker.nonce)
        return Reply(204, {}, b"")


def run(
    listeners: Sequence[int] = (100, LISTENERS), *, peers: int = PEERS, alerts: int = ALERTS
) -> Sequence[Row]:
    """One row a number of listeners and kind of peers: milliseconds from submission to stream."""
    with ExitStack() as stack:
        sender, carrier, port, tokens = stack.enter_context(_federation(peers))
        return [
            asyncio.run(_measured(sender, way, port, _spread(tokens, count), alerts, peers))
            for count in listeners
            for way in (replace(carrier, takes=False), carrier)
        ]


def _spread(tokens: Sequence[str], count: int) -> list[str]:
    return [tokens[n % len(tokens)] for n in range(count)]


async def _measured(
    sender: Node, carrier: _Carrier, port: int, tokens: Sequence[str], alerts: int, peers: int
) -> Row:
    gate = asyncio.Semaphore(_CONNECTING)
    streams = await asyncio.gather(*(_open(port, token, gate) for token in tokens))
    waits, pushed = list[float](), list[float]()
    try:
        for _ in range(alerts):
            began = time.perf_counter()
            sending = asyncio.to_thread(_submit, sender, carrier, peers)
            reading = (_until_told(reader) for reader, _ in streams)
            ended, *told = await asyncio.wait_for(asyncio.gather(sending, *reading), _PATIENCE_S)
            waits += [1000 * (at - began) for at in told]
            pushed.append(1000 * (ended - began))
    finally:
        for _, writer in streams:
            writer.close()
    cuts = quantiles(waits, n=100, method="inclusive")
    return {
        "streams": f"{len(streams):,}",
        f"other {peers - 1} peers": "in this process" if carrier.takes else "answer at once",
        "alerts": alerts,
        "p50, ms": round(cuts[49]),
        "p95, ms": round(cuts[94]),
        "p99, ms": round(cuts[98]),
        "most, ms": round(max(waits)),
        f"all {peers} peers, ms": round(sorted(pushed)[len(pushed) // 2]),
    }


async def _open(
    port: int, token: str, gate: asyncio.Semaphore
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A hospital's stream, read up to the end of its head."""
    async with gate:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        head = (
            "GET /api/v1/alerts/stream HTTP/1.1",
            f"Host: 127.0.0.1:{port}",
            f"Authorization: Bearer {token}",
        )
        writer.write("\r\n".join((*head, "", "")).encode())
        answer = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), _PATIENCE_S)
    if not answer.startswith(b"HTTP/1.1 200 "):
        raise RuntimeError(f"no stream: {answer[:80]!r}")
    return reader, writer


async def _until_told(reader: asyncio.StreamReader) -> float:
    """Read one alert to its end; gives when that was."""
    while not (await reader.readline()).startswith(b"data: "):
        pass
    return time.perf_counter()


def _submit(sender: Node, carrier: _Carrier, peers: int) -> float:
    """Seal an event, send it as an alert, push it; gives when all peers had taken it."""
    event = fresh_uuid(sender)
    value = f"{event}.example"
    attribute = Attribute(
        uuid=str(uuid4()),
        type="domain",
        category="Network activity",
        value=value,
        to_ids=True,
        timestamp=_TIMESTAMP,
    )
    told = Event(event, "Ransomware", "2026-01-27", 1, 0, _TIMESTAMP, attributes=(attribute,))
    draft = Draft(told, Label(Tlp.GREEN), sender.org)
    records = cut_event(draft, Names(lambda: fresh_uuid(sender)))
    version = first_version(sender, Birth("event", event, sender.org, {}), records, sender.clock())
    with sender.store.write() as unit:
        write_version(unit, version)
    operator = Caller("bench", sender.org, sender.me, "operator")
    send_alert(sender, operator, sender.org, event)
    while project_dirty(sender, 20):
        pass
    taken = push_due(sender, carrier)
    if taken != peers:
        raise RuntimeError(f"{taken} of {peers} peers took the alert")
    return time.perf_counter()


@contextmanager
def _federation(peers: int) -> Iterator[tuple[Node, _Carrier, int, list[str]]]:
    """The sender, the way to its peers, the served node's port, and its hospitals' tokens."""
    with tempfile.TemporaryDirectory(prefix="isac-bench-") as folder, socket() as held:
        held.bind(("127.0.0.1", 0))
        port = int(held.getsockname()[1])
        held.close()
        address = f"127.0.0.1:{port}"
        homes = [Path(folder) / f"{n:02}" for n in range(peers + 1)]
        made = [_made(home, n, address) for n, home in enumerate(homes)]
        entries = [own_entry(node.settings, node.keys) for node in made]
        tokens = [_hospital(made[1], n) for n in range(_HOSPITALS)]
        for n, node in enumerate(made):
            node.close()
            put_members(node.settings.roster_file, entries[:2] if n == 1 else entries)
        nodes = [open_node(node.settings) for n, node in enumerate(made) if n != 1]
        carrier = _Carrier(
            {node.org: node for node in nodes},
            made[1].org,
            Transport(allow_hosts=frozenset({address})),
        )
        with Supervisor({"served": homes[1]}, _raise):
            _until_served(port)
            yield nodes[0], carrier, port, tokens
        for node in nodes:
            node.close()


def _made(home: Path, n: int, address: str) -> Node:
    country = f"{chr(65 + n // 26)}{chr(65 + n % 26)}"
    more: dict[str, str | float | list[str]] = {"announce": "all"}
    url = f"https://{country.lower()}.invalid"
    if n == 1:
        url, more = f"http://{address}", more | {"port": int(address.rpartition(":")[2])}
    return init_node(home, NewNode("", country, country, "national", url, more))


def _hospital(node: Node, n: int) -> str:
    """Enrol a hospital with one machine; gives its token."""
    org = Org(str(uuid4()), f"Hospital {n}", "hospital", node.settings.country)
    enrol_org(node, "bench", org)
    login = f"siem-{n}"
    add_person(node, "bench", login=login, org=org.org, role="hospital", password=None)
    return make_token(node, "bench", login)


def _until_served(port: int) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while True:
        with socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        if time.monotonic() > deadline:
            raise TimeoutError("the served node does not answer")
        time.sleep(0.1)


def _raise(what: str) -> None:
    raise RuntimeError(what)

"""Repair: what it costs to find and mend what differs in a large feed, against sending its index.

The two nodes of `feed.py`. Their rows are written straight into both databases: as many recalls, of
which nothing but the names counts. What differs are real events, sealed, pulled and then lost at
the receiver, so that they are asked for, served and verified again. Each repair counts all rows on
both sides, as the daily one does.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from time import process_time
from uuid import UUID

from federation.auth import Received, verify_request
from federation.call import Bookmark, Call, Reply
from federation.compress import pack, unpack
from federation.peer import Peer
from federation.repair import LISTED_CAP, Listed
from federation.repair_lines import REPAIR_PATH, REPAIR_TYPE, read_answer, read_asks, read_wanted
from federation.told import Fingerprint
from federation.wire import MEDIA_TYPE, Op
from node.actions.admit import drop
from node.actions.repair import repair, serve_stretches
from node.actions.serve import NotYet, feed_for, items_page
from node.bench.feed import InProcess, bring, store, two_nodes
from node.bench.turns import Row
from node.node import Node
from node.storage.feed import OfferRow, SeenRow, find_seen, put_rows, put_seen
from node.storage.peers import find_peer, keep_bookmark, set_head
from node.storage.repair import Side, ToldNames, shift_set

SIZES = (100_000,)
ALL_SIZES = (*SIZES, 1_000_000)
DIFFERENCES = (0, 1, 150)
_BATCH = 5_000
_INDEX_CAP = 2**30


@dataclass(slots=True)
class _Counted(InProcess):
    """Carries calls of repair as well, and counts what goes over the wire and who works."""

    questions: int = 0
    asked: int = 0  # bytes of questions about stretches
    answered: int = 0  # bytes of the answers to them, packed
    source_s: float = 0.0

    def send(self, call: Call, peer: Peer) -> Reply:
        """The server's answer."""
        began = process_time()
        reply = self._answer(call) if call.method == "POST" else InProcess.send(self, call, peer)
        self.source_s += process_time() - began
        return reply

    def _answer(self, call: Call) -> Reply:
        node = self.server
        received = Received(call.method, call.path, tuple(call.headers.items()), call.body)
        asker = verify_request(
            received, base_url=node.settings.base_url, registry=node.registry, now=node.wall()
        )
        is_compared = call.path == REPAIR_PATH
        if is_compared:
            answer = serve_stretches(node, asker.org, read_asks(call.body), asker.nonce)
        else:
            answer = items_page(node, asker.org, read_wanted(call.body), asker.nonce)
        if isinstance(answer, NotYet):
            raise TypeError("the server is not ready")
        packed = b"".join(pack([answer]))
        if is_compared:
            self.questions += 1
            self.asked += len(call.body)
            self.answered += len(packed)
        media_type = REPAIR_TYPE if is_compared else MEDIA_TYPE
        return Reply(200, {"content-type": media_type, "content-encoding": "zstd"}, packed)


def run(sizes: Sequence[int] = SIZES) -> Sequence[Row]:
    """One row for so many names of which so many differ; the last row of a size is the index."""
    rows = list[Row]()
    for size in sorted(sizes):
        with two_nodes() as (server, client):
            events = store(server, max(DIFFERENCES))
            bring(server, client)
            _fill(server, client, size)
            index = _index(server, client, size)
            rows += [_repaired(server, client, events[:lost], size, index) for lost in DIFFERENCES]
            rows.append(index)
    return rows


def _repaired(server: Node, client: Node, lost: Sequence[str], size: int, index: Row) -> Row:
    for event in lost:
        with client.store.read() as unit:
            seen = find_seen(unit.connection, server.org, server.org, event)
        if seen is None:
            raise RuntimeError("an event that was pulled is not remembered")
        drop(client, replace(seen, digest=None, told=None))
    carrier, began = _Counted(server), process_time()
    done = repair(client, client.peers[0], carrier)
    spent = process_time() - began
    if done.error or (done.missing, done.brought, done.extra) != (len(lost), len(lost), 0):
        raise RuntimeError(f"not all was mended: {done}")
    kib = (carrier.asked + carrier.answered) / 1024
    return {
        "names": f"{size:,}",
        "differ": len(lost),
        "questions": carrier.questions,
        "KiB to find them": round(kib, 1),
        "of the index": round(kib / float(index["KiB to find them"]), 4),
        "CPU of the receiver, s": round(spent - carrier.source_s, 2),
        "CPU of the source, s": round(carrier.source_s, 2),
    }


def _index(server: Node, client: Node, size: int) -> Row:
    """All names, as lines in one packed body, read and compared with ours: what repair spares."""
    began = process_time()
    with server.store.read() as unit:
        names = ToldNames(unit.connection, client.org, Side.OURS).listed("", 2 * size + 1000)
    pieces = [names[start : start + LISTED_CAP] for start in range(0, len(names), LISTED_CAP)]
    lines = (Listed("", tuple(piece)).write() + b"\n" for piece in pieces)
    body = b"".join(pack(lines))
    source_s = process_time() - began
    began = process_time()
    theirs = set[bytes]()
    for line in b"".join(unpack([body], cap=_INDEX_CAP)).splitlines():
        answer = read_answer(line)
        if isinstance(answer, Listed):
            theirs.update(answer.names)
    with client.store.read() as unit:
        ours = set(ToldNames(unit.connection, server.org, Side.ITS).listed("", 2 * size + 1000))
    if ours != theirs:
        raise RuntimeError("both sides differ before anything was lost")
    return {
        "names": f"{size:,}",
        "differ": "any: its index",
        "questions": 1,
        "KiB to find them": round(len(body) / 1024, 1),
        "of the index": 1.0,
        "CPU of the receiver, s": round(process_time() - began, 2),
        "CPU of the source, s": round(source_s, 2),
    }


def _fill(server: Node, client: Node, count: int) -> None:
    """Let both nodes know so many recalls more, as after pulls long ago."""
    with server.store.read() as unit:
        row = find_peer(unit.connection, client.org)
    head = 0 if row is None else row.head_pos
    for start in range(0, count, _BATCH):
        rows = [
            _recall(server, client, n, head + n + 1)
            for n in range(start, min(start + _BATCH, count))
        ]
        with server.store.write() as unit:
            put_rows(unit.connection, rows)
            step = Fingerprint.of([row.told or b"" for row in rows])
            shift_set(unit.connection, client.org, Side.OURS, step)
            set_head(unit.connection, client.org, rows[-1].pos)
        with client.store.write() as unit:
            put_seen(unit.connection, [_seen(server, row) for row in rows])
    pos = head + count
    with server.store.read() as unit:
        token = feed_for(server, unit, client.org).cursor_at(pos)
    with client.store.write() as unit:
        keep_bookmark(unit.connection, server.org, Bookmark(server.keys.incarnation, pos, token))


def _recall(server: Node, client: Node, n: int, pos: int) -> OfferRow:
    return OfferRow(
        peer=client.org,
        pos=pos,
        origin=server.org,
        event=str(UUID(bytes=sha256(str(n).encode()).digest()[:16], version=4)),
        op=Op.RECALL,
        epoch=0,
        seq=1,
        seal=sha256(b"").hexdigest(),
        digest=None,
        map=None,
        src=None,
        hops=0,
        withheld=(),
        rulebook=server.judge.rulebook.digest,
        urgent=False,
        projected_at=server.wall(),
    )


def _seen(server: Node, row: OfferRow) -> SeenRow:
    incarnation = server.keys.incarnation
    return SeenRow(
        server.org, row.origin, row.event, incarnation, row.pos, row.epoch, row.seq, None, row.told
    )

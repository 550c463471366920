"""How far our logs are known: asked of peers after a restore, and told to those who ask of theirs.

A database from a backup does not know what left after it. Peers do, and so does our own file of
what was sealed (`node/outside.py`).
"""

from collections.abc import Mapping

from federation.auth import NONCE_BYTES, Requester, write_nonce
from federation.errors import BadReplyError
from federation.heads import HEADS_CAP, ToldHead, heads_call, read_heads, that_fit, write_heads
from federation.peer import Peer
from node import outside
from node.actions.carrier import Carrier
from node.node import Node
from node.storage.restores import Head, heads_of, logs_of, note_told, own_heads, raise_heads
from node.storage.store import Unit
from sharing.errors import RefusedError
from sharing.seal.recall import REASONS, Recall, make_recall, verify_recall

MOST_HEADS = 5_000_000  # of our logs, from one peer
SLACK = 64  # epochs that a log of ours can have gone on since the backup, by a peer's word alone


def ask_heads(node: Node, peer: Peer, carrier: Carrier) -> None:
    """Ask the peer how far it knows our logs.

    Raises:
        TransportError, BadReplyError: there is no answer, or none that counts. A peer that makes
            up more than can be is left out by `finish_restore(…, without=…)`.
    """
    after, is_told, read = None, False, 0
    with node.store.read() as unit:
        known = {event: head.epoch for event, head in known_heads(node, unit).items()}
        known |= {row.event: row.epoch for row in logs_of(unit.connection, node.org)}
    while not is_told:
        now, nonce = node.wall(), write_nonce(node.rng(NONCE_BYTES))
        call = heads_call(peer, after=after, nonce=nonce, signer=node.transport_signer, now=now)
        reply = carrier.send(call, peer)
        told = read_heads(
            reply,
            after=after,
            sender=peer.org,
            me=node.org,
            nonce=nonce,
            registry=node.registry,
            now=now,
        )
        if told is None:
            return
        heads, more = told
        read += len(heads)
        if read > MOST_HEADS or any(it.epoch > known.get(it.event, 0) + SLACK for it in heads):
            raise BadReplyError("the peer tells of more logs of ours, or later epochs, than can be")
        is_told = not (more and heads)
        after = heads[-1].event if heads else None
        with node.store.write() as unit:
            raise_heads(unit.connection, [_checked(node, head) for head in heads])
            if is_told:
                note_told(unit.connection, peer.org)


def serve_heads(node: Node, asker: Requester, after: str) -> bytes:
    """Answer a peer how far we know its logs."""
    with node.store.read() as unit:
        rows = heads_of(unit.connection, asker.org, after, HEADS_CAP + 1)
    heads = that_fit([ToldHead(row.event, row.epoch, row.seq, row.recall) for row in rows])
    return write_heads(
        heads,
        me=node.org,
        to=asker.org,
        nonce=asker.nonce,
        more=len(rows) > len(heads),
        signer=node.transport_signer,
    )


def known_heads(node: Node, unit: Unit) -> Mapping[str, Head]:
    """What peers have told, and our own file of what was sealed."""
    heads = dict(own_heads(unit.connection))
    for event, version, reason, _ in outside.all_sealed(node.settings.data):
        old = heads.get(event)
        newest = max(version, version if old is None else old.version)
        gone = None if old is None else old.recall
        if reason is not None and gone is None:
            word = reason if reason in REASONS else "error"
            gone = make_recall(Recall(event, node.org, *version, word, node.clock()), node.signers)
        heads[event] = Head(event, *newest, gone)
    return heads


def _checked(node: Node, head: ToldHead) -> Head:
    """What a peer told, with a recall only if it is our own signed word."""
    recall = head.recall
    if recall is not None:
        try:
            said = verify_recall(recall, node.registry, first_seen_at=node.clock())
        except RefusedError:
            recall = None
        else:
            recall = recall if (said.iss, said.event) == (node.org, head.event) else None
    return Head(head.event, head.epoch, head.seq, recall)

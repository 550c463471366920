"""What the projections for a peer rest on: the peer as a party, what it wants, hops.

When any of it changes, every log is dirty: rows that were decided on the old basis stop the page
they would stand in, and the projector goes over all of them. Maps that come out the same make no
traffic. They rest on the rulebook, too: whoever puts another in force marks what it touches.
"""

import json
from hashlib import sha256

from federation.peer import Peer
from federation.relay import default_wants
from node.node import Node
from node.storage.feed import mark_all_dirty
from node.storage.peers import add_peer, list_peers, set_basis


def settle_basis(node: Node) -> None:
    """Note each peer's basis; where one is new or has changed, mark every log dirty."""
    with node.store.read() as unit:
        rows = {row.org: row for row in list_peers(unit.connection)}
    changed = dict[str, str]()
    for peer in node.peers:
        row = rows.get(peer.org)
        basis = _basis(node, peer, first_wants(node) if row is None else row.wants)
        if row is None or row.basis != basis:
            changed[peer.org] = basis
    if not changed:
        return
    with node.store.write() as unit:
        for org, basis in changed.items():
            add_peer(unit.connection, org, wants=first_wants(node))
            set_basis(unit.connection, org, basis)
        mark_all_dirty(unit.connection)


def first_wants(node: Node) -> str:
    """What a peer wants of us before it has asked: what a node of our role is usually asked for."""
    return default_wants(node.me.kind).value


def _basis(node: Node, peer: Peer, wants: str) -> str:
    party = peer.party
    facts = [
        [party.org, party.kind, party.country],
        [sorted(party.roles), sorted(party.communities), sorted(party.hosts)],
        wants,
        node.settings.relay_hops,
    ]
    return sha256(json.dumps(facts).encode()).hexdigest()

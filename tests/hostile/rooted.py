"""A root that the victim trusts, and rosters under it: true, old and forged."""

from datetime import timedelta

from federation.gossip import Gossip
from federation.trust import ROOT_TYPE, add_signature, unchecked_root, write_root, write_roster
from node.actions.roster import take, trust_root
from node.actions.rostering import make_online_key, publish_due
from node.node import Node
from tests.federation.trusting import OFFLINE, keeper, public
from tests.hostile.forging import now

ONLINE = "hub online"
LIFE = timedelta(days=7)


def root_of(online: dict[str, str]) -> bytes:
    """A root that names this online key, signed by three of its five keepers."""
    expires, keys = now() + timedelta(days=365), [public(name) for name in OFFLINE]
    root = write_root(version=1, expires=expires, threshold=3, keys=keys, online=[online])
    for name in OFFLINE[:3]:
        root = add_signature(ROOT_TYPE, root, keeper(name))
    return root


def roster_of(
    version: int, *, by: str = ONLINE, issued_ago: timedelta = timedelta(0), life: timedelta = LIFE
) -> bytes:
    """A roster that lists nobody, and so changes nothing."""
    return write_roster(
        version=version,
        issued=now() - issued_ago,
        members=(),
        revoked=(),
        removed=(),
        signers=[keeper(by)],
        life=life,
    )


def trust(node: Node, root: bytes) -> None:
    trust_root(node, "test", root, unchecked_root(root).fingerprint)


def hold(node: Node, *versions: int) -> None:
    """The node trusts a root and takes these rosters, as its hub gave them."""
    trust(node, root_of(public(ONLINE)))
    for version in versions:
        take(node, Gossip((), roster_of(version)), "test")


def federate(node: Node) -> None:
    """The hub publishes its first roster."""
    trust(node, root_of(make_online_key(node)))
    publish_due(node)

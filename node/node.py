"""A node, opened: everything an action needs, handed over as one value."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field

from federation.peer import Peer, party_of, peers_of
from node.clock import Clock, ScenarioClock, wall_clock
from node.errors import SettingsError
from node.keys import NodeKeys, read_keys
from node.roster import read_roster
from node.settings import Settings
from node.storage.schema import migrate
from node.storage.store import Store, open_store
from node.throttle import Throttle
from policies.decide import Judge
from policies.party import Party
from policies.rulebook import shipped
from sharing.seal.keys import KeyRegistry, Signer


@dataclass(frozen=True, slots=True)
class Node:
    """One organisation's node.

    `clock` is what the node believes the time is (an exercise may set it); `wall` is real time, for
    signatures' freshness, sessions, leases. `rng(n)` gives n unpredictable bytes.
    """

    settings: Settings
    store: Store
    org: str
    me: Party
    keys: NodeKeys
    signers: tuple[Signer, ...]
    transport_signer: Signer
    clock: Clock
    wall: Clock
    judge: Judge
    registry: KeyRegistry
    peers: tuple[Peer, ...]
    rng: Callable[[int], bytes] = field(default=secrets.token_bytes, repr=False)
    throttle: Throttle = field(default_factory=Throttle, repr=False)

    @property
    def is_hub(self) -> bool:
        """Whether this node is the federation's hub."""
        return self.settings.role == "hub"

    def member_party(self, org: str) -> Party | None:
        """Give what policy knows of a member of the federation, or None."""
        member = self.registry.members.get(org)
        return None if member is None else party_of(member)

    def close(self) -> None:
        """Let go of the database."""
        self.store.close()


def open_node(settings: Settings, *, wall: Clock = wall_clock) -> Node:
    """Open the node that `settings` describe; brings its database up to date.

    Raises:
        SettingsError: the roster cannot be read, or does not hold this node's organisation.
        BadPeerError: the roster says something of a peer that cannot be.
        KeyFileError: a key is missing or lies open to others.
    """
    keys = read_keys(settings.data)
    registry = read_roster(settings.roster_file)
    me = registry.members.get(settings.org)
    if me is None:
        raise SettingsError(f"roster {settings.roster_file}: no member {settings.org} (this node)")
    clock_path = settings.clock_path
    clock = wall if clock_path is None else ScenarioClock(clock_path, wall)
    store = open_store(settings.database)
    migrate(store)
    return Node(
        settings=settings,
        store=store,
        org=settings.org,
        me=party_of(me),
        keys=keys,
        signers=(Signer.from_private(keys.seal),),
        transport_signer=Signer.from_private(keys.transport),
        clock=clock,
        wall=wall,
        judge=Judge(shipped(settings.rulebook_name)),
        registry=registry,
        peers=peers_of(registry, settings.org),
    )

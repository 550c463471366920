"""A node, opened: everything an action needs, handed over as one value."""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from federation.peer import Peer, party_of
from node.bell import Bell
from node.clock import Clock, ScenarioClock, wall_clock
from node.errors import SettingsError
from node.keys import NodeKeys, make_later_secrets, read_keys
from node.life import notice_restore
from node.roster import LivePeers, RosterFile
from node.rules import open_rules
from node.settings import Settings
from node.storage.schema import migrate
from node.storage.store import Store, open_store
from node.throttle import Throttle
from policies.decide import Judge
from policies.party import Party
from sharing.seal.keys import KeyRegistry, Signer


@dataclass(frozen=True, slots=True)
class Node:
    """One organisation's node.

    `clock` is what the node believes the time is (an exercise may set it); `wall` is real time, for
    signatures' freshness, sessions, leases. `rng(n)` gives n unpredictable bytes. `roster()` gives
    the members, `rules()` the judge, as they are now, and `peers` holds the peers of now. `bell`
    rings when somebody here was told of an alert, and when peers' feeds were brought up to date.
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
    rules: Callable[[], Judge]
    roster: Callable[[], KeyRegistry]
    peers: Sequence[Peer]
    rng: Callable[[int], bytes] = field(default=secrets.token_bytes, repr=False)
    throttle: Throttle = field(default_factory=Throttle, repr=False)
    bell: Bell = field(default_factory=Bell, repr=False)

    @property
    def registry(self) -> KeyRegistry:
        """The members of the federation and their keys, as the roster has them now."""
        return self.roster()

    @property
    def judge(self) -> Judge:
        """The rulebook in force at this moment, whichever process applied it."""
        return self.rules()

    def pinned(self) -> "Node":
        """Give this node with the rulebook in force and the peers of now, for one piece of work.

        Whoever asks for more than one verdict, or notes under which rulebook it was given, asks
        all of them of one rulebook.
        """
        judge = self.judge
        return replace(self, rules=lambda: judge, peers=tuple(self.peers))

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
        BadRulebookError: this program cannot read the rulebook in force.
        BadPeerError: the roster says something of a peer that cannot be.
        KeyFileError: a key is missing or lies open to others.
    """
    make_later_secrets(settings.data)
    keys = read_keys(settings.data, settings.suite)
    roster = RosterFile(settings.roster_file)
    registry = roster()
    me = registry.members.get(settings.org)
    if me is None:
        raise SettingsError(f"roster {settings.roster_file}: no member {settings.org} (this node)")
    store = open_store(settings.database)
    migrate(store)
    peers = LivePeers(roster, settings.org)
    renewed = notice_restore(store, settings.data, settings.org, [peer.org for peer in peers])
    if renewed is not None:
        keys = replace(keys, incarnation=renewed)
    clock = clock_of(settings, wall)
    return Node(
        settings=settings,
        store=store,
        org=settings.org,
        me=party_of(me),
        keys=keys,
        signers=tuple(map(Signer.from_private, keys.seal)),
        transport_signer=Signer.from_private(keys.transport),
        clock=clock,
        wall=wall,
        rules=open_rules(store, settings.rulebook_name, clock()),
        roster=roster,
        peers=peers,
    )


def clock_of(settings: Settings, wall: Clock = wall_clock) -> Clock:
    """Give what the node believes the time is: wall time, or that of its exercise.

    Raises:
        ClockError: the exercise's file does not tell a time.
    """
    path = settings.clock_path
    return wall if path is None else ScenarioClock(path, wall)

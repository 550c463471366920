"""What somebody else would get of a log that this node holds: asked before it is done.

The answer is made by the same steps that serve a peer its feed, from the same holding: relaying
first (who is offered the log at all), then `project` under the rulebook of this moment. For an
organisation enrolled here it is what its people may read.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from federation.call import Wants
from federation.relay import Held, refusal
from node.actions.basis import first_wants
from node.actions.caller import Caller
from node.actions.errors import NotAllowedError, NotFoundError
from node.actions.people import AUTHORITY, local_party
from node.node import Node
from node.storage.logs import HoldingRow, LogRow
from node.storage.peers import find_peer
from node.storage.people import Org, find_org, list_orgs
from node.storage.releases import releases_of
from node.storage.store import Unit
from policies.party import Party
from policies.tlp import Tlp
from sharing.project import Projection, Release, Standing, project
from sharing.seal.holding import Holding
from sharing.seal.package import write_package


@dataclass(frozen=True, slots=True)
class Target:
    """Who would get it, and how he stands to the log; `refused` says why he is not offered it."""

    party: Party
    name: str
    standing: Standing
    releases: tuple[Release, ...]
    refused: str | None

    @property
    def is_member(self) -> bool:
        """Whether he is a node or the hub, who get the class table as well."""
        return not self.standing.client


@dataclass(frozen=True, slots=True)
class Offer:
    """What the target would get: a projection, and its package; empty bytes: nothing."""

    target: Target
    projection: Projection
    package: bytes


def find_target(node: Node, unit: Unit, log: LogRow, best: HoldingRow, org: str) -> Target:
    """Give an organisation as one who might get the log.

    Raises:
        NotFoundError: it is neither a member of the federation nor enrolled here.
    """
    member = node.member_party(org)
    if member is not None and org != node.org:
        row = find_peer(unit.connection, org)
        wants = first_wants(node) if row is None else row.wants
        releases = releases_of(unit.connection, log.origin, log.event)
        return member_target(node, log, best, member, wants, releases)
    home = None if "\0" in org else find_org(unit.connection, org)  # PostgreSQL takes no NUL
    if home is None:
        raise NotFoundError("organisation")
    return local_target(node, log, best, home)


def party_named(node: Node, text: str) -> str:
    """Give the uuid of who is meant: by it, by a peer's country, as the hub, or by name.

    Raises:
        NotFoundError: nobody of that name is a member of the federation or enrolled here.
    """
    peers = {("hub" if peer.role == "hub" else peer.party.country): peer for peer in node.peers}
    for word in (text.lower(), text.upper()):
        if word in peers:
            return peers[word].org
    with node.store.read() as unit:
        homes = list_orgs(unit.connection)
    known = {peer.org for peer in node.peers} | {home.org for home in homes}
    named = [home.org for home in homes if home.name.casefold() == text.casefold()]
    if text in known or len(named) == 1:
        return text if text in known else named[0]
    raise NotFoundError(f"party {text}: say a peer's country, hub, or an organisation's uuid")


def member_target(
    node: Node,
    log: LogRow,
    best: HoldingRow,
    party: Party,
    wants: str,
    releases: Iterable[Release],
) -> Target:
    """Give a member of the federation as one who might get the log; `releases` are all of it."""
    refused = refusal(
        Held(best.origin, best.src, best.hops, best.epoch, best.seq),
        me=node.org,
        peer=party.org,
        wants=Wants(wants),
        relay_hops=node.settings.relay_hops,
    )
    released = tuple(each for each in releases if each.party == party.org)
    standing = Standing(
        own=False, client=False, direct=log.origin == node.org, published=log.published
    )
    return Target(party, member_name(party), standing, released, refused)


def local_target(node: Node, log: LogRow, best: HoldingRow, home: Org) -> Target:
    """Give an organisation enrolled here, or this node itself, as one who might get the log."""
    if home.kind == AUTHORITY:
        nobody = Standing(own=False, client=False, direct=False, published=log.published)
        return Target(
            local_party(home), home.name, nobody, (), "it gets files that persons release"
        )
    own = log.origin == node.org and home.org in {node.org, log.source}
    standing = Standing(own=own, client=True, direct=best.hops == 0, published=log.published)
    party = node.me if home.org == node.org else local_party(home)
    return Target(party, home.name, standing, (), None)


def member_name(party: Party) -> str:
    """Give what a member of the federation is called."""
    return "hub" if party.kind == "hub" else f"node {party.country}"


def check_may_see(caller: Caller, offer: Offer) -> None:
    """Let a person see what somebody else would get; a token only as far as it reads itself (D12).

    Raises:
        NotAllowedError: a machine asks for what holds TLP:RED.
    """
    red = (each.disclosed and each.label.tlp is Tlp.RED for each in offer.projection.verdicts)
    if caller.is_token and any(red):
        raise NotAllowedError("no token reads TLP:RED: somebody has to sign in and look")


def offer_to(node: Node, holding: Holding, target: Target) -> Offer:
    """Give what the target would get of the holding now."""
    projection = project(
        holding, target.party, target.standing, node.judge, target.releases, node.clock()
    )
    if not projection.masks or target.refused:
        return Offer(target, projection, b"")
    package = write_package(holding, projection.masks, class_table=target.is_member)
    return Offer(target, projection, package)

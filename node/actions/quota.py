"""How much may come in a day: past it the rest waits, and the disk stays as it is.

Of each member's logs a relay may bring so much (`peer_day_mib`), of all strangers' together as much
once more; whoever relays nothing to us has one share. So no originator that floods a relay keeps
back what others send through it. Counted are the bytes that are stored of items of every kind and
outcome, whatever way they came: logs, versions, what is refused and kept as evidence. A share is
never cut short in the middle of a batch, so that the largest item comes on some day.

Past its own share a peer's feed waits where it is. What is past another's share is left out, and
the feed goes on; once the day is over the feed is compared, which brings it (`repair_due.py`).
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from federation.call import Wants
from node.actions.errors import ActionError
from node.node import Node
from node.storage.quota import add_brought, brought_on
from node.storage.store import Unit

STRANGERS = "strangers"  # the share of all originators that are no members here
_MIB = 1 << 20


class OverQuotaError(ActionError):
    """A peer has brought as much as it may today, `of` one originator or of its own."""

    def __init__(self, mib: float, of: str = "") -> None:
        super().__init__(f"it has brought {mib:g} MiB{of} since midnight UTC, all it may in a day")


def heed_quota(node: Node, unit: Unit, source: str, sizes: Mapping[str, int]) -> frozenset[str]:
    """Count what a source brings now, in bytes by originator; gives whose is to be left out.

    Raises:
        OverQuotaError: the source's own share was used up; nothing of the unit is to be stored.
    """
    share_of = {origin: _share(node, source, origin) for origin, size in sizes.items() if size}
    if not share_of:
        return frozenset()
    full = full_shares(node, unit, source)
    if source in full and source in share_of.values():
        raise OverQuotaError(node.settings.peer_day_mib)
    for origin, share in sorted(share_of.items()):  # one order: no two units wait in a ring
        if share not in full:
            add_brought(unit.connection, source, share, day=_day(node), size_bytes=sizes[origin])
    return frozenset(origin for origin, share in share_of.items() if share in full)


def full_shares(node: Node, unit: Unit, source: str) -> frozenset[str]:
    """The shares of what a source brings that are used up: originators, or `STRANGERS`."""
    brought = brought_on(unit.connection, source, _day(node))
    bound = node.settings.peer_day_mib * _MIB
    return frozenset(share for share, size in brought.items() if size >= bound)


def tomorrow(node: Node) -> datetime:
    """When all shares begin anew: midnight, UTC."""
    return _day(node) + timedelta(days=1)


def _day(node: Node) -> datetime:
    return node.wall().replace(hour=0, minute=0, second=0, microsecond=0)


def _share(node: Node, source: str, origin: str) -> str:
    """Whose share a log of this originator counts to, where this source brings it."""
    if not any(peer.org == source and peer.asks is Wants.ALL for peer in node.peers):
        return source
    return origin if origin in node.registry.members else STRANGERS

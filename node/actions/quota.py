"""How much one peer may bring in a day: past it the rest waits, and the disk stays as it is.

Items of every kind and outcome count, by their bytes, whatever way they came: logs, versions, what
is refused and kept as evidence. The batch that reaches the bound is still taken whole, so that the
largest item comes on some day; after it nothing is, so that a flood costs its sender a day.
"""

from node.actions.errors import ConflictError
from node.node import Node
from node.storage.quota import add_brought
from node.storage.store import Unit

_MIB = 1 << 20


class OverQuotaError(ConflictError):
    """A peer has brought as much as it may today."""

    def __init__(self, mib: float) -> None:
        super().__init__(f"it has brought {mib:g} MiB since midnight UTC, all it may in a day")


def heed_quota(node: Node, unit: Unit, source: str, size_bytes: int) -> None:
    """Count what a source brings now.

    Raises:
        OverQuotaError: it had brought enough today; nothing of the unit is to be stored.
    """
    day = node.wall().replace(hour=0, minute=0, second=0, microsecond=0)
    before = add_brought(unit.connection, source, day=day, size_bytes=size_bytes)
    if before >= node.settings.peer_day_mib * _MIB:
        raise OverQuotaError(node.settings.peer_day_mib)

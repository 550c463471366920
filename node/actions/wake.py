"""Time passes: embargoes end and labels expire with no write (D17)."""

from node.node import Node
from node.storage import dirt


def wake_due(node: Node) -> int:
    """Mark dirty what may be seen otherwise from now on; gives how many logs."""
    now = node.clock()
    with node.store.write() as unit:
        return dirt.wake_due(unit.connection, now)

"""Signs our recalls again when the key that signed them turns out to be stolen.

Whoever has not heard such a recall yet would refuse it (D29) and keep for ever what was taken back.
The word is the same, for the same version; only its signature is a newer key's. Who knows it
already sees no news, and who refused it gets it by the next repair.
"""

from node.node import Node
from node.storage.logs import LogRow, set_recalled
from node.storage.restores import logs_of
from node.storage.store import lock_name
from sharing.errors import RefusedError
from sharing.seal.keys import Use
from sharing.seal.recall import Recall, make_recall, read_recall, verify_recall


def renew_recalls(node: Node) -> int:
    """Sign again what none of our keys may have signed any more; gives how many recalls."""
    keys = [key for key in node.registry.keys.values() if key.org == node.org]
    if not any(key.use is Use.SEAL and key.compromised_since is not None for key in keys):
        return 0
    with node.store.read() as unit:
        rows = logs_of(unit.connection, node.org)
    stale = [(row, said) for row in rows if (said := _stale(node, row)) is not None]
    for row, said in stale:
        envelope = make_recall(said, node.signers)
        with node.store.write() as unit:
            lock_name(unit.connection, f"log {row.origin} {row.event}")
            version = (said.epoch, said.seq)
            set_recalled(unit.connection, row.origin, row.event, version, envelope)
    return len(stale)


def _stale(node: Node, row: LogRow) -> Recall | None:
    """The recall of a log, if nobody who hears it now would believe it."""
    if row.recall is None:
        return None
    try:
        verify_recall(row.recall, node.registry, first_seen_at=node.wall())
    except RefusedError:
        return read_recall(row.recall)[0]
    return None

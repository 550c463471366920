"""Signs again, with the keys in use, what a key of ours signed that turns out to be stolen.

Whoever has not heard such a recall yet would refuse it (D29) and keep for ever what was taken back.
The word is the same, for the same version; only its signature is a newer key's. Who knows it
already sees no news, and who refused it gets it by the next repair. Of an event the next version is
sealed, with nothing changed in it (sealing.md §2.11); that is for an operator to ask, since it says
once more all that was ever said.
"""

from functools import partial

from node.actions.sealing import (
    STAYS,
    read_own,
    sealed_again,
    told_time,
    until_settled,
    write_version,
)
from node.errors import SettingsError
from node.node import Node
from node.storage.logs import LogRow, set_recalled
from node.storage.restores import logs_of
from node.storage.store import lock_name
from sharing.errors import RefusedError
from sharing.seal.keys import Use
from sharing.seal.recall import Recall, make_recall, read_recall, verify_recall
from sharing.slots import Change


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


def renew_logs(node: Node) -> int:
    """Seal anew whatever of ours a stolen key signed and may travel; gives how many logs.

    Raises:
        SettingsError: a key in use is itself a stolen one.
        RestoringError: a restore is under way.
        ConflictError: others kept changing a log.
    """
    stolen = {
        key.kid
        for key in node.registry.keys.values()
        if key.org == node.org and key.compromised_since is not None
    }
    if in_use := stolen.intersection(signer.kid for signer in node.signers):
        raise SettingsError(f"key {min(in_use)} is in use here and stolen: `isac keys rotate`")
    with node.store.read() as unit:
        rows = logs_of(unit.connection, node.org)
    events = [row.event for row in rows if row.type not in STAYS and not row.is_recalled]
    return sum(until_settled(partial(_renew, node, event, stolen)) for event in events)


def _renew(node: Node, event: str, stolen: set[str]) -> bool:
    with node.store.read() as unit:
        own = read_own(unit, node.org, event)
    if own is None or stolen.isdisjoint(own.holding.statement.keys):
        return False
    at = told_time(node, own.row.source or node.org)
    version = sealed_again(node, own, Change((), ()), at)
    with node.store.write() as unit:
        write_version(unit, version)
    return True

"""Takes out of use what a stolen seal key signed, once the roster says since when it was stolen.

What we first saw before goes on counting. What came since, and was taken in because nobody knew
yet, goes into quarantine with its bytes, as it would have gone on arrival; peers to whom we passed
it on get it withdrawn. What the source says next of the log is news again.
"""

from dataclasses import replace

from federation.admit import SEAL
from node.actions.admit import store_ready
from node.actions.change import Stored, take_away
from node.actions.ready import Ready, on_sound, read_stored
from node.actions.stored import open_holding
from node.node import Node
from node.storage.dirt import LogKey
from node.storage.feed import SeenRow
from node.storage.logs import HoldingRow, LogRow, received_since
from node.storage.peers import begin_anew
from node.storage.quarantine import QuarantineRow
from sharing.errors import RefusedError
from sharing.seal.keys import Use

_NOTHING = (0, 0)  # below every version there is


def disown_compromised(node: Node) -> int:
    """Disown what members' compromised keys signed and we saw too late; gives how many holdings."""
    suspects = set[tuple[LogKey, str]]()
    with node.store.read() as unit:
        for key in node.registry.keys.values():
            if key.use is Use.SEAL and key.compromised_since is not None and key.org != node.org:
                found = received_since(unit.connection, key.org, key.compromised_since)
                suspects |= {((key.org, event), src) for event, src in found}
    disowned = [src for log, src in sorted(suspects) if _disown(node, log, src)]
    if disowned:
        with node.store.write() as unit:
            for src in sorted(set(disowned)):
                begin_anew(unit.connection, src)
    return len(disowned)


def _disown(node: Node, key: LogKey, src: str) -> bool:
    def judge(before: Stored) -> Ready:
        row = next((one for one in before.holdings if one.src == src), None)
        fault = None if row is None else _fault(node, row)
        if before.log is None or row is None or fault is None:
            return Ready(key)
        left = [one for one in before.holdings if one is not row]
        return Ready(
            key,
            change=take_away(before, _going_by(before.log, left), {src}, me=node.org),
            seen=_forgotten(before.seen),
            refused=_evidence(node, row, before.seen, fault),
        )

    def make() -> list[Ready]:
        return [on_sound(node, read_stored(node, key, src), judge)]

    return any(one.refused is not None for one in store_ready(node, src, make))


def _fault(node: Node, row: HoldingRow) -> str | None:
    """Why a compromised key makes this holding none; None where no such key signed it."""
    for kid in open_holding(row).statement.keys:
        key = node.registry.keys.get(kid)
        if key is not None and key.compromised_since is not None:
            try:
                node.registry.require(
                    kid, org=row.origin, use=Use.SEAL, first_seen_at=row.received_at
                )
            except RefusedError as error:
                return f"seal check {error.check}: {error.reason}"
    return None


def _going_by(log: LogRow, left: list[HoldingRow]) -> LogRow:
    """The log as what is left of it says it stands; a forged version number binds nobody."""
    newest = max(left, key=lambda row: (row.epoch, row.seq), default=None)
    if newest is None:
        return replace(log, epoch=_NOTHING[0], seq=_NOTHING[1])
    return replace(log, epoch=newest.epoch, seq=newest.seq, seal=newest.seal)


def _forgotten(seen: SeenRow | None) -> SeenRow | None:
    if seen is None:
        return None
    return replace(seen, pos=0, epoch=_NOTHING[0], seq=_NOTHING[1], digest=None, told=None)


def _evidence(node: Node, row: HoldingRow, seen: SeenRow | None, fault: str) -> QuarantineRow:
    return QuarantineRow(
        src=row.src,
        pos=0 if seen is None else seen.pos,
        origin=row.origin,
        event=row.event,
        check=SEAL,
        reason=fault,
        item_line=b"",
        raw=row.package,
        received_at=node.clock(),
    )

"""Recall: this node takes one of its events back, here and wherever it went (D24).

The signed recall and the floor it sets outlive everything else of the log. Bytes, salts and index
go in the same unit; peers hear of it by their feeds. A hospital's report log is not touched: it
never left, and stays the hospital's.
"""

from dataclasses import dataclass

from node import outside
from node.actions.alerts import note_ended
from node.actions.caller import Caller
from node.actions.errors import BadInputError
from node.actions.own import check_operator, find_own_row, note
from node.actions.sealing import OvertakenError, check_sealing, until_settled
from node.node import Node
from node.storage.dirt import mark_dirty, set_wake
from node.storage.entries import erase_index
from node.storage.logs import LogRow, erase_holdings, set_recalled
from sharing.seal.recall import REASONS, Recall, make_recall


@dataclass(frozen=True, slots=True)
class Recalled:
    """An event taken back up to (epoch, seq); `is_new` False: it was recalled already."""

    origin: str
    event: str
    epoch: int
    seq: int
    is_new: bool


def recall(node: Node, caller: Caller, origin: str, event: str, reason: str) -> Recalled:
    """Take the event back; the same again changes nothing.

    Raises:
        NotAllowedError: the caller is no operator.
        BadInputError: the reason is none of the list.
        NotFoundError: there is no such event of this node.
    """
    check_operator(caller, "recall")
    if reason not in REASONS:
        raise BadInputError("reason", f"one of {', '.join(sorted(REASONS))}")
    return until_settled(lambda: _recall(node, caller, (origin, event), reason))


def _recall(node: Node, caller: Caller, key: tuple[str, str], reason: str) -> Recalled:
    with node.store.read() as unit:
        row = find_own_row(node, unit, caller, *key)
    if row.is_recalled:
        return Recalled(*key, row.recalled_epoch or 0, row.recalled_seq or 0, is_new=False)
    said = Recall(row.event, node.org, row.epoch, row.seq, reason, node.clock())
    _write(node, caller, row, make_recall(said, node.signers), reason)
    return Recalled(*key, row.epoch, row.seq, is_new=True)


def _write(node: Node, caller: Caller, row: LogRow, envelope: bytes, reason: str) -> None:
    with node.store.write() as unit:
        conn, key = unit.connection, (row.origin, row.event)
        check_sealing(unit, node.org)
        if find_own_row(node, unit, caller, *key, for_update=True) != row:
            raise OvertakenError(f"log {row.event} was changed meanwhile")
        outside.note_sealed(node.settings.data, row.event, row.version, recalled=reason)
        set_recalled(conn, *key, row.version, envelope)
        erase_holdings(conn, *key)
        erase_index(conn, *key)
        set_wake(conn, *key, None)
        mark_dirty(conn, [key], urgent=True)
        note_ended(node, unit, *key)
        detail = {"reason": reason, "epoch": row.epoch, "seq": row.seq, "seal": row.seal}
        note(unit, node, caller, "event.recall", row, detail)

"""Recall: this node takes one of its events back, or attributes of it, wherever they went (D24).

The signed recall and the floor it sets outlive everything else of the log. Bytes, salts and index
go in the same unit; peers hear of it by their feeds. A hospital's report log is not touched: it
never left, and stays the hospital's.

Attributes are taken back by a version in which they are void: whoever holds it has erased them. The
log's ground names them, so that no later stage of an incident's report brings one back.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from node import outside
from node.actions.alerts import note_ended
from node.actions.caller import Caller
from node.actions.errors import BadInputError
from node.actions.own import check_operator, find_own, find_own_row, note
from node.actions.sealing import (
    OvertakenError,
    check_sealing,
    next_version,
    taken_from,
    told_time,
    until_settled,
    write_version,
)
from node.node import Node
from node.storage.dirt import mark_dirty, set_wake
from node.storage.entries import erase_index
from node.storage.logs import LogRow, erase_holdings, set_recalled
from sharing.seal.limits import voids_allowed
from sharing.seal.recall import REASONS, Recall, make_recall
from sharing.seal.records import Kind
from sharing.slots import take_back


@dataclass(frozen=True, slots=True)
class Recalled:
    """An event taken back up to (epoch, seq), or attributes of it by that version.

    `is_new` False: it was recalled already.
    """

    origin: str
    event: str
    epoch: int
    seq: int
    is_new: bool


def recall(
    node: Node,
    caller: Caller,
    origin: str,
    event: str,
    reason: str,
    attributes: Sequence[str] | None = None,
) -> Recalled:
    """Take the event back, or only these attributes of it; the same again changes nothing.

    Raises:
        NotAllowedError: the caller is no operator.
        BadInputError: the reason is none of the list, the event has no such attribute, or so much
            of it has ended that its log would begin anew.
        NotFoundError: there is no such event of this node; of attributes, also: it was recalled.
    """
    check_operator(caller, "recall")
    if reason not in REASONS:
        raise BadInputError("reason", f"one of {', '.join(sorted(REASONS))}")
    key = origin, event
    if attributes is not None:
        if not attributes:
            raise BadInputError("attributes", "names none")
        return until_settled(lambda: _recall_parts(node, caller, key, reason, attributes))
    return until_settled(lambda: _recall(node, caller, key, reason))


def _recall_parts(
    node: Node, caller: Caller, key: tuple[str, str], reason: str, uuids: Sequence[str]
) -> Recalled:
    with node.store.read() as unit:
        own = find_own(node, unit, caller, *key)
    live = own.holding.things.get(Kind.ATTRIBUTE, {}).keys()
    gone = taken_from(own.row)
    for n, uuid in enumerate(uuids):
        if uuid not in live and uuid not in gone:
            raise BadInputError(f"attributes[{n}]", "is no attribute of this event")
    ground = {**own.row.ground, "taken_back": sorted(gone.union(uuids))}
    at = told_time(node, own.row.source or node.org)
    change, held = take_back(own.holding, uuids), own.holding
    if len({*held.void, *change.void}) > voids_allowed(held.statement.size):
        # The log would begin anew, and copies of its old epoch would not be told what ended.
        raise BadInputError("attributes", "so many end only with the event: recall it")
    version = next_version(node, own, change, at, ground=ground)
    row = own.row if version is None else version.log
    done = Recalled(row.origin, row.event, row.epoch, row.seq, is_new=version is not None)
    if version is None:
        return done
    with node.store.write() as unit:
        write_version(unit, replace(version, spreads=dict.fromkeys(uuids)))
        mark_dirty(unit.connection, [(row.origin, row.event)], urgent=True)
        detail = {"reason": reason, "attributes": sorted(set(uuids)), "seal": row.seal}
        note(unit, node, caller, "event.recall.attributes", row, detail)
    return done


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

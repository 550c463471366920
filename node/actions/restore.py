"""A node that comes back from a backup: noticed at its start, locked until it knows what it said.

The database is older than the last thing that left (`node/outside.py`). So the feed gets a new
life, and nothing is sealed or served before every peer has told how far it knows our logs, or an
operator has said to go on without it, and an operator ends the restore. Then, by what peers and our
own file of sealed versions know:

* no version of ours is ever sealed twice: the next one of each log opens a higher epoch (D26);
* what was recalled since the backup is recalled again, of attributes as far as our own file knows;
* a log that had gone on since is kept at home until somebody looks at it, edits and publishes it:
  the backup's version may show what was taken back meanwhile (D25).

What others gave us is shown, but not relayed before their feeds are read to the end again.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from node import outside
from node.actions.caller import Caller
from node.actions.errors import BadInputError, ConflictError
from node.actions.heads import known_heads
from node.actions.own import check_operator
from node.actions.recall import recall
from node.actions.sealing import taken_from
from node.node import Node
from node.storage import audit
from node.storage.dirt import mark_dirty, set_wake
from node.storage.entries import erase_index
from node.storage.logs import LogRow, erase_holdings, set_ground, set_published, set_recalled
from node.storage.restores import (
    Head,
    awaited,
    end_awaiting,
    logs_from,
    logs_of,
    note_told,
    raise_heads,
)
from node.storage.store import Unit
from sharing.seal.recall import verify_recall


@dataclass(frozen=True, slots=True)
class Restoring:
    """Where a restore stands.

    `silent` are peers that have not told our heads; `unread` those whose feeds are still to be
    read. Of our own logs, `behind` went on after the backup, `lost` are not in it at all.
    """

    is_locked: bool
    silent: tuple[str, ...]
    unread: tuple[str, ...]
    behind: tuple[str, ...]
    lost: tuple[str, ...]


def state_of(node: Node) -> Restoring:
    """Give where a restore of this node stands."""
    with node.store.read() as unit:
        rows = dict(awaited(unit.connection))
        heads = known_heads(node, unit)
        logs = {row.event: row for row in logs_of(unit.connection, node.org)}
    is_locked = rows.pop(node.org, None) is not None
    behind = [event for event, row in logs.items() if _is_behind(row, heads.get(event))]
    return Restoring(
        is_locked,
        silent=tuple(sorted(org for org, told in rows.items() if not told)),
        unread=tuple(sorted(rows)),
        behind=tuple(behind) if is_locked else (),
        lost=tuple(sorted(heads.keys() - logs.keys())) if is_locked else (),
    )


def note_read(unit: Unit, org: str) -> None:
    """The peer's feed was read to its end: what we hold from it is what it gives out now."""
    conn = unit.connection
    if awaited(conn).get(org):
        end_awaiting(conn, org)
        mark_dirty(conn, logs_from(conn, org))


def finish_restore(node: Node, caller: Caller, without: Collection[str] = ()) -> Restoring:
    """End a restore: from here on this node seals and serves again; gives what was to be mended.

    Raises:
        NotAllowedError: the caller is no operator.
        BadInputError: `without` names somebody who is not awaited.
        ConflictError: there is no restore to end, or a peer has not told and is not left out.
    """
    check_operator(caller, "end a restore")
    state = state_of(node)
    if not state.is_locked:
        raise ConflictError("no restore is under way")
    if unknown := sorted(set(without) - set(state.silent)):
        raise BadInputError("without", f"{unknown[0]} is not awaited")
    if missing := sorted(set(state.silent) - set(without)):
        raise ConflictError(f"not all have told how far they know our logs: {', '.join(missing)}")
    with node.store.write() as unit:
        conn, heads = unit.connection, known_heads(node, unit)
        for row in logs_of(conn, node.org):
            _mend(node, unit, row, heads.get(row.event))
        again = _take_back(node, unit)
        raise_heads(conn, heads.values())
        floors = [Head(row.event, row.epoch, row.seq) for row in logs_of(conn, node.org)]
        raise_heads(conn, floors)
        end_awaiting(conn, node.org)
        for org in without:
            note_told(conn, org)  # nothing of it is relayed before its feed is read, all the same
        detail = {
            "behind": list(state.behind),
            "lost": list(state.lost),
            "without": sorted(without),
        }
        audit.append(conn, node.clock(), caller.name, "restore.finish", detail=detail)
    for event in again:
        recall(node, caller, node.org, event, "error", sorted(again[event]))
    return state


def _take_back(node: Node, unit: Unit) -> Mapping[str, frozenset[str]]:
    """Name in each log's ground what was taken back from it since; gives it by event.

    The ground comes first: with it, whoever stops here can take the same back later.
    """
    told = dict[str, frozenset[str]]()
    for event, _, _, taken in outside.all_sealed(node.settings.data):
        told[event] = told.get(event, frozenset()).union(taken)
    again = dict[str, frozenset[str]]()
    for row in logs_of(unit.connection, node.org):
        gone = taken_from(row)
        if row.is_recalled or told.get(row.event, gone) <= gone:
            continue
        again[row.event] = gone | told[row.event]
        ground = {**row.ground, "taken_back": sorted(again[row.event])}
        set_ground(unit.connection, row.origin, row.event, ground)
    return again


def _mend(node: Node, unit: Unit, row: LogRow, head: Head | None) -> None:
    """Bring one log of ours from the backup in line with what we had said of it since."""
    conn, key = unit.connection, (row.origin, row.event)
    if head is None or row.is_recalled:
        return
    if head.recall is not None:
        recall = verify_recall(head.recall, node.registry, first_seen_at=node.clock())
        set_recalled(conn, *key, (recall.epoch, recall.seq), head.recall)
        erase_holdings(conn, *key)
        erase_index(conn, *key)
        set_wake(conn, *key, None)
    elif _is_behind(row, head):
        set_published(conn, *key, published=False)
    else:
        return
    mark_dirty(conn, [key], urgent=True)


def _is_behind(row: LogRow, head: Head | None) -> bool:
    if head is None:
        return False
    return head.version > row.version or (head.recall is not None and row.recall is None)

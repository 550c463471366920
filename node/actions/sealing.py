"""Our own logs, version by version: sealed before the unit opens, written in it.

Everything that takes time (cut, seal, package, index rows) happens in `first_version` and
`next_version`; `write_version` only writes, and refuses where somebody else changed the log since
it was read. The seed and the salt of a version are drawn here and forgotten here.
"""

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from time import sleep
from typing import TypeVar
from uuid import UUID

from node.actions.errors import ConflictError
from node.actions.index import index_of
from node.actions.stored import open_holding
from node.errors import NodeError
from node.node import Node
from node.storage.dirt import mark_dirty
from node.storage.entries import LogIndex, replace_index
from node.storage.logs import (
    HoldingRow,
    LogRow,
    add_log,
    advance_log,
    find_holding,
    find_log,
    put_holding,
)
from node.storage.store import Unit, lock_name
from sharing.seal.holding import Holding
from sharing.seal.package import write_package
from sharing.seal.records import Record
from sharing.seal.seal import reseal, seal
from sharing.slots import Change

T = TypeVar("T")

STAYS = frozenset({"report", "declaration"})
"""Types of logs that no feed ever has (D2)."""

_TRIES = 8
_PAUSE_MS = 10  # at most, doubled with each try


class OvertakenError(NodeError):
    """Somebody else changed what was read before it could be written: read it again."""


@dataclass(frozen=True, slots=True)
class OwnLog:
    """A log of ours as it was read, with its newest version."""

    row: LogRow
    holding: Holding


@dataclass(frozen=True, slots=True)
class Version:
    """A version ready to be written; `before` must still be true then.

    Only an event is searched; of any other log the index holds its classes and nothing else.
    """

    before: LogRow | None
    log: LogRow
    holding: HoldingRow
    index: LogIndex


@dataclass(frozen=True, slots=True)
class Birth:
    """What is said of a log once, when it is made."""

    type: str
    event: str
    source: str
    ground: Mapping[str, object]
    report: str | None = None
    published: bool = False


def fresh_uuid(node: Node) -> str:
    """Give a new random (version 4) uuid."""
    return str(UUID(bytes=node.rng(16), version=4))


def whole_hour(at: datetime) -> datetime:
    """Give the hour an instant lies in: what a hospital's log may tell of when it was written."""
    return at.replace(minute=0, second=0, microsecond=0)


def told_time(node: Node, source: str) -> datetime:
    """Give the time a log of this source is sealed at: now, of a hospital's only the hour."""
    return node.clock() if source == node.org else whole_hour(node.clock())


def read_own(unit: Unit, org: str, event: str) -> OwnLog | None:
    """Give a log of ours; None where there is none, or it was recalled."""
    row = find_log(unit.connection, org, event)
    held = find_holding(unit.connection, org, event, org)
    return None if row is None or held is None else OwnLog(row, open_holding(held))


def first_version(
    node: Node, birth: Birth, records: Sequence[Record], sealed_at: datetime
) -> Version:
    """Seal a new log."""
    holding = seal(
        records,
        log=birth.type,
        event=birth.event,
        issuer=node.org,
        signers=node.signers,
        seed=node.rng(32),
        class_salt=node.rng(16),
        at=sealed_at,
    )
    now = node.clock()
    log = LogRow(
        origin=node.org,
        event=birth.event,
        type=birth.type,
        epoch=holding.statement.epoch,
        seq=holding.statement.seq,
        seal=holding.statement.seal,
        source=birth.source,
        published=birth.published,
        urgent=False,
        report=birth.report,
        ground=birth.ground,
        recalled_epoch=None,
        recalled_seq=None,
        recall=None,
        first_seen_at=now,
        updated_at=now,
    )
    return _version(None, log, holding, now)


def next_version(
    node: Node,
    own: OwnLog,
    change: Change,
    sealed_at: datetime,
    *,
    ground: Mapping[str, object] | None = None,
) -> Version | None:
    """Seal the next version, on a new ground if one is given.

    None where nothing changes: then no edit shows either (D2).
    """
    if not change.append and not change.void:
        return None
    holding = reseal(
        own.holding,
        append=change.append,
        void=change.void,
        signers=node.signers,
        seed=node.rng(32),
        class_salt=node.rng(16),
        at=sealed_at,
    )
    now, statement = node.clock(), holding.statement
    log = replace(
        own.row,
        epoch=statement.epoch,
        seq=statement.seq,
        seal=statement.seal,
        ground=own.row.ground if ground is None else ground,
        updated_at=now,
    )
    return _version(own.row, log, holding, now)


def write_version(unit: Unit, version: Version) -> None:
    """Write a version with its index, and mark its log dirty if it may ever travel.

    Raises:
        OvertakenError: the log is no longer as it was read; nothing may be kept of this unit.
    """
    log, conn = version.log, unit.connection
    lock_name(conn, f"log {log.origin} {log.event}")
    if find_log(conn, log.origin, log.event, for_update=True) != version.before:
        raise OvertakenError(f"log {log.event} was changed meanwhile")
    if version.before is None:
        add_log(conn, log)
    elif not advance_log(conn, log, since=version.before.version):
        raise OvertakenError(f"log {log.event} was changed meanwhile")
    put_holding(conn, version.holding)
    replace_index(conn, log.origin, log.event, version.holding.src, version.index)
    if log.type not in STAYS:
        mark_dirty(conn, [(log.origin, log.event)], urgent=log.urgent)


def until_settled(act: Callable[[], T]) -> T:
    """Do `act` anew as long as others overtake it.

    Raises:
        ConflictError: it was overtaken each time.
    """
    for tried in range(_TRIES):
        if tried:  # each a while of their own, or they would all meet again
            sleep(secrets.randbelow(_PAUSE_MS << tried) / 1000)
        try:
            return act()
        except OvertakenError:
            continue
    raise ConflictError("others are changing the same thing: try again in a moment")


def _version(before: LogRow | None, log: LogRow, holding: Holding, now: datetime) -> Version:
    row = HoldingRow(
        origin=log.origin,
        event=log.event,
        src=log.origin,
        epoch=log.epoch,
        seq=log.seq,
        seal=log.seal,
        digest=holding.digest,
        hops=0,
        package=write_package(holding),
        withheld=[],
        received_at=now,
    )
    index = index_of(holding)
    return Version(before, log, row, index if log.type == "event" else replace(index, entries=()))

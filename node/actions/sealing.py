"""Our own logs, version by version: sealed before the unit opens, written in it.

Everything that takes time (cut, seal, package, index rows) happens in `first_version` and
`next_version`; `write_version` only writes, and refuses where somebody else changed the log since
it was read. The seed and the salt of a version are drawn here and forgotten here.
"""

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from time import sleep
from typing import TypeVar
from uuid import UUID

from node import outside
from node.actions.errors import ConflictError, RestoringError
from node.actions.index import index_of
from node.actions.stored import open_holding
from node.errors import NodeError
from node.node import Node
from node.storage.dirt import mark_dirty
from node.storage.entries import LogIndex, replace_index
from node.storage.groups import group_versions, lock_groups, put_spreads
from node.storage.logs import (
    HoldingRow,
    LogRow,
    add_log,
    advance_log,
    find_holding,
    find_log,
    put_holding,
)
from node.storage.restores import is_awaited, own_head_of
from node.storage.store import Unit, lock_name
from sharing.event import Spread
from sharing.seal.holding import Holding
from sharing.seal.package import write_package
from sharing.seal.records import Record
from sharing.seal.seal import compact, reseal, seal
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
    """A log of ours as it was read, with its newest version.

    `floor` is an epoch that others know of it since a restore: what is sealed next lies above it.
    """

    row: LogRow
    holding: Holding
    floor: int | None = None


@dataclass(frozen=True, slots=True)
class Version:
    """A version ready to be written; `before` must still be true then.

    Only an event is searched; of any other log the index holds its classes and nothing else.
    `spreads` are what its source says, in MISP's words, of things that are new in it; None: nothing
    any more.
    """

    before: LogRow | None
    log: LogRow
    holding: HoldingRow
    index: LogIndex
    spreads: Mapping[str, Spread | None] = field(default_factory=dict)


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


def taken_from(row: LogRow) -> frozenset[str]:
    """Give the attributes that were taken back from an event of ours."""
    taken = row.ground.get("taken_back")
    return frozenset(map(str, taken)) if isinstance(taken, list) else frozenset()


def read_own(unit: Unit, org: str, event: str) -> OwnLog | None:
    """Give a log of ours; None where there is none, or it was recalled."""
    row = find_log(unit.connection, org, event)
    held = find_holding(unit.connection, org, event, org)
    if row is None or held is None:
        return None
    return OwnLog(row, open_holding(held), _floor(unit, event))


def first_version(
    node: Node, birth: Birth, records: Sequence[Record], sealed_at: datetime
) -> Version:
    """Seal a new log; one that others know from before a restore, in a higher epoch."""
    with node.store.read() as unit:
        floor = _floor(unit, birth.event)
    holding = seal(
        records,
        log=birth.type,
        event=birth.event,
        issuer=node.org,
        signers=node.signers,
        seed=node.rng(32),
        class_salt=node.rng(16),
        at=sealed_at,
        epoch=0 if floor is None else floor + 1,
    )
    outside.note_sealed(node.settings.data, birth.event, holding.statement.version)
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
    return sealed_again(node, own, change, sealed_at, ground=ground)


def sealed_again(
    node: Node,
    own: OwnLog,
    change: Change,
    sealed_at: datetime,
    *,
    ground: Mapping[str, object] | None = None,
) -> Version:
    """Seal the next version, also where nothing changes but the keys that sign it."""
    holding = _sealed_on(node, own, change, sealed_at)
    now, statement = node.clock(), holding.statement
    log = replace(
        own.row,
        epoch=statement.epoch,
        seq=statement.seq,
        seal=statement.seal,
        ground=own.row.ground if ground is None else ground,
        updated_at=now,
    )
    taken = sorted(taken_from(log) - taken_from(own.row))
    outside.note_sealed(node.settings.data, log.event, log.version, taken=taken)
    return _version(own.row, log, holding, now)


def _sealed_on(node: Node, own: OwnLog, change: Change, sealed_at: datetime) -> Holding:
    """The next version; sealed afresh above the epoch that others know since a restore (D26)."""
    act = reseal
    if own.floor is not None and own.row.epoch <= own.floor:
        act = partial(compact, epoch=own.floor + 1)
    return act(
        own.holding,
        append=change.append,
        void=change.void,
        signers=node.signers,
        seed=node.rng(32),
        class_salt=node.rng(16),
        at=sealed_at,
    )


def _floor(unit: Unit, event: str) -> int | None:
    head = own_head_of(unit.connection, event)
    return None if head is None else head.epoch


def check_sealing(unit: Unit, org: str) -> None:
    """Let nothing be sealed while a restore is under way.

    Raises:
        RestoringError: one is.
    """
    if is_awaited(unit.connection, org):
        raise RestoringError


def write_version(unit: Unit, version: Version) -> None:
    """Write a version with its index, and mark its log dirty if it may ever travel.

    Raises:
        RestoringError: a restore is under way.
        OvertakenError: the log is no longer as it was read; nothing may be kept of this unit.
    """
    log, conn = version.log, unit.connection
    check_sealing(unit, log.origin)
    lock_name(conn, f"log {log.origin} {log.event}")
    if find_log(conn, log.origin, log.event, for_update=True) != version.before:
        raise OvertakenError(f"log {log.event} was changed meanwhile")
    if version.before is None:
        add_log(conn, log)
    elif not advance_log(conn, log, since=version.before.version):
        raise OvertakenError(f"log {log.event} was changed meanwhile")
    put_holding(conn, version.holding)
    replace_index(conn, log.origin, log.event, version.holding.src, version.index)
    _keep_spreads(unit, version)
    if log.type not in STAYS:
        mark_dirty(conn, [(log.origin, log.event)], urgent=log.urgent)


def _keep_spreads(unit: Unit, version: Version) -> None:
    """Keep what the source said, unless a group it chose has other members by now."""
    if not version.spreads:
        return
    conn = unit.connection
    read = {each.group: each.version for each in version.spreads.values() if each and each.group}
    lock_groups(conn, read)
    now = group_versions(conn, read)
    for group, number in read.items():
        if now.get(group, 0) != number:
            raise OvertakenError(f"sharing group {group} was changed meanwhile")
    put_spreads(conn, version.log.event, version.spreads)


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

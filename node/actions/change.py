"""What one item from a peer makes of one log: worked out before a unit opens, written in it.

Each source has its own holding of a log; readers go by the best one, and only that one is indexed.
What a newer version made void goes from every holding of its epoch, whoever gave it. WITHDRAW ends
what one source gave, RECALL ends all up to its floor.

A stored holding whose bytes are damaged counts as absent: what comes next from its source heals it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from federation.admit import Admitted, Known, Sighting, Version, is_ended, pruned
from federation.opening import Item
from federation.relay import Held, relayed_from
from federation.wire import Ground, ItemLine, Op
from node.actions.index import index_of
from node.actions.stored import examine_holding, open_holding
from node.storage.entries import LogIndex
from node.storage.errors import StoredPackageError
from node.storage.feed import SeenRow
from node.storage.logs import HoldingRow, LogRow
from sharing.event import Json
from sharing.seal.holding import Holding
from sharing.seal.package import write_package

_NO_VERSION = (0, 0)
_FIRST_TYPE = "event"  # of a log of which we never saw a statement


def floor_of(log: LogRow) -> Version | None:
    """The version up to which the log is recalled."""
    if log.recalled_epoch is None or log.recalled_seq is None:
        return None
    return (log.recalled_epoch, log.recalled_seq)


@dataclass(frozen=True, slots=True)
class Stored:
    """What is stored of one log, and what one source last told us of it; `damaged` counts not."""

    log: LogRow | None
    holdings: tuple[HoldingRow, ...]
    seen: SeenRow | None
    damaged: tuple[StoredPackageError, ...] = ()

    def examined(self) -> "Stored":
        """The same, all bytes checked in full: what they fail counts as absent."""
        sound, damaged = list[HoldingRow](), list(self.damaged)
        for row in self.holdings:
            try:
                examine_holding(row)
            except StoredPackageError as error:
                damaged.append(error)
            else:
                sound.append(row)
        return replace(self, holdings=tuple(sound), damaged=tuple(damaged))

    def open_to(self, source: str) -> "Stored":
        """The same, before a package of this source: if its old one is damaged, all is news."""
        if self.seen is None or source not in {one.src for one in self.damaged}:
            return self
        return replace(self, seen=replace(self.seen, pos=0, digest=None))

    def anew(self, item: Item, source: str) -> "Stored":
        """The same, before an item that was asked for by name: neither place nor PUT is old news.

        What is taken back counts as held where there is a holding, whatever the source once said.
        """
        line = item.line
        held = next((row.digest for row in self.holdings if row.src == source), None)
        digest = held if isinstance(line, ItemLine) and line.op is not Op.PUT else None
        seen = self.seen or SeenRow(
            source, line.origin, line.event, item.incarnation, 0, *_NO_VERSION, None
        )
        return replace(self, seen=replace(seen, pos=0, digest=digest))

    def known(self, line: ItemLine | None, source: str) -> Known:
        """The same, as the checks of an item want it; only a PUT is held against what we hold."""
        is_put = line is not None and line.op is Op.PUT
        newest = max(self.holdings, key=_version, default=None) if is_put else None
        base = next((row for row in self.holdings if row.src == source), None)
        if line is None or not line.is_delta:
            base = None
        seen, held = self.seen, None if base is None else open_holding(base)
        return Known(
            incarnation=None if seen is None else seen.incarnation,
            pos=0 if seen is None else seen.pos,
            version=None if seen is None else (seen.epoch, seen.seq),
            digest=None if seen is None else seen.digest,
            sightings=tuple(
                Sighting(_version(row), row.seal, row.received_at) for row in self.holdings
            ),
            held=held,
            newest=held if newest is base or newest is None else open_holding(newest),
            floor=None if self.log is None else floor_of(self.log),
        )


@dataclass(frozen=True, slots=True)
class Reindex:
    """The index rows of the holding that readers go by from now on."""

    src: str
    rows: LogIndex


@dataclass(frozen=True, slots=True)
class Change:
    """What is to be written of one log; `before` must still be true then.

    `reindex` is None where readers go on with the holding they had, or where `is_bare`: nothing is
    left to read.
    """

    before: Stored
    log: LogRow
    put: tuple[HoldingRow, ...] = ()
    gone: tuple[str, ...] = ()
    reindex: Reindex | None = None
    is_bare: bool = False


def change_of(admitted: Admitted, before: Stored, *, source: str, me: str, now: datetime) -> Change:
    """What an item that passed its checks makes of its log."""
    line = admitted.line
    log = _log(before.log, admitted, now)
    match admitted.op:
        case Op.PUT:
            return _put(admitted, before, log, source=source, me=me, now=now)
        case Op.WITHDRAW:
            return take_away(before, log, {source}, me=me)
        case Op.RECALL:
            held = [(row.src, _version(row)) for row in before.holdings]
            held += [(one.src, one.version) for one in before.damaged]
            ended = {src for src, version in held if is_ended(version, line.version)}
            return take_away(before, log, ended, me=me)


def take_away(before: Stored, log: LogRow, sources: Iterable[str], *, me: str) -> Change:
    """The log without what these sources gave of it."""
    after = {row.src: row for row in before.holdings}
    damaged = {one.src for one in before.damaged}
    given = sorted(sources)
    gone = tuple(src for src in given if after.pop(src, None) is not None or src in damaged)
    return _read_anew(Change(before, log, gone=gone), after, {}, me)


def _put(
    admitted: Admitted, before: Stored, log: LogRow, *, source: str, me: str, now: datetime
) -> Change:
    after = {row.src: row for row in before.holdings}
    parsed = dict[str, Holding]()
    put = list[HoldingRow]()
    gone = [one.src for one in before.damaged if _is_outdated(one.version, admitted.line)]
    if admitted.holding is None:
        if after.pop(source, None) is not None:
            gone.append(source)
    else:
        row = _row(admitted, admitted.holding, before, source, now)
        after[source], parsed[source] = row, admitted.holding
        put.append(row)
        gone = [src for src in gone if src != source]
    for row in [row for row in after.values() if _is_outdated(_version(row), admitted.line)]:
        holding = parsed.get(row.src) or open_holding(row)
        left = pruned(holding, admitted.void)
        if left is None:
            del after[row.src]
            gone.append(row.src)
        elif left is not holding:
            after[row.src] = replace(row, package=write_package(left), digest=left.digest)
            parsed[row.src] = left
            put.append(after[row.src])
    return _read_anew(Change(before, log, tuple(put), tuple(gone)), after, parsed, me)


def _is_outdated(version: Version, line: ItemLine) -> bool:
    return version[0] == line.epoch and version[1] < line.seq


def _row(
    admitted: Admitted, holding: Holding, before: Stored, source: str, now: datetime
) -> HoldingRow:
    line = admitted.line
    return HoldingRow(
        origin=line.origin,
        event=line.event,
        src=source,
        epoch=line.epoch,
        seq=line.seq,
        seal=line.seal,
        digest=holding.digest,
        hops=line.hops,
        package=admitted.package,
        withheld=[_told(ground) for ground in line.withheld],
        # first sight of the statement, whoever showed it: a stolen key is judged by it (D29)
        received_at=min(
            (row.received_at for row in before.holdings if row.seal == line.seal), default=now
        ),
    )


def _told(ground: Ground) -> Mapping[str, Json]:
    return {
        "ground": ground.ground,
        "kind": ground.kind,
        "records": ground.records,
        "slots": ground.slots,
        "fields": [*ground.fields],
    }


def _log(log: LogRow | None, admitted: Admitted, now: datetime) -> LogRow:
    """The log's row as it is from now on: newest statement, recall floor."""
    line, recall = admitted.line, admitted.recall
    told = admitted.holding.statement.log if admitted.holding else _FIRST_TYPE
    row = log or LogRow(
        origin=line.origin,
        event=line.event,
        type=told,
        epoch=line.epoch,
        seq=line.seq,
        seal=line.seal,
        source=None,
        published=True,
        urgent=line.urgent,
        report=None,
        ground={},
        recalled_epoch=None,
        recalled_seq=None,
        recall=None,
        first_seen_at=now,
        updated_at=now,
    )
    row = replace(row, updated_at=now, urgent=line.urgent)
    if recall is not None:
        row = replace(row, recalled_epoch=recall.epoch, recalled_seq=recall.seq, recall=line.recall)
    if line.version > row.version:
        row = replace(row, type=told, epoch=line.epoch, seq=line.seq, seal=line.seal)
    return row


def _read_anew(
    change: Change, after: Mapping[str, HoldingRow], parsed: Mapping[str, Holding], me: str
) -> Change:
    """The change with the index it needs: readers go by the best holding that is left."""
    epoch = change.log.epoch  # an older one holds what its source may have ended since
    best = _best([row for row in after.values() if row.epoch >= epoch], me)
    if best is None:
        return replace(change, is_bare=True)
    if best == _best(change.before.holdings, me):
        return change
    holding = parsed.get(best.src) or open_holding(best)
    return replace(change, reindex=Reindex(best.src, index_of(holding)))


def _best(rows: Iterable[HoldingRow], me: str) -> HoldingRow | None:
    by_source = {row.src: row for row in rows}
    held = [Held(row.origin, row.src, row.hops, *_version(row)) for row in by_source.values()]
    best = relayed_from(held, me)
    return None if best is None else by_source[best.src]


def _version(row: HoldingRow) -> Version:
    return (row.epoch, row.seq)

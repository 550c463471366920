"""Whether to believe a page, and then each item in it: the numbered checks of decisions.md D33.

    1  caps and framing                                     a page that fails 1 or 2 is refused
    2  trailer: signature, from, to, nonce, incarnation,    as a whole and moves nothing
       place, order, count, root
    3  item: grammar, op, hops, what we asked for           an item that fails 3 to 7 is put in
    4  place, version, recall floor                         quarantine alone; the feed goes on
    5  the originator's seal (sealing.md §2.7) or recall
    6  the projection's digest, recomputed
    7  addressed to us, and not widened on its way (D8)
    8  patient detectors and 9 the one transaction are the caller's, with the facts of `Admitted`.

`opening.py` makes checks 1 and 2. Pure: what is stored of a log comes in as `Known`, what to do
with it comes out. News that is old, or that we hold already, is `NoOp` and leaves no bytes behind;
so is what a recall has ended. A delta that leads nowhere is `Whole`: its package is asked for.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from federation.call import Wants
from federation.errors import BadItemError
from federation.opening import BadLine, Item
from federation.relay import RELAY_HOPS, unasked
from federation.told import told_put, told_recall
from federation.wire import ItemLine, Op
from policies.party import Party
from sharing.errors import RefusedError
from sharing.ingress import refuse_unaddressed
from sharing.seal.delta import read_delta
from sharing.seal.holding import Holding
from sharing.seal.keys import KeyRegistry
from sharing.seal.package import read_package, write_package
from sharing.seal.recall import Recall, verify_recall
from sharing.seal.statement import Statement
from sharing.seal.verify import Recipient, verify, verify_delta

ITEM, PLACE, SEAL, DIGEST, ADDRESSED = range(3, 8)
EQUIVOCATION = "equivocation"
QUARANTINE_CAP = 4 * 1024 * 1024

_TRAVELLING_LOGS = frozenset({"event", "note"})

Version = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Sighting:
    """A statement of the log that we hold from any source, and when we saw it first."""

    version: Version
    seal: str
    first_seen_at: datetime


@dataclass(frozen=True, slots=True)
class Known:
    """What is stored of one log when an item about it comes from one source; `Known()` = nothing.

    `incarnation`, `pos` and `version` are what this source last told us of it, `digest` is what we
    hold from it now (None after a withdrawal) and `held` those very bytes, if a delta is to lead on
    from them. Of the log as such: `sightings` from all sources,
    `newest` the holding with the newest statement, `floor` the version up to which it is recalled.
    """

    incarnation: str | None = None
    pos: int = 0
    version: Version | None = None
    digest: str | None = None
    held: Holding | None = None
    sightings: tuple[Sighting, ...] = ()
    newest: Holding | None = None
    floor: Version | None = None

    def conflicts(self, line: ItemLine) -> bool:
        """Whether we hold another statement for the version this item names."""
        sealed = [(one.version, one.seal) for one in self.sightings]
        if self.newest is not None:
            sealed.append((self.newest.statement.version, self.newest.statement.seal))
        return any(version == line.version and seal != line.seal for version, seal in sealed)

    def first_seen_at(self, line: ItemLine, now: datetime) -> datetime:
        """When we first saw the statement this item names."""
        return min(
            (one.first_seen_at for one in self.sightings if one.seal == line.seal), default=now
        )


@dataclass(frozen=True, slots=True)
class Admitted:
    """An item that passed; store all of it in one transaction.

    PUT: this source's holding is now exactly `holding`, written as `package`; `digest` is the one
    the item names, for the next comparison (the holding's own differs where records that a newer
    version made void were dropped on arrival). `void` are the records void under the newest
    statement: prune them from holdings of the same epoch of other sources (`pruned`). `told` names
    what the source says that we hold of the log now (`told.py`); None after a WITHDRAW.
    WITHDRAW: drop this source's holding. RECALL: drop every holding that `is_ended` by `floor`,
    from whatever source, and keep the recall's bytes (`line.recall`).
    """

    op: Op
    line: ItemLine
    holding: Holding | None = None
    package: bytes = b""
    digest: str | None = None
    void: tuple[int, ...] = ()
    recall: Recall | None = None
    told: bytes | None = None

    @property
    def floor(self) -> Version | None:
        """Of a RECALL: the version up to which the log is ended."""
        return None if self.recall is None else (self.recall.epoch, self.recall.seq)


@dataclass(frozen=True, slots=True)
class NoOp:
    """Nothing to store but the place; `reason` says why."""

    line: ItemLine
    reason: str


@dataclass(frozen=True, slots=True)
class Quarantined:
    """An item that failed a check: kept as it came (at most 4 MiB, else nothing), never shown."""

    line: ItemLine | BadLine
    check: int
    reason: str
    line_bytes: bytes
    raw: bytes

    @property
    def is_equivocation(self) -> bool:
        """Whether the originator signed two statements for one version: an alarm, not a mishap."""
        return self.reason.startswith(EQUIVOCATION)


@dataclass(frozen=True, slots=True)
class Whole:
    """A delta that does not lead on from what we hold: fetch the package and look at that."""

    line: ItemLine
    reason: str


Outcome = Admitted | NoOp | Quarantined | Whole


def admit_item(
    item: Item,
    *,
    source: str,
    me: Party,
    registry: KeyRegistry,
    known: Known,
    wants: Wants,
    relay_hops: int = RELAY_HOPS,
    now: datetime,
) -> Outcome:
    """What to do with one item from this source, given what is stored of its log.

    Never raises for what a peer can send. `now` is the instant of our first sight.
    """
    try:
        line = _asked_for(item, source, me.org, wants, relay_hops)
        if (old := _old_news(item, line, known)) is not None:
            return NoOp(line, old)
        match line.op:
            case Op.PUT if line.is_delta:
                return _grow(item, line, me, registry, known, now)
            case Op.PUT:
                return _put(item, line, me, registry, known, now)
            case Op.WITHDRAW:
                return Admitted(line.op, line)
            case Op.RECALL:
                return _recall(line, registry, now)
    except BadItemError as error:
        raw = item.raw if len(item.raw) <= QUARANTINE_CAP else b""
        return Quarantined(item.line, error.check, error.reason, item.line_bytes, raw)


def _asked_for(item: Item, source: str, me: str, wants: Wants, relay_hops: int) -> ItemLine:
    """Check 3: well-formed, and something this source may send us."""
    if isinstance(item.line, BadLine):
        raise BadItemError(ITEM, f"grammar: {item.line.reason}")
    line = item.line
    problem = unasked(
        origin=line.origin,
        source=source,
        me=me,
        hops=line.hops,
        # What was once asked for may be taken back by whoever gave it, whatever is asked for now.
        wants=wants if line.op is Op.PUT else Wants.ALL,
        relay_hops=relay_hops,
    )
    if problem is not None:
        raise BadItemError(ITEM, f"unasked: {problem}")
    return line


def _old_news(item: Item, line: ItemLine, known: Known) -> str | None:
    """Check 4: why this item changes nothing, None if it may."""
    if known.incarnation == item.incarnation and line.pos <= known.pos:
        return f"place {line.pos} is not after {known.pos}"
    if known.floor is not None and _is_silenced(line, known.floor):
        return f"the log is recalled up to {known.floor}"
    match line.op:
        case Op.PUT if line.digest == known.digest:
            return "this projection is held already"
        case Op.WITHDRAW if known.digest is None:
            return "nothing of this log is held from this source"
        case _:
            return None


def is_ended(version: Version, floor: Version) -> bool:
    """Whether a recall up to `floor` ended this version; only a later epoch lives again."""
    return version[0] <= floor[0]


def _is_silenced(line: ItemLine, floor: Version) -> bool:
    return line.version <= floor if line.op is Op.RECALL else is_ended(line.version, floor)


def _put(
    item: Item, line: ItemLine, me: Party, registry: KeyRegistry, known: Known, now: datetime
) -> Admitted:
    """Checks 4 (the rest) to 7 of a package."""
    _check_goes_on(line, known)
    holding = _verified(item.raw, line, me, registry, known, now)
    _check_is_ours(holding, line, me)
    return _admitted(item.raw, line, holding, known.newest)


def _grow(
    item: Item, line: ItemLine, me: Party, registry: KeyRegistry, known: Known, now: datetime
) -> Admitted | Whole:
    """The same of a delta, put on top of what this source gave before.

    Whatever is wrong with it or with what it leads on from, the package says the rest: so a delta
    puts nothing in quarantine, and nobody is accused over what may be damage of our own.
    """
    _check_goes_on(line, known)
    held, newest = known.held, known.newest
    if held is None or held.digest != line.base:
        return Whole(line, "another projection is held than it leads on from")
    if known.conflicts(line) or (newest and line.version < newest.statement.version):
        return Whole(line, "another source gave something else")
    try:
        delta = read_delta(item.raw)
        _check_is_named(delta.statement, line)
        holding = verify_delta(
            delta,
            registry,
            first_seen_at=known.first_seen_at(line, now),
            held=held,
            erase=line.erase,
            me=Recipient(me.org, me.communities),
        ).holding
        _check_is_ours(holding, line, me)
        package = write_package(holding)
        if newest is not None and newest.statement.seal != held.statement.seal:
            _verified(package, line, me, registry, known, now)  # against what others gave
    except (RefusedError, BadItemError) as error:
        return Whole(line, error.reason)
    return _admitted(package, line, holding, newest)


def _check_goes_on(line: ItemLine, known: Known) -> None:
    """Check 4: a source never goes back."""
    if known.version is not None and line.version < known.version:
        raise BadItemError(PLACE, f"version: {line.version} after {known.version}")


def _check_is_ours(holding: Holding, line: ItemLine, me: Party) -> None:
    """Checks 6 and 7: the very projection that the item names, and meant for us."""
    if holding.digest != line.digest:
        raise BadItemError(DIGEST, "digest: the package is another projection than the item names")
    try:
        refuse_unaddressed(holding, me, line.hops)
    except RefusedError as error:
        raise BadItemError(ADDRESSED, error.reason) from error


def _verified(
    raw: bytes, line: ItemLine, me: Party, registry: KeyRegistry, known: Known, now: datetime
) -> Holding:
    """Check 5: the package is what the item names, and its originator sealed it.

    An originator's two statements for one version prove themselves only where both signatures
    hold, so a conflict is declared after the seal has been verified.
    """
    newest = known.newest
    conflict = known.conflicts(line)
    is_behind = newest is not None and line.version < newest.statement.version
    try:
        package = read_package(raw)
        _check_is_named(package.statement, line)
        verified = verify(
            package,
            registry,
            first_seen_at=known.first_seen_at(line, now),
            held=None if is_behind or conflict else newest,
            me=Recipient(me.org, me.communities),
        )
    except RefusedError as error:
        raise BadItemError(SEAL, f"seal check {error.check}: {error.reason}") from error
    if conflict:
        raise BadItemError(SEAL, f"{EQUIVOCATION}: two statements for version {line.version}")
    if is_behind and newest is not None:
        _check_voids_grew(verified.holding, newest)
    return verified.holding


def _check_is_named(told: Statement, line: ItemLine) -> None:
    if (told.iss, told.event) != (line.origin, line.event):
        raise BadItemError(SEAL, "statement: of another log than the item names")
    if told.version != line.version or told.seal != line.seal:
        raise BadItemError(SEAL, "statement: another version than the item names")
    if told.log not in _TRAVELLING_LOGS:
        raise BadItemError(SEAL, f"statement: a log of type {told.log} does not travel in feeds")


def _check_voids_grew(older: Holding, newest: Holding) -> None:
    """Within an epoch what was void stays void, also when the versions arrive the other way."""
    same_epoch = older.statement.epoch == newest.statement.epoch
    if same_epoch and not set(older.void) <= set(newest.void):
        raise BadItemError(SEAL, "void: a record void in this version is live in a later one")


def _admitted(raw: bytes, line: ItemLine, holding: Holding, newest: Holding | None) -> Admitted:
    """The facts to store; an older version arrives without what the newest has made void."""
    told = told_put(line.origin, line.event, line.epoch, holding.encoded_map)
    if newest is None or newest.statement.version <= holding.statement.version:
        return Admitted(line.op, line, holding, raw, line.digest, holding.void, told=told)
    if newest.statement.epoch != holding.statement.epoch:
        return Admitted(line.op, line, holding, raw, line.digest, told=told)
    left = pruned(holding, newest.void)
    package = raw if left is holding else b"" if left is None else write_package(left)
    return Admitted(line.op, line, left, package, line.digest, newest.void, told=told)


def pruned(holding: Holding, void: Collection[int]) -> Holding | None:
    """The holding without these records; itself if it has none of them, None if nothing is left.

    Nothing is left either where a label went: what stood under it has another by now, and which
    is for a newer package to say.
    """
    dead = holding.masks.keys() & set(void)
    if not dead:
        return holding
    masks = {index: mask for index, mask in holding.masks.items() if index not in dead}
    left = holding.narrowed(masks) if masks else None
    if left is None:
        return None
    used = {byte for index in masks for byte in left.records[index].header.labels}
    return left if left.labels.undefined(used) is None else None


def _recall(line: ItemLine, registry: KeyRegistry, now: datetime) -> Admitted:
    """Check 5 of a recall: signed by the originator of the log it ends, whoever hands it on."""
    try:
        recall = verify_recall(line.recall or b"", registry, first_seen_at=now)
    except RefusedError as error:
        raise BadItemError(SEAL, f"recall: {error.reason}") from error
    if (recall.iss, recall.event) != (line.origin, line.event):
        raise BadItemError(SEAL, "recall: by another than the originator, or of another log")
    if (recall.epoch, recall.seq) != line.version:
        raise BadItemError(SEAL, "recall: another version than the item names")
    told = told_recall(line.origin, line.event, line.version)
    return Admitted(line.op, line, recall=recall, told=told)

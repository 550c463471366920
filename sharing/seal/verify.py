"""Verify: from a Package somebody handed us to what its originator said (§2.7).

Checks 1 and 2 were made by `read_package`; here are 3 to 7, in order, each in its own function. A
refusal names its check. Nothing is parsed as content before signature, tables and root hold.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property, partial
from itertools import chain
from types import MappingProxyType

from policies.label import Label
from policies.tlp import Tlp
from sharing.errors import RefusedError, UnreadableError
from sharing.seal import limits
from sharing.seal.contents import check_contents, check_new, things_of
from sharing.seal.delta import Delta, join, without
from sharing.seal.disclosure import NOTHING, Disclosure
from sharing.seal.dsse import Signature, check_signers, verify_envelope
from sharing.seal.holding import Holding, labels_of
from sharing.seal.keys import KeyRegistry, Use
from sharing.seal.labels import LabelTable
from sharing.seal.maps import MaskRun
from sharing.seal.members import told
from sharing.seal.package import Package
from sharing.seal.records import Header
from sharing.seal.statement import PAYLOAD_TYPE, Statement
from sharing.seal.tables import ClassTable, encode_void, void_digest
from sharing.seal.tree import Span, Tree, fold


@dataclass(frozen=True, slots=True)
class Recipient:
    """Who receives: an organisation and the communities it is in."""

    org: str
    communities: frozenset[str]


@dataclass(frozen=True, slots=True)
class WithheldSlot:
    """A slot withheld from a record that is otherwise disclosed: all that is known of it."""

    record: int
    slot: int
    type: int
    label: Label


@dataclass(frozen=True)
class Verified:
    """What the originator said, as far as it is disclosed to us.

    Only `verify` and `verify_delta` make one. The holding is put together when it is asked for:
    checking a delta costs what it brings, putting it in its place a copy of the whole.
    """

    _held: Callable[[], Holding] = field(repr=False)

    @cached_property
    def holding(self) -> Holding:
        """What is held now."""
        return self._held()

    @property
    def withheld_records(self) -> int:
        """How many live records are withheld wholly."""
        return self.holding.statement.live - self.holding.disclosure.count

    @cached_property
    def withheld_slots(self) -> tuple[WithheldSlot, ...]:
        """The slots withheld from disclosed records, in index order."""
        return tuple(_withheld_slots(self.holding))


def verify(
    package: Package,
    registry: KeyRegistry,
    *,
    first_seen_at: datetime,
    held: Holding | Statement | None = None,
    me: Recipient | None = None,
) -> Verified:
    """What `package` proves its originator to have said.

    `held` is what the same source gave before of this log; `first_seen_at` when this version came
    to us or, earlier, to the hub. Without `me` it is not asked whether we are addressed.

    Raises:
        RefusedError: naming the check that failed, 3..7, and why.
    """
    _check_signatures(package.statement, package.signatures, registry, first_seen_at)
    _check_tables(package, held)
    tree = _check_root(package)
    _check_version(package.statement, held)
    _check_slots(package.statement, NOTHING, package.disclosure, me)
    return Verified(partial(_hold, package, tree))


def examine(package: Package, held: Holding | None = None) -> Holding:
    """What `package` says, all checked but signatures: nobody is known to have said it.

    Raises:
        RefusedError: naming the check that failed, and why.
    """
    check_signers(package.signatures, package.statement.keys)
    _check_tables(package, held)
    tree = _check_root(package)
    _check_version(package.statement, held)
    _check_slots(package.statement, NOTHING, package.disclosure, None)
    return _hold(package, tree)


def verify_delta(
    delta: Delta,
    registry: KeyRegistry,
    *,
    first_seen_at: datetime,
    held: Holding,
    erase: Sequence[MaskRun] = (),
    me: Recipient | None = None,
) -> Verified:
    """What `delta`, put on top of `held`, proves its originator to have said (§2.9).

    `erase` is what the sender, besides, no longer lets us have. What is held must be what the
    delta starts from; so of a delta, check 6 comes before 4 and 5.

    Raises:
        RefusedError: naming the check that failed, 3..7, and why.
    """
    _check_signatures(delta.statement, delta.signatures, registry, first_seen_at)
    return Verified(_check_delta(delta, held, erase, me))


def examine_delta(delta: Delta, held: Holding) -> Holding:
    """What `delta` makes of `held`, all checked but signatures: nobody is known to have said it.

    Raises:
        RefusedError: naming the check that failed, and why.
    """
    check_signers(delta.signatures, delta.statement.keys)
    return _check_delta(delta, held, (), None)()


def _check_delta(
    delta: Delta, held: Holding, erase: Sequence[MaskRun], me: Recipient | None
) -> Callable[[], Holding]:
    """Checks 4 to 7 of a delta; what makes the holding."""
    _check_base(delta, held.statement)
    _check_version(delta.statement, held)
    try:
        kept = without(held.disclosure, delta.void, erase)
    except ValueError as error:
        raise RefusedError(6, f"erase: {error}") from None
    void = _check_void_added(delta, held)
    _check_void(delta.statement, void)
    _check_none_void(delta.disclosure.spans, void)
    _check_classes_grow(delta.classes, held)
    _check_classes(delta.classes, delta.statement, chain(kept.runs(), delta.disclosure.runs()))
    edge = _check_growth(delta, held.statement)
    _check_slots(delta.statement, kept, delta.disclosure, me, held.things)
    return partial(join, held, delta, kept, edge)


def _hold(package: Package, tree: Tree) -> Holding:
    return Holding(
        package.statement,
        package.signatures,
        package.void,
        package.classes,
        package.disclosure,
        package.proof,
        tree,
    )


# Check 3: signatures (§2.5, §2.7 step 3, §2.11)


def _check_signatures(
    statement: Statement,
    signatures: Sequence[Signature],
    registry: KeyRegistry,
    first_seen_at: datetime,
) -> None:
    """A seal key of member `iss` for every key listed, each signature valid."""
    verify_envelope(
        PAYLOAD_TYPE,
        statement.payload,
        signatures,
        keys=statement.keys,
        org=statement.iss,
        use=Use.SEAL,
        registry=registry,
        first_seen_at=first_seen_at,
    )


# Check 4: void set and class table (§2.4, §2.7 step 4)


def _check_tables(package: Package, held: Holding | Statement | None) -> None:
    _check_void(package.statement, package.void)
    if isinstance(held, Holding) and held.statement.epoch == package.statement.epoch:
        _check_void_grows(package, held)
        _check_classes_grow(package.classes, held)
    _check_none_void(package.disclosure.spans, package.void)
    _check_classes(package.classes, package.statement, package.disclosure.runs())


def _check_void(statement: Statement, void: Sequence[int]) -> None:
    if void_digest(encode_void(void)) != statement.void:
        raise RefusedError(4, "void: digest")
    if void and void[-1] >= statement.size:
        raise RefusedError(4, f"void: record {void[-1]} of {statement.size}")
    if statement.live != statement.size - len(void):
        raise RefusedError(4, f"live: {statement.live} of {statement.size} with {len(void)} void")
    if len(void) > limits.voids_allowed(statement.size):
        raise RefusedError(4, f"void: {len(void)} of {statement.size} records, compact first")


def _check_void_added(delta: Delta, held: Holding) -> tuple[int, ...]:
    """All that is void now; a record becomes so but once."""
    void = sorted({*held.void, *delta.void})
    if len(void) != len(held.void) + len(delta.void):
        raise RefusedError(4, "void+: a record that was void before")
    return tuple(void)


def _check_void_grows(package: Package, held: Holding) -> None:
    """Within an epoch what was void stays void."""
    if package.statement.seq > held.statement.seq and not set(held.void) <= set(package.void):
        raise RefusedError(4, "void: a record that was void is live again")


def _check_none_void(spans: Iterable[Span], void: Iterable[int]) -> None:
    """No disclosed record is void."""
    coming = iter(spans)
    span = next(coming, None)
    for index in void:
        while span and span.stop <= index:
            span = next(coming, None)
        if span and span.start <= index:
            raise RefusedError(4, f"void: record {index} is disclosed")


def _check_classes(
    classes: ClassTable | None, statement: Statement, disclosed: Iterable[tuple[Span, Header]]
) -> None:
    """A class table is the signed one, covers every record and agrees with what is disclosed."""
    if classes is None:
        return
    if classes.digest != statement.classes:
        raise RefusedError(4, "cls: digest")
    if classes.size != statement.size:
        raise RefusedError(4, f"cls: {classes.size} records of {statement.size}")
    coming = iter(classes.runs)
    stop = 0
    for span, told_header in disclosed:
        while stop <= span.start:
            count, header = next(coming)
            stop += count
        if header != told_header or stop < span.stop:
            raise RefusedError(4, f"cls: disagrees with the header of record {span.start}")


def _check_classes_grow(classes: ClassTable | None, held: Holding) -> None:
    """Within an epoch no record changes, not even one that is withheld from us."""
    if classes is None or held.classes is None or classes.size < held.classes.size:
        return
    if not classes.continues(held.classes):
        raise RefusedError(4, "cls: another header for a record than the table that is held")


# Check 5: root (§2.3, §2.6, §2.7 step 5)


def _check_root(package: Package) -> Tree:
    """The disclosed leaves and the whole proof, nothing less or more, give the signed root."""
    try:
        tree = fold(package.disclosure.leaves(), package.statement.size, package.proof)
    except UnreadableError as error:
        raise RefusedError(5, str(error)) from None
    if tree.root != package.statement.root:
        raise RefusedError(5, "root: the disclosed records are not those that were signed")
    return tree


def _check_growth(delta: Delta, base: Statement) -> Tree:
    """The frontier is that of the version held, and grows into the signed root."""
    try:
        edge = delta.grown()
    except UnreadableError as error:
        raise RefusedError(5, str(error)) from None
    if delta.frontier.root != base.root:
        raise RefusedError(5, "frontier: not that of the version held")
    if edge.root != delta.statement.root:
        raise RefusedError(5, "root: the appended records are not those that were signed")
    return edge


# Check 6: version (§2.7 step 6)


def _check_base(delta: Delta, base: Statement) -> None:
    """The delta starts from the very version that is held, and leads on from it."""
    if delta.base != base.seal:
        raise RefusedError(6, "base: not the version that is held")
    if delta.statement.epoch != base.epoch or delta.statement.seq <= base.seq:
        raise RefusedError(
            6, f"version: {delta.statement.version} does not follow {base.version} in its epoch"
        )
    if delta.frontier.size != base.size:
        raise RefusedError(6, f"from: {delta.frontier.size}, {base.size} records are held")


def _check_version(new: Statement, held: Holding | Statement | None) -> None:
    """Not older than what this source gave, not another statement in its place, chained to it."""
    if held is None:
        return
    old = held if isinstance(held, Statement) else held.statement
    if new.origin != old.origin or new.log != old.log:
        raise RefusedError(6, "version: what is held is another log")
    if new.version < old.version:
        raise RefusedError(6, f"version: {new.version} is older than {old.version}, which is held")
    if new.version == old.version and new.seal != old.seal:
        raise RefusedError(6, f"equivocation: two statements for version {new.version}")
    if new.epoch != old.epoch:
        return
    if new.size < old.size:
        raise RefusedError(6, f"version: {new.size} records, {old.size} were held of this epoch")
    if new.seq == old.seq + 1 and (new.prev is None or new.prev.hex() != old.seal):
        raise RefusedError(6, "prev: not the statement before, which is held")


# Check 7: slots (§2.1, §2.7 step 7)


def _check_slots(
    statement: Statement,
    kept: Disclosure,
    added: Disclosure,
    me: Recipient | None,
    known: Mapping[int, Mapping[str, int]] = MappingProxyType({}),
) -> None:
    """Every slot is one I-JSON object, no thing is there twice, every label byte is defined.

    What is `kept` was checked before; `known` names the things in it.
    """
    try:
        told("slot", check_contents, added)
        check_new(things_of(added) if known else {}, kept, known)
        labels = labels_of(kept, added)
    except UnreadableError as error:
        raise RefusedError(7, str(error)) from None
    missing = labels.undefined(kept.label_bytes | added.label_bytes)
    if missing is not None:
        raise RefusedError(7, f"label record {missing} is not disclosed")
    if me is not None and me.org != statement.iss:
        _check_addressed((kept, added), labels, me)


def _check_addressed(parts: Iterable[Disclosure], labels: LabelTable, me: Recipient) -> None:
    """What is AMBER or stricter, or under `only`, is disclosed to those alone whom it names."""
    for byte in sorted({byte for part in parts for byte in _disclosed_labels(part)}):
        label = labels.effective(byte)
        if label.tlp < Tlp.AMBER and not label.only:
            continue
        if not labels.addresses(byte, {me.org, *me.communities}):
            raise RefusedError(7, f"not addressed: {me.org} got a slot under label {byte}")


def _disclosed_labels(disclosure: Disclosure) -> Iterator[int]:
    """The label bytes under which anything is disclosed."""
    for band in disclosure.bands:
        for slot, byte in enumerate(band.header.labels):
            if any(disclosure.column(band, slot)):
                yield byte


def _withheld_slots(holding: Holding) -> Iterator[WithheldSlot]:
    disclosure = holding.disclosure
    headers = [band.header for band in disclosure.bands for _ in range(band.length)]
    for place in sorted(disclosure.commitments):
        rank, slot = disclosure.whereabouts(place)
        header = headers[rank]
        label = holding.labels.effective(header.labels[slot])
        yield WithheldSlot(disclosure.indices[rank], slot + 1, header.types[slot], label)

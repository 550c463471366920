"""Verify: from a Package somebody handed us to what its originator said (§2.7).

Checks 1 and 2 were made by `read_package`; here are 3 to 7, in order, each in its own function. A
refusal names its check. Nothing is parsed as content before signature, tables and root hold.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from policies.label import Label
from policies.tlp import Tlp
from sharing.errors import RefusedError, UnreadableError
from sharing.seal import limits
from sharing.seal.contents import check_contents
from sharing.seal.disclosure import Disclosure
from sharing.seal.dsse import verify_envelope
from sharing.seal.holding import Holding
from sharing.seal.keys import KeyRegistry, Use
from sharing.seal.labels import LabelTable
from sharing.seal.members import told
from sharing.seal.package import Package
from sharing.seal.records import Kind
from sharing.seal.statement import PAYLOAD_TYPE, Statement
from sharing.seal.tables import encode_void, void_digest
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

    Only `verify` makes one.
    """

    holding: Holding

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
    _check_signatures(package, registry, first_seen_at)
    _check_tables(package, held)
    tree = _check_root(package)
    _check_version(package, held)
    _check_slots(package, me)
    return Verified(_hold(package, tree))


def examine(package: Package) -> Holding:
    """What `package` says, checked in itself (4, 5, 7): nobody is known to have said it.

    Raises:
        RefusedError: naming the check that failed, and why.
    """
    _check_tables(package, None)
    tree = _check_root(package)
    _check_slots(package, None)
    return _hold(package, tree)


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


def _check_signatures(package: Package, registry: KeyRegistry, first_seen_at: datetime) -> None:
    """A seal key of member `iss` for every key listed, each signature valid."""
    verify_envelope(
        PAYLOAD_TYPE,
        package.statement.payload,
        package.signatures,
        keys=package.statement.keys,
        org=package.statement.iss,
        use=Use.SEAL,
        registry=registry,
        first_seen_at=first_seen_at,
    )


# Check 4: void set and class table (§2.4, §2.7 step 4)


def _check_tables(package: Package, held: Holding | Statement | None) -> None:
    statement, void = package.statement, package.void
    if void_digest(encode_void(void)) != statement.void:
        raise RefusedError(4, "void: digest")
    if void and void[-1] >= statement.size:
        raise RefusedError(4, f"void: record {void[-1]} of {statement.size}")
    if statement.live != statement.size - len(void):
        raise RefusedError(4, f"live: {statement.live} of {statement.size} with {len(void)} void")
    if len(void) > limits.voids_allowed(statement.size):
        raise RefusedError(4, f"void: {len(void)} of {statement.size} records, compact first")
    if isinstance(held, Holding) and held.statement.epoch == statement.epoch:
        _check_void_grows(package, held)
    _check_none_void(package.disclosure.spans, void)
    _check_classes(package)


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


def _check_classes(package: Package) -> None:
    """A class table is the signed one, covers every record and agrees with what is disclosed."""
    classes = package.classes
    if classes is None:
        return
    if classes.digest != package.statement.classes:
        raise RefusedError(4, "cls: digest")
    if classes.size != package.statement.size:
        raise RefusedError(4, f"cls: {classes.size} records of {package.statement.size}")
    coming = iter(classes.runs)
    stop = 0
    for span, disclosed in package.disclosure.runs():
        while stop <= span.start:
            count, header = next(coming)
            stop += count
        if header != disclosed or stop < span.stop:
            raise RefusedError(4, f"cls: disagrees with the header of record {span.start}")


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


# Check 6: version (§2.7 step 6)


def _check_version(package: Package, held: Holding | Statement | None) -> None:
    """Not older than what this source gave, not another statement in its place, chained to it."""
    if held is None:
        return
    new, old = package.statement, held if isinstance(held, Statement) else held.statement
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


def _check_slots(package: Package, me: Recipient | None) -> None:
    """Every slot is one I-JSON object, no thing is there twice, every label byte is defined."""
    disclosure = package.disclosure
    try:
        told("slot", check_contents, disclosure)
        labels = LabelTable.read(
            disclosure.slots_of(Kind.LABEL), disclosure.slots_of(Kind.ADDRESSEE)
        )
    except UnreadableError as error:
        raise RefusedError(7, str(error)) from None
    missing = labels.undefined(disclosure.label_bytes)
    if missing is not None:
        raise RefusedError(7, f"label record {missing} is not disclosed")
    if me is not None and me.org != package.statement.iss:
        _check_addressed(disclosure, labels, me)


def _check_addressed(disclosure: Disclosure, labels: LabelTable, me: Recipient) -> None:
    """What is AMBER or stricter, or under `only`, is disclosed to those alone whom it names."""
    for byte in sorted(set(_disclosed_labels(disclosure))):
        label = labels.effective(byte)
        if label.tlp < Tlp.AMBER and not label.only:
            continue
        if labels.addressees(byte).isdisjoint({me.org, *me.communities}):
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

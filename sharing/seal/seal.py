"""Seal records into a log's first version, and what changes into the next one.

Randomness and time are arguments: `seed` (32 bytes) and `class_salt` (16 bytes) must be fresh for
every version, and whoever drew them forgets them; chunk seeds and salts live on in the Holding.
Nothing is sealed that a verifier would refuse: then `BadRecordError`, which is our own mistake.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import chain, repeat
from operator import attrgetter, itemgetter

from sharing.errors import BadRecordError, UnreadableError
from sharing.seal import limits
from sharing.seal.canonical import read_instant, read_uuid, write_instant
from sharing.seal.contents import Things, check_new, check_slots, read_uuids
from sharing.seal.delta import Delta, apply, without
from sharing.seal.disclosure import NOTHING, Disclosure, lay_out
from sharing.seal.dsse import sign_envelope
from sharing.seal.head import SEED_BYTES
from sharing.seal.holding import Holding, labels_of
from sharing.seal.keys import Signer
from sharing.seal.records import Header, Kind, Record, SlotType
from sharing.seal.salts import draw
from sharing.seal.statement import LOGS, PAYLOAD_TYPE, Statement
from sharing.seal.tables import ClassTable, encode_void, void_digest
from sharing.seal.tree import Span, Tree, fold

Cluster = tuple[bool, tuple[int, ...], int]  # label and addressee records first, labels, kind
Clusters = defaultdict[Cluster, tuple[list[str], list[Record]]]  # uuids, and their records

_LABELLING = frozenset({Kind.LABEL, Kind.ADDRESSEE})


@dataclass(frozen=True, slots=True)
class _Version:
    """What a statement says that is not computed from the records."""

    log: str
    event: str
    issuer: str
    epoch: int
    seq: int
    prev: bytes | None
    at: datetime


def seal(
    records: Sequence[Record],
    *,
    log: str,
    event: str,
    issuer: str,
    signers: Sequence[Signer],
    seed: bytes,
    class_salt: bytes,
    at: datetime,
    epoch: int = 0,
) -> Holding:
    """The first version of a log, everything disclosed, its records in the order of §2.3.

    Raises:
        BadRecordError: a record, or all of them together, that no verifier would accept.
    """
    if log not in LOGS:
        raise BadRecordError(f"log: unknown type {log}")
    version = _Version(log, read_uuid(event), read_uuid(issuer), epoch, 1, None, at)
    return _seal_all(records, version, signers, seed, class_salt)


def extend(
    held: Holding,
    *,
    append: Sequence[Record],
    void: Iterable[int],
    signers: Sequence[Signer],
    seed: bytes,
    class_salt: bytes,
    at: datetime,
) -> Delta | None:
    """What leads to the next version of a log of ours: these indices void, these records appended.

    Appending costs what is appended, however long the log is (but for its tables, §2.4). None where
    the log must be compacted first: too much is void, or its old frontier is no longer known.

    Raises:
        BadRecordError: a record that no verifier would accept, or an index that is not live.
        ValueError: of `held` not everything live is disclosed.
    """
    old = held.statement
    classes = _check_ours(held)
    voided = sorted(set(void))
    kept = without(held.disclosure, _check_live(held, voided))
    _check_records(append, kept, held.things)
    added = _disclose(append, old.size, seed)
    _check_labels(kept, added)
    frontier = held.tree.frontier(old.size)
    all_void = tuple(sorted({*held.void, *voided}))
    size = old.size + len(append)
    if frontier is None or size > limits.RECORDS or len(all_void) > limits.voids_allowed(size):
        return None
    tree = frontier.grown([leaf for stretch in added.leaves() for leaf in stretch.hashes])
    table = ClassTable.of(class_salt, [*classes.runs, *added.headers])
    statement = _state(_after(old, at), tree, all_void, table, signers)
    return Delta(
        statement=statement,
        signatures=sign_envelope(PAYLOAD_TYPE, statement.payload, signers),
        base=old.seal,
        frontier=frontier,
        void=tuple(voided),
        disclosure=added,
        withheld={},
        classes=table,
    )


def reseal(
    held: Holding,
    *,
    append: Sequence[Record],
    void: Iterable[int],
    signers: Sequence[Signer],
    seed: bytes,
    class_salt: bytes,
    at: datetime,
) -> Holding:
    """The next version of a log of ours as `extend` gives it, or compacted where it must be.

    Raises:
        BadRecordError: a record that no verifier would accept, or an index that is not live.
        ValueError: of `held` not everything live is disclosed.
    """
    voided = frozenset(void)
    delta = extend(
        held,
        append=append,
        void=voided,
        signers=signers,
        seed=seed,
        class_salt=class_salt,
        at=at,
    )
    if delta is not None:
        return apply(held, delta)
    return compact(
        held,
        append=append,
        void=voided,
        signers=signers,
        seed=seed,
        class_salt=class_salt,
        at=at,
    )


def compact(
    held: Holding,
    *,
    append: Sequence[Record] = (),
    void: Iterable[int] = (),
    signers: Sequence[Signer],
    seed: bytes,
    class_salt: bytes,
    at: datetime,
    epoch: int | None = None,
) -> Holding:
    """All that is live of a log of ours, sealed afresh in a higher epoch: new salts, nothing void.

    Needed where too much is void, where salts must be renewed, and after a restore (§2.9); every
    recipient gets the whole log once more.

    Raises:
        BadRecordError: as in `extend`.
        ValueError: of `held` not everything live is disclosed, or `epoch` is not a higher one.
    """
    old = held.statement
    _check_ours(held)
    if epoch is not None and epoch <= old.epoch:
        raise ValueError(f"epoch {epoch} does not follow {old.epoch}")
    kept = without(held.disclosure, _check_live(held, sorted(set(void))))
    anew = replace(_after(old, at), epoch=old.epoch + 1 if epoch is None else epoch)
    return _seal_all([*_records(kept), *append], anew, signers, seed, class_salt)


def _after(old: Statement, at: datetime) -> _Version:
    """The version after `old`, in its epoch."""
    prev = bytes.fromhex(old.seal)
    return _Version(old.log, old.event, old.iss, old.epoch, old.seq + 1, prev, at)


def _seal_all(
    records: Sequence[Record],
    version: _Version,
    signers: Sequence[Signer],
    seed: bytes,
    class_salt: bytes,
) -> Holding:
    clusters = _check_records(records, NOTHING, {})
    ordered = list[Record]()
    for cluster in sorted(clusters):
        uuids, alike = clusters[cluster]
        ordered += map(alike.__getitem__, sorted(range(len(uuids)), key=uuids.__getitem__))
    disclosure = _disclose(ordered, 0, seed)
    _check_labels(NOTHING, disclosure)
    tree = fold(disclosure.leaves(), len(ordered), ())
    table = ClassTable.of(class_salt, disclosure.headers)
    statement = _state(version, tree, (), table, signers)
    signatures = sign_envelope(PAYLOAD_TYPE, statement.payload, signers)
    return Holding(statement, signatures, (), table, disclosure, (), tree)


def _disclose(records: Sequence[Record], first: int, secret: bytes) -> Disclosure:
    """One batch of records, the first of which gets index `first`, wholly disclosed."""
    if len(secret) != SEED_BYTES:
        raise ValueError(f"a seed has {SEED_BYTES} bytes, not {len(secret)}")
    bands = lay_out(zip(repeat(1), map(attrgetter("header"), records)))
    widths = chain.from_iterable(repeat(band.header.width, band.length) for band in bands)
    chunks, salts = draw(secret, widths, first)
    slots = list(chain.from_iterable(map(attrgetter("slots"), records)))
    spans = (Span(first, first + len(records)),) if records else ()
    return Disclosure(spans, bands, slots, salts, {}, chunks)


def _state(
    version: _Version,
    tree: Tree,
    void: tuple[int, ...],
    classes: ClassTable,
    signers: Sequence[Signer],
) -> Statement:
    if not 1 <= len(signers) <= limits.KEYS:
        raise ValueError(f"{len(signers)} signers; a statement has 1..{limits.KEYS}")
    return Statement(
        log=version.log,
        event=version.event,
        epoch=version.epoch,
        seq=version.seq,
        size=tree.size,
        root=tree.root,
        live=tree.size - len(void),
        void=void_digest(encode_void(void)),
        classes=classes.digest,
        prev=version.prev,
        iat=read_instant(write_instant(version.at)),
        iss=version.issuer,
        keys=tuple(signer.kid for signer in signers),
    )


# What may be sealed


def _check_records(
    records: Sequence[Record], live: Disclosure, known: Mapping[int, Mapping[str, int]]
) -> Clusters:
    """Check records that are to join the live ones; each with its uuid, in the clusters of §2.3.

    `known` names the things among the live ones, by kind and uuid.
    """
    if live.count + len(records) > limits.RECORDS:
        raise BadRecordError(f"over {limits.RECORDS} records")
    alike = defaultdict[bytes, list[Record]](list)
    for record in records:
        alike[record.header.encoded].append(record)
    clusters, things = Clusters(lambda: ([], [])), Things()
    try:
        for group in alike.values():
            header = group[0].header
            uuids = _check_group(header, group)
            things.add(header.kind, uuids)
            check_new({header.kind: uuids}, live, known)
            cluster = header.kind not in _LABELLING, header.labels, header.kind
            of_cluster, members = clusters[cluster]
            of_cluster += (uuid or "" for uuid in uuids)
            members += group
    except UnreadableError as error:
        raise BadRecordError(str(error)) from error
    return clusters


def _check_group(header: Header, group: Sequence[Record]) -> list[str | None]:
    """Check records with one header; the uuid of each."""
    rows = [record.slots for record in group]
    if set(map(len, rows)) != {header.width}:
        raise BadRecordError(
            f"record of kind {header.kind} with another number of slots than types"
        )
    columns = [list(map(itemgetter(slot), rows)) for slot in range(header.width)]
    for column in columns:
        sizes = set(map(len, column))
        if not 2 <= min(sizes) <= max(sizes) <= limits.SLOT_BYTES:
            raise BadRecordError(f"slot of under 2 or over {limits.SLOT_BYTES} bytes")
    has_head = header.types[0] == SlotType.HEAD
    for column in columns[has_head:]:
        check_slots(column)
    return read_uuids(columns[0]) if has_head else [None] * len(group)


def _check_labels(kept: Disclosure, added: Disclosure) -> None:
    try:
        labels = labels_of(kept, added)
    except UnreadableError as error:
        raise BadRecordError(str(error)) from error
    missing = labels.undefined(kept.label_bytes | added.label_bytes)
    if missing is not None:
        raise BadRecordError(f"label {missing} has no label record")


# What is live of our own


def _check_ours(held: Holding) -> ClassTable:
    """The class table, of a holding in which everything live is disclosed."""
    complete = held.disclosure.count == held.statement.live and not held.disclosure.commitments
    if held.classes is None or not complete:
        raise ValueError("only a log of which everything live is held can be sealed again")
    return held.classes


def _check_live(held: Holding, void: Sequence[int]) -> Sequence[int]:
    """These indices, each of them of a live record."""
    gone = frozenset(held.void) if void else frozenset()
    for index in void:
        if index in gone or index not in range(held.statement.size):
            raise BadRecordError(f"void: record {index} of {held.statement.size} is not live")
    return void


def _records(disclosure: Disclosure) -> Iterator[Record]:
    for band in disclosure.bands:
        columns = [disclosure.column(band, slot) for slot in range(band.header.width)]
        for row in zip(*columns, strict=True):
            yield Record(band.header, row)

"""Delta: what leads from one version of a log to a later one of the same epoch (§2.9).

It costs what changed, however long the log is. Line 0 is a head, then one line a slot of each
appended record that is disclosed. `read_delta` makes of untrusted bytes a Delta of the right shape
(checks 1 and 2) and believes nothing; `verify_delta` holds it against what we have of the log.

    apply(held, delta, erase)  is, slot for slot, what the full package would have given

A delta adds what was appended and takes away what became void and, by the word of the sender,
`erase`. It cannot disclose an older slot that was withheld: then the full package goes.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, pairwise

import orjson

from sharing.errors import RefusedError, UnreadableError
from sharing.seal import limits
from sharing.seal.canonical import HASH_BYTES, read_base64, read_hash, write_base64
from sharing.seal.disclosure import Disclosure, lay_out
from sharing.seal.dsse import Signature, read_signatures, write_signatures
from sharing.seal.head import (
    check_items,
    read_chunks,
    read_hashes,
    read_header_table,
    read_index,
    read_salts,
    write_chunks,
)
from sharing.seal.holding import Holding
from sharing.seal.lines import explicit_salts, read_body, read_head, write_body
from sharing.seal.maps import MaskRun, join_mask_runs
from sharing.seal.members import count_up_to, member, read_list, read_members
from sharing.seal.narrowing import drop, keep_seeds, narrow
from sharing.seal.records import Header
from sharing.seal.statement import Statement
from sharing.seal.strictjson import read_object
from sharing.seal.tables import ClassTable
from sharing.seal.tree import Frontier, Tree, spans_of

VERSION = 1
_MEMBERS = frozenset(
    [
        *("fise-delta", "payload", "sigs", "base", "from", "frontier", "void+", "hdr"),
        *("runs", "xs", "tail"),
    ]
)


@dataclass(frozen=True)
class Delta:
    """Somebody's claim about what changed since version `base`: well-formed, not checked further.

    `void` is what became void since, `disclosure` what is disclosed of the appended records, and
    `withheld` the leaf hash of each of the others, by index.
    """

    statement: Statement
    signatures: tuple[Signature, ...] = field(repr=False)
    base: str
    frontier: Frontier = field(repr=False)
    void: tuple[int, ...] = field(repr=False)
    disclosure: Disclosure = field(repr=False)
    withheld: Mapping[int, bytes] = field(repr=False)
    classes: ClassTable | None = field(repr=False)

    def grown(self) -> Tree:
        """The right edge of the new version's tree; raises UnreadableError."""
        known = chain.from_iterable(stretch.hashes for stretch in self.disclosure.leaves())
        appended = range(self.frontier.size, self.statement.size)
        return self.frontier.grown([self.withheld.get(index) or next(known) for index in appended])

    def encode(self, *, class_table: bool = True) -> bytes:
        """The bytes that travel."""
        disclosure = self.disclosure
        headers = [header for count, header in disclosure.headers for _ in range(count)]
        table = {header: place for place, header in enumerate(dict.fromkeys(headers))}
        places = iter(table[header] for header in headers)
        members: dict[str, object] = {
            "fise-delta": VERSION,
            "payload": write_base64(self.statement.payload),
            "sigs": write_signatures(self.signatures),
            "base": self.base,
            "from": self.frontier.size,
            "frontier": write_base64(b"".join(self.frontier.hashes)),
            "void+": self.void,
            "hdr": [header.encoded.hex() for header in table],
            "runs": write_chunks(disclosure.chunks),
            "xs": write_base64(explicit_salts(disclosure)),
            "tail": [
                write_base64(self.withheld[index]) if index in self.withheld else next(places)
                for index in range(self.frontier.size, self.statement.size)
            ],
        }
        if class_table and self.classes is not None:
            members["cls"] = write_base64(self.classes.encode())
        return b"\n".join((orjson.dumps(members), *write_body(disclosure), b""))


# Read


def is_delta(raw: bytes) -> bool:
    """Whether these bytes are meant as a delta; whoever wrote them, their head comes first."""
    line = raw[: raw.find(b"\n", 0, limits.HEAD_BYTES + 1)]
    if b'"fise-delta"' in line or b"\\" not in line:
        return b'"fise-delta"' in line
    try:
        return "fise-delta" in read_object(line)
    except UnreadableError:
        return False


def read_delta(raw: bytes) -> Delta:
    """The delta these bytes are.

    Raises:
        RefusedError: check 1 for sizes and counts, check 2 for anything not written in the one way.
    """
    line = read_head(raw)
    check_items(line)
    try:
        members = read_members(line, _MEMBERS, frozenset({"cls"}))
        member(members, "fise-delta", count_up_to(VERSION, least=VERSION))
        statement = member(members, "payload", lambda value: Statement.decode(read_base64(value)))
        first = member(members, "from", count_up_to(limits.RECORDS, least=1))
        tail = _read_tail(members)
        if first + len(tail) != statement.size:
            raise RefusedError(1, f"tail: {len(tail)} records from {first}, of {statement.size}")
        headers = {at: entry for at, entry in enumerate(tail, first) if isinstance(entry, Header)}
        withheld = {at: entry for at, entry in enumerate(tail, first) if isinstance(entry, bytes)}
        bare = Disclosure(
            spans=tuple(spans_of(list(headers))),
            bands=lay_out((1, header) for header in headers.values()),
            slots=[],
            salts=b"",
            commitments={},
            chunks=member(members, "runs", read_chunks),
        )
        return Delta(
            statement=statement,
            signatures=member(members, "sigs", read_signatures),
            base=member(members, "base", read_hash).hex(),
            frontier=Frontier(first, member(members, "frontier", read_hashes)),
            void=member(members, "void+", _read_void),
            withheld=withheld,
            classes=member(members, "cls", _read_classes) if "cls" in members else None,
            disclosure=read_body(raw, bare, member(members, "xs", read_salts)),
        )
    except UnreadableError as error:
        raise RefusedError(2, f"head: {error}") from None


def _read_tail(members: Mapping[str, object]) -> list[Header | bytes]:
    """For each appended record its header, or where it is withheld the hash of its leaf."""
    table = member(members, "hdr", read_header_table)
    place = count_up_to(len(table) - 1)

    def read(value: object) -> list[Header | bytes]:
        entries = read_list(value)
        disclosed = [place(entry) for entry in entries if not isinstance(entry, str)]
        if set(disclosed) != set(range(len(table))):
            raise UnreadableError("a header is not used")
        return [
            _read_leaf(entry) if isinstance(entry, str) else table[place(entry)]
            for entry in entries
        ]

    return member(members, "tail", read)


def _read_leaf(value: object) -> bytes:
    leaf = read_base64(value)
    if len(leaf) != HASH_BYTES:
        raise UnreadableError(f"a leaf's hash has {HASH_BYTES} bytes")
    return leaf


def _read_void(value: object) -> tuple[int, ...]:
    void = [read_index(item) for item in read_list(value)]
    if any(left >= right for left, right in pairwise(void)):
        raise UnreadableError("not ascending")
    return tuple(void)


def _read_classes(value: object) -> ClassTable:
    return ClassTable.decode(read_base64(value))


# Apply


def without(held: Disclosure, void: Sequence[int], erase: Iterable[MaskRun] = ()) -> Disclosure:
    """What is held, less the records in `void` and the slots in `erase`.

    Raises ValueError where `erase` names what is not held.
    """
    left = drop(held, void)
    runs = list(erase)
    if not runs:
        return left
    masks = dict(zip(left.indices, left.masks(), strict=True))
    for run in runs:
        for index in range(run.start, run.start + run.count):
            if run.mask & ~masks.get(index, 0) or index not in masks:
                raise ValueError(f"record {index} has no such slot to erase")
            masks[index] &= ~run.mask
    return narrow(left, masks)


def apply(held: Holding, delta: Delta, erase: Iterable[MaskRun] = ()) -> Holding:
    """What a delta that was verified, or made by us, makes of what is held.

    Raises ValueError where `erase` names what is not held.
    """
    return join(held, delta, without(held.disclosure, delta.void, erase), delta.grown())


def join(held: Holding, delta: Delta, kept: Disclosure, edge: Tree) -> Holding:
    """The holding that a delta makes of one: `kept` of it is left, `edge` was grown by the delta.

    Nothing is checked here.
    """
    disclosure = keep_seeds(kept.extended(delta.disclosure), delta.statement.size)
    tree = held.tree.grown(edge)
    return Holding(
        delta.statement,
        delta.signatures,
        tuple(sorted({*held.void, *delta.void})),
        delta.classes,
        disclosure,
        tree.proof(disclosure.spans),
        tree,
    )


# Make


@dataclass(frozen=True, slots=True)
class Base:
    """What a recipient holds of a log, as far as whoever sends it a delta must know."""

    seal: str
    epoch: int
    seq: int
    size: int
    void: tuple[int, ...] = field(repr=False)
    masks: Mapping[int, int] = field(repr=False)

    @classmethod
    def of(cls, holding: Holding) -> "Base":
        """That of this holding."""
        statement = holding.statement
        version = statement.seal, statement.epoch, statement.seq, statement.size
        return cls(*version, holding.void, holding.masks)


@dataclass(frozen=True, slots=True)
class Step:
    """A delta in bytes, and what its recipient must erase besides."""

    raw: bytes = field(repr=False)
    erase: tuple[MaskRun, ...]


def write_delta(
    holding: Holding,
    base: Base,
    masks: Mapping[int, int] | None = None,
    *,
    class_table: bool = True,
) -> Step | None:
    """What leads from `base` to the projection that discloses `masks` (None: all that is held).

    None where only the full package will do: in another epoch or for no later version, where an
    older slot is disclosed anew, and where we do not know the hashes it takes. Raises ValueError
    where a mask names what is not held.
    """
    statement = holding.statement
    wanted = holding.masks if masks is None else masks
    if masks and any(mask & ~holding.masks.get(at, 0) for at, mask in masks.items()):
        raise ValueError("masks name what is not held")
    if statement.epoch != base.epoch or statement.seq <= base.seq:
        return None
    frontier = holding.tree.frontier(base.size)
    older = {index: mask for index, mask in wanted.items() if index < base.size and mask}
    if frontier is None or any(mask & ~base.masks.get(at, 0) for at, mask in older.items()):
        return None
    newer = {index: mask for index, mask in wanted.items() if index >= base.size}
    tail = keep_seeds(narrow(holding.disclosure.since(base.size), newer), statement.size)
    disclosed = set(tail.indices)
    withheld = {
        index: holding.tree.known(0, index)
        for index in range(base.size, statement.size)
        if index not in disclosed
    }
    known = {index: leaf for index, leaf in withheld.items() if leaf is not None}
    if len(known) != len(withheld):
        return None
    void = frozenset(holding.void)
    delta = Delta(
        statement,
        holding.signatures,
        base.seal,
        frontier,
        tuple(sorted(void.difference(base.void))),
        tail,
        known,
        holding.classes,
    )
    return Step(delta.encode(class_table=class_table), tuple(_erased(base, older, void)))


def _erased(base: Base, older: Mapping[int, int], void: frozenset[int]) -> Iterator[MaskRun]:
    """What the recipient has and shall no longer have, but for what is void."""
    gone = (
        MaskRun(index, 1, mask & ~older.get(index, 0))
        for index, mask in sorted(base.masks.items())
        if index not in void
    )
    return join_mask_runs(run for run in gone if run.mask)

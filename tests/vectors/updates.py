"""`seal-updates.json`: packages and deltas that come to a recipient that holds something already.

The log is that of `seal-versions.json`, and the names are its names.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace

from sharing.seal.canonical import write_base64
from sharing.seal.delta import Base, Delta, apply, write_delta
from sharing.seal.disclosure import Disclosure, lay_out
from sharing.seal.dsse import sign_envelope
from sharing.seal.holding import Holding
from sharing.seal.package import write_package
from sharing.seal.records import Record
from sharing.seal.salts import draw
from sharing.seal.statement import PAYLOAD_TYPE
from sharing.seal.tables import ClassTable, encode_void, void_digest
from sharing.seal.tree import Span
from tests.vectors.originator import (
    OTHER,
    SIGNER,
    Json,
    attribute,
    known,
    label,
    minutes,
    record,
    with_head,
)
from tests.vectors.versions import had, package, place_of, public, versions

LOG = versions()
V1, V2, V3, V5 = (LOG[name] for name in ("v1", "v2", "v3", "v5"))


def delta(old: str, new: str, whose: str = "everything") -> bytes:
    """From one version to a later one, for a recipient that always has the same."""
    held = LOG[new]
    masks = dict(held.masks) if whose == "everything" else public(held)
    step = write_delta(
        held, Base.of(had(LOG[old], whose)), masks, class_table=whose == "everything"
    )
    if step is None:
        raise ValueError(f"no delta leads from {old} to {new}")
    return step.raw


APPENDED, VOIDED, PART = delta("v1", "v2"), delta("v2", "v3"), delta("v1", "v2", "public")


def changed(members: Json, raw: bytes = APPENDED) -> bytes:
    """A delta with other members in its head, by nobody who has a key."""
    return with_head(raw, lambda head: {**head, **members})


def lacking(name: str) -> bytes:
    """A delta without one member of its head."""
    return with_head(APPENDED, lambda head: {at: head[at] for at in head if at != name})


def altered(raw: bytes, text: str, other: str) -> bytes:
    """The bytes with another text in place of one that is there."""
    if text.encode() not in raw:
        raise ValueError(f"nothing to alter: {text}")
    return raw.replace(text.encode(), other.encode(), 1)


def hashes(*nodes: bytes) -> str:
    """Hashes as a head writes them."""
    return write_base64(b"".join(nodes))


def frontier(held: Holding) -> tuple[bytes, ...]:
    """The frontier of a version."""
    found = held.tree.frontier(held.statement.size)
    if found is None:
        raise ValueError("the originator holds all of its log")
    return found.hashes


# An originator that checks nothing


def lie_on(
    held: Holding, append: Sequence[Record] = (), voiding: Sequence[int] = (), **said: object
) -> Delta:
    """What it signs on top of a version of its log; `said` replaces what is true."""
    old = held.statement
    chunks, salts = draw(bytes(32), [len(item.slots) for item in append], old.size)
    added = Disclosure(
        (Span(old.size, old.size + len(append)),) if append else (),
        lay_out((1, item.header) for item in append),
        [slot for item in append for slot in item.slots],
        salts,
        {},
        chunks,
    )
    edge = held.tree.frontier(old.size)
    if edge is None or held.classes is None:
        raise ValueError("the originator holds all of its log")
    tree = edge.grown([leaf for stretch in added.leaves() for leaf in stretch.hashes])
    table = ClassTable.of(bytes(16), [*held.classes.runs, *added.headers])
    all_void = sorted({*held.void, *voiding})
    facts = {
        "seq": old.seq + 1,
        "size": tree.size,
        "root": tree.root,
        "live": tree.size - len(all_void),
        "void": void_digest(encode_void(all_void)),
        "classes": table.digest,
        "prev": bytes.fromhex(old.seal),
        "iat": minutes(8),
        "payload": b"",
    }
    statement = replace(old, **{**facts, **said})  # type: ignore[arg-type]
    signatures = sign_envelope(PAYLOAD_TYPE, statement.payload, [SIGNER])
    return Delta(statement, signatures, old.seal, edge, tuple(voiding), added, {}, table)


def signed(
    held: Holding, append: Sequence[Record] = (), voiding: Sequence[int] = (), **said: object
) -> bytes:
    """Such a lie as a delta."""
    return lie_on(held, append, voiding, **said).encode()


def whole(
    held: Holding, append: Sequence[Record] = (), voiding: Sequence[int] = (), **said: object
) -> bytes:
    """Such a lie as a package."""
    return write_package(apply(held, lie_on(held, append, voiding, **said)))


def undone() -> bytes:
    """Version 4 with nothing void, though version 3 had a void record."""
    lie = lie_on(V3, live=V3.statement.size, void=void_digest(b""))
    return write_package(replace(apply(V3, lie), void=()))


def shrunk() -> bytes:
    """Version 3 with the records of version 1."""
    statement = replace(V1.statement, seq=3, prev=bytes.fromhex(V2.statement.seal), payload=b"")
    signatures = sign_envelope(PAYLOAD_TYPE, statement.payload, [SIGNER])
    return write_package(replace(V1, statement=statement, signatures=signatures))


LEAF = V2.tree.node(0, V1.statement.size) or b""
OLD_LEAF = V1.tree.node(0, V1.statement.size - 1) or b""
FRONTIER = frontier(V1)
NAMES = json.loads(APPENDED.split(b"\n", 1)[0])
TWICE = attribute("bulk-1")
SLOT = attribute("new", text="ward 3").slots[0].decode()
OLD_CLASSES = write_base64(V1.classes.encode()) if V1.classes else ""
FROM_LESS = changed(
    {
        "tail": [hashes(OLD_LEAF), *NAMES["tail"]],
        "frontier": hashes(*FRONTIER[:-1]),
        "from": V1.statement.size - 1,
    }
)

# case, what is held, what comes
ACCEPTED: Sequence[tuple[str, str, bytes]] = [
    ("the same package again", "v2 everything", package(V2, "everything")),
    ("the same version, more of it", "v2 sparse", package(V2, "everything")),
    ("the same version, less of it", "v2 everything", package(V2, "sparse")),
    ("the next version", "v2 everything", package(V3, "everything")),
    ("a version after a gap", "v1 everything", package(V5, "public")),
    ("a later epoch", "v5 everything", package(LOG["epoch 1"], "everything")),
]
REFUSED: Sequence[tuple[int, str, str, bytes]] = [
    (4, "what was void lives again", "v3 everything", undone()),
    (6, "an older version", "v2 everything", package(V1, "everything")),
    (6, "an older epoch", "epoch 1 everything", package(V5, "everything")),
    (6, "another statement for the same version", "v2 everything", whole(V1, [attribute("other")])),
    (6, "a version that forks", "v1 everything", whole(V1, prev=bytes(32))),
    (6, "a version with no one before", "v1 everything", whole(V1, prev=None)),
    (6, "a smaller log", "v2 everything", shrunk()),
    (6, "another log", "v1 everything", write_package(known())),
    (6, "another kind of log", "v1 everything", whole(V1, log="note")),
]
DELTAS: Sequence[tuple[int, str, str, bytes]] = [
    (1, "last LF missing", "v1 everything", APPENDED[:-1]),
    (1, "a line too many", "v1 everything", APPENDED + b"{}\n"),
    (1, "a line missing", "v1 everything", APPENDED.rsplit(b"\n", 2)[0] + b"\n"),
    (1, "fewer records than appended", "v1 public", changed({"tail": [0]}, PART)),
    (1, "more records than appended", "v1 everything", changed({"tail": [*NAMES["tail"], 0]})),
    (2, "another version of the format", "v1 everything", changed({"fise-delta": 2})),
    (2, "package and delta at once", "v1 everything", changed({"fise": 1})),
    *[(2, f"no {name}", "v1 everything", lacking(name)) for name in NAMES if name != "cls"],
    (2, "base null", "v1 everything", changed({"base": None})),
    (2, "base in upper case", "v1 everything", changed({"base": V1.statement.seal.upper()})),
    (2, "from 0", "v1 everything", changed({"from": 0})),
    (2, "from a text", "v1 everything", changed({"from": "37"})),
    (2, "frontier of 31 bytes", "v1 everything", changed({"frontier": write_base64(bytes(31))})),
    (2, "void+ not ascending", "v1 everything", changed({"void+": [4, 3]})),
    (2, "void+ twice the same", "v1 everything", changed({"void+": [3, 3]})),
    (2, "void+ negative", "v1 everything", changed({"void+": [-1]})),
    (
        2,
        "tail with a leaf of 31 bytes",
        "v1 public",
        changed({"tail": [0, write_base64(bytes(31))]}, PART),
    ),
    (2, "tail past the headers", "v1 everything", changed({"tail": [0, 2]})),
    (2, "tail of true", "v1 everything", changed({"tail": [0, True]})),
    (2, "header never used", "v1 everything", changed({"hdr": [*NAMES["hdr"], "02010100"]})),
    (2, "header twice", "v1 everything", changed({"hdr": NAMES["hdr"][:1] * 2})),
    (2, "seed of an older record", "v1 everything", altered(APPENDED, "[[37,2,", "[[36,2,")),
    (2, "salts left over", "v1 everything", changed({"xs": write_base64(bytes(16))})),
    (
        2,
        "every slot withheld",
        "v1 public",
        altered(changed({"xs": ""}, PART), SLOT, f"!{hashes(LEAF)}"),
    ),
    (3, "signature of no key", "v1 everything", changed({"sigs": []})),
    (3, "another signature", "v1 everything", changed({"sigs": NAMES["sigs"]}, VOIDED)),
    (4, "void set of another version", "v2 everything", changed({"void+": []}, VOIDED)),
    (4, "void+ of another record", "v2 everything", changed({"void+": [5]}, VOIDED)),
    (4, "void+ void before", "v3 everything", signed(V3, voiding=V3.void)),
    (4, "void+ beyond the log", "v1 everything", signed(V1, voiding=[99])),
    (4, "live one too many", "v1 everything", signed(V1, voiding=[9], live=V1.statement.size)),
    (4, "void and disclosed", "v1 everything", signed(V1, [attribute("x")], voiding=[37])),
    (4, "class table of the old version", "v1 everything", changed({"cls": OLD_CLASSES})),
    (5, "frontier changed", "v1 everything", changed({"frontier": hashes(LEAF, *FRONTIER[1:])})),
    (5, "frontier cut short", "v1 everything", changed({"frontier": hashes(*FRONTIER[:-1])})),
    (5, "frontier too long", "v1 everything", changed({"frontier": hashes(*FRONTIER, LEAF)})),
    (
        5,
        "frontier in another order",
        "v1 everything",
        changed({"frontier": hashes(*FRONTIER[::-1])}),
    ),
    (5, "slot changed", "v1 everything", altered(APPENDED, "ward 3", "ward 4")),
    (5, "withheld leaf changed", "v1 public", changed({"tail": [0, hashes(OLD_LEAF)]}, PART)),
    (5, "root of another log", "v1 everything", signed(V1, root=bytes(32))),
    (6, "another version is held", "v2 everything", APPENDED),
    (6, "another base", "v1 everything", changed({"base": "00" * 32})),
    (6, "from less", "v1 everything", FROM_LESS),
    (6, "a delta that forks", "v1 everything", signed(V1, prev=bytes(32))),
    (6, "a delta to the same version", "v1 everything", signed(V1, seq=1)),
    (6, "a delta to another epoch", "v1 everything", signed(V1, epoch=1)),
    (6, "a delta of another log", "v1 everything", signed(V1, event=OTHER)),
    (7, "uuid twice", "v1 everything", signed(V1, [TWICE])),
    (7, "uuid twice within what is appended", "v1 everything", signed(V1, [attribute("x")] * 2)),
    (7, "label record twice", "v1 everything", signed(V1, [label(0, "clear")])),
    (7, "no label record left", "v1 everything", signed(V1, voiding=[place_of(V1, "label 0")])),
    (7, "no label record for a byte", "v1 everything", signed(V1, [attribute("x", 17)])),
    (7, "name twice", "v1 everything", signed(V1, [record("02010100", '{"a":1,"a":1}')])),
]
# Deltas that are right, with an `erase` that is not
ERASE: Sequence[tuple[str, str, bytes, list[list[int]]]] = [
    ("a record beyond the log", "v1 everything", APPENDED, [[37, 1, 1]]),
    ("a slot that the record does not have", "v1 everything", APPENDED, [[5, 1, 2]]),
    ("what is withheld already", "v1 public", PART, [[36, 1, 1]]),
    ("what becomes void", "v2 everything", VOIDED, [[24, 1, 1]]),
    ("one slot twice", "v1 everything", APPENDED, [[5, 1, 1], [5, 1, 1]]),
]


def updates() -> Json:
    """The file."""
    return {
        "source": "what comes to a recipient that holds the projection of seal-versions.json named"
        " `held`; `check` is that of sharing/README.md, Verify, null where it is accepted; roster"
        " and first_seen_at as in seal-refused.json",
        "updates": list(_rows()),
    }


def _rows() -> Iterator[Json]:
    for case, held, raw in ACCEPTED:
        yield {"case": case, "check": None, "held": held, "package": raw.decode()}
    for check, case, held, raw in REFUSED:
        yield {"case": case, "check": check, "held": held, "package": raw.decode()}
    for check, case, held, raw in DELTAS:
        yield {"case": case, "check": check, "held": held, "erase": [], "delta": raw.decode()}
    for case, held, raw, erase in ERASE:
        yield {"case": case, "check": 6, "held": held, "erase": erase, "delta": raw.decode()}

"""Package: a projection in bytes, for any recipient alike (§2.6).

Line 0 is the head, then one line a slot in index order: the slot's bytes, or `!` and the base64 of
the hash that stands for it. `read_package` makes of untrusted bytes a Package of the right shape
(checks 1 and 2 of §2.7) and believes nothing; `verify` turns it into a Holding.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sharing.errors import RefusedError
from sharing.seal.disclosure import Disclosure, lay_out
from sharing.seal.dsse import Signature
from sharing.seal.head import Head
from sharing.seal.holding import Holding
from sharing.seal.lines import explicit_salts, read_body, read_head, well_formed, write_body
from sharing.seal.maps import decode_map, encode_map, projection_digest
from sharing.seal.statement import Statement
from sharing.seal.tables import ClassTable, decode_void, encode_void

__all__ = [
    "Package",
    "decode_map",
    "encode_map",
    "load_holding",
    "projection_digest",
    "read_package",
    "write_package",
]


@dataclass(frozen=True, slots=True)
class Package:
    """Somebody's claim about a log: well-formed, and not checked any further."""

    statement: Statement
    signatures: tuple[Signature, ...] = field(repr=False)
    void: tuple[int, ...] = field(repr=False)
    classes: ClassTable | None = field(repr=False)
    disclosure: Disclosure = field(repr=False)
    proof: tuple[bytes, ...] = field(repr=False)


def write_package(
    holding: Holding, masks: Mapping[int, int] | None = None, *, class_table: bool = True
) -> bytes:
    """The package that discloses `masks` of what is held, or all of it.

    Raises ValueError where a mask names what is not held. Without `class_table` the table is left
    out; it is for members and hub only (D6).
    """
    shown = holding if masks is None else holding.narrowed(masks)
    disclosure = shown.disclosure
    if not disclosure.count:
        raise ValueError("a package discloses something; this one would not")
    head = Head(
        payload=shown.payload,
        signatures=shown.signatures,
        void=encode_void(shown.void),
        spans=disclosure.spans,
        headers=disclosure.headers,
        chunks=disclosure.chunks,
        salts=explicit_salts(disclosure),
        proof=shown.proof,
        classes=shown.classes.encode() if class_table and shown.classes else None,
    )
    return b"\n".join((head.encode(), *write_body(disclosure), b""))


def read_package(raw: bytes) -> Package:
    """The package these bytes are.

    Raises:
        RefusedError: check 1 for sizes and counts, check 2 for anything not written in the one way.
    """
    line = read_head(raw)
    head = Head.decode(line)
    statement = well_formed("statement", lambda: Statement.decode(head.payload))
    if head.spans[-1].stop > statement.size:
        raise RefusedError(1, f"recs: record {head.spans[-1].stop - 1} of {statement.size}")
    if sum(count for count, _ in head.headers) != sum(stop - start for start, stop in head.spans):
        raise RefusedError(1, "hrl: another number of records than recs")
    bare = Disclosure(tuple(head.spans), lay_out(head.headers), [], b"", {}, head.chunks)
    classes = head.classes
    return Package(
        statement=statement,
        signatures=head.signatures,
        void=well_formed("void", lambda: decode_void(head.void)),
        classes=None if classes is None else well_formed("cls", lambda: ClassTable.decode(classes)),
        disclosure=read_body(raw, bare, head.salts),
        proof=head.proof,
    )


def load_holding(raw: bytes) -> Holding:
    """The holding that we once wrote ourselves: no signature, hash or slot is checked again."""
    package = read_package(raw)
    return Holding(
        package.statement,
        package.signatures,
        package.void,
        package.classes,
        package.disclosure,
        package.proof,
    )

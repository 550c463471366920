"""An originator that checks nothing: what it signs is wrong in what one asks for, and in no more."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from sharing.seal.delta import Delta
from sharing.seal.disclosure import Disclosure, lay_out
from sharing.seal.dsse import sign_envelope
from sharing.seal.holding import Holding
from sharing.seal.keys import Signer
from sharing.seal.package import write_package
from sharing.seal.records import Record
from sharing.seal.salts import draw
from sharing.seal.statement import PAYLOAD_TYPE, Statement
from sharing.seal.tables import ClassTable, encode_void, void_digest
from sharing.seal.tree import Span, fold
from tests.sharing.seal.notary import SIGNER, sealed


def lie(records: Sequence[Record], *, void: Iterable[int] = (), **said: object) -> bytes:
    """What it would send as a first version, its records in the order given."""
    void = tuple(void)
    disclosure = _batch(records, 0)
    tree = fold(disclosure.leaves(), len(records), ())
    classes = ClassTable.of(bytes(16), disclosure.headers)
    facts = _facts(tree.size, void, classes) | {"root": tree.root}
    statement = _said(sealed().statement, facts | said)
    signatures = sign_envelope(PAYLOAD_TYPE, statement.payload, [SIGNER])
    holding = Holding(statement, signatures, void, classes, disclosure, (), tree)
    live = {index: mask for index, mask in holding.masks.items() if index not in void}
    return write_package(holding, live)


def lie_on(
    held: Holding,
    append: Sequence[Record] = (),
    voiding: Sequence[int] = (),
    signers: Sequence[Signer] = (SIGNER,),
    **said: object,
) -> Delta:
    """What it would send as the version after `held`, to whoever holds all or part of that."""
    old = held.statement
    added = _batch(append, old.size)
    frontier = held.tree.frontier(old.size)
    assert frontier is not None
    assert held.classes is not None
    tree = frontier.grown([leaf for stretch in added.leaves() for leaf in stretch.hashes])
    classes = ClassTable.of(bytes(16), [*held.classes.runs, *added.headers])
    facts = _facts(tree.size, sorted({*held.void, *voiding}), classes) | {
        "root": tree.root,
        "seq": old.seq + 1,
        "prev": bytes.fromhex(old.seal),
        "keys": tuple(signer.kid for signer in signers),
    }
    statement = _said(old, facts | said)
    signatures = sign_envelope(PAYLOAD_TYPE, statement.payload, signers)
    return Delta(statement, signatures, old.seal, frontier, tuple(voiding), added, {}, classes)


def _batch(records: Sequence[Record], first: int) -> Disclosure:
    chunks, salts = draw(bytes(32), [len(record.slots) for record in records], first)
    slots = [slot for record in records for slot in record.slots]
    spans = (Span(first, first + len(records)),) if records else ()
    bands = lay_out((1, record.header) for record in records)
    return Disclosure(spans, bands, slots, salts, {}, chunks)


def _facts(size: int, void: Sequence[int], classes: ClassTable) -> dict[str, object]:
    return {
        "size": size,
        "live": size - len(void),
        "void": void_digest(encode_void(void)),
        "classes": classes.digest,
    }


def _said(honest: Statement, facts: dict[str, object]) -> Statement:
    return replace(honest, **{**facts, "payload": b""})  # type: ignore[arg-type]

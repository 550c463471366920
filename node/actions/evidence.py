"""What was refused, told and handed over; and the proof that an originator said two things.

Two statements of one version, each under its originator's signature, prove themselves to anybody
with the roster. A proof holds nothing but statements: of each package only the label of the whole
log is left, and hashes.
"""

import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from federation.wire import ItemLine
from node.actions.change import Stored
from node.actions.errors import NotFoundError
from node.node import Node
from node.storage.quarantine import QuarantineRow, Refusal, find_quarantined, refusals
from sharing.seal.labels import read_label
from sharing.seal.package import load_holding, write_package
from sharing.seal.records import EVENT_LABEL, Kind

SHOWN = 100


@dataclass(frozen=True, slots=True)
class Proof:
    """Two packages, each of which verifies, with two statements for one version of one log."""

    in_force: bytes
    refused: bytes
    about: bytes


def list_refusals(node: Node) -> tuple[Refusal, ...]:
    """Give what was refused last, newest first."""
    with node.store.read() as unit:
        return refusals(unit.connection, limit=SHOWN)


def find_refused(node: Node, number: int) -> QuarantineRow:
    """Give what was refused, with its bytes.

    Raises:
        NotFoundError: nothing of that number was.
    """
    with node.store.read() as unit:
        row = find_quarantined(unit.connection, number)
    if row is None:
        raise NotFoundError(f"refused item {number}")
    return row


def proof_of(row: QuarantineRow) -> Proof | None:
    """Give what proves an equivocation to a stranger; None where the row is none."""
    if row.in_force is None:
        return None
    refused = statement_alone(row.raw)
    holdings = load_holding(row.in_force), load_holding(refused)
    epoch, seq = holdings[0].statement.version
    about = {
        "origin": row.origin,
        "event": row.event,
        "epoch": epoch,
        "seq": seq,
        "in_force": {
            "seal": holdings[0].statement.seal,
            "given_by": row.in_force_src,
            "first_seen_at": _told(row.in_force_seen_at),
        },
        "refused": {
            "seal": holdings[1].statement.seal,
            "given_by": row.src,
            "first_seen_at": _told(row.received_at),
        },
    }
    return Proof(row.in_force, refused, json.dumps(about, indent=1).encode())


def statement_alone(package: bytes) -> bytes:
    """The package, checked before, with nothing left of it but its statement and its own label.

    It stays as it is where that label is gone: pruned, since a later version made it void.
    """
    holding = load_holding(package)
    for index, record in holding.records.items():
        label = record.slots[0] if record.header.kind == Kind.LABEL else None
        if label is not None and read_label(label)[0] == EVENT_LABEL:
            return write_package(holding, {index: 1}, class_table=False)
    return package


def beside(refused: QuarantineRow, line: ItemLine, before: Stored, package: bytes) -> QuarantineRow:
    """The row of an equivocation with the statement that stays in force.

    A package too large to be kept whole is kept as its statement.
    """
    first = min(
        (one for one in before.holdings if (one.epoch, one.seq) == line.version),
        key=lambda one: one.received_at,
    )
    return replace(
        refused,
        raw=refused.raw or statement_alone(package),
        reason=f"{refused.reason}: {first.seal} stays in force, {line.seal} is refused",
        in_force=statement_alone(first.package),
        in_force_src=first.src,
        in_force_seen_at=first.received_at,
    )


def _told(at: datetime | None) -> str | None:
    return None if at is None else at.astimezone(UTC).isoformat()

"""Our own stored packages: opened, and told the operator where they are damaged.

Bytes on a disk may change. What goes wrong with them is a fault of this node: never the caller's,
never a peer's. Opening parses and compares the digest, which covers the statement and what is
disclosed. Slots are hashed only where something went wrong with what was opened, to tell damage
from a mistake of the program.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import structlog

from node.node import Node
from node.storage.errors import StoredPackageError
from node.storage.logs import HoldingRow
from node.storage.quarantine import QuarantineRow, add_quarantine
from node.storage.store import Unit
from sharing.errors import RefusedError, SharingError
from sharing.seal.holding import Holding
from sharing.seal.package import load_holding, read_package
from sharing.seal.verify import examine

OWN_STORE = 0  # the number of the check that our own stored bytes fail
ODD = (SharingError, ValueError, LookupError, TypeError)  # what damaged slots may make of code
_NO_PLACE = 0
_log = structlog.get_logger(__name__)


def open_holding(row: HoldingRow) -> Holding:
    """Give the holding whose bytes the row keeps.

    Raises:
        StoredPackageError: they are not what was stored.
    """
    try:
        holding = load_holding(row.package)
    except RefusedError as error:
        raise _damaged(row, error.reason) from None
    if holding.digest != row.digest:
        raise _damaged(row, "it is another projection than was stored")
    return holding


def examine_holding(row: HoldingRow) -> None:
    """Check the bytes of the row in full, but for signatures.

    Raises:
        StoredPackageError: they are not what was stored.
    """
    open_holding(row)
    try:
        examine(read_package(row.package))
    except RefusedError as error:
        raise _damaged(row, error.reason) from None


@contextmanager
def opened(row: HoldingRow) -> Iterator[Holding]:
    """Open a holding to work with; what goes wrong with damaged bytes is `StoredPackageError`."""
    holding = open_holding(row)
    try:
        yield holding
    except ODD:
        examine_holding(row)
        raise


@contextmanager
def reporting_damage(node: Node) -> Iterator[None]:
    """Put damage that was met before the operator; it stays an error. Not within a unit."""
    try:
        yield
    except StoredPackageError as error:
        with node.store.write() as unit:
            report_damage(unit, damage_row(node, error))
        raise


def damage_row(node: Node, error: StoredPackageError) -> QuarantineRow:
    """Give the line that the operator finds: from ourselves, at no place of a feed."""
    return QuarantineRow(
        src=node.org,
        pos=_NO_PLACE,
        origin=error.key[0],
        event=error.key[1],
        check=OWN_STORE,
        reason=str(error),
        item_line=b"",
        raw=b"",
        received_at=node.clock(),
    )


def report_damage(unit: Unit, row: QuarantineRow) -> None:
    """Put a damaged package before the operator, once."""
    if add_quarantine(unit.connection, row):
        _log.error("stored package damaged", log=row.event, why=row.reason)


def _damaged(row: HoldingRow, why: str) -> StoredPackageError:
    return StoredPackageError((row.origin, row.event), row.src, (row.epoch, row.seq), why)

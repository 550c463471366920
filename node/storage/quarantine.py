"""What a peer sent and we refused, with its bytes as they came.

The raw bytes are evidence: never indexed, never shown as content. The same item refused again
leaves one row.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection, func, select

from node.storage.store import insert_new
from node.storage.tables import quarantine


@dataclass(frozen=True, slots=True)
class QuarantineRow:
    """One refused item: the numbered check that failed, why, and what came."""

    src: str
    pos: int
    origin: str
    event: str
    check: int
    reason: str
    item_line: bytes = field(repr=False)
    raw: bytes = field(repr=False)
    received_at: datetime


def add_quarantine(conn: Connection, row: QuarantineRow) -> bool:
    """Keep a refused item; False: the same item of the same source was refused before."""
    values = {name: getattr(row, name) for name in QuarantineRow.__dataclass_fields__}
    return insert_new(conn, quarantine, values)


def quarantined(conn: Connection, src: str | None = None) -> tuple[QuarantineRow, ...]:
    """Give the refused items of `src`, or of everybody, oldest first."""
    statement = select(quarantine).order_by(quarantine.c.id)
    if src is not None:
        statement = statement.where(quarantine.c.src == src)
    return tuple(
        QuarantineRow(**{name: getattr(row, name) for name in QuarantineRow.__dataclass_fields__})
        for row in conn.execute(statement)
    )


def count_quarantined(conn: Connection) -> Mapping[str, int]:
    """Give how many items of each source are refused and kept."""
    rows = conn.execute(
        select(quarantine.c.src, func.count().label("n")).group_by(quarantine.c.src)
    )
    return {row.src: row.n for row in rows}

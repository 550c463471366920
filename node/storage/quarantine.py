"""What a peer sent and we refused, with its bytes as they came.

The raw bytes are evidence: never indexed, never shown as content, and dropped when their source
or originator says something of that log that stands, or it is recalled: they may show what is taken
back by that. The same item refused again leaves one row. Of an equivocation the other statement,
which stays in force, is kept beside it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection, bindparam, exists, func, select, tuple_, update

from federation.receipt import name_of_item
from node.storage.dirt import LogKey
from node.storage.store import insert_new
from node.storage.tables_feed import quarantine


@dataclass(frozen=True, slots=True)
class QuarantineRow:
    """One refused item: the numbered check that failed, why, and what came.

    `in_force` is set where the item's originator signed two statements for one version: a package
    of the one that stays, who gave it first, and when.
    """

    src: str
    pos: int
    origin: str
    event: str
    check: int
    reason: str
    item_line: bytes = field(repr=False)
    raw: bytes = field(repr=False)
    received_at: datetime
    in_force: bytes | None = field(default=None, repr=False)
    in_force_src: str | None = None
    in_force_seen_at: datetime | None = None

    @property
    def is_equivocation(self) -> bool:
        """Whether two statements of one version are kept here."""
        return self.in_force is not None


@dataclass(frozen=True, slots=True)
class Refusal:
    """What is told of a refused item: everything but its bytes; `item` is its line's name."""

    id: int
    src: str
    origin: str
    event: str
    check: int
    reason: str
    received_at: datetime
    is_equivocation: bool
    item: str


_FIELDS = tuple(QuarantineRow.__dataclass_fields__)
_IS_EQUIVOCATION = quarantine.c.in_force.is_not(None).label("is_equivocation")
# Asked and done with every page that comes: built once.
_IS_REFUSED_AFTER = select(
    exists()
    .where(*(quarantine.c[name] == bindparam(name) for name in ("src", "origin", "event")))
    .where(quarantine.c.pos > bindparam("pos"))
)
_FORGET = (
    update(quarantine)
    .where(
        tuple_(quarantine.c.origin, quarantine.c.event).in_(bindparam("keys", expanding=True)),
        quarantine.c.in_force.is_(None),
        func.length(quarantine.c.raw) > 0,
    )
    .values(raw=b"")
)
_FORGET_OF = _FORGET.where(quarantine.c.src == bindparam("whose"))


def add_quarantine(conn: Connection, row: QuarantineRow) -> bool:
    """Keep a refused item; False: the same item of the same source was refused before."""
    return insert_new(conn, quarantine, {name: getattr(row, name) for name in _FIELDS})


def forget_raw(conn: Connection, keys: Sequence[LogKey], *, src: str | None = None) -> None:
    """Drop the bytes that came of these logs from `src`, or anybody; why they were refused stays.

    Statements that prove an equivocation stay as well.
    """
    if not keys:
        return
    statement, whose = (_FORGET, {}) if src is None else (_FORGET_OF, {"whose": src})
    conn.execute(statement, {"keys": list(keys), **whose})


def quarantined(conn: Connection, src: str | None = None) -> tuple[QuarantineRow, ...]:
    """Give the refused items of `src`, or of everybody, oldest first."""
    statement = select(quarantine).order_by(quarantine.c.id)
    if src is not None:
        statement = statement.where(quarantine.c.src == src)
    return tuple(
        QuarantineRow(**{name: getattr(row, name) for name in _FIELDS})
        for row in conn.execute(statement)
    )


def is_refused_after(conn: Connection, src: str, log: LogKey, pos: int) -> bool:
    """Whether an item of a log that stands behind this place of a source's feed was refused."""
    asked = {"src": src, "origin": log[0], "event": log[1], "pos": pos}
    return bool(conn.execute(_IS_REFUSED_AFTER, asked).scalar())


def find_quarantined(conn: Connection, number: int) -> QuarantineRow | None:
    """Give the refused item of that number, or None."""
    row = conn.execute(select(quarantine).where(quarantine.c.id == number)).first()
    return None if row is None else QuarantineRow(**{name: getattr(row, name) for name in _FIELDS})


def refusals(
    conn: Connection, *, equivocations_only: bool = False, limit: int
) -> tuple[Refusal, ...]:
    """Give the newest refused items without their bytes, newest first."""
    names = ("id", "src", "origin", "event", "check", "reason", "received_at")
    told = select(*(quarantine.c[name] for name in names), quarantine.c.item_line, _IS_EQUIVOCATION)
    if equivocations_only:
        told = told.where(quarantine.c.in_force.is_not(None))
    return tuple(
        Refusal(
            **{name: getattr(row, name) for name in names},
            is_equivocation=row.is_equivocation,
            item=name_of_item(row.item_line),
        )
        for row in conn.execute(told.order_by(quarantine.c.id.desc()).limit(limit))
    )


def sources_refused_for(conn: Connection, words: str) -> tuple[str, ...]:
    """Give whoever sent something that was refused for a reason with these words in it."""
    found = select(quarantine.c.src).distinct().order_by(quarantine.c.src)
    rows = conn.execute(found.where(quarantine.c.reason.contains(words, autoescape=True)))
    return tuple(rows.scalars())


def count_quarantined(conn: Connection) -> Mapping[str, int]:
    """Give how many items of each source are refused and kept."""
    rows = conn.execute(
        select(quarantine.c.src, func.count().label("n")).group_by(quarantine.c.src)
    )
    return {row.src: row.n for row in rows}

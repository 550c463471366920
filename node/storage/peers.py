"""Where we stand with each peer: its feed of us, and our place in its feed.

`head_pos` is the newest place in the feed we keep for the peer, `acked_pos` the place it has
confirmed by coming back with that cursor. `cursor`, `incarnation` and `pos` are our place in the
feed it keeps for us. What it was given and has confirmed, log by log, is in `ledger.py`.
`rulebook_*` name the rulebook in force there, as its feed last said.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, func, select, update

from federation.call import Bookmark
from node.storage.store import insert_new
from node.storage.tables_feed import outbox, peer

# Asked with every pull: built once. In one order, so that two units never wait in a ring.
_ALL = select(peer).order_by(peer.c.org)
_THESE = _ALL.where(peer.c.org.in_(bindparam("orgs", expanding=True)))
_ONE = update(peer).where(peer.c.org == bindparam("whose"))


@dataclass(frozen=True, slots=True)
class PeerRow:
    """One peer, both directions."""

    org: str
    wants: str
    head_pos: int
    acked_pos: int
    asked_at: datetime | None
    basis: str | None
    incarnation: str | None
    cursor: str | None
    pos: int
    pulled_at: datetime | None
    failures: int
    next_try_at: datetime | None
    last_error: str | None
    last_error_at: datetime | None
    skew_ms: int | None
    rulebook_version: str | None
    rulebook_digest: str | None

    @property
    def bookmark(self) -> Bookmark | None:
        """Our place in the feed it keeps for us; None: at the start."""
        if self.incarnation is None or self.cursor is None:
            return None
        return Bookmark(self.incarnation, self.pos, self.cursor)


def add_peer(conn: Connection, org: str, *, wants: str) -> bool:
    """Begin with a peer; False: it is known."""
    return insert_new(conn, peer, {"org": org, "wants": wants})


def find_peer(conn: Connection, org: str) -> PeerRow | None:
    """Give the peer, or None."""
    return next(iter(_peers(conn, orgs=[org], for_update=False)), None)


def list_peers(conn: Connection) -> tuple[PeerRow, ...]:
    """Give every peer there is, by its id."""
    return _peers(conn, orgs=None, for_update=False)


def lock_peers(conn: Connection, orgs: Iterable[str]) -> Mapping[str, PeerRow]:
    """Hold the rows of these peers to the end of the unit; places are given out under them."""
    return {row.org: row for row in _peers(conn, orgs=list(orgs), for_update=True)}


def lock_peer(conn: Connection, org: str, *, wants: str) -> PeerRow:
    """Hold the row of one peer to the end of the unit; an unknown one begins with `wants`."""
    row = lock_peers(conn, [org]).get(org)
    if row is None:
        add_peer(conn, org, wants=wants)
        row = lock_peers(conn, [org])[org]
    return row


def set_basis(conn: Connection, org: str, basis: str) -> None:
    """Note what the peer's projections rest on from now on."""
    _set(conn, org, basis=basis)


def set_head(conn: Connection, org: str, pos: int) -> None:
    """Move the head of the feed that we keep for the peer."""
    _set(conn, org, head_pos=pos)


def note_ask(
    conn: Connection, row: PeerRow, *, pos: int, wants: str, at: datetime, again_by: datetime
) -> bool:
    """The peer came with a cursor at `pos`: all up to there is confirmed; gives whether it is news.

    A cursor from before what is confirmed already (a peer that begins anew) takes nothing back.
    It is up: where it was failing, it is asked again at `again_by` at the latest. `row` must be
    held (`lock_peers`).
    """
    again_at = row.next_try_at
    if row.failures and again_at is not None:
        again_at = min(again_at, again_by)
    confirmed = max(pos, row.acked_pos)
    _set(conn, row.org, asked_at=at, wants=wants, acked_pos=confirmed, next_try_at=again_at)
    return pos > row.acked_pos


def keep_bookmark(conn: Connection, org: str, bookmark: Bookmark) -> None:
    """Our place in the peer's feed, written with what the page brought."""
    _set(conn, org, **asdict(bookmark))


def begin_anew(conn: Connection, org: str) -> None:
    """The peer's feed lives a new life: forget our place in the old one."""
    _set(conn, org, incarnation=None, cursor=None, pos=0)


@dataclass(frozen=True, slots=True)
class Said:
    """What a peer's last page said: the rulebook in force there, and how far its clock is ahead."""

    rulebook_version: str
    rulebook_digest: str
    skew_ms: int


def note_success(
    conn: Connection, org: str, said: Said | None, *, at: datetime, next_try_at: datetime
) -> None:
    """The peer answered: ask again when its turn comes."""
    news = {} if said is None else asdict(said)
    _set(conn, org, pulled_at=at, failures=0, next_try_at=next_try_at, last_error=None, **news)


def note_failure(
    conn: Connection,
    org: str,
    said: Said | None,
    *,
    failures: int,
    error: str,
    at: datetime,
    next_try_at: datetime,
) -> None:
    """The peer gave no usable answer, so many times now; the error is kept as it was said."""
    news = {} if said is None else asdict(said)
    again = {"failures": failures, "next_try_at": next_try_at}
    _set(conn, org, **again, last_error=error, last_error_at=at, **news)


@dataclass(frozen=True, slots=True)
class Waiting:
    """What a peer has not confirmed: how many rows of its feed, and since when the oldest."""

    rows: int
    since: datetime


def waiting_rows(conn: Connection) -> Mapping[str, Waiting]:
    """Give what waits for each peer that has not confirmed everything."""
    rows = conn.execute(
        select(
            outbox.c.peer,
            func.count().label("waiting"),
            func.min(outbox.c.projected_at).label("since"),
        )
        .join(peer, peer.c.org == outbox.c.peer)
        .where(outbox.c.pos > peer.c.acked_pos)
        .group_by(outbox.c.peer)
    )
    return {row.peer: Waiting(row.waiting, row.since) for row in rows}


def _set(conn: Connection, org: str, **values: object) -> None:
    conn.execute(_ONE, {"whose": org, **values})


def _peers(
    conn: Connection, *, orgs: Sequence[str] | None, for_update: bool
) -> tuple[PeerRow, ...]:
    statement = _ALL if orgs is None else _THESE
    if for_update:
        statement = statement.with_for_update()
    return tuple(
        PeerRow(**{name: getattr(row, name) for name in PeerRow.__dataclass_fields__})
        for row in conn.execute(statement, {} if orgs is None else {"orgs": list(orgs)})
    )

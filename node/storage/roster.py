"""The signed roster's documents, members' signed entries, and who was invited to enrol.

All envelopes here were checked before they were put in. What the node believes of its members is
in the operator's file (`node.roster`), not here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, delete, func, select, update

from node.storage.store import insert_new, lock_name, upsert
from node.storage.tables_feed import roster_entry, roster_invitation, trust_document

ROOT = "root"
ROSTER = "roster"
_VERSION = select(func.max(trust_document.c.version)).where(trust_document.c.kind == ROSTER)


@dataclass(frozen=True, slots=True)
class Document:
    """A root or a roster."""

    version: int
    expires_at: datetime
    envelope: bytes
    taken_at: datetime


@dataclass(frozen=True, slots=True)
class Invitation:
    """A token's row; `envelope` is the entry that came with it, `approved` None until decided."""

    token_hash: str
    org: str
    made_by: str
    made_at: datetime
    expires_at: datetime
    used_at: datetime | None
    envelope: bytes | None
    approved: bool | None
    decided_by: str | None
    decided_at: datetime | None


def lock_trust(conn: Connection) -> None:
    """Hold everything here to the end of the unit."""
    lock_name(conn, "trust")


def newest(conn: Connection, kind: str) -> Document | None:
    """Give the newest document of a kind."""
    row = conn.execute(
        select(trust_document)
        .where(trust_document.c.kind == kind)
        .order_by(trust_document.c.version.desc())
        .limit(1)
    ).first()
    if row is None:
        return None
    return Document(row.version, row.expires_at, row.envelope, row.taken_at)


def expiries(conn: Connection) -> Mapping[str, datetime]:
    """Give when the newest root and the newest roster expire, as far as there are any."""
    tops = (
        select(trust_document.c.kind, func.max(trust_document.c.version).label("version"))
        .group_by(trust_document.c.kind)
        .subquery()
    )
    rows = conn.execute(
        select(trust_document.c.kind, trust_document.c.expires_at).join(
            tops,
            (tops.c.kind == trust_document.c.kind) & (tops.c.version == trust_document.c.version),
        )
    )
    return {row.kind: row.expires_at for row in rows}


def roster_version(conn: Connection) -> int:
    """Give the version of the newest roster; 0: none."""
    return conn.scalar(_VERSION) or 0


def roots_after(conn: Connection, version: int, limit: int) -> tuple[bytes, ...]:
    """Give the roots that follow this version, in their order."""
    rows = conn.execute(
        select(trust_document.c.envelope)
        .where(trust_document.c.kind == ROOT, trust_document.c.version > version)
        .order_by(trust_document.c.version)
        .limit(limit)
    )
    return tuple(row.envelope for row in rows)


def put_document(conn: Connection, kind: str, document: Document) -> None:
    """Keep a document; a roster takes the place of the one before, roots stay."""
    if kind == ROSTER:
        conn.execute(delete(trust_document).where(trust_document.c.kind == ROSTER))
    insert_new(
        conn,
        trust_document,
        {
            "kind": kind,
            "version": document.version,
            "expires_at": document.expires_at,
            "envelope": document.envelope,
            "taken_at": document.taken_at,
        },
    )


def find_entry(conn: Connection, org: str) -> bytes | None:
    """Give the signed entry of a member, or None."""
    return conn.scalar(select(roster_entry.c.envelope).where(roster_entry.c.org == org))


def list_entries(conn: Connection) -> Mapping[str, bytes]:
    """Give every signed entry, by organisation."""
    rows = conn.execute(select(roster_entry).order_by(roster_entry.c.org))
    return {row.org: row.envelope for row in rows}


def put_entry(conn: Connection, org: str, envelope: bytes, at: datetime) -> None:
    """Keep the newest signed entry of a member."""
    upsert(conn, roster_entry, {"org": org, "envelope": envelope, "taken_at": at})


def add_invitation(
    conn: Connection, token_hash: str, org: str, *, by: str, at: datetime, until: datetime
) -> None:
    """Invite a member; older invitations of it that nobody used are void."""
    conn.execute(
        delete(roster_invitation).where(
            roster_invitation.c.org == org, roster_invitation.c.used_at.is_(None)
        )
    )
    row = {"token_hash": token_hash, "org": org, "made_by": by, "made_at": at, "expires_at": until}
    insert_new(conn, roster_invitation, row)


def find_invitation(conn: Connection, token_hash: str) -> Invitation | None:
    """Give the invitation of a token, or None."""
    where = roster_invitation.c.token_hash == token_hash
    return next(iter(_invitations(conn, where)), None)


def waiting_invitation(conn: Connection, org: str) -> Invitation | None:
    """Give the newest invitation of a member that was used and is not decided."""
    return next((one for one in list_waiting(conn) if one.org == org), None)


def list_waiting(conn: Connection) -> tuple[Invitation, ...]:
    """Give what came and is not decided, newest first."""
    row = roster_invitation.c
    return _invitations(conn, row.used_at.is_not(None) & row.approved.is_(None))


def use_invitation(conn: Connection, token_hash: str, envelope: bytes, at: datetime) -> bool:
    """Spend the token; False: it was spent before."""
    row = roster_invitation.c
    spent = conn.execute(
        update(roster_invitation)
        .where(row.token_hash == token_hash, row.used_at.is_(None))
        .values(used_at=at, envelope=envelope)
        .execution_options(preserve_rowcount=True)
    )
    return spent.rowcount == 1


def decide_invitation(
    conn: Connection, token_hash: str, *, approved: bool, by: str, at: datetime
) -> bool:
    """Decide about what came; False: somebody has."""
    row = roster_invitation.c
    decided = conn.execute(
        update(roster_invitation)
        .where(row.token_hash == token_hash, row.approved.is_(None))
        .values(approved=approved, decided_by=by, decided_at=at)
        .execution_options(preserve_rowcount=True)
    )
    return decided.rowcount == 1


def _invitations(conn: Connection, where: ColumnElement[bool]) -> tuple[Invitation, ...]:
    rows = conn.execute(
        select(roster_invitation).where(where).order_by(roster_invitation.c.used_at.desc())
    )
    names = Invitation.__dataclass_fields__
    return tuple(Invitation(**{name: getattr(row, name) for name in names}) for row in rows)

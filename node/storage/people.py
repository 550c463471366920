"""Organisations enrolled here, their people, and the tokens and sessions they come with.

Only hashes of secrets are kept. What a disabled person holds is worth nothing: every lookup goes
through the person.
"""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, delete, insert, select, union_all, update

from node.storage.store import insert_new, upsert
from node.storage.tables import org as org_table
from node.storage.tables import person, session, token


@dataclass(frozen=True, slots=True)
class Org:
    """An organisation enrolled at this node, or the node itself.

    `kind` is hospital, supplier, node or hub; `enrolment` the rule it accepted; `details` what its
    reports are prefilled with.
    """

    org: str
    name: str
    kind: str
    country: str
    enrolment: str | None = None
    details: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who may sign in, for one organisation, in one role."""

    login: str
    org: str
    role: str
    password_hash: str | None = field(repr=False)
    created_at: datetime
    disabled_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class TokenRow:
    """A token as it may be listed: its beginning, never itself."""

    prefix: str
    login: str
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None


def put_org(conn: Connection, new: Org) -> None:
    """Enrol an organisation, or change what is known of it."""
    upsert(
        conn,
        org_table,
        {
            "org": new.org,
            "name": new.name,
            "kind": new.kind,
            "country": new.country,
            "enrolment": new.enrolment,
            "details": json.dumps(dict(new.details), sort_keys=True),
        },
    )


def find_org(conn: Connection, org: str) -> Org | None:
    """Give the organisation, or None if it is not enrolled here."""
    row = conn.execute(select(org_table).where(org_table.c.org == org)).first()
    return None if row is None else _org(row)


def list_orgs(conn: Connection) -> list[Org]:
    """Give all organisations enrolled here, by name."""
    rows = conn.execute(select(org_table).order_by(org_table.c.name, org_table.c.org))
    return [_org(row) for row in rows]


def add_person(conn: Connection, new: Person) -> bool:
    """Add a person; False: the login is taken."""
    return insert_new(
        conn,
        person,
        {
            "login": new.login,
            "org": new.org,
            "role": new.role,
            "password_hash": new.password_hash,
            "created_at": new.created_at,
        },
    )


def find_person(conn: Connection, login: str) -> Person | None:
    """Give the person, disabled or not."""
    row = conn.execute(select(person).where(person.c.login == login)).first()
    return None if row is None else _person(row)


def list_persons(conn: Connection) -> list[Person]:
    """Give everybody, by login."""
    return [_person(row) for row in conn.execute(select(person).order_by(person.c.login))]


def set_password(conn: Connection, login: str, password_hash: str) -> None:
    """Replace the password."""
    conn.execute(update(person).where(person.c.login == login).values(password_hash=password_hash))


def disable(conn: Connection, login: str, at: datetime) -> None:
    """Shut a person out at once, sessions and tokens included; the row stays for the audit."""
    conn.execute(update(person).where(person.c.login == login).values(disabled_at=at))
    drop_sessions(conn, login)
    conn.execute(
        update(token)
        .where(token.c.login == login, token.c.revoked_at.is_(None))
        .values(revoked_at=at)
    )


def add_token(conn: Connection, token_hash: str, row: TokenRow) -> None:
    """Keep a new token's hash."""
    conn.execute(
        insert(token).values(
            token_hash=token_hash,
            prefix=row.prefix,
            login=row.login,
            created_at=row.created_at,
            expires_at=row.expires_at,
        )
    )


def revoke_tokens(conn: Connection, login: str, prefix: str, at: datetime) -> int:
    """End the person's tokens that begin with `prefix`; gives how many."""
    ended = update(token).where(
        token.c.login == login, token.c.prefix == prefix, token.c.revoked_at.is_(None)
    )
    return conn.execute(ended.values(revoked_at=at)).rowcount


def person_by_token(conn: Connection, token_hash: str, now: datetime) -> Person | None:
    """Give who holds the token, if both are good now."""
    return _one_person(
        conn,
        _enabled()
        .join(token, token.c.login == person.c.login)
        .where(
            token.c.token_hash == token_hash,
            token.c.revoked_at.is_(None),
            token.c.expires_at > now,
        ),
    )


def add_session(
    conn: Connection, session_hash: str, login: str, csrf: str, expires_at: datetime
) -> None:
    """Keep a new session's hash."""
    conn.execute(
        insert(session).values(
            session_hash=session_hash, login=login, csrf=csrf, expires_at=expires_at
        )
    )


def person_by_session(
    conn: Connection, session_hash: str, now: datetime
) -> tuple[Person, str] | None:
    """Give who holds the session and its CSRF token, if both are good now."""
    row = conn.execute(
        _enabled()
        .add_columns(session.c.csrf)
        .join(session, session.c.login == person.c.login)
        .where(session.c.session_hash == session_hash, session.c.expires_at > now)
    ).first()
    return None if row is None else (_person(row), row.csrf)


def in_force(conn: Connection, hashes: Collection[str], now: datetime) -> frozenset[str]:
    """Give those of these hashes of tokens and sessions that let somebody in now."""
    wanted = sorted(hashes)
    tokens = (
        select(token.c.token_hash)
        .join(person, person.c.login == token.c.login)
        .where(person.c.disabled_at.is_(None))
        .where(token.c.token_hash.in_(wanted), token.c.revoked_at.is_(None))
        .where(token.c.expires_at > now)
    )
    sessions = (
        select(session.c.session_hash)
        .join(person, person.c.login == session.c.login)
        .where(person.c.disabled_at.is_(None))
        .where(session.c.session_hash.in_(wanted), session.c.expires_at > now)
    )
    return frozenset(row[0] for row in conn.execute(union_all(tokens, sessions)))


def drop_session(conn: Connection, session_hash: str) -> None:
    """End one session."""
    conn.execute(delete(session).where(session.c.session_hash == session_hash))


def drop_sessions(conn: Connection, login: str) -> None:
    """End all sessions of a person."""
    conn.execute(delete(session).where(session.c.login == login))


def drop_expired_sessions(conn: Connection, now: datetime) -> int:
    """Forget sessions that are over; gives how many."""
    return conn.execute(delete(session).where(session.c.expires_at <= now)).rowcount


def _enabled() -> Select[Any]:
    return select(person).where(person.c.disabled_at.is_(None))


def _one_person(conn: Connection, query: Select[Any]) -> Person | None:
    row = conn.execute(query).first()
    return None if row is None else _person(row)


def _person(row: Row[Any]) -> Person:
    return Person(
        login=row.login,
        org=row.org,
        role=row.role,
        password_hash=row.password_hash,
        created_at=row.created_at,
        disabled_at=row.disabled_at,
    )


def _org(row: Row[Any]) -> Org:
    return Org(
        org=row.org,
        name=row.name,
        kind=row.kind,
        country=row.country,
        enrolment=row.enrolment,
        details=json.loads(row.details),
    )

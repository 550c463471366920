"""Spent request nonces: a signed request counts once, until it would have expired anyway.

A nonce is spent only after its signature was checked, or strangers could burn other people's.
"""

from datetime import datetime

from sqlalchemy import Connection, bindparam, delete

from node.storage.store import insert_new
from node.storage.tables_feed import nonce

_EXPIRED = delete(nonce).where(nonce.c.expires_at <= bindparam("now"))


def spend_nonce(conn: Connection, kid: str, text: str, *, now: datetime, until: datetime) -> bool:
    """Spend the nonce of the key until `until`; False: it was spent before."""
    conn.execute(_EXPIRED, {"now": now})
    return insert_new(conn, nonce, {"kid": kid, "nonce": text, "expires_at": until})

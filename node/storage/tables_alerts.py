"""The tables of alerts: what is announced, to whom, and by which ways it goes."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    String,
    Table,
    Text,
)

from node.storage.columns import ROWID as _ROWID
from node.storage.columns import UUID as _UUID
from node.storage.columns import Instant, metadata

# Append-only but for its state: an urgent event that local people may hear of.
announcement = Table(
    "announcement",
    metadata,
    Column("n", _ROWID, primary_key=True, autoincrement=False),  # dense
    Column("origin", _UUID, nullable=False),
    Column("event", _UUID, nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("at", Instant, nullable=False),
    Column("urgent", Boolean, nullable=False),
    Column("kind", String(16), nullable=False),  # alert | withdrawn
    Column("state", String(16), nullable=False, index=True),  # waiting | due | told | dropped
    Column("decided_by", String(160)),
    Index("ix_announcement_log", "origin", "event"),
)

alert = Table(  # what one organisation is told of an announcement; k is its own dense number
    "alert",
    metadata,
    Column("org", _UUID, primary_key=True),
    Column("k", BigInteger, primary_key=True, autoincrement=False),
    Column("n", _ROWID, ForeignKey("announcement.n"), nullable=False, index=True),
    Column("kind", String(16), nullable=False),  # alert | update | withdrawn
    Column("at", Instant, nullable=False),
    Column("seen_by", String(160)),
    Column("seen_at", Instant),
    Column("escalate_at", Instant, index=True),  # null: nobody need be told again
    Column("escalated_at", Instant),
)

alert_delivery = Table(  # an alert on its way out by webhook or mail; of an answer only its status
    "alert_delivery",
    metadata,
    Column("org", _UUID, primary_key=True),
    Column("k", BigInteger, primary_key=True, autoincrement=False),
    Column("way", String(16), primary_key=True),  # webhook | mail | second
    Column("state", String(16), nullable=False),  # waiting | sent | dead
    Column("made_at", Instant, nullable=False),
    Column("next_try_at", Instant, nullable=False, index=True),
    Column("tries", Integer, nullable=False),
    Column("status", String(64), nullable=False),
    ForeignKeyConstraint(["org", "k"], ["alert.org", "alert.k"]),
)

alert_way = Table(  # how an organisation wants to be told
    "alert_way",
    metadata,
    Column("org", _UUID, ForeignKey("org.org"), primary_key=True),
    Column("mail", String(254), nullable=False),
    Column("second_mail", String(254), nullable=False),  # asked where nobody has acknowledged
    Column("language", String(2), nullable=False),
    Column("webhook", Text, nullable=False),  # https URL; empty: none
    Column("webhook_salt", String(32), nullable=False),  # the secret is made from it and a node key
)

"""The tables of notes about logs, and of what was seen here."""

from sqlalchemy import BigInteger, Column, Index, String, Table

from node.storage.columns import UUID, Instant, metadata

note_about = Table(  # which log a note is about, by what the holding readers go by says
    "note_about",
    metadata,
    Column("origin", UUID, primary_key=True),
    Column("event", UUID, primary_key=True),
    Column("about_origin", UUID, nullable=False),
    Column("about_event", UUID, nullable=False),
    Index("ix_note_about_log", "about_origin", "about_event"),
)

sighting = Table(  # what was seen here: stays here, only counts by the day leave in a note
    "sighting",
    metadata,
    Column("org", UUID, primary_key=True),
    Column("id", UUID, primary_key=True),  # its org's own word, so that the same again counts once
    Column("origin", UUID, nullable=False),
    Column("event", UUID, nullable=False),
    Column("attribute", UUID, nullable=False),
    Column("type", String(16), nullable=False),
    Column("day", String(10), nullable=False),
    Column("count", BigInteger, nullable=False),
    Column("person", String(160), nullable=False),
    Column("added_at", Instant, nullable=False),
    Index("ix_sighting_log", "origin", "event"),
)

"""The tables of notes and of the federation's later rooms; written out as in 0001."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_UUID = sa.String(36)
_INSTANT = sa.BigInteger()  # microseconds since 1970, UTC


def upgrade() -> None:
    _notes()


def _notes() -> None:
    op.create_table(
        "note_about",
        sa.Column("origin", _UUID, nullable=False),
        sa.Column("event", _UUID, nullable=False),
        sa.Column("about_origin", _UUID, nullable=False),
        sa.Column("about_event", _UUID, nullable=False),
        sa.PrimaryKeyConstraint("origin", "event", name="pk_note_about"),
    )
    op.create_index("ix_note_about_log", "note_about", ["about_origin", "about_event"])
    op.create_table(
        "sighting",
        sa.Column("org", _UUID, nullable=False),
        sa.Column("id", _UUID, nullable=False),
        sa.Column("origin", _UUID, nullable=False),
        sa.Column("event", _UUID, nullable=False),
        sa.Column("attribute", _UUID, nullable=False),
        sa.Column("type", sa.String(16), nullable=False),
        sa.Column("day", sa.String(10), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("person", sa.String(160), nullable=False),
        sa.Column("added_at", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("org", "id", name="pk_sighting"),
    )
    op.create_index("ix_sighting_log", "sighting", ["origin", "event"])


def downgrade() -> None:
    raise NotImplementedError("a node's data is never thrown away; restore a backup instead")

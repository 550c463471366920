"""Sharing groups, MISP's words of how far things go, and what peers bring in a day."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_UUID = sa.String(36)
_INSTANT = sa.BigInteger()  # microseconds since 1970, UTC


def upgrade() -> None:
    op.add_column("receipt_due", sa.Column("lost", sa.LargeBinary()))
    op.create_table(
        "sharing_group",
        sa.Column("group", _UUID, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("releasability", sa.Text(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("roaming", sa.Boolean(), nullable=False),
        sa.Column("servers", sa.Text(), nullable=False),
        sa.Column("shows_members", sa.Boolean(), nullable=False),
        sa.Column("reached", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("owner", _UUID, nullable=False),
        sa.Column("created_by", sa.String(160), nullable=False),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.Column("changed_at", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("group", name="pk_sharing_group"),
        sa.UniqueConstraint("number", name="uq_sharing_group_number"),
    )
    op.create_table(
        "group_member",
        sa.Column("group", _UUID, nullable=False),
        sa.Column("org", _UUID, nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("extend", sa.Boolean(), nullable=False),
        sa.Column("via", _UUID),
        sa.PrimaryKeyConstraint("group", "org", name="pk_group_member"),
        sa.ForeignKeyConstraint(["group"], ["sharing_group.group"], name="fk_group_member_group"),
    )
    op.create_table(
        "spread",
        sa.Column("event", _UUID, nullable=False),
        sa.Column("part", _UUID, nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("group", _UUID),
        sa.Column("left_out", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("event", "part", name="pk_spread"),
    )
    op.create_index("ix_spread_group", "spread", ["group"])
    op.create_table(
        "brought",
        sa.Column("src", _UUID, nullable=False),
        sa.Column("share", _UUID, nullable=False),
        sa.Column("day", _INSTANT, nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("src", "share", "day", name="pk_brought"),
    )


def downgrade() -> None:
    raise NotImplementedError("a node's data is never thrown away; restore a backup instead")

"""The tables of notes and of the federation's later rooms; written out as in 0001."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_UUID = sa.String(36)
_HEX = sa.String(64)
_ROWID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_INSTANT = sa.BigInteger()  # microseconds since 1970, UTC


def upgrade() -> None:
    _notes()
    _repair()
    _receipts()
    _patient_releases()
    _alerts()
    _restores()
    _roster()


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


def _repair() -> None:
    op.create_table(
        "told_set",
        sa.Column("org", _UUID, nullable=False),
        sa.Column("side", sa.String(4), nullable=False),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.Column("sum", _HEX, nullable=False),
        sa.PrimaryKeyConstraint("org", "side", name="pk_told_set"),
    )
    op.create_table(
        "repair",
        sa.Column("org", _UUID, nullable=False),
        sa.Column("next_at", _INSTANT, nullable=False),
        sa.Column("why", sa.String(16), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("error", sa.Text()),
        sa.Column("done_at", _INSTANT),
        sa.Column("rounds", sa.Integer(), nullable=False),
        sa.Column("brought", sa.BigInteger(), nullable=False),
        sa.Column("dropped", sa.BigInteger(), nullable=False),
        sa.Column("left_n", sa.BigInteger(), nullable=False),
        sa.Column("left_sum", _HEX, nullable=False),
        sa.PrimaryKeyConstraint("org", name="pk_repair"),
    )


def _receipts() -> None:
    op.create_table(
        "ledger_item",
        sa.Column("party", _UUID, nullable=False),
        sa.Column("item", _HEX, nullable=False),
        sa.Column("pos", sa.BigInteger(), nullable=False),
        sa.Column("origin", _UUID, nullable=False),
        sa.Column("event", _UUID, nullable=False),
        sa.Column("op", sa.String(8), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("party", "item", name="pk_ledger_item"),
    )
    op.create_index("ix_ledger_item_log", "ledger_item", ["origin", "event"])
    op.create_table(
        "receipt_due",
        sa.Column("peer", _UUID, nullable=False),
        sa.Column("item", _HEX, nullable=False),
        sa.Column("outcome", sa.String(8), nullable=False),
        sa.Column("origin", _UUID, nullable=False),
        sa.Column("event", _UUID, nullable=False),
        sa.Column("op", sa.String(8), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("sent", sa.Integer(), nullable=False),
        sa.Column("confirmed", sa.Integer(), nullable=False),
        sa.Column("envelope", sa.LargeBinary(), nullable=False),
        sa.Column("made_at", _INSTANT, nullable=False),
        sa.Column("settled_at", _INSTANT),
        sa.Column("taken", sa.Boolean()),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("next_try_at", _INSTANT),
        sa.PrimaryKeyConstraint("peer", "item", "outcome", name="pk_receipt_due"),
    )
    op.create_index("ix_receipt_due_log", "receipt_due", ["origin", "event"])
    op.create_index("ix_receipt_due_settled", "receipt_due", ["settled_at", "next_try_at"])
    op.create_table(
        "receipt_got",
        sa.Column("id", _ROWID, nullable=False),
        sa.Column("party", _UUID, nullable=False),
        sa.Column("item", _HEX, nullable=False),
        sa.Column("outcome", sa.String(8), nullable=False),
        sa.Column("origin", _UUID, nullable=False),
        sa.Column("event", _UUID, nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("check", sa.Integer(), nullable=False),
        sa.Column("word", sa.String(32), nullable=False),
        sa.Column("sent", sa.Integer(), nullable=False),
        sa.Column("confirmed", sa.Integer(), nullable=False),
        sa.Column("signed_at", _INSTANT, nullable=False),
        sa.Column("got_at", _INSTANT, nullable=False),
        sa.Column("envelope", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_receipt_got"),
        sa.UniqueConstraint("party", "item", "outcome", name="uq_receipt_got_party_item_outcome"),
    )
    op.create_index("ix_receipt_got_log", "receipt_got", ["origin", "event"])


def _patient_releases() -> None:
    op.create_table(
        "patient_release",
        sa.Column("id", _ROWID, nullable=False),
        sa.Column("finding", sa.String(32), nullable=False),
        sa.Column("org", _UUID, nullable=False),
        sa.Column("person", sa.String(160), nullable=False),
        sa.Column("role", sa.String(32), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("envelope", sa.LargeBinary(), nullable=False),
        sa.Column("released_at", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_patient_release"),
        sa.UniqueConstraint("finding", "org", name="uq_patient_release_finding_org"),
    )


def _alerts() -> None:
    op.create_index(
        "ix_outbox_urgent",
        "outbox",
        ["peer", "pos"],
        sqlite_where=sa.text("urgent"),
        postgresql_where=sa.text("urgent"),
    )
    op.create_table(
        "push",
        sa.Column("peer", _UUID, nullable=False),
        sa.Column("origin", _UUID, nullable=False),
        sa.Column("event", _UUID, nullable=False),
        sa.Column("pos", sa.BigInteger(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("pushed_at", _INSTANT),
        sa.Column("next_try_at", _INSTANT),
        sa.Column("last_error", sa.Text()),
        sa.PrimaryKeyConstraint("peer", "origin", "event", name="pk_push"),
    )
    op.create_table(
        "announcement",
        sa.Column("n", _ROWID, nullable=False),
        sa.Column("origin", _UUID, nullable=False),
        sa.Column("event", _UUID, nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("at", _INSTANT, nullable=False),
        sa.Column("urgent", sa.Boolean(), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("decided_by", sa.String(160)),
        sa.PrimaryKeyConstraint("n", name="pk_announcement"),
    )
    op.create_index("ix_announcement_log", "announcement", ["origin", "event"])
    op.create_index("ix_announcement_state", "announcement", ["state"])
    op.create_table(
        "alert",
        sa.Column("org", _UUID, nullable=False),
        sa.Column("k", sa.BigInteger(), nullable=False),
        sa.Column("n", _ROWID, nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("at", _INSTANT, nullable=False),
        sa.Column("seen_by", sa.String(160)),
        sa.Column("seen_at", _INSTANT),
        sa.Column("escalate_at", _INSTANT),
        sa.Column("escalated_at", _INSTANT),
        sa.PrimaryKeyConstraint("org", "k", name="pk_alert"),
        sa.ForeignKeyConstraint(["n"], ["announcement.n"], name="fk_alert_n"),
    )
    op.create_index("ix_alert_n", "alert", ["n"])
    op.create_index("ix_alert_escalate_at", "alert", ["escalate_at"])
    _ways()


def _ways() -> None:
    op.create_table(
        "alert_delivery",
        sa.Column("org", _UUID, nullable=False),
        sa.Column("k", sa.BigInteger(), nullable=False),
        sa.Column("way", sa.String(16), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("made_at", _INSTANT, nullable=False),
        sa.Column("next_try_at", _INSTANT, nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("org", "k", "way", name="pk_alert_delivery"),
        sa.ForeignKeyConstraint(
            ["org", "k"], ["alert.org", "alert.k"], name="fk_alert_delivery_org_k"
        ),
    )
    op.create_index("ix_alert_delivery_next_try_at", "alert_delivery", ["next_try_at"])
    op.create_table(
        "alert_way",
        sa.Column("org", _UUID, nullable=False),
        sa.Column("mail", sa.String(254), nullable=False),
        sa.Column("second_mail", sa.String(254), nullable=False),
        sa.Column("language", sa.String(2), nullable=False),
        sa.Column("webhook", sa.Text(), nullable=False),
        sa.Column("webhook_salt", sa.String(32), nullable=False),
        sa.PrimaryKeyConstraint("org", name="pk_alert_way"),
        sa.ForeignKeyConstraint(["org"], ["org.org"], name="fk_alert_way_org"),
    )


def _restores() -> None:
    op.create_table(
        "restore",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_restore"),
    )
    op.create_table(
        "restoring",
        sa.Column("org", _UUID, nullable=False),
        sa.Column("told", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("org", name="pk_restoring"),
    )
    op.create_table(
        "own_head",
        sa.Column("event", _UUID, nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("recall", sa.LargeBinary()),
        sa.PrimaryKeyConstraint("event", name="pk_own_head"),
    )


def _roster() -> None:
    op.create_table(
        "trust_document",
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("version", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("expires_at", _INSTANT, nullable=False),
        sa.Column("envelope", sa.LargeBinary(), nullable=False),
        sa.Column("taken_at", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("kind", "version", name="pk_trust_document"),
    )
    op.create_table(
        "roster_entry",
        sa.Column("org", _UUID, nullable=False),
        sa.Column("envelope", sa.LargeBinary(), nullable=False),
        sa.Column("taken_at", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("org", name="pk_roster_entry"),
    )
    op.create_table(
        "roster_invitation",
        sa.Column("token_hash", _HEX, nullable=False),
        sa.Column("org", _UUID, nullable=False),
        sa.Column("made_by", sa.String(160), nullable=False),
        sa.Column("made_at", _INSTANT, nullable=False),
        sa.Column("expires_at", _INSTANT, nullable=False),
        sa.Column("used_at", _INSTANT),
        sa.Column("envelope", sa.LargeBinary()),
        sa.Column("approved", sa.Boolean()),
        sa.Column("decided_by", sa.String(160)),
        sa.Column("decided_at", _INSTANT),
        sa.PrimaryKeyConstraint("token_hash", name="pk_roster_invitation"),
    )


def downgrade() -> None:
    raise NotImplementedError("a node's data is never thrown away; restore a backup instead")

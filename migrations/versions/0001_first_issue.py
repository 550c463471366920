"""The tables of the first issue.

Written out, importing nothing of ours: what this revision makes stays what it was, whatever becomes
of the tables later.
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_UUID = sa.String(36)
_HEX = sa.String(64)
_INSTANT = sa.BigInteger()  # microseconds since 1970, UTC
_ROWID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    _people()
    _logs()
    _rules()
    _federation()
    _acts_and_ledger()


def _people() -> None:
    op.create_table(
        "org",
        sa.Column("org", _UUID, nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("country", sa.String(2), nullable=False),
        sa.Column("enrolment", sa.String(64)),
        sa.Column("details", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("org", name="pk_org"),
    )
    op.create_table(
        "person",
        sa.Column("login", sa.String(120), nullable=False),
        sa.Column("org", _UUID, nullable=False),
        sa.Column("role", sa.String(32), nullable=False),
        sa.Column("password_hash", sa.String(200)),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.Column("disabled_at", _INSTANT),
        sa.PrimaryKeyConstraint("login", name="pk_person"),
        sa.ForeignKeyConstraint(["org"], ["org.org"], name="fk_person_org"),
    )
    op.create_table(
        "token",
        sa.Column("token_hash", _HEX, nullable=False),
        sa.Column("prefix", sa.String(16), nullable=False),
        sa.Column("login", sa.String(120), nullable=False),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.Column("expires_at", _INSTANT, nullable=False),
        sa.Column("revoked_at", _INSTANT),
        sa.PrimaryKeyConstraint("token_hash", name="pk_token"),
        sa.ForeignKeyConstraint(["login"], ["person.login"], name="fk_token_login"),
    )
    op.create_table(
        "session",
        sa.Column("session_hash", _HEX, nullable=False),
        sa.Column("login", sa.String(120), nullable=False),
        sa.Column("csrf", sa.String(64), nullable=False),
        sa.Column("expires_at", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("session_hash", name="pk_session"),
        sa.ForeignKeyConstraint(["login"], ["person.login"], name="fk_session_login"),
    )
    op.create_table(
        "audit",
        sa.Column("n", _ROWID, autoincrement=False, nullable=False),
        sa.Column("at", _INSTANT, nullable=False),
        sa.Column("actor", sa.String(160), nullable=False),
        sa.Column("action", sa.String(64), nullable=False),
        sa.Column("origin", _UUID),
        sa.Column("event", _UUID),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("prev", _HEX, nullable=False),
        sa.Column("hash", _HEX, nullable=False),
        sa.PrimaryKeyConstraint("n", name="pk_audit"),
    )


def _logs() -> None:
    op.create_table(
        "log",
        sa.Column("origin", _UUID, nullable=False),
        sa.Column("event", _UUID, nullable=False),
        sa.Column("type", sa.String(16), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("seal", _HEX, nullable=False),
        sa.Column("source", _UUID),
        sa.Column("published", sa.Boolean(), nullable=False),
        sa.Column("urgent", sa.Boolean(), nullable=False),
        sa.Column("report", _UUID),
        sa.Column("ground", sa.Text(), nullable=False),
        sa.Column("recalled_epoch", sa.BigInteger()),
        sa.Column("recalled_seq", sa.BigInteger()),
        sa.Column("recall", sa.LargeBinary()),
        sa.Column("first_seen_at", _INSTANT, nullable=False),
        sa.Column("updated_at", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("origin", "event", name="pk_log"),
    )
    op.create_index("ix_log_updated_at", "log", ["updated_at"])
    op.create_table(
        "holding",
        sa.Column("origin", _UUID, nullable=False),
        sa.Column("event", _UUID, nullable=False),
        sa.Column("src", _UUID, nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("seal", _HEX, nullable=False),
        sa.Column("digest", _HEX, nullable=False),
        sa.Column("hops", sa.Integer(), nullable=False),
        sa.Column("package", sa.LargeBinary(), nullable=False),
        sa.Column("withheld", sa.Text(), nullable=False),
        sa.Column("received_at", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("origin", "event", "src", name="pk_holding"),
        sa.ForeignKeyConstraint(
            ["origin", "event"], ["log.origin", "log.event"], name="fk_holding_origin_event"
        ),
    )
    op.create_table(
        "slot_class",
        sa.Column("id", _ROWID, nullable=False),
        sa.Column("digest", _HEX, nullable=False),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_slot_class"),
        sa.UniqueConstraint("digest", name="uq_slot_class_digest"),
    )
    op.create_table(
        "entry",
        sa.Column("id", _ROWID, nullable=False),
        sa.Column("origin", _UUID, nullable=False),
        sa.Column("event", _UUID, nullable=False),
        sa.Column("src", _UUID, nullable=False),
        sa.Column("record", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Integer(), nullable=False),
        sa.Column("uuid", _UUID, nullable=False),
        sa.Column("type", sa.String(64), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("value_key", sa.String(64), nullable=False),
        sa.Column("head_class", _ROWID, nullable=False),
        sa.Column("value_class", _ROWID, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_entry"),
        sa.ForeignKeyConstraint(["head_class"], ["slot_class.id"], name="fk_entry_head_class"),
        sa.ForeignKeyConstraint(["value_class"], ["slot_class.id"], name="fk_entry_value_class"),
    )
    op.create_index("ix_entry_log", "entry", ["origin", "event", "src"])
    op.create_index("ix_entry_value_key", "entry", ["value_key"])
    op.create_table(
        "log_class",
        sa.Column("origin", _UUID, nullable=False),
        sa.Column("event", _UUID, nullable=False),
        sa.Column("class_id", _ROWID, nullable=False),
        sa.Column("src", _UUID, nullable=False),
        sa.PrimaryKeyConstraint("origin", "event", "class_id", name="pk_log_class"),
        sa.ForeignKeyConstraint(["class_id"], ["slot_class.id"], name="fk_log_class_class_id"),
    )
    op.create_index("ix_log_class_class_id", "log_class", ["class_id"])
    op.create_table(
        "stage",
        sa.Column("org", _UUID, nullable=False),
        sa.Column("report_id", _UUID, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("stage", sa.String(32), nullable=False),
        sa.Column("content_hash", _HEX, nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("event", _UUID, nullable=False),
        sa.Column("report", _UUID, nullable=False),
        sa.Column("submitted_at", _INSTANT, nullable=False),
        sa.Column("submitted_by", sa.String(160), nullable=False),
        sa.Column("aware_at", _INSTANT),
        sa.Column("handled_at", _INSTANT),
        sa.Column("status", sa.String(32), nullable=False),
        sa.Column("significant", sa.String(32), nullable=False),
        sa.Column("completeness", sa.Integer(), nullable=False),
        sa.Column("due", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("org", "report_id", "version", name="pk_stage"),
        sa.ForeignKeyConstraint(["org"], ["org.org"], name="fk_stage_org"),
    )
    op.create_index("ix_stage_event", "stage", ["event"])
    op.create_table(
        "release",
        sa.Column("id", _ROWID, nullable=False),
        sa.Column("origin", _UUID, nullable=False),
        sa.Column("event", _UUID, nullable=False),
        sa.Column("record", _UUID, nullable=False),
        sa.Column("slot_type", sa.Integer(), nullable=False),
        sa.Column("slot_hash", _HEX, nullable=False),
        sa.Column("party", _UUID, nullable=False),
        sa.Column("released_at", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_release"),
        sa.UniqueConstraint(
            "origin",
            "event",
            "record",
            "slot_type",
            "slot_hash",
            "party",
            name="uq_release_origin_event_record_slot_type_slot_hash_party",
        ),
    )


def _rules() -> None:
    op.create_table(
        "rulebook",
        sa.Column("number", _ROWID, autoincrement=False, nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("digest", _HEX, nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("author", sa.String(160), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("proposed_at", _INSTANT, nullable=False),
        sa.Column("base", sa.BigInteger()),
        sa.Column("widens", sa.Boolean(), nullable=False),
        sa.Column("foreseen", sa.Text(), nullable=False),
        sa.Column("place", sa.BigInteger()),
        sa.Column("decided_by", sa.String(160)),
        sa.Column("decided_at", _INSTANT),
        sa.Column("note", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_rulebook"),
        sa.UniqueConstraint("place", name="uq_rulebook_place"),
    )


def _federation() -> None:
    op.create_table(
        "dirty",
        sa.Column("origin", _UUID, nullable=False),
        sa.Column("event", _UUID, nullable=False),
        sa.Column("gen", sa.BigInteger(), nullable=False),
        sa.Column("urgent", sa.Boolean(), nullable=False),
        sa.Column("narrows", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("origin", "event", name="pk_dirty"),
    )
    op.create_table(
        "wake",
        sa.Column("origin", _UUID, nullable=False),
        sa.Column("event", _UUID, nullable=False),
        sa.Column("at", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("origin", "event", name="pk_wake"),
    )
    op.create_index("ix_wake_at", "wake", ["at"])
    op.create_table(
        "peer",
        sa.Column("org", _UUID, nullable=False),
        sa.Column("wants", sa.String(8), nullable=False),
        sa.Column("head_pos", sa.BigInteger(), nullable=False),
        sa.Column("acked_pos", sa.BigInteger(), nullable=False),
        sa.Column("asked_at", _INSTANT),
        sa.Column("basis", _HEX),
        sa.Column("incarnation", sa.String(32)),
        sa.Column("cursor", sa.Text()),
        sa.Column("pos", sa.BigInteger(), nullable=False),
        sa.Column("pulled_at", _INSTANT),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("next_try_at", _INSTANT),
        sa.Column("last_error", sa.Text()),
        sa.Column("last_error_at", _INSTANT),
        sa.Column("skew_ms", sa.BigInteger()),
        sa.Column("rulebook_version", sa.String(64)),
        sa.Column("rulebook_digest", _HEX),
        sa.PrimaryKeyConstraint("org", name="pk_peer"),
    )
    op.create_table(
        "outbox",
        sa.Column("peer", _UUID, nullable=False),
        sa.Column("pos", sa.BigInteger(), nullable=False),
        sa.Column("origin", _UUID, nullable=False),
        sa.Column("event", _UUID, nullable=False),
        sa.Column("op", sa.String(8), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("seal", _HEX, nullable=False),
        sa.Column("digest", _HEX),
        sa.Column("map", sa.LargeBinary()),
        sa.Column("src", _UUID),
        sa.Column("hops", sa.Integer(), nullable=False),
        sa.Column("withheld", sa.Text(), nullable=False),
        sa.Column("rulebook", _HEX, nullable=False),
        sa.Column("urgent", sa.Boolean(), nullable=False),
        sa.Column("projected_at", _INSTANT, nullable=False),
        sa.Column("told", sa.LargeBinary()),
        sa.PrimaryKeyConstraint("peer", "pos", name="pk_outbox"),
        sa.UniqueConstraint("peer", "origin", "event", name="uq_outbox_peer_origin_event"),
    )
    op.create_index("ix_outbox_digest", "outbox", ["peer", "digest"])
    op.create_index("ix_outbox_told", "outbox", ["peer", "told"])
    op.create_table(
        "seen",
        sa.Column("src", _UUID, nullable=False),
        sa.Column("origin", _UUID, nullable=False),
        sa.Column("event", _UUID, nullable=False),
        sa.Column("incarnation", sa.String(32), nullable=False),
        sa.Column("pos", sa.BigInteger(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("digest", _HEX),
        sa.Column("told", sa.LargeBinary()),
        sa.PrimaryKeyConstraint("src", "origin", "event", name="pk_seen"),
    )
    op.create_index("ix_seen_told", "seen", ["src", "told"])
    op.create_table(
        "quarantine",
        sa.Column("id", _ROWID, nullable=False),
        sa.Column("src", _UUID, nullable=False),
        sa.Column("pos", sa.BigInteger(), nullable=False),
        sa.Column("origin", _UUID, nullable=False),
        sa.Column("event", _UUID, nullable=False),
        sa.Column("check", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("item_line", sa.LargeBinary(), nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=False),
        sa.Column("received_at", _INSTANT, nullable=False),
        sa.Column("in_force", sa.LargeBinary()),
        sa.Column("in_force_src", _UUID),
        sa.Column("in_force_seen_at", _INSTANT),
        sa.PrimaryKeyConstraint("id", name="pk_quarantine"),
        sa.UniqueConstraint(
            "src", "origin", "event", "pos", name="uq_quarantine_src_origin_event_pos"
        ),
    )
    op.create_table(
        "nonce",
        sa.Column("kid", sa.String(64), nullable=False),
        sa.Column("nonce", sa.String(64), nullable=False),
        sa.Column("expires_at", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("kid", "nonce", name="pk_nonce"),
    )
    op.create_index("ix_nonce_expires_at", "nonce", ["expires_at"])
    op.create_table(
        "lease",
        sa.Column("name", sa.String(32), nullable=False),
        sa.Column("owner", sa.String(64), nullable=False),
        sa.Column("fence", sa.BigInteger(), nullable=False),
        sa.Column("until", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_lease"),
    )


def _acts_and_ledger() -> None:
    op.create_table(
        "act",
        sa.Column("id", _ROWID, nullable=False),
        sa.Column("origin", _UUID, nullable=False),
        sa.Column("event", _UUID, nullable=False),
        sa.Column("party", _UUID, nullable=False),
        sa.Column("person", sa.String(160), nullable=False),
        sa.Column("role", sa.String(32), nullable=False),
        sa.Column("ground", sa.String(16), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("envelope", sa.LargeBinary(), nullable=False),
        sa.Column("acted_at", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_act"),
    )
    op.create_index("ix_act_log", "act", ["origin", "event"])
    op.create_table(
        "act_slot",
        sa.Column("act", _ROWID, nullable=False),
        sa.Column("record", _UUID, nullable=False),
        sa.Column("slot_type", sa.Integer(), nullable=False),
        sa.Column("slot_hash", _HEX, nullable=False),
        sa.PrimaryKeyConstraint("act", "record", "slot_type", name="pk_act_slot"),
        sa.ForeignKeyConstraint(["act"], ["act.id"], name="fk_act_slot_act"),
    )
    op.create_table(
        "ledger",
        sa.Column("id", _ROWID, nullable=False),
        sa.Column("party", _UUID, nullable=False),
        sa.Column("feed", sa.String(32), nullable=False),
        sa.Column("pos", sa.BigInteger(), nullable=False),
        sa.Column("origin", _UUID, nullable=False),
        sa.Column("event", _UUID, nullable=False),
        sa.Column("op", sa.String(8), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("seal", _HEX, nullable=False),
        sa.Column("digest", _HEX),
        sa.Column("map", sa.LargeBinary()),
        sa.Column("size", sa.BigInteger()),
        sa.Column("void", sa.LargeBinary()),
        sa.Column("rulebook", _HEX, nullable=False),
        sa.Column("given_at", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_ledger"),
        sa.UniqueConstraint(
            "party",
            "feed",
            "pos",
            "seal",
            "rulebook",
            name="uq_ledger_party_feed_pos_seal_rulebook",
        ),
    )
    op.create_index("ix_ledger_log", "ledger", ["origin", "event", "party", "feed", "pos"])
    op.create_table(
        "ledger_ack",
        sa.Column("party", _UUID, nullable=False),
        sa.Column("feed", sa.String(32), nullable=False),
        sa.Column("pos", sa.BigInteger(), nullable=False),
        sa.Column("at", _INSTANT, nullable=False),
        sa.Column("request", sa.LargeBinary()),
        sa.PrimaryKeyConstraint("party", "feed", "pos", name="pk_ledger_ack"),
    )
    op.create_table(
        "ledger_record",
        sa.Column("id", _ROWID, nullable=False),
        sa.Column("origin", _UUID, nullable=False),
        sa.Column("event", _UUID, nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("record", sa.Integer(), nullable=False),
        sa.Column("uuid", _UUID, nullable=False),
        sa.Column("kind", sa.Integer(), nullable=False),
        sa.Column("what", sa.String(64), nullable=False),
        sa.Column("types", sa.String(32), nullable=False),
        sa.Column("slot_type", sa.Integer(), nullable=False),
        sa.Column("key", _HEX, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_ledger_record"),
    )
    op.create_index("ix_ledger_record_log", "ledger_record", ["origin", "event", "epoch"])
    op.create_index("ix_ledger_record_key", "ledger_record", ["key"])


def downgrade() -> None:
    raise NotImplementedError("a node's data is never thrown away; restore a backup instead")

"""Every table of a node, on SQLite and PostgreSQL alike.

Columns are an index over bytes kept as they came: `holding.package` is the truth, all else can be
made again from it. A log is named (origin, event), never by its uuid alone. Instants are stored as
integer microseconds UTC (`Instant`), so that both databases sort and compare them the same way.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from node.storage import (  # noqa: F401  so that all tables are known with these
    tables_alerts,
    tables_feed,
    tables_groups,
    tables_notes,
    tables_repair,
)
from node.storage.columns import HEX as _HEX
from node.storage.columns import ROWID as _ROWID
from node.storage.columns import UUID as _UUID
from node.storage.columns import Instant, metadata

# People -------------------------------------------------------------------------------------------

org = Table(
    "org",
    metadata,
    Column("org", _UUID, primary_key=True),
    Column("name", String(200), nullable=False),
    Column("kind", String(32), nullable=False),  # hospital | supplier | node | hub
    Column("country", String(2), nullable=False),
    Column("enrolment", String(64)),  # id of the enrolment rule accepted, e.g. fr-health/3
    # JSON: entity_type, contact … prefilled in reports
    Column("details", Text, nullable=False, default="{}"),
)

person = Table(
    "person",
    metadata,
    Column("login", String(120), primary_key=True),
    Column("org", _UUID, ForeignKey("org.org"), nullable=False),
    Column("role", String(32), nullable=False),  # hospital | operator | hub_analyst
    Column("password_hash", String(200)),
    Column("created_at", Instant, nullable=False),
    Column("disabled_at", Instant),
)

token = Table(
    "token",
    metadata,
    Column("token_hash", _HEX, primary_key=True),
    Column("prefix", String(16), nullable=False),
    Column("login", String(120), ForeignKey("person.login"), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("revoked_at", Instant),
)

session = Table(
    "session",
    metadata,
    Column("session_hash", _HEX, primary_key=True),
    Column("login", String(120), ForeignKey("person.login"), nullable=False),
    Column("csrf", String(64), nullable=False),
    Column("expires_at", Instant, nullable=False),
)

audit = Table(
    "audit",
    metadata,
    Column("n", _ROWID, primary_key=True, autoincrement=False),  # dense: a missing line shows
    Column("at", Instant, nullable=False),
    Column("actor", String(160), nullable=False),
    Column("action", String(64), nullable=False),
    Column("origin", _UUID),
    Column("event", _UUID),
    Column("detail", Text, nullable=False),  # JSON; never a secret or a withheld value
    Column("prev", _HEX, nullable=False),
    Column("hash", _HEX, nullable=False),
)

# Logs ---------------------------------------------------------------------------------------------

log = Table(
    "log",
    metadata,
    Column("origin", _UUID, primary_key=True),
    Column("event", _UUID, primary_key=True),
    Column("type", String(16), nullable=False),  # event | report
    Column("epoch", BigInteger, nullable=False),  # of the newest statement known
    Column("seq", BigInteger, nullable=False),
    Column("seal", _HEX, nullable=False),
    Column("source", _UUID),  # own logs: the local org that said it; null for received ones
    Column("published", Boolean, nullable=False),  # true for received logs
    Column("urgent", Boolean, nullable=False, default=False),
    Column("report", _UUID),  # of an own incident's event log: uuid of the report log laid over it
    Column("ground", Text, nullable=False, default="{}"),  # JSON: what its labels rest on (D11)
    Column("recalled_epoch", BigInteger),  # the recall floor; outlives the bodies
    Column("recalled_seq", BigInteger),
    Column("recall", LargeBinary),  # the originator's signed recall
    Column("first_seen_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False, index=True),
)

holding = Table(
    "holding",
    metadata,
    Column("origin", _UUID, primary_key=True),
    Column("event", _UUID, primary_key=True),
    Column("src", _UUID, primary_key=True),  # own org for our own logs, else the peer it came from
    Column("epoch", BigInteger, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("seal", _HEX, nullable=False),
    Column("digest", _HEX, nullable=False),
    Column("hops", Integer, nullable=False),
    Column("package", LargeBinary, nullable=False),  # zstd of the package; own: everything live
    Column("withheld", Text, nullable=False, default="[]"),  # JSON: the sender's grounds
    Column("received_at", Instant, nullable=False),
    ForeignKeyConstraint(["origin", "event"], ["log.origin", "log.event"]),
)

slot_class = Table(
    "slot_class",
    metadata,
    Column("id", _ROWID, primary_key=True),
    Column("digest", _HEX, nullable=False, unique=True),
    Column("facts", Text, nullable=False),  # JSON: log, kind, type, label, until, addressees
)

entry = Table(  # one row per disclosed core (its info) and attribute of the holding readers go by
    "entry",
    metadata,
    Column("id", _ROWID, primary_key=True),
    Column("origin", _UUID, nullable=False),
    Column("event", _UUID, nullable=False),
    Column("src", _UUID, nullable=False),
    Column("record", Integer, nullable=False),
    Column("kind", Integer, nullable=False),
    Column("uuid", _UUID, nullable=False),
    Column("type", String(64), nullable=False),
    Column("value", Text, nullable=False),
    Column("value_key", String(64), nullable=False, index=True),  # H(casefolded value or part), hex
    Column("head_class", _ROWID, ForeignKey("slot_class.id"), nullable=False),
    Column("value_class", _ROWID, ForeignKey("slot_class.id"), nullable=False),
    Index("ix_entry_log", "origin", "event", "src"),
)

log_class = Table(  # which slot classes occur in the holding readers go by: who may see anything of
    "log_class",  # the log, what a hold or a changed rule touches, without opening its bytes
    metadata,
    Column("origin", _UUID, primary_key=True),
    Column("event", _UUID, primary_key=True),
    Column("class_id", _ROWID, ForeignKey("slot_class.id"), primary_key=True, index=True),
    Column("src", _UUID, nullable=False),
)

stage = Table(  # submitted stages of a report, append-only
    "stage",
    metadata,
    # a report's id is its org's own word: one that another org has used too tells nobody anything
    Column("org", _UUID, ForeignKey("org.org"), primary_key=True),
    Column("report_id", _UUID, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("stage", String(32), nullable=False),
    Column("content_hash", _HEX, nullable=False),
    Column("content", LargeBinary, nullable=False),  # zstd of what was sent; H of it is the hash
    Column("event", _UUID, nullable=False),  # of the event log cut from it (origin = us)
    Column("report", _UUID, nullable=False),  # of the report log
    Column("submitted_at", Instant, nullable=False),
    Column("submitted_by", String(160), nullable=False),
    Column("aware_at", Instant),  # this and the next three: what its clocks run on
    Column("handled_at", Instant),
    Column("status", String(32), nullable=False),
    Column("significant", String(32), nullable=False),
    Column("completeness", Integer, nullable=False),  # percent
    Column("due", Text, nullable=False),  # JSON: {what: instant}
    Index("ix_stage_event", "event"),
)

act = Table(  # a person's signed word that held slots may go to one party; never changed
    "act",
    metadata,
    Column("id", _ROWID, primary_key=True),
    Column("origin", _UUID, nullable=False),
    Column("event", _UUID, nullable=False),  # of the log that holds the slots
    Column("party", _UUID, nullable=False),
    Column("person", String(160), nullable=False),
    Column("role", String(32), nullable=False),
    Column("ground", String(16), nullable=False),  # consent | order, or nothing
    Column("reference", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("envelope", LargeBinary, nullable=False),  # DSSE, over all of this and the slots
    Column("acted_at", Instant, nullable=False),
    Index("ix_act_log", "origin", "event"),
)

act_slot = Table(
    "act_slot",
    metadata,
    Column("act", _ROWID, ForeignKey("act.id"), primary_key=True),
    Column("record", _UUID, primary_key=True),
    Column("slot_type", Integer, primary_key=True),
    Column("slot_hash", _HEX, nullable=False),
)

release = Table(  # what enough acts have released
    "release",
    metadata,
    Column("id", _ROWID, primary_key=True),
    Column("origin", _UUID, nullable=False),
    Column("event", _UUID, nullable=False),
    Column("record", _UUID, nullable=False),
    Column("slot_type", Integer, nullable=False),
    Column("slot_hash", _HEX, nullable=False),
    Column("party", _UUID, nullable=False),
    Column("released_at", Instant, nullable=False),
    UniqueConstraint("origin", "event", "record", "slot_type", "slot_hash", "party"),
)

patient_release = Table(  # a person's signed word that a finding is no patient data
    "patient_release",
    metadata,
    Column("id", _ROWID, primary_key=True),
    Column("finding", String(32), nullable=False),  # keyed by this node: tells nothing of the text
    Column("org", _UUID, nullable=False),  # whom the person works for
    Column("person", String(160), nullable=False),
    Column("role", String(32), nullable=False),
    Column("reason", Text, nullable=False),
    Column("envelope", LargeBinary, nullable=False),  # DSSE, over all of this
    Column("released_at", Instant, nullable=False),
    UniqueConstraint("finding", "org"),
)

rulebook = Table(  # every one that was ever proposed; in force: the one at the last place
    "rulebook",
    metadata,
    Column("number", _ROWID, primary_key=True, autoincrement=False),  # its version, as peers see it
    Column("name", String(64), nullable=False),
    Column("digest", _HEX, nullable=False),  # over floor, schema and text, as they were then
    Column("text", Text, nullable=False),
    Column("author", String(160), nullable=False),
    Column("why", Text, nullable=False),
    Column("proposed_at", Instant, nullable=False),
    Column("base", BigInteger),  # the number that was in force then; null: it is the first
    Column("widens", Boolean, nullable=False),  # so that another operator has to approve it
    Column("foreseen", Text, nullable=False),  # JSON: what its author was told would change
    Column("place", BigInteger, unique=True),  # among those that were in force; null: it never was
    Column("decided_by", String(160)),
    Column("decided_at", Instant),
    Column("note", Text, nullable=False),  # why it was turned down
)

"""The tables of the federation: what is offered to peers, given, taken and confirmed."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from node.storage.columns import HEX as _HEX
from node.storage.columns import ROWID as _ROWID
from node.storage.columns import UUID as _UUID
from node.storage.columns import Instant, metadata

dirty = Table(  # a set, not a log: what must be projected anew
    "dirty",
    metadata,
    Column("origin", _UUID, primary_key=True),
    Column("event", _UUID, primary_key=True),
    Column("gen", BigInteger, nullable=False, default=1),
    Column("urgent", Boolean, nullable=False, default=False),
    Column("narrows", Boolean, nullable=False, default=False),  # new rules take something back here
)

wake = Table(  # next instant at which a verdict on this log may change with no write
    "wake",
    metadata,
    Column("origin", _UUID, primary_key=True),
    Column("event", _UUID, primary_key=True),
    Column("at", Instant, nullable=False, index=True),
)

peer = Table(
    "peer",
    metadata,
    Column("org", _UUID, primary_key=True),
    # what we serve it
    Column("wants", String(8), nullable=False, default="own"),
    Column("head_pos", BigInteger, nullable=False, default=0),
    Column("acked_pos", BigInteger, nullable=False, default=0),
    Column("asked_at", Instant),  # it last pulled from us
    Column("basis", _HEX),  # H(party, wants, hops) its outbox rests on; another: all logs dirty
    # what we pull from it
    Column("incarnation", String(32)),
    Column("cursor", Text),
    Column("pos", BigInteger, nullable=False, default=0),
    Column("pulled_at", Instant),  # last success
    Column("failures", Integer, nullable=False, default=0),
    Column("next_try_at", Instant),
    Column("last_error", Text),
    Column("last_error_at", Instant),
    Column("skew_ms", BigInteger),  # how far its clock is ahead of ours, as its last page said
    Column("rulebook_version", String(64)),  # the rulebook in force there, as its last page said
    Column("rulebook_digest", _HEX),
)

outbox = Table(  # only the latest row per (peer, log); pos is dense when written
    "outbox",
    metadata,
    Column("peer", _UUID, primary_key=True),
    Column("pos", BigInteger, primary_key=True),
    Column("origin", _UUID, nullable=False),
    Column("event", _UUID, nullable=False),
    Column("op", String(8), nullable=False),  # PUT | WITHDRAW | RECALL
    Column("epoch", BigInteger, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("seal", _HEX, nullable=False),
    Column("digest", _HEX),
    Column("map", LargeBinary),
    Column("src", _UUID),  # the holding it is projected from
    Column("hops", Integer, nullable=False, default=0),
    Column("withheld", Text, nullable=False, default="[]"),
    Column("rulebook", _HEX, nullable=False),
    Column("urgent", Boolean, nullable=False, default=False),
    Column("projected_at", Instant, nullable=False),
    Column("told", LargeBinary),  # names what the peer may hold: federation/told.py
    UniqueConstraint("peer", "origin", "event"),
    Index("ix_outbox_digest", "peer", "digest"),  # packages are asked for by digest
    Index("ix_outbox_told", "peer", "told"),  # repair goes by it
)
Index(  # what is pushed: few rows, looked for often
    "ix_outbox_urgent",
    outbox.c.peer,
    outbox.c.pos,
    sqlite_where=outbox.c.urgent,
    postgresql_where=outbox.c.urgent,
)

ledger = Table(  # append-only: what we gave to whom, when, under which rules
    "ledger",
    metadata,
    Column("id", _ROWID, primary_key=True),
    Column("party", _UUID, nullable=False),
    Column("feed", String(32), nullable=False),  # incarnation of the feed; empty: as a file
    Column("pos", BigInteger, nullable=False),  # place in it; 0: as a file
    Column("origin", _UUID, nullable=False),
    Column("event", _UUID, nullable=False),
    Column("op", String(8), nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("seal", _HEX, nullable=False),
    Column("digest", _HEX),
    Column("map", LargeBinary),
    Column("size", BigInteger),  # of a PUT: records of that version, and which of them were void:
    Column("void", LargeBinary),  # with the map, all that it takes to lead on from it by a delta
    Column("rulebook", _HEX, nullable=False),
    Column("given_at", Instant, nullable=False),
    UniqueConstraint("party", "feed", "pos", "seal", "rulebook"),
    Index("ix_ledger_log", "origin", "event", "party", "feed", "pos"),
)

ledger_ack = Table(  # append-only: the peer came back with a cursor behind `pos`
    "ledger_ack",
    metadata,
    Column("party", _UUID, primary_key=True),
    Column("feed", String(32), primary_key=True),
    Column("pos", BigInteger, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("request", LargeBinary),  # its signed request, as it came
)

ledger_item = Table(  # append-only: the very item lines that went, so that receipts can name them
    "ledger_item",
    metadata,
    Column("party", _UUID, primary_key=True),
    Column("item", _HEX, primary_key=True),  # H(item line)
    Column("pos", BigInteger, nullable=False),
    Column("origin", _UUID, nullable=False),
    Column("event", _UUID, nullable=False),
    Column("op", String(8), nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Index("ix_ledger_item_log", "origin", "event"),
)

receipt_due = Table(  # receipts of ours, until the peer has taken them; kept afterwards
    "receipt_due",
    metadata,
    Column("peer", _UUID, primary_key=True),
    Column("item", _HEX, primary_key=True),
    Column("outcome", String(8), primary_key=True),  # erased | refused
    Column("origin", _UUID, nullable=False),
    Column("event", _UUID, nullable=False),
    Column("op", String(8), nullable=False),  # of the item, as its version; empty and 0 where its
    Column("epoch", BigInteger, nullable=False),  # line could not be read
    Column("seq", BigInteger, nullable=False),
    Column("sent", Integer, nullable=False),  # what it says of those whom we passed the log on to
    Column("confirmed", Integer, nullable=False),
    Column("envelope", LargeBinary, nullable=False),  # DSSE
    Column("made_at", Instant, nullable=False),
    Column("lost", LargeBinary),  # what must be gone before it is signed; null: it is signed
    Column("settled_at", Instant),  # the peer took it, or turned it down for good
    Column("taken", Boolean),  # which of them; null: neither yet
    Column("failures", Integer, nullable=False, default=0),
    Column("next_try_at", Instant),  # null: at once
    Index("ix_receipt_due_log", "origin", "event"),
    Index("ix_receipt_due_settled", "settled_at", "next_try_at"),
)

receipt_got = Table(  # what peers signed about items of ours
    "receipt_got",
    metadata,
    Column("id", _ROWID, primary_key=True),
    Column("party", _UUID, nullable=False),
    Column("item", _HEX, nullable=False),
    Column("outcome", String(8), nullable=False),
    Column("origin", _UUID, nullable=False),
    Column("event", _UUID, nullable=False),
    Column("epoch", BigInteger, nullable=False),  # of the item, as we gave it
    Column("seq", BigInteger, nullable=False),
    Column("check", Integer, nullable=False),  # of a refusal; 0: none
    Column("word", String(32), nullable=False),
    Column("sent", Integer, nullable=False),
    Column("confirmed", Integer, nullable=False),
    Column("signed_at", Instant, nullable=False),  # as the party says
    Column("got_at", Instant, nullable=False),  # the first time
    Column("envelope", LargeBinary, nullable=False),  # DSSE, as it came
    UniqueConstraint("party", "item", "outcome"),
    Index("ix_receipt_got_log", "origin", "event"),
)

ledger_record = Table(  # append-only: what stood at a place of a log that was given to anybody
    "ledger_record",
    metadata,
    Column("id", _ROWID, primary_key=True),
    Column("origin", _UUID, nullable=False),
    Column("event", _UUID, nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Column("record", Integer, nullable=False),
    Column("uuid", _UUID, nullable=False),
    Column("kind", Integer, nullable=False),
    Column("what", String(64), nullable=False),  # type of an attribute, name of a field
    Column("types", String(32), nullable=False),  # of its slots, two hex digits each
    Column("slot_type", Integer, nullable=False),  # the slot whose value has this key; 0: none
    Column("key", _HEX, nullable=False, index=True),  # HMAC of the value: it outlives the value
    Index("ix_ledger_record_log", "origin", "event", "epoch"),
)

restore = Table(  # each time that the database was found to be a backup
    "restore",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
)

# After a restore: our own row until an operator ends it, a peer's until it is read.
restoring = Table(
    "restoring",
    metadata,
    Column("org", _UUID, primary_key=True),
    Column("told", Boolean, nullable=False, default=False),  # it has told the heads of our logs
)

own_head = Table(  # after a restore: the newest version of a log of ours that anybody knows
    "own_head",
    metadata,
    Column("event", _UUID, primary_key=True),
    Column("epoch", BigInteger, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("recall", LargeBinary),  # our own signed recall of it
)

seen = Table(  # what a source last told us of a log; outlives the holding (idempotent ingest)
    "seen",
    metadata,
    Column("src", _UUID, primary_key=True),
    Column("origin", _UUID, primary_key=True),
    Column("event", _UUID, primary_key=True),
    Column("incarnation", String(32), nullable=False),
    Column("pos", BigInteger, nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("digest", _HEX),
    Column("told", LargeBinary),  # names what the source says that we hold
    Index("ix_seen_told", "src", "told"),
)

quarantine = Table(
    "quarantine",
    metadata,
    Column("id", _ROWID, primary_key=True),
    Column("src", _UUID, nullable=False),
    Column("pos", BigInteger, nullable=False),
    Column("origin", _UUID, nullable=False),
    Column("event", _UUID, nullable=False),
    Column("check", Integer, nullable=False),
    Column("reason", Text, nullable=False),
    Column("item_line", LargeBinary, nullable=False),
    # as received; never indexed, never shown as content
    Column("raw", LargeBinary, nullable=False),
    Column("received_at", Instant, nullable=False),
    # of an equivocation: the statement that stays in force, who gave it first, and when
    Column("in_force", LargeBinary),
    Column("in_force_src", _UUID),
    Column("in_force_seen_at", Instant),
    UniqueConstraint("src", "origin", "event", "pos"),
)

brought = Table(  # how many bytes were stored of items a source brought on a day; `day` is its
    "brought",  # midnight, UTC; `share` whose logs: an originator, or "strangers"
    metadata,
    Column("src", _UUID, primary_key=True),
    Column("share", _UUID, primary_key=True),
    Column("day", Instant, primary_key=True),
    Column("size_bytes", BigInteger, nullable=False),
)

push = Table(  # how far an urgent row of a peer's feed is on its way by push; `pos` names the row
    "push",
    metadata,
    Column("peer", _UUID, primary_key=True),
    Column("origin", _UUID, primary_key=True),
    Column("event", _UUID, primary_key=True),
    Column("pos", BigInteger, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("pushed_at", Instant),  # the peer took it
    Column("next_try_at", Instant),  # it did not, and is tried again then
    Column("last_error", Text),
)

trust_document = Table(  # what the signed roster rests on: every root since the one trusted first,
    "trust_document",  # and the newest roster
    metadata,
    Column("kind", String(8), primary_key=True),  # root | roster
    Column("version", BigInteger, primary_key=True, autoincrement=False),
    Column("expires_at", Instant, nullable=False),
    Column("envelope", LargeBinary, nullable=False),
    Column("taken_at", Instant, nullable=False),
)

roster_entry = Table(  # a member's own signed entry: ours; at the hub also those it publishes
    "roster_entry",
    metadata,
    Column("org", _UUID, primary_key=True),
    Column("envelope", LargeBinary, nullable=False),
    Column("taken_at", Instant, nullable=False),
)

roster_invitation = Table(  # who may enrol at the hub, once; `envelope` is the entry that came
    "roster_invitation",
    metadata,
    Column("token_hash", _HEX, primary_key=True),
    Column("org", _UUID, nullable=False),
    Column("made_by", String(160), nullable=False),
    Column("made_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("used_at", Instant),
    Column("envelope", LargeBinary),
    Column("approved", Boolean),  # null: not decided
    Column("decided_by", String(160)),
    Column("decided_at", Instant),
)

nonce = Table(  # spent request nonces, until their requests have expired
    "nonce",
    metadata,
    Column("kid", String(64), primary_key=True),
    Column("nonce", String(64), primary_key=True),
    Column("expires_at", Instant, nullable=False, index=True),
)

lease = Table(  # who leads (runs the schedule); fence grows with every change of owner
    "lease",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("owner", String(64), nullable=False),
    Column("fence", BigInteger, nullable=False),
    Column("until", Instant, nullable=False),
)

"""Tables of repair: what peers were told, in sums, and how repairs went."""

from sqlalchemy import BigInteger, Column, Integer, String, Table, Text

from node.storage.columns import HEX, UUID, Instant, metadata

told_set = Table(  # count and sum over `told`, of a peer's outbox and of what a source told us
    "told_set",
    metadata,
    Column("org", UUID, primary_key=True),
    Column("side", String(4), primary_key=True),  # ours | its
    Column("n", BigInteger, nullable=False),
    Column("sum", HEX, nullable=False),
)

repair = Table(  # when a source's feed is compared with what we hold of it, and how it went
    "repair",
    metadata,
    Column("org", UUID, primary_key=True),
    Column("next_at", Instant, nullable=False),
    Column("why", String(16), nullable=False),  # daily | set | new life | asked | failed
    Column("failures", Integer, nullable=False),
    Column("error", Text),  # of the last one, if it failed
    Column("done_at", Instant),  # the last one that came to its end
    Column("rounds", Integer, nullable=False),  # this and the next two: of that one
    Column("brought", BigInteger, nullable=False),
    Column("dropped", BigInteger, nullable=False),
    Column("left_n", BigInteger, nullable=False),  # what stays different: theirs less ours
    Column("left_sum", HEX, nullable=False),
)

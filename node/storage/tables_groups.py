"""The tables of sharing groups, and of what sources said in MISP's words of how far things go."""

from sqlalchemy import Boolean, Column, ForeignKey, Integer, String, Table, Text

from node.storage.columns import UUID, Instant, metadata

sharing_group = Table(
    "sharing_group",
    metadata,
    Column("group", UUID, primary_key=True),
    Column("number", Integer, nullable=False, unique=True),  # what MISP calls it by
    Column("name", String(200), nullable=False),
    Column("releasability", Text, nullable=False),
    Column("active", Boolean, nullable=False),  # once it is not, it never is again
    Column("roaming", Boolean, nullable=False),
    Column("servers", Text, nullable=False),  # JSON: base URLs; count unless roaming
    Column("shows_members", Boolean, nullable=False),
    Column("reached", Text, nullable=False),  # JSON: whom it reached when labels were last made
    Column("version", Integer, nullable=False),
    Column("owner", UUID, nullable=False),
    Column("created_by", String(160), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("changed_at", Instant, nullable=False),
)

group_member = Table(
    "group_member",
    metadata,
    Column("group", UUID, ForeignKey("sharing_group.group"), primary_key=True),
    Column("org", UUID, primary_key=True),
    Column("name", String(200), nullable=False),
    Column("extend", Boolean, nullable=False),
    Column("via", UUID),  # the member of the federation by which it is reached
)

spread = Table(  # of our own events: how far a part goes in its source's words; never sealed
    "spread",
    metadata,
    Column("event", UUID, primary_key=True),
    Column("part", UUID, primary_key=True),  # the event's own uuid: the whole
    Column("level", Integer, nullable=False),  # MISP's distribution
    Column("group", UUID, index=True),
    Column("left_out", Text, nullable=False),  # JSON: its members that the source did not list
)

"""When a source's feed is compared with what we hold of it: once a day, and whenever they differ.

Each feed says with its last page what all of it adds up to (`set`). What stayed different after a
repair (refused here, or not to be served there) is remembered as a difference of sums, so that only
a new one makes the next repair due. The daily one reads the rows themselves: it also finds what was
lost from a database past the sums.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from federation.peer import Peer
from federation.told import Fingerprint
from federation.transfer import OutboxSet
from node.actions.quota import full_shares, tomorrow
from node.node import Node
from node.storage.peers import list_peers
from node.storage.repair import (
    RepairRow,
    Side,
    find_repair,
    find_set,
    list_repairs,
    put_repair,
)
from node.storage.store import Unit

EVERY = timedelta(days=1)
DAILY, SET, NEW_LIFE, ASKED = "daily", "set", "new life", "asked"


def next_day(node: Node, *, first: bool = False) -> datetime:
    """When the next daily one begins; the first at any hour, so that sources do not crowd."""
    chance = int.from_bytes(node.rng(8)) / 2**64
    return node.wall() + EVERY * (chance if first else 1)


def heed_set(node: Node, unit: Unit, source: str, told: OutboxSet) -> None:
    """Compare what the source's whole feed adds up to with what it told us; we have read it all."""
    conn = unit.connection
    ours, row = find_set(conn, source, Side.ITS), find_repair(conn, source)
    left = Fingerprint(told.n, int(told.sum, 16)) - ours
    planned = row or RepairRow(source, next_day(node, first=True), DAILY)
    if planned.why == DAILY and left != planned.left:
        is_late = bool(full_shares(node, unit, source))  # what was left out may come tomorrow
        planned = replace(planned, next_at=tomorrow(node) if is_late else node.wall(), why=SET)
    if planned != row:
        put_repair(conn, planned)


def make_due(node: Node, unit: Unit, sources: Iterable[str], why: str) -> None:
    """Let these sources' feeds be compared as soon as the schedule comes to it."""
    for source in sources:
        row = find_repair(unit.connection, source) or RepairRow(source, node.wall(), why)
        put_repair(unit.connection, replace(row, next_at=node.wall(), why=why))


def repair_words(row: RepairRow | None) -> str:
    """How repair stands with a source, in a sentence."""
    if row is None:
        return "not compared yet"
    if row.error is not None:
        return f"comparing failed, tried again by itself: {row.error}"
    if row.why != DAILY:
        return "differs or may differ: to be compared now"
    if row.done_at is None:
        return "its feed adds up to what came; compared in full once a day"
    at = f"{row.done_at:%Y-%m-%d %H:%M:%SZ}"
    if row.left != Fingerprint():
        return (
            f"compared {at}: what differs was refused here, waits here, or cannot be served there"
        )
    return f"compared {at}: both agree"


def due_peers(node: Node) -> list[Peer]:
    """The peers whose feeds are to be compared now; who fails is probed by pulls alone."""
    now = node.wall()
    with node.store.read() as unit:
        rows = list_repairs(unit.connection)
        failing = {row.org for row in list_peers(unit.connection) if row.failures}
    due = {org for org, row in rows.items() if row.next_at <= now} - failing
    return [peer for peer in node.peers if peer.org in due]

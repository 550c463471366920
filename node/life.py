"""Whether the database is the one that this node last worked with, or a backup of it.

The ledger's last line is kept outside of it before anything leaves (`node/outside.py`); a ledger
that ends earlier is a backup's. One from which nothing left afterwards is as good as the newest.
"""

from collections.abc import Sequence
from pathlib import Path

import structlog

from node import outside
from node.keys import read_incarnation, renew_incarnation
from node.storage.feed import mark_all_dirty
from node.storage.restores import NEVER, Head, begin_restore, last_mark, own_versions, raise_heads
from node.storage.store import Store, lock_name

_log = structlog.get_logger(__name__)


def notice_restore(store: Store, data: Path, org: str, peers: Sequence[str]) -> str | None:
    """Lock a node whose database is older than what left it; gives its feed's new life, if so.

    All is decided anew, too: what waited in the feed rests on what was held then.
    """
    known = outside.last_given(data)  # first: a running node only ever gets further
    with store.read() as unit:
        found = last_mark(unit.connection)
    if found >= known:
        _raise_floors(store, data, org)
        return None
    with store.write() as unit:
        conn = unit.connection
        lock_name(conn, "restore")
        if last_mark(conn) < known:  # else another process was first
            incarnation = renew_incarnation(data)
            begin_restore(conn, org, peers, number=max(found[0], known[0]) + 1)
            mark_all_dirty(conn)
        else:
            incarnation = read_incarnation(data)
        mark = last_mark(conn)
    outside.note_given(data, mark)
    _log.error("restored from a backup: nothing is sealed or served before it is ended", node=org)
    return incarnation


def _raise_floors(store: Store, data: Path, org: str) -> None:
    """Let no version be sealed a second time that was sealed here and is not in the database.

    It was never written (the process died), or lies in a backup's future and never left.
    """
    newest = dict[str, tuple[int, int]]()
    for event, version, *_ in outside.all_sealed(data):
        newest[event] = max(version, newest.get(event, version))
    with store.read() as unit:
        known = own_versions(unit.connection, org)
    ahead = [Head(event, *at) for event, at in newest.items() if at > known.get(event, NEVER)]
    if ahead:
        with store.write() as unit:
            raise_heads(unit.connection, ahead)

"""Serves a peer its feed: one page, signed for it, of what may leave at this moment.

The cursor a peer asks with confirms everything before it. A page holds nothing that was decided
under old facts (D22): it ends before a row whose log is dirty, and is made again if a log in it
changed while it was made. A stored package that cannot be encoded is put before the operator (in
quarantine, from ourselves) and left out; the rest goes on.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

import structlog

from federation.auth import Requester
from federation.cursor import IncarnationChanged
from federation.errors import BadCursorError, BadRequestError, RolledBackError
from federation.feed import (
    Feed,
    FeedQuery,
    Plan,
    Question,
    plan_page,
    write_page,
)
from federation.push import write_push
from federation.repair_lines import Wanted
from federation.transfer import OutboxSet
from federation.wire import Op
from node.actions.basis import first_wants
from node.actions.errors import RestoringError
from node.actions.ledger import item_lines, note_given
from node.actions.shelf import Broken, Shelf, outbox_of, projected
from node.actions.stored import OWN_STORE
from node.node import Node
from node.storage.errors import StoredPackageError
from node.storage.feed import (
    FeedRow,
    clean_places,
    row_by_digest,
    rows_after,
    rows_wanted,
)
from node.storage.ledger import Acknowledgement, add_acknowledgement
from node.storage.nonces import spend_nonce
from node.storage.peers import PeerRow, find_peer, lock_peer, note_ask
from node.storage.quarantine import QuarantineRow, add_quarantine
from node.storage.restores import is_awaited
from node.storage.roster import roster_version
from node.storage.store import Unit
from sharing.errors import SharingError
from sharing.seal.package import write_package

_TRIES = 4
_EMPTY = Plan((), cut=False, held_back=False)
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class NotYet:
    """The package is in this peer's feed, but its log is being decided anew: ask again soon."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Where a peer has come to in its feed; where that ends, and what stands in all of it."""

    feed: Feed
    place: int
    head: int
    outbox: OutboxSet


def spend(node: Node, asker: Requester) -> None:
    """Spend the nonce of a request whose signature was checked.

    Raises:
        BadRequestError: with reason `nonce`: it was spent before.
    """
    with node.store.write() as unit:
        _spend(node, unit, asker)


def serve_feed(
    node: Node, asker: Requester, query: FeedQuery, request: bytes | None = None
) -> bytes | IncarnationChanged:
    """The page after the asker's cursor, signed for it and for its nonce, which is spent.

    What is on it enters the ledger before it goes; `request`, the signed words of who asks, is kept
    as his acknowledgement of what came before.

    Raises:
        BadRequestError: with reason `nonce`: it was spent before.
        BadCursorError: the cursor is not this peer's.
        RolledBackError: the peer has read further than our feed goes.
        RestoringError: a restore is under way.
    """
    node = node.pinned()
    return _page_of(node, asker, query, _heed_ask(node, asker, query, request))


def heed_ask(
    node: Node, asker: Requester, query: FeedQuery, request: bytes | None = None
) -> Asked | IncarnationChanged:
    """Spend the nonce and take what the asker's cursor confirms; its page is `serve_held`'s.

    Raises what `serve_feed` does.
    """
    return _heed_ask(node.pinned(), asker, query, request)


def serve_held(node: Node, asker: Requester, query: FeedQuery) -> bytes | IncarnationChanged:
    """The page of now for a question that was heeded a while ago.

    Raises what `serve_feed` does, but of the nonce.
    """
    node = node.pinned()
    with node.store.read() as unit:
        if is_awaited(unit.connection, node.org):
            raise RestoringError
        row = find_peer(unit.connection, asker.org)
        asked = _asked(unit, feed_for(node, unit, asker.org), query, row.head_pos if row else 0)
    return _page_of(node, asker, query, asked)


def _heed_ask(
    node: Node, asker: Requester, query: FeedQuery, request: bytes | None
) -> Asked | IncarnationChanged:
    with node.store.write() as unit:
        _spend(node, unit, asker)
        feed = feed_for(node, unit, asker.org)
        try:
            return _note_ask(node, unit, feed, query, request)
        except (RestoringError, BadCursorError, RolledBackError) as error:
            refused = error
    raise refused  # out here: the nonce stays spent, whatever is answered


def _page_of(
    node: Node, asker: Requester, query: FeedQuery, asked: Asked | IncarnationChanged
) -> bytes | IncarnationChanged:
    if isinstance(asked, IncarnationChanged):
        return asked
    question = Question(asked.place, query.cursor, asker.nonce)
    if asked.place < asked.head:
        return _page(node, asked.feed, question, query.limit)
    page = write_page(
        asked.feed,
        question,
        _EMPTY,
        lambda _: None,
        head=asked.head,
        now=node.wall(),
        outbox=asked.outbox,
    )
    return b"".join(page)


def has_news(node: Node, peer: str, after: int) -> bool:
    """Whether the row after this place of the peer's feed may leave now."""
    with node.store.read() as unit:
        rows = rows_after(unit.connection, peer, after, 1)
    return any(_may_leave(row, node.judge.rulebook.digest) for row in rows)


def _spend(node: Node, unit: Unit, asker: Requester) -> None:
    now, until = node.wall(), asker.expires_at
    if not spend_nonce(unit.connection, asker.kid, asker.nonce, now=now, until=until):
        raise BadRequestError("nonce", "it was spent before")


def _note_ask(
    node: Node, unit: Unit, feed: Feed, query: FeedQuery, request: bytes | None
) -> Asked | IncarnationChanged:
    """Keep that the peer came, and what its cursor confirms.

    Who asks is up: if it was failing, we ask it within an interval.
    """
    conn = unit.connection
    if is_awaited(conn, node.org):
        raise RestoringError
    row = lock_peer(conn, feed.peer, wants=first_wants(node))
    asked = _asked(unit, feed, query, row.head_pos)
    if isinstance(asked, IncarnationChanged):
        return asked
    now, again_by = node.wall(), _again_by(node, row)
    wants = query.wants.value
    if note_ask(conn, row, pos=asked.place, wants=wants, at=now, again_by=again_by):
        add_acknowledgement(
            conn, Acknowledgement(feed.peer, feed.incarnation, asked.place, node.clock(), request)
        )
    return asked


def _again_by(node: Node, row: PeerRow) -> datetime:
    """When to ask a peer again that is up: not all in one second, and no oftener for its asking."""
    interval = timedelta(seconds=node.settings.pull_interval_s)
    soon = node.wall() + interval * (int.from_bytes(node.rng(8)) / 2**64)
    return soon if row.last_error_at is None else max(soon, row.last_error_at + interval)


def _asked(unit: Unit, feed: Feed, query: FeedQuery, head: int) -> Asked | IncarnationChanged:
    place = feed.place_of(query, head)
    if isinstance(place, IncarnationChanged):
        return place
    return Asked(feed, place, head, outbox_of(unit, feed.peer))


def push_page(node: Node, peer: str, pos: int, nonce: str) -> bytes | None:
    """The push of the row at this place of the peer's feed; None: it may not leave now.

    Like a page, it enters the ledger before it goes; unlike one it confirms nothing.
    """
    node = node.pinned()
    with node.store.read() as unit:
        feed = feed_for(node, unit, peer)
        shelf = Shelf(node, unit, feed, after=0, known_broken={})  # so never a delta
        is_locked = is_awaited(unit.connection, node.org)
        rows = [] if is_locked else [row for row in shelf.rows(pos - 1, 1) if row.line.pos == pos]
        plan = plan_page(rows, after=pos - 1, rulebook=feed.rulebook_digest, limit=1)
        if not plan.rows:
            return None
        (line,) = plan.rows
        load = shelf.load_of(line) if line.op is Op.PUT else b""
        package = load if isinstance(load, bytes) else b""
        parts = write_push(feed, line, package, nonce=nonce, head=shelf.head, now=node.wall())
    _report(node, list(shelf.found_broken.values()))
    stands = partial(_is_current, peer, pos - 1, plan)
    if shelf.found_broken or not _note_given(node, shelf, plan, parts, stands):
        return None
    return b"".join(parts)


def items_page(node: Node, peer: str, wanted: Collection[Wanted], nonce: str) -> bytes | NotYet:
    """The rows of the peer's own feed that tell these names or are of these logs, on a page.

    They enter the ledger before they go; the page confirms nothing and moves nobody's place. What
    stands in no row is left out, as are rows that cannot be served.

    Raises:
        RestoringError: a restore is under way.
    """
    node = node.pinned()
    question, broken = Question(None, None, nonce), dict[int, Broken]()
    while True:
        with node.store.read() as unit:
            feed = feed_for(node, unit, peer)
            if is_awaited(unit.connection, node.org):
                raise RestoringError
            rows = rows_wanted(unit.connection, peer, wanted)
            if not all(_may_leave(row, feed.rulebook_digest) for row in rows):
                return NotYet()
            shelf = Shelf(node, unit, feed, 0, broken)  # after nothing: so never a delta
            lines = tuple(row.line for row in shelf.planned(rows))
            plan = Plan(lines, cut=False, held_back=False)
            chunks = list(
                write_page(feed, question, plan, shelf.load_of, head=shelf.head, now=node.wall())
            )
        if not shelf.found_broken:
            break
        broken |= shelf.found_broken
    _report(node, list(broken.values()))

    def stands(unit: Unit) -> bool:
        return rows_wanted(unit.connection, peer, wanted) == rows

    return b"".join(chunks) if _note_given(node, shelf, plan, chunks, stands) else NotYet()


def _may_leave(row: FeedRow, rulebook: str) -> bool:
    return not row.dirty and row.offer.rulebook == rulebook


def serve_package(node: Node, peer: str, digest: str) -> bytes | NotYet | None:
    """The package of a projection that stands in this peer's own feed; None: none such there."""
    with node.store.read() as unit:
        found = row_by_digest(unit.connection, peer, digest)
        if found is None:
            return None
        is_locked = is_awaited(unit.connection, node.org)
        if is_locked or found.dirty or found.offer.rulebook != node.judge.rulebook.digest:
            return NotYet()
        try:
            return write_package(*projected(unit, found.offer))
        except (StoredPackageError, SharingError, ValueError) as error:
            broken = Broken(found.offer, str(error))
    _report(node, [broken])
    return None


def feed_for(node: Node, unit: Unit, peer: str) -> Feed:
    """The feed that we keep for the peer, as it is signed."""
    return Feed(
        me=node.org,
        peer=peer,
        incarnation=node.keys.incarnation,
        roster=roster_version(unit.connection),
        rulebook_version=node.judge.rulebook.version,
        rulebook_digest=node.judge.rulebook.digest,
        cursor_key=node.keys.cursor,
        signer=node.transport_signer,
    )


def _page(node: Node, feed: Feed, question: Question, limit: int) -> bytes:
    """The page; whatever changes under our hands is planned again, at last without any item."""
    after, broken, left = question.after or 0, dict[int, Broken](), _TRIES - 1
    while True:
        with node.store.read() as unit:
            shelf = Shelf(node, unit, feed, after, broken)
            rows = shelf.rows(after, limit + 1)
            plan = plan_page(
                rows if left else (), after=after, rulebook=feed.rulebook_digest, limit=limit
            )
            chunks = list(
                write_page(
                    feed,
                    question,
                    plan,
                    shelf.load_of,
                    head=shelf.head,
                    now=node.wall(),
                    outbox=outbox_of(unit, feed.peer),
                )
            )
        if shelf.found_broken:
            broken |= shelf.found_broken
        elif _note_given(node, shelf, plan, chunks, partial(_is_current, feed.peer, after, plan)):
            break
        else:
            left -= 1  # never for a broken row: those are found once each, so this ends
    _report(node, list(broken.values()))
    return b"".join(chunks)


def _note_given(
    node: Node, shelf: Shelf, plan: Plan, chunks: Sequence[bytes], stands: Callable[[Unit], bool]
) -> bool:
    """Enter a page in the ledger, unless what is on it no longer stands; tells whether it does."""
    lines = item_lines(chunks)
    given = shelf.given(plan)[: len(lines)]  # a page may end before its plan
    feed = shelf.feed.incarnation
    return note_given(node, feed, given, shelf.records, lines=lines, stands=stands)


def _is_current(peer: str, after: int, plan: Plan, unit: Unit) -> bool:
    """Whether every row of the plan still stands, and is clean, now that the page is made."""
    clean = clean_places(unit.connection, peer, after, plan.rows[-1].pos)
    return clean.issuperset(line.pos for line in plan.rows)


def _report(node: Node, broken: Sequence[Broken]) -> None:
    """Put what cannot be served before the operator, once."""
    if not broken:
        return
    with node.store.write() as unit:
        for one in broken:
            row = QuarantineRow(
                src=node.org,
                pos=one.row.pos,
                origin=one.row.origin,
                event=one.row.event,
                check=OWN_STORE,
                reason=f"stored package cannot be served: {one.reason}",
                item_line=b"",
                raw=b"",
                received_at=node.clock(),
            )
            if add_quarantine(unit.connection, row):
                _log.error("cannot serve", log=row.event, why=one.reason)

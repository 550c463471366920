"""The feed we serve one peer: reading its question, planning a page, writing it.

Pure: the caller reads outbox rows and packages in one transaction and hands them in. The outbox is
state, not a log: one row per log, the newest. What was decided under old facts never leaves: a page
ends before the first row whose log is dirty or that was projected under another rulebook (D22). The
cursor a peer asks with is its acknowledgement of everything before it.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from urllib.parse import parse_qsl

from federation.call import Wants
from federation.cursor import IncarnationChanged, read_cursor, write_cursor
from federation.errors import BadRequestError, RolledBackError
from federation.lines import CURSOR
from federation.transfer import OutboxSet, TransferStatement, write_trailer
from federation.wire import INLINE_CAP, ITEMS_CAP, HeaderLine, ItemLine, Op
from sharing.seal.keys import Signer
from sharing.seal.maps import MaskRun
from sharing.seal.tree import root_of

FEED_PATH = "/fed/v1/feed"
PACKAGES_PATH = "/fed/v1/packages/"
PAGE_BYTES = 4 * 1024 * 1024
WAIT_CAP_S = 30
_NUMBER = re.compile("[0-9]{1,3}")


@dataclass(frozen=True, slots=True)
class DeltaLoad:
    """What leads from the projection `base`, which the peer confirmed, to the one of the item."""

    raw: bytes = field(repr=False)
    base: str
    erase: tuple[MaskRun, ...]


Load = bytes | DeltaLoad  # a whole package, or a delta
LoadOf = Callable[[ItemLine], Load | None]


@dataclass(frozen=True, slots=True)
class FeedQuery:
    """What a peer asks of its feed.

    With `wait_s` the answer may be held for as long as there is nothing for the peer; only then
    `limit` may be 0, which asks for no items, but whether there are any.
    """

    cursor: str | None
    limit: int
    wants: Wants
    wait_s: int = 0

    def path(self) -> str:
        """Path and query of the request."""
        cursor = "" if self.cursor is None else f"cursor={self.cursor}&"
        wait = f"&wait={self.wait_s}" if self.wait_s else ""
        return f"{FEED_PATH}?{cursor}limit={self.limit}&wants={self.wants.value}{wait}"


def read_feed_query(query: str) -> FeedQuery:
    """The question in a raw query string.

    Raises:
        BadRequestError: reason `query`; a name is unknown or twice there, or a value wrong.
    """
    try:
        pairs = parse_qsl(query, keep_blank_values=True, strict_parsing=True, max_num_fields=4)
        values = dict(pairs)
        asked = FeedQuery(
            cursor=values.pop("cursor", None),
            limit=_read_number(values.pop("limit", str(ITEMS_CAP))),
            wants=Wants(values.pop("wants", Wants.OWN)),
            wait_s=_read_number(values.pop("wait", "0")),
        )
    except ValueError as error:
        raise BadRequestError("query", "the feed's query cannot be read") from error
    least = 0 if asked.wait_s else 1
    if values or len(pairs) != len(dict(pairs)) or not least <= asked.limit <= ITEMS_CAP:
        raise BadRequestError("query", f"cursor, limit 1 to {ITEMS_CAP}, wants, wait, each once")
    if asked.wait_s > WAIT_CAP_S:
        raise BadRequestError("query", f"a wait is {WAIT_CAP_S} s at most")
    if asked.cursor is not None and not CURSOR.fullmatch(asked.cursor):
        raise BadRequestError("query", "the cursor is not a token")
    return asked


def _read_number(text: str) -> int:
    if not _NUMBER.fullmatch(text):  # int() also reads "+5", "1_0" and the digits of all scripts
        raise ValueError("number")
    return int(text)


@dataclass(frozen=True, slots=True)
class Feed:
    """The feed of one peer: who sends it, under which life, rulebook and keys."""

    me: str
    peer: str
    incarnation: str
    roster: int
    rulebook_version: str
    rulebook_digest: str
    cursor_key: bytes
    signer: Signer

    def cursor_at(self, pos: int) -> str:
        """This peer's token for a place."""
        return write_cursor(
            key=self.cursor_key, peer=self.peer, incarnation=self.incarnation, pos=pos
        )

    def place_of(self, query: FeedQuery, head: int) -> int | IncarnationChanged:
        """The pos this peer has read up to (0 at the start); everything up to it is acknowledged.

        Raises:
            BadCursorError: the token is not this peer's.
            RolledBackError: it names a place this feed has not reached: our database is older than
                what we have sent, and the operator must give the feed a new incarnation.
        """
        if query.cursor is None:
            return 0
        place = read_cursor(
            query.cursor, key=self.cursor_key, peer=self.peer, incarnation=self.incarnation
        )
        if isinstance(place, int) and place > head:
            raise RolledBackError(f"{self.peer} has read to {place}, our feed ends at {head}")
        return place


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """One row of a peer's outbox: its item line (size not yet known), and whether it may leave."""

    line: ItemLine
    rulebook: str
    dirty: bool


@dataclass(frozen=True, slots=True)
class Plan:
    """The rows of one page; `cut` says that more may leave now, `held_back` that more must wait."""

    rows: tuple[ItemLine, ...]
    cut: bool
    held_back: bool


def plan_page(
    rows: Iterable[OutboxRow], *, after: int, rulebook: str, limit: int = ITEMS_CAP
) -> Plan:
    """The rows that may leave now, from rows in the order of their pos, all beyond `after`.

    Give at least `limit` + 1 rows where there are so many.
    """
    taken: list[ItemLine] = []
    last = after
    for row in rows:
        if row.line.pos <= last:
            raise ValueError(f"outbox row {row.line.pos} after {last}")
        if len(taken) == limit:
            return Plan(tuple(taken), cut=True, held_back=False)
        if row.dirty or row.rulebook != rulebook:
            return Plan(tuple(taken), cut=False, held_back=True)
        taken.append(row.line)
        last = row.line.pos
    return Plan(tuple(taken), cut=False, held_back=False)


@dataclass(frozen=True, slots=True)
class Question:
    """What one page answers: the place it starts after, the token that named it, the nonce.

    `after` is None for a page of items that were asked for by name: it moves nobody's place.
    """

    after: int | None
    cursor: str | None
    nonce: str


def write_page(
    feed: Feed,
    question: Question,
    plan: Plan,
    load_of: LoadOf,
    *,
    head: int,
    now: datetime,
    outbox: OutboxSet | None = None,
) -> Iterator[bytes]:
    """The page as it grows: header, items up to 4 MiB, signed trailer.

    `load_of` gives what goes with a PUT; None ends the page before that item. Packages above 1 MiB
    are announced with size 0. `head` is the feed's newest pos, `outbox` what stands in all of it,
    `now` the real wall clock's.
    """
    yield _header(feed, question).write() + b"\n"
    lines: list[bytes] = []
    upto, sent, more = question.after or 0, 0, plan.cut
    for row in plan.rows:
        load = load_of(row) if row.op is Op.PUT else b""
        if load is None:
            more = False
            break
        line, raw = _loaded(row, load)
        if lines and sent + len(line) + len(raw) > PAGE_BYTES:
            more = True
            break
        yield line + b"\n" + raw
        lines.append(line)
        upto, sent = row.pos, sent + len(line) + len(raw)
    statement = _statement(feed, question, lines, upto=upto, head=head, more=more, now=now)
    yield write_trailer(replace(statement, outbox=outbox), feed.signer) + b"\n"


def _loaded(row: ItemLine, load: Load) -> tuple[bytes, bytes]:
    """The line as it goes with its bytes, and these."""
    match load:
        case DeltaLoad(raw, base, erase):
            return replace(row, size=len(raw), base=base, erase=erase).write(), raw
        case package:
            raw = package if len(package) <= INLINE_CAP else b""
            return replace(row, size=len(raw)).write(), raw


def _statement(
    feed: Feed,
    question: Question,
    lines: Sequence[bytes],
    *,
    upto: int,
    head: int,
    more: bool,
    now: datetime,
) -> TransferStatement:
    return TransferStatement(
        sender=feed.me,
        to=feed.peer,
        incarnation=feed.incarnation,
        after=question.after,
        upto=upto,
        head=head,
        more=more,
        next=feed.cursor_at(0 if question.after is None else upto),  # 0 only begins anew
        count=len(lines),
        root=root_of(lines).hex(),
        rulebook=feed.rulebook_digest,
        roster=feed.roster,
        nonce=question.nonce,
        at=now,
        keys=(feed.signer.kid,),
    )


def _header(feed: Feed, question: Question) -> HeaderLine:
    return HeaderLine(
        sender=feed.me,
        to=feed.peer,
        incarnation=feed.incarnation,
        roster=feed.roster,
        rulebook_version=feed.rulebook_version,
        rulebook_digest=feed.rulebook_digest,
        cursor=question.cursor,
    )

"""Who was given what: the ledger, asked by value or by event (policies.md §3).

"Given" means that a signed page with it was made for that party, or a file handed over; "confirmed"
that the party came back with a cursor only that page could have given it; "until", that what it was
told next takes the thing back. What organisations enrolled here read at this node is no copy, and
is not in the ledger.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from federation.wire import Op
from node.actions.caller import Caller
from node.actions.errors import BadInputError, NotAllowedError
from node.actions.ledger import is_proven, keys_of
from node.actions.readable import find_answered_for
from node.actions.towards import member_name
from node.actions.waiting import declarations_of
from node.node import Node
from node.storage.ledger import (
    FILE,
    Acknowledgement,
    GivenRow,
    RecordRow,
    acknowledgements_for,
    given_of,
    records_of,
    records_with,
)
from node.storage.people import find_org
from node.storage.store import Unit
from sharing.seal.maps import decode_map
from sharing.seal.records import SlotType

_MOST = 1000  # records of one event that are told one by one

LogKey = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Had:
    """A party was given a thing, and has it `until`; None: it was never asked to forget it.

    `slot` says in which form: head, value or twin. `confirmed_at` None: it never said that it got
    it. `proven`: its signed request for that is kept and checks. `ended_by` is WITHDRAW, RECALL, or
    erased: a later version no longer shows it; `until_confirmed_at` when the party confirmed that.
    """

    party: str
    party_name: str
    origin: str
    event: str
    record: str
    what: str
    slot: str
    way: str
    given_at: datetime
    confirmed_at: datetime | None
    proven: bool
    rulebook: str
    until: datetime | None
    until_confirmed_at: datetime | None
    ended_by: str | None


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the ledger about an event: so many of its records, under which rulebook."""

    party: str
    party_name: str
    event: str
    way: str
    op: str
    version: str
    records: int
    given_at: datetime
    confirmed_at: datetime | None
    proven: bool
    rulebook: str


@dataclass(frozen=True, slots=True)
class Thing:
    """One record of an event: which slots of it each party has, and who only had it."""

    record: str
    what: str
    has: Mapping[str, tuple[str, ...]]
    had: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class EventLedger:
    """All that the ledger says of one event; `more` counts records beyond those told."""

    origin: str
    event: str
    lines: tuple[Line, ...]
    things: tuple[Thing, ...]
    more: int


def who_had_value(node: Node, caller: Caller, value: str) -> tuple[Had, ...]:
    """Give every party that was given the value, whatever has become of it since.

    Raises:
        NotAllowedError: the caller is not staff of this node.
        BadInputError: there is no value to look for.
    """
    if not caller.is_staff:
        raise NotAllowedError("only the node's own staff asks the ledger by value")
    if not value.strip():
        raise BadInputError("value", "is empty")
    with node.store.read() as unit:
        rows = records_with(unit.connection, keys_of(node, value))
        book = _Book(node, unit, {(row.origin, row.event) for row in rows})
    return tuple(had for same in _by_thing(rows).values() for had in book.stretches(same))


def who_had_event(node: Node, caller: Caller, origin: str, event: str) -> EventLedger:
    """Give who was given what of an event and of the files made from it.

    Raises:
        NotFoundError: there is no such event, or the caller answers for none such.
    """
    with node.store.read() as unit:
        conn = unit.connection
        find_answered_for(node, unit, caller, origin, event)
        files = declarations_of(unit, event)
        logs = {(origin, event), *((node.org, file.event) for file in files)}
        rows = records_of(conn, logs)
        book = _Book(node, unit, logs)
    things = [book.thing(same) for same in _by_record(rows).values()]
    told = tuple(one for one in things if one.has or one.had)
    return EventLedger(origin, event, tuple(book.lines()), told[:_MOST], max(0, len(told) - _MOST))


class _Book:
    """The lines about some logs, each with its acknowledgement and with what it shows."""

    def __init__(self, node: Node, unit: Unit, logs: Collection[LogKey]) -> None:
        conn = unit.connection
        given = given_of(conn, logs)
        self._acks = acknowledgements_for(conn, given)
        self._proven = _checked(node, self._acks.values())
        self._by_party: dict[tuple[LogKey, str], list[GivenRow]] = {}
        for row in given:
            self._by_party.setdefault(((row.origin, row.event), row.party), []).append(row)
        self._names = {row.party: _name(node, unit, row.party) for row in given}
        self._masks = {row.map: decode_map(row.map) for row in given if row.map is not None}
        self._given = given

    def lines(self) -> Iterator[Line]:
        """Every line, oldest first."""
        for row in self._given:
            ack = self._acks.get(row)
            yield Line(
                party=row.party,
                party_name=self._names[row.party],
                event=row.event,
                way=_way(row),
                op=row.op,
                version=f"{row.epoch}.{row.seq}",
                records=0 if row.map is None else len(self._masks[row.map]),
                given_at=row.given_at,
                confirmed_at=None if ack is None else ack.at,
                proven=self._is_proven(ack),
                rulebook=row.rulebook,
            )

    def stretches(self, same: Sequence[RecordRow]) -> Iterator[Had]:
        """For each party, from when to when it had the thing that these rows are."""
        log = (same[0].origin, same[0].event)
        for (key, _), rows in self._by_party.items():
            if key == log:
                yield from self._stretches(same, rows)

    def thing(self, same: Sequence[RecordRow]) -> Thing:
        """One record, with who has which slots of it now and who only had some."""
        log = (same[0].origin, same[0].event)
        has: dict[str, tuple[str, ...]] = {}
        had: list[str] = []
        for (key, party), rows in self._by_party.items():
            if key != log:
                continue
            shown = [self._slots(same, row) for row in rows]
            if shown[-1]:
                has[self._names[party]] = shown[-1]
            elif any(shown):
                had.append(self._names[party])
        return Thing(same[0].uuid, same[0].what, has, tuple(sorted(had)))

    def _stretches(self, same: Sequence[RecordRow], rows: Iterable[GivenRow]) -> Iterator[Had]:
        began: GivenRow | None = None
        for row in rows:
            shows = any(self._shows(one, row) for one in same)
            if shows and began is None:
                began = row
            elif began is not None and not shows:
                yield self._had(same[0], began, row)
                began = None
        if began is not None:
            yield self._had(same[0], began, None)

    def _had(self, thing: RecordRow, began: GivenRow, ended: GivenRow | None) -> Had:
        ack = self._acks.get(began)
        forgot = None if ended is None else self._acks.get(ended)
        return Had(
            party=began.party,
            party_name=self._names[began.party],
            origin=thing.origin,
            event=thing.event,
            record=thing.uuid,
            what=thing.what,
            slot=_word(thing.slot_type),
            way=_way(began),
            given_at=began.given_at,
            confirmed_at=None if ack is None else ack.at,
            proven=self._is_proven(ack),
            rulebook=began.rulebook,
            until=None if ended is None else ended.given_at,
            until_confirmed_at=None if forgot is None else forgot.at,
            ended_by=None if ended is None else _ending(ended),
        )

    def _shows(self, thing: RecordRow, row: GivenRow) -> bool:
        return thing.slot_type in self._types(thing, row)

    def _types(self, thing: RecordRow, row: GivenRow) -> tuple[int, ...]:
        """The types of the record's slots that the line shows."""
        if row.map is None or row.epoch != thing.epoch:
            return ()
        mask = self._masks[row.map].get(thing.record, 0)
        return tuple(kind for n, kind in enumerate(thing.types) if mask >> n & 1)

    def _slots(self, same: Iterable[RecordRow], row: GivenRow) -> tuple[str, ...]:
        types = {kind for one in same for kind in self._types(one, row)}
        return tuple(_word(kind) for kind in sorted(types))

    def _is_proven(self, ack: Acknowledgement | None) -> bool:
        return ack is not None and ack in self._proven


def _checked(node: Node, acks: Iterable[Acknowledgement]) -> frozenset[Acknowledgement]:
    return frozenset(ack for ack in set(acks) if is_proven(node, ack))


def _by_thing(rows: Iterable[RecordRow]) -> Mapping[object, Sequence[RecordRow]]:
    return _grouped(rows, lambda row: (row.origin, row.event, row.uuid, row.slot_type))


def _by_record(rows: Iterable[RecordRow]) -> Mapping[object, Sequence[RecordRow]]:
    return _grouped(rows, lambda row: (row.origin, row.event, row.uuid))


def _grouped(
    rows: Iterable[RecordRow], key: Callable[[RecordRow], object]
) -> Mapping[object, Sequence[RecordRow]]:
    found: dict[object, list[RecordRow]] = {}
    for row in rows:
        found.setdefault(key(row), []).append(row)
    return found


def _name(node: Node, unit: Unit, org: str) -> str:
    """What a party is called; one that is no longer known, by its uuid."""
    member = node.member_party(org)
    if member is not None:
        return member_name(member)
    home = find_org(unit.connection, org)
    return org if home is None else home.name


def _way(row: GivenRow) -> str:
    return "file" if row.feed == FILE else "feed"


def _ending(row: GivenRow) -> str:
    return "erased" if row.op == Op.PUT else row.op


def _word(slot_type: int) -> str:
    return SlotType(slot_type).name.lower() if slot_type in set(SlotType) else str(slot_type)

"""A sharing group has other members: what that changes of a log of ours that something is for it.

Slots keep their very bytes; only label bytes, label records and addressee records change. Whoever
left a group loses what was for it, whoever joined gets it. Nothing else becomes wider: what fewer
than the addressees of an `only` event may have is RED (`LabelBook.resolve`), and stays it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import orjson

from policies.label import Label
from policies.tlp import Tlp
from sharing.errors import SharingError
from sharing.event import NOBODY, Audience, Json, Mark, Spread
from sharing.seal.holding import HeldRecord, Holding
from sharing.seal.records import COLOURS, EVENT_LABEL, Header, Kind, Record, SlotType
from sharing.slots import Change
from sharing.slots_names import LabelBook, Names

_SIDE = frozenset({Kind.LABEL, Kind.ADDRESSEE})
_THINGS = frozenset({Kind.ATTRIBUTE, Kind.OBJECT, Kind.REPORT_TEXT})
_OWN_AUDIENCE = frozenset({0, 1, 4})
"""The levels by which MISP names an audience."""
_LOOSE = frozenset({SlotType.HEAD, SlotType.TWIN})


@dataclass(frozen=True, slots=True)
class Turn:
    """Whom a group reaches from now on, and for which members; `added`, who of these is new."""

    group: str
    reach: Mapping[str, frozenset[str]]
    added: frozenset[str]

    def of(self, audience: Audience, spread: Spread) -> Audience:
        """The audience after the turn; it never reaches anybody for members that were left out."""
        reached = {party for party, orgs in self.reach.items() if not orgs <= spread.left_out}
        return replace(audience, parties=(audience.parties | self.added) & reached)


def regroup(held: Holding, names: Names, spreads: Mapping[str, Spread], turn: Turn) -> Change:
    """What a new version changes so that the log's labels follow the group.

    `names` are those of `held`; `spreads` say, by uuid of event and parts, what is for which group.

    Raises:
        SharingError: `held` has no label of its own, so it is no log of ours.
    """
    whole = names.event
    if whole is None:
        raise SharingError("a log whose label is not known was to follow its sharing group")
    turned = _Turned(held, names, spreads, turn, whole)
    wanted = {index: tuple(turned.slots(record)) for index, record in turned.told.items()}
    _keep_numbers(turned.told, wanted, names)
    book = LabelBook(turned.whole.label, turned.whole.audience or NOBODY, names)
    append, void = list[Record](), list[int]()
    for index, marks in wanted.items():
        record = held.records[index]
        header = Header(record.header.kind, record.header.types, tuple(map(book.byte, marks)))
        if header == record.header:
            continue
        void.append(index)
        slots = tuple(slot for slot in record.slots if slot is not None)
        if len(slots) == len(record.slots):  # what was erased here can only be voided
            append.append(Record(header, slots))
    side = {each.slots[0]: each for each in book.records()}
    for index, record in held.records.items():
        is_side = record.header.kind in _SIDE
        if is_side and side.pop(record.slots[0] or b"", None) is None:
            void.append(index)
    return Change((*side.values(), *append), tuple(sorted(void)))


class _Turned:
    """The marks of a log's things after a turn."""

    def __init__(
        self,
        held: Holding,
        names: Names,
        spreads: Mapping[str, Spread],
        turn: Turn,
        whole: Mark,
    ) -> None:
        self._spreads, self._turn, self._before = spreads, turn, whole
        self._numbered = {number: Mark(*key) for key, number in names.labels.items()}
        self.told = {i: each for i, each in held.records.items() if each.header.kind not in _SIDE}
        self._things = {_uuid(each): each for each in self.told.values() if _is_thing(each)}
        core = next((each for each in self.told.values() if each.header.kind == Kind.CORE), None)
        event = "" if core is None else _uuid(core)
        audience = whole.audience or NOBODY
        spread = spreads.get(event)
        if spread is not None and spread.group == turn.group and whole.label.only:
            audience = turn.of(audience, spread)
        self.whole = replace(whole, audience=audience)
        self._known: dict[str, Mark] = {}

    def slots(self, record: HeldRecord) -> Iterator[Mark]:
        """The mark of each slot."""
        header = record.header
        for slot_type, byte in zip(header.types, header.labels, strict=True):
            yield self._slot(record, slot_type, self._old(byte))

    def _slot(self, record: HeldRecord, slot_type: int, old: Mark) -> Mark:
        match record.header.kind:
            case Kind.RELATION:
                head = _head(record)
                ends = (str(head.get("object_uuid")), str(head.get("referenced_uuid")))
                return self._between(old, *map(self._after, ends))
            case Kind.TAG | Kind.GALAXY:
                return self._after(str(_head(record).get("target") or ""))
            case Kind.ATTRIBUTE if _has_twin(record) and slot_type in _LOOSE:
                parent = _parent(record)
                return self._turned(old, None, self._before_of(parent), self._after(parent))
            case kind if kind in _THINGS:
                return self._after(_uuid(record))
            case _:
                return self._turned(old, None, self._before, self.whole)

    def _after(self, uuid: str) -> Mark:
        """The mark of a thing after the turn; the event's for what is no part of it."""
        record = self._things.get(uuid)
        if record is None:
            return self.whole
        if uuid not in self._known:
            parent = _parent(record)
            self._known[uuid] = self._turned(
                self._before_of(uuid),
                self._spreads.get(uuid),
                self._before_of(parent),
                self._after(parent),
            )
        return self._known[uuid]

    def _before_of(self, uuid: str) -> Mark:
        record = self._things.get(uuid)
        if record is None:
            return self._before
        header = record.header
        own = [
            byte
            for slot_type, byte in zip(header.types, header.labels, strict=True)
            if not (_has_twin(record) and slot_type in _LOOSE)
        ]
        return self._old(own[0] if own else header.labels[0])

    def _turned(self, old: Mark, spread: Spread | None, was: Mark, parent: Mark) -> Mark:
        """A thing's mark, its parent's having been `was` and being `parent` now."""
        audience = old.audience or NOBODY
        own: Audience | None = audience
        if spread is not None and spread.level in _OWN_AUDIENCE and old.label.only:
            own = audience
            if spread.group == self._turn.group:
                own = self._turn.of(audience, spread)
        elif audience == (was.audience or NOBODY):
            own = None
        above = parent.audience or NOBODY
        if own is not None and parent.label.only:
            own &= above
        if self.whole.label.only:
            fewer = own is not None and own != self.whole.audience
            if fewer or parent.confined:
                return Mark(replace(old.label, tlp=Tlp.RED), self.whole.audience, confined=True)
            return Mark(old.label, self.whole.audience)
        return Mark(old.label, above if own is None else own)

    def _between(self, old: Mark, one: Mark, other: Mark) -> Mark:
        """The mark of what tells of two things."""
        both = (one.audience or NOBODY, other.audience or NOBODY)
        audience = both[0] if both[0] == both[1] else both[0] & both[1]
        confined = one.confined or other.confined
        label = replace(old.label, tlp=Tlp.RED) if confined else old.label
        return Mark(label, audience, confined=confined)

    def _old(self, byte: int) -> Mark:
        if byte == EVENT_LABEL:
            return self._before
        if byte in COLOURS:
            label = replace(self._before.label, tlp=Tlp(byte))
            return replace(self._before, label=label)
        return self._numbered[byte]


def _keep_numbers(
    told: Mapping[int, HeldRecord], wanted: Mapping[int, tuple[Mark, ...]], names: Names
) -> None:
    """Let a label that changes alike wherever it stands keep its number: then no record changes."""
    becomes: dict[int, set[tuple[Label, Audience]]] = {}
    for index, marks in wanted.items():
        for byte, mark in zip(told[index].header.labels, marks, strict=True):
            becomes.setdefault(byte, set()).add((mark.label, mark.audience or NOBODY))
    for key, number in list(names.labels.items()):
        new = becomes.get(number, set())
        if len(new) == 1 and (only := next(iter(new))) not in names.labels:
            del names.labels[key]
            names.labels[only] = number


def _is_thing(record: HeldRecord) -> bool:
    return record.header.kind in _THINGS


def _has_twin(record: HeldRecord) -> bool:
    return SlotType.TWIN in record.header.types


def _head(record: HeldRecord) -> dict[str, Json]:
    slot = record.slots[0]
    head: dict[str, Json] = {} if slot is None else orjson.loads(slot)
    return head


def _uuid(record: HeldRecord) -> str:
    return str(_head(record).get("uuid", ""))


def _parent(record: HeldRecord) -> str:
    """The object that an attribute stands in; empty: the event."""
    for slot_type, slot in zip(record.header.types, record.slots, strict=True):
        if slot_type == SlotType.PLACEMENT and slot is not None:
            return str(orjson.loads(slot).get("object", ""))
    return ""

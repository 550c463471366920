"""Projection: what one party may have of a holding, and why. Policy and seal meet here only.

The judge is asked once per slot of a header and applied to every record that has the same header.
Rules of the cut: a record whose head is withheld discloses nothing; a field shows only with a
value; label record 0 and the label record of whatever stands in a header that is disclosed go
along; an addressee record goes only to whom it names (to the log's own people all of them).

A held slot waits for a person; what it waits as is its value, and a held head follows it.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from hashlib import sha256

import orjson

from policies.decide import Decision, Effect, Judge
from policies.label import Label
from policies.party import Party
from policies.subject import Relation, Subject
from sharing.seal.holding import HeldRecord, Holding
from sharing.seal.labels import read_addressee, read_label
from sharing.seal.maps import encode_map, projection_digest
from sharing.seal.records import EVENT_LABEL, Header, Kind, SlotType
from sharing.verdicts import (
    HeldItem,
    Projection,
    Release,
    Standing,
    Verdict,
    withheld_grounds,
)

__all__ = [
    "HeldItem",
    "Projection",
    "Release",
    "Standing",
    "Verdict",
    "project",
    "withheld_grounds",
]

_SIDE = frozenset({Kind.LABEL, Kind.ADDRESSEE, Kind.PAD})


def project(
    holding: Holding,
    party: Party,
    standing: Standing,
    judge: Judge,
    releases: Collection[Release],
    now: datetime,
) -> Projection:
    """Return what `party` may have of `holding` at `now`."""
    projector = _Projector(holding, party, standing, judge, now)
    projector.released = {
        (each.record, each.slot_type, each.slot_hash)
        for each in releases
        if each.party == party.org
    }
    for run in _runs(holding):
        projector.take(run)
    masks = projector.with_side_records()
    return Projection(
        masks=masks,
        digest=projection_digest(holding.payload, encode_map(masks)),
        verdicts=tuple(projector.verdicts),
        wake_at=min(projector.ends, default=None),
        held=tuple(projector.held),
    )


@dataclass(frozen=True, slots=True)
class _Run:
    """Neighbouring records with one header and one mask of what is held of them."""

    first: int
    header: Header
    mask: int
    records: list[HeldRecord] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Slot:
    """One slot of a header, judged for this party."""

    n: int
    type: int
    label: Label
    named: bool
    decision: Decision

    @property
    def bit(self) -> int:
        """Its place in a mask."""
        return 1 << self.n

    def is_(self, effect: Effect) -> bool:
        """Whether this is what was decided of it."""
        return self.decision.effect is effect


def _runs(holding: Holding) -> Iterator[_Run]:
    run: _Run | None = None
    masks = holding.masks
    for index, record in holding.records.items():
        header = record.header
        alike = run is not None and (header is run.header or header == run.header)
        if (
            run is not None
            and alike
            and index == run.first + len(run.records)
            and masks[index] == run.mask
            and header.kind != Kind.FIELD
        ):
            run.records.append(record)
            continue
        if run is not None:
            yield run
        run = _Run(index, header, masks[index], [record])
    if run is not None:
        yield run


class _Projector:
    """Takes the runs of one holding for one party."""

    def __init__(
        self, holding: Holding, party: Party, standing: Standing, judge: Judge, now: datetime
    ) -> None:
        self._holding = holding
        self._party = party
        self._standing = standing
        self._judge = judge
        self._now = now
        self._who = frozenset({party.org}) | party.communities
        self._classes: dict[bytes, tuple[_Slot, ...]] = {}
        self._side: list[_Run] = []
        self._masks: dict[int, int] = {}
        self._bytes_used: set[int] = set()
        self.released: Collection[tuple[str, int, str]] = ()
        self.ends: set[datetime] = set()
        self.verdicts: list[Verdict] = []
        self.held: list[HeldItem] = []

    def take(self, run: _Run) -> None:
        """Decide a run of records."""
        if run.header.kind in _SIDE:
            self._side.append(run)
            return
        slots = self._judged(run.header)
        held = _items(slots, run.mask)
        if not held:
            mask = _cut(run.header, _bits(slots, Effect.DISCLOSE) & run.mask)
            self._note(run, slots, mask)
            return
        for n, record in enumerate(run.records):
            one = _Run(run.first + n, run.header, run.mask, [record])
            self._take_held(one, slots, held)

    def with_side_records(self) -> dict[int, int]:
        """The masks with label and addressee records, in index order; none if nothing is left."""
        if not self._masks:
            return {}
        used = self._bytes_used | {EVENT_LABEL}
        for run in self._side:
            for index, record in enumerate(run.records, run.first):
                if self._goes_along(record, used):
                    self._masks[index] = 1
        return dict(sorted(self._masks.items()))

    def _goes_along(self, record: HeldRecord, used: set[int]) -> bool:
        slot = record.slots[0]
        if slot is None or record.header.kind == Kind.PAD:
            return False
        if self._standing.own:
            return True
        if record.header.kind == Kind.LABEL:
            return read_label(slot)[0] in used
        addressee = read_addressee(slot)
        return addressee.byte in used and addressee.who in self._who

    def _judged(self, header: Header) -> tuple[_Slot, ...]:
        known = self._classes.get(header.encoded)
        if known is None:
            pairs = zip(header.types, header.labels, strict=True)
            known = tuple(
                self._judge_slot(header.kind, n, kind, byte) for n, (kind, byte) in enumerate(pairs)
            )
            self._classes[header.encoded] = known
        return known

    def _judge_slot(self, kind: int, n: int, slot_type: int, byte: int) -> _Slot:
        label = self._holding.labels.effective(byte)
        named = not self._who.isdisjoint(self._holding.labels.addressees(byte))
        if label.until is not None and label.until > self._now:
            self.ends.add(label.until)
        decision = self._decide(kind, slot_type, label, named=named, released=False)
        return _Slot(n, slot_type, label, named, decision)

    def _decide(
        self, kind: int, slot_type: int, label: Label, *, named: bool, released: bool
    ) -> Decision:
        subject = Subject(
            log=self._holding.statement.log,
            kind=kind,
            type=slot_type,
            tlp=label.tlp,
            pap=label.pap,
            categories=label.categories,
            only=label.only,
            relay=label.relay,
        )
        relation = Relation(
            own=self._standing.own,
            client=self._standing.client,
            direct=self._standing.direct,
            named=named,
            released=released,
            embargoed=label.until is not None and label.until > self._now,
            published=self._standing.published,
        )
        return self._judge.decide(subject, relation, self._party)

    def _take_held(self, run: _Run, slots: tuple[_Slot, ...], held: tuple[_Slot, ...]) -> None:
        """Decide one record with slots that wait: each as it was released to this party, or not."""
        record = run.records[0]
        uuid = _uuid(record)
        free = {slot.n: slot for slot in held if self._is_released(uuid, slot, record)}
        judged = list(slots)
        for slot in slots:
            follows = slot.n == 0 and slot.is_(Effect.HOLD) and bool(free)
            if slot.n in free or follows:
                judged[slot.n] = replace(slot, decision=self._released(run.header.kind, slot))
        self.held += [
            self._item(run, slot, uuid) for slot in held if not judged[slot.n].is_(Effect.DISCLOSE)
        ]
        allowed = _bits(tuple(judged), Effect.DISCLOSE) & run.mask
        self._note(run, tuple(judged), _cut(run.header, allowed))

    def _is_released(self, uuid: str, slot: _Slot, record: HeldRecord) -> bool:
        return bool(self.released) and (uuid, slot.type, _hash(record, slot.n)) in self.released

    def _released(self, kind: int, slot: _Slot) -> Decision:
        return self._decide(kind, slot.type, slot.label, named=slot.named, released=True)

    def _item(self, run: _Run, slot: _Slot, uuid: str) -> HeldItem:
        return HeldItem(
            index=run.first,
            record=uuid,
            kind=run.header.kind,
            slot_type=slot.type,
            slot_hash=_hash(run.records[0], slot.n),
            label=slot.label,
            reasons=slot.decision.reasons,
            field=_field(run),
        )

    def _note(self, run: _Run, slots: tuple[_Slot, ...], mask: int) -> None:
        count = len(run.records)
        if mask:
            self._masks.update(dict.fromkeys(range(run.first, run.first + count), mask))
            self._bytes_used.update(run.header.labels)
        self.verdicts += [
            Verdict(
                index=run.first,
                count=count,
                kind=run.header.kind,
                slot=slot.n,
                slot_type=slot.type,
                label=slot.label,
                named=slot.named,
                decision=slot.decision,
                disclosed=bool(mask & slot.bit),
                field=_field(run),
            )
            for slot in slots
            if run.mask & slot.bit
        ]


def _bits(slots: tuple[_Slot, ...], effect: Effect) -> int:
    return sum(slot.bit for slot in slots if slot.is_(effect))


def _items(slots: tuple[_Slot, ...], mask: int) -> tuple[_Slot, ...]:
    """What of a record waits for a person: its held values, or its head where only that is held."""
    waiting = tuple(slot for slot in slots if slot.is_(Effect.HOLD) and mask & slot.bit)
    return tuple(slot for slot in waiting if slot.type != SlotType.HEAD) or waiting


def _cut(header: Header, mask: int) -> int:
    """Nothing without a head, and no head of a field without a value."""
    if not mask & 1 or header.types[0] != SlotType.HEAD:
        return 0
    return 0 if header.kind == Kind.FIELD and mask == 1 else mask


def _hash(record: HeldRecord, n: int) -> str:
    return sha256(record.slots[n] or b"").hexdigest()


def _uuid(record: HeldRecord) -> str:
    head = record.slots[0]
    return "" if head is None else str(orjson.loads(head).get("uuid", ""))


def _field(run: _Run) -> str | None:
    head = run.records[0].slots[0]
    if run.header.kind != Kind.FIELD or head is None:
        return None
    return str(orjson.loads(head).get("field", ""))

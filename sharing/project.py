"""Projection: what one party may have of a holding, and why. Policy and seal meet here only.

The judge is asked once per slot of a header and applied to every record that has the same header.
Rules of the cut: a record whose head is withheld discloses nothing; a field, and whatever has a
coarse twin, shows only with a value; label record 0 and the label record of whatever stands in a
header that is disclosed go along; an addressee record goes only to whom it names (to the log's own
people all of them).

A held slot waits for a person; what it waits as is its value, and a held head follows it.
"""

from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from operator import attrgetter

import orjson

from policies.decide import Decision, Effect, Judge, Reason
from policies.label import Label
from policies.party import Party
from policies.release import Need
from policies.subject import Relation, Subject
from sharing.seal.disclosure import Disclosure
from sharing.seal.holding import Holding
from sharing.seal.labels import read_addressee, read_label
from sharing.seal.maps import MaskRun, encode_mask_runs, projection_digest
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
    "Projector",
    "Release",
    "Standing",
    "Verdict",
    "project",
    "withheld_grounds",
]

_VALUES = frozenset({SlotType.VALUE, SlotType.TWIN})
_SIDE = frozenset({Kind.LABEL, Kind.ADDRESSEE, Kind.PAD})


def project(
    holding: Holding,
    party: Party,
    standing: Standing,
    judge: Judge,
    releases: Collection[Release],
    now: datetime,
) -> Projection:
    """Return what `party` may have of `holding` at `now`; for many parties, see `Projector`."""
    return Projector(holding, judge, now).project(party, standing, releases)


class Projector:
    """One holding at one moment, before any number of parties.

    What policy cannot tell apart is worked out once: the verdicts for parties of one class, in one
    standing, named under the same labels; the whole where the same addressee records name them
    (D15). So a federation costs little more than one of its members.
    """

    def __init__(self, holding: Holding, judge: Judge, now: datetime) -> None:
        self.holding, self.judge, self.now = holding, judge, now
        runs = list(_runs(holding.disclosure))
        self.runs = [run for run in runs if run.header.kind not in _SIDE]
        self._side = [each for run in runs for each in self._side_records(run)]
        labels = holding.disclosure.label_bytes | {EVENT_LABEL}
        self._addressees = {byte: holding.labels.addressees(byte) for byte in labels}
        self._anybody = frozenset[str]().union(*self._addressees.values())
        self._cuts: dict[Hashable, _Cut] = {}
        self._known: dict[Hashable, Projection] = {}

    def project(
        self, party: Party, standing: Standing, releases: Collection[Release] = ()
    ) -> Projection:
        """Return what `party` may have; of `releases` only those to it count."""
        released = frozenset(
            (each.record, each.slot_type, each.slot_hash, each.met)
            for each in releases
            if each.party == party.org
        )
        who = self._anybody & {party.org, *party.communities}
        alike = (self.judge.rulebook.party_class(party), standing, released)
        known = self._known.get((alike, who))
        if known is None:
            named = frozenset(b for b, those in self._addressees.items() if who & those)
            cut = self._cuts.get((alike, named))
            if cut is None:
                cut = _Cut(self, party, standing, named, released)
                self._cuts[alike, named] = cut
            known = self._whole(cut, who)
            self._known[alike, who] = known
        return known

    def _whole(self, cut: "_Cut", who: frozenset[str]) -> Projection:
        runs = sorted([*cut.masks, *self._along(cut, who)], key=attrgetter("start"))
        encoded = encode_mask_runs(runs)
        return Projection(
            runs=tuple(runs),
            encoded_map=encoded,
            digest=projection_digest(self.holding.payload, encoded),
            verdicts=tuple(cut.verdicts),
            wake_at=min(cut.ends, default=None),
            held=tuple(cut.held),
        )

    def _side_records(self, run: "_Run") -> Iterator["_Side"]:
        if run.header.kind == Kind.LABEL:
            for index in run.indices:
                yield _Side(index, read_label(self.slot(run, index, 0))[0], None)
        elif run.header.kind == Kind.ADDRESSEE:
            for index in run.indices:
                addressee = read_addressee(self.slot(run, index, 0))
                yield _Side(index, addressee.byte, addressee.who)

    def _along(self, cut: "_Cut", who: frozenset[str]) -> Iterator[MaskRun]:
        """The label and addressee records that go with the cut; none if nothing is left."""
        for side in self._side if cut.masks else ():
            wanted = side.byte in cut.bytes_used and (side.who is None or side.who in who)
            if wanted or cut.standing.own:
                yield MaskRun(side.index, 1, 1)

    def slot(self, run: "_Run", index: int, n: int) -> bytes:
        """One slot of a record of a run; empty where it is withheld."""
        return self.holding.disclosure.slots[run.place + (index - run.first) * run.header.width + n]


@dataclass(frozen=True, slots=True)
class _Run:
    """Neighbouring records with one header and one mask of what is held of them.

    `place` is that of its first slot among those of the disclosure. A field is a run by itself.
    """

    first: int
    count: int
    header: Header
    mask: int
    place: int

    @property
    def indices(self) -> range:
        """Where its records stand in the log."""
        return range(self.first, self.first + self.count)


@dataclass(frozen=True, slots=True)
class _Side:
    """A label record, or an addressee record and whom it names."""

    index: int
    byte: int
    who: str | None


def _runs(disclosure: Disclosure) -> Iterator[_Run]:
    masks = disclosure.mask_runs()
    place, until, mask = 0, 0, 0
    for (start, stop), header in disclosure.runs():
        longest = 1 if header.kind == Kind.FIELD else stop - start
        index = start
        while index < stop:
            if index >= until:
                held = next(masks)
                until, mask = held.start + held.count, held.mask
            count = min(stop, until, index + longest) - index
            yield _Run(index, count, header, mask, place)
            place += count * header.width
            index += count


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


class _Cut:
    """What is disclosed of the runs to a party that is named under some labels, and why."""

    def __init__(
        self,
        projector: Projector,
        party: Party,
        standing: Standing,
        named: frozenset[int],
        released: Iterable[tuple[str, int, str, frozenset[Need]]],
    ) -> None:
        self.standing = standing
        self._projector, self._party, self._named = projector, party, named
        self._released: dict[tuple[str, int, str], list[frozenset[Need]]] = {}
        for record, slot_type, content, met in released:
            self._released.setdefault((record, slot_type, content), []).append(met)
        self._classes: dict[bytes, tuple[_Slot, ...]] = {}
        self.masks: list[MaskRun] = []
        self.bytes_used: set[int] = {EVENT_LABEL}
        self.ends: set[datetime] = set()
        self.verdicts: list[Verdict] = []
        self.held: list[HeldItem] = []
        for run in projector.runs:
            self._take(run)

    def _take(self, run: _Run) -> None:
        """Decide a run of records."""
        slots = self._judged(run.header)
        held = _items(slots, run.mask)
        if not held:
            mask = _shown(run.header, _bits(slots, Effect.DISCLOSE) & run.mask)
            self._note(run, slots, mask)
            return
        for n in range(run.count):
            place = run.place + n * run.header.width
            self._take_held(replace(run, first=run.first + n, count=1, place=place), slots, held)

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
        label = self._projector.holding.labels.effective(byte)
        if label.until is not None and label.until > self._projector.now:
            self.ends.add(label.until)
        named = byte in self._named
        decision = self._decide(kind, slot_type, label, named=named, released=False)
        return _Slot(n, slot_type, label, named, decision)

    def _decide(
        self, kind: int, slot_type: int, label: Label, *, named: bool, released: bool
    ) -> Decision:
        subject = Subject(
            log=self._projector.holding.statement.log,
            kind=kind,
            type=slot_type,
            tlp=label.tlp,
            pap=label.pap,
            categories=label.categories,
            only=label.only,
            relay=label.relay,
        )
        relation = Relation(
            own=self.standing.own,
            client=self.standing.client,
            direct=self.standing.direct,
            named=named,
            released=released,
            embargoed=label.is_embargoed(self._projector.now),
            published=self.standing.published,
        )
        return self._projector.judge.decide(subject, relation, self._party)

    def _take_held(self, run: _Run, slots: tuple[_Slot, ...], held: tuple[_Slot, ...]) -> None:
        """Decide one record with slots that wait: each as it was released to this party, or not."""
        uuid = str(self._head(run).get("uuid", ""))
        free = {
            slot.n
            for slot in held
            if self._released and self._is_free(slot, (uuid, slot.type, self._hash(run, slot.n)))
        }
        judged = list(slots)
        for slot in slots:
            follows = slot.n == 0 and slot.is_(Effect.HOLD) and bool(free)
            if slot.n in free or follows:
                judged[slot.n] = replace(slot, decision=self._free(run.header.kind, slot))
        self.held += [
            self._item(run, slot, uuid) for slot in held if not judged[slot.n].is_(Effect.DISCLOSE)
        ]
        allowed = _bits(tuple(judged), Effect.DISCLOSE) & run.mask
        self._note(run, tuple(judged), _shown(run.header, allowed))

    def _is_free(self, slot: _Slot, named: tuple[str, int, str]) -> bool:
        """Whether it was released, by as many and on such ground as what holds it takes now."""
        if named not in self._released:
            return False
        needs = self._projector.judge.rulebook.needs_of(each.id for each in slot.decision.reasons)
        return any(needs <= met for met in self._released[named])

    def _free(self, kind: int, slot: _Slot) -> Decision:
        return self._decide(kind, slot.type, slot.label, named=slot.named, released=True)

    def _item(self, run: _Run, slot: _Slot, uuid: str) -> HeldItem:
        return HeldItem(
            index=run.first,
            record=uuid,
            kind=run.header.kind,
            slot_type=slot.type,
            slot_hash=self._hash(run, slot.n),
            label=slot.label,
            reasons=slot.decision.reasons,
            field=self._field(run),
        )

    def _note(self, run: _Run, slots: tuple[_Slot, ...], mask: int) -> None:
        if mask:
            self.masks.append(MaskRun(run.first, run.count, mask))
            self.bytes_used.update(run.header.labels)
        field = self._field(run)
        self.verdicts += [
            Verdict(
                index=run.first,
                count=run.count,
                kind=run.header.kind,
                slot=slot.n,
                slot_type=slot.type,
                label=slot.label,
                named=slot.named,
                decision=slot.decision,
                disclosed=bool(mask & slot.bit),
                field=field,
            )
            for slot in slots
            if run.mask & slot.bit
        ]

    def _head(self, run: _Run) -> Mapping[str, object]:
        slot = self._projector.slot(run, run.first, 0)
        head: dict[str, object] = orjson.loads(slot) if slot else {}
        return head

    def _hash(self, run: _Run, n: int) -> str:
        return sha256(self._projector.slot(run, run.first, n)).hexdigest()

    def _field(self, run: _Run) -> str | None:
        if run.header.kind != Kind.FIELD or not run.mask & 1:
            return None
        return str(self._head(run).get("field", ""))


def _bits(slots: tuple[_Slot, ...], effect: Effect) -> int:
    return sum(slot.bit for slot in slots if slot.is_(effect))


def _items(slots: tuple[_Slot, ...], mask: int) -> tuple[_Slot, ...]:
    """What of a record waits for a person: its held values, or its head where only that is held.

    A held head goes with a value, so what holds it holds them as well.
    """
    waiting = tuple(slot for slot in slots if slot.is_(Effect.HOLD) and mask & slot.bit)
    heads = tuple(slot for slot in waiting if slot.type == SlotType.HEAD)
    values = tuple(slot for slot in waiting if slot.type != SlotType.HEAD)
    of_heads = [reason for head in heads for reason in head.decision.reasons]
    return tuple(_also_for(value, of_heads) for value in values) or heads


def _also_for(held: _Slot, reasons: Iterable[Reason]) -> _Slot:
    """The slot, held for these reasons, too."""
    together = tuple(sorted({*held.decision.reasons, *reasons}))
    return replace(held, decision=replace(held.decision, reasons=together))


def _shown(header: Header, mask: int) -> int:
    """Nothing without a head; no head of a field, or beside a twin, without a value."""
    if not mask & 1 or header.types[0] != SlotType.HEAD:
        return 0
    if header.kind != Kind.FIELD and SlotType.TWIN not in header.types:
        return mask
    values = sum(1 << n for n, each in enumerate(header.types) if each in _VALUES)
    return mask if mask & values else 0

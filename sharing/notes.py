"""Notes: what one organisation says about another's log, in a log of its own (decisions.md D5).

Nobody appends to another's log. A note's core says which log it is about; a sighting is one record
for each attribute, type and day, with a count and nobody's name. It is never looser than what it is
about; from AMBER on, and where others are shut out, it goes to that log's originator alone.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import orjson

from policies.label import Label, join
from policies.tlp import Tlp
from sharing.event import NOBODY, Audience, Json, Mark
from sharing.seal.holding import Holding
from sharing.seal.records import Kind, Record, SlotType
from sharing.slots_event import record_of
from sharing.slots_names import LabelBook, Names

SEEN: Final = "seen"
TYPES: Final = (SEEN, "false_positive", "expired")
"""What a sighting may say; MISP's types 0, 1 and 2."""

MOST_BELIEVED_A_DAY = 1_000_000
"""Times that a note may say of one attribute, type and day: whoever says more is not believed."""

_DAY = re.compile(r"20[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])")


@dataclass(frozen=True, slots=True)
class Sighting:
    """So many times an attribute (its uuid) was seen on a day, or was said to be no threat."""

    attribute: str
    type: str
    day: str
    count: int


@dataclass(frozen=True, slots=True)
class Note:
    """What its originator says about the log (origin, event)."""

    about: tuple[str, str]
    sightings: tuple[Sighting, ...]


def cut_note(
    note: Note,
    uuid: str,
    labels: Mapping[str, Label],
    names: Names,
    uuid_of: Callable[[Sighting], str],
) -> list[Record]:
    """The records of a note.

    `labels` are those of the log it is about, by uuid: its event's, and each attribute's. `uuid_of`
    names a sighting's record, whatever its count: another count takes the place of the old one.
    """
    whole = _towards(labels[note.about[1]], note.about[0])
    book = LabelBook(whole.label, whole.audience or NOBODY, names)
    about = {"origin": note.about[0], "event": note.about[1]}
    core: dict[str, Json] = {"uuid": uuid, "about": {**about}}
    records = [record_of(Kind.CORE, [(SlotType.HEAD, book.byte(book.whole), core)])]
    for one in note.sightings:
        mark = _towards(join(labels[one.attribute], whole.label), note.about[0])
        records.append(_sighting(one, uuid_of(one), book.byte(mark)))
    return [*book.records(), *records]


def read_note(holding: Holding, masks: Mapping[int, int] | None = None) -> Note | None:
    """What the disclosed slots of a note say; None where its core does not say what it is about.

    What is of no form we know is left out: a foreign log may say anything.
    """
    shown = holding.masks if masks is None else masks
    heads = [
        (holding.records[index].header.kind, holding.records[index].slots[0])
        for index, mask in shown.items()
        if mask & 1
    ]
    read = [(kind, orjson.loads(slot)) for kind, slot in heads if slot is not None]
    about = next((_about(head) for kind, head in read if kind == Kind.CORE), None)
    if about is None:
        return None
    return Note(about, tuple(_sightings(head for kind, head in read if kind == Kind.SIGHTING)))


def _towards(label: Label, originator: str) -> Mark:
    """Whom a thing under this label may be said to: everybody it lets, or its originator alone."""
    if label.tlp < Tlp.AMBER and label.relay and not label.only:
        return Mark(label, NOBODY)
    return Mark(label, Audience(frozenset({originator})))


def _sighting(one: Sighting, uuid: str, byte: int) -> Record:
    head: dict[str, Json] = {
        "uuid": uuid,
        "attribute": one.attribute,
        "type": one.type,
        "day": one.day,
        "count": min(one.count, MOST_BELIEVED_A_DAY),
    }
    return record_of(Kind.SIGHTING, [(SlotType.HEAD, byte, head)])


def _is_day(text: str) -> bool:
    """A day and nothing else: a foreign note may write anything."""
    return _DAY.fullmatch(text) is not None


def _about(head: Mapping[str, object]) -> tuple[str, str] | None:
    match head.get("about"):
        case {"origin": str(origin), "event": str(event)}:
            return origin, event
        case _:
            return None


def _sightings(heads: Iterable[Mapping[str, object]]) -> Iterator[Sighting]:
    for head in heads:
        match head:
            case {"attribute": str(attribute), "type": str(kind), "day": str(day), "count": count}:
                is_count = type(count) is int and 0 < count <= MOST_BELIEVED_A_DAY
                if is_count and kind in TYPES and _is_day(day):
                    yield Sighting(attribute, kind, day, int(str(count)))
            case _:
                pass

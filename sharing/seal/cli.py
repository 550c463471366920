"""What `isac seal verify|redact|show` do, on bytes: for anybody with a package, without a node.

Status 0: accepted, done. 1: refused, with the numbered check and the reason on one line. 2: asked
the wrong way, which includes a file of keys that is no roster.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from itertools import groupby

from policies.tlp import Pap, read_tlp
from sharing.errors import BadRosterError, ForeignFault
from sharing.seal.holding import HeldRecord, Holding
from sharing.seal.keys import KeyRegistry
from sharing.seal.labels import read_addressee, read_label
from sharing.seal.package import read_package, write_package
from sharing.seal.records import EVENT_LABEL, Kind, SlotType
from sharing.seal.verify import examine, verify

_CHOSEN = re.compile(r"(\d{1,7})(?:-(\d{1,7})|:(\d{1,2}))?", re.ASCII)


class Status(IntEnum):
    """What the command exits with."""

    DONE = 0
    REFUSED = 1
    MISUSED = 2


@dataclass(frozen=True, slots=True)
class Outcome:
    """Exit status, what to tell, and the package that was made, if one was."""

    status: Status
    text: str
    package: bytes = b""


class _MisuseError(Exception):
    """The command was asked the wrong way."""


def verify_package(
    raw: bytes, roster: bytes, *, now: datetime, prev: bytes | None = None
) -> Outcome:
    """Whether the package is what its originator said, seen first `now`, after `prev` if given."""
    try:
        holding = _verify(raw, roster, now, prev)
    except BadRosterError as error:
        return Outcome(Status.MISUSED, str(error))
    except ForeignFault as error:
        return Outcome(Status.REFUSED, f"refused: {error}")
    return Outcome(Status.DONE, f"accepted: {_summary(holding)}")


def redact_package(
    raw: bytes,
    withhold: Sequence[str],
    *,
    stricter_than: str | None = None,
    class_table: bool = True,
) -> Outcome:
    """The package without what is named: `7` a record, `3-9` records, `2:2` a slot of a record.

    `stricter_than` names a TLP colour: every slot above it is withheld. Label and addressee records
    stay where anything is left under them. No key is needed, and no signature is asked for.
    """
    try:
        holding = examine(read_package(raw))
        masks = dict(holding.masks)
        for item in withhold:
            _withhold(masks, item)
        if stricter_than is not None:
            _withhold_stricter(holding, masks, stricter_than)
        _settle_labels(holding, masks)
        package = write_package(holding, masks, class_table=class_table)
        return Outcome(Status.DONE, _summary(examine(read_package(package))), package)
    except _MisuseError as error:
        return Outcome(Status.MISUSED, str(error))
    except ForeignFault as error:
        return Outcome(Status.REFUSED, f"refused: {error}")


def show_package(raw: bytes, roster: bytes | None = None, *, now: datetime) -> Outcome:
    """What is disclosed and what is withheld, of which kind, under which label, proved by whom.

    Without a roster nobody has proved anything, and it says so.
    """
    try:
        holding = _verify(raw, roster, now, None) if roster else examine(read_package(raw))
    except BadRosterError as error:
        return Outcome(Status.MISUSED, str(error))
    except ForeignFault as error:
        return Outcome(Status.REFUSED, f"refused: {error}")
    lines = [_summary(holding), _proof_of(holding, verified=roster is not None)]
    return Outcome(Status.DONE, "\n".join([*lines, *_shown(holding)]))


def _verify(raw: bytes, roster: bytes, now: datetime, prev: bytes | None) -> Holding:
    registry = KeyRegistry.read(roster)
    held = None if prev is None else _verify(prev, roster, now, None)
    return verify(read_package(raw), registry, first_seen_at=now, held=held).holding


# Redact


def _withhold(masks: dict[int, int], item: str) -> None:
    chosen = _CHOSEN.fullmatch(item)
    if not chosen:
        raise _MisuseError(f"not a record, a range of records or a slot: {item}")
    for index in range(int(chosen[1]), int(chosen[2] or chosen[1]) + 1):
        if index not in masks:
            raise _MisuseError(f"record {index} is not disclosed")
        masks[index] &= ~(1 << int(chosen[3]) >> 1) if chosen[3] else 0


def _withhold_stricter(holding: Holding, masks: dict[int, int], colour: str) -> None:
    limit = read_tlp(colour)
    if limit is None:
        raise _MisuseError(f"no TLP colour: {colour}")
    for index, record in holding.records.items():
        for slot, byte in enumerate(record.header.labels):
            if holding.labels.effective(byte).tlp > limit:
                masks[index] &= ~(1 << slot)


def _settle_labels(holding: Holding, masks: dict[int, int]) -> None:
    """Keep the label and addressee records under which something is left, and no other."""
    labelling = {Kind.LABEL: read_label, Kind.ADDRESSEE: read_addressee}
    left = [record for index, record in holding.records.items() if masks[index]]
    used = {EVENT_LABEL} | {
        byte
        for record in left
        if record.header.kind not in labelling
        for byte in record.header.labels
    }
    for index, record in holding.records.items():
        text = record.slots[0]
        if record.header.kind == Kind.LABEL and text:
            masks[index] = int(read_label(text)[0] in used)
        elif record.header.kind == Kind.ADDRESSEE and text:
            masks[index] &= int(read_addressee(text).byte in used)


# Show


def _summary(holding: Holding) -> str:
    statement, disclosed = holding.statement, holding.disclosure.count
    return (
        f"{statement.log} {statement.event} of {statement.iss}, "
        f"version {statement.epoch}.{statement.seq}: {statement.live} records live, "
        f"{disclosed} disclosed, {statement.live - disclosed} withheld, "
        f"{len(holding.disclosure.commitments)} slots withheld; digest {holding.digest}"
    )


def _proof_of(holding: Holding, *, verified: bool) -> str:
    statement = holding.statement
    by = f"organisation {statement.iss} on {statement.iat:%Y-%m-%d %H:%M:%S} UTC"
    if verified:
        return f"proved by {by}, keys {', '.join(statement.keys)}"
    return f"claimed by {by}; no keys given, nothing is proved"


def _shown(holding: Holding) -> Iterator[str]:
    """One line a slot that is disclosed, one a range of records that are not."""
    size, void = holding.statement.size, frozenset(holding.void)
    classes = _classes(holding) or [""] * size

    def absence(index: int) -> str | None:
        if index in holding.records:
            return None
        return f"{'void' if index in void else 'withheld'}{classes[index]}"

    for what, group in groupby(range(size), key=absence):
        indices = list(group)
        if what is None:
            for index in indices:
                yield from _shown_record(holding, index, holding.records[index])
        else:
            last = f"-{indices[-1]}" if len(indices) > 1 else ""
            yield f"{indices[0]}{last} {what}"


def _shown_record(holding: Holding, index: int, record: HeldRecord) -> Iterator[str]:
    header = record.header
    for slot_type, byte, text in zip(header.types, header.labels, record.slots, strict=True):
        content = "withheld" if text is None else _printable(text.decode())
        slot = _word(SlotType, slot_type)
        yield f"{index} {_word(Kind, header.kind)} {slot} [{_label(holding, byte)}] {content}"


def _classes(holding: Holding) -> list[str]:
    """Kind, types and labels of each record, if the class table tells them."""
    classes = list[str]()
    for count, header in holding.classes.runs if holding.classes else ():
        slots = [
            f"{_word(SlotType, slot_type)} [{_label(holding, byte)}]"
            for slot_type, byte in zip(header.types, header.labels, strict=True)
        ]
        classes += [f": {_word(Kind, header.kind)} {', '.join(slots)}"] * count
    return classes


def _word(words: type[Kind] | type[SlotType], number: int) -> str:
    known = {int(word): word.name.lower() for word in words}
    return known.get(number, f"{words.__name__.lower()} {number}")


def _label(holding: Holding, byte: int) -> str:
    if holding.labels.undefined({byte}) is not None:
        return f"label {byte}, not disclosed"
    label = holding.labels.effective(byte)
    words = [label.tlp.title]
    if label.pap > Pap.CLEAR:
        words.append(label.pap.title)
    words += sorted(label.categories)
    if label.until:
        words.append(f"embargo until {label.until:%Y-%m-%dT%H:%M:%SZ}")
    words += ["only whom it names"] * label.only + ["no relay"] * (not label.relay)
    return ", ".join(words)


def _printable(text: str) -> str:
    """The text without anything that moves a terminal's cursor or turns its writing round."""
    return "".join(letter if letter.isprintable() else f"\\u{ord(letter):04x}" for letter in text)

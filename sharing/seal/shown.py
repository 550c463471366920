"""A holding in words, for the command line: what is disclosed, what is not, and who says so."""

from collections import Counter
from collections.abc import Iterator
from itertools import groupby

from policies.tlp import Pap
from sharing.seal.holding import HeldRecord, Holding
from sharing.seal.records import Kind, SlotType


def summary(holding: Holding) -> str:
    """One line: which log in which version, and how much of it is here."""
    statement, disclosed = holding.statement, holding.disclosure.count
    return (
        f"{statement.log} {statement.event} of {statement.iss}, "
        f"version {statement.epoch}.{statement.seq}: {statement.live} records live, "
        f"{disclosed} disclosed, {statement.live - disclosed} withheld, "
        f"{len(holding.disclosure.commitments)} slots withheld; digest {holding.digest}"
    )


def proof_of(holding: Holding, *, verified: bool) -> str:
    """One line: who has proved this, if anybody."""
    statement = holding.statement
    by = f"organisation {statement.iss} on {statement.iat:%Y-%m-%d %H:%M:%S} UTC"
    if verified:
        return f"proved by {by}, keys {', '.join(statement.keys)}"
    return f"claimed by {by}; no keys given, nothing is proved"


def shown(holding: Holding) -> Iterator[str]:
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
                for line in _shown_record(holding, holding.records[index]):
                    yield f"{index} {line}"
        else:
            last = f"-{indices[-1]}" if len(indices) > 1 else ""
            yield f"{indices[0]}{last} {what}"


def changed(old: Holding, new: Holding) -> Iterator[str]:
    """What one line a slot tells in `old` alone, after `-`, then in `new` alone, after `+`."""
    before, after = (Counter(_told(holding)) for holding in (old, new))
    yield from (f"- {line}" for line in (before - after).elements())
    yield from (f"+ {line}" for line in (after - before).elements())


def _told(holding: Holding) -> Iterator[str]:
    """What is disclosed, wherever in its log it stands."""
    for record in holding.records.values():
        yield from _shown_record(holding, record)


def _shown_record(holding: Holding, record: HeldRecord) -> Iterator[str]:
    header = record.header
    for slot_type, byte, text in zip(header.types, header.labels, record.slots, strict=True):
        content = "withheld" if text is None else _printable(text.decode())
        slot = _word(SlotType, slot_type)
        yield f"{_word(Kind, header.kind)} {slot} [{_label(holding, byte)}] {content}"


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

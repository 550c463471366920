"""A declaration: chosen slots of a log, sealed anew as a log of their own for one authority (D2).

It tells nothing of what was not chosen: neither its number nor its place. Labels stay what the
source made them; naming the authority is all that is added.
"""

from collections.abc import Iterator, Mapping

from sharing.seal.holding import HeldRecord, Holding
from sharing.seal.labels import addressee_record, read_label
from sharing.seal.records import EVENT_LABEL, NUMBERED_LABELS, Header, Kind, Record

_ADDRESSED = frozenset({EVENT_LABEL, *NUMBERED_LABELS})


def cut_declaration(holding: Holding, masks: Mapping[int, int], *, authority: str) -> list[Record]:
    """The records of what `masks` chooses of a holding; each mask names its record's head too."""
    records = [_part(holding.records[index], mask) for index, mask in masks.items()]
    used = {EVENT_LABEL}.union(*(record.header.labels for record in records))
    named = (addressee_record(byte, party=authority) for byte in sorted(used & _ADDRESSED))
    return [*_labels(holding, used), *named, *records]


def _part(record: HeldRecord, mask: int) -> Record:
    header = record.header
    chosen = [
        (kind, label, slot)
        for n, (kind, label, slot) in enumerate(
            zip(header.types, header.labels, record.slots, strict=True)
        )
        if mask >> n & 1 and slot is not None
    ]
    types, labels, slots = zip(*chosen, strict=True)
    return Record(Header(header.kind, types, labels), slots)


def _labels(holding: Holding, used: set[int]) -> Iterator[Record]:
    for record in holding.records.values():
        slot = record.slots[0]
        if record.header.kind == Kind.LABEL and slot is not None and read_label(slot)[0] in used:
            yield Record(record.header, (slot,))

"""What of a holding can be read and searched, as index rows: made before any unit opens.

A row is made of what is disclosed and nothing else, so an index can never show more than its bytes.
What a foreign log says in an odd way (no type, a value that is no text) stays readable in its bytes
and merely is not found. A value and its coarse twin are two rows, each for whoever may have it.
"""

from collections.abc import Iterator

import orjson

from node.storage.classes import SlotFacts
from node.storage.entries import LogIndex, NewEntry
from sharing.notes import read_note
from sharing.seal.holding import HeldRecord, Holding
from sharing.seal.records import Kind, SlotType

_UUID_CHARS = 36
_TYPE_CHARS = 64
_INDEXED = frozenset({Kind.CORE, Kind.ATTRIBUTE})

Members = dict[str, object]


def index_of(holding: Holding) -> LogIndex:
    """Give all index rows of a holding."""
    classes = _Classes(holding)
    entries: list[NewEntry] = []
    for index, record in holding.records.items():
        classes.note(record)
        if record.header.kind in _INDEXED and holding.statement.log != "note":
            entries += _entry(index, record, classes)
    return LogIndex(tuple(entries), frozenset(classes.known.values()), _about(holding))


def _about(holding: Holding) -> tuple[str, str] | None:
    """Of a note, the log it is about: two uuids, or it is about nothing we could have."""
    note = read_note(holding) if holding.statement.log == "note" else None
    if note is None or not all(_is_text(part, _UUID_CHARS) for part in note.about):
        return None
    return note.about


class _Classes:
    """The classes of a log's disclosed slots, each made once."""

    def __init__(self, holding: Holding) -> None:
        self._log = holding.statement.log
        self._labels = holding.labels
        self.known: dict[tuple[int, int, int], SlotFacts] = {}

    def note(self, record: HeldRecord) -> None:
        """Take note of the classes of the record's disclosed slots."""
        header = record.header
        for slot_type, byte, slot in zip(header.types, header.labels, record.slots, strict=True):
            if slot is not None and (header.kind, slot_type, byte) not in self.known:
                self.known[header.kind, slot_type, byte] = SlotFacts(
                    log=self._log,
                    kind=header.kind,
                    type=slot_type,
                    label=self._labels.effective(byte),
                    addressees=self._labels.addressees(byte),
                )

    def of(self, record: HeldRecord, place: int) -> SlotFacts:
        """Give the class of the slot at a place of a record that was noted."""
        header = record.header
        return self.known[header.kind, header.types[place], header.labels[place]]


def _entry(index: int, record: HeldRecord, classes: _Classes) -> Iterator[NewEntry]:
    places = {slot_type: place for place, slot_type in enumerate(record.header.types)}
    head_at = places.get(SlotType.HEAD)
    head = {} if head_at is None else _members(record.slots[head_at])
    if head_at is None or not head:
        return
    is_core = record.header.kind == Kind.CORE
    name, kind = ("info", "info") if is_core else ("value", head.get("type"))
    at = head_at if is_core or name in head else places.get(SlotType.VALUE, head_at)
    twin_at = None if is_core else places.get(SlotType.TWIN)
    uuid = head.get("uuid")
    if not _is_text(uuid, _UUID_CHARS) or not _is_text(kind, _TYPE_CHARS):
        return
    for place in (at,) if twin_at is None else (at, twin_at):
        value = _members(record.slots[place]).get(name)
        if not isinstance(value, str):
            continue
        yield NewEntry(
            record=index,
            kind=record.header.kind,
            uuid=str(uuid),
            type=str(kind),
            value=value.replace("\0", "\ufffd"),  # PostgreSQL keeps no NUL in text
            head=classes.of(record, head_at),
            valued=classes.of(record, place),
        )


def _members(slot: bytes | None) -> Members:
    members: Members = {} if slot is None else orjson.loads(slot)
    return members


def _is_text(value: object, limit: int) -> bool:
    return isinstance(value, str) and 0 < len(value) <= limit and "\0" not in value

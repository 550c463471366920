"""Record and header: what a log is made of (sealing.md §2.1).

A record has a kind and 1..16 slots; its header names, for each slot, type and label byte. Label
byte: 0 = the event's label, 1..5 = a colour of its own (CLEAR … RED), 16..255 = a label record of
this log, 6..15 mean nothing and are refused. Kinds and types we do not know are carried.
"""

from dataclasses import dataclass, field
from enum import IntEnum
from functools import lru_cache
from itertools import pairwise

from sharing.errors import UnreadableError
from sharing.seal import limits


class Kind(IntEnum):
    """What a record is."""

    CORE = 0x01
    ATTRIBUTE = 0x02
    OBJECT = 0x03
    EVENT_TAG = 0x04
    REPORT_TEXT = 0x05
    SIGHTING = 0x06
    GALAXY = 0x07
    RELATION = 0x08
    TAG = 0x09
    FIELD = 0x0A
    ATTACHMENT = 0x0B
    LABEL = 0x0C
    ADDRESSEE = 0x0D
    PAD = 0x7F


class SlotType(IntEnum):
    """What a slot holds."""

    HEAD = 0x01
    TEXT = 0x02
    TIMES = 0x03
    CONTEXT = 0x04
    PLACEMENT = 0x05
    IDENTITY = 0x06
    IMPACT = 0x07
    TECHNICAL = 0x08
    CORRELATION = 0x09
    VALUE = 0x0A
    TWIN = 0x0B


EVENT_LABEL = 0
COLOURS = range(1, 6)
NUMBERED_LABELS = range(16, 256)
LABEL_BYTES = frozenset({EVENT_LABEL, *COLOURS, *NUMBERED_LABELS})

_NUMBER = range(1, 256)
_LABELLING = frozenset({Kind.LABEL, Kind.ADDRESSEE})


@dataclass(frozen=True, slots=True)
class Header:
    """Kind of a record, and type and label byte of each of its slots.

    Raises ValueError for what sealing.md §2.1 does not allow.
    """

    kind: int
    types: tuple[int, ...]
    labels: tuple[int, ...]
    encoded: bytes = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Check, and keep the bytes that are hashed."""
        _check(self.kind, self.types, self.labels)
        pairs = (part for pair in zip(self.types, self.labels, strict=True) for part in pair)
        object.__setattr__(self, "encoded", bytes((self.kind, len(self.types), *pairs)))

    @property
    def width(self) -> int:
        """How many slots."""
        return len(self.types)

    @property
    def full(self) -> int:
        """The mask that names every slot."""
        return (1 << len(self.types)) - 1

    @classmethod
    def decode(cls, raw: bytes) -> "Header":
        """The header these bytes are, mostly the same object; raises UnreadableError."""
        return _decode(raw)


@lru_cache(maxsize=4096)
def _decode(raw: bytes) -> Header:
    if len(raw) < 4 or len(raw) != 2 + 2 * raw[1]:
        raise UnreadableError("slot count and length disagree")
    try:
        return Header(raw[0], tuple(raw[2::2]), tuple(raw[3::2]))
    except ValueError as error:
        raise UnreadableError(str(error)) from None


def _check(kind: int, types: tuple[int, ...], labels: tuple[int, ...]) -> None:
    if not 1 <= len(types) <= limits.SLOTS_PER_RECORD or len(labels) != len(types):
        raise ValueError(
            f"{len(types)} slot types and {len(labels)} labels; 1..16 of each are needed"
        )
    if kind not in _NUMBER or any(slot_type not in _NUMBER for slot_type in types):
        raise ValueError(f"kind {kind} or a slot type is not 1..255")
    if any(left >= right for left, right in pairwise(types)):
        raise ValueError("slot types not ascending")
    if not LABEL_BYTES.issuperset(labels):
        raise ValueError("label byte 6..15 or none at all")
    if kind in _LABELLING and (types, labels) != ((SlotType.HEAD,), (1,)):
        raise ValueError("label or addressee record with another header than one CLEAR head")


@dataclass(frozen=True, slots=True)
class Record:
    """One record as its originator holds it: every slot, exact bytes."""

    header: Header
    slots: tuple[bytes, ...]

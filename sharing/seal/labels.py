"""What a label byte means in one log (§2.1).

Byte 0 and 16..255 are defined by label records, 1..5 are colours that the source set on this very
thing. Addressee records name who is addressed, one record each, so that nobody learns the others.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace

import orjson

from policies.label import CATEGORIES, Label, join
from policies.tlp import Pap, Tlp
from sharing.errors import UnreadableError
from sharing.seal.canonical import read_instant, read_uuid, write_instant
from sharing.seal.members import (
    member,
    one_of,
    or_null,
    read_bool,
    read_list,
    read_members,
    read_text,
    told,
)
from sharing.seal.records import (
    COLOURS,
    EVENT_LABEL,
    NUMBERED_LABELS,
    Header,
    Kind,
    Record,
    SlotType,
)

LABEL_HEADER = Header(Kind.LABEL, (SlotType.HEAD,), (Tlp.CLEAR,))
ADDRESSEE_HEADER = Header(Kind.ADDRESSEE, (SlotType.HEAD,), (Tlp.CLEAR,))
UNREAD = "unread-label"  # a category we do not know: the floor keeps such a slot at home

_DEFINED = frozenset({EVENT_LABEL, *NUMBERED_LABELS})
_TLP = {tlp.word: tlp for tlp in Tlp}
_PAP = {pap.word: pap for pap in Pap}
_LABEL_MEMBERS = frozenset(["label", "tlp", "pap", "categories", "until", "only", "relay"])


@dataclass(frozen=True, slots=True)
class Addressee:
    """An organisation or a community that the slots under label `byte` are meant for."""

    byte: int
    who: str
    is_community: bool


@dataclass(frozen=True, slots=True)
class LabelTable:
    """The labels of a log, from the label and addressee records that are disclosed and live."""

    _labels: dict[int, Label]
    _addressees: dict[int, frozenset[str]]

    def effective(self, byte: int) -> Label:
        """The label of a slot under this byte; KeyError if its label record is not disclosed."""
        event = self._labels[EVENT_LABEL]
        if byte == EVENT_LABEL:
            return event
        own = Label(Tlp(byte)) if byte in COLOURS else self._labels[byte]
        return replace(join(own, event), tlp=own.tlp)

    def addressees(self, byte: int) -> frozenset[str]:
        """Organisations and communities that are addressed where this byte stands."""
        everybody = self._addressees.get(EVENT_LABEL, frozenset())
        if byte in COLOURS:
            return everybody
        own = self._addressees.get(byte, frozenset())
        return own | everybody if self._labels[EVENT_LABEL].only else own

    def addresses(self, byte: int, who: Iterable[str]) -> bool:
        """Whether any of these is addressed where this byte stands."""
        everybody = byte in COLOURS or byte == EVENT_LABEL or self._labels[EVENT_LABEL].only
        lists = [byte] * (byte not in COLOURS) + [EVENT_LABEL] * everybody
        return any(one in self._addressees.get(each, ()) for each in lists for one in who)

    def undefined(self, used: Iterable[int]) -> int | None:
        """The lowest of the bytes in use, 0 being always one, whose label record is missing."""
        missing = {EVENT_LABEL, *used} - set(COLOURS) - self._labels.keys()
        return min(missing, default=None)

    @classmethod
    def read(cls, label_slots: Iterable[bytes], addressee_slots: Iterable[bytes]) -> "LabelTable":
        """The table these slots define; raises UnreadableError for a wrong one or two for one."""
        labels = dict[int, Label]()
        addressees, who = set[Addressee](), defaultdict[int, set[str]](set)
        for slot in label_slots:
            byte, label = told("label record", read_label, slot)
            if byte in labels:
                raise UnreadableError(f"two live label records for label {byte}")
            labels[byte] = label
        for slot in addressee_slots:
            addressee = told("addressee record", read_addressee, slot)
            if addressee in addressees:
                raise UnreadableError(
                    f"two live records for one addressee of label {addressee.byte}"
                )
            addressees.add(addressee)
            who[addressee.byte].add(addressee.who)
        return cls(labels, {byte: frozenset(each) for byte, each in who.items()})


def label_record(byte: int, label: Label) -> Record:
    """The record that defines label byte 0 or 16..255."""
    _read_byte(byte)
    return Record(
        LABEL_HEADER,
        (
            _write(
                label=byte,
                tlp=label.tlp.word,
                pap=label.pap.word,
                categories=sorted(label.categories),
                until=write_instant(label.until) if label.until else None,
                only=label.only,
                relay=label.relay,
            ),
        ),
    )


def addressee_record(
    byte: int, *, party: str | None = None, community: str | None = None
) -> Record:
    """The record that names one organisation or one community under a label."""
    _read_byte(byte)
    if (party is None) == (community is None):
        raise ValueError("an addressee is one organisation or one community")
    name, who = ("party", party) if community is None else ("community", community)
    return Record(ADDRESSEE_HEADER, (_write(**{"label": byte, name: read_uuid(who)}),))


def read_label(slot: bytes) -> tuple[int, Label]:
    """Label byte and label of a label record's slot; raises UnreadableError."""
    members = read_members(slot, _LABEL_MEMBERS)
    categories = frozenset(member(members, "categories", _read_texts))
    known = categories & CATEGORIES
    return member(members, "label", _read_byte), Label(
        tlp=_TLP[member(members, "tlp", one_of(frozenset(_TLP)))],
        pap=_PAP[member(members, "pap", one_of(frozenset(_PAP)))],
        categories=known if known == categories else known | {UNREAD},
        until=member(members, "until", or_null(read_instant)),
        only=member(members, "only", read_bool),
        relay=member(members, "relay", read_bool),
    )


def read_addressee(slot: bytes) -> Addressee:
    """What an addressee record's slot says; raises UnreadableError."""
    members = read_members(slot, frozenset({"label"}), frozenset({"party", "community"}))
    if len(members) != 2:
        raise UnreadableError("members missing or unknown")
    is_community = "community" in members
    who = member(members, "community" if is_community else "party", read_uuid)
    return Addressee(member(members, "label", _read_byte), who, is_community)


def _read_byte(value: object) -> int:
    if type(value) is not int or value not in _DEFINED:
        raise UnreadableError("neither 0 nor 16..255")
    return value


def _read_texts(value: object) -> list[str]:
    return [read_text(item) for item in read_list(value)]


def _write(**members: object) -> bytes:
    return orjson.dumps(members)

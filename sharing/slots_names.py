"""What a log already calls its things, and which label byte each thing of it gets.

A new version must change as little as it can: what is the same keeps its uuid and its label number,
so that its bytes are the same and it is not sealed again. `Names.of(held)` knows what the held
version uses; whatever is new gets a fresh random uuid and the next free number.

Label bytes: 0 is the event's label; 1..5 a label that differs from it in nothing but its colour;
16..255 a label record of its own. A label record says a thing's effective label in full.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from itertools import chain

import orjson

from policies.label import Label, join
from policies.tlp import Tlp
from sharing.errors import SharingError
from sharing.event import NOBODY, Audience, Json, Mark
from sharing.seal.holding import Holding
from sharing.seal.labels import addressee_record, label_record, read_addressee, read_label
from sharing.seal.records import EVENT_LABEL, NUMBERED_LABELS, Kind, Record

PSEUDONYM = "entity_pseudonym"
"""The field that only the node can fill, with another value for each class of recipients."""


class TooManyLabelsError(SharingError):
    """A log may have 240 labels beside the event's own."""


@dataclass(slots=True)
class Names:
    """The uuids and label numbers of one log. `fresh` gives a new random (version 4) uuid.

    `event` is the label and audience of the held version as a whole.
    """

    fresh: Callable[[], str]
    uuids: dict[str, str] = field(default_factory=dict)
    labels: dict[tuple[Label, Audience], int] = field(default_factory=dict)
    event: Mark | None = None

    @classmethod
    def of(cls, held: Holding | None, fresh: Callable[[], str]) -> "Names":
        """The names a held version of our own uses; none for a log that does not exist yet."""
        if held is None:
            return cls(fresh)
        marks = _marks(held)
        numbers = {
            (mark.label, mark.audience or NOBODY): number
            for number, mark in marks.items()
            if number
        }
        return cls(fresh, dict(_minted(held)), numbers, marks.get(EVENT_LABEL))

    def uuid(self, key: str) -> str:
        """The uuid of the thing that `key` names, minted at its first asking."""
        return self.uuids.setdefault(key, self.fresh())

    def number(self, label: Label, audience: Audience) -> int:
        """The label number of this label for this audience."""
        known = self.labels.get((label, audience))
        if known is not None:
            return known
        taken = set(self.labels.values())
        number = next((n for n in NUMBERED_LABELS if n not in taken), None)
        if number is None:
            raise TooManyLabelsError(f"more than {len(NUMBERED_LABELS)} labels in one log")
        self.labels[(label, audience)] = number
        return number


@dataclass(slots=True)
class LabelBook:
    """The labels of one log while it is being cut; gives each thing its byte."""

    event: Label
    audience: Audience
    names: Names
    used: dict[tuple[Label, Audience], int] = field(default_factory=dict)

    @property
    def whole(self) -> Mark:
        """The event's own label and audience, as the parent of what stands in it."""
        return Mark(self.event, self.audience)

    def resolve(self, own: Mark | None, parent: Mark) -> Mark:
        """The effective label and audience of a thing under its parent.

        Its colour is its own, even a looser one (its source set it); all else is at least as strict
        as the parent's and the event's, and whom the parent shuts out stays out. What fewer than
        the addressees of an `only` event may have is RED, and so is all that stands inside it.
        """
        if own is None:
            return parent
        if parent.confined:
            return replace(parent, label=replace(join(own.label, parent.label), tlp=Tlp.RED))
        label = replace(join(own.label, parent.label), tlp=own.label.tlp)
        audience = parent.audience or NOBODY
        if own.audience is not None:
            audience = own.audience & audience if parent.label.only else own.audience
        if self.event.only and audience != self.audience:
            # Under an `only` event the event's addressees count for every label byte (sealing.md
            # §2.1), so fewer cannot be named: what fewer may have stays with its own people.
            return Mark(replace(label, tlp=Tlp.RED), self.audience, confined=True)
        return Mark(label, audience)

    def byte(self, mark: Mark) -> int:
        """The label byte of a slot under this effective label and audience."""
        audience = mark.audience or NOBODY
        if audience == self.audience:
            if mark.label == self.event:
                return EVENT_LABEL
            if replace(mark.label, tlp=self.event.tlp) == self.event:
                return int(mark.label.tlp)
        number = self.names.number(mark.label, audience)
        self.used[(mark.label, audience)] = number
        return number

    def records(self) -> Iterator[Record]:
        """The label and addressee records of every label in use, the event's first."""
        for (label, audience), number in chain(
            [((self.event, self.audience), EVENT_LABEL)], self.used.items()
        ):
            yield label_record(number, label)
            yield from (addressee_record(number, party=p) for p in sorted(audience.parties))
            yield from (addressee_record(number, community=c) for c in sorted(audience.communities))


def _minted(held: Holding) -> Iterator[tuple[str, str]]:
    """Key and uuid of every record whose uuid we minted, by what it is about."""
    for record in held.records.values():
        key = _KEYS.get(record.header.kind)
        if key is None or record.slots[0] is None:
            continue
        head = orjson.loads(record.slots[0])
        name = key(head)
        if name == field_key(PSEUDONYM) and record.slots[1] is not None:
            name = pseudonym_key(str(orjson.loads(record.slots[1])["value"]))
        yield name, str(head["uuid"])


def field_key(name: str) -> str:
    """The key of an incident field's record."""
    return f"field:{name}"


def pseudonym_key(value: str) -> str:
    """The key of one of an entity's pseudonyms: a log may hold several, each for others."""
    return f"{field_key(PSEUDONYM)}:{value}"


def tag_key(target: str, name: str) -> str:
    """The key of a tag on the thing `target`; empty for the event's own."""
    return f"tag:{target}:{name}"


def galaxy_key(target: str, galaxy: Json) -> str:
    """The key of a galaxy on the thing `target`, by the galaxy's own uuid, else its type."""
    known = galaxy if isinstance(galaxy, dict) else {}
    return f"galaxy:{target}:{known.get('uuid') or known.get('type')}"


def _marks(held: Holding) -> dict[int, Mark]:
    """Label and audience by label number, as the label and addressee records say them."""
    labels: dict[int, Label] = {}
    parties: dict[int, set[str]] = {}
    communities: dict[int, set[str]] = {}
    for record in held.records.values():
        slot = record.slots[0]
        if slot is not None and record.header.kind == Kind.LABEL:
            number, label = read_label(slot)
            labels[number] = label
        elif slot is not None and record.header.kind == Kind.ADDRESSEE:
            named = read_addressee(slot)
            into = communities if named.is_community else parties
            into.setdefault(named.byte, set()).add(named.who)
    return {
        n: Mark(label, Audience(frozenset(parties.get(n, ())), frozenset(communities.get(n, ()))))
        for n, label in labels.items()
    }


_KEYS: dict[int, Callable[[dict[str, Json]], str]] = {
    Kind.FIELD: lambda head: field_key(str(head.get("field"))),
    Kind.EVENT_TAG: lambda head: tag_key("", str(head.get("name"))),
    Kind.TAG: lambda head: tag_key(str(head.get("target")), str(head.get("name"))),
    Kind.GALAXY: lambda head: galaxy_key(str(head.get("target") or ""), head.get("galaxy")),
}

"""What sources said, as far as it was acknowledged, and who may have it: in plain words.

Each text is a *canary*: it occurs once in the world. A source speaks through its own node alone.
"""

import re
import threading
from dataclasses import dataclass, field, replace
from random import Random
from uuid import UUID

from tests.chaos.cast import NAMES

CANARY = re.compile(rb"q[bcdfghjkmnpqrstvwxz]{14}\.example")
_LETTERS = "bcdfghjkmnpqrstvwxz"  # neither digits nor names: no checker takes it for a patient's
CLEAR, GREEN, AMBER, STRICT, RED = "clear", "green", "amber", "amber+strict", "red"


def may_have(owner: str, party: str, colour: str, named: frozenset[str], *, only: bool) -> bool:
    """Whether a text of this colour may be at the party at all."""
    if party == owner:
        return True
    if colour == RED or (only and party not in named):
        return False
    return party in named or colour in {CLEAR, GREEN}


@dataclass(frozen=True)
class Value:
    """An attribute: its text, and the colour it has if it is another than its event's."""

    text: str
    colour: str
    type: str = "domain"
    bulk: str = ""


@dataclass(frozen=True)
class Event:
    """An event as its source was told that it stands."""

    owner: str
    uuid: str
    title: str
    colour: str
    named: frozenset[str] = frozenset()
    only: bool = False
    values: dict[str, Value] = field(default_factory=dict)  # by the attribute's uuid
    is_recalled: bool = False

    def may_have(self, party: str, colour: str) -> bool:
        return may_have(self.owner, party, colour, self.named, only=self.only)

    def texts_for(self, party: str) -> set[str]:
        """Every canary of it that the party is to hold."""
        if self.is_recalled:
            return set()
        return {text for text, colour in self.texts() if self.may_have(party, colour)}

    def texts(self) -> list[tuple[str, str]]:
        """Every canary of it with its colour."""
        values = [(value.text, value.colour) for value in self.values.values()]
        return [(self.title, self.colour), *values]

    def with_value(self, uuid: str, value: Value) -> "Event":
        return replace(self, values={**self.values, uuid: value})


@dataclass
class Said:
    """Everything that was acknowledged, and everything that was ever said."""

    events: dict[str, Event] = field(default_factory=dict)  # the newest of each, by uuid
    # canary: who might have had it at some time, because a source said so, acknowledged or not
    ever: dict[str, set[str]] = field(default_factory=dict)
    acts: int = 0
    _turn: threading.Lock = field(default_factory=threading.Lock, repr=False)  # many sources

    def try_to(self, event: Event) -> None:
        """A source is about to say this."""
        with self._turn:
            for text, colour in event.texts():
                may = {name for name in NAMES if event.may_have(name, colour)}
                self.ever.setdefault(text, set()).update(may)

    def acknowledged(self, event: Event) -> None:
        """Its node has taken it."""
        with self._turn:
            self.events[event.uuid] = event
            self.acts += 1

    def of(self, owner: str) -> list[Event]:
        """What a source could still change."""
        with self._turn:
            events = [*self.events.values()]
        return [event for event in events if event.owner == owner and not event.is_recalled]


def canary(chance: Random) -> str:
    return f"q{''.join(chance.choices(_LETTERS, k=14))}.example"


def bulk(chance: Random, length: int) -> str:
    """A text that does not compress to nothing."""
    return "".join(chance.choices(_LETTERS, k=length))


def fresh_uuid(chance: Random) -> str:
    return str(UUID(bytes=chance.randbytes(16), version=4))

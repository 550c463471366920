"""Strings that tell where they come from: planted wherever words can stand, at every colour.

`may_have` says who may ever have which, as a plain table written apart from floor and rulebook.
"""

import base64
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from policies.tlp import Tlp
from tests.node.actions.house import ESSAIS, VAL
from tests.node.federation.world import ORGS

FR, BE, DE, HUB = (ORGS[name] for name in ("FR", "BE", "DE", "HUB"))
HOSPITALS = {VAL.org, ESSAIS.org}
PATTERN = re.compile(rb"zqcanary\d{4}qz")

Scope = Literal["event", "report", "ransom", "creator"]
Way = Literal["session", "token", "feed", "nobody"]


@dataclass(frozen=True)
class Canary:
    """A string: who said it, where it stands, under which colour, whom it names.

    `scope` is what it is part of: an event; a report, which never leaves; its ransom lane; or the
    name of the hospital that made an event.
    """

    text: str
    source: str
    place: str
    tlp: Tlp
    named: frozenset[str] = frozenset()
    published: bool = True
    scope: Scope = "event"

    def __str__(self) -> str:
        named = f" for {sorted(self.named)}" if self.named else ""
        return f"{self.place} of {self.source}, {self.tlp.word}{named} ({self.scope})"


@dataclass(frozen=True)
class Asker:
    """Somebody who comes to the node FR by one kind of door."""

    name: str
    org: str
    way: Way


def may_have(asker: Asker, canary: Canary) -> bool:
    """Whether this asker may ever read it at the node FR."""
    home = asker.org in HOSPITALS | {FR}
    is_source = canary.source == asker.org
    own = is_source or (asker.org == FR and canary.source in HOSPITALS)
    if asker.way == "nobody" or (canary.tlp is Tlp.RED and not (own and asker.way == "session")):
        return False
    if canary.scope == "ransom":
        return is_source
    if own:
        return True
    if canary.scope != "event" or not canary.published:
        return False
    arrived = canary.source != BE or canary.tlp <= Tlp.GREEN or FR in canary.named
    named = asker.org in canary.named
    return arrived and (named or canary.tlp <= (Tlp.AMBER if home else Tlp.GREEN))


@dataclass
class Cage:
    """All canaries there are."""

    known: dict[str, Canary] = field(default_factory=dict)

    def new(self, source: str, place: str, tlp: Tlp, *named: str, **more: Any) -> str:
        """A new one's text."""
        text = f"zqcanary{len(self.known):04}qz"
        self.known[text] = Canary(text, source, place, tlp, frozenset(named), **more)
        return text

    def found_in(self, layers: Iterable[bytes]) -> Iterator[Canary]:
        """Those that stand in these bytes."""
        for layer in layers:
            for each in PATTERN.finditer(layer):
                yield self.known[each.group().decode()]

    def searched(self) -> list[str]:
        """What to search for, in another case than it has: a value of each kind."""
        values = (each for each in self.known.values() if each.place == "value")
        kinds = {(each.source, each.tlp, each.named): each.text for each in values}
        return [text.upper() for text in kinds.values()]

    def event(
        self,
        source: str,
        tlp: Tlp,
        *named: str,
        parts: Iterable[Tlp | None] = (None,),
        published: bool = True,
    ) -> dict[str, Any]:
        """A MISP event with one wherever words can stand.

        For each of `parts` it has an attribute, an object with one inside, a file and a written
        report under that colour; None: under the event's own.
        """

        def new(place: str, at: Tlp | None = None) -> str:
            return self.new(source, place, at or tlp, *named, published=published)

        return {
            "info": f"About {new('info')}",
            "Tag": [{"name": new("tag")}],
            "Galaxy": [{"name": new("galaxy"), "GalaxyCluster": [{"value": new("cluster")}]}],
            "x_unknown": new("member that nobody knows"),
            "Attribute": [each for at in parts for each in _attributes(new, at)],
            "Object": [_object(new, at) for at in parts],
            "EventReport": [_report(new, at) for at in parts],
        }


def _coloured(new: Any, at: Tlp | None, tag: str) -> list[dict[str, str]]:
    colour = [] if at is None else [{"name": f"tlp:{at.word}"}]
    return [*colour, {"name": new(tag, at)}]


def _attributes(new: Any, at: Tlp | None) -> list[dict[str, Any]]:
    kept = base64.b64encode(new("attached data", at).encode()).decode()
    plain = {
        "type": "domain",
        "category": "Network activity",
        "value": new("value", at),
        "comment": new("comment", at),
        "x_unknown": new("member of an attribute that nobody knows", at),
        "Tag": _coloured(new, at, "tag of an attribute"),
        "Galaxy": [{"name": new("galaxy of an attribute", at)}],
    }
    if at is not None and at >= Tlp.AMBER:
        plain["twin"] = {"value": new("twin", Tlp.GREEN), "tlp": "green"}
    return [
        plain,
        {
            "type": "attachment",
            "category": "External analysis",
            "value": f"{new('file name', at)}.txt",
            "data": kept,
            "Tag": _coloured(new, at, "tag of a file"),
        },
    ]


def _object(new: Any, at: Tlp | None) -> dict[str, Any]:
    """An object as loose as the event; what stands in it has the colour."""
    inside = {
        "type": "text",
        "category": "Other",
        "object_relation": new("relation of an object attribute", at),
        "value": new("value", at),
        "comment": new("comment of an object attribute", at),
        "Tag": _coloured(new, at, "tag of an object attribute"),
    }
    return {
        "name": new("name of an object"),
        "comment": new("comment of an object"),
        "description": new("description of an object"),
        "Attribute": [inside],
    }


def _report(new: Any, at: Tlp | None) -> dict[str, Any]:
    return {
        "name": new("name of a written report", at),
        "content": new("content of a written report", at),
        "Tag": _coloured(new, at, "tag of a written report"),
    }

"""What a source says about a thing: TLP × PAP × categories × embargo × limits of its audience.

Whom it names stands in addressee records beside it. Only the source loosens a label; whoever
derives something from two things gives it the join of their labels.
"""

from dataclasses import dataclass
from datetime import datetime

from policies.errors import BadLabelError
from policies.tlp import Pap, Tlp

EMBARGOED = "embargoed"
CATEGORIES = frozenset(
    {
        "patient",  # refused at the door, and forbidden again by the floor
        "personal",
        "source-identity",
        "ransom",
        "law-enforcement",
        "attribution",
        "finance",
        "security-posture",
        "clinical",
        "unread-label",  # carried a tlp tag nobody could read
        "unverified-origin",
        EMBARGOED,
        "exercise",
    }
)


@dataclass(frozen=True, slots=True)
class Label:
    """A label: how far a thing may go, what may be done with it, what kind of thing it is.

    `until` is the end of an embargo; one that is said by category alone has no end. `only` keeps
    out whoever is not named, `relay` lets a receiver hand it on.

    Raises:
        BadLabelError: a category is unknown, or `until` has no time zone.
    """

    tlp: Tlp
    pap: Pap = Pap.CLEAR
    categories: frozenset[str] = frozenset()
    until: datetime | None = None
    only: bool = False
    relay: bool = True

    def __post_init__(self) -> None:
        if unknown := self.categories - CATEGORIES:
            raise BadLabelError(f"unknown category {', '.join(sorted(unknown))}")
        if self.until is not None and self.until.utcoffset() is None:
            raise BadLabelError(f"embargo until {self.until.isoformat()} has no time zone")

    def is_embargoed(self, now: datetime) -> bool:
        """Whether its embargo, if it is under one, has not ended."""
        return self.is_endless if self.until is None else self.until > now

    @property
    def is_endless(self) -> bool:
        """Whether it is under an embargo whose end nobody set."""
        return self.until is None and EMBARGOED in self.categories


def join(a: Label, b: Label) -> Label:
    """Return the label that is at least as strict as both."""
    return Label(
        tlp=max(a.tlp, b.tlp),
        pap=max(a.pap, b.pap),
        categories=a.categories | b.categories,
        until=None if a.is_endless or b.is_endless else _later(a.until, b.until),
        only=a.only or b.only,
        relay=a.relay and b.relay,
    )


def _later(a: datetime | None, b: datetime | None) -> datetime | None:
    return max((end for end in (a, b) if end is not None), default=None)

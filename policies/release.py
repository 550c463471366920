"""What a release of something held takes: whose acts, and on what ground.

A policy that holds says what it needs (`@needs("two-roles")`); one that says nothing is content
with one operator. Acts count together only if they name the same ground and reference: two persons
who mean different orders have not agreed.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import StrEnum

OPERATOR = "operator"


class Need(StrEnum):
    """One thing a release needs beside an operator's act."""

    TWO_PERSONS = "two-persons"
    TWO_ROLES = "two-roles"
    GROUND = "ground"
    ORDER = "order"


class Ground(StrEnum):
    """What lets something be handed over to an authority; none of them where it stays with us."""

    NONE = ""
    CONSENT = "consent"
    ORDER = "order"


SENTENCES = {
    Need.TWO_PERSONS: "two persons",
    Need.TWO_ROLES: "two persons in different roles",
    Need.GROUND: "the source's consent or an order, with its reference",
    Need.ORDER: "an order, with its reference",
}
"""What each need means to people."""


@dataclass(frozen=True, slots=True)
class Act:
    """One person's word that something may go."""

    person: str
    role: str
    ground: Ground = Ground.NONE
    reference: str = ""


def read_needs(text: str) -> frozenset[Need]:
    """Return the needs that an `@needs` annotation names, parted by blanks.

    Raises:
        ValueError: one of them is none.
    """
    return frozenset(Need(word) for word in text.split())


def is_complete(needs: Collection[Need], acts: Iterable[Act]) -> bool:
    """Whether these acts release what these needs hold."""
    return any(met.issuperset(needs) for met in needs_met(acts))


def needs_met(acts: Iterable[Act]) -> list[frozenset[Need]]:
    """Return the needs that the acts meet, those on each ground and reference for themselves.

    There is nothing for acts without an operator's: they release nothing, however little it takes.
    """
    agreed: dict[tuple[Ground, str], list[Act]] = {}
    for act in acts:
        agreed.setdefault((act.ground, act.reference), []).append(act)
    return [
        _met(*of, acts=alike)
        for of, alike in agreed.items()
        if any(act.role == OPERATOR for act in alike)
    ]


def _met(ground: Ground, reference: str, *, acts: list[Act]) -> frozenset[Need]:
    persons = {act.person for act in acts}
    roles = {act.role for act in acts}
    has_ground = bool(ground) and bool(reference)
    met = {
        Need.TWO_PERSONS: len(persons) > 1,
        Need.TWO_ROLES: len(persons) > 1 and len(roles) > 1,
        Need.GROUND: has_ground,
        Need.ORDER: has_ground and ground is Ground.ORDER,
    }
    return frozenset(need for need, is_met in met.items() if is_met)

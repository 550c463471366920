"""A space of cases (slot, relation, party): all that tell rules apart, and many drawn at random.

`every_class` takes whole products: colour, audience, relation and sort of party, and whatever else a
rule asks for, one at a time. `drawn` mixes everything as it comes, the same each time.
"""

from collections.abc import Iterable, Iterator
from functools import cache
from itertools import product
from random import Random
from typing import NamedTuple, TypeVar

from policies.label import CATEGORIES
from policies.party import KINDS, ROLES, STANDARD_ROLES, Party
from policies.rulebook import SHIPPED, Rulebook, read_rulebook, shipped
from policies.subject import LOGS, Relation, Subject
from policies.tlp import Pap, Tlp
from tests.policies.strategies import COMMUNITIES, ORGS

T = TypeVar("T")


class Case(NamedTuple):
    """What is asked of a rulebook."""

    subject: Subject
    relation: Relation
    party: Party


RULEBOOKS = ("open", *SHIPPED)
"""The shipped rulebooks, and before them one that shows what the floor alone forbids."""

_OPEN = '@id("all") @reason("everything") permit (principal, action, resource);'
_BOTH = (False, True)
_FACTS = len(Relation.__dataclass_fields__)
_RELATIONS = tuple(Relation(*facts) for facts in product(_BOTH, repeat=_FACTS))
_OUT = tuple(each for each in _RELATIONS if each.published and not each.embargoed)
_LOOSE = ((False, True),)  # not `only`, and may be relayed
_PARTIES = tuple(
    Party(ORGS[0], kind, "FR", STANDARD_ROLES[role])
    for kind, role in (
        ("hospital", "hospital"),
        ("node", "node"),
        ("hub", "hub"),
        ("machine", "hospital"),
        ("law_enforcement", "law_enforcement"),
    )
)


@cache
def rulebook(name: str) -> Rulebook:
    """A rulebook by its name in `RULEBOOKS`."""
    return read_rulebook(_OPEN, name=name, version="1") if name == "open" else shipped(name)


@cache
def every_class() -> tuple[Case, ...]:
    """Every colour in every relation for every sort of party, and what else a rule may ask for."""
    plain = [("event", Pap.CLEAR, frozenset[str]())]
    return (
        *_product(plain, product(_BOTH, _BOTH), _OUT, _PARTIES),
        *_product(plain, _LOOSE, set(_RELATIONS) - set(_OUT), _PARTIES),
        *_product(_odd_ones(), _LOOSE, _OUT, _PARTIES[1:3]),
    )


def _product(
    facts: Iterable[tuple[str, Pap, frozenset[str]]],
    audiences: Iterable[tuple[bool, bool]],
    relations: Iterable[Relation],
    parties: Iterable[Party],
) -> Iterator[Case]:
    for (log, pap, categories), (only, relay), tlp, relation, party in product(
        facts, audiences, Tlp, relations, parties
    ):
        yield Case(Subject(log, 2, 1, tlp, pap, categories, only, relay), relation, party)


@cache
def drawn(count: int) -> tuple[Case, ...]:
    """So many different cases, none of them in `every_class`, with facts of all sorts."""
    rnd = Random(f"{count} cases")
    parties = [_party(rnd) for _ in range(30)]
    subjects = [_subject(rnd) for _ in range(1_200)]
    cases, known = dict[Case, None](), set(every_class())
    while len(cases) < count:
        case = Case(rnd.choice(subjects), _relation(rnd), rnd.choice(parties))
        if case not in known:
            cases[case] = None
    return tuple(cases)


def _odd_ones() -> Iterator[tuple[str, Pap, frozenset[str]]]:
    nothing = frozenset[str]()
    yield from ((log, Pap.CLEAR, nothing) for log in sorted(LOGS - {"event"}))
    yield from (("event", pap, nothing) for pap in Pap if pap is not Pap.CLEAR)
    yield from (("event", Pap.CLEAR, frozenset({each})) for each in sorted(CATEGORIES))


def _subject(rnd: Random) -> Subject:
    return Subject(
        log=rnd.choice(["event", "event", "event", *sorted(LOGS)]),
        kind=rnd.randint(1, 13),
        type=rnd.randint(1, 11),
        tlp=rnd.choice(list(Tlp)),
        pap=rnd.choice(list(Pap)),
        categories=_some(rnd, sorted(CATEGORIES - {"patient"}), 0.12),
        only=rnd.random() < 0.3,
        relay=rnd.random() < 0.7,
    )


def _relation(rnd: Random) -> Relation:
    own, client, direct, named, released = (rnd.random() < 0.5 for _ in range(5))
    own = own and rnd.random() < 0.3  # else most are disclosed for one dull reason
    late = (rnd.random() < 0.1, rnd.random() < 0.9)
    return Relation(own, client, direct, named, released, *late)


def _party(rnd: Random) -> Party:
    return Party(
        org=rnd.choice(ORGS),
        kind=rnd.choice(sorted(KINDS)),
        country=rnd.choice(["FR", "BE", "DE", ""]),
        roles=_some(rnd, sorted(ROLES), 0.5),
        communities=_some(rnd, COMMUNITIES, 0.4),
        hosts=_some(rnd, ["pacs", "ehr"], 0.4),
    )


def _some(rnd: Random, of: tuple[T, ...] | list[T], chance: float) -> frozenset[T]:
    return frozenset(each for each in of if rnd.random() < chance)

"""The rules a second time, as a plain table: written from the definitions, not from the Cedar text.

TLP: FIRST's definitions of 2.0 and "who may receive what" of the incidents page. A party stands to a
slot in some of five ways; a colour lists the ways that let it be seen. What a node agreed to is a
table as well: which standing gets up to which colour, and what waits for a person.
"""

from dataclasses import dataclass

from policies.decide import Effect
from policies.party import Party
from policies.subject import LOGS, Relation, Subject
from policies.tlp import Pap, Tlp

SEEN_BY = {
    Tlp.CLEAR: {"source", "named", "client", "community", "anybody"},
    Tlp.GREEN: {"source", "named", "client", "community"},
    Tlp.AMBER: {"source", "named", "client"},
    Tlp.AMBER_STRICT: {"source", "named"},
    Tlp.RED: {"source"},
}
RELAYED = {Tlp.CLEAR, Tlp.GREEN}
USES = {
    Pap.CLEAR: {"detect", "block"},
    Pap.GREEN: {"detect", "block"},
    Pap.AMBER: {"detect"},
    Pap.RED: set[str](),
}


@dataclass(frozen=True)
class Held:
    """What waits for a person: these categories (none: everything) before this role or kind.

    `spared` are the standings that wait for nobody.
    """

    categories: frozenset[str]
    before: str = "anybody"
    logs: frozenset[str] = LOGS
    spared: frozenset[str] = frozenset({"source", "client"})


@dataclass(frozen=True)
class Agreed:
    """What a rulebook agrees to, were there no floor.

    `up_to`: the strictest colour for each standing, `Tlp.RED` where its source decides alone.
    `anonymous`: who told it is for the named who cannot pass it on, the source, and those whom
    another node told. `unrelayed`: what could be passed on does not leave.
    """

    up_to: dict[str, Tlp]
    held: tuple[Held, ...] = ()
    anonymous: bool = False
    unrelayed: bool = False


EVERYTHING = frozenset[str]()
AGREED = {
    "open": Agreed({"anybody": Tlp.RED}),
    "national": Agreed(
        {
            "source": Tlp.RED,
            "anybody": Tlp.CLEAR,
            "client": Tlp.AMBER,
            "named client": Tlp.RED,
            "member": Tlp.GREEN,
            "named member": Tlp.RED,
            "hub": Tlp.GREEN,
            "named hub": Tlp.RED,
        },
        held=(
            Held(frozenset({"clinical", "attribution"}), "member"),
            Held(
                frozenset({"ransom", "law-enforcement"}),
                "member",
                logs=frozenset({"report"}),
                spared=frozenset(),
            ),
            Held(EVERYTHING, "law_enforcement", spared=frozenset({"client"})),
        ),
    ),
    "hub": Agreed(
        {
            "source": Tlp.RED,
            "anybody": Tlp.CLEAR,
            "client": Tlp.AMBER,
            "named client": Tlp.RED,
            "member": Tlp.GREEN,
            "named member": Tlp.RED,
        },
        held=(Held(frozenset({"attribution"}), "member"),),
    ),
    "community": Agreed(
        {
            "source": Tlp.RED,
            "anybody": Tlp.CLEAR,
            "client": Tlp.AMBER,
            "community": Tlp.GREEN,
            "named anybody": Tlp.RED,
        },
        held=(Held(frozenset({"security-posture", "attribution"})),),
        anonymous=True,
    ),
    "closed": Agreed(
        {"source": Tlp.RED, "staff": Tlp.RED, "named anybody": Tlp.RED},
        held=(Held(frozenset({"attribution", "clinical", "personal"})),),
        unrelayed=True,
    ),
}


def standings(relation: Relation, party: Party) -> set[str]:
    """In which ways the party stands to the slot."""
    ways = {
        "source": relation.own,
        "named": relation.named,
        "client": relation.client,
        "community": "community" in party.roles,
        "anybody": True,
    }
    return {way for way, holds in ways.items() if holds}


def ever_allowed(subject: Subject, relation: Relation, party: Party) -> bool:
    """Whether any rulebook at all could let this be seen."""
    ways = standings(relation, party)
    if "patient" in subject.categories:
        return False
    if "source" in ways:
        return not (subject.tlp is Tlp.RED and party.kind == "machine")
    if subject.log in {"report", "declaration"} or "law-enforcement" in subject.categories:
        return False
    if relation.embargoed or not relation.published:
        return False
    if (subject.only or subject.log == "return") and "named" not in ways:
        return False
    here = "client" in ways
    if "unread-label" in subject.categories and not (here and relation.direct):
        return False
    relaying = not here and not relation.direct
    if relaying and not (subject.relay and subject.tlp in RELAYED):
        return False
    return bool(SEEN_BY[subject.tlp] & ways)


def agreed(rulebook: str, subject: Subject, relation: Relation, party: Party) -> bool:
    """Whether the rulebook has an agreement, were there no floor."""
    agreement = AGREED[rulebook]
    can_be_passed_on = subject.relay and subject.tlp in RELAYED
    ways = standings(relation, party) | party.roles
    ways |= {"staff"} if relation.client and party.kind == "node" else set()
    ways |= {f"named {way}" for way in ways} if relation.named else set()
    if agreement.anonymous and "source-identity" in subject.categories:
        told_by_another_node = relation.client and not relation.direct
        kept = relation.named and (relation.client or not can_be_passed_on)
        if not (relation.own or kept or told_by_another_node):
            return False
    if agreement.unrelayed and can_be_passed_on and not (relation.own or relation.client):
        return False
    return any(subject.tlp <= colour for way, colour in agreement.up_to.items() if way in ways)


def held(rulebook: str, subject: Subject, relation: Relation, party: Party) -> bool:
    """Whether the rulebook wants a person to release it."""
    return not relation.released and any(
        subject.log in each.logs
        and (not each.categories or bool(subject.categories & each.categories))
        and each.before in {"anybody", party.kind, *party.roles}
        and not each.spared & standings(relation, party)
        for each in AGREED[rulebook].held
    )


def verdict(
    rulebook: str, subject: Subject, relation: Relation, party: Party
) -> tuple[Effect, frozenset[str]]:
    """Effect and uses, by the tables."""
    facts = (subject, relation, party)
    if not (ever_allowed(*facts) and agreed(rulebook, *facts)):
        return Effect.WITHHOLD, frozenset()
    if held(rulebook, *facts):
        return Effect.HOLD, frozenset()
    return Effect.DISCLOSE, frozenset(uses(subject))


def uses(subject: Subject) -> set[str]:
    """What machines may do with what is disclosed."""
    return set() if "exercise" in subject.categories else USES[subject.pap]

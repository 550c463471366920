"""The rules a second time, as a plain table: written from the definitions, not from the Cedar text.

TLP: FIRST's definitions of 2.0 and "who may receive what" of the incidents page. A party stands to a
slot in some of five ways; a colour lists the ways that let it be seen.
"""

from policies.party import Party
from policies.subject import Relation, Subject
from policies.tlp import Pap, Tlp

SEEN_BY = {
    Tlp.CLEAR: {"source", "named", "client", "community", "anybody"},
    Tlp.GREEN: {"source", "community"},
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
HELD_FOR_MEMBERS = {"clinical", "attribution"}


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


def agreed_nationally(subject: Subject, relation: Relation, party: Party) -> bool:
    """Whether the national rulebook has an agreement, were there no floor."""
    ways = standings(relation, party)
    if "source" in ways or subject.tlp is Tlp.CLEAR:
        return True
    if party.roles & {"member", "hub"} and ("named" in ways or subject.tlp is Tlp.GREEN):
        return True
    return "client" in ways and (subject.tlp <= Tlp.AMBER or "named" in ways)


def held_nationally(subject: Subject, relation: Relation, party: Party) -> bool:
    """Whether the national rulebook wants a person to release it."""
    leaves = not (relation.own or relation.client)
    sensitive = bool(subject.categories & HELD_FOR_MEMBERS)
    return leaves and sensitive and "member" in party.roles and not relation.released


def uses(subject: Subject) -> set[str]:
    """What machines may do with what is disclosed."""
    return set() if "exercise" in subject.categories else USES[subject.pap]

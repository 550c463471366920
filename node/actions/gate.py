"""How a caller stands to a log, and what that lets him see: the one gate of all readers.

`standing_of` is for one log, `gate_of` for all of them at once, in SQL. Both ask the same judge
about the same facts; a test holds search and lists against `project`, log by log.

A release is for a member of the federation, never for somebody enrolled here, so no reader of this
node is ever shown a slot by release and the gate need not look for one.
"""

from collections.abc import Mapping
from datetime import datetime

from node.actions.caller import Caller
from node.node import Node
from node.storage.classes import SlotFacts, all_classes
from node.storage.gate import Gate, Sight
from node.storage.logs import HoldingRow, LogRow
from node.storage.store import Unit
from policies.decide import Effect
from policies.party import Party
from policies.subject import Relation
from sharing.project import Standing
from sharing.seal.records import Kind, SlotType

STANDINGS = tuple(
    Standing(own=own, client=True, direct=direct, published=published)
    for own, direct, published in (
        (True, True, True),
        (True, True, False),  # our own, not yet let go
        (False, True, True),
        (False, True, False),  # another local organisation's
        (False, False, True),  # relayed
    )
)
"""Every way in which a reader of this node can stand to a log; what was received is published."""

TOWARDS_MEMBERS = tuple(
    Standing(own=False, client=False, direct=direct, published=True) for direct in (True, False)
)
"""Every way in which a peer can stand to what it is offered."""

_SILENT = frozenset({Kind.LABEL, Kind.ADDRESSEE, Kind.PAD})
_FIELD_VALUES = frozenset({SlotType.VALUE, SlotType.TWIN})


def standing_of(node: Node, caller: Caller, log: LogRow, holding: HoldingRow) -> Standing:
    """Give how the caller stands to a log that this node holds (D14)."""
    own = log.origin == node.org and (caller.is_staff or log.source == caller.org)
    return Standing(own=own, client=True, direct=holding.hops == 0, published=log.published)


def gate_of(node: Node, unit: Unit, caller: Caller, now: datetime) -> Gate:
    """Give the gate in SQL for this caller at this moment."""
    node = node.pinned()
    facts = all_classes(unit.connection)
    sights = []
    for standing in STANDINGS:
        allowed = allowed_classes(node, caller, standing, facts, now)
        telling = frozenset(one for one in allowed if _is_telling(facts[one]))
        sights.append(Sight(standing.own, standing.direct, standing.published, allowed, telling))
    return Gate(node.org, node.org if caller.is_staff else caller.org, tuple(sights))


def allowed_classes(
    node: Node,
    caller: Caller,
    standing: Standing,
    facts: Mapping[int, SlotFacts],
    now: datetime,
) -> frozenset[int]:
    """Give the ids of the classes whose slots are disclosed to the caller in this standing."""
    party, decide = caller.party, node.judge.decide
    return frozenset(
        one
        for one, slot in facts.items()
        if decide(slot.subject, relation_of(slot, party, standing, now), party).effect
        is Effect.DISCLOSE
    )


def relation_of(slot: SlotFacts, party: Party, standing: Standing, now: datetime) -> Relation:
    """Give how a slot of this class, not released, stands to the party at this moment."""
    return Relation(
        own=standing.own,
        client=standing.client,
        direct=standing.direct,
        named=party.org in slot.addressees or not slot.addressees.isdisjoint(party.communities),
        released=False,
        embargoed=slot.label.is_embargoed(now),
        published=standing.published,
    )


def _is_telling(slot: SlotFacts) -> bool:
    """Whether a disclosed slot of this class puts its record into the reader's view.

    A record shows with its head; a field only with a value, whose head is never stricter.
    """
    if slot.kind in _SILENT:
        return False
    return slot.type in _FIELD_VALUES if slot.kind == Kind.FIELD else slot.type == SlotType.HEAD

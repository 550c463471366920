"""Search by value: the reader's gate in SQL, so that neither hits nor their number tell of more."""

from dataclasses import dataclass

from node.actions.caller import Caller
from node.actions.errors import BadInputError
from node.actions.gate import gate_of
from node.node import Node
from node.storage.classes import all_classes
from node.storage.entries import seen_values

_LIMIT = 500


@dataclass(frozen=True, slots=True)
class Hit:
    """An attribute that the caller may see; `info` is None where its event's core is withheld."""

    origin: str
    event: str
    info: str | None
    attribute: str
    type: str
    value: str
    tlp: str


def search_values(node: Node, caller: Caller, value: str, limit: int = 100) -> tuple[Hit, ...]:
    """Give the attributes that have this value, or a part that does, newest event first.

    Case makes no difference.

    Raises:
        BadInputError: there is no value to look for, or `limit` is none.
    """
    if not value.strip():
        raise BadInputError("value", "is empty")
    if not 1 <= limit <= _LIMIT:
        raise BadInputError("limit", f"from 1 to {_LIMIT}")
    with node.store.read() as unit:
        gate = gate_of(node, unit, caller, node.clock())
        found = seen_values(unit.connection, gate, value, limit)
        facts = all_classes(unit.connection)
    return tuple(
        Hit(
            origin=each.origin,
            event=each.event,
            info=None if each.info is None else each.info.text,
            attribute=each.uuid,
            type=each.type,
            value=each.value,
            tlp=facts[each.class_id].label.tlp.word,
        )
        for each in found
    )

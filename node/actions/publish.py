"""Publishing: an operator lets an event of this node go to whomever policy allows.

It lowers no label and names nobody: what may leave was fixed when the event was sealed, on the
ground its log names (D11). Until then the floor shows it to its source and its node alone.
"""

from node.actions.caller import Caller
from node.actions.errors import NotFoundError
from node.actions.own import Submitted, check_operator, find_own_row, note, submitted
from node.node import Node
from node.storage.dirt import mark_dirty
from node.storage.logs import set_published


def publish(node: Node, caller: Caller, origin: str, event: str) -> Submitted:
    """Let the event go; once it is published, the same again changes nothing.

    Raises:
        NotAllowedError: the caller is no operator.
        NotFoundError: there is no such event of this node, or it was recalled.
    """
    check_operator(caller, "publish")
    with node.store.write() as unit:
        row = find_own_row(node, unit, caller, origin, event, for_update=True)
        if row.is_recalled:
            raise NotFoundError("event of yours")
        if row.published:
            return submitted(row, is_new=False)
        set_published(unit.connection, origin, event, published=True)
        mark_dirty(unit.connection, [(origin, event)], urgent=row.urgent)
        detail = {"seal": row.seal, "ground": dict(row.ground)}
        note(unit, node, caller, "event.publish", row, detail)
    return submitted(row, is_new=True)

"""One log before one caller: what every reader of a single log starts from."""

from collections.abc import Collection
from dataclasses import dataclass

from node.actions.aliases import known_as
from node.actions.caller import Caller
from node.actions.errors import NotFoundError
from node.actions.gate import standing_of
from node.actions.stored import opened
from node.node import Node
from node.storage.logs import HoldingRow, LogRow, best_holding, find_log
from node.storage.store import Unit
from sharing.project import Projection, Release, Standing, project
from sharing.seal.holding import Holding


@dataclass(frozen=True, slots=True)
class Readable:
    """A log as it stands before one caller: the holding he goes by, and what of it he may have."""

    log: LogRow
    best: HoldingRow
    holding: Holding
    standing: Standing
    projection: Projection


def find_readable(node: Node, unit: Unit, caller: Caller, origin: str, event: str) -> Readable:
    """Give an event of which the caller may see something; a hospital's also by the uuid it gave.

    Raises:
        NotFoundError: there is none, or nothing of it that he may see.
    """
    for uuid in known_as(node, caller, event):
        log = find_log(unit.connection, origin, uuid)
        best = None if log is None else best_holding(unit.connection, origin, uuid)
        if log is None or best is None or log.type != "event":
            continue
        seen = readable(node, caller, log, best)
        if seen.projection.masks:
            return seen
    raise NotFoundError("event")


def find_answered_for(node: Node, unit: Unit, caller: Caller, origin: str, event: str) -> LogRow:
    """Give an event for which the caller answers (staff, its source): he may know who had it.

    What is recalled or withdrawn is one still; what is here and wholly hidden from him, as from a
    token where all of it is TLP:RED, is not.

    Raises:
        NotFoundError: there is none such.
    """
    log = find_log(unit.connection, origin, event)
    own = log is not None and origin == node.org and log.source == caller.org
    if log is None or log.type != "event" or not (caller.is_staff or own):
        raise NotFoundError("event")
    best = best_holding(unit.connection, origin, event)
    if best is None or log.is_recalled or readable(node, caller, log, best).projection.masks:
        return log
    raise NotFoundError("event")


def readable(
    node: Node,
    caller: Caller,
    log: LogRow,
    best: HoldingRow,
    releases: Collection[Release] = (),
) -> Readable:
    """Give a log as it stands before the caller; what waits is open to him where it is released."""
    standing = standing_of(node, caller, log, best)
    with opened(best) as holding:
        projection = project(holding, caller.party, standing, node.judge, releases, node.clock())
    return Readable(log, best, holding, standing, projection)

"""The picture: all incidents that this node's staff may see, in one table.

Made of Views, like every other reading: what was not given is not counted, what was given coarse is
counted coarse. A field that nobody told is "unknown".
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from node.actions.caller import Caller
from node.actions.errors import NotAllowedError, NotFoundError
from node.actions.gate import gate_of
from node.actions.read import read_event
from node.node import Node
from node.storage.classes import all_classes
from node.storage.picture import indicators_by_type, logs_showing
from sharing.seal.records import Kind
from sharing.view import View

_UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, order=True)
class PictureKey:
    """What incidents of one row have in common."""

    country: str
    entity_type: str
    rsit: str
    impact: str
    status: str


@dataclass(frozen=True, slots=True)
class PictureRow:
    """One row: so many incidents are alike in all this, and name so many indicators."""

    country: str
    entity_type: str
    rsit: str
    impact: str
    status: str
    incidents: int
    indicators: int


@dataclass(frozen=True, slots=True)
class Picture:
    """The table, and totals over it; `indicators` are those of all events, by type."""

    rows: tuple[PictureRow, ...]
    incidents: int
    countries: int
    indicators: Mapping[str, int]


def hub_picture(node: Node, caller: Caller) -> Picture:
    """Draw the picture of what this node knows, for its own staff.

    Raises:
        NotAllowedError: the caller is not staff of this node.
    """
    if not caller.is_staff:
        raise NotAllowedError("only the node's own staff sees the picture")
    with node.store.read() as unit:
        conn = unit.connection
        gate = gate_of(node, unit, caller, node.clock())
        fields = [n for n, facts in all_classes(conn).items() if facts.kind == Kind.FIELD]
        logs = logs_showing(conn, gate, fields)
        by_type = indicators_by_type(conn, gate)
    incidents, indicators = Counter[PictureKey](), Counter[PictureKey]()
    for origin, event in logs:
        try:
            seen = read_event(node, caller, origin, event)
        except NotFoundError:
            continue  # withdrawn since the list was made
        key = _key(seen)
        incidents[key] += 1
        indicators[key] += len(seen.event.attributes)
    return Picture(
        rows=tuple(
            PictureRow(**asdict(key), incidents=incidents[key], indicators=indicators[key])
            for key in sorted(incidents)
        ),
        incidents=incidents.total(),
        countries=len({key.country for key in incidents}),
        indicators=by_type,
    )


def _key(seen: View) -> PictureKey:
    return PictureKey(
        country=_word(seen, "entity_country"),
        entity_type=_word(seen, "entity_type"),
        rsit=_word(seen, "rsit"),
        impact=_word(seen, "impact_severity"),
        status=_word(seen, "status"),
    )


def _word(seen: View, name: str) -> str:
    field = seen.field(name)
    match None if field is None else field.value:
        case None | [] | "":
            return _UNKNOWN
        case list() as values:
            return ", ".join(sorted(map(str, values)))
        case value:
            return str(value)

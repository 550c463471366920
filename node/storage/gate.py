"""The reader's gate in SQL: the same verdicts as everywhere, applied by class (D15, D34).

A `Gate` is made for one reader and one moment (`actions/gate.py`): which classes of slots are
disclosed to him, for each way in which he may stand to a log. How he stands to one is read from the
log (own, published) and from the holding readers go by (direct). Nothing is allowed that no `Sight`
names: a gate without sights shows nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, false, not_, or_

from node.storage.tables import entry, holding, log, log_class


@dataclass(frozen=True, slots=True)
class Sight:
    """What a reader may see of the logs to which he stands in one way.

    `classes` of slots are shown to him; `telling` are those of them that show, by being there,
    something of a log: labels and addressees alone tell nothing.
    """

    own: bool
    direct: bool
    published: bool
    classes: frozenset[int]
    telling: frozenset[int]


@dataclass(frozen=True, slots=True)
class Gate:
    """A reader of this node (`here`), with what he may see in each standing."""

    here: str
    reader: str
    sights: tuple[Sight, ...]


def is_own(gate: Gate) -> ColumnElement[bool]:
    """Whether the log is the reader's: he is its source, or staff of the node that sealed it."""
    sealed_here = log.c.origin == gate.here
    if gate.reader == gate.here:
        return sealed_here
    return and_(sealed_here, log.c.source.is_not(None), log.c.source == gate.reader)


def entry_is_seen(gate: Gate) -> ColumnElement[bool]:
    """Whether the row's head and its value are both disclosed; needs entry, log and holding."""
    return _in_some_sight(
        gate,
        lambda sight: and_(
            entry.c.head_class.in_(sorted(sight.classes)),
            entry.c.value_class.in_(sorted(sight.classes)),
        ),
    )


def class_is_telling(gate: Gate) -> ColumnElement[bool]:
    """Whether the class shows that the log is there; needs log_class, log and holding."""
    return _in_some_sight(gate, lambda sight: log_class.c.class_id.in_(sorted(sight.telling)))


def _in_some_sight(
    gate: Gate, allowed: Callable[[Sight], ColumnElement[bool]]
) -> ColumnElement[bool]:
    own = is_own(gate)
    return or_(
        false(),
        *(
            and_(
                own if sight.own else not_(own),
                holding.c.hops == 0 if sight.direct else holding.c.hops > 0,
                log.c.published.is_(sight.published),
                allowed(sight),
            )
            for sight in gate.sights
            if sight.classes
        ),
    )

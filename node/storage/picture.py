"""What a reader may see in all, for the picture: which logs are incidents, how many indicators.

Counted over what passes the reader's gate, never over more (D34).
"""

from collections.abc import Collection, Mapping

from sqlalchemy import Connection, and_, func, select

from node.storage.dirt import LogKey
from node.storage.entries import ATTRIBUTE
from node.storage.gate import Gate, class_is_telling, entry_is_seen
from node.storage.tables import entry, holding, log, log_class


def logs_showing(conn: Connection, gate: Gate, classes: Collection[int]) -> tuple[LogKey, ...]:
    """Give the logs in which the reader may see something of these classes."""
    rows = conn.execute(
        select(log.c.origin, log.c.event)
        .select_from(
            log.join(
                log_class,
                and_(log_class.c.origin == log.c.origin, log_class.c.event == log.c.event),
            ).join(
                holding,
                and_(
                    holding.c.origin == log_class.c.origin,
                    holding.c.event == log_class.c.event,
                    holding.c.src == log_class.c.src,
                ),
            )
        )
        .where(
            log.c.type == "event",
            log_class.c.class_id.in_(sorted(classes)),
            class_is_telling(gate),
        )
        .distinct()
        .order_by(log.c.origin, log.c.event)
    )
    return tuple((row.origin, row.event) for row in rows)


def indicators_by_type(conn: Connection, gate: Gate) -> Mapping[str, int]:
    """Give how many attributes of each type the reader may see, most frequent first."""
    seen = (
        select(entry.c.origin, entry.c.event, entry.c.record, entry.c.type)
        .select_from(
            entry.join(
                holding,
                and_(
                    holding.c.origin == entry.c.origin,
                    holding.c.event == entry.c.event,
                    holding.c.src == entry.c.src,
                ),
            ).join(log, and_(log.c.origin == entry.c.origin, log.c.event == entry.c.event))
        )
        .where(entry.c.kind == ATTRIBUTE, entry_is_seen(gate))
        .distinct()  # a value made of parts has a row for each
        .subquery()
    )
    rows = conn.execute(
        select(seen.c.type, func.count().label("n"))
        .group_by(seen.c.type)
        .order_by(func.count().desc(), seen.c.type)
    )
    return {row.type: row.n for row in rows}

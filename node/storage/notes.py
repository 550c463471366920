"""Notes: which log each is about; and what was seen here, of which only counts leave."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import datetime

from sqlalchemy import Connection, delete, func, insert, select, tuple_

from node.storage.store import insert_missing
from node.storage.tables_notes import note_about, sighting

_AT_ONCE = 500  # logs in one question

LogKey = tuple[str, str]  # (origin, event)


@dataclass(frozen=True, slots=True)
class SightingRow:
    """So many times somebody here saw an attribute of a log on a day, in UTC."""

    org: str
    id: str
    origin: str
    event: str
    attribute: str
    type: str
    day: str
    count: int
    person: str
    added_at: datetime


@dataclass(frozen=True, slots=True)
class SightingCount:
    """The same for everybody here together."""

    attribute: str
    type: str
    day: str
    count: int


def set_about(conn: Connection, note: LogKey, about: LogKey | None) -> None:
    """Remember which log a note is about; None: it says so no more."""
    conn.execute(
        delete(note_about).where(note_about.c.origin == note[0], note_about.c.event == note[1])
    )
    if about is not None:
        conn.execute(
            insert(note_about).values(
                origin=note[0], event=note[1], about_origin=about[0], about_event=about[1]
            )
        )


def notes_about(conn: Connection, logs: Collection[LogKey]) -> tuple[LogKey, ...]:
    """Give the notes about these logs, each as (origin, event), in order."""
    about, keys = tuple_(note_about.c.about_origin, note_about.c.about_event), sorted(logs)
    found = list[LogKey]()
    for start in range(0, len(keys), _AT_ONCE):
        some = about.in_(keys[start : start + _AT_ONCE])
        rows = conn.execute(select(note_about.c.origin, note_about.c.event).where(some))
        found += [(row.origin, row.event) for row in rows]
    return tuple(sorted(found))


def told_of(conn: Connection, me: str, notes: Iterable[LogKey]) -> tuple[LogKey, ...]:
    """Give the logs that those of these notes which are ours are about."""
    ours = [event for origin, event in notes if origin == me]
    rows = conn.execute(
        select(note_about.c.about_origin, note_about.c.about_event)
        .where(note_about.c.origin == me, note_about.c.event.in_(ours))
        .order_by(note_about.c.event)
    )
    return tuple((row.about_origin, row.about_event) for row in rows)


def add_sightings(conn: Connection, rows: Iterable[SightingRow]) -> None:
    """Keep what was seen; one that is there already stays as it is."""
    names = [each.name for each in fields(SightingRow)]
    insert_missing(conn, sighting, [{name: getattr(row, name) for name in names} for row in rows])


def known_sightings(conn: Connection, org: str, ids: Iterable[str]) -> frozenset[str]:
    """Give those of these ids that the organisation has used."""
    rows = conn.execute(
        select(sighting.c.id).where(sighting.c.org == org, sighting.c.id.in_(sorted(ids)))
    )
    return frozenset(row.id for row in rows)


def told_by(conn: Connection, org: str, about: LogKey) -> Mapping[tuple[str, str], int]:
    """Give how often an organisation told of a log: by attribute and day, whatever the type."""
    by = (sighting.c.attribute, sighting.c.day)
    rows = conn.execute(
        select(*by, func.sum(sighting.c.count).label("n"))
        .where(sighting.c.org == org, sighting.c.origin == about[0], sighting.c.event == about[1])
        .group_by(*by)
    )
    return {(row.attribute, row.day): int(row.n) for row in rows}


def counts_of(conn: Connection, about: LogKey) -> tuple[SightingCount, ...]:
    """Give what was seen here of a log, by attribute, type and day."""
    by = (sighting.c.attribute, sighting.c.type, sighting.c.day)
    rows = conn.execute(
        select(*by, func.sum(sighting.c.count).label("n"))
        .where(sighting.c.origin == about[0], sighting.c.event == about[1])
        .group_by(*by)
        .order_by(*by)
    )
    return tuple(SightingCount(row.attribute, row.type, row.day, int(row.n)) for row in rows)

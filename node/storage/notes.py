"""Notes: which log each is about; and what was seen here, of which only counts leave."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import datetime

from sqlalchemy import Connection, delete, func, insert, select, tuple_, update

from node.storage.store import insert_missing
from node.storage.tables import log
from node.storage.tables_notes import note_about, sighting

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


def notes_about(conn: Connection, about: LogKey) -> tuple[LogKey, ...]:
    """Give the notes about a log, each as (origin, event)."""
    rows = conn.execute(
        select(note_about.c.origin, note_about.c.event)
        .where(note_about.c.about_origin == about[0], note_about.c.about_event == about[1])
        .order_by(note_about.c.origin, note_about.c.event)
    )
    return tuple((row.origin, row.event) for row in rows)


def publish_notes(
    conn: Connection, me: str, about: LogKey, *, published: bool
) -> tuple[LogKey, ...]:
    """Let our own notes about a log leave, or keep them at home; gives which changed."""
    changed = [key for key in notes_about(conn, about) if key[0] == me]
    statement = update(log).where(
        tuple_(log.c.origin, log.c.event).in_(changed), log.c.published != published
    )
    rows = conn.execute(statement.values(published=published).returning(log.c.origin, log.c.event))
    return tuple((row.origin, row.event) for row in rows)


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

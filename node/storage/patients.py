"""What persons released as no patient data: ids of findings, never a text. Rows never change."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection, select

from node.storage.store import insert_new
from node.storage.tables import patient_release


@dataclass(frozen=True, slots=True)
class PatientReleaseRow:
    """One person's word about one finding; `envelope` proves it, `org` is whom he works for."""

    finding: str
    org: str
    person: str
    role: str
    reason: str
    envelope: bytes = field(repr=False)
    released_at: datetime


_FIELDS = tuple(PatientReleaseRow.__dataclass_fields__)


def add_patient_release(conn: Connection, row: PatientReleaseRow) -> bool:
    """Keep a release; False: somebody of this organisation has released it before."""
    return insert_new(conn, patient_release, {name: getattr(row, name) for name in _FIELDS})


def released_among(
    conn: Connection, findings: Collection[str], orgs: Collection[str]
) -> frozenset[str]:
    """Give which of these findings (some hundreds at most) one of these organisations released."""
    table = patient_release.c
    query = select(table.finding).where(table.finding.in_(findings), table.org.in_(orgs))
    return frozenset(conn.execute(query).scalars())


def patient_releases(
    conn: Connection, org: str | None = None, *, limit: int
) -> tuple[PatientReleaseRow, ...]:
    """Give the newest releases, of one organisation or of all, newest first."""
    query = select(patient_release).order_by(patient_release.c.id.desc()).limit(limit)
    if org is not None:
        query = query.where(patient_release.c.org == org)
    return tuple(
        PatientReleaseRow(**{name: getattr(row, name) for name in _FIELDS})
        for row in conn.execute(query)
    )

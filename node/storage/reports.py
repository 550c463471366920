"""The submitted stages of reports: append-only, one row a version, never changed.

The report log holds what was said; these rows say when, by whom, and what its clocks run on. A
report is named (org, report_id): its id is its org's own word, so no org learns of another's.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any

import zstandard
from sqlalchemy import Connection, Row, func, insert, select

from node.storage.tables import stage

_MAX_CONTENT_BYTES = 64 << 20


@dataclass(frozen=True, slots=True)
class StageRow:
    """One submitted stage of one report.

    `content` is what was sent, the bytes that `content_hash` names; `due` is as it was answered
    then: what, and when.
    """

    org: str
    report_id: str
    version: int
    stage: str
    content_hash: str
    content: bytes = field(repr=False)
    event: str
    report: str
    submitted_at: datetime
    submitted_by: str
    aware_at: datetime | None
    handled_at: datetime | None
    status: str
    significant: str
    completeness: int
    due: Mapping[str, str]


_NAMES = [one.name for one in fields(StageRow)]


def stages_of(conn: Connection, org: str, report_id: str) -> tuple[StageRow, ...]:
    """Give the report's stages in the order of their versions; none: it has no such report."""
    rows = conn.execute(
        select(stage)
        .where(stage.c.org == org, stage.c.report_id == report_id)
        .order_by(stage.c.version)
    )
    return tuple(map(_stage_row, rows))


def reporters_of(conn: Connection, report_id: str) -> tuple[str, ...]:
    """Give the organisations that have a report of this id, who had it first first.

    It is one, unless somebody copied an id: they travel with what is shared of a report.
    """
    rows = conn.execute(
        select(stage.c.org)
        .where(stage.c.report_id == report_id)
        .group_by(stage.c.org)
        .order_by(func.min(stage.c.submitted_at), stage.c.org)
    )
    return tuple(rows.scalars())


def report_of_event(conn: Connection, event: str) -> tuple[str, str] | None:
    """Give (org, report id) of the report from which the event's log was cut, if it was."""
    row = conn.execute(
        select(stage.c.org, stage.c.report_id).where(stage.c.event == event).limit(1)
    ).first()
    return None if row is None else (row.org, row.report_id)


def add_stage(conn: Connection, row: StageRow) -> None:
    """Append a stage.

    Raises:
        sqlalchemy.exc.IntegrityError: the version is taken: another writer was first.
    """
    values = {name: getattr(row, name) for name in _NAMES}
    kept = {
        "content": zstandard.compress(row.content),
        "due": json.dumps(dict(row.due), sort_keys=True),
    }
    conn.execute(insert(stage).values(**{**values, **kept}))


def _stage_row(row: Row[Any]) -> StageRow:
    values = {name: getattr(row, name) for name in _NAMES}
    content = zstandard.decompress(row.content, max_output_size=_MAX_CONTENT_BYTES)
    return StageRow(**{**values, "content": content, "due": json.loads(row.due)})

"""Submitted stages: appended, never changed."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.exc import IntegrityError

from node.storage.columns import metadata
from node.storage.people import Org, put_org
from node.storage.reports import (
    StageRow,
    add_stage,
    report_of_event,
    reporters_of,
    stages_of,
)
from node.storage.store import Store, open_store

NOW = datetime(2026, 1, 27, 7, 40, tzinfo=UTC)
ONE, TWO = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"
REPORT = "33333333-3333-4333-8333-333333333333"
STAGE = StageRow(
    org=ONE,
    report_id=REPORT,
    version=1,
    stage="early_warning",
    content_hash="ab" * 32,
    content=b'{"stage":"early_warning"}',
    event="e" * 36,
    report="r" * 36,
    submitted_at=NOW,
    submitted_by="claire",
    aware_at=NOW,
    handled_at=None,
    status="ongoing",
    significant="significant",
    completeness=60,
    due={"early_warning": NOW.isoformat()},
)


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    opened = open_store(database_url)
    metadata.create_all(opened.engine)
    with opened.write() as unit:
        for org in (ONE, TWO):
            put_org(unit.connection, Org(org, "a hospital", "hospital", "FR"))
    yield opened
    opened.close()


def test_stages_come_back_whole_in_their_order(store: Store) -> None:
    later = replace(STAGE, version=2, stage="incident_notification", aware_at=None)
    with store.write() as unit:
        add_stage(unit.connection, later)
        add_stage(unit.connection, STAGE)
    with store.read() as unit:
        assert stages_of(unit.connection, ONE, REPORT) == (STAGE, later)
        assert report_of_event(unit.connection, STAGE.event) == (ONE, REPORT)
        assert report_of_event(unit.connection, REPORT) is None


def test_a_version_is_taken_once(store: Store) -> None:
    with store.write() as unit:
        add_stage(unit.connection, STAGE)
    with pytest.raises(IntegrityError), store.write() as unit:
        add_stage(unit.connection, STAGE)


def test_the_same_id_of_two_organisations_is_two_reports_and_the_first_comes_first(
    store: Store,
) -> None:
    first = replace(STAGE, org=TWO, event="f" * 36, submitted_at=NOW - timedelta(hours=1))
    with store.write() as unit:
        add_stage(unit.connection, STAGE)
        add_stage(unit.connection, first)
    with store.read() as unit:
        assert reporters_of(unit.connection, REPORT) == (TWO, ONE)
        assert len(stages_of(unit.connection, TWO, REPORT)) == 1

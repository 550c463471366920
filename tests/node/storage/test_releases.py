"""Acts and releases: added, never changed."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from node.storage.columns import metadata
from node.storage.releases import (
    ActRow,
    HeldSlot,
    acts_of,
    add_act,
    add_releases,
    releases_of,
)
from node.storage.store import Store, open_store
from policies.release import Need
from sharing.verdicts import Release

NOW = datetime(2026, 1, 27, 7, 40, tzinfo=UTC)
FR, EVENT = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"
RECORD, BE = "33333333-3333-4333-8333-333333333333", "44444444-4444-4444-8444-444444444444"
BAND, NAME = HeldSlot(RECORD, 11, "cd" * 32), HeldSlot(RECORD, 10, "ef" * 32)
ACT = ActRow(
    origin=FR,
    event=EVENT,
    party=BE,
    person="amelie",
    role="operator",
    ground="",
    reference="",
    reason="agreed",
    envelope=b"{}",
    acted_at=NOW,
    slots=frozenset({BAND, NAME}),
)


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    opened = open_store(database_url)
    metadata.create_all(opened.engine)
    yield opened
    opened.close()


def test_acts_come_back_whole_in_their_order(store: Store) -> None:
    second = replace(ACT, person="hugo", role="analyst", slots=frozenset({NAME}))
    with store.write() as unit:
        for act in (ACT, second, replace(ACT, event=FR)):
            add_act(unit.connection, act)
    with store.read() as unit:
        assert acts_of(unit.connection, FR, EVENT) == (ACT, second)
        assert acts_of(unit.connection, EVENT, FR) == ()


def test_a_release_is_kept_once_and_another_content_is_another(store: Store) -> None:
    edited = BAND._replace(slot_hash="ab" * 32)
    with store.write() as unit:
        conn = unit.connection
        for act in (ACT, replace(ACT, person="hugo", role="analyst", slots=frozenset({edited}))):
            add_act(conn, act)
        assert add_releases(conn, (FR, EVENT), BE, {BAND, NAME}, NOW) == [NAME, BAND]
        assert add_releases(conn, (FR, EVENT), BE, {BAND}, NOW) == []
        assert add_releases(conn, (FR, EVENT), BE, {edited}, NOW) == [edited]
        assert add_releases(conn, (FR, EVENT), FR, {BAND}, NOW) == [BAND]
    with store.read() as unit:
        kept = releases_of(unit.connection, FR, EVENT)
    assert kept == (Release(*NAME, BE), Release(*BAND, BE))  # nobody who may released the others


def test_a_release_meets_what_its_acts_meet_on_one_ground(store: Store) -> None:
    hugo = replace(ACT, person="hugo", role="analyst")
    order = replace(ACT, ground="order", reference="PR 26/0412")
    with store.write() as unit:
        conn = unit.connection
        for act in (ACT, order):
            add_act(conn, act)
        add_releases(conn, (FR, EVENT), BE, {NAME}, NOW)
    with store.read() as unit:
        told = {each.met for each in releases_of(unit.connection, FR, EVENT)}
    assert told == {frozenset(), frozenset({Need.GROUND, Need.ORDER})}
    with store.write() as unit:
        add_act(unit.connection, hugo)
    with store.read() as unit:
        met = [each.met for each in releases_of(unit.connection, FR, EVENT)]
    assert frozenset({Need.TWO_PERSONS, Need.TWO_ROLES}) in met

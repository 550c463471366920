"""Logs, holdings and which of them readers go by."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from node.storage.columns import metadata
from node.storage.logs import (
    HoldingRow,
    LogRow,
    add_log,
    advance_log,
    best_holding,
    erase_holdings,
    find_holding,
    find_log,
    put_holding,
    set_published,
    set_recalled,
)
from node.storage.store import Store, open_store

NOW = datetime(2026, 1, 27, 7, 40, tzinfo=UTC)
HERE = "11111111-1111-4111-8111-111111111111"
PEER = "22222222-2222-4222-8222-222222222222"
HUB = "33333333-3333-4333-8333-333333333333"
EVENT = "aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa"
LOG = LogRow(
    origin=PEER,
    event=EVENT,
    type="event",
    epoch=0,
    seq=1,
    seal="00" * 32,
    source=None,
    published=True,
    urgent=False,
    report=None,
    ground={"rule": "fr-health/3"},
    recalled_epoch=None,
    recalled_seq=None,
    recall=None,
    first_seen_at=NOW,
    updated_at=NOW,
)


def held(src: str, *, seq: int = 1, hops: int = 0, epoch: int = 0) -> HoldingRow:
    return HoldingRow(
        origin=PEER,
        event=EVENT,
        src=src,
        epoch=epoch,
        seq=seq,
        seal="00" * 32,
        digest="11" * 32,
        hops=hops,
        package=f"package of {src} seq {seq}".encode(),
        withheld=[{"ground": "tlp"}],
        received_at=NOW,
    )


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    opened = open_store(database_url)
    metadata.create_all(opened.engine)
    with opened.write() as unit:
        add_log(unit.connection, LOG)
    yield opened
    opened.close()


def test_a_log_comes_back_as_it_was_written(store: Store) -> None:
    with store.read() as unit:
        assert find_log(unit.connection, PEER, EVENT) == LOG


def test_the_same_uuid_of_another_originator_is_another_log(store: Store) -> None:
    with store.write() as unit:
        add_log(unit.connection, replace(LOG, origin=HUB, seal="22" * 32))
        set_published(unit.connection, HUB, EVENT, published=False)
        put_holding(unit.connection, held(PEER))
    with store.read() as unit:
        first, second = (find_log(unit.connection, org, EVENT) for org in (PEER, HUB))
        assert first is not None
        assert second is not None
        assert (first.published, second.published) == (True, False)
        assert best_holding(unit.connection, HUB, EVENT) is None


def test_of_two_writers_only_the_first_advances_a_log(store: Store) -> None:
    newer = replace(LOG, seq=2, updated_at=NOW + timedelta(hours=1))
    with store.write() as unit:
        assert advance_log(unit.connection, newer, since=LOG.version)
        assert not advance_log(unit.connection, newer, since=LOG.version)
    with store.read() as unit:
        assert find_log(unit.connection, PEER, EVENT) == newer


@pytest.mark.parametrize(
    ("rows", "best"),
    [
        ([held(HUB, seq=3, hops=1), held(PEER, seq=2)], (HUB, 3)),  # newest version
        ([held(HUB, seq=9, hops=1), held(PEER, seq=2, epoch=1)], (PEER, 2)),  # higher epoch
        ([held(HUB, hops=1), held(HERE, hops=0)], (HERE, 1)),  # fewest hops
        ([held(HERE, hops=1), held(HUB, hops=1)], (HUB, 1)),  # always the same of two alike
    ],
)
def test_readers_go_by_the_newest_then_the_nearest_holding(
    store: Store, rows: list[HoldingRow], best: tuple[str, int]
) -> None:
    with store.write() as unit:
        for row in rows:
            put_holding(unit.connection, row)
    with store.read() as unit:
        found = best_holding(unit.connection, PEER, EVENT)
    assert found is not None
    assert (found.src, found.seq) == best
    assert found.package == f"package of {best[0]} seq {best[1]}".encode()


def test_a_source_that_gives_again_replaces_only_its_own_holding(store: Store) -> None:
    with store.write() as unit:
        put_holding(unit.connection, held(PEER))
        put_holding(unit.connection, held(HUB, hops=1))
        put_holding(unit.connection, held(PEER, seq=2))
    with store.read() as unit:
        assert find_holding(unit.connection, PEER, EVENT, PEER) == held(PEER, seq=2)
        assert find_holding(unit.connection, PEER, EVENT, HUB) == held(HUB, hops=1)


def test_erasing_takes_one_sources_bytes_or_all_and_a_recall_outlives_them(store: Store) -> None:
    with store.write() as unit:
        for src in (PEER, HUB, HERE):
            put_holding(unit.connection, held(src))
        assert erase_holdings(unit.connection, PEER, EVENT, src=HUB) == 1
        assert find_holding(unit.connection, PEER, EVENT, PEER) is not None
        set_recalled(unit.connection, PEER, EVENT, (0, 1), b"recall")
        assert erase_holdings(unit.connection, PEER, EVENT) == 2
    with store.read() as unit:
        row = find_log(unit.connection, PEER, EVENT)
        assert best_holding(unit.connection, PEER, EVENT) is None
    assert row is not None
    assert row.is_recalled
    assert row.recall == b"recall"
    assert not replace(row, epoch=1).is_recalled
    assert not LOG.is_recalled

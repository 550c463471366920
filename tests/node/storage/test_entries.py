"""The index of values and the reader's gate in SQL, on made-up classes."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Row, func, select

from node.storage.classes import SlotFacts, all_classes, class_ids, logs_with_classes
from node.storage.columns import metadata
from node.storage.entries import (
    LogIndex,
    NewEntry,
    erase_index,
    replace_index,
    seen_logs,
    seen_values,
)
from node.storage.gate import Gate, Sight
from node.storage.logs import HoldingRow, LogRow, add_log, put_holding
from node.storage.store import Store, open_store
from node.storage.tables import entry
from policies.label import Label
from policies.tlp import Pap, Tlp

NOW = datetime(2026, 1, 27, 7, 40, tzinfo=UTC)
HERE = "11111111-1111-4111-8111-111111111111"
PEER = "22222222-2222-4222-8222-222222222222"
HOSPITAL = "44444444-4444-4444-8444-444444444444"
GREEN_CORE = SlotFacts("event", 1, 1, Label(Tlp.GREEN), frozenset())
GREEN = SlotFacts("event", 2, 1, Label(Tlp.GREEN), frozenset())
STRICT = SlotFacts("event", 2, 10, Label(Tlp.AMBER_STRICT), frozenset({PEER}))


def uuid(n: int) -> str:
    return f"aaaaaaaa-aaaa-4aaa-8aaa-{n:012d}"


def attribute(n: int, kind: str, value: str, valued: SlotFacts = GREEN) -> NewEntry:
    return NewEntry(n, 2, uuid(n), kind, value, GREEN, valued)


def core(info: str) -> NewEntry:
    return NewEntry(0, 1, uuid(0), "info", info, GREEN_CORE, GREEN_CORE)


def index(*entries: NewEntry) -> LogIndex:
    return LogIndex(entries, frozenset(f for e in entries for f in (e.head, e.valued)))


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    opened = open_store(database_url)
    metadata.create_all(opened.engine)
    yield opened
    opened.close()


def keep(
    store: Store,
    event: str,
    what: LogIndex,
    *,
    origin: str = HERE,
    source: str | None = HERE,
    published: bool = True,
    hops: int = 0,
    minute: int = 0,
) -> None:
    at = NOW + timedelta(minutes=minute)
    with store.write() as unit:
        add_log(
            unit.connection,
            LogRow(
                origin=origin,
                event=event,
                type="event",
                epoch=0,
                seq=1,
                seal="00" * 32,
                source=source,
                published=published,
                urgent=False,
                report=None,
                ground={},
                recalled_epoch=None,
                recalled_seq=None,
                recall=None,
                first_seen_at=at,
                updated_at=at,
            ),
        )
        put_holding(
            unit.connection,
            HoldingRow(
                origin=origin,
                event=event,
                src=origin,
                epoch=0,
                seq=1,
                seal="00" * 32,
                digest="11" * 32,
                hops=hops,
                package=b"{}",
                withheld=[],
                received_at=at,
            ),
        )
        replace_index(unit.connection, origin, event, origin, what)


def gate(
    store: Store,
    reader: str,
    *allowed: SlotFacts,
    own: bool,
    direct: bool = True,
    published: bool = True,
) -> Gate:
    with store.write() as unit:
        ids = frozenset(class_ids(unit.connection, allowed).values())
    return Gate(HERE, reader, (Sight(own, direct, published, ids, ids),))


def hits(store: Store, reader: Gate, value: str) -> list[str]:
    with store.read() as unit:
        return [hit.value for hit in seen_values(unit.connection, reader, value, 50)]


def listed(
    store: Store, reader: Gate, after: tuple[str, str] | None = None, limit: int = 50
) -> list[str] | None:
    with store.read() as unit:
        rows = seen_logs(unit.connection, reader, after=after, limit=limit)
    return None if rows is None else [row.event for row in rows]


def test_a_class_is_stored_once_and_read_back_whole(store: Store) -> None:
    embargoed = replace(
        STRICT,
        label=Label(
            Tlp.RED, Pap.AMBER, frozenset({"ransom", "clinical"}), NOW, only=True, relay=False
        ),
    )
    with store.write() as unit:
        first = class_ids(unit.connection, [GREEN, STRICT])
        again = class_ids(unit.connection, [embargoed, STRICT])
        assert first[STRICT] == again[STRICT]
        assert set(all_classes(unit.connection).values()) == {GREEN, STRICT, embargoed}


def test_a_value_is_found_by_itself_and_by_its_parts_in_any_case(store: Store) -> None:
    keep(
        store,
        uuid(1),
        index(
            core("a"),
            attribute(1, "filename|sha1", "Evil.EXE|3395856ce81f"),
            attribute(2, "ip-dst|port", "198.51.100.7|443"),
            attribute(3, "url", "https://a.example/x|y"),
        ),
    )
    staff = gate(store, HERE, GREEN, GREEN_CORE, own=True)
    whole = "Evil.EXE|3395856ce81f"
    assert hits(store, staff, "evil.exe|3395856CE81F") == [whole]
    assert hits(store, staff, " evil.exe ") == [whole]
    assert hits(store, staff, "3395856ce81f") == [whole]
    assert hits(store, staff, "198.51.100.7") == ["198.51.100.7|443"]
    assert hits(store, staff, "443") == []
    assert hits(store, staff, "y") == []
    assert hits(store, staff, "a") == []  # an info is no value


def test_a_hit_whose_two_parts_are_alike_counts_once(store: Store) -> None:
    keep(store, uuid(1), index(attribute(1, "domain|ip", "x|x")))
    assert hits(store, gate(store, HERE, GREEN, own=True), "x") == ["x|x"]


def test_head_and_value_must_both_be_allowed(store: Store) -> None:
    keep(store, uuid(1), index(core("a"), attribute(1, "domain", "evil.example", STRICT)))
    assert hits(store, gate(store, HERE, GREEN, own=True), "evil.example") == []
    assert hits(store, gate(store, HERE, STRICT, own=True), "evil.example") == []
    assert hits(store, gate(store, HERE, GREEN, STRICT, own=True), "evil.example") == [
        "evil.example"
    ]


def test_what_a_standing_allows_is_not_allowed_in_another(store: Store) -> None:
    keep(
        store,
        uuid(1),
        index(attribute(1, "domain", "evil.example")),
        source=HOSPITAL,
        published=False,
    )
    assert hits(store, gate(store, HOSPITAL, GREEN, own=True, published=False), "evil.example")
    assert hits(store, gate(store, HERE, GREEN, own=True, published=False), "evil.example")
    for other in (
        gate(store, HOSPITAL, GREEN, own=False, published=False),
        gate(store, HOSPITAL, GREEN, own=True, published=True),
        gate(store, HOSPITAL, GREEN, own=True, published=False, direct=False),
        gate(store, PEER, GREEN, own=True, published=False),
        Gate(HERE, HOSPITAL, ()),
    ):
        assert hits(store, other, "evil.example") == []
        assert listed(store, other) == []


def test_a_received_log_is_nobodys_own_here_and_relayed_ones_stand_apart(store: Store) -> None:
    keep(store, uuid(1), index(attribute(1, "domain", "evil.example")), origin=PEER, source=None)
    keep(
        store,
        uuid(2),
        index(attribute(1, "domain", "evil.example")),
        origin=PEER,
        source=None,
        hops=1,
    )
    assert listed(store, gate(store, HERE, GREEN, own=True)) == []
    assert listed(store, gate(store, HOSPITAL, GREEN, own=False)) == [uuid(1)]
    assert listed(store, gate(store, HOSPITAL, GREEN, own=False, direct=False)) == [uuid(2)]


def test_pages_hold_only_what_is_seen_and_follow_each_other_without_gap(store: Store) -> None:
    for n in range(10):
        facts = STRICT if n % 2 else GREEN
        row = NewEntry(1, 2, uuid(n), "domain", f"d{n}.example", facts, facts)
        keep(store, uuid(n), index(row), minute=n // 3)
    reader = gate(store, HERE, GREEN, own=True)
    whole = listed(store, reader)
    assert whole is not None
    assert sorted(whole) == [uuid(n) for n in range(0, 10, 2)]
    walked: list[str] = []
    while page := listed(store, reader, after=(HERE, walked[-1]) if walked else None, limit=2):
        walked += page
    assert walked == whole


def test_a_page_cannot_start_at_a_log_that_is_not_seen(store: Store) -> None:
    keep(store, uuid(1), index(attribute(1, "domain", "a.example")))
    keep(store, uuid(2), LogIndex((), frozenset({STRICT})))
    reader = gate(store, HERE, GREEN, own=True)
    assert listed(store, reader, after=(HERE, uuid(2))) is None
    assert listed(store, reader, after=(HERE, uuid(3))) is None
    assert listed(store, reader, after=(HERE, uuid(1))) == []


def test_info_and_count_are_those_the_reader_may_see(store: Store) -> None:
    keep(
        store,
        uuid(1),
        index(
            core("about"),
            attribute(1, "domain|ip", "a.example|192.0.2.1"),
            attribute(2, "domain", "b.example", STRICT),
        ),
    )
    with store.read() as unit:
        classes = {facts: n for n, facts in all_classes(unit.connection).items()}
    for allowed, info, count in (
        ({GREEN_CORE, GREEN, STRICT}, "about", 2),
        ({GREEN_CORE, GREEN}, "about", 1),
        ({GREEN}, None, 1),
    ):
        reader = gate(store, HERE, *allowed, own=True)
        with store.read() as unit:
            rows = seen_logs(unit.connection, reader, after=None, limit=5)
        assert rows is not None
        (row,) = rows
        assert (row.info.text if row.info else None, row.attributes) == (info, count)
        assert row.info is None or row.info.class_id == classes[GREEN_CORE]


def test_rows_that_stay_are_not_written_again(store: Store) -> None:
    stays, goes, comes = (
        attribute(n, "domain", f"{name}.example")
        for n, name in enumerate(("stays", "goes", "comes"), 1)
    )
    renamed = attribute(4, "ip-src", "192.0.2.4")
    keep(store, uuid(1), index(core("a"), goes, stays, renamed))
    numbers = {row.value: row.id for row in rows_of(store)}
    anew = index(core("a"), stays, comes, replace(renamed, type="ip-dst"))
    with store.write() as unit:
        replace_index(unit.connection, HERE, uuid(1), HERE, anew)
    after = {row.value: row.id for row in rows_of(store)}
    assert after.keys() == {"a", "stays.example", "comes.example", "192.0.2.4"}
    assert all(after[value] == numbers[value] for value in ("a", "stays.example"))
    assert {row.type for row in rows_of(store)} == {"info", "domain", "ip-dst"}
    with store.write() as unit:
        replace_index(unit.connection, HERE, uuid(1), PEER, anew)
    assert {row.src for row in rows_of(store)} == {PEER}
    assert len(rows_of(store)) == len(after)


def rows_of(store: Store) -> Sequence[Row[Any]]:
    with store.read() as unit:
        return unit.connection.execute(select(entry)).all()


def test_indexing_again_leaves_nothing_of_before_and_erasing_nothing_at_all(store: Store) -> None:
    keep(store, uuid(1), index(core("a"), attribute(1, "domain", "old.example")))
    staff = gate(store, HERE, GREEN, GREEN_CORE, STRICT, own=True)
    with store.write() as unit:
        replace_index(
            unit.connection,
            HERE,
            uuid(1),
            HERE,
            index(attribute(2, "domain", "new.example", STRICT)),
        )
        strict = class_ids(unit.connection, [STRICT])[STRICT]
        core_id = class_ids(unit.connection, [GREEN_CORE])[GREEN_CORE]
        assert logs_with_classes(unit.connection, [strict]) == ((HERE, uuid(1)),)
        assert logs_with_classes(unit.connection, [core_id]) == ()
    assert hits(store, staff, "old.example") == []
    assert hits(store, staff, "new.example") == ["new.example"]
    with store.write() as unit:
        erase_index(unit.connection, HERE, uuid(1))
        assert unit.connection.execute(select(func.count()).select_from(entry)).scalar_one() == 0
    assert listed(store, staff) == []

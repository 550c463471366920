from datetime import UTC, datetime, timedelta

from node.storage.quota import add_brought
from node.storage.schema import migrate
from node.storage.store import open_store

DAY = datetime(2026, 1, 27, tzinfo=UTC)
FR, BE = (f"1a6f1f3e-000{n}-4000-8000-00000000000{n}" for n in (1, 2))


def test_what_each_source_brought_adds_up_by_the_day(database_url: str) -> None:
    store = open_store(database_url)
    migrate(store)
    told = []
    for src, day in ((FR, DAY), (FR, DAY), (BE, DAY), (FR, DAY), (FR, DAY + timedelta(days=1))):
        with store.write() as unit:
            told.append(add_brought(unit.connection, src, day=day, size_bytes=3 << 30))
    store.close()
    assert told == [0, 3 << 30, 0, 6 << 30, 0]

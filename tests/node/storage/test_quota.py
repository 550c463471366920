from datetime import UTC, datetime, timedelta

from node.storage.quota import add_brought, brought_on
from node.storage.schema import migrate
from node.storage.store import open_store

DAY = datetime(2026, 1, 27, tzinfo=UTC)
NEXT = DAY + timedelta(days=1)
FR, BE = (f"1a6f1f3e-000{n}-4000-8000-00000000000{n}" for n in (1, 2))


def test_what_each_source_brought_adds_up_by_share_and_day(database_url: str) -> None:
    store = open_store(database_url)
    migrate(store)
    for src, share, day in (
        (FR, FR, DAY),
        (FR, FR, DAY),
        (BE, FR, DAY),
        (FR, BE, DAY),
        (FR, FR, NEXT),
    ):
        with store.write() as unit:
            add_brought(unit.connection, src, share, day=day, size_bytes=3 << 30)
    with store.read() as unit:
        told = [brought_on(unit.connection, src, day) for src in (FR, BE) for day in (DAY, NEXT)]
    store.close()
    assert told == [{FR: 6 << 30, BE: 3 << 30}, {FR: 3 << 30}, {FR: 3 << 30}, {}]

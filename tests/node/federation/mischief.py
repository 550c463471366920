"""What happens to nodes in tests, and looks into their stores."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from node.actions.sealing import (
    Birth,
    first_version,
    fresh_uuid,
    next_version,
    read_own,
    write_version,
)
from node.storage import tables, tables_feed
from node.storage.columns import metadata
from node.storage.dirt import mark_dirty
from node.storage.feed import rows_after
from node.storage.logs import advance_log, find_holding, find_log, put_holding
from node.storage.peers import begin_anew
from node.storage.quarantine import quarantined
from node.storage.store import Store, Unit
from policies.label import Label
from policies.tlp import Tlp
from sharing.event import NOBODY, Attribute, Audience, Mark
from sharing.slots import Names, add_attributes, cut_event
from tests.node.federation.world import ORGS, World, draft


class HookedStore(Store):
    """A store of which the `at`-th read unit is followed by `act`, once."""

    def __init__(self, store: Store, at: int, act: Callable[[], None]) -> None:
        self.__dict__.update(store.__dict__)
        self.left = at
        self.act = act

    @contextmanager
    def read(self) -> Iterator[Unit]:
        self.left -= 1
        is_last = self.left == 0
        with super().read() as unit:
            yield unit
        if is_last:
            self.act()


def feed_of(world: World, name: str, peer: str) -> list[tuple[int, str, str]]:
    with world[name].store.read() as unit:
        rows = rows_after(unit.connection, ORGS[peer], 0, 1000)
    return [(one.offer.pos, one.offer.event, one.offer.op) for one in rows]


def refusals(world: World, name: str) -> list[tuple[int, str]]:
    with world[name].store.read() as unit:
        return [(row.check, row.reason) for row in quarantined(unit.connection)]


def add_amber(world: World, event: str, audience: Audience) -> None:
    """A new attribute for the audience alone."""

    node = world["FR"]
    with node.store.read() as unit:
        own = read_own(unit, node.org, event)
    assert own is not None
    mark = Mark(Label(Tlp.AMBER), audience)
    extra = Attribute(
        fresh_uuid(node), "domain", "Network activity", "extra.example", True, 1769500001, mark=mark
    )
    names = Names.of(own.holding, lambda: fresh_uuid(node))
    version = next_version(node, own, add_attributes(own.holding, [extra], names), node.clock())
    assert version is not None
    with node.store.write() as unit:
        write_version(unit, version)


def forget_everything(world: World, name: str) -> None:
    """The node lost its database: new tables, same keys."""

    with world[name].store.write() as unit:
        for table in reversed(metadata.sorted_tables):
            if table.name not in {"org", "audit", "rulebook"}:
                unit.connection.execute(table.delete())


def begin_anew_at(world: World, name: str, source: str) -> None:

    with world[name].store.write() as unit:
        begin_anew(unit.connection, ORGS[source])


def spoil_on_disk(world: World, name: str, event: str, old: bytes, new: bytes) -> None:

    with world[name].store.write() as unit:
        row = find_holding(unit.connection, ORGS[name], event, ORGS[name])
        assert row is not None
        put_holding(unit.connection, replace(row, package=row.package.replace(old, new)))


def forget_log(world: World, name: str, event: str) -> None:
    """As after a restore of a backup that is older than the log."""

    with world[name].store.write() as unit:
        for table in (tables_feed.outbox, tables.holding, tables_feed.dirty):
            unit.connection.execute(table.delete().where(table.c.event == event))
        unit.connection.execute(tables_feed.peer.update().values(head_pos=1, acked_pos=0))
        unit.connection.execute(tables_feed.outbox.update().values(pos=1))


def say_otherwise(world: World, name: str, event: str, info: str, values: Iterable[str]) -> None:
    """The node forgets its newest version of an event and seals another one in its place."""
    node = world[name]
    with node.store.read() as unit:
        log = find_log(unit.connection, node.org, event)
    assert log is not None
    drafted = draft(node, event, info, values, Label(Tlp.GREEN), NOBODY)
    records = cut_event(drafted, Names.of(None, lambda: fresh_uuid(node)))
    other = first_version(node, Birth("event", event, node.org, {}), records, node.clock())
    assert (other.log.version, other.log.seal != log.seal) == (log.version, True)
    with node.store.write() as unit:
        put_holding(unit.connection, other.holding)
        advance_log(unit.connection, replace(log, seal=other.log.seal), since=log.version)
        mark_dirty(unit.connection, [(node.org, event)])

"""Rows that were lost on either side are found and mended, and nothing else moves."""

from dataclasses import replace

from sqlalchemy import ColumnElement, Table, select

from federation.call import Call, Reply
from federation.repair import StretchAsk
from federation.repair_lines import ITEMS_PATH, REPAIR_PATH, Wanted
from federation.told import Fingerprint
from node.actions.repair import repair_due, serve_stretches
from node.actions.repair_due import ASKED, DAILY, SET, due_peers, make_due
from node.actions.serve import NotYet, items_page
from node.storage import tables, tables_feed
from node.storage.columns import metadata
from node.storage.dirt import mark_dirty
from node.storage.logs import HoldingRow, put_holding
from node.storage.repair import (
    RepairRow,
    Side,
    count_drift,
    find_repair,
    find_set,
    shift_set,
)
from policies.tlp import Tlp
from sharing.event import NOBODY, Audience
from tests.node.federation.mischief import add_amber, feed_of
from tests.node.federation.world import ORGS, World, snapshot, url_of

SEEN, HOLDING, OUTBOX = tables_feed.seen, tables.holding, tables_feed.outbox


def posted(world: World, count: int) -> list[str]:
    """So many events of FR that BE has read."""
    events = [world.post("FR", f"Event {n}", values=[f"v{n}.example"]) for n in range(count)]
    world.project("FR")
    assert world.pull("BE", "FR").admitted == count
    return events


def lose(world: World, name: str, table: Table, *where: ColumnElement[bool]) -> None:
    """Rows go past the node."""
    with world[name].store.write() as unit:
        unit.connection.execute(table.delete().where(*where))


def state(world: World, name: str, source: str) -> RepairRow:
    with world[name].store.read() as unit:
        row = find_repair(unit.connection, ORGS[source])
    assert row is not None
    return row


def is_agreed(world: World, to: str, source: str) -> bool:
    """Whether both sides' sums are those of their rows, and the same."""
    with world[to].store.read() as unit:
        ours = find_set(unit.connection, ORGS[source], Side.ITS)
        drift = count_drift(unit.connection, ORGS[source], Side.ITS).n
    with world[source].store.read() as unit:
        theirs = find_set(unit.connection, ORGS[to], Side.OURS)
        drift += count_drift(unit.connection, ORGS[to], Side.OURS).n
    return ours == theirs and not drift


def asked(world: World, path: str) -> int:
    return sum(call.path == path for call, _, _ in world.memory.passed)


def test_both_sides_agree_by_one_question_where_nothing_is_lost(both_worlds: World) -> None:
    world = both_worlds
    first, second, third = posted(world, 3)
    world.edit("FR", first, "Edited", values=["new.example"])
    world.recall("FR", second)
    world.edit("FR", third, "Not for you", Tlp.RED, values=["v2.example"])
    world.project("FR")
    world.pull("BE", "FR")
    assert is_agreed(world, "BE", "FR")
    before = snapshot(world["BE"])
    done = world.repair("BE", "FR")
    assert (done.error, done.rounds, done.missing, done.extra) == (None, 1, 0, 0)
    assert (asked(world, REPAIR_PATH), asked(world, ITEMS_PATH)) == (1, 0)
    assert snapshot(world["BE"]) == before


def test_what_the_receiver_lost_comes_again(both_worlds: World) -> None:
    world = both_worlds
    events = posted(world, 4)
    before = snapshot(world["BE"])
    lose(world, "BE", HOLDING, HOLDING.c.event == events[0])
    lose(world, "BE", SEEN, SEEN.c.event == events[1])
    for table in (tables.entry, HOLDING, SEEN):
        lose(world, "BE", table, table.c.event == events[2])
    done = world.repair("BE", "FR")
    assert (done.error, done.missing, done.extra, done.brought) == (None, 2, 0, 3)
    assert is_agreed(world, "BE", "FR")
    assert snapshot(world["BE"]) == before
    assert asked(world, ITEMS_PATH) == 1


def test_what_the_source_does_not_name_any_more_is_dropped_here(both_worlds: World) -> None:
    world = both_worlds
    taken_back, recalled, kept = posted(world, 3)
    old = [held(world, event) for event in (taken_back, recalled)]
    world.edit("FR", taken_back, "Not for you", Tlp.RED, values=["secret.example"])
    world.recall("FR", recalled)
    world.project("FR")
    world.pull("BE", "FR")
    right = snapshot(world["BE"])
    for row in old:
        revive(world, row)  # nobody remembers what it was
        assert world.held("BE", row.event) is not None
    done = world.repair("BE", "FR")
    assert (done.error, done.extra) == (None, 0)
    assert held_by(world, "BE") == {kept}
    assert is_agreed(world, "BE", "FR")
    for row, version in zip(old, [(0, 1), (0, 1)], strict=True):
        revive(world, row)
        believe(world, row, version)  # and the source is said to have given it
    done = world.repair("BE", "FR")
    assert (done.error, done.extra) == (None, 2)
    assert held_by(world, "BE") == {kept}
    assert is_agreed(world, "BE", "FR")
    assert rows_of(snapshot(world["BE"]), "holding", "log") == rows_of(right, "holding", "log")


def test_a_source_that_lost_rows_of_its_feed_decides_anew_before_it_answers(world: World) -> None:
    lost, kept = posted(world, 2)
    lose(world, "FR", OUTBOX, OUTBOX.c.event == lost)
    refused = world.repair("BE", "FR")
    assert "not ready" in str(refused.error)
    assert held_by(world, "BE") == {lost, kept}
    assert world.dirt("FR") == 2
    world.project("FR")
    done = world.repair("BE", "FR")
    assert (done.error, done.missing, done.extra) == (None, 0, 0)
    assert held_by(world, "BE") == {lost, kept}
    assert {event for _, event, _ in feed_of(world, "FR", "BE")} == {lost, kept}
    assert is_agreed(world, "BE", "FR")


def test_a_receiver_that_comes_back_from_a_backup_agrees_after_a_repair(world: World) -> None:
    edited, withdrawn, recalled, kept = posted(world, 4)
    backup = saved(world, "BE")
    world.edit("FR", edited, "Edited", values=["new.example"])
    world.edit("FR", withdrawn, "Not for you", Tlp.RED, values=["secret.example"])
    world.recall("FR", recalled)
    added = world.post("FR", "New", values=["newer.example"])
    world.project("FR")
    world.pull("BE", "FR")
    right = snapshot(world["BE"])
    restored(world, "BE", backup)
    assert held_by(world, "BE") == {edited, withdrawn, recalled, kept}
    assert world.repair("BE", "FR").error is None
    assert held_by(world, "BE") == {edited, kept, added}
    assert snapshot(world["BE"]) == right
    assert is_agreed(world, "BE", "FR")


def test_a_peer_that_fails_is_compared_with_when_it_answers_again(world: World) -> None:
    posted(world, 1)
    with world["BE"].store.write() as unit:
        make_due(world["BE"], unit, [ORGS["FR"]], ASKED)
    world.memory.down.add(url_of("FR"))
    world.pull("BE", "FR")
    assert not due_peers(world["BE"])
    world.memory.down.clear()
    world.pull("BE", "FR")
    assert [peer.org for peer in due_peers(world["BE"])] == [ORGS["FR"]]


def test_a_source_that_comes_back_with_a_new_life_agrees_after_a_repair(world: World) -> None:
    kept, *_ = posted(world, 2)
    backup = saved(world, "FR")
    added = world.post("FR", "New", values=["newer.example"])
    world.project("FR")
    world.pull("BE", "FR")
    restored(world, "FR", backup)
    node = world["FR"]
    world.memory.nodes[node.settings.base_url] = world.nodes["FR"] = replace(
        node, keys=replace(node.keys, incarnation="ab" * 16)
    )
    done = world.repair("BE", "FR")
    assert done.error is None
    assert held_by(world, "BE") >= {kept}
    assert added not in held_by(world, "BE")
    assert is_agreed(world, "BE", "FR")


def test_a_feed_whose_sum_differs_from_what_came_makes_a_repair_due_at_once(world: World) -> None:
    events = posted(world, 2)
    assert state(world, "BE", "FR").why == DAILY
    assert not due_peers(world["BE"])
    with world["BE"].store.write() as unit:
        unit.connection.execute(
            SEEN.update().where(SEEN.c.event == events[0]).values(told=bytes(32))
        )
        step = Fingerprint.step(told_of(world, "FR", events[0]), bytes(32))
        shift_set(unit.connection, ORGS["FR"], Side.ITS, step)
    world.pull("BE", "FR")
    assert state(world, "BE", "FR").why == SET
    assert [peer.org for peer in due_peers(world["BE"])] == [ORGS["FR"]]
    assert repair_due(world["BE"], world.memory) == 1
    done = state(world, "BE", "FR")
    assert (done.why, done.error, done.brought) == (DAILY, None, 1)
    assert is_agreed(world, "BE", "FR")
    assert not due_peers(world["BE"])
    world.clock.turn(seconds=86_400)
    assert len(due_peers(world["BE"])) == 1


def test_what_is_refused_here_is_a_difference_that_is_known_and_not_repaired_for_ever(
    world: World,
) -> None:
    bad, good = (world.post("FR", f"Event {n}", values=[f"v{n}.example"]) for n in range(2))
    world.project("FR")
    with world["FR"].store.write() as unit:
        line = tables_feed.outbox.update().where(OUTBOX.c.event == bad)
        unit.connection.execute(line.values(hops=1))  # nobody relays his own
    assert world.pull("BE", "FR").quarantined == 1
    assert state(world, "BE", "FR").why == SET
    assert world.repair("BE", "FR").error is None
    left = state(world, "BE", "FR")
    assert (left.why, left.left_n) == (DAILY, 1)
    world.pull("BE", "FR")
    assert state(world, "BE", "FR") == left
    world.edit("FR", good, "Edited", values=["new.example"])
    world.project("FR")
    world.pull("BE", "FR")
    assert state(world, "BE", "FR") == left


def test_a_version_that_changes_nothing_for_a_peer_is_no_difference(world: World) -> None:
    event = world.post("FR", "Event", Tlp.GREEN, ["a.example"])
    world.project("FR")
    world.pull("BE", "FR")
    world.pull("BE", "FR")
    add_amber(world, event, NOBODY)
    world.project("FR")
    assert refreshed(world, event)
    world.pull("BE", "FR")
    assert is_agreed(world, "BE", "FR")
    done = world.repair("BE", "FR")
    assert (done.missing, done.extra, asked(world, ITEMS_PATH)) == (0, 0, 0)


def test_nothing_is_compared_while_the_feed_moves_under_it(world: World) -> None:
    events = posted(world, 2)

    def move(call: Call, reply: Reply) -> Reply:
        if call.path == REPAIR_PATH:
            world.edit("FR", events[0], f"Edit {len(world.memory.passed)}", values=["n.example"])
            world.project("FR")
        return reply

    answered = world.memory.spoil
    world.memory.spoil = move
    before = held_by(world, "BE")
    world.repair("BE", "FR")
    assert held_by(world, "BE") == before
    world.memory.spoil = answered
    assert world.repair("BE", "FR").error is None
    assert is_agreed(world, "BE", "FR")


def test_a_peer_that_fails_is_asked_again_later_and_drops_nothing(world: World) -> None:
    events = posted(world, 2)
    world.memory.spoil = lambda call, reply: (
        Reply(500, {}, b"") if call.path == REPAIR_PATH else reply
    )
    assert "status 500" in str(world.repair("BE", "FR").error)
    row = state(world, "BE", "FR")
    assert (row.failures, row.done_at) == (1, None)
    assert row.next_at > world.clock()
    assert held_by(world, "BE") == set(events)


def test_a_source_answers_about_the_askers_own_feed_alone(world: World) -> None:
    for_all = world.post("FR", "For all", values=["a.example"])
    for_be = world.post(
        "FR", "For BE", Tlp.AMBER, ["b.example"], audience=Audience(frozenset({ORGS["BE"]}))
    )
    world.project("FR")
    node = world["FR"]
    wanted: list[Wanted] = [
        (ORGS["FR"], for_all),
        (ORGS["FR"], for_be),
        told_of(world, "FR", for_be),
    ]
    for name, mine in (("BE", {for_all, for_be}), ("DE", {for_all})):
        page = items_page(node, ORGS[name], wanted, "n" * 22)
        assert isinstance(page, bytes)
        assert {event for event in (for_all, for_be) if event.encode() in page} == mine
        answer = serve_stretches(node, ORGS[name], [StretchAsk("", listed=True)], "n" * 22)
        assert isinstance(answer, bytes)
        assert (told_of(world, "FR", for_be).hex().encode() in answer) is (name == "BE")


def test_nothing_leaves_by_name_that_is_being_decided_anew(world: World) -> None:
    event = world.post("FR", "Event", values=["a.example"])
    world.project("FR")
    node, key = world["FR"], (ORGS["FR"], event)
    assert isinstance(items_page(node, ORGS["BE"], [key], "n" * 22), bytes)
    with node.store.write() as unit:
        mark_dirty(unit.connection, [key])
    assert items_page(node, ORGS["BE"], [key], "n" * 22) == NotYet()


# What is looked at


def held(world: World, event: str) -> HoldingRow:
    row = world.held_from("BE", event, "FR")
    assert row is not None
    return row


def held_by(world: World, name: str) -> set[str]:
    with world[name].store.read() as unit:
        return set(unit.connection.scalars(select(HOLDING.c.event)))


def rows_of(found: dict[str, list[str]], *names: str) -> list[list[str]]:
    return [found[name] for name in names]


def told_of(world: World, name: str, event: str) -> bytes:
    """The name of what BE is told of the event."""
    with world[name].store.read() as unit:
        told = unit.connection.scalar(
            select(OUTBOX.c.told).where(OUTBOX.c.event == event, OUTBOX.c.peer == ORGS["BE"])
        )
    assert isinstance(told, bytes)
    return told


def refreshed(world: World, event: str) -> bool:
    """Whether the row is of a newer version than BE has, at the place BE has read."""
    with world["FR"].store.read() as unit:
        (row,) = unit.connection.execute(
            select(OUTBOX).where(OUTBOX.c.event == event, OUTBOX.c.peer == ORGS["BE"])
        )
    return bool(row.digest != held(world, event).digest and row.pos == 1)


def revive(world: World, row: HoldingRow) -> None:
    """A row that was erased is back, as from a page of an old disk."""
    with world["BE"].store.write() as unit:
        put_holding(unit.connection, row)


def believe(world: World, row: HoldingRow, version: tuple[int, int]) -> None:
    """The same of what the source said of it."""
    epoch, seq = version
    with world["BE"].store.write() as unit:
        unit.connection.execute(
            SEEN.update()
            .where(SEEN.c.event == row.event)
            .values(digest=row.digest, told=bytes.fromhex(row.digest), epoch=epoch, seq=seq)
        )


Saved = dict[str, list[dict[str, object]]]


def saved(world: World, name: str) -> Saved:
    with world[name].store.read() as unit:
        return {
            table.name: [dict(row._mapping) for row in unit.connection.execute(select(table))]
            for table in metadata.sorted_tables
        }


def restored(world: World, name: str, backup: Saved) -> None:
    with world[name].store.write() as unit:
        for table in reversed(metadata.sorted_tables):
            unit.connection.execute(table.delete())
        for table in metadata.sorted_tables:
            if backup[table.name]:
                unit.connection.execute(table.insert(), backup[table.name])

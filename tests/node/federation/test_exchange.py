"""The whole way of a log: sealed at one node, projected, pulled, checked, held, taken back."""

from dataclasses import replace
from datetime import timedelta

import pytest

from federation.call import Call, Reply
from node.actions.exchange import pull
from node.actions.peers import peer_states
from node.actions.wake import wake_due
from node.storage.feed import find_seen, rows_after
from node.storage.quarantine import quarantined
from policies.label import Label
from policies.tlp import Tlp
from sharing.event import Audience
from tests.node.federation.world import (
    ORGS,
    CrashError,
    CrashingStore,
    World,
    snapshot,
    url_of,
)

OTHERS = ("BE", "DE", "HUB")


def feed_of(world: World, name: str, peer: str) -> list[tuple[int, str, str]]:
    with world[name].store.read() as unit:
        rows = rows_after(unit.connection, ORGS[peer], 0, 1000)
    return [(one.offer.pos, one.offer.event, one.offer.op) for one in rows]


def refusals(world: World, name: str) -> list[tuple[int, str]]:
    with world[name].store.read() as unit:
        return [(row.check, row.reason) for row in quarantined(unit.connection)]


def test_green_reaches_every_member_and_amber_nobody(both_worlds: World) -> None:
    world = both_worlds
    green = world.post("FR", "Phishing", values=["green.example"])
    amber = world.post("FR", "Not for you", Tlp.AMBER, values=["amber.example"])
    world.settle()
    for name in OTHERS:
        assert "green.example" in world.text(name, green)
        assert world.log(name, amber) is None
    assert world.dirt("FR") == 0


def test_amber_reaches_the_named_one_alone_and_is_not_relayed(world: World) -> None:
    named = Audience(parties=frozenset({ORGS["HUB"]}))
    event = world.post("FR", "For the hub", Tlp.AMBER, ["hub.example"], audience=named)
    world.settle()
    assert "hub.example" in world.text("HUB", event)
    assert world.log("BE", event) is None
    assert world.log("DE", event) is None


def test_green_comes_twice_once_from_its_node_and_once_by_the_hub(world: World) -> None:
    event = world.post("FR", "Phishing", values=["green.example"])
    world.settle()
    direct, relayed = world.held_from("BE", event, "FR"), world.held_from("BE", event, "HUB")
    assert direct is not None
    assert relayed is not None
    assert (direct.hops, relayed.hops) == (0, 1)
    assert world.held_from("BE", event, "DE") is None  # nobody relays what came by a relay


def test_what_is_relayed_only_reaches_a_node_that_cannot_see_the_originator(world: World) -> None:
    world.memory.down.add(url_of("FR"))
    event = world.post("FR", "Phishing", values=["green.example"])
    world.project("FR")
    world.memory.down.clear()
    world.pull("HUB", "FR")
    world.memory.down.add(url_of("FR"))
    world.project("HUB")
    world.pull("DE", "HUB")
    assert "green.example" in world.text("DE", event)
    result = world.pull("DE", "FR")
    assert result.error is not None
    assert "cannot be reached" in result.error


def test_no_peer_is_sent_a_slot_it_may_not_have(world: World) -> None:
    for canary in ("canary-amber.example", "canary-red.example"):
        world.post("FR", canary, Tlp.RED if "red" in canary else Tlp.AMBER, [canary])
    event = world.post("FR", "Open", Tlp.GREEN, ["open.example"])
    world.settle()
    bytes_on_the_wire = b"".join(reply.body for _, _, reply in world.memory.passed)
    assert b"open.example" in bytes_on_the_wire
    assert b"canary" not in bytes_on_the_wire
    assert event.encode() in bytes_on_the_wire


def test_raising_the_label_takes_the_event_back_from_everybody(both_worlds: World) -> None:
    world = both_worlds
    event = world.post("FR", "Phishing", values=["green.example"])
    world.settle()
    world.edit("FR", event, "Phishing", Tlp.AMBER, ["green.example"])
    world.settle()
    for name in OTHERS:
        assert world.held(name, event) is None
    world.edit("FR", event, "Phishing", Tlp.GREEN, ["green.example"])
    world.settle()
    for name in OTHERS:
        assert "green.example" in world.text(name, event)


def test_what_is_void_is_gone_everywhere_also_where_a_slow_source_still_gives_it(
    world: World,
) -> None:
    event = world.post("FR", "Phishing", values=["old.example", "kept.example"])
    world.settle()
    world.edit("FR", event, "Phishing", values=["kept.example"])
    world.project("FR")
    world.pull("BE", "FR")  # the hub has not heard of it yet
    by_hub = world.held_from("BE", event, "HUB")
    assert by_hub is not None
    assert b"old.example" not in by_hub.package
    assert b"kept.example" in by_hub.package
    assert "old.example" not in world.text("BE", event)


def test_a_recall_ends_what_every_source_gave(both_worlds: World) -> None:
    world = both_worlds
    event = world.post("FR", "Wrong", values=["innocent.example"])
    world.settle()
    world.recall("FR", event)
    world.project("FR")
    world.pull("BE", "FR")
    assert world.held("BE", event) is None
    assert world.held_from("BE", event, "HUB") is None
    world.settle()
    for name in OTHERS:
        log = world.log(name, event)
        assert log is not None
        assert log.is_recalled
        assert world.held(name, event) is None


def test_a_recalled_log_stays_away_when_an_old_copy_comes_by_another_way(world: World) -> None:
    event = world.post("FR", "Wrong", values=["innocent.example"])
    world.project("FR")
    world.pull("HUB", "FR")
    world.project("HUB")
    world.recall("FR", event)
    world.project("FR")
    world.pull("BE", "FR")
    assert world.pull("BE", "HUB").items == 1  # the hub has not heard of the recall
    assert world.held("BE", event) is None
    world.settle()
    assert world.held("HUB", event) is None
    assert world.held("BE", event) is None


def test_who_never_was_offered_a_log_is_not_told_of_its_recall(world: World) -> None:
    event = world.post("FR", "Internal", Tlp.AMBER, values=["inside.example"])
    world.project("FR")
    world.recall("FR", event)
    world.settle()
    assert feed_of(world, "FR", "BE") == []
    assert world.log("BE", event) is None


def test_a_version_that_changes_nothing_for_a_peer_is_no_news(world: World) -> None:
    hub_only = Audience(parties=frozenset({ORGS["HUB"]}))
    event = world.post("FR", "Phishing", values=["green.example"])
    world.settle()
    before = feed_of(world, "FR", "BE")
    head = world.held("BE", event)
    add_amber(world, event, hub_only)
    world.settle()
    assert feed_of(world, "FR", "BE") == before
    assert world.held("BE", event) == head
    assert "extra.example" in world.text("HUB", event)
    assert "extra.example" not in world.text("BE", event)


def add_amber(world: World, event: str, audience: Audience) -> None:
    """A new attribute for the audience alone."""
    from sharing.event import Attribute, Mark
    from sharing.slots import Names, add_attributes
    from node.actions.sealing import fresh_uuid, next_version, read_own, write_version

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


def test_a_peer_that_begins_anew_still_gets_a_row_that_had_no_news(world: World) -> None:
    event = world.post("FR", "Phishing", values=["green.example"])
    world.settle()
    add_amber(world, event, Audience(parties=frozenset({ORGS["HUB"]})))
    world.project()
    forget_everything(world, "BE")
    assert world.pull("BE", "FR").admitted == 1
    assert "green.example" in world.text("BE", event)


def forget_everything(world: World, name: str) -> None:
    """The node lost its database: new tables, same keys."""
    from node.storage import tables

    with world[name].store.write() as unit:
        for table in reversed(tables.metadata.sorted_tables):
            if table.name not in {"org", "audit"}:
                unit.connection.execute(table.delete())


def test_an_embargo_ends_without_an_edit(world: World) -> None:
    until = world.clock() + timedelta(hours=2)
    label = Label(Tlp.GREEN, until=until)
    event = world.post("FR", "Patch on Tuesday", values=["soon.example"], label=label)
    world.settle()
    assert world.held("BE", event) is None
    world.clock.turn(hours=3)
    assert wake_due(world["FR"]) == 1
    world.settle()
    assert "soon.example" in world.text("BE", event)


def test_a_source_that_says_stop_stops_also_the_hub_in_between(world: World) -> None:
    event = world.post("FR", "Phishing", values=["green.example"])
    world.settle()
    world.edit(
        "FR", event, "Phishing", label=Label(Tlp.GREEN, relay=False), values=["green.example"]
    )
    world.settle()
    assert world.held_from("BE", event, "HUB") is None
    assert world.held_from("BE", event, "FR") is not None


# ── What comes twice, late, or broken ────────────────────────────────────────────────────────────


def test_the_same_feed_again_changes_nothing(both_worlds: World) -> None:
    world = both_worlds
    for number in range(5):
        world.post("FR", f"Event {number}", values=[f"{number}.example"])
    world.settle()
    before = snapshot(world["BE"])
    world.pull("BE", "FR")
    assert snapshot(world["BE"]) == before
    begin_anew_at(world, "BE", "FR")
    result = world.pull("BE", "FR")
    assert (result.items, result.admitted) == (5, 0)
    assert snapshot(world["BE"]) == before


def begin_anew_at(world: World, name: str, source: str) -> None:
    from node.storage.peers import begin_anew

    with world[name].store.write() as unit:
        begin_anew(unit.connection, ORGS[source])


@pytest.mark.parametrize("committed", [False, True])
def test_a_crash_at_any_commit_of_a_pull_loses_and_doubles_nothing(
    world: World, committed: bool
) -> None:
    events = [world.post("FR", f"Event {n}", values=[f"{n}.example"]) for n in range(3)]
    world.project("FR")
    crashes = 0
    while True:
        crashes += 1
        dying = replace(
            world["BE"], store=CrashingStore(world["BE"].store, crashes, committed=committed)
        )
        try:
            pull(dying, world.peer("BE", "FR"), world.memory)
        except CrashError:
            world.pull("BE", "FR")
            for event in events:
                assert f"{events.index(event)}.example" in world.text("BE", event)
            with world["BE"].store.read() as unit:
                rows = [find_seen(unit.connection, ORGS["FR"], ORGS["FR"], one) for one in events]
            assert sorted(row.pos for row in rows if row is not None) == [1, 2, 3]
            forget_everything(world, "BE")
        else:
            break
    assert crashes > 2


@pytest.mark.parametrize("committed", [False, True])
def test_a_crash_at_any_commit_of_the_projector_leaves_no_gap(
    world: World, committed: bool
) -> None:
    from node.actions.projector import project_dirty

    for number in range(4):
        events = [world.post("FR", f"Event {number}.{n}", values=["a.example"]) for n in range(2)]
        dying = replace(
            world["FR"], store=CrashingStore(world["FR"].store, number + 1, committed=committed)
        )
        try:
            project_dirty(dying, 100)
        except CrashError:
            pass
        world.project("FR")
        places = feed_of(world, "FR", "BE")
        assert [pos for pos, _, _ in places] == list(range(1, len(places) + 1))
        assert {event for _, event, _ in places} >= set(events)


def test_one_changed_byte_is_refused_by_every_recipient_and_the_rest_flows(
    both_worlds: World,
) -> None:
    world = both_worlds
    bad = world.post("FR", "Spoiled", values=["spoiled.example"])
    good = world.post("FR", "Whole", values=["whole.example"])

    def spoil(call: Call, reply: Reply) -> Reply:
        return replace(reply, body=reply.body.replace(b"spoiled.example", b"spoiled.exAmple"))

    world.project("FR")
    world.memory.spoil = spoil
    for name in OTHERS:
        result = world.pull(name, "FR")
        assert (result.admitted, result.quarantined, result.error) == (1, 1, None)
        [(check, reason)] = refusals(world, name)
        assert check == 5
        assert "root" in reason
        assert world.held(name, bad) is None
        assert "whole.example" in world.text(name, good)
        with world[name].store.read() as unit:
            [row] = quarantined(unit.connection)
        assert b"spoiled.exAmple" in row.raw
        state = {peer.org: peer for peer in peer_states(world[name])}[ORGS["FR"]]
        assert (state.state, state.quarantined) == ("in step", 1)


def test_a_stored_package_spoiled_on_disk_is_refused_by_number_and_the_rest_flows(
    world: World,
) -> None:
    bad = world.post("FR", "Spoiled", values=["spoiled.example"])
    good = world.post("FR", "Whole", values=["whole.example"])
    world.project("FR")
    spoil_on_disk(world, "FR", bad, b"spoiled.example", b"spoiled.exAmple")
    for name in OTHERS:
        assert world.pull(name, "FR").quarantined == 1
        assert [check for check, _ in refusals(world, name)] == [5]
        assert "whole.example" in world.text(name, good)


def spoil_on_disk(world: World, name: str, event: str, old: bytes, new: bytes) -> None:
    from node.storage.logs import find_holding, put_holding

    with world[name].store.write() as unit:
        row = find_holding(unit.connection, ORGS[name], event, ORGS[name])
        assert row is not None
        put_holding(unit.connection, replace(row, package=row.package.replace(old, new)))


def test_a_stored_package_that_cannot_be_read_is_told_the_operator_and_the_rest_flows(
    world: World,
) -> None:
    bad = world.post("FR", "Spoiled", values=["spoiled.example"])
    good = world.post("FR", "Whole", values=["whole.example"])
    world.project("FR")
    spoil_on_disk(world, "FR", bad, b'{"fise":1', b'{"fise":x')
    for _ in range(2):
        result = world.pull("BE", "FR")
        assert result.error is None
    assert "whole.example" in world.text("BE", good)
    assert world.log("BE", bad) is None
    [(check, reason)] = refusals(world, "FR")
    assert check == 0
    assert "cannot be served" in reason


def test_a_page_with_a_spoiled_trailer_moves_nothing(world: World) -> None:
    event = world.post("FR", "Phishing", values=["green.example"])
    world.project("FR")

    def spoil(call: Call, reply: Reply) -> Reply:
        return replace(reply, body=reply.body.replace(b'"keyid":"', b'"keyid":"A'))

    world.memory.spoil = spoil
    result = world.pull("BE", "FR")
    assert result.error is not None
    assert world.log("BE", event) is None
    world.memory.spoil = lambda call, reply: reply
    assert world.pull("BE", "FR").admitted == 1


def test_a_large_package_comes_by_its_digest(world: World) -> None:
    values = [f"{'x' * 200}{n}.example" for n in range(5000)]
    event = world.post("FR", "Bulk", values=values)
    world.project("FR")
    assert world.pull("BE", "FR").admitted == 1
    assert any("/packages/" in call.path for call, _, _ in world.memory.passed)
    assert values[-1] in world.text("BE", event)
    asked = len(world.memory.passed)
    begin_anew_at(world, "BE", "FR")
    world.pull("BE", "FR")
    assert not any("/packages/" in call.path for call, _, _ in world.memory.passed[asked:])


def test_a_new_life_of_the_feed_is_read_from_its_start_and_what_it_no_longer_lists_goes(
    world: World,
) -> None:
    kept = world.post("FR", "Kept", values=["kept.example"])
    lost = world.post("FR", "Lost", values=["lost.example"])
    world.project("FR")
    world.pull("BE", "FR")
    restored = replace(world["FR"], keys=replace(world["FR"].keys, incarnation="ab" * 16))
    world.nodes["FR"] = world.memory.nodes[url_of("FR")] = restored
    forget_log(world, "FR", lost)
    result = world.pull("BE", "FR")
    assert result.error is None
    assert "kept.example" in world.text("BE", kept)
    assert world.held("BE", lost) is None
    assert world.pull("BE", "FR").items == 0


def forget_log(world: World, name: str, event: str) -> None:
    """As after a restore of a backup that is older than the log."""
    from node.storage import tables

    with world[name].store.write() as unit:
        for table in (tables.outbox, tables.holding, tables.dirty):
            unit.connection.execute(table.delete().where(table.c.event == event))
        unit.connection.execute(tables.peer.update().values(head_pos=1, acked_pos=0))
        unit.connection.execute(tables.outbox.update().values(pos=1))


# ── What may leave at this moment ────────────────────────────────────────────────────────────────


def test_a_page_ends_before_a_dirty_row(both_worlds: World) -> None:
    world = both_worlds
    first = world.post("FR", "First", values=["first.example"])
    second = world.post("FR", "Second", values=["second.example"])
    third = world.post("FR", "Third", values=["third.example"])
    world.project("FR")
    by_place = [event for _, event, _ in feed_of(world, "FR", "BE")]
    world.edit("FR", by_place[1], "Raised", Tlp.RED)
    world.pull("BE", "FR")
    assert world.held("BE", by_place[0]) is not None
    assert world.log("BE", by_place[1]) is None
    assert world.log("BE", by_place[2]) is None
    world.settle()
    assert {
        world.held("BE", one) is not None for one in {first, second, third} - {by_place[1]}
    } == {True}
    assert world.held("BE", by_place[1]) is None


def test_a_log_that_changes_while_the_page_is_made_is_not_in_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = world.post("FR", "Phishing", values=["green.example"])
    world.project("FR")
    from node.actions import serve

    genuine = serve.write_package
    raised = []

    def slow(*args: object, **kwargs: object) -> bytes:
        package = genuine(*args, **kwargs)  # type: ignore[arg-type]  # passed on as they came
        if not raised:
            raised.append(True)
            world.edit("FR", event, "Raised", Tlp.RED)
        return package

    monkeypatch.setattr(serve, "write_package", slow)
    world.pull("BE", "FR")
    assert raised
    assert world.log("BE", event) is None


def test_nothing_that_was_decided_under_another_rulebook_is_served(world: World) -> None:
    from policies.decide import Judge
    from policies.rulebook import shipped

    event = world.post("FR", "Phishing", values=["green.example"])
    world.project("FR")
    changed = replace(world["FR"], judge=Judge(shipped("hub")))
    world.nodes["FR"] = world.memory.nodes[url_of("FR")] = changed
    world.pull("BE", "FR")
    assert world.log("BE", event) is None
    world.settle()
    assert "green.example" in world.text("BE", event)
    assert len(feed_of(world, "FR", "BE")) == 1


def test_a_log_marked_again_while_it_is_projected_stays_dirty(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    from node.actions import projector

    event = world.post("FR", "Phishing", values=["green.example"])
    genuine = projector.project
    raised = []

    def slow(*args: object) -> object:
        result = genuine(*args)  # type: ignore[arg-type]  # passed on as they came
        if not raised:
            raised.append(True)
            world.edit("FR", event, "Raised", Tlp.RED)
        return result

    monkeypatch.setattr(projector, "project", slow)
    assert projector.project_dirty(world["FR"], 10) == 0
    assert world.dirt("FR") == 1
    assert feed_of(world, "FR", "BE") == []
    world.project("FR")
    assert feed_of(world, "FR", "BE") == []


def test_one_verdict_serves_all_peers_of_a_class(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    from node.actions import projector

    genuine, asked = projector.project, []

    def counted(holding: object, party: object, *rest: object) -> object:
        asked.append(party)
        return genuine(holding, party, *rest)  # type: ignore[arg-type]  # passed on as they came

    monkeypatch.setattr(projector, "project", counted)
    world.post("FR", "Phishing", values=["green.example"])
    world.project("FR")
    assert len(feed_of(world, "FR", "BE")) == len(feed_of(world, "FR", "DE")) == 1
    countries = len({world.peer("FR", name).party.country for name in OTHERS})
    assert len(asked) <= countries

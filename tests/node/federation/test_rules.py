"""Another rulebook is put in force in a running federation."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from sqlalchemy import select

from node.actions.errors import ConflictError, NotAllowedError
from node.actions.foresee import Foreseen, PartyChange
from node.actions.projector import project_dirty
from node.actions.rulebooks import approve, foresee_rules, propose, read_rules, reject
from node.node import open_node
from node.rules import open_rules
from node.settings import load_settings
from node.storage import tables, tables_feed
from node.storage.feed import mark_all_dirty
from node.storage.peers import find_peer
from policies.label import Label
from policies.rulebook import shipped
from policies.tlp import Tlp
from sharing.event import NOBODY, Audience
from tests.node.federation.mischief import HookedStore, begin_anew_at, feed_of
from tests.node.federation.ruling import (
    CLINICAL_FREE,
    FINANCE_TO_DE,
    NATIONAL,
    TIGHTER,
    operator,
    put_in_force,
)
from tests.node.federation.world import ORGS, OTHERS, World, url_of
from tests.policies.mutants import mutants

FINANCE = Label(Tlp.GREEN, categories=frozenset({"finance"}))
CLINICAL = Label(Tlp.GREEN, categories=frozenset({"clinical"}))


def test_what_is_tightened_is_gone_at_the_next_pull(both_worlds: World) -> None:
    world = both_worlds
    event = world.post("FR", "Phishing", values=["green.example"])
    world.settle()
    done = put_in_force(world["FR"], TIGHTER)
    assert (done.about.widens, done.about.decided_by) == (False, None)
    assert done.about.foreseen == ("1 event recalled from node BE",)
    world.project("FR")
    world.pull("BE", "FR")
    assert world.held_from("BE", event, "FR") is None
    world.settle()
    assert "green.example" in world.text("DE", event)
    assert [op for *_, op in feed_of(world, "FR", "BE")] == ["WITHDRAW"]


def test_widening_waits_for_another_operator_and_changes_nothing_before(both_worlds: World) -> None:
    world = both_worlds
    put_in_force(world["FR"], TIGHTER)
    event = world.post("FR", "Phishing", values=["green.example"])
    world.settle()
    before = feed_of(world, "FR", "BE")
    amelie, bernard = operator(world["FR"]), operator(world["FR"], "bernard")
    done = propose(world["FR"], amelie, NATIONAL, "national", "BE may have it again")
    assert (done.about.state, done.about.widens) == ("waiting", True)
    assert done.about.foreseen == ("1 event newly to node BE",)
    world.settle()
    assert feed_of(world, "FR", "BE") == before == []
    with pytest.raises(NotAllowedError, match="another operator"):
        approve(world["FR"], amelie, done.about.number)
    assert approve(world["FR"], bernard, done.about.number).about.decided_by == "bernard"
    world.project("FR")
    world.pull("BE", "FR")
    assert world.held_from("BE", event, "FR") is not None


def test_no_stale_row_leaves_between_applying_and_projecting(both_worlds: World) -> None:
    world = both_worlds
    green = world.post("FR", "Phishing", values=["green.example"])
    clear = world.post("FR", "For all", Tlp.CLEAR, ["clear.example"])
    world.project("FR")
    places = {event: pos for pos, event, _ in feed_of(world, "FR", "DE")}
    put_in_force(world["FR"], TIGHTER)
    with world["FR"].store.read() as unit:
        dirty = {row.event for row in unit.connection.execute(select(tables_feed.dirty))}
    assert dirty == {green}
    world.pull("BE", "FR")
    world.pull("DE", "FR")
    for name in ("BE", "DE"):  # a page ends before what waits to be decided anew
        assert world.log(name, green) is None
        assert (world.log(name, clear) is not None) == (places[clear] < places[green])
    world.settle()
    assert world.held_from("BE", green, "FR") is None
    assert "green.example" in world.text("DE", green)
    assert "clear.example" in world.text("BE", clear)


def test_what_a_rulebook_does_not_touch_is_served_on_without_being_projected(world: World) -> None:
    clear = world.post("FR", "For all", Tlp.CLEAR, ["clear.example"])
    world.settle()
    places = feed_of(world, "FR", "BE")
    put_in_force(world["FR"], TIGHTER)
    assert world.dirt("FR") == 0
    begin_anew_at(world, "BE", "FR")
    assert world.pull("BE", "FR").items == 1
    assert "clear.example" in world.text("BE", clear)
    assert feed_of(world, "FR", "BE") == places


def test_narrowing_goes_out_before_widening(both_worlds: World) -> None:
    world = both_worlds
    put_in_force(world["FR"], TIGHTER)
    events = [world.post("FR", f"Finance {n}", label=FINANCE) for n in range(4)]
    events += [world.post("FR", f"Other {n}") for n in range(4)]
    world.settle()
    done = {pos for pos, *_ in feed_of(world, "FR", "HUB")}
    put_in_force(world["FR"], FINANCE_TO_DE)  # BE gets the others, the hub loses finance
    world.post("FR", "An edit of the day")
    turns = 0
    while project_dirty(world["FR"], 3):
        turns += 1
        taken = [event for _, event, op in feed_of(world, "FR", "HUB") if op == "WITHDRAW"]
        given = [event for _, event, op in feed_of(world, "FR", "BE") if op == "PUT"]
        assert not given or len(taken) == 4  # nothing is given before everything is taken
    assert turns >= 4
    assert len(given) == 5
    assert done


def test_what_was_held_goes_when_no_rule_holds_it_any_more(world: World) -> None:
    kept = world.post("FR", "Clinical", values=["kept.example"], label=CLINICAL)
    world.settle()
    assert world.held_from("BE", kept, "FR") is None  # held
    put_in_force(world["FR"], CLINICAL_FREE)
    world.settle()
    assert world.held_from("BE", kept, "FR") is not None


def test_what_was_decided_while_another_rulebook_was_put_in_force_is_not_written(
    both_worlds: World,
) -> None:
    world = both_worlds
    world.project("FR")
    green = world.post("FR", "Phishing", values=["green.example"])
    node = world["FR"]
    reads_before_projecting = 3  # peers' basis, marks, the log
    hooked = HookedStore(node.store, reads_before_projecting, lambda: apply(world))
    assert project_dirty(replace(node, store=hooked), 10) == 0
    assert hooked.left == 0
    assert feed_of(world, "FR", "DE") == []
    assert world.dirt("FR") == 1
    world.settle()
    assert world.held_from("BE", green, "FR") is None
    assert "green.example" in world.text("DE", green)


def test_what_a_new_rulebook_does_not_touch_is_decided_under_it_though_it_was_under_way(
    both_worlds: World,
) -> None:
    world = both_worlds
    world.project("FR")
    clear = world.post("FR", "For all", Tlp.CLEAR, ["clear.example"])
    node = world["FR"]
    hooked = HookedStore(node.store, 3, lambda: apply(world))
    assert project_dirty(replace(node, store=hooked), 10) == 0
    assert hooked.left == 0
    world.project("FR")
    world.pull("BE", "FR")
    assert "clear.example" in world.text("BE", clear)


def apply(world: World) -> None:
    put_in_force(world["FR"], TIGHTER)


def test_a_page_that_is_made_while_another_rulebook_is_put_in_force_holds_nothing_it_forbids(
    world: World,
) -> None:
    green = world.post("FR", "Phishing", values=["green.example"])
    world.project("FR")
    hooked = HookedStore(world["FR"].store, 1, lambda: apply(world))
    world.memory.nodes[url_of("FR")] = replace(world["FR"], store=hooked)
    world.pull("BE", "FR")
    assert hooked.left < 0
    assert world.log("BE", green) is None


def test_every_process_of_a_node_takes_up_what_another_applies(both_worlds: World) -> None:
    world = both_worlds
    event = world.post("FR", "Phishing", values=["green.example"])
    world.settle()
    command = open_node(load_settings(world["FR"].settings.data))
    apply_at = replace(command, clock=world.clock, wall=world.clock)
    put_in_force(apply_at, TIGHTER)
    command.close()
    assert world["FR"].judge.rulebook.version == "2"
    world.settle()
    assert world.held_from("BE", event, "FR") is None


def test_another_floor_of_the_program_has_everything_decided_anew(world: World) -> None:
    event = world.post("FR", "Phishing", values=["green.example"])
    world.project("FR")
    node = world["FR"]
    with node.store.write() as unit:  # as a program with another floor left it
        unit.connection.execute(tables.rulebook.update().values(digest="0" * 64))
        unit.connection.execute(tables_feed.outbox.update().values(rulebook="0" * 64))
    open_rules(node.store, "national", world.clock())
    world.pull("BE", "FR")
    assert world.log("BE", event) is None
    world.project("FR")
    world.pull("BE", "FR")
    assert "green.example" in world.text("BE", event)


def test_a_peer_is_told_which_rulebook_is_in_force(world: World) -> None:
    world.settle()
    applied = put_in_force(world["FR"], TIGHTER).about
    world.post("FR", "For all", Tlp.CLEAR)
    world.settle()
    with world["BE"].store.read() as unit:
        row = find_peer(unit.connection, ORGS["FR"])
    assert row is not None
    assert (row.rulebook_version, row.rulebook_digest) == ("2", applied.digest)
    assert row.rulebook_digest != world["BE"].judge.rulebook.digest


def test_what_rests_on_a_replaced_rulebook_cannot_be_approved_but_put_away(world: World) -> None:
    put_in_force(world["FR"], TIGHTER)
    node, bernard = world["FR"], operator(world["FR"], "bernard")
    number = propose(node, operator(node), NATIONAL, "national", "again").about.number
    put_in_force(node, TIGHTER + "// later\n")
    assert read_rules(node, bernard, number).about.state == "overtaken"
    with pytest.raises(ConflictError, match="no longer in force"):
        approve(node, bernard, number)
    assert reject(node, bernard, number, "too late").about.state == "rejected"
    with pytest.raises(ConflictError, match="decided before"):
        reject(node, bernard, number, "twice")


# ── Whatever the rulebook ────────────────────────────────────────────────────────────────────────


def post_of_all_sorts(world: World) -> None:
    to_be = Audience(frozenset({ORGS["BE"]}))
    for tlp in (Tlp.CLEAR, Tlp.GREEN, Tlp.AMBER, Tlp.AMBER_STRICT):
        for n, categories in enumerate(([], ["clinical"], ["finance", "attribution"])):
            label = Label(tlp, categories=frozenset(categories), relay=n != 1)
            audience = to_be if n == 2 else NOBODY
            world.post("FR", f"{tlp} {n}", values=["a.example"], label=label, audience=audience)
    world.post("FR", "At home", Tlp.CLEAR, published=False)
    world.post("BE", "Of Belgium")


def offers(world: World) -> dict[str, dict[str, tuple[str, bytes | None, str, str]]]:
    """What each peer is held out, and under which rulebook it was decided."""
    with world["FR"].store.read() as unit:
        rows = unit.connection.execute(select(tables_feed.outbox)).all()
    return {
        org: {
            row.event: (row.op, row.map, row.withheld, row.rulebook)
            for row in rows
            if row.peer == org
        }
        for org in (ORGS[name] for name in OTHERS)
    }


def counted(seen: Foreseen, org: str) -> tuple[int, int]:
    found = [each for each in seen.parties if each.parties == (org,)]
    nothing = PartyChange((org,), "", 0, 0, 0, 0, 0, ())
    return (found or [nothing])[0].newly, (found or [nothing])[0].recalled


def rulebooks() -> Iterator[str]:
    """One after the other: shipped ones, ones with a slip in them, and drawn ones."""
    yield from (shipped(name).text for name in ("closed", "hub", "community", "national"))
    yield from [text for _, text in mutants(NATIONAL)][::30]
    yield from (TIGHTER, FINANCE_TO_DE, CLINICAL_FREE)


def test_what_is_foreseen_comes_true_and_nothing_is_left_as_it_was(world: World) -> None:
    """Each rulebook takes the place of the one before, in one world that goes on."""
    node = world["FR"]
    post_of_all_sorts(world)
    world.settle()
    changes = 0
    for text in rulebooks():
        before, seen = offers(world), foresee_rules(node, operator(node), text, "next")
        put_in_force(node, text, "next")
        world.project("FR")
        after = offers(world)
        with node.store.write() as unit:
            mark_all_dirty(unit.connection)
        world.project("FR")
        assert offers(world) == after, text
        assert {row[3] for rows in after.values() for row in rows.values()} == {seen.digest}
        for org in before:
            had, has = (
                {event for event, row in rows[org].items() if row[0] == "PUT"}
                for rows in (before, after)
            )
            assert counted(seen, org) == (len(has - had), len(had - has)), text
            assert seen.widens or not has - had
            changes += len(has ^ had)
    assert changes > 20

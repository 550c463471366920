"""What may leave at this moment: the projector and the pages it feeds."""

from dataclasses import replace
from datetime import timedelta

import pytest

from federation.call import Wants
from node.actions.projector import project_dirty
from node.actions.wake import wake_due
from node.storage.dirt import mark_dirty
from policies.decide import Decision, Judge
from policies.label import Label
from policies.party import Party
from policies.rulebook import shipped
from policies.subject import Relation, Subject
from policies.tlp import Tlp
from sharing.event import NOBODY, Audience
from tests.node.federation.mischief import HookedStore, add_amber, feed_of, forget_everything
from tests.node.federation.ruling import put_in_force
from tests.node.federation.world import ORGS, World, url_of


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


def test_a_log_that_changes_while_the_page_is_made_is_not_in_it(world: World) -> None:
    event = world.post("FR", "Phishing", values=["green.example"])
    world.project("FR")
    hooked = HookedStore(world["FR"].store, 1, lambda: world.edit("FR", event, "Raised", Tlp.RED))
    world.memory.nodes[url_of("FR")] = replace(world["FR"], store=hooked)
    world.pull("BE", "FR")
    assert hooked.left < 0  # the page was made again
    assert world.log("BE", event) is None


def test_nothing_that_was_decided_under_another_rulebook_is_served(world: World) -> None:
    event = world.post("FR", "Phishing", values=["green.example"])
    world.project("FR")
    put_in_force(world["FR"], shipped("hub").text)
    world.pull("BE", "FR")
    assert world.log("BE", event) is None
    world.settle()
    assert "green.example" in world.text("BE", event)
    assert len(feed_of(world, "FR", "BE")) == 1


def test_a_log_marked_again_while_it_is_projected_stays_dirty(world: World) -> None:
    world.project("FR")
    event = world.post("FR", "Phishing", values=["green.example"])
    reads_before_projecting = 3  # peers' basis, marks, the log
    hooked = HookedStore(
        world["FR"].store,
        reads_before_projecting,
        lambda: world.edit("FR", event, "Raised", Tlp.RED),
    )
    assert project_dirty(replace(world["FR"], store=hooked), 10) == 0
    assert world.dirt("FR") == 1
    assert feed_of(world, "FR", "BE") == []
    world.project("FR")
    assert world.dirt("FR") == 0
    assert feed_of(world, "FR", "BE") == []


class CountingJudge(Judge):
    """Remembers for whom it was asked."""

    def __init__(self) -> None:
        super().__init__(shipped("national"))
        self.asked: set[str] = set()

    def decide(self, subject: Subject, relation: Relation, party: Party) -> Decision:
        self.asked.add(party.org)
        return super().decide(subject, relation, party)


@pytest.mark.parametrize("named", [False, True])
def test_one_projection_serves_all_peers_of_a_class_unless_one_is_named(
    world: World, named: bool
) -> None:
    """Two members of one country differ in nothing that a rule may ask."""
    judge = CountingJudge()
    twins = tuple(
        replace(peer, member=replace(peer.member, country="BE"))
        for peer in world["FR"].peers
        if peer.org in {ORGS["BE"], ORGS["DE"]}
    )
    world.nodes["FR"] = replace(world["FR"], peers=twins, rules=lambda: judge)
    audience = Audience(frozenset({ORGS["DE"]})) if named else NOBODY
    world.post("FR", "Phishing", values=["green.example"], audience=audience)
    world.project("FR")
    assert len(feed_of(world, "FR", "BE")) == len(feed_of(world, "FR", "DE")) == 1
    assert len(judge.asked) == (2 if named else 1)


def test_a_report_never_leaves_however_dirty_it_is(world: World) -> None:
    event = world.post("FR", "Report", Tlp.CLEAR, values=["inside.example"], log="report")
    with world["FR"].store.write() as unit:
        mark_dirty(unit.connection, [(ORGS["FR"], event)])
    world.project("FR")
    assert world.dirt("FR") == 0
    assert feed_of(world, "FR", "BE") == []


def test_an_unpublished_event_stays_at_home(world: World) -> None:
    world.post("FR", "Not yet", Tlp.CLEAR, values=["inside.example"], published=False)
    world.settle()
    assert feed_of(world, "FR", "BE") == []


def test_urgent_logs_are_projected_first(world: World) -> None:
    world.project("FR")
    for number in range(4):
        world.post("FR", f"Calm {number}", values=["calm.example"])
    urgent = world.post("FR", "Now", values=["now.example"], urgent=True)
    assert project_dirty(world["FR"], 1) == 1
    assert [event for _, event, _ in feed_of(world, "FR", "BE")] == [urgent]


def test_what_a_peer_wants_decides_what_is_relayed_to_it(world: World) -> None:
    event = world.post("FR", "Phishing", values=["green.example"])
    world.settle()
    assert [one for _, one, _ in feed_of(world, "HUB", "BE")] == [event]
    modest = replace(
        world["BE"], peers=tuple(replace(p, asks=Wants.OWN) for p in world["BE"].peers)
    )
    world.nodes["BE"] = modest
    world.pull("BE", "HUB")  # tells the hub
    world.settle()
    assert [(one, op) for _, one, op in feed_of(world, "HUB", "BE")] == [(event, "WITHDRAW")]
    assert world.held_from("BE", event, "FR") is not None
    assert world.held_from("BE", event, "HUB") is None


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


def test_a_peer_that_begins_anew_still_gets_a_row_that_had_no_news(world: World) -> None:
    event = world.post("FR", "Phishing", values=["green.example"])
    world.settle()
    add_amber(world, event, Audience(parties=frozenset({ORGS["HUB"]})))
    world.project()
    forget_everything(world, "BE")
    assert world.pull("BE", "FR").admitted == 1
    assert "green.example" in world.text("BE", event)


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

"""Sightings: said in a note of one's own, merged where the log is read, and never by whom."""

from dataclasses import replace
from typing import Any

import orjson
import pytest

from node.actions.caller import Caller
from node.actions.errors import BadInputError, ConflictError, NotAllowedError, NotFoundError
from node.actions.notes import MOST_TOLD_A_DAY, follow, sight
from node.actions.people import enrol_org, local_party
from node.actions.read import list_events, read_event
from node.actions.sealing import OvertakenError
from node.actions.search import search_values
from node.node import Node
from node.storage.dirt import is_dirty
from node.storage.notes import notes_about
from node.storage.people import Org
from policies.tlp import Tlp
from sharing.event import Audience
from sharing.notes import Note, cut_note
from sharing.seal.records import Record
from sharing.slots_names import TooManyLabelsError
from sharing.view import Seen, to_json
from tests.node.federation.mischief import refusals
from tests.node.federation.ruling import operator
from tests.node.federation.world import ORGS, World

HOSPITAL = "1c9e6a10-54c1-4f55-8a41-94a9d4b2dd01"
VALUE = "seen.example"


def hospital(node: Node) -> Caller:
    """Somebody of a hospital enrolled at a node."""
    org = Org(org=HOSPITAL, name="Klinik Beispiel", kind="hospital", country="DE", details={})
    enrol_org(node, "amelie", org)
    return Caller("klara", org.org, local_party(org), "hospital")


def seen_by(world: World, name: str, event: str, caller: Caller | None = None) -> tuple[Seen, ...]:
    node = world[name]
    return read_event(node, caller or operator(node), ORGS["FR"], event).sightings


def count(world: World, name: str, event: str) -> int:
    return sum(one.count for one in seen_by(world, name, event))


def test_a_hospitals_sighting_reaches_everybody_as_a_count_of_its_country(
    both_worlds: World,
) -> None:
    world = both_worlds
    event = world.post("FR", "Phishing", values=[VALUE, "other.example"])
    world.settle()
    klara = hospital(world["DE"])
    done = sight(world["DE"], klara, [{"value": VALUE, "count": 3}])
    assert (done.added, done.attributes, done.is_new) == (1, 1, True)
    world.settle()
    (at_origin,) = seen_by(world, "FR", event)
    assert (at_origin.count, at_origin.type, at_origin.by_country) == (3, "seen", {"DE": 3})
    (at_hub,) = seen_by(world, "HUB", event)
    assert at_hub.by_country == {"DE": 3}
    (elsewhere,) = seen_by(world, "BE", event)
    assert (elsewhere.count, elsewhere.by_country) == (3, {})
    (at_home,) = seen_by(world, "DE", event, klara)
    assert (at_home.count, at_home.by_country) == (3, {})
    wire = b"".join(reply.body for _, _, reply in world.memory.passed)
    assert b'"count":3' in wire
    for told in (HOSPITAL, "Klinik Beispiel", "klara"):
        assert told.encode() not in wire


def test_sightings_of_several_nodes_add_up_and_the_same_one_counts_once(world: World) -> None:
    event = world.post("FR", "Phishing", values=[VALUE])
    world.settle()
    one = {"value": VALUE, "id": "5d0b8a3e-6f0c-4a3a-9a57-0f1e2d3c4b5a", "day": "2026-01-20"}
    for name in ("DE", "BE"):
        assert sight(world[name], operator(world[name]), [one]).is_new
    assert not sight(world["DE"], operator(world["DE"]), [one]).is_new
    sight(world["DE"], operator(world["DE"]), [{"value": VALUE, "day": "2026-01-21"}])
    sight(world["BE"], operator(world["BE"]), [{"value": VALUE, "type": "false_positive"}])
    world.settle()
    told = {one.type: one for one in seen_by(world, "FR", event)}
    assert (told["seen"].count, told["seen"].last) == (3, "2026-01-21")
    assert told["seen"].by_country == {"DE": 2, "BE": 1}
    assert told["false_positive"].count == 1


def test_of_what_is_amber_its_originator_alone_is_told(world: World) -> None:
    named = Audience(parties=frozenset({ORGS["BE"], ORGS["DE"]}))
    event = world.post("FR", "For two", Tlp.AMBER, [VALUE], audience=named)
    world.settle()
    sight(world["DE"], operator(world["DE"]), [{"value": VALUE}])
    world.settle()
    assert count(world, "FR", event) == 1
    assert count(world, "DE", event) == 1
    assert count(world, "BE", event) == 0
    assert refusals(world, "FR") == []


def test_a_note_is_no_event_and_is_not_searched(world: World) -> None:
    event = world.post("FR", "Phishing", values=[VALUE])
    world.settle()
    sight(world["DE"], operator(world["DE"]), [{"value": VALUE}])
    world.settle()
    for name in world.nodes:
        rows = list_events(world[name], operator(world[name])).rows
        assert [row.event for row in rows] == [event]
        assert len(search_values(world[name], operator(world[name]), VALUE)) == 1


def test_a_note_that_comes_before_its_log_waits_for_it(world: World) -> None:
    event = world.post("FR", "Phishing", values=[VALUE])
    world.project("FR")
    world.pull("DE", "FR")
    sight(world["DE"], operator(world["DE"]), [{"value": VALUE}])
    world.project("DE")
    assert world.pull("BE", "DE").admitted == 1
    with pytest.raises(NotFoundError):
        seen_by(world, "BE", event)
    world.pull("BE", "FR")
    assert count(world, "BE", event) == 1


def test_what_is_recalled_ends_what_was_said_of_it(world: World) -> None:
    event = world.post("FR", "Phishing", values=[VALUE])
    world.settle()
    sight(world["DE"], operator(world["DE"]), [{"value": VALUE}])
    world.settle()
    world.recall("FR", event)
    since = len(world.memory.passed)
    world.settle()
    lines = b"".join(reply.body for _, _, reply in world.memory.passed[since:])
    assert lines.count(b'"op":"WITHDRAW"') >= 3  # DE takes its note back from FR, BE and the hub


def notes_at(world: World, name: str, event: str) -> set[str]:
    """Whose notes about an event of FR a node holds."""
    with world[name].store.read() as unit:
        found = notes_about(unit.connection, [(ORGS["FR"], event)])
    return {org for org, at in ORGS.items() for origin, _ in found if origin == at}


def test_a_note_follows_what_it_is_about_when_that_grows_stricter(both_worlds: World) -> None:
    world = both_worlds
    event = world.post("FR", "Phishing", values=[VALUE])
    world.settle()
    for name in ("FR", "DE", "BE"):
        sight(world[name], operator(world[name]), [{"value": VALUE}])
    world.settle()
    everybody = {"FR", "DE", "BE"}
    assert all(notes_at(world, name, event) == everybody for name in world.nodes)
    named = Audience(parties=frozenset({ORGS["BE"]}))
    world.edit("FR", event, "Phishing", Tlp.AMBER, [VALUE], audience=named)
    world.settle()
    # DE has nothing of it any more, and takes back what it had said; BE tells FR alone, FR nobody
    assert notes_at(world, "FR", event) == {"FR", "BE"}
    assert notes_at(world, "BE", event) == {"BE"}
    assert notes_at(world, "DE", event) == {"DE"}
    assert notes_at(world, "HUB", event) == set()
    assert count(world, "FR", event) == 2
    assert refusals(world, "FR") == refusals(world, "BE") == []
    world.edit("FR", event, "Phishing", Tlp.GREEN, [VALUE])
    world.settle()
    assert all(notes_at(world, name, event) == everybody for name in world.nodes)


def test_a_note_that_cannot_be_cut_anew_stays_at_home_and_holds_up_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = world.post("FR", "Phishing", values=[VALUE])
    world.settle()
    sight(world["DE"], operator(world["DE"]), [{"value": VALUE}])
    world.settle()
    assert notes_at(world, "FR", event) == {"DE"}

    def no_room(*_: object) -> None:
        raise TooManyLabelsError("more than 240 labels in one log")

    monkeypatch.setattr("node.actions.notes.cut_note", no_room)
    world.edit("FR", event, "Phishing again", Tlp.GREEN, [VALUE])
    other = world.post("DE", "Another", values=["other.example"])
    world.settle()
    assert notes_at(world, "FR", event) == set()
    assert notes_at(world, "DE", event) == {"DE"}
    assert "other.example" in world.text("FR", other)


def test_no_note_goes_out_between_a_stricter_label_and_its_projection(world: World) -> None:
    event = world.post("FR", "Phishing", values=[VALUE])
    world.settle()
    sight(world["FR"], operator(world["FR"]), [{"value": VALUE}])
    world.project("FR")
    world.edit("FR", event, "Phishing", Tlp.AMBER_STRICT, [VALUE])
    world.pull("DE", "FR")
    assert notes_at(world, "DE", event) == set()


def test_a_label_that_grows_stricter_while_another_note_is_cut_is_heeded(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = "other.example"
    first, second = (world.post("FR", "Phishing", values=[value]) for value in (VALUE, other))
    world.settle()
    sight(world["FR"], operator(world["FR"]), [{"value": VALUE}, {"value": other}])
    world.settle()
    assert notes_at(world, "DE", second) == {"FR"}
    left = [lambda: world.edit("FR", second, "Phishing", Tlp.RED, [other])]

    def meanwhile(node: Node, about: tuple[str, str]) -> tuple[str, str] | None:
        if left:
            left.pop()()
        return follow(node, about)

    monkeypatch.setattr("node.actions.projector.follow", meanwhile)
    world.edit("FR", first, "Phishing again", Tlp.GREEN, [VALUE])
    world.settle()
    assert not left
    assert notes_at(world, "DE", second) == set()


def test_a_note_that_others_keep_changing_waits_and_does_not_go_by_the_old_label(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = world.post("FR", "Phishing", values=[VALUE])
    world.settle()
    sight(world["FR"], operator(world["FR"]), [{"value": VALUE}])
    with world["FR"].store.read() as unit:
        (note,) = notes_about(unit.connection, [(ORGS["FR"], event)])

    def overtaken(*_: object) -> None:
        raise OvertakenError

    with monkeypatch.context() as patch:
        patch.setattr("node.actions.notes._follow", overtaken)
        patch.setattr("node.actions.sealing._PAUSE_MS", 1)
        world.edit("FR", event, "Phishing", Tlp.AMBER_STRICT, [VALUE])
        world.project("FR")
    with world["FR"].store.read() as unit:
        assert is_dirty(unit.connection, *note)
        assert not is_dirty(unit.connection, ORGS["FR"], event)
    world.settle()
    assert notes_at(world, "DE", event) == set()
    with world["FR"].store.read() as unit:
        assert not is_dirty(unit.connection, *note)


def test_of_ones_own_unpublished_event_nobody_is_told_before_it_goes(world: World) -> None:
    event = world.post("FR", "Not yet", values=[VALUE], published=False)
    sight(world["FR"], operator(world["FR"]), [{"value": VALUE}])
    world.settle()
    wire = b"".join(reply.body for _, _, reply in world.memory.passed)
    assert event.encode() not in wire
    assert count(world, "FR", event) == 1


@pytest.mark.parametrize(
    ("one", "field"),
    [
        ({"value": ""}, "value"),
        ({"value": VALUE, "type": "perhaps"}, "type"),
        ({"value": VALUE, "count": 0}, "count"),
        ({"value": VALUE, "count": True}, "count"),
        ({"value": VALUE, "count": MOST_TOLD_A_DAY + 1}, "count"),
        ({"value": VALUE, "day": "yesterday"}, "day"),
        ({"value": VALUE, "day": "2999-01-01"}, "day"),
        ({"value": VALUE, "day": "0001-01-01"}, "day"),
        ({"value": VALUE, "day": None}, "day"),
        ({"value": VALUE, "id": "7"}, "id"),
        ({"value": VALUE, "who": "me"}, "who"),
        ({"origin": ORGS["FR"]}, "event"),
    ],
)
def test_a_sighting_out_of_form_names_what_is_wrong(
    world: World, one: dict[str, object], field: str
) -> None:
    world.post("FR", "Phishing", values=[VALUE])
    with pytest.raises(BadInputError) as refused:
        sight(world["FR"], operator(world["FR"]), [{"value": VALUE}, one])
    assert refused.value.field == f"sightings[1].{field}"
    assert search_values(world["FR"], operator(world["FR"]), VALUE)


def test_an_organisation_tells_only_so_much_of_an_attribute_and_a_day(
    both_worlds: World,
) -> None:
    world = both_worlds
    event = world.post("FR", "Phishing", values=[VALUE, "other.example"])
    node = world["FR"]
    klara = hospital(node)
    most = {"value": VALUE, "count": MOST_TOLD_A_DAY, "id": "5d0b8a3e-6f0c-4a3a-9a57-0f1e2d3c4b5a"}
    sight(node, klara, [most])
    assert not sight(node, klara, [most]).is_new  # the same once more is no more
    one_more = [{"value": VALUE, "type": "false_positive"}]
    for given in ([{"value": "other.example"}, *one_more], one_more):
        with pytest.raises(ConflictError, match=f"{MOST_TOLD_A_DAY} times"):
            sight(node, klara, given)
    assert count(world, "FR", event) == MOST_TOLD_A_DAY  # and nothing of what came along was kept
    sight(node, klara, [{"value": VALUE, "day": "2026-01-20"}, {"value": "other.example"}])
    sight(node, operator(node), [{"value": VALUE}])
    assert count(world, "FR", event) == MOST_TOLD_A_DAY + 3


def test_in_one_submission_an_organisation_tells_no_more_than_in_several(world: World) -> None:
    event = world.post("FR", "Phishing", values=[VALUE])
    half = {"value": VALUE, "count": MOST_TOLD_A_DAY // 2 + 1}
    with pytest.raises(ConflictError):
        sight(world["FR"], operator(world["FR"]), [half, half])
    assert count(world, "FR", event) == 0


@pytest.mark.parametrize(
    ("day", "times", "counted"),
    [
        ("2026-01-20", 1_000_000, 1_000_000),
        ("2026-01-20", 1_000_001, 0),
        ("2026-01-20", 2**31 - 1, 0),
        ("2099-01-01", 1, 0),
    ],
)
def test_what_no_honest_node_says_in_a_note_is_not_counted(
    world: World, monkeypatch: pytest.MonkeyPatch, day: str, times: int, counted: int
) -> None:
    event = world.post("FR", "Phishing", values=[VALUE])
    world.settle()

    def lying(note: Note, *rest: Any) -> list[Record]:
        (said,) = note.sightings
        return cut_note(Note(note.about, (replace(said, day=day, count=times),)), *rest)

    monkeypatch.setattr("node.actions.notes.cut_note", lying)
    monkeypatch.setattr("sharing.notes.MOST_BELIEVED_A_DAY", 2**31 - 1)
    sight(world["DE"], operator(world["DE"]), [{"value": VALUE}])
    world.settle()
    monkeypatch.undo()
    assert count(world, "FR", event) == counted


def test_nobody_sights_what_he_may_not_see(world: World) -> None:
    event = world.post("FR", "For FR", Tlp.AMBER_STRICT, [VALUE])
    held = world.held("FR", event)
    assert held is not None
    klara = hospital(world["FR"])
    with pytest.raises(NotFoundError):
        sight(world["FR"], klara, [{"value": VALUE}])
    attribute = "1c9e6a10-54c1-4f55-8a41-94a9d4b2dd02"
    place = {"origin": ORGS["FR"], "event": event, "attribute": attribute}
    with pytest.raises(NotFoundError):
        sight(world["FR"], operator(world["FR"]), [place])
    reader = Caller("rosa", world["FR"].org, world["FR"].me, "analyst")
    with pytest.raises(NotAllowedError):
        sight(world["FR"], reader, [{"value": VALUE}])


def test_sightings_stand_in_the_views_json(world: World) -> None:
    event = world.post("FR", "Phishing", values=[VALUE])
    sight(world["FR"], operator(world["FR"]), [{"value": VALUE, "day": "2026-01-20"}])
    view = read_event(world["FR"], operator(world["FR"]), ORGS["FR"], event)
    (said,) = orjson.loads(orjson.dumps(to_json(view)["sightings"]))
    assert said["by_country"] == {"FR": 1}
    assert said["last"] == "2026-01-20"

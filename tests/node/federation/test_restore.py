"""A database that is a backup: noticed, locked, asked about, and never a second word for a version."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from shutil import copyfile
from sqlite3 import connect

import pytest

from federation.heads import ToldHead, that_fit
from node import outside
from node.actions.errors import BadInputError, ConflictError, RestoringError
from node.actions.publish import publish
from node.actions.recall import recall
from node.actions.restore import finish_restore, state_of
from policies.tlp import Tlp
from sharing.seal import limits
from sharing.seal.records import Kind
from tests.node.federation.mischief import refusals
from tests.node.federation.rotating import restart
from tests.node.federation.ruling import operator
from tests.node.federation.world import ORGS, OTHERS, World, url_of


def back_up(world: World, name: str, to: Path) -> Path:
    source, target = connect(world[name].settings.data / "isac.db"), connect(to)
    with target:
        source.backup(target)
    source.close()
    target.close()
    return to


def put_back(world: World, name: str, backup: Path) -> None:
    data = world[name].settings.data
    world[name].close()
    for file in data.glob("isac.db-*"):
        file.unlink()
    copyfile(backup, data / "isac.db")
    restart(world, name)


def hear_all(world: World, name: str) -> None:
    for other in world.nodes:
        if other != name:
            world.pull(name, other)


def finish(world: World, name: str, without: tuple[str, ...] = ()) -> None:
    finish_restore(world[name], operator(world[name]), without)


@pytest.fixture
def backup(world: World, tmp_path: Path) -> Path:
    """FR's database while its one event is GREEN and everybody has it."""
    world.post("FR", "First", Tlp.GREEN, ["first.example"])
    world.settle()
    return back_up(world, "FR", tmp_path / "backup.db")


def the_event(world: World) -> str:
    return next(iter(state_of_events(world)))


def state_of_events(world: World) -> list[str]:
    with world["BE"].store.read() as unit:
        rows = unit.connection.exec_driver_sql("SELECT event FROM log ORDER BY first_seen_at")
        return [str(row[0]) for row in rows]


def test_a_start_after_a_stop_is_no_restore(world: World, backup: Path) -> None:
    before = world["FR"].keys.incarnation
    restart(world, "FR")
    assert not state_of(world["FR"]).is_locked
    assert world["FR"].keys.incarnation == before


def test_a_backup_is_noticed_and_the_node_is_locked_until_all_have_told(
    world: World, backup: Path
) -> None:
    life = world["FR"].keys.incarnation
    event = the_event(world)
    world.edit("FR", event, "Second", Tlp.GREEN, ["second.example"])
    world.settle()
    put_back(world, "FR", backup)
    state = state_of(world["FR"])
    assert state.is_locked
    assert set(state.silent) == {ORGS[name] for name in OTHERS}
    assert world["FR"].keys.incarnation != life
    with pytest.raises(RestoringError):
        world.edit("FR", event, "Third", Tlp.GREEN, ["third.example"])
    with pytest.raises(RestoringError):
        recall(world["FR"], operator(world["FR"]), ORGS["FR"], event, "error")
    with pytest.raises(ConflictError, match="not all have told"):
        finish(world, "FR")
    world.memory.down.add(url_of("DE"))
    hear_all(world, "FR")
    with pytest.raises(ConflictError, match=ORGS["DE"]):
        finish(world, "FR")
    with pytest.raises(BadInputError):
        finish(world, "FR", (ORGS["BE"],))
    finish(world, "FR", (ORGS["DE"],))
    assert not state_of(world["FR"]).is_locked
    with pytest.raises(ConflictError, match="no restore"):
        finish(world, "FR")


@pytest.mark.parametrize("with_file", [True, False])
def test_no_version_is_ever_sealed_twice_even_where_only_peers_know_of_it(
    world: World, backup: Path, with_file: bool
) -> None:
    event = the_event(world)
    for word in ("second", "third"):
        world.edit("FR", event, word, Tlp.GREEN, [f"{word}.example"])
        world.settle()
    data = world["FR"].settings.data
    if not with_file:  # the whole machine is lost
        (data / outside.SEALED).unlink()
        (data / outside.GIVEN).unlink()
        outside.call_restored(data)
    put_back(world, "FR", backup)
    hear_all(world, "FR")
    assert state_of(world["FR"]).behind == (event,)
    finish(world, "FR")
    world.edit("FR", event, "Fourth", Tlp.GREEN, ["fourth.example"])
    log = world.log("FR", event)
    assert log is not None
    assert log.version == (1, 2)


def test_restored_node_serves_nothing_erased(world: World, backup: Path) -> None:
    event = the_event(world)
    world.edit("FR", event, "Second", Tlp.GREEN, ["second.example"])
    world.settle()
    put_back(world, "FR", backup)
    world.memory.passed.clear()
    world.settle()
    hear_all(world, "FR")
    finish(world, "FR")
    world.settle()
    wire = b"".join(reply.body for _, peer, reply in world.memory.passed if peer.org == ORGS["FR"])
    assert b"first.example" not in wire
    assert [world.text(name, event) for name in ("BE", "DE")] == ["", ""]
    assert [refusals(world, name) for name in OTHERS] == [[], [], []]


def test_a_recall_since_the_backup_is_said_again(world: World, backup: Path) -> None:
    event = the_event(world)
    recall(world["FR"], operator(world["FR"]), ORGS["FR"], event, "error")
    put_back(world, "FR", backup)  # nobody has heard of it yet
    outside.call_restored(world["FR"].settings.data)
    restart(world, "FR")
    hear_all(world, "FR")
    finish(world, "FR")
    world.settle()
    log = world.log("FR", event)
    assert log is not None
    assert log.is_recalled
    assert world.held("FR", event) is None
    assert [world.text(name, event) for name in OTHERS] == ["", "", ""]


def test_a_restored_hub_relays_nothing_of_a_source_before_it_has_read_its_feed_again(
    world: World, tmp_path: Path
) -> None:
    event = world.post("FR", "First", Tlp.GREEN, ["first.example"])
    world.post("HUB", "Own", Tlp.GREEN, ["own.example"])
    world.settle()
    backup = back_up(world, "HUB", tmp_path / "backup.db")
    world.edit("FR", event, "Second", Tlp.RED, ["second.example"])
    world.post("HUB", "Another", Tlp.GREEN, ["another.example"])
    world.settle()
    put_back(world, "HUB", backup)
    finish(world, "HUB", tuple(state_of(world["HUB"]).silent))
    world.memory.passed.clear()
    world.memory.down.add(url_of("FR"))
    world.settle()
    wire = b"".join(reply.body for _, _, reply in world.memory.passed)
    assert b"own.example" in wire
    assert b"first.example" not in wire


def test_what_was_sealed_but_never_written_is_not_sealed_again(world: World) -> None:
    event = world.post("FR", "First", Tlp.GREEN, ["first.example"])
    outside.note_sealed(world["FR"].settings.data, event, (0, 2))
    restart(world, "FR")
    assert not state_of(world["FR"]).is_locked
    world.edit("FR", event, "Second", Tlp.GREEN, ["second.example"])
    log = world.log("FR", event)
    assert log is not None
    assert log.version == (1, 2)


def test_attributes_recalled_since_the_backup_never_come_back(world: World, backup: Path) -> None:
    event, fr = the_event(world), world["FR"]
    held = world.held("FR", event)
    assert held is not None
    (gone,) = held.things[Kind.ATTRIBUTE]
    recall(fr, operator(world["FR"]), ORGS["FR"], event, "error", [gone])
    world.settle()
    put_back(world, "FR", backup)
    hear_all(world, "FR")
    finish(world, "FR")
    held = world.held("FR", event)
    assert held is not None
    assert gone not in held.things.get(Kind.ATTRIBUTE, {})
    world.memory.passed.clear()
    world.edit("FR", event, "Second", Tlp.GREEN, ["second.example"])
    publish(world["FR"], operator(world["FR"]), ORGS["FR"], event)
    world.settle()
    wire = b"".join(reply.body for _, peer, reply in world.memory.passed if peer.org == ORGS["FR"])
    assert b"second.example" in wire
    assert b"first.example" not in wire
    log = world.log("FR", event)
    assert log is not None
    assert log.ground["taken_back"] == [gone]


def test_a_peer_that_tells_of_epochs_that_cannot_be_is_left_out(
    world: World, backup: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = the_event(world)
    put_back(world, "FR", backup)
    liar = world["BE"].org

    def lie(heads: Sequence[ToldHead]) -> Sequence[ToldHead]:
        return [replace(head, epoch=limits.COUNTER - 2) for head in that_fit(heads)]

    outside.call_restored(world["FR"].settings.data)
    restart(world, "FR")
    monkeypatch.setattr("node.actions.heads.that_fit", lie)
    told = world.pull("FR", "BE").error
    monkeypatch.undo()
    assert told is not None
    assert "later epochs" in told
    for name in ("DE", "HUB"):
        world.pull("FR", name)
    assert state_of(world["FR"]).silent == (liar,)
    finish(world, "FR", without=(liar,))
    world.edit("FR", event, "Second", Tlp.GREEN, ["second.example"])
    log = world.log("FR", event)
    assert log is not None
    assert log.epoch <= 1

"""An originator signs two statements for one version: the first stays, the proof is kept."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from federation import admit
from node.actions.caller import Caller
from node.actions.errors import NotFoundError
from node.actions.evidence import find_refused, list_refusals, proof_of, statement_alone
from node.actions.peers import exchange_state
from node.cli import app
from node.storage import audit
from node.storage.quarantine import quarantined
from sharing.errors import RefusedError
from sharing.seal.package import load_holding, read_package
from sharing.seal.verify import verify
from tests.node.federation.mischief import begin_anew_at, refusals, say_otherwise
from tests.node.federation.rotating import rotate
from tests.node.federation.world import ORGS, World

CANARIES = (b"first.example", b"second.example")


@pytest.fixture
def event(world: World) -> str:
    """An event of which FR has told BE one thing and then another."""
    event = world.post("FR", "One thing", values=["first.example"])
    world.project("FR")
    world.pull("BE", "FR")
    world.clock.turn(minutes=5)
    say_otherwise(world, "FR", event, "Another thing", ["second.example"])
    world.project("FR")
    world.pull("BE", "FR")
    return event


def staff(world: World) -> Caller:
    return Caller("op", ORGS["BE"], world["BE"].me, "operator")


def shell(world: World, *arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, [*arguments])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.stdout


def at_be(world: World, *arguments: str) -> str:
    code, told = shell(world, *arguments, "--data", str(world["BE"].settings.data))
    assert code == 0, told
    return told


def test_equivocation_keeps_first_and_alarms(world: World, event: str) -> None:
    held = world.held("BE", event)
    other = world.held("FR", event)
    assert held is not None
    assert other is not None
    assert b"first.example" in world.text("BE", event).encode()
    [(check, reason)] = refusals(world, "BE")
    assert check == 5
    assert reason == (
        "equivocation: two statements for version (0, 1): "
        f"{held.statement.seal} stays in force, {other.statement.seal} is refused"
    )
    [told] = exchange_state(world["BE"], staff(world)).equivocations
    assert (told.origin, told.event, told.src) == (ORGS["FR"], event, ORGS["FR"])
    assert told.told.startswith(f"node FR signed two statements for one version of event {event}.")
    assert "given by node FR at 2026-01-27 07:45:00Z" in told.told
    with world["BE"].store.read() as unit:
        line = audit.latest(unit.connection, 1)[0]
    assert (line.action, line.actor, line.event) == ("feed.equivocation", ORGS["FR"], event)
    assert line.detail == {"check": 5, "reason": reason}


def test_both_statements_are_kept_with_who_gave_them_and_when(world: World, event: str) -> None:
    with world["BE"].store.read() as unit:
        [row] = quarantined(unit.connection)
    assert b"second.example" in row.raw
    assert (row.in_force_src, row.src) == (ORGS["FR"], ORGS["FR"])
    assert row.in_force_seen_at is not None
    assert (row.received_at - row.in_force_seen_at).total_seconds() == 300
    proof = proof_of(row)
    assert proof is not None
    about = json.loads(proof.about)
    assert (about["origin"], about["event"], about["epoch"], about["seq"]) == (
        ORGS["FR"],
        event,
        0,
        1,
    )
    first, second = load_holding(proof.in_force), load_holding(proof.refused)
    assert about["in_force"]["seal"] == first.statement.seal
    assert about["refused"]["seal"] == second.statement.seal
    assert about["refused"]["first_seen_at"] == "2026-01-27T07:45:00+00:00"


def test_the_proof_holds_for_a_stranger_and_shows_no_content(world: World, event: str) -> None:
    proof = proof_of(find_refused(world["BE"], list_refusals(world["BE"])[0].id))
    assert proof is not None
    registry, now = world["DE"].registry, world.clock()
    for package in (proof.in_force, proof.refused):
        verified = verify(read_package(package), registry, first_seen_at=now)
        assert verified.holding.statement.origin == (ORGS["FR"], event)
        assert not any(canary in package for canary in CANARIES)
        assert verified.holding.classes is None
    with pytest.raises(RefusedError, match="check 6: equivocation"):
        verify(
            read_package(proof.refused),
            registry,
            first_seen_at=now,
            held=load_holding(proof.in_force),
        )


def test_the_shell_tells_and_writes_the_proof(world: World, event: str, tmp_path: Path) -> None:
    out = tmp_path / "proof"
    assert "ALARM node FR signed two statements" in at_be(world, "peer", "list")
    [line] = [row for row in at_be(world, "quarantine", "list").splitlines() if event in row]
    number = line.split()[0]
    assert "ALARM equivocation" in line
    told = at_be(world, "quarantine", "export", number, "--out", str(out))
    assert sorted(path.name for path in out.iterdir()) == [
        "about.json",
        "in-force.ndjson",
        "item.json",
        "refused.ndjson",
    ]
    typed = [line.split()[1:] for line in told.splitlines() if line.startswith("  isac")]
    codes = [shell(world, *words)[0] for words in typed]
    assert codes == [0, 0, 1]
    assert b"second.example" not in b"".join(path.read_bytes() for path in out.iterdir())


def test_raw_bytes_are_written_only_when_asked_for(
    world: World, event: str, tmp_path: Path
) -> None:
    [one] = list_refusals(world["BE"])
    out = tmp_path / "raw"
    at_be(world, "quarantine", "export", str(one.id), "--out", str(out), "--raw")
    assert b"second.example" in (out / "raw.ndjson").read_bytes()
    with pytest.raises(NotFoundError):
        find_refused(world["BE"], one.id + 1)


def test_the_second_statement_is_recognised_when_a_third_brings_it(world: World) -> None:
    event = world.post("FR", "One thing", values=["first.example"])
    world.project("FR")
    world.pull("BE", "FR")
    say_otherwise(world, "FR", event, "Another thing", ["second.example"])
    world.project("FR")
    world.pull("HUB", "FR")
    world.project("HUB")
    world.pull("BE", "HUB")
    [told] = exchange_state(world["BE"], staff(world)).equivocations
    assert (told.origin, told.src) == (ORGS["FR"], ORGS["HUB"])
    assert "node FR signed" in told.told
    assert "given by the hub" in told.told
    assert "first.example" in world.text("BE", event)


def test_the_same_accusation_is_kept_once(world: World, event: str) -> None:
    begin_anew_at(world, "BE", "FR")
    world.pull("BE", "FR")
    assert len(list_refusals(world["BE"])) == 1
    assert "first.example" in world.text("BE", event)


def test_of_a_package_too_large_to_keep_the_statement_is_kept(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(admit, "QUARANTINE_CAP", 10)
    event = world.post("FR", "One thing", values=["first.example"])
    world.project("FR")
    world.pull("BE", "FR")
    say_otherwise(world, "FR", event, "Another thing", ["second.example"])
    world.project("FR")
    world.pull("BE", "FR")
    with world["BE"].store.read() as unit:
        [row] = quarantined(unit.connection)
    assert b"second.example" not in row.raw
    proof = proof_of(row)
    assert proof is not None
    assert proof.refused == row.raw == statement_alone(row.raw)


def test_an_ordinary_refusal_is_no_accusation(world: World) -> None:
    rotate(world, "FR")
    world.post("FR", "Under a key that nobody knows yet")
    world.project("FR")
    world.pull("BE", "FR")
    [one] = list_refusals(world["BE"])
    assert not one.is_equivocation
    assert proof_of(find_refused(world["BE"], one.id)) is None
    assert exchange_state(world["BE"], staff(world)).equivocations == ()
    assert "ALARM" not in at_be(world, "peer", "list")

"""Check 8: what a peer sends is looked through; what shows patient data is put aside."""

from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest
import structlog

from node.actions.caller import Caller
from node.actions.errors import BadInputError, ConflictError, NotAllowedError, NotFoundError
from node.actions.evidence import list_refusals
from node.actions.patients import (
    list_releases,
    patient_data_in,
    release_findings,
    release_refused,
)
from node.storage import audit
from node.storage.quarantine import QuarantineRow, add_quarantine, quarantined
from sharing.event import Draft, Members
from sharing.seal.records import Kind, Record, SlotType
from sharing.slots import cut_event
from sharing.slots_event import record_of
from tests.node.federation.world import World, draft

TEXT = "Screen of the patient Jeanne Sorensen, born 3 April 1961"
WHY = "an invented person of an exercise"


def operator(world: World, name: str) -> Caller:
    return Caller("amelie", world[name].org, world[name].me, "operator")


def rows(world: World, name: str) -> tuple[QuarantineRow, ...]:
    with world[name].store.read() as unit:
        return quarantined(unit.connection)


def test_a_package_with_patient_data_is_put_aside_and_said_where(world: World) -> None:
    event = world.post("FR", TEXT, values=["green.example"])
    good = world.post("FR", "Phishing", values=["good.example"])
    with structlog.testing.capture_logs() as logged:
        world.settle()
    for name in ("BE", "DE", "HUB"):
        (row,) = rows(world, name)
        assert (row.event, row.check) == (event, 8)
        assert row.reason == "patients: info (name); info (birth)"
        assert b"Sorensen" in row.raw  # evidence, as it came
        assert world.log(name, event) is None
        assert "good.example" in world.text(name, good)
        with world[name].store.read() as unit:
            told = str(audit.latest(unit.connection, 100))
        assert "Sorensen" not in told
        assert "1961" not in told
    assert "Sorensen" not in str(logged)


def _said(**attribute: str) -> Callable[..., Draft]:
    """Drafts as others do, with the attributes changed."""

    def changed(*given: Any) -> Draft:
        made = draft(*given)
        parts = tuple(replace(each, **attribute) for each in made.event.attributes)  # type: ignore[arg-type]  # texts
        return replace(made, event=replace(made.event, attributes=parts))

    return changed


def _with_record(kind: Kind, members: Members) -> Callable[..., list[Record]]:
    """Cuts as others do, with one more record."""
    head = {"uuid": "5e1f8a30-7d1c-4b5e-9a2f-6d5c4b3a2f21", **members}
    return lambda *given: [*cut_event(*given), record_of(kind, [(SlotType.HEAD, 0, head)])]


HIDDEN: Mapping[str, tuple[str, Callable[..., object]]] = {
    "type": ("draft", _said(type=TEXT)),
    "value": ("draft", _said(type="vulnerability", value=TEXT)),
    "category": ("draft", _said(category=TEXT)),
    "time": ("draft", _said(first_seen=TEXT)),
    "data": ("draft", _said(type="attachment", data=b64encode(TEXT.encode()).decode())),
    "value of no text": ("cut_event", _with_record(Kind.ATTRIBUTE, {"value": {"x": TEXT}})),
    "record of no reader's kind": ("cut_event", _with_record(Kind.SIGHTING, {"source": TEXT})),
}


@pytest.mark.parametrize("place", HIDDEN)
def test_no_place_in_a_package_hides_a_patient(
    world: World, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        name, instead = HIDDEN[place]
        patch.setattr(f"tests.node.federation.world.{name}", instead)
        event = world.post("FR", "Phishing", values=["green.example"])
    world.settle()
    (row,) = rows(world, "BE")
    assert (row.event, row.check) == (event, 8)
    assert "Sorensen" not in row.reason
    assert world.log("BE", event) is None


def test_what_is_held_stays_where_a_newer_version_is_put_aside(world: World) -> None:
    event = world.post("FR", "Phishing", values=["green.example"])
    world.settle()
    world.edit("FR", event, TEXT, values=["green.example"])
    world.settle()
    assert "Phishing" in world.text("BE", event)
    assert "Sorensen" not in world.text("BE", event)


def test_what_a_delta_appends_is_looked_through_and_what_it_leads_on_from_was(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = world.post("FR", TEXT, values=["one.example"])
    first = world.held("FR", event)
    world.edit("FR", event, TEXT, values=["one.example", "two.example"])
    longer = world.held("FR", event)
    assert first
    assert longer
    assert patient_data_in(world["BE"], longer) == "patients: info (name); info (birth)"
    assert patient_data_in(world["BE"], longer, first) is None
    for n, place in enumerate(("value", "record of no reader's kind")):
        with monkeypatch.context() as patch:
            name, instead = HIDDEN[place]
            patch.setattr(f"tests.node.federation.world.{name}", instead)
            values = ["one.example", "two.example", f"{n}.example"]
            world.edit("FR", event, TEXT, values=values)
        newest = world.held("FR", event)
        assert newest
        assert "Sorensen" not in str(patient_data_in(world["BE"], newest, longer))
        assert patient_data_in(world["BE"], newest, longer)


def test_a_patient_in_what_a_delta_appends_is_put_aside(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = world.post("FR", "Phishing", values=["one.example"])
    world.settle()
    world.edit("FR", event, "Phishing", values=["one.example", "two.example"])
    world.settle()
    assert "two.example" in world.text("BE", event)
    _, cut = HIDDEN["record of no reader's kind"]
    with monkeypatch.context() as patch:
        patch.setattr("tests.node.federation.world.cut_event", cut)
        world.edit("FR", event, "Phishing", values=["one.example", "two.example"])
    world.settle()
    (row,) = rows(world, "BE")
    assert (row.event, row.check) == (event, 8)
    assert "Sorensen" not in world.text("BE", event)


def test_an_operators_release_lets_the_item_in_and_only_there(world: World) -> None:
    event = world.post("FR", TEXT, values=["green.example"])
    world.settle()
    (refusal,) = list_refusals(world["BE"])
    done = release_refused(world["BE"], operator(world, "BE"), refusal.id, WHY)
    assert done.new == 2
    world.settle()
    assert "Sorensen" in world.text("BE", event)
    assert world.log("DE", event) is None
    assert {row.person for row in list_releases(world["BE"], operator(world, "BE"))} == {"amelie"}


def test_a_release_dies_with_the_next_edit(world: World) -> None:
    event = world.post("FR", TEXT, values=["green.example"])
    world.settle()
    (refusal,) = list_refusals(world["BE"])
    release_refused(world["BE"], operator(world, "BE"), refusal.id, WHY)
    world.settle()
    world.edit("FR", event, f"{TEXT}, again", values=["green.example"])
    world.settle()
    assert "again" not in world.text("BE", event)
    assert {row.check for row in rows(world, "BE")} == {8}
    assert len({row.pos for row in rows(world, "BE") if row.src == world["FR"].org}) == 2


def test_a_hospitals_release_does_not_open_the_door_to_peers(world: World) -> None:
    event = world.post("FR", TEXT, values=["green.example"])
    world.settle()
    be = world["BE"]
    (refusal,) = list_refusals(be)
    amelie = operator(world, "BE")
    release_refused(be, amelie, refusal.id, WHY)
    ids = [row.finding for row in list_releases(be, amelie)]
    de, hospital = world["DE"], "3e0d6a52-7a0e-4b9e-9d52-0a5a3f1d9b11"
    claire = Caller("claire", hospital, replace(de.me, org=hospital), "hospital")
    release_findings(de, claire, ids, WHY)
    world.settle()
    assert world.log("DE", event) is None
    assert "Sorensen" in world.text("BE", event)


def test_only_a_person_who_operates_releases_and_only_what_check_8_refused(world: World) -> None:
    world.post("FR", TEXT, values=["green.example"])
    world.settle()
    be, amelie = world["BE"], operator(world, "BE")
    (refusal,) = list_refusals(be)
    machine = replace(amelie, party=replace(amelie.party, kind="machine"))
    for caller in (machine, replace(amelie, role="analyst")):
        with pytest.raises(NotAllowedError):
            release_refused(be, caller, refusal.id, WHY)
    with pytest.raises(BadInputError):
        release_refused(be, amelie, refusal.id, "")
    with pytest.raises(NotFoundError):
        release_refused(be, amelie, refusal.id + 1, WHY)
    (row,) = rows(world, "BE")
    with be.store.write() as unit:
        add_quarantine(unit.connection, replace(row, pos=row.pos + 100, check=5))
        add_quarantine(unit.connection, replace(row, pos=row.pos + 101, raw=b""))
    for number, why in ((1, "check 5 refused it"), (2, "too large")):
        with pytest.raises(ConflictError, match=why):
            release_refused(be, amelie, refusal.id + number, WHY)
    assert list_releases(be, amelie) == ()

"""What a preview shows is what travels: byte for byte, whatever happened to the event before.

Preview, explanation, the package that a peer asks for by its digest, and what the peer keeps after
pulling its feed are held against each other, for every event and peer, after every step.
"""

from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from node.actions.errors import ConflictError, NotFoundError
from node.actions.explain import explain, preview
from node.actions.holds import Slot, list_holds, preview_release, release
from node.actions.people import enrol_org
from node.actions.recall import recall
from node.actions.serve import serve_package
from node.actions.wake import wake_due
from node.storage.people import Org
from policies.label import Label
from policies.tlp import Pap, Tlp
from sharing.event import NOBODY, Audience
from tests.node.federation.ruling import (
    CLINICAL_FREE,
    FINANCE_TO_DE,
    NATIONAL,
    TIGHTER,
    operator,
    put_in_force,
)
from tests.node.federation.world import ORGS, OTHERS, World
from tests.node.nodes import START

FR = ORGS["FR"]
RULES = {"tighter": TIGHTER, "finance": FINANCE_TO_DE, "clinical": CLINICAL_FREE, "first": NATIONAL}


@dataclass(frozen=True)
class Words:
    """What an event says, and how far it may go."""

    info: str
    values: tuple[str, ...]
    label: Label
    audience: Audience


@dataclass(frozen=True)
class Step:
    """Something that happens; `at` chooses the event it happens to."""

    what: str
    at: int
    words: Words


def words() -> st.SearchStrategy[Words]:
    label = st.builds(
        Label,
        tlp=st.sampled_from(Tlp),
        pap=st.sampled_from(Pap),
        categories=st.frozensets(st.sampled_from(["clinical", "finance"]), max_size=2),
        until=st.sampled_from([None, None, START + timedelta(hours=2)]),
        only=st.booleans(),
    )
    named = st.frozensets(st.sampled_from([ORGS[name] for name in OTHERS]), max_size=2)
    return st.builds(
        Words,
        info=st.text("abcé ü", min_size=1, max_size=9),
        values=st.lists(
            st.sampled_from([f"{each}.example" for each in "abcdef"]), max_size=4, unique=True
        ).map(tuple),
        label=label,
        audience=st.one_of(st.just(NOBODY), named.map(Audience)),
    )


def steps() -> st.SearchStrategy[Step]:
    kinds = ["post", "post", "edit", "release", "hours go by", "recall", *RULES]
    return st.builds(Step, st.sampled_from(kinds), st.integers(0, 5), words())


@given(st.lists(steps(), min_size=3, max_size=5))
@settings(
    max_examples=3,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_preview_bytes_equal_wire_bytes(world: World, happens: list[Step]) -> None:
    world.clock.now = max(world.clock.now, START)
    events = [world.post("FR", "first of all", values=["a.example"])]
    for step in happens:
        take(world, events, step)
        compare(world, events)


def take(world: World, events: list[str], step: Step) -> None:
    """Let it happen at the node FR."""
    said, event = step.words, events[step.at % len(events)]
    label, audience = said.label, said.audience
    match step.what:
        case "post":
            events.append(
                world.post("FR", said.info, values=said.values, label=label, audience=audience)
            )
        case "edit" if world.held("FR", event) is not None:
            info = f"{said.info} again {world.clock.now}"
            world.edit("FR", event, info, values=said.values, label=label, audience=audience)
        case "release":
            release_all(world)
        case "hours go by":
            world.clock.turn(hours=1)
        case "recall" if world.held("FR", event) is not None and len(events) > 2:
            recall(world["FR"], operator(world["FR"]), FR, event, "error")
        case rules if rules in RULES:
            with suppress(ConflictError):  # it is in force already
                put_in_force(world["FR"], RULES[rules])
        case _:
            pass
    world.clock.turn(minutes=1)


def release_all(world: World) -> None:
    """Let an operator release what waits, as it was shown to him."""
    node = world["FR"]
    waiting: dict[tuple[str, str], list[Slot]] = {}
    for hold in list_holds(node, operator(node)):
        slot = Slot(hold.record, hold.slot_type, hold.content)
        waiting.setdefault((hold.event, hold.party), []).append(slot)
    for (event, party), slots in waiting.items():
        promised = preview_release(node, operator(node), FR, event, party, slots)
        release(node, operator(node), FR, event, party, slots, "agreed")
        assert wanted(world, event, party) == promised.package


def wanted(world: World, event: str, party: str) -> bytes:
    """What the preview shows; empty where nobody is to be shown anything."""
    node = world["FR"]
    try:
        return preview(node, operator(node), FR, event, party)
    except NotFoundError:
        return b""


def compare(world: World, events: list[str]) -> None:
    """Hold preview, explanation, package and what the peer keeps against each other."""
    node = world["FR"]
    wake_due(node)
    world.project("FR")
    for name in OTHERS:
        assert world.pull(name, "FR").error is None
        for event in events:
            shown = wanted(world, event, ORGS[name])
            held = world.held_from(name, event, "FR")
            assert shown == (b"" if held is None else held.package)
            if held is None:
                continue
            told = explain(node, operator(node), FR, event, ORGS[name])
            assert (told.digest, told.size) == (held.digest, len(shown))
            assert serve_package(node, ORGS[name], held.digest) == shown


@pytest.fixture(autouse=True)
def _staff(world: World) -> None:
    enrol_org(world["FR"], "test", Org(FR, "Node FR", "node", "FR"))


def test_the_end_of_an_embargo_brings_what_the_preview_then_shows(world: World) -> None:
    label = Label(Tlp.GREEN, until=world.clock.now + timedelta(hours=1))
    event = world.post("FR", "later", values=["a.example"], label=label)
    compare(world, [event])
    assert wanted(world, event, ORGS["BE"]) == b""
    world.clock.turn(hours=2)
    compare(world, [event])
    assert b"a.example" in wanted(world, event, ORGS["BE"])

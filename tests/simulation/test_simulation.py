"""The simulation in CI: ten small federations, 40 days each, and two faults that must be noticed."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.simulation.mutants import caught_by
from tests.simulation.run import play
from tests.simulation.stage import folder, make_template
from tests.simulation.story import Scale

SCALE = Scale(nodes=3, days=40, words=0.8, hub_h=120, peer_h=160)


@pytest.fixture(scope="module")
def place() -> Iterator[Path]:
    with folder() as made:
        make_template(made / "template", SCALE.nodes)
        yield made


@pytest.mark.parametrize("seed", range(1, 11))
def test_no_overshare_at_any_step_and_all_hold_what_they_may_at_the_end(
    place: Path, seed: int
) -> None:
    outcome = play(place, seed, SCALE)
    assert outcome.error is None, "\n".join([f"seed {seed}", *outcome.story[-40:]])


def test_the_same_seed_plays_the_same_story(place: Path) -> None:
    scale = Scale(nodes=3, days=6, words=1, hub_h=24, peer_h=24)
    assert play(place, 11, scale).trace == play(place, 11, scale).trace


@pytest.mark.parametrize(
    "name", ["other maps of one epoch are no news", "everybody relays everything"]
)
def test_a_fault_in_the_product_is_noticed(place: Path, name: str) -> None:
    assert caught_by(place, name, range(1, 3), SCALE) is not None

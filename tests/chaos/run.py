"""One run: make the cast, let it storm while sources speak, wait until it is quiet, look."""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import httpx2

from tests.chaos.cast import NAMES, make_cast
from tests.chaos.checks import Checks, refusals, wait_until_quiet
from tests.chaos.crew import Crew
from tests.chaos.proxy import FATES, Weather
from tests.chaos.said import Said
from tests.chaos.storm import Storm
from tests.chaos.writers import Door, Writer

PATIENCE_S = 600.0  # with each step of starting and healing: a busy machine is no fault


@dataclass
class Outcome:
    """What a run came to; `faults` is empty where all holds."""

    counts: Counter[str] = field(default_factory=Counter)
    quiet_s: float = 0.0
    faults: list[str] = field(default_factory=list)

    def line(self) -> str:
        """All counts in one line."""
        fates = ", ".join(f"{self.counts[fate]} {fate}" for fate in FATES)
        return (
            f"{self.counts['acknowledged']} acts acknowledged ({self.counts['events']} events, "
            f"{self.counts['known already']} known already), {self.counts['kills']} kills, "
            f"{self.counts['stops']} stops, {self.counts['connections']} connections: {fates}; "
            f"{self.counts['refusals']} refusals, {self.counts['deliveries']} deliveries checked, "
            f"{self.quiet_s:.0f} s to quiet, {len(self.faults)} faults"
        )


def play(
    folder: Path,
    new_url: Callable[[], str],
    *,
    seed: int,
    seconds: float,
    pause_s: float,
    tell: Callable[[str], None] = print,
) -> Outcome:
    """Play one run in the folder; `pause_s` is how long a source is silent, on average.

    Raises:
        NotQuietError: after the storm the federation does not come to rest.
    """
    cast, outcome, said = make_cast(folder, new_url), Outcome(), Said()
    with ExitStack() as stack:
        crew = stack.enter_context(Crew(cast.posts()))
        weather = stack.enter_context(Weather(cast.targets, seed, hang_s=min(70.0, seconds / 4)))
        doors = [Door(cast, name, timeout=PATIENCE_S) for name in NAMES]
        for door in doors:
            stack.callback(door.close)
        _wait_until_up(doors)
        tell(f"all up; a storm of {seconds:.0f} s, seed {seed}")
        writers = [Writer(cast, name, said, seed=seed, pause_s=pause_s) for name in NAMES]
        _storm(crew, weather, writers, seed=seed, seconds=seconds)
        _wait_until_up(doors)
        tell(f"calm: {said.acts} acts acknowledged")
        outcome.quiet_s = wait_until_quiet(doors, said, PATIENCE_S)
        tell(f"quiet after {outcome.quiet_s:.0f} s")
        checks = Checks(cast, said)
        for door in doors:
            checks.through(door)
        crew.revive(but=set())
    checks.in_bytes()
    outcome.faults = [*crew.faults, *checks.faults]
    outcome.counts = crew.counts + weather.counts
    for writer in writers:
        outcome.counts += writer.counts
    outcome.counts["acknowledged"] = said.acts
    outcome.counts["events"] = len(said.events)
    outcome.counts["deliveries"] = checks.deliveries
    outcome.counts["refusals"] = sum(map(refusals, cast.homes.values()))
    return outcome


def _storm(
    crew: Crew, weather: Weather, writers: Sequence[Writer], *, seed: int, seconds: float
) -> None:
    for writer in writers:
        writer.start()
    weather.storm()
    try:
        Storm(crew, seed, lambda: _check(writers)).rage(seconds)
    finally:
        weather.calm()
        for writer in writers:
            writer.end()
    for writer in writers:
        writer.join(PATIENCE_S)
        assert not writer.is_alive(), f"{writer.name} is not answered, though it is calm"
    _check(writers)


def _check(writers: Sequence[Writer]) -> None:
    for writer in writers:
        assert writer.fault is None, writer.fault


def _wait_until_up(doors: Sequence[Door]) -> None:
    until = time.monotonic() + PATIENCE_S
    for door in doors:
        while not _answers(door):
            assert time.monotonic() < until, f"{door.name} does not come up"
            time.sleep(0.1)


def _answers(door: Door) -> bool:
    try:
        return door.get("/me").is_success
    except httpx2.TransportError:
        return False

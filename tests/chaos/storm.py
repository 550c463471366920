"""Kills and stops nodes at random, for so many seconds. Two of them at a time are left in peace.

Were all hit all the time, none would ever lead: who is killed leads again after its lease of 8 s.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from tests.chaos.crew import Crew

KILL_S = (0.5, 3.0)  # between two kills
DOWN_S = (0.0, 1.0)  # until who was killed is started again
STOP_S = (2.0, 6.0)  # between two stops
SHORT_S, LONG_S = (0.3, 3.0), (9.0, 13.0)  # a long one outlasts the leader's lease of 8 s
LONG_SHARE = 0.25
EYE_S = 15.0
_LOOK_S = 0.05


@dataclass
class Storm:
    """One storm over a crew."""

    crew: Crew
    seed: int
    at_each_look: Callable[[], None]
    down: dict[str, float] = field(default_factory=dict)  # who is down: until when
    frozen: dict[str, float] = field(default_factory=dict)

    def rage(self, seconds: float) -> None:
        """Hit nodes until the time is over; then everybody runs again."""
        chance = Random(f"{self.seed} storm")
        now = time.monotonic()
        ends, next_kill, next_stop, next_eye = now + seconds, now, now + 1, now
        eye = list[str]()
        while now < ends:
            if now >= next_eye:
                eye, next_eye = chance.sample(self.crew.names, 2), now + EYE_S
            if now >= next_kill:
                self._kill(self._one(chance, eye, self.down), now + chance.uniform(*DOWN_S))
                next_kill = now + chance.uniform(*KILL_S)
            if now >= next_stop:
                length = LONG_S if chance.random() < LONG_SHARE else SHORT_S
                self._stop(self._one(chance, eye, self.down | self.frozen), now, *length, chance)
                next_stop = now + chance.uniform(*STOP_S)
            self._heal(now)
            self.crew.revive(but=set(self.down))
            self.at_each_look()
            time.sleep(_LOOK_S)
            now = time.monotonic()
        self._heal(float("inf"))

    def _one(self, chance: Random, eye: list[str], but: dict[str, float]) -> str | None:
        out = [name for name in self.crew.names if name not in eye and name not in but]
        return chance.choice(out) if out else None

    def _kill(self, name: str | None, until: float) -> None:
        if name is not None:
            self.crew.kill(name)
            self.frozen.pop(name, None)
            self.down[name] = until

    def _stop(self, name: str | None, now: float, low: float, high: float, chance: Random) -> None:
        if name is not None:
            self.crew.stop(name)
            self.frozen[name] = now + chance.uniform(low, high)

    def _heal(self, now: float) -> None:
        for name in [one for one, until in self.down.items() if until <= now]:
            del self.down[name]
            self.crew.start(name)
        for name in [one for one, until in self.frozen.items() if until <= now]:
            del self.frozen[name]
            self.crew.go_on(name)

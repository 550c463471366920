"""How benches measure: pieces of work in turns, as CPU time; and, apart from that, peak memory.

In turns, because a machine that others use is faster in one minute than in the next: each round
does all the work that is compared. CPU time, because it counts what others do least.
"""

import gc
import tracemalloc
from collections.abc import Callable, Mapping
from statistics import median
from time import process_time
from typing import TypeVar

_TOLD_APART_S = 0.005

T = TypeVar("T")
Row = dict[str, str | float]


class Spent:
    """The CPU milliseconds of one piece of work, by round."""

    def __init__(self) -> None:
        self._rounds = list[float]()

    def add(self, milliseconds: float) -> None:
        """Take note of one more round."""
        self._rounds.append(milliseconds)

    @property
    def least(self) -> float:
        """The least disturbed round."""
        return min(self._rounds)

    @property
    def median(self) -> float:
        """The round in the middle."""
        return median(self._rounds)


def in_turns(rounds: int, works: Mapping[str, Callable[[], object]]) -> dict[str, Spent]:
    """What each piece of work took; all of them are done once in each round."""
    spent = {name: Spent() for name in works}
    for _ in range(rounds):
        gc.collect()
        for name, work in works.items():
            spent[name].add(_milliseconds(work))
    return spent


def _milliseconds(work: Callable[[], object]) -> float:
    """What it takes once; short work is done again and again, so that a clock can tell."""
    times, took, started = 0, 0.0, process_time()
    while took < _TOLD_APART_S:
        work()
        times, took = times + 1, process_time() - started
    return 1000 * took / times


def peak_bytes(given: Callable[[], T], work: Callable[[T], object]) -> int:
    """The most memory in use at once while `work` is at it, what it is given included.

    Counts what Python allocates. Slows everything down, so never together with a clock.
    """
    gc.collect()
    tracemalloc.start()
    try:
        made = given()
        tracemalloc.reset_peak()
        work(made)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

"""Slows down whoever keeps failing: in memory, so a restart forgives."""

import threading
from dataclasses import dataclass
from datetime import datetime, timedelta

_FORGET = timedelta(minutes=15)
_LONGEST = timedelta(minutes=15)
_ROOM = 10_000


@dataclass(frozen=True, slots=True)
class _Failures:
    count: int
    last_at: datetime


class Throttle:
    """Counts failures by key; past the free ones, each doubles the wait.

    Callers choose keys so that a stranger cannot lock a person out: login and address together, and
    the address alone with more room.
    """

    def __init__(self) -> None:
        self._failures: dict[str, _Failures] = {}
        self._lock = threading.Lock()

    def wait(self, key: str, free: int, now: datetime) -> timedelta:
        """Give how long the next try under `key` must wait; zero: it may go ahead."""
        with self._lock:
            failures = self._failures.get(key)
        if failures is None or failures.count < free or now - failures.last_at > _FORGET:
            return timedelta()
        penalty = min(timedelta(seconds=2 ** min(failures.count - free, 20)), _LONGEST)
        return max(failures.last_at + penalty - now, timedelta())

    def failed(self, key: str, now: datetime) -> None:
        """Count a failure."""
        with self._lock:
            before = self._failures.pop(key, None)
            recent = before.count if before and now - before.last_at <= _FORGET else 0
            self._failures[key] = _Failures(recent + 1, now)
            while len(self._failures) > _ROOM:  # the oldest failure is first
                del self._failures[next(iter(self._failures))]

    def forgive(self, key: str) -> None:
        """Forget the failures under `key`."""
        with self._lock:
            self._failures.pop(key, None)

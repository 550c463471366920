"""The one place that reads the clock: wall time, or the time of an exercise.

Everything above gets `node.clock` (what the node believes the time is: stages, deadlines, labels)
or `node.wall` (freshness of signatures, nonces, sessions, leases: never an exercise's business).
"""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from node.errors import ClockError

Clock = Callable[[], datetime]


def wall_clock() -> datetime:
    """Give the time of this machine, aware, in UTC."""
    return datetime.now(UTC)


class ScenarioClock:
    """The time of an exercise, set by whoever writes its file.

    The file is `{"at": RFC 3339, "wall": seconds since 1970, "rate": 0 or 1}`: at wall time `wall`
    the exercise stood at `at`, and since then it stands still (0) or runs (1). It is read again
    whenever it was replaced, so that all processes of an exercise turn together.
    """

    def __init__(self, path: Path, wall: Clock = wall_clock) -> None:
        self._path = path
        self._wall = wall
        self._seen: tuple[int, int] | None = None
        self._at = self._since = wall()
        self._rate = 0.0
        self()  # a wrong file stops the start, not the first deadline

    def __call__(self) -> datetime:
        """Give the exercise's time now.

        Raises:
            ClockError: the file is gone or does not tell a time.
        """
        try:
            status = self._path.stat()
            if self._seen != (status.st_ino, status.st_mtime_ns):
                self._read()
                self._seen = (status.st_ino, status.st_mtime_ns)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ClockError(f"{self._path}: no scenario clock: {error!r}") from error
        return self._at + (self._wall() - self._since) * self._rate

    def _read(self) -> None:
        told = json.loads(self._path.read_text())
        at = datetime.fromisoformat(told["at"])
        if at.tzinfo is None:
            raise ValueError(f"at {told['at']} has no time zone")
        since, rate = datetime.fromtimestamp(told["wall"], UTC), float(told["rate"])
        self._at, self._since, self._rate = at.astimezone(UTC), since, rate


def set_scenario(path: Path, at: datetime, *, rate: float = 0) -> None:
    """Turn the scenario clock at `path` to `at`, now; readers see the old file or the new one."""
    told = {"at": at.isoformat(), "wall": wall_clock().timestamp(), "rate": rate}
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps(told))
    fresh.replace(path)

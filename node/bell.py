"""A bell inside one process: whoever has news rings, whoever serves it looks at once.

Only a hint. Whoever listens looks by himself as well: no bell is heard in another process.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Bell:
    """Calls back, from whichever thread rings; those called must be quick and must not raise."""

    def __init__(self) -> None:
        self._listeners: dict[int, Callable[[], object]] = {}
        self._lock = threading.Lock()
        self.is_last = False  # this process ends: nobody is to wait any more

    def ring(self) -> None:
        """Tell all who listen now."""
        with self._lock:
            listeners = list(self._listeners.values())
        for listener in listeners:
            listener()

    def ring_out(self) -> None:
        """Tell all that this process ends."""
        self.is_last = True
        self.ring()

    @contextmanager
    def heard(self, listener: Callable[[], object]) -> Iterator[None]:
        """Have `listener` called for as long as the block lasts."""
        with self._lock:
            self._listeners[id(listener)] = listener
        try:
            yield
        finally:
            with self._lock:
                self._listeners.pop(id(listener), None)

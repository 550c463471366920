"""What must outlive the database: kept beside it in the data directory, never in a dump of it.

    given     how often a backup was restored, and the ledger's last line under which anything left
    sealed    one line for each version that was sealed and each recall: event, epoch, seq, reason,
              and the uuids of the attributes that this version takes back

A database that is older than `given` is a backup that was restored: peers know more of us than it
does. `sealed` then says which of our logs went on after the backup (ids and numbers, no content).
"""

import fcntl
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

GIVEN = "given"
SEALED = "sealed"
_VERSION = "-"

Mark = tuple[int, int]  # how often a backup was restored, a line of the ledger
NOTHING_GIVEN = (0, 0)
Sealed = tuple[str, tuple[int, int], str | None, tuple[str, ...]]
"""Event, version, of a recall its reason, the attributes that this version takes back."""


def note_given(data: Path, mark: Mark) -> None:
    """Keep how far the ledger is, before what its last line is about leaves."""
    with _locked(data / GIVEN) as file:
        if _read_mark(os.pread(file, 64, 0)) < mark:
            os.pwrite(file, b"%020d %020d\n" % mark, 0)
            os.fsync(file)


def last_given(data: Path) -> Mark:
    """Give how far the ledger was when something last left."""
    try:
        return _read_mark((data / GIVEN).read_bytes())
    except FileNotFoundError:
        return NOTHING_GIVEN


def _read_mark(text: bytes) -> Mark:
    match text.split():
        case [restored, line]:
            return int(restored), int(line)
        case _:
            return NOTHING_GIVEN


def call_restored(data: Path) -> None:
    """Let the next start find a backup, whatever the database says."""
    restored, _ = last_given(data)
    note_given(data, (restored + 1, 0))


def note_sealed(
    data: Path,
    event: str,
    version: tuple[int, int],
    *,
    recalled: str | None = None,
    taken: Iterable[str] = (),
) -> None:
    """Keep that there is such a version of a log of ours, or a recall of it, before it is written.

    `recalled` is the recall's reason; `taken` are attributes that this version takes back.
    """
    line = " ".join((event, *map(str, version), recalled or _VERSION, *taken))
    with _locked(data / SEALED) as file:
        os.lseek(file, 0, os.SEEK_END)
        os.write(file, f"{line}\n".encode())
        os.fsync(file)


def all_sealed(data: Path) -> Iterator[Sealed]:
    """Give every line, the oldest first; one that was cut off is left out."""
    try:
        lines = (data / SEALED).read_text().splitlines()
    except FileNotFoundError:
        return
    for line in lines:
        match line.split():
            case [event, epoch, seq, word, *taken]:
                reason = None if word == _VERSION else word
                yield event, (int(epoch), int(seq)), reason, tuple(taken)
            case _:
                continue


@contextmanager
def _locked(path: Path) -> Iterator[int]:
    """The file, open for this process alone."""
    file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield file
    finally:
        os.close(file)

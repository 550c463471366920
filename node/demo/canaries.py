"""Looks for strings that must never leave their node: in the files of others, in all log lines.

A node's files are its database, with what its packages hold unpacked, and its logs; so a canary is
found wherever it was kept, whatever way it came.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from node.settings import load_settings
from node.storage.logs import every_package
from node.storage.store import open_store

LOG = "serve.log"


def find_canaries(
    homes: Mapping[str, Path], canaries: Mapping[str, Sequence[str]]
) -> Iterator[str]:
    """Yield one sentence for each canary found where it must not be.

    `homes` gives each node's data directory, `canaries` by owner the strings that are its alone.
    """
    for key, home in homes.items():
        foreign = [text for owner, texts in canaries.items() if owner != key for text in texts]
        yield from _search(key, _places(home), foreign)
        log = home / LOG
        yield from _search(
            key, [(LOG, log.read_bytes())] if log.exists() else [], canaries.get(key, ())
        )


def _search(
    key: str, places: Iterator[tuple[str, bytes]] | list[tuple[str, bytes]], texts: Sequence[str]
) -> Iterator[str]:
    needles = [(text, text.encode()) for text in texts]
    for place, data in places:
        for text, needle in needles:
            if needle in data:
                yield f"{text!r} is at {key}, in {place}"


def _places(home: Path) -> Iterator[tuple[str, bytes]]:
    for path in sorted(home.rglob("*")):
        if path.is_file():
            yield path.name, path.read_bytes()
    store = open_store(load_settings(home).database)
    try:
        with store.read() as unit:
            for origin, event, package in every_package(unit.connection):
                yield f"the package of {origin}/{event}", package
    finally:
        store.close()

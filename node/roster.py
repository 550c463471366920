"""The roster file: the members of the federation and their keys, as this node's operator has them.

Unsigned: whoever may write the file vouches for it. Who stands in it was accepted here; the signed
roster (`node.actions.roster`) then keeps their entries up to date in the same file, as far as each
member's own keys allow. A running node reads it anew when it changes, keys and peers, so that a
revocation bites at once.
"""

import fcntl
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, overload

import structlog

from federation.errors import FederationError
from federation.members import as_it_counts
from federation.peer import Peer, party_of, peers_of
from node.errors import SettingsError
from node.keys import NodeKeys
from node.settings import Settings
from node.tls import own_pins
from sharing.errors import SharingError
from sharing.seal.keys import KeyRegistry
from sharing.seal.strictjson import read_object

Entry = Mapping[str, object]
KeyEntry = dict[str, object]
_log = structlog.get_logger(__name__)


class RosterFile:
    """The members as their file has them now."""

    def __init__(self, path: Path) -> None:
        """Read the file.

        Raises:
            SettingsError: there is no such file, or it is no roster.
        """
        self._path = path
        self._stamp = _stamp(path)
        self._registry = read_roster(path)

    def __call__(self) -> KeyRegistry:
        """Give the members; where the file is no roster any more, those it held last."""
        stamp = _stamp(self._path)
        if stamp != self._stamp:
            self._stamp = stamp
            try:
                registry = read_roster(self._path)
                peers_of(registry, "")
                for member in registry.members.values():
                    party_of(member)
            except (SettingsError, FederationError) as error:
                _log.exception("roster not taken up; what it held before counts", why=str(error))
            else:
                self._registry = registry
                _log.info("roster read anew", members=len(registry.members))
        return self._registry


class LivePeers(Sequence[Peer]):
    """The peers that a roster has now; whoever goes over them keeps to one moment."""

    def __init__(self, roster: Callable[[], KeyRegistry], me: str) -> None:
        self._roster, self._me = roster, me
        self._kept: tuple[KeyRegistry, tuple[Peer, ...]] | None = None

    def __iter__(self) -> Iterator[Peer]:
        """Go over the peers of this moment."""
        return iter(self._now())

    def __len__(self) -> int:
        """Count them."""
        return len(self._now())

    @overload
    def __getitem__(self, at: int) -> Peer: ...

    @overload
    def __getitem__(self, at: slice) -> Sequence[Peer]: ...

    def __getitem__(self, at: int | slice) -> Peer | Sequence[Peer]:
        """Give one, in the order of their ids."""
        return self._now()[at]

    def _now(self) -> tuple[Peer, ...]:
        registry, kept = self._roster(), self._kept
        if kept is None or kept[0] is not registry:
            kept = self._kept = registry, peers_of(registry, self._me)
        return kept[1]


def read_roster(path: Path) -> KeyRegistry:
    """Read the members of the federation and their keys, as they count.

    Raises:
        SettingsError: there is no such file, or it is no roster.
    """
    try:
        return _registry(read_object(path.read_bytes()))
    except OSError as error:
        raise SettingsError(f"roster {path}: {error.strerror}") from error
    except SharingError as error:
        raise SettingsError(f"{path}: {error}") from error


def own_entry(settings: Settings, keys: NodeKeys) -> dict[str, object]:
    """Give this node as a member, for the rosters of others: facts, keys in use, to come, retired.

    What our own roster says of our keys counts; a retired one stays, for what it signed.
    """
    listed = keys_of(settings.roster_file, settings.org)
    known = {key["kid"] for key in listed}
    return {
        "org": settings.org,
        "name": settings.name,
        "role": "hub" if settings.role == "hub" else "node",
        "country": settings.country,
        "communities": [],
        "base_urls": [settings.base_url],
        "tls_pins": own_pins(settings),
        "keys": [*listed, *(key for key in keys.roster_keys() if key["kid"] not in known)],
    }


def keys_of(path: Path, org: str) -> list[KeyEntry]:
    """Give the key entries of a member as the roster at `path` has them; none where it has not.

    Raises:
        SettingsError: it is no roster.
    """
    if not path.exists():
        return []
    read_roster(path)
    members = json.loads(path.read_bytes())["members"]
    return [dict(key) for entry in members if entry["org"] == org for key in entry["keys"]]


def entries_of(path: Path) -> dict[str, Entry]:
    """Give the members' entries as the roster at `path` has them, by organisation.

    Raises:
        SettingsError: it is no roster.
    """
    return {entry["org"]: entry for entry in _read(path)["members"]}


def put_keys(path: Path, org: str, keys: Sequence[KeyEntry]) -> None:
    """Write the key entries of a member that is in the roster at `path`.

    Raises:
        SettingsError: it holds no such member, or would be no roster; the file stays as it was.
    """

    def change(members: Mapping[str, Entry]) -> list[Entry]:
        if org not in members:
            raise SettingsError(f"roster {path}: no member {org}")
        return [{**members[org], "keys": [*keys]}]

    read_roster(path)
    change_members(path, change)


def put_members(path: Path, entries: Sequence[Entry]) -> None:
    """Add members to the roster at `path`, or replace those of the same organisations.

    Raises:
        SettingsError: the result would be no roster; the file stays as it was.
    """
    change_members(path, lambda _: entries)


def change_members(path: Path, change: Callable[[Mapping[str, Entry]], Iterable[Entry]]) -> None:
    """Write the entries that `change` makes of those there are; nobody else writes meanwhile.

    Raises:
        SettingsError: the result would be no roster; the file stays as it was.
    """
    with _alone(path):
        roster = _read(path) if path.exists() else {"members": []}
        members = {entry["org"]: entry for entry in roster["members"]}
        fresh = members | {str(entry.get("org")): entry for entry in change(members)}
        if fresh == members and path.exists():
            return
        text = json.dumps({**roster, "members": [*fresh.values()]}, indent=1, ensure_ascii=False)
        try:
            _registry(read_object(text.encode()))
        except SharingError as error:
            raise SettingsError(f"roster {path}: {error}") from error
        new = path.with_name(f"{path.name}.{os.getpid()}")
        new.write_text(text)
        new.replace(path)


def _read(path: Path) -> dict[str, list[dict[str, Any]]]:
    read_roster(path)
    roster: dict[str, list[dict[str, Any]]] = json.loads(path.read_bytes())
    return roster


def _registry(roster: Mapping[str, object]) -> KeyRegistry:
    members = roster.get("members")
    if isinstance(members, list):
        counted = [as_it_counts(one) if isinstance(one, dict) else one for one in members]
        roster = {**roster, "members": counted}
    return KeyRegistry.read(roster)


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Hold off every other process and thread that would change the file."""
    with path.with_name(f"{path.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _stamp(path: Path) -> tuple[int, int, int] | None:
    """Give what changes with the file; None where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return (found.st_mtime_ns, found.st_ino, found.st_size)

"""The roster file: the members of the federation and their keys, kept by this node's operator.

Unsigned: whoever may write the file vouches for it. A running node reads keys anew when the file
changes, so that a revocation bites at once; a new member is exchanged with after a restart.
"""

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import structlog

from federation.errors import FederationError
from federation.peer import party_of
from node.errors import SettingsError
from node.keys import NodeKeys
from node.settings import Settings
from sharing.errors import SharingError
from sharing.seal.keys import KeyRegistry

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
                for member in registry.members.values():
                    party_of(member)
            except (SettingsError, FederationError) as error:
                _log.exception("roster not taken up; what it held before counts", why=str(error))
            else:
                self._registry = registry
                _log.info("roster read anew", members=len(registry.members))
        return self._registry


def read_roster(path: Path) -> KeyRegistry:
    """Read the members of the federation and their keys.

    Raises:
        SettingsError: there is no such file, or it is no roster.
    """
    try:
        return KeyRegistry.read(path.read_bytes())
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


def put_keys(path: Path, org: str, keys: Sequence[KeyEntry]) -> None:
    """Write the key entries of a member that is in the roster at `path`.

    Raises:
        SettingsError: it holds no such member, or would be no roster; the file stays as it was.
    """
    if org not in read_roster(path).members:
        raise SettingsError(f"roster {path}: no member {org}")
    members = json.loads(path.read_bytes())["members"]
    (entry,) = (one for one in members if one["org"] == org)
    put_members(path, [{**entry, "keys": [*keys]}])


def put_members(path: Path, entries: Sequence[Entry]) -> None:
    """Add members to the roster at `path`, or replace those of the same organisations.

    Raises:
        SettingsError: the result would be no roster; the file stays as it was.
    """
    try:
        kept = json.loads(path.read_bytes())["members"] if path.exists() else []
        fresh = {entry["org"]: entry for entry in [*kept, *entries]}
        text = json.dumps({"members": list(fresh.values())}, indent=1, ensure_ascii=False)
        KeyRegistry.read(text.encode())
    except (ValueError, KeyError, TypeError, SharingError) as error:
        raise SettingsError(f"roster {path}: {error}") from error
    new = path.with_name(f"{path.name}.{os.getpid()}")
    new.write_text(text)
    new.replace(path)


def _stamp(path: Path) -> tuple[int, int, int] | None:
    """Give what changes with the file; None where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return (found.st_mtime_ns, found.st_ino, found.st_size)

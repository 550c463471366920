"""The roster file: the members of the federation and their keys, kept by this node's operator.

Unsigned: whoever may write the file vouches for it. A new member counts after a restart.
"""

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from node.errors import SettingsError
from node.keys import NodeKeys
from node.settings import Settings
from sharing.errors import SharingError
from sharing.seal.keys import KeyRegistry

Entry = Mapping[str, object]


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
    """Give this node as a member, for the rosters of others: facts and public keys."""
    return {
        "org": settings.org,
        "name": settings.name,
        "role": "hub" if settings.role == "hub" else "node",
        "country": settings.country,
        "communities": [],
        "base_urls": [settings.base_url],
        "keys": keys.roster_keys(),
    }


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

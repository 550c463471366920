"""Makes a node: settings, keys, a roster that holds it, its database, its own organisation.

What is there already stays, so that an interrupted start can be repeated.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

from node.errors import SettingsError
from node.keys import make_keys
from node.node import Node, open_node
from node.roster import keys_of, own_entry, put_members
from node.settings import FILE, Settings, load_settings
from node.storage import audit, people
from node.storage.people import Org


@dataclass(frozen=True, slots=True)
class NewNode:
    """What must be chosen; an empty `org` gets a new uuid; `more` are further settings."""

    org: str
    name: str
    country: str
    role: str
    base_url: str
    more: Mapping[str, str | float | list[str]] = field(default_factory=dict)


def init_node(data: Path, chosen: NewNode) -> Node:
    """Make the node in the directory `data` and open it.

    Raises:
        SettingsError: a choice cannot be, or the directory holds another organisation's node.
    """
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    settings = _write_settings(data, chosen)
    keys = make_keys(data, settings.suite)
    if {key["kid"] for key in keys.roster_keys()} - _listed(settings):
        put_members(settings.roster_file, [own_entry(settings, keys)])
    node = open_node(settings)
    with node.store.write() as unit:
        if people.find_org(unit.connection, node.org) is None:
            kind = "hub" if node.is_hub else "node"
            ours = Org(node.org, settings.name, kind, settings.country)
            people.put_org(unit.connection, ours)
            audit.append(unit.connection, node.clock(), "init", "node.init")
    return node


def _listed(settings: Settings) -> set[object]:
    return {key["kid"] for key in keys_of(settings.roster_file, settings.org)}


def _write_settings(data: Path, chosen: NewNode) -> Settings:
    path = data / FILE
    if path.exists():
        there = load_settings(data)
        if chosen.org not in {"", there.org}:
            raise SettingsError(f"{data} holds the node of {there.name} ({there.org})")
        return there
    facts = {
        "org": chosen.org or str(uuid4()),
        "name": chosen.name,
        "country": chosen.country,
        "role": chosen.role,
        "base_url": chosen.base_url,
        **chosen.more,
    }
    # A JSON string, number or list of strings is TOML as well.
    lines = [f"{name} = {json.dumps(value, ensure_ascii=False)}\n" for name, value in facts.items()]
    path.write_text("".join(lines))
    try:
        return load_settings(data)
    except SettingsError:
        path.unlink()
        raise

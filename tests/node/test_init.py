import json
import stat
from pathlib import Path

import pytest

from node.actions.init import NewNode, init_node
from node.errors import SettingsError
from node.node import open_node
from node.roster import own_entry, put_members, read_roster
from node.storage import people
from tests.node.nodes import ORG, HandClock, make_node

OTHER = "c9e4d1c2-5d2e-4a53-8f44-3a7c8f1b2d10"


def chosen(org: str = ORG, **more: str | float | list[str]) -> NewNode:
    return NewNode(org, "Node FR", "FR", "national", "http://127.0.0.1:8080", more)


def test_a_new_node_stands_alone(tmp_path: Path) -> None:
    node = init_node(tmp_path / "fr", chosen())
    assert (node.org, node.me.kind, sorted(node.me.roles)) == (ORG, "node", ["community", "member"])
    assert tuple(node.peers) == ()
    assert node.signers[0].kid in node.registry.keys
    assert stat.S_IMODE((tmp_path / "fr").stat().st_mode) == 0o700
    with node.store.read() as unit:
        assert [org.kind for org in people.list_orgs(unit.connection)] == ["node"]
    node.close()


def test_making_it_again_changes_nothing(tmp_path: Path) -> None:
    init_node(tmp_path, chosen()).close()
    files = [path for path in tmp_path.rglob("*") if path.is_file() and path.suffix != ".db"]
    before = [path.read_bytes() for path in files]
    node = init_node(tmp_path, chosen(""))
    assert [path.read_bytes() for path in files] == before
    assert node.org == ORG
    node.close()


def test_a_directory_holds_one_node(tmp_path: Path) -> None:
    init_node(tmp_path, chosen()).close()
    with pytest.raises(SettingsError, match="holds the node of Node FR"):
        init_node(tmp_path, chosen(OTHER))


def test_a_wrong_choice_leaves_no_settings_behind(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="port"):
        init_node(tmp_path, chosen(port=0))
    assert not (tmp_path / "node.toml").exists()


def test_settings_survive_hostile_names(tmp_path: Path) -> None:
    name = 'Node "FR" \\ \u2028 = [x]\t'
    node = init_node(tmp_path, NewNode("", name, "FR", "national", "http://127.0.0.1:1", {}))
    assert node.settings.name == name
    node.close()


def test_two_nodes_become_peers_by_exchanging_entries(tmp_path: Path) -> None:
    here = make_node(tmp_path / "here", HandClock())
    there = init_node(tmp_path / "there", chosen(OTHER))
    entry = own_entry(there.settings, there.keys)
    put_members(here.settings.roster_file, [entry])
    put_members(here.settings.roster_file, [entry])
    here.close()
    there.close()
    reopened = make_node(tmp_path / "here", HandClock())
    assert [peer.org for peer in reopened.peers] == [OTHER]
    party = reopened.member_party(OTHER)
    assert party is not None
    assert party.kind == "node"
    assert reopened.member_party("nobody") is None
    reopened.close()


def test_an_entry_that_is_none_leaves_the_roster_as_it_was(tmp_path: Path) -> None:
    node = make_node(tmp_path, HandClock())
    path = node.settings.roster_file
    before = path.read_bytes()
    with pytest.raises(SettingsError, match=r"roster\.json"):
        put_members(path, [{"org": "x", "keys": []}])
    with pytest.raises(SettingsError, match=r"roster\.json"):
        put_members(path, [{"keys": []}])
    assert path.read_bytes() == before
    node.close()


def test_a_roster_without_this_node_stops_the_start(tmp_path: Path) -> None:
    node = make_node(tmp_path, HandClock())
    node.close()
    node.settings.roster_file.write_text(json.dumps({"members": []}))
    assert read_roster(node.settings.roster_file).members == {}
    with pytest.raises(SettingsError, match="no member"):
        open_node(node.settings)
    node.settings.roster_file.write_text("[]")
    with pytest.raises(SettingsError, match="roster"):
        open_node(node.settings)
    node.settings.roster_file.unlink()
    with pytest.raises(SettingsError, match="No such file"):
        open_node(node.settings)

"""`isac keys` from the shell: what an operator types when keys come and go."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from node.cli import app
from node.commands.shown import opened
from tests.node.nodes import ORG


class Node:
    """Runs commands on one data directory."""

    def __init__(self, data: Path, country: str, *more: str) -> None:
        self.data = data
        named = ("--name", f"Node {country}", "--country", country)
        self("init", *named, *more)

    def __call__(self, *arguments: str) -> str:
        done = CliRunner().invoke(app, [*arguments, "--data", str(self.data)])
        if done.exception:
            raise done.exception
        return done.stdout

    def keys(self) -> dict[str, tuple[str, str]]:
        """Algorithm and state of each seal key, by id."""
        rows = [line.strip().split(maxsplit=3) for line in self("keys", "list").splitlines()[1:]]
        return {kid: (alg, state) for kid, use, alg, state in rows if use == "seal"}


@pytest.fixture
def fr(tmp_path: Path) -> Node:
    return Node(tmp_path / "fr", "FR", "--org", ORG)


@pytest.fixture
def be(tmp_path: Path) -> Node:
    return Node(tmp_path / "be", "BE")


def accept(at: Node, of: Node) -> str:
    entry = at.data / "entry.json"
    entry.write_text(of("peer", "show"))
    return at("peer", "accept", str(entry))


def test_a_node_is_made_with_the_suite_it_asks_for(tmp_path: Path) -> None:
    node = Node(tmp_path / "de", "DE", "--suite", "ed25519+ml-dsa-65")
    assert [alg for alg, _ in node.keys().values()] == ["ed25519", "ml-dsa-65"]
    assert "FAIL" not in node("doctor")
    with opened(node.data) as opened_node:
        assert [signer.kid for signer in opened_node.signers] == [*node.keys()]


def test_a_suite_that_there_is_not_makes_no_node(tmp_path: Path) -> None:
    with pytest.raises(Exception, match="setting suite"):
        Node(tmp_path / "de", "DE", "--suite", "rsa")


def test_a_changed_suite_is_told_to_need_its_key_and_gets_it(fr: Node) -> None:
    settings = fr.data / "node.toml"
    settings.write_text(settings.read_text().replace('"ed25519"', '"ed25519+ml-dsa-65"'))
    with pytest.raises(Exception, match=r"seal-ml-dsa-65\.pem: .*`isac keys rotate` makes it"):
        fr("peer", "list")
    fr("keys", "rotate")
    assert [kind for kind, state in fr.keys().values() if state == "in use"] == [
        "ed25519",
        "ml-dsa-65",
    ]
    assert "FAIL" not in fr("doctor")


def test_a_key_goes_from_to_come_to_in_use_to_retired(fr: Node, be: Node) -> None:
    [first] = fr.keys()
    assert "isac peer show" in fr("keys", "prepare")
    (second,) = fr.keys().keys() - {first}
    assert fr.keys() == {first: ("ed25519", "in use"), second: ("ed25519", "to come")}
    assert second in accept(be, fr)
    told = fr("keys", "rotate")
    assert f"in use: {second}" in told
    assert f"retired: {first}" in told
    assert "restart" in told
    assert fr.keys()[second] == ("ed25519", "in use")
    assert fr.keys()[first][1].startswith("retired 20")
    assert "FAIL" not in fr("doctor")
    assert "FAIL" not in be("doctor")


def test_the_transport_key_turns_by_itself(fr: Node) -> None:
    before = fr.keys()
    [kid] = [line.split()[0] for line in fr("keys", "list").splitlines() if "transport" in line]
    assert f"retired: {kid}" in fr("keys", "rotate", "--use", "transport")
    assert fr.keys() == before
    with pytest.raises(Exception, match="--use x: seal or transport"):
        fr("keys", "rotate", "--use", "x")


def test_a_stolen_key_is_revoked_here_and_the_peer_hears_of_it(fr: Node, be: Node) -> None:
    accept(be, fr)
    [stolen] = fr.keys()
    fr("keys", "rotate")
    since = "2026-01-27T06:40:00Z"
    revoke = ("keys", "revoke", "--key", stolen, "--reason", "stolen", "--compromised-since")
    with pytest.raises(Exception, match="not RFC 3339"):
        fr(*revoke, "yesterday")
    told = fr(*revoke, since)
    assert "goes into quarantine" in told
    assert "isac peer show" in told
    assert "isac keys reseal" in told
    assert "sealed anew: 0 logs" in fr("keys", "reseal")
    assert fr.keys()[stolen] == ("ed25519", f"compromised since {since}")
    accept(be, fr)
    members = json.loads((be.data / "roster.json").read_text())["members"]
    (entry,) = (one for one in members if one["org"] == ORG)
    (key,) = (one for one in entry["keys"] if one["kid"] == stolen)
    assert (key["compromised_since"], key["reason"]) == (since, "stolen")

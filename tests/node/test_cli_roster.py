"""`isac root` and `isac roster` from the shell: a ceremony, a hub, and who is listed."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from federation.errors import BadTrustError
from node.actions.errors import BadInputError
from node.cli import app
from node.errors import KeyFileError, SettingsError

HUB = "1a6f1f3e-0004-4000-8000-0000000e0004"
ES = "1a6f1f3e-0005-4000-8000-00000000e505"


def isac(*arguments: object) -> str:
    done = CliRunner().invoke(app, [str(each) for each in arguments])
    if done.exception:
        raise done.exception
    return done.stdout


@pytest.fixture
def hub(tmp_path: Path) -> Path:
    data = tmp_path / "hub"
    isac(
        *("init", "--data", data, "--name", "Hub", "--country", "EU", "--org", HUB),
        *("--role", "hub", "--base-url", "https://hub.example.org"),
    )
    return data


@pytest.fixture
def keys(tmp_path: Path) -> list[Path]:
    """Three offline keys, the first behind a passphrase."""
    words = tmp_path / "words"
    words.write_text("correct horse battery staple\n")
    words.chmod(0o600)
    paths = [tmp_path / name for name in ("one.pem", "two.pem", "three.pem")]
    isac("root", "key", "--out", paths[0], "--passphrase-file", words)
    for path in paths[1:]:
        isac("root", "key", "--out", path)
    return paths


def made_root(tmp_path: Path, hub: Path, keys: list[Path]) -> Path:
    online, root = tmp_path / "online.pub", tmp_path / "root.json"
    isac("roster", "online", "--data", hub, "--out", online)
    listed = [part for path in keys for part in ("--key", f"{path}.pub")]
    isac("root", "init", "--out", root, "--threshold", 2, *listed, "--online", online)
    return root


def fingerprint(root: Path) -> str:
    line = isac("root", "show", root).splitlines()[1]
    return line.removeprefix("fingerprint ")


def test_a_ceremony_makes_a_root_that_the_hub_trusts_and_publishes_by(
    tmp_path: Path, hub: Path, keys: list[Path]
) -> None:
    root = made_root(tmp_path, hub, keys)
    assert "no root is trusted here" in isac("roster", "status", "--data", hub)
    isac("root", "sign", root, "--key", keys[1])
    assert "1 of its own keys have signed, 2 are needed" in isac("root", "show", root)
    with pytest.raises(BadTrustError, match="threshold"):
        isac("roster", "trust", root, "--data", hub, "--fingerprint", fingerprint(root))
    isac("root", "sign", root, "--key", keys[0], "--passphrase-file", tmp_path / "words")
    with pytest.raises(BadInputError, match="fingerprint"):
        isac("roster", "trust", root, "--data", hub)
    isac("roster", "trust", root, "--data", hub, "--fingerprint", fingerprint(root))
    assert "published roster 1" in isac("roster", "publish", "--data", hub)
    assert "nothing to publish" in isac("roster", "publish", "--data", hub)
    status = isac("roster", "status", "--data", hub)
    assert "root 1, 2 of 3" in status
    assert "roster 1, 1 members" in status
    assert "state: fresh" in status
    assert "lists anybody else" in isac("roster", "show", "--data", hub)


def test_the_next_root_keeps_what_is_not_given(tmp_path: Path, hub: Path, keys: list[Path]) -> None:
    root, second = made_root(tmp_path, hub, keys), tmp_path / "root2.json"
    isac("root", "next", root, "--out", second, "--threshold", 3)
    told = isac("root", "show", second)
    assert "root 2" in told
    assert told.count("has not signed") == 3
    assert "0 of its own keys have signed, 3 are needed" in told
    with pytest.raises(SettingsError, match="is there already"):
        isac("root", "next", root, "--out", second)


def test_offline_keys_are_for_their_owner_alone(
    tmp_path: Path, hub: Path, keys: list[Path]
) -> None:
    assert {path.stat().st_mode & 0o777 for path in keys} == {0o600}
    assert b"ENCRYPTED" in keys[0].read_bytes()
    assert set(json.loads(Path(f"{keys[0]}.pub").read_bytes())) == {"kid", "alg", "spki"}
    root = made_root(tmp_path, hub, keys)
    before = root.read_bytes()
    with pytest.raises(KeyFileError, match="passphrase"):
        isac("root", "sign", root, "--key", keys[0])
    keys[1].chmod(0o644)
    with pytest.raises(KeyFileError, match="lets others in"):
        isac("root", "sign", root, "--key", keys[1])
    assert root.read_bytes() == before
    with pytest.raises(SettingsError, match="is there already"):
        isac("root", "key", "--out", keys[1])


def test_a_token_is_printed_for_one_organisation(
    tmp_path: Path, hub: Path, keys: list[Path]
) -> None:
    root = made_root(tmp_path, hub, keys)
    for path in keys[1:]:
        isac("root", "sign", root, "--key", path)
    isac("roster", "trust", root, "--data", hub, "--fingerprint", fingerprint(root))
    isac("roster", "publish", "--data", hub)
    for login in ("anna", "ben"):
        isac("person", "add", login, "--role", "operator", "--data", hub)
    with pytest.raises(BadInputError, match="in whose name"):
        isac("roster", "invite", "--org", ES, "--data", hub)
    token = isac("roster", "invite", "--org", ES, "--data", hub, "--as", "anna").splitlines()[0]
    assert token.startswith("isac-join.")
    assert token.endswith(fingerprint(root).replace(" ", ""))
    assert "nobody waits" in isac("roster", "waiting", "--data", hub)

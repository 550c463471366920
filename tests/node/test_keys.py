from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from node.errors import KeyFileError
from node.keys import make_keys, read_keys

FILES = (
    "keys/seal.pem",
    "keys/transport.pem",
    "keys/cursor.key",
    "keys/pseudonym.key",
    "incarnation",
)


def public(data: Path) -> list[dict[str, str]]:
    return read_keys(data).roster_keys()


def test_keys_are_made_once(tmp_path: Path) -> None:
    made = make_keys(tmp_path).roster_keys()
    assert make_keys(tmp_path).roster_keys() == made == public(tmp_path)
    assert [key["use"] for key in made] == ["seal", "transport"]
    assert made[0]["spki"] != made[1]["spki"]


def test_only_what_is_missing_is_made(tmp_path: Path) -> None:
    first = make_keys(tmp_path)
    (tmp_path / "incarnation").unlink()
    second = make_keys(tmp_path)
    assert second.incarnation != first.incarnation
    assert second.roster_keys() == first.roster_keys()
    assert second.cursor == first.cursor


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_key_that_others_may_read_is_refused_by_name(
    tmp_path: Path, name: str, mode: int
) -> None:
    make_keys(tmp_path)
    (tmp_path / name).chmod(mode)
    with pytest.raises(KeyFileError, match=f"{name}: mode {mode:04o}"):
        read_keys(tmp_path)


@pytest.mark.parametrize("name", FILES)
def test_a_missing_key_is_named(tmp_path: Path, name: str) -> None:
    make_keys(tmp_path)
    (tmp_path / name).unlink()
    with pytest.raises(KeyFileError, match=name):
        read_keys(tmp_path)


def test_a_key_of_another_kind_is_refused(tmp_path: Path) -> None:
    make_keys(tmp_path)
    other = generate_private_key(SECP256R1())
    pem = other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / "keys/seal.pem").write_bytes(pem)
    with pytest.raises(KeyFileError, match=r"seal\.pem: not an Ed25519 key"):
        read_keys(tmp_path)


@pytest.mark.parametrize("name", ["keys/seal.pem", "keys/cursor.key"])
def test_a_damaged_key_is_refused(tmp_path: Path, name: str) -> None:
    make_keys(tmp_path)
    (tmp_path / name).write_bytes(b"not a key")
    with pytest.raises(KeyFileError, match=name):
        read_keys(tmp_path)


def test_no_secret_shows_in_the_repr(tmp_path: Path) -> None:
    keys = make_keys(tmp_path)
    assert repr(keys) == f"NodeKeys(incarnation='{keys.incarnation}')"

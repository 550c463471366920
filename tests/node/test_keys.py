from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from node.errors import KeyFileError
from node.keys import (
    make_keys,
    make_later_secrets,
    make_next_keys,
    put_next_keys,
    read_keys,
)
from node.settings import Suite
from sharing.seal.keys import Use

ED25519: Suite = "ed25519"
HYBRID: Suite = "ed25519+ml-dsa-65"

FILES = (
    "keys/seal.pem",
    "keys/transport.pem",
    "keys/cursor.key",
    "keys/pseudonym.key",
    "keys/patients.key",
    "incarnation",
)


def public(data: Path) -> list[dict[str, str]]:
    return read_keys(data, ED25519).roster_keys()


def test_keys_are_made_once(tmp_path: Path) -> None:
    made = make_keys(tmp_path, ED25519).roster_keys()
    assert make_keys(tmp_path, ED25519).roster_keys() == made == public(tmp_path)
    assert [key["use"] for key in made] == ["seal", "transport"]
    assert made[0]["spki"] != made[1]["spki"]


def test_only_what_is_missing_is_made(tmp_path: Path) -> None:
    first = make_keys(tmp_path, ED25519)
    (tmp_path / "incarnation").unlink()
    second = make_keys(tmp_path, ED25519)
    assert second.incarnation != first.incarnation
    assert second.roster_keys() == first.roster_keys()
    assert second.cursor == first.cursor


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_key_that_others_may_read_is_refused_by_name(
    tmp_path: Path, name: str, mode: int
) -> None:
    make_keys(tmp_path, ED25519)
    (tmp_path / name).chmod(mode)
    with pytest.raises(KeyFileError, match=f"{name}: mode {mode:04o}"):
        read_keys(tmp_path, ED25519)


@pytest.mark.parametrize("name", FILES)
def test_a_missing_key_is_named(tmp_path: Path, name: str) -> None:
    make_keys(tmp_path, ED25519)
    (tmp_path / name).unlink()
    with pytest.raises(KeyFileError, match=name):
        read_keys(tmp_path, ED25519)


def test_a_node_made_before_a_secret_was_needed_gets_it_at_its_next_start(tmp_path: Path) -> None:
    first = make_keys(tmp_path, ED25519)
    (tmp_path / "keys/patients.key").unlink()
    with pytest.raises(KeyFileError, match="the next start makes it"):
        read_keys(tmp_path, ED25519)
    make_later_secrets(tmp_path)
    second = read_keys(tmp_path, ED25519)
    assert second.patients != first.patients
    assert (second.cursor, second.pseudonym) == (first.cursor, first.pseudonym)
    make_later_secrets(tmp_path)
    assert read_keys(tmp_path, ED25519).patients == second.patients


def test_a_folder_that_is_no_nodes_is_left_alone(tmp_path: Path) -> None:
    make_later_secrets(tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_key_of_another_kind_is_refused(tmp_path: Path) -> None:
    make_keys(tmp_path, ED25519)
    other = generate_private_key(SECP256R1())
    pem = other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / "keys/seal.pem").write_bytes(pem)
    with pytest.raises(KeyFileError, match=r"seal\.pem: not an ed25519 key"):
        read_keys(tmp_path, ED25519)


@pytest.mark.parametrize("name", ["keys/seal.pem", "keys/cursor.key"])
def test_a_damaged_key_is_refused(tmp_path: Path, name: str) -> None:
    make_keys(tmp_path, ED25519)
    (tmp_path / name).write_bytes(b"not a key")
    with pytest.raises(KeyFileError, match=name):
        read_keys(tmp_path, ED25519)


def test_no_secret_shows_in_the_repr(tmp_path: Path) -> None:
    keys = make_keys(tmp_path, ED25519)
    assert repr(keys) == f"NodeKeys(incarnation='{keys.incarnation}')"


# ── Two keys, both of which must hold ────────────────────────────────────────────────────────────


def test_the_hybrid_suite_has_a_second_seal_key(tmp_path: Path) -> None:
    made = make_keys(tmp_path, HYBRID).roster_keys()
    told = [(key["use"], key["alg"]) for key in made]
    assert told == [("seal", "ed25519"), ("seal", "ml-dsa-65"), ("transport", "ed25519")]
    assert read_keys(tmp_path, HYBRID).roster_keys() == made


def test_a_node_that_turns_hybrid_keeps_its_first_key(tmp_path: Path) -> None:
    before = make_keys(tmp_path, ED25519).roster_keys()
    with pytest.raises(KeyFileError, match=r"seal-ml-dsa-65\.pem: .*`isac keys rotate` makes it"):
        read_keys(tmp_path, HYBRID)
    after = make_keys(tmp_path, HYBRID).roster_keys()
    assert [after[0], after[2]] == before
    assert read_keys(tmp_path, ED25519).roster_keys() == before


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_second_key_that_others_may_read_is_refused_by_name(tmp_path: Path, mode: int) -> None:
    make_keys(tmp_path, HYBRID)
    (tmp_path / "keys/seal-ml-dsa-65.pem").chmod(mode)
    with pytest.raises(KeyFileError, match=f"seal-ml-dsa-65.pem: mode {mode:04o}"):
        read_keys(tmp_path, HYBRID)


def test_the_two_keys_do_not_stand_in_for_each_other(tmp_path: Path) -> None:
    make_keys(tmp_path, HYBRID)
    first, second = tmp_path / "keys/seal.pem", tmp_path / "keys/seal-ml-dsa-65.pem"
    second.write_bytes(first.read_bytes())
    with pytest.raises(KeyFileError, match=r"seal-ml-dsa-65\.pem: not an ml-dsa-65 key"):
        read_keys(tmp_path, HYBRID)


# ── Keys to come ─────────────────────────────────────────────────────────────────────────────────


def test_keys_to_come_are_made_once_and_then_are_the_keys(tmp_path: Path) -> None:
    before = make_keys(tmp_path, HYBRID).roster_keys()
    coming = make_next_keys(tmp_path, HYBRID, Use.SEAL)
    assert make_next_keys(tmp_path, HYBRID, Use.SEAL) == coming
    assert read_keys(tmp_path, HYBRID).roster_keys() == before
    put_next_keys(tmp_path, HYBRID, Use.SEAL)
    assert read_keys(tmp_path, HYBRID).roster_keys() == [*coming, before[2]]
    assert make_next_keys(tmp_path, HYBRID, Use.SEAL) != coming


def test_a_transport_key_to_come_leaves_the_seal_alone(tmp_path: Path) -> None:
    before = make_keys(tmp_path, ED25519).roster_keys()
    coming = make_next_keys(tmp_path, ED25519, Use.TRANSPORT)
    put_next_keys(tmp_path, ED25519, Use.TRANSPORT)
    assert read_keys(tmp_path, ED25519).roster_keys() == [before[0], *coming]

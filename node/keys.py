"""The node's secrets on disk: made once by `isac init`, read at every start.

    keys/seal.pem             Ed25519: signs statements and recalls
    keys/seal-ml-dsa-65.pem   ML-DSA-65: signs them as well, where `suite` asks for both
    keys/transport.pem        Ed25519: signs requests, pages, receipts; stands in for no seal key
    keys/next-….pem           what takes the place of one of these at the next `isac keys rotate`
    keys/cursor.key           authenticates the cursors we hand out
    keys/pseudonym.key        makes pseudonyms that differ by recipient and year
    keys/patients.key         makes ids of findings of patient data that tell nothing of the text
    incarnation               life of our feed; not in the database, so that a restored backup shows

Nobody but the owner may read a key file; a looser one is refused by name.
"""

import base64
import os
import secrets
import stat
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA65PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from node.errors import KeyFileError
from node.settings import Suite
from sharing.seal.keys import PrivateKey, PublicKey, Signer, Use, key_id, spki_of

_KINDS: Mapping[str, type[PrivateKey]] = {
    "ed25519": Ed25519PrivateKey,
    "ml-dsa-65": MLDSA65PrivateKey,
}
_SEAL_FILES = {"ed25519": "seal.pem", "ml-dsa-65": "seal-ml-dsa-65.pem"}
_TRANSPORT_FILE = "transport.pem"
_NEXT = "next-"
_LATER = "patients.key"


@dataclass(frozen=True, slots=True)
class NodeKeys:
    """All secrets of a node; none shows in its repr. `seal` has a key for each of the suite's."""

    seal: tuple[PrivateKey, ...] = field(repr=False)
    transport: PrivateKey = field(repr=False)
    cursor: bytes = field(repr=False)
    pseudonym: bytes = field(repr=False)
    patients: bytes = field(repr=False)
    incarnation: str

    def roster_keys(self) -> list[dict[str, str]]:
        """Give the public halves as key entries of a roster member (sealing.md §2.11)."""
        return [*_roster_keys(self.seal, Use.SEAL), *_roster_keys([self.transport], Use.TRANSPORT)]


def make_keys(data: Path, suite: Suite) -> NodeKeys:
    """Make what is missing of a node's secrets below `data`, leave what is there, and read all."""
    folder = data / "keys"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for use in Use:
        for file, alg in _files(folder, suite, use).items():
            _make_private(file, alg)
    for name in ("cursor", "pseudonym"):
        _write_new(folder / f"{name}.key", secrets.token_bytes(32))
    make_later_secrets(data)
    _write_new(data / "incarnation", secrets.token_hex(16).encode())
    return read_keys(data, suite)


def make_later_secrets(data: Path) -> None:
    """Make what a node did not have yet when it was made; nothing that was kept hangs on it."""
    if (data / "keys").is_dir():
        _write_new(data / "keys" / _LATER, secrets.token_bytes(32))


def read_incarnation(data: Path) -> str:
    """Give the life of our feed."""
    return _read(data / "incarnation").decode().strip()


def renew_incarnation(data: Path) -> str:
    """Begin a new life of our feed: its peers begin anew with it."""
    fresh = secrets.token_hex(16)
    _write_new(data / "incarnation.next", fresh.encode())
    (data / "incarnation.next").replace(data / "incarnation")
    return fresh


def read_keys(data: Path, suite: Suite) -> NodeKeys:
    """Read a node's secrets.

    Raises:
        KeyFileError: a file is missing, no such key, or readable by others than its owner.
    """
    folder = data / "keys"
    seal = _files(folder, suite, Use.SEAL)
    return NodeKeys(
        seal=tuple(_read_private(file, alg) for file, alg in seal.items()),
        transport=_read_private(folder / _TRANSPORT_FILE, "ed25519"),
        cursor=_read_secret(folder / "cursor.key"),
        pseudonym=_read_secret(folder / "pseudonym.key"),
        patients=_read_secret(folder / _LATER),
        incarnation=read_incarnation(data),
    )


def make_next_keys(data: Path, suite: Suite, use: Use) -> list[dict[str, str]]:
    """Make what is missing of the keys to come, and give their roster entries.

    Raises:
        KeyFileError: one that is there is no such key, or readable by others than its owner.
    """
    keys = []
    for file, alg in _files(data / "keys", suite, use).items():
        to_come = file.with_name(_NEXT + file.name)
        _make_private(to_come, alg)
        keys.append(_read_private(to_come, alg))
    return _roster_keys(keys, use)


def put_next_keys(data: Path, suite: Suite, use: Use) -> None:
    """Let the keys to come take the place of those in use, of which no private half is left."""
    for file in _files(data / "keys", suite, use):
        file.with_name(_NEXT + file.name).replace(file)


def signers_on_disk(data: Path) -> tuple[tuple[Signer, ...], tuple[Signer, ...]]:
    """Give the seal keys in use, whatever the suite, and all keys there are, those to come too.

    Raises:
        KeyFileError: one is no such key, or readable by others than its owner.
    """
    folder = data / "keys"
    files = {name: alg for alg, name in _SEAL_FILES.items()}
    seals = _signers_at(folder, files)
    others = {_TRANSPORT_FILE: "ed25519"}
    coming = {_NEXT + name: alg for name, alg in {**files, **others}.items()}
    return seals, (*seals, *_signers_at(folder, {**others, **coming}))


def read_signer(path: Path) -> Signer:
    """Read a key that signs rosters: Ed25519, in a file that only its owner may read.

    Raises:
        KeyFileError: it is missing, no such key, or lies open to others.
    """
    return Signer.from_private(_read_private(path, "ed25519"))


def make_signer(path: Path) -> PublicKey:
    """Make such a key where there is none; gives its public half."""
    if not path.exists():
        _make_private(path, "ed25519")
    return _read_private(path, "ed25519").public_key()


def read_owned(path: Path) -> bytes:
    """Read a file that nobody but its owner may read.

    Raises:
        KeyFileError: it is missing, or lies open to others.
    """
    try:
        return _read_own(path)
    except OSError as error:
        raise KeyFileError(f"{path}: {error.strerror}") from error


def write_owned(path: Path, content: bytes) -> None:
    """Write such a file, unless it is there."""
    _write_new(path, content)


def _signers_at(folder: Path, files: Mapping[str, str]) -> tuple[Signer, ...]:
    there = [(folder / name, alg) for name, alg in files.items() if (folder / name).exists()]
    return tuple(Signer.from_private(_read_private(path, alg)) for path, alg in there)


def _files(folder: Path, suite: Suite, use: Use) -> dict[Path, str]:
    """Give the private keys of one use, each with its algorithm, in the order they sign."""
    if use is Use.TRANSPORT:
        return {folder / _TRANSPORT_FILE: "ed25519"}
    return {folder / _SEAL_FILES[alg]: alg for alg in suite.split("+")}


def _roster_keys(keys: Iterable[PrivateKey], use: Use) -> list[dict[str, str]]:
    entries = []
    for key in keys:
        public = key.public_key()
        spki = base64.b64encode(spki_of(public)).decode()
        (alg,) = (alg for alg, kind in _KINDS.items() if isinstance(key, kind))
        entries.append({"kid": key_id(public), "alg": alg, "spki": spki, "use": use.value})
    return entries


def _make_private(path: Path, alg: str) -> None:
    key = _KINDS[alg].generate()
    _write_new(path, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


def _write_new(path: Path, content: bytes) -> None:
    """Write a file that was not there, whole or not at all."""
    if path.exists():
        return
    fresh = path.with_name(path.name + ".new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    fresh.rename(path)


def _read_private(path: Path, alg: str) -> PrivateKey:
    try:
        key = load_pem_private_key(_read(path), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise KeyFileError(f"{path}: not a PEM private key without a password") from error
    if isinstance(key, Ed25519PrivateKey | MLDSA65PrivateKey) and isinstance(key, _KINDS[alg]):
        return key
    raise KeyFileError(f"{path}: not an {alg} key")


def _read_secret(path: Path) -> bytes:
    secret = _read(path)
    if len(secret) != 32:
        raise KeyFileError(f"{path}: {len(secret)} bytes, not 32")
    return secret


def _read(path: Path) -> bytes:
    try:
        return _read_own(path)
    except OSError as error:
        raise KeyFileError(f"{path}: {error.strerror}; {_maker(path)} makes it") from error


def _read_own(path: Path) -> bytes:
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        raise KeyFileError(f"{path}: mode {mode:04o} lets others in; chmod 600 {path}")
    return path.read_bytes()


def _maker(path: Path) -> str:
    makers = {_SEAL_FILES["ml-dsa-65"]: "`isac keys rotate`", _LATER: "the next start"}
    return makers.get(path.name, "`isac init`")

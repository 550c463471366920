"""The node's secrets on disk: made once by `isac init`, read at every start.

    keys/seal.pem         Ed25519: signs statements and recalls
    keys/transport.pem    Ed25519: signs requests, pages, receipts; neither stands in for the other
    keys/cursor.key       authenticates the cursors we hand out
    keys/pseudonym.key    makes pseudonyms that differ by recipient and year
    incarnation           life of our feed; outside the database, so that a restored backup shows

Nobody but the owner may read a key file; a looser one is refused by name.
"""

import base64
import os
import secrets
import stat
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from node.errors import KeyFileError
from sharing.seal.keys import Use, key_id, spki_of


@dataclass(frozen=True, slots=True)
class NodeKeys:
    """All secrets of a node; none of them shows in its repr."""

    seal: Ed25519PrivateKey = field(repr=False)
    transport: Ed25519PrivateKey = field(repr=False)
    cursor: bytes = field(repr=False)
    pseudonym: bytes = field(repr=False)
    incarnation: str

    def roster_keys(self) -> list[dict[str, str]]:
        """Give the public halves as key entries of a roster member (sealing.md §2.11)."""
        return [_roster_key(self.seal, Use.SEAL), _roster_key(self.transport, Use.TRANSPORT)]


def make_keys(data: Path) -> NodeKeys:
    """Make what is missing of a node's secrets below `data`, leave what is there, and read all."""
    folder = data / "keys"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name in ("seal", "transport"):
        pem = Ed25519PrivateKey.generate().private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
        )
        _write_new(folder / f"{name}.pem", pem)
    for name in ("cursor", "pseudonym"):
        _write_new(folder / f"{name}.key", secrets.token_bytes(32))
    _write_new(data / "incarnation", secrets.token_hex(16).encode())
    return read_keys(data)


def read_keys(data: Path) -> NodeKeys:
    """Read a node's secrets.

    Raises:
        KeyFileError: a file is missing, no such key, or readable by others than its owner.
    """
    folder = data / "keys"
    return NodeKeys(
        seal=_read_private(folder / "seal.pem"),
        transport=_read_private(folder / "transport.pem"),
        cursor=_read_secret(folder / "cursor.key"),
        pseudonym=_read_secret(folder / "pseudonym.key"),
        incarnation=_read(data / "incarnation").decode().strip(),
    )


def _roster_key(key: Ed25519PrivateKey, use: Use) -> dict[str, str]:
    public = key.public_key()
    spki = base64.b64encode(spki_of(public)).decode()
    return {"kid": key_id(public), "alg": "ed25519", "spki": spki, "use": use.value}


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


def _read_private(path: Path) -> Ed25519PrivateKey:
    try:
        key = load_pem_private_key(_read(path), password=None)
    except (ValueError, TypeError) as error:
        raise KeyFileError(f"{path}: not a PEM private key without a password") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise KeyFileError(f"{path}: not an Ed25519 key")
    return key


def _read_secret(path: Path) -> bytes:
    secret = _read(path)
    if len(secret) != 32:
        raise KeyFileError(f"{path}: {len(secret)} bytes, not 32")
    return secret


def _read(path: Path) -> bytes:
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode & 0o077:
            raise KeyFileError(f"{path}: mode {mode:04o} lets others in; chmod 600 {path}")
        return path.read_bytes()
    except OSError as error:
        raise KeyFileError(f"{path}: {error.strerror}; `isac init` makes it") from error

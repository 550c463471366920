"""The offline root: keys and documents as files, made and signed far from any node."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import typer
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from federation.errors import BadTrustError
from federation.members import MEMBER_TYPE, read_entry
from federation.trust import (
    ROOT_TYPE,
    Root,
    add_signature,
    public_entry,
    signers_among,
    unchecked_root,
    write_root,
)
from node.clock import wall_clock
from node.errors import KeyFileError, SettingsError
from node.keys import read_owned, write_owned
from sharing.seal.dsse import read_envelope
from sharing.seal.keys import Signer

Keys = list[dict[str, object]]


def make_key(out: Path, passphrase_file: Path | None) -> None:
    """Make an offline key: OUT, for its owner alone, and OUT.pub, for everybody."""
    if out.exists():
        raise SettingsError(f"{out} is there already")
    key = Ed25519PrivateKey.generate()
    hidden: KeySerializationEncryption = NoEncryption()
    if passphrase_file is not None:
        hidden = BestAvailableEncryption(_passphrase(passphrase_file))
    write_owned(out, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, hidden))
    public = public_entry(key.public_key(), "ed25519")
    Path(f"{out}.pub").write_text(json.dumps(public, indent=1) + "\n")
    typer.echo(f"made {public['kid']}; give {out}.pub to whoever makes the root")


def init(out: Path, threshold: int, keys: list[Path], online: list[Path], days: int) -> None:
    """Write the first root, unsigned."""
    _write(out, 1, threshold, _public(keys), _public(online), days)


def follow(
    old: Path, out: Path, threshold: int, keys: list[Path], online: list[Path], days: int
) -> None:
    """Write the root that follows `old`, unsigned; what is not given stays as it was."""
    root = _root(old)
    offline, hubs = _listed(root)
    _write(
        out,
        root.version + 1,
        threshold or root.threshold,
        _public(keys) if keys else offline,
        _public(online) if online else hubs,
        days,
    )


def sign(file: Path, key: Path, passphrase_file: Path | None) -> None:
    """Add a signature to a root, or to a member's entry that the root is to vouch for."""
    signer, envelope = _signer(key, passphrase_file), file.read_bytes()
    kind = ROOT_TYPE if _is_root(envelope) else MEMBER_TYPE
    _replace(file, add_signature(kind, envelope, signer))
    typer.echo(f"signed with {signer.kid}")


def show(file: Path) -> None:
    """Print a root: its keys, and who has signed it."""
    root = _root(file)
    payload, signed = read_envelope(root.envelope, ROOT_TYPE)
    signers = signers_among(root.keys, ROOT_TYPE, payload, signed)
    typer.echo(f"root {root.version}, until {root.expires:%Y-%m-%d}")
    typer.echo(f"fingerprint {root.fingerprint}")
    for kid in root.keys:
        typer.echo(f"offline {kid} {'has signed' if kid in signers else 'has not signed'}")
    for kid in root.online:
        typer.echo(f"online  {kid}")
    others = sorted({one.keyid for one in signed} - root.keys.keys())
    for kid in others:
        typer.echo(f"signed by {kid}, which is no key of this root (of the one before?)")
    typer.echo(f"{len(signers)} of its own keys have signed, {root.threshold} are needed")


def _write(out: Path, version: int, threshold: int, keys: Keys, online: Keys, days: int) -> None:
    if out.exists():
        raise SettingsError(f"{out} is there already")
    expires = wall_clock().replace(microsecond=0) + timedelta(days=days)
    out.write_bytes(
        write_root(
            version=version,
            expires=expires.astimezone(UTC),
            threshold=threshold,
            keys=keys,
            online=online,
        )
    )
    typer.echo(f"wrote root {version} to {out}: {threshold} of {len(keys)} keys must sign it")
    typer.echo(f"valid until {_day(expires)}; fingerprint {_root(out).fingerprint}")


def _day(at: datetime) -> str:
    return f"{at:%Y-%m-%d}"


def _listed(root: Root) -> tuple[Keys, Keys]:
    payload = json.loads(read_envelope(root.envelope, ROOT_TYPE)[0])
    return payload["keys"], payload["online"]


def _public(files: list[Path]) -> Keys:
    keys = Keys()
    for file in files:
        try:
            told = json.loads(file.read_bytes())
            keys.append({name: told[name] for name in ("kid", "alg", "spki")})
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise SettingsError(f"{file}: no public key file ({error})") from error
    return keys


def _root(file: Path) -> Root:
    try:
        return unchecked_root(file.read_bytes())
    except (OSError, BadTrustError) as error:
        raise SettingsError(f"{file}: {error}") from error


def _is_root(envelope: bytes) -> bool:
    try:
        unchecked_root(envelope)
    except BadTrustError:
        read_entry(envelope)
        return False
    return True


def _signer(key: Path, passphrase_file: Path | None) -> Signer:
    password = None if passphrase_file is None else _passphrase(passphrase_file)
    try:
        private = load_pem_private_key(read_owned(key), password=password)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise KeyFileError(f"{key}: no key that opens with this passphrase, or without") from error
    if not isinstance(private, Ed25519PrivateKey):
        raise KeyFileError(f"{key}: not an Ed25519 key")
    return Signer.from_private(private)


def _passphrase(file: Path) -> bytes:
    words = read_owned(file).strip()
    if not words:
        raise KeyFileError(f"{file}: holds no passphrase")
    return words


def _replace(file: Path, content: bytes) -> None:
    new = file.with_name(f"{file.name}.new")
    new.write_bytes(content)
    new.replace(file)

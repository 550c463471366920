"""Roots, rosters and members' entries for tests, with fixed keys."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from federation.members import Facts, SignedEntry, endorse, read_entry, sign_entry
from federation.trust import (
    ROOT_TYPE,
    Removal,
    Revocation,
    Root,
    Roster,
    add_signature,
    first_root,
    next_roster,
    public_entry,
    write_root,
    write_roster,
)
from sharing.seal.canonical import write_base64
from sharing.seal.keys import Signer, key_id, spki_of
from tests.federation.strategies import BE, NOW, member_entry, signer

YEAR = timedelta(days=365)
OFFLINE = ("enisa", "fr", "de", "es", "pl")
ONLINE = "hub online"


def private(name: str) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(sha256(f"root {name}".encode()).digest())


def keeper(name: str) -> Signer:
    return Signer.from_private(private(name))


def public(name: str) -> dict[str, str]:
    return public_entry(private(name).public_key(), "ed25519")


def unsigned(
    version: int = 1,
    names: Sequence[str] = OFFLINE,
    online: Sequence[str] = (ONLINE,),
    threshold: int = 3,
) -> bytes:
    return write_root(
        version=version,
        expires=NOW + YEAR,
        threshold=threshold,
        keys=[public(name) for name in names],
        online=[public(name) for name in online],
    )


def signed(envelope: bytes, names: Iterable[str]) -> bytes:
    for name in names:
        envelope = add_signature(ROOT_TYPE, envelope, keeper(name))
    return envelope


ROOT: Root = first_root(signed(unsigned(), OFFLINE[:3]))


def roster_bytes(
    version: int = 1,
    members: Sequence[bytes] = (),
    *,
    revoked: Sequence[Revocation] = (),
    removed: Sequence[Removal] = (),
    by: Sequence[str] = (ONLINE,),
    issued_ago: timedelta = timedelta(0),
    life: timedelta = timedelta(days=7),
) -> bytes:
    return write_roster(
        version=version,
        issued=NOW - issued_ago,
        members=members,
        revoked=revoked,
        removed=removed,
        signers=[keeper(name) for name in by],
        life=life,
    )


def roster(version: int = 1, members: Sequence[bytes] = ()) -> Roster:
    return next_roster(ROOT, None, roster_bytes(version, members), NOW)


def key(name: str, use: str = "seal") -> dict[str, object]:
    """A key that only this test knows."""
    held = private(name).public_key()
    return {
        "kid": key_id(held),
        "alg": "ed25519",
        "spki": write_base64(spki_of(held)),
        "use": use,
    }


def held_entry(org: str = BE) -> Facts:
    """What our file says of an accepted member."""
    return {"name": "Node BE", **member_entry(org)}


def signed_entry(facts: Facts, version: int = 1, by: Sequence[Signer] = ()) -> SignedEntry:
    return read_entry(sign_entry(facts, version, by or [signer(str(facts["org"]), "seal")]))


def with_key(facts: Facts, added: Facts, by: Sequence[Signer]) -> Facts:
    """The entry with this key more, endorsed by these."""
    keys = facts["keys"]
    assert isinstance(keys, list)
    return {**facts, "keys": [*keys, endorse(added, str(facts["org"]), by)]}

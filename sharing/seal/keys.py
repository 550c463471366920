"""Who may sign what: signers of ours, and the keys of the roster's members (§2.11).

`seal` keys sign statements and recalls, `transport` keys sign requests and transfer statements;
neither stands in for the other. A retired key verifies what it signed; only `compromised_since`
ends that, measured against our own first sight, never against a date the signer wrote.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from types import MappingProxyType

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA65PrivateKey, MLDSA65PublicKey

from sharing.errors import BadRosterError, RefusedError, UnreadableError
from sharing.seal.canonical import read_base64, read_instant, read_kid, read_uuid, write_base64url
from sharing.seal.curve import is_sound_key
from sharing.seal.members import (
    member,
    one_of,
    or_null,
    read_list,
    read_text,
)
from sharing.seal.strictjson import read_object

ML_DSA_CONTEXT = b"fisn.seal.v1"

PrivateKey = Ed25519PrivateKey | MLDSA65PrivateKey
PublicKey = Ed25519PublicKey | MLDSA65PublicKey


class Use(StrEnum):
    """What a key is for."""

    SEAL = "seal"
    TRANSPORT = "transport"


def key_id(public: PublicKey) -> str:
    """`kid`: base64url of H(SubjectPublicKeyInfo DER), unpadded."""
    return write_base64url(sha256(spki_of(public)).digest())


def spki_of(public: PublicKey) -> bytes:
    """The SubjectPublicKeyInfo DER of a key."""
    return public.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )


@dataclass(frozen=True, slots=True)
class Signer:
    """A private key of ours and its id."""

    kid: str
    _private: PrivateKey = field(repr=False)

    @classmethod
    def from_private(cls, private: PrivateKey) -> "Signer":
        """The signer that holds this key."""
        return cls(key_id(private.public_key()), private)

    def sign(self, message: bytes) -> bytes:
        """The signature over exactly these bytes."""
        if isinstance(self._private, Ed25519PrivateKey):
            return self._private.sign(message)
        return self._private.sign(message, ML_DSA_CONTEXT)


@dataclass(frozen=True, slots=True)
class Key:
    """A member's public key, as the roster lists it."""

    kid: str
    org: str
    use: Use
    public: PublicKey
    not_before: datetime | None
    not_after: datetime | None
    revoked_at: datetime | None
    reason: str | None
    compromised_since: datetime | None

    def verifies(self, message: bytes, signature: bytes) -> bool:
        """Whether this key signed these bytes."""
        try:
            if isinstance(self.public, Ed25519PublicKey):
                self.public.verify(signature, message)
            else:
                self.public.verify(signature, message, ML_DSA_CONTEXT)
        except InvalidSignature:
            return False
        return True

    def valid_at(self, now: datetime) -> bool:
        """Whether it may sign something new at this moment."""
        return (
            (self.not_before is None or self.not_before <= now)
            and (self.not_after is None or now < self.not_after)
            and (self.revoked_at is None or now < self.revoked_at)
            and (self.compromised_since is None or now < self.compromised_since)
        )


@dataclass(frozen=True, slots=True)
class Member:
    """An organisation of the federation: facts and keys, no clearances."""

    org: str
    role: str
    country: str
    communities: frozenset[str]
    base_urls: tuple[str, ...]
    keys: tuple[Key, ...]
    tls_pins: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class KeyRegistry:
    """The members of a roster by organisation, and their usable keys by id.

    `unusable` says why a listed key is not among them; one bad key of one member must not stop all.
    """

    members: Mapping[str, Member]
    keys: Mapping[str, Key]
    unusable: Mapping[str, str]

    @classmethod
    def read(cls, roster: bytes | Mapping[str, object]) -> "KeyRegistry":
        """The registry that a roster, or any part of it with `members`, makes.

        Members of the JSON that we do not know are left alone.

        Raises:
            BadRosterError: not a roster; a member without org or keys; a key id or org twice.
        """
        try:
            return _read_registry(read_object(roster) if isinstance(roster, bytes) else roster)
        except UnreadableError as error:
            raise BadRosterError(f"roster: {error}") from error

    def require(self, kid: str, *, org: str, use: Use, first_seen_at: datetime | None) -> Key:
        """The key `kid`, if it speaks for `org` in this use about what we saw first at that time.

        Without a time a key that was ever compromised is refused.

        Raises:
            RefusedError: check 3, and why.
        """
        key = self.keys.get(kid)
        if key is None:
            raise RefusedError(3, f"key {kid} {self.unusable.get(kid, 'unknown')}")
        if key.org != org:
            raise RefusedError(3, f"key {kid} belongs to another organisation than {org}")
        if key.use is not use:
            raise RefusedError(3, f"key {kid} is a {key.use} key, a {use} key is needed")
        since = key.compromised_since
        if since is not None and (first_seen_at is None or first_seen_at >= since):
            raise RefusedError(3, f"key {kid} compromised before our first sight")
        return key


def _read_registry(roster: Mapping[str, object]) -> KeyRegistry:
    members, keys, unusable = dict[str, Member](), dict[str, Key](), dict[str, str]()
    for entry in member(roster, "members", read_list):
        facts = _object(entry)
        org = member(facts, "org", read_uuid)
        if org in members:
            raise UnreadableError(f"member {org} twice")
        own = list[Key]()
        for item in member(facts, "keys", read_list):
            fields = _object(item)
            kid = member(fields, "kid", read_kid)
            if kid in keys or kid in unusable:
                raise UnreadableError(f"key {kid} twice")
            try:
                keys[kid] = _read_key(kid, org, fields)
                own.append(keys[kid])
            except UnreadableError as error:
                unusable[kid] = f"is not usable: {error}"
        members[org] = _read_member(org, facts, tuple(own))
    return KeyRegistry(
        MappingProxyType(members), MappingProxyType(keys), MappingProxyType(unusable)
    )


def _read_member(org: str, facts: Mapping[str, object], keys: tuple[Key, ...]) -> Member:
    return Member(
        org=org,
        role=read_text(facts.get("role", "")),
        country=read_text(facts.get("country", "")),
        communities=frozenset(read_text(item) for item in read_list(facts.get("communities", []))),
        base_urls=tuple(read_text(item) for item in read_list(facts.get("base_urls", []))),
        keys=keys,
        tls_pins=frozenset(read_kid(item) for item in read_list(facts.get("tls_pins", []))),
    )


def _read_key(kid: str, org: str, fields: Mapping[str, object]) -> Key:
    fields = {**_NO_DATES, **fields}
    return Key(
        kid=kid,
        org=org,
        use=Use(member(fields, "use", one_of(frozenset(Use)))),
        public=_read_public(
            kid, member(fields, "alg", read_text), member(fields, "spki", read_base64)
        ),
        not_before=member(fields, "not_before", or_null(read_instant)),
        not_after=member(fields, "not_after", or_null(read_instant)),
        revoked_at=member(fields, "revoked_at", or_null(read_instant)),
        reason=member(fields, "reason", or_null(read_text)),
        compromised_since=member(fields, "compromised_since", or_null(read_instant)),
    )


_NO_DATES = dict.fromkeys(("not_before", "not_after", "revoked_at", "reason", "compromised_since"))


def _read_public(kid: str, alg: str, spki: bytes) -> PublicKey:
    if write_base64url(sha256(spki).digest()) != kid:
        raise UnreadableError("its id is not the hash of its key")
    try:
        public = serialization.load_der_public_key(spki)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise UnreadableError("not a public key") from None
    match alg, public:
        case "ed25519", Ed25519PublicKey() if spki_of(public) == spki:
            if not is_sound_key(public.public_bytes_raw()):
                raise UnreadableError("not a point of the prime-order group, canonically written")
            return public
        case "ml-dsa-65", MLDSA65PublicKey() if spki_of(public) == spki:
            return public
        case _:
            raise UnreadableError("algorithm unknown, or not that of the key")


def _object(value: object) -> dict[str, object]:
    if not isinstance(value, dict):
        raise UnreadableError("not an object")
    return value

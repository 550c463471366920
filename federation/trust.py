"""Root and roster: who may list members, and what the newest list says (federation.md §2).

The *root* is a set of offline keys; a threshold of them says which online keys the hub may sign a
*roster* with. Both are DSSE envelopes, so whoever brings one does not matter. Versions only grow.
The rules are TUF's: a new root needs the threshold of the old one and its own; a roster that was
signed by an online key the root has taken away counts no more, whatever its version was; one that
grows old slows a node down, then stops it.

A roster alone makes nobody a member anywhere: what it may change is `federation.members`.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256

import orjson

from federation.errors import BadLineError, BadTrustError
from federation.fingerprint import spell
from federation.lines import UUID, Fields, write_instant
from sharing.errors import SharingError
from sharing.seal.canonical import write_base64
from sharing.seal.dsse import Signature, pae, read_envelope, sign_envelope, write_envelope
from sharing.seal.keys import Key, KeyRegistry, PublicKey, Signer, key_id, spki_of
from sharing.seal.strictjson import read_object

ROOT_TYPE = "application/vnd.fisn.root.v1+json"
ROSTER_TYPE = "application/vnd.fisn.roster.v1+json"
DOCUMENT_CAP = 4 * 1024 * 1024
SIGNATURES_CAP = 64
KEYS_CAP = 32
MEMBERS_CAP = 1024
REVOKED_CAP = 16 * 1024
ROSTER_LIFE = timedelta(days=7)
FROZEN_AFTER = timedelta(days=7)
READ_ONLY_AFTER = timedelta(days=30)
_SKEW = timedelta(hours=1)
KID = re.compile(r"[A-Za-z0-9_-]{43}")
WORDS = re.compile(r"[^\x00-\x1f\x7f]{0,500}")
_NOBODY = "00000000-0000-4000-8000-000000000000"  # whose keys a root's are, for the key reader


class Standing(StrEnum):
    """How old what we hold is, and so what we still do (federation.md §2)."""

    FRESH = "fresh"
    EXPIRED = "expired"
    FROZEN = "frozen"
    READ_ONLY = "read-only"


@dataclass(frozen=True, slots=True)
class Root:
    """The offline keys of which `threshold` speak together, and the hub's online keys."""

    version: int
    expires: datetime
    threshold: int
    keys: Mapping[str, Key]
    online: Mapping[str, Key]
    envelope: bytes

    @property
    def fingerprint(self) -> str:
        """What people compare before they trust a first root."""
        return spell(sha256(read_envelope(self.envelope, ROOT_TYPE)[0]).digest())

    def has_signed(self, payload_type: str, payload: bytes, signed: Sequence[Signature]) -> bool:
        """Whether enough of the root's keys signed these bytes; each key counts once."""
        return len(signers_among(self.keys, payload_type, payload, signed)) >= self.threshold


@dataclass(frozen=True, slots=True)
class Revocation:
    """The end of a key: the members of a roster's entry that say so."""

    kid: str
    revoked_at: datetime
    reason: str
    compromised_since: datetime


@dataclass(frozen=True, slots=True)
class Removal:
    """A member that is none any more."""

    org: str
    at: datetime
    why: str


@dataclass(frozen=True, slots=True)
class Roster:
    """What the hub lists: signed entries as they came, keys ended, members removed.

    `signers` are the online keys that signed it, `digest` is H of the signed bytes.
    """

    version: int
    issued: datetime
    expires: datetime
    members: tuple[bytes, ...]
    revoked: tuple[Revocation, ...]
    removed: tuple[Removal, ...]
    signers: frozenset[str]
    digest: str
    envelope: bytes


# ── Reading and believing ────────────────────────────────────────────────────────────────────────


def first_root(envelope: bytes) -> Root:
    """The root that an operator is about to trust: it must carry its own threshold.

    Raises:
        BadTrustError: `form` or `threshold`.
    """
    payload, signed = _opened(envelope, ROOT_TYPE)
    root = _read_root(payload, envelope)
    if not root.has_signed(ROOT_TYPE, payload, signed):
        raise BadTrustError("threshold", f"root {root.version} lacks signatures of its own keys")
    return root


def next_root(held: Root, envelope: bytes) -> Root:
    """The root that follows the one we hold.

    Raises:
        BadTrustError: `form`; `version`: it is not the very next; `threshold`: too few of the old
            keys, or of its own, have signed it.
    """
    payload, signed = _opened(envelope, ROOT_TYPE)
    root = _read_root(payload, envelope)
    if root.version != held.version + 1:
        raise BadTrustError("version", f"root {root.version} does not follow root {held.version}")
    if not held.has_signed(ROOT_TYPE, payload, signed):
        raise BadTrustError("threshold", f"root {root.version} lacks signatures of the old keys")
    if not root.has_signed(ROOT_TYPE, payload, signed):
        raise BadTrustError("threshold", f"root {root.version} lacks signatures of its own keys")
    return root


def next_roster(root: Root, held: Roster | None, envelope: bytes, now: datetime) -> Roster:
    """The roster to hold from now on: newer than the one we hold, under the newest root.

    One that has expired meanwhile still counts as news; how old it is, is told by `standing`.

    Raises:
        BadTrustError: `form`; `signature`: by no online key; `rollback`: older than ours;
            `equivocation`: another one of our version; `time`: from the future, or too long-lived.
    """
    roster = read_roster(root, envelope)
    if roster.issued > now + _SKEW or not roster.issued < roster.expires:
        raise BadTrustError("time", f"roster {roster.version} is not of our time")
    if roster.expires - roster.issued > ROSTER_LIFE:
        raise BadTrustError("time", f"roster {roster.version} lives longer than a roster may")
    if held is None or not held.signers & root.online.keys():
        return roster  # nothing held, or by a key that was taken from the hub (fast-forward)
    if roster.version < held.version:
        raise BadTrustError("rollback", f"roster {roster.version} is older than {held.version}")
    if roster.version == held.version and roster.digest != held.digest:
        raise BadTrustError("equivocation", f"two rosters have the version {held.version}")
    return roster


def read_roster(root: Root, envelope: bytes) -> Roster:
    """A roster that an online key of this root signed.

    Raises:
        BadTrustError: `form` or `signature`.
    """
    payload, signed = _opened(envelope, ROSTER_TYPE)
    signers = signers_among(root.online, ROSTER_TYPE, payload, signed)
    if not signers:
        raise BadTrustError("signature", "the roster is not signed by the hub's online key")
    return _read_roster(payload, signers, envelope)


def unchecked_roster(envelope: bytes) -> Roster:
    """A roster that was checked when it was stored; its signers as it names them.

    Raises:
        BadTrustError: `form`.
    """
    payload, signed = _opened(envelope, ROSTER_TYPE)
    return _read_roster(payload, frozenset(one.keyid for one in signed), envelope)


def unchecked_root(envelope: bytes) -> Root:
    """A root that was checked when it was stored, or is being signed; BadTrustError `form`."""
    return _read_root(_opened(envelope, ROOT_TYPE)[0], envelope)


def standing(root: datetime, roster: datetime | None, now: datetime) -> Standing:
    """How a node stands whose root and roster expire then; no roster yet is an expired one."""
    if roster is None:
        return Standing.EXPIRED
    late = now - min(root, roster)
    if late > READ_ONLY_AFTER:
        return Standing.READ_ONLY
    if late > FROZEN_AFTER:
        return Standing.FROZEN
    return Standing.EXPIRED if late >= timedelta(0) else Standing.FRESH


def signers_among(
    keys: Mapping[str, Key], payload_type: str, payload: bytes, signed: Sequence[Signature]
) -> frozenset[str]:
    """Those of the keys that validly signed these bytes; whoever signs twice counts once."""
    message = pae(payload_type, payload)
    return frozenset(
        one.keyid
        for one in signed
        if one.keyid in keys and keys[one.keyid].verifies(message, one.sig)
    )


# ── Writing ──────────────────────────────────────────────────────────────────────────────────────


def write_root(
    *,
    version: int,
    expires: datetime,
    threshold: int,
    keys: Sequence[Mapping[str, object]],
    online: Sequence[Mapping[str, object]],
) -> bytes:
    """A root that nobody has signed yet; keys are `{kid, alg, spki}`.

    Raises:
        BadTrustError: `form`: it could not be read.
    """
    payload = orjson.dumps(
        {
            "_type": "fisn.root/1",
            "version": version,
            "expires": write_instant(expires),
            "threshold": threshold,
            "keys": [dict(key) for key in keys],
            "online": [dict(key) for key in online],
        }
    )
    envelope = write_envelope(ROOT_TYPE, payload, ())
    unchecked_root(envelope)
    return envelope


def write_roster(
    *,
    version: int,
    issued: datetime,
    members: Sequence[bytes],
    revoked: Sequence[Revocation],
    removed: Sequence[Removal],
    signers: Sequence[Signer],
    life: timedelta = ROSTER_LIFE,
) -> bytes:
    """A roster of signed entries, as the hub publishes it."""
    payload = orjson.dumps(
        {
            "_type": "fisn.roster/1",
            "version": version,
            "issued": write_instant(issued),
            "expires": write_instant(issued + life),
            "members": [orjson.loads(envelope) for envelope in members],
            "revoked": [
                {
                    "kid": one.kid,
                    "revoked_at": write_instant(one.revoked_at),
                    "reason": one.reason,
                    "compromised_since": write_instant(one.compromised_since),
                }
                for one in revoked
            ],
            "removed": [
                {"org": one.org, "at": write_instant(one.at), "why": one.why} for one in removed
            ],
        }
    )
    return write_envelope(ROSTER_TYPE, payload, sign_envelope(ROSTER_TYPE, payload, signers))


def add_signature(payload_type: str, envelope: bytes, signer: Signer) -> bytes:
    """The envelope with this signature more, in the place of an older one of the same key.

    Raises:
        BadTrustError: `form`.
    """
    payload, signed = _opened(envelope, payload_type)
    others = [one for one in signed if one.keyid != signer.kid]
    return write_envelope(
        payload_type, payload, [*others, *sign_envelope(payload_type, payload, [signer])]
    )


def public_entry(public: PublicKey, alg: str) -> dict[str, str]:
    """A key as roots list it."""
    return {"kid": key_id(public), "alg": alg, "spki": write_base64(spki_of(public))}


# ── Forms ────────────────────────────────────────────────────────────────────────────────────────


def _opened(envelope: bytes, payload_type: str) -> tuple[bytes, tuple[Signature, ...]]:
    if len(envelope) > DOCUMENT_CAP:
        raise BadTrustError("form", f"{len(envelope)} bytes, at most {DOCUMENT_CAP}")
    try:
        payload, signed = read_envelope(envelope, payload_type)
    except SharingError as error:
        raise BadTrustError("form", str(error)) from error
    if len(signed) > SIGNATURES_CAP:
        raise BadTrustError("form", f"{len(signed)} signatures, at most {SIGNATURES_CAP}")
    return payload, signed


def _fields(payload: bytes, what: str) -> Fields:
    """The members of a payload; what we do not know is left alone, in the bytes it came in."""
    try:
        members = read_object(payload)
    except SharingError as error:
        raise BadTrustError("form", f"{what}: {error}") from error
    if orjson.dumps(members) != payload:
        raise BadTrustError("form", f"{what}: not in its shortest spelling")
    return Fields(what, members)


def _read_root(payload: bytes, envelope: bytes) -> Root:
    fields = _fields(payload, "root")
    try:
        fields.exactly("_type", "fisn.root/1")
        keys = _read_keys(fields.take("keys"), "keys")
        online = _read_keys(fields.take("online"), "online")
        if keys.keys() & online.keys():
            raise BadTrustError("form", "root: an online key is one of the offline ones")
        return Root(
            version=fields.integer("version", 1),
            expires=fields.instant("expires"),
            threshold=fields.integer("threshold", 1, len(keys)),
            keys=keys,
            online=online,
            envelope=envelope,
        )
    except BadLineError as error:
        raise BadTrustError("form", str(error)) from error


def _read_keys(listed: object, name: str) -> Mapping[str, Key]:
    """The keys of a root; unlike a member's, each of them must be usable."""
    if not isinstance(listed, list) or not 0 < len(listed) <= KEYS_CAP:
        raise BadTrustError("form", f"root: {name} is not a list of 1 to {KEYS_CAP} keys")
    try:
        entries = [{**key, "use": "seal"} for key in listed]
        registry = KeyRegistry.read({"members": [{"org": _NOBODY, "keys": entries}]})
    except (TypeError, SharingError) as error:
        raise BadTrustError("form", f"root: {name}: {error}") from error
    for kid, why in registry.unusable.items():
        raise BadTrustError("form", f"root: {name}: key {kid} {why}")
    return registry.keys


def _read_roster(payload: bytes, signers: frozenset[str], envelope: bytes) -> Roster:
    fields = _fields(payload, "roster")
    try:
        fields.exactly("_type", "fisn.roster/1")
        members = fields.take("members")
        if not isinstance(members, list) or len(members) > MEMBERS_CAP:
            raise fields.wrong("members", f"a list of at most {MEMBERS_CAP}")
        return Roster(
            version=fields.integer("version", 1),
            issued=fields.instant("issued"),
            expires=fields.instant("expires"),
            members=tuple(orjson.dumps(entry) for entry in members),
            revoked=tuple(map(_revocation, fields.nested_list("revoked", REVOKED_CAP))),
            removed=tuple(map(_removal, fields.nested_list("removed", MEMBERS_CAP))),
            signers=signers,
            digest=sha256(payload).hexdigest(),
            envelope=envelope,
        )
    except BadLineError as error:
        raise BadTrustError("form", str(error)) from error


def _revocation(fields: Fields) -> Revocation:
    return Revocation(
        kid=fields.text("kid", KID),
        revoked_at=fields.instant("revoked_at"),
        reason=fields.text("reason", WORDS),
        compromised_since=fields.instant("compromised_since"),
    )


def _removal(fields: Fields) -> Removal:
    return Removal(fields.text("org", UUID), fields.instant("at"), fields.text("why", WORDS))

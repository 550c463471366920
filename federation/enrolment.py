"""How a new member comes to the hub: a single-use token, its entry, and a proof for both.

The token travels to the member's operator apart from the network and names the root, so that the
operator trusts the same one. The proof is signed by every key of the entry over the token's hash,
the roster's and the entry's: it is of no use with another token, at another hub, or later.
"""

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

import orjson

from federation.errors import BadTrustError
from federation.fingerprint import is_same
from federation.members import ENTRY_CAP, SignedEntry, check_possession, is_ended, read_entry
from federation.trust import Root, signers_among
from sharing.errors import SharingError
from sharing.seal.dsse import read_envelope, sign_envelope, write_envelope
from sharing.seal.keys import Signer
from sharing.seal.members import read_members, read_text

PROOF_TYPE = "application/vnd.fisn.enrolment.v1+json"
ENROLMENT_CAP = 2 * ENTRY_CAP
SECRET_BYTES = 32
_TOKEN = re.compile(r"isac-join\.([A-Za-z0-9_-]{43})\.([a-z2-7]{32})")


@dataclass(frozen=True, slots=True)
class Token:
    """What one operator gives another: a secret, and the fingerprint of the root."""

    secret: str
    root: str

    @classmethod
    def make(cls, chance: bytes, root: Root) -> "Token":
        """The token for 32 random bytes."""
        if len(chance) != SECRET_BYTES:
            raise ValueError(f"{len(chance)} random bytes, {SECRET_BYTES} are needed")
        secret = base64.urlsafe_b64encode(chance).decode("ascii").rstrip("=")
        return cls(secret, root.fingerprint.replace(" ", ""))

    @classmethod
    def read(cls, text: str) -> "Token":
        """The token that somebody typed or pasted; BadTrustError `token` where it is none."""
        found = _TOKEN.fullmatch(text.strip())
        if found is None:
            raise BadTrustError("token", "this is no token of `isac roster invite`")
        return cls(found[1], found[2])

    @property
    def text(self) -> str:
        """How it is told."""
        return f"isac-join.{self.secret}.{self.root}"

    def names(self, root: Root) -> bool:
        """Whether this is the root that the token's maker trusts."""
        return is_same(self.root, root.fingerprint)


@dataclass(frozen=True, slots=True)
class Request:
    """What arrived at the hub: well formed, and the keys are held by whoever sent it."""

    secret: str
    entry: SignedEntry
    envelope: bytes


def hash_of(secret: str) -> str:
    """What the hub keeps of a token."""
    return sha256(secret.encode()).hexdigest()


def write_request(token: Token, entry: bytes, roster: str, signers: Sequence[Signer]) -> bytes:
    """What a node sends; `roster` is the digest of the hub's newest.

    Signers are the entry's keys, retired ones aside.
    """
    proof = _proof(token.secret, roster, read_entry(entry))
    envelope = write_envelope(PROOF_TYPE, proof, sign_envelope(PROOF_TYPE, proof, signers))
    return orjson.dumps(
        {"token": token.secret, "entry": orjson.loads(entry), "proof": orjson.loads(envelope)}
    )


def read_request(body: bytes, roster: str) -> Request:
    """What a node sent, if each key that it lists has signed for it.

    Raises:
        BadTrustError: `form`; `possession`: a key has not signed; `roster`: ours has changed
            meanwhile, or it was meant for another hub.
    """
    if len(body) > ENROLMENT_CAP:
        raise BadTrustError("form", f"{len(body)} bytes, at most {ENROLMENT_CAP}")
    try:
        members = read_members(body, frozenset({"token", "entry", "proof"}))
        secret, envelope = read_text(members["token"]), orjson.dumps(members["entry"])
        proof, signed = read_envelope(orjson.dumps(members["proof"]), PROOF_TYPE)
    except SharingError as error:
        raise BadTrustError("form", str(error)) from error
    entry = read_entry(envelope)
    check_possession(entry)
    keys = {key.kid: key for key in entry.member.keys}
    signers = signers_among(keys, PROOF_TYPE, proof, signed)
    if not signers.issuperset(kid for kid, key in keys.items() if not is_ended(key)):
        raise BadTrustError("possession", "the proof is not signed by every key in use or to come")
    if proof != _proof(secret, roster, entry):
        raise BadTrustError("roster", "the proof is over another token, entry or roster: again")
    return Request(secret, entry, envelope)


def _proof(secret: str, roster: str, entry: SignedEntry) -> bytes:
    return orjson.dumps(
        {
            "_type": "fisn.enrolment/1",
            "token": hash_of(secret),
            "roster": roster,
            "entry": sha256(entry.payload).hexdigest(),
        }
    )

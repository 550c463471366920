"""DSSE 1.0.2 envelopes: bytes, their type, and signatures over both.

The payload itself lists the key ids that sign it, and each of them must have a valid signature, in
that order: a hybrid pair cannot be stripped down to its weaker half (§2.5).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import orjson

from sharing.errors import RefusedError, UnreadableError
from sharing.seal.canonical import read_base64, write_base64
from sharing.seal.keys import KeyRegistry, Signer, Use
from sharing.seal.members import member, one_of, read_list, read_members, read_text


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature and the id of the key it names."""

    keyid: str
    sig: bytes


def pae(payload_type: str, payload: bytes) -> bytes:
    """DSSE's pre-authentication encoding: the bytes that are signed."""
    name = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(name), name, len(payload), payload)


def sign_envelope(
    payload_type: str, payload: bytes, signers: Sequence[Signer]
) -> tuple[Signature, ...]:
    """One signature by each signer, in their order."""
    message = pae(payload_type, payload)
    return tuple(Signature(signer.kid, signer.sign(message)) for signer in signers)


def verify_envelope(
    payload_type: str,
    payload: bytes,
    signatures: Sequence[Signature],
    *,
    keys: Sequence[str],
    org: str,
    use: Use,
    registry: KeyRegistry,
    first_seen_at: datetime | None,
) -> None:
    """Check that each key the payload lists, and no other, signed it for `org`.

    Raises:
        RefusedError: check 3, and why.
    """
    check_signers(signatures, keys)
    message = pae(payload_type, payload)
    for signature in signatures:
        key = registry.require(signature.keyid, org=org, use=use, first_seen_at=first_seen_at)
        if not key.verifies(message, signature.sig):
            raise RefusedError(3, f"signature of key {key.kid} does not verify")


def check_signers(signatures: Sequence[Signature], keys: Sequence[str]) -> None:
    """Check that the signatures name the listed keys, in their order; RefusedError of check 3."""
    if [signature.keyid for signature in signatures] != list(keys):
        raise RefusedError(3, "signatures: one for each key the statement lists, in its order")


def write_signatures(signatures: Sequence[Signature]) -> list[dict[str, str]]:
    """Signatures as JSON members `keyid` and `sig`."""
    return [{"keyid": item.keyid, "sig": write_base64(item.sig)} for item in signatures]


def read_signatures(value: object) -> tuple[Signature, ...]:
    """What `write_signatures` wrote; raises UnreadableError for any other member or spelling."""
    signatures = list[Signature]()
    for item in read_list(value):
        if not isinstance(item, dict) or item.keys() != {"keyid", "sig"}:
            raise UnreadableError("keyid or members")
        signatures.append(
            Signature(member(item, "keyid", read_text), member(item, "sig", read_base64))
        )
    return tuple(signatures)


def write_envelope(payload_type: str, payload: bytes, signatures: Sequence[Signature]) -> bytes:
    """The JSON form of DSSE §3."""
    return orjson.dumps(
        {
            "payload": write_base64(payload),
            "payloadType": payload_type,
            "signatures": write_signatures(signatures),
        }
    )


def read_envelope(raw: bytes, payload_type: str) -> tuple[bytes, tuple[Signature, ...]]:
    """Payload and unchecked signatures of an envelope of this type; raises UnreadableError."""
    members = read_members(raw, frozenset({"payload", "payloadType", "signatures"}))
    member(members, "payloadType", one_of(frozenset({payload_type})))
    return member(members, "payload", read_base64), member(members, "signatures", read_signatures)

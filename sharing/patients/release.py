"""A person's word that one finding is no patient data, signed by the node it was said at.

The finding is named by its id alone, which nobody without the node's key can tie to a text. Anybody
with the roster can check who said so, when, and why.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import orjson

from sharing.errors import RefusedError, UnreadableError
from sharing.seal.canonical import read_instant, read_uuid, write_instant
from sharing.seal.dsse import read_envelope, sign_envelope, verify_envelope, write_envelope
from sharing.seal.keys import KeyRegistry, Signer, Use
from sharing.seal.members import member, one_of, read_members, read_text
from sharing.seal.statement import read_kids

PAYLOAD_TYPE = "application/vnd.fisn.patient-release.v1+json"

_TYPE = "fisn.patient-release/1"
_MOST_BYTES = 1 << 16
_TEXTS = ("finding", "person", "role", "reason")
_MEMBERS = frozenset(["_type", "iss", "org", *_TEXTS, "iat", "keys"])


@dataclass(frozen=True, slots=True)
class PatientRelease:
    """What one person said; `iss` is the node that signs for him, `org` whom he works for."""

    iss: str
    org: str
    finding: str
    person: str
    role: str
    reason: str
    iat: datetime


def make_patient_release(said: PatientRelease, signers: Sequence[Signer]) -> bytes:
    """The signed envelope."""
    payload = orjson.dumps(
        {
            "_type": _TYPE,
            "iss": said.iss,
            "org": said.org,
            **{name: getattr(said, name) for name in _TEXTS},
            "iat": write_instant(said.iat),
            "keys": [signer.kid for signer in signers],
        }
    )
    return write_envelope(PAYLOAD_TYPE, payload, sign_envelope(PAYLOAD_TYPE, payload, signers))


def verify_patient_release(
    raw: bytes, registry: KeyRegistry, *, first_seen_at: datetime | None = None
) -> PatientRelease:
    """What was said, and by whom. Without `first_seen_at`, keys ever compromised are refused.

    Raises:
        RefusedError: check 1 for size, 2 for form, 3 for signatures.
    """
    if len(raw) > _MOST_BYTES:
        raise RefusedError(1, f"patient release: over {_MOST_BYTES} bytes")
    try:
        payload, signatures = read_envelope(raw, PAYLOAD_TYPE)
        members = read_members(payload, _MEMBERS)
        member(members, "_type", one_of(frozenset({_TYPE})))
        keys = member(members, "keys", read_kids)
        said = PatientRelease(
            iss=member(members, "iss", read_uuid),
            org=member(members, "org", read_uuid),
            **{name: member(members, name, read_text) for name in _TEXTS},
            iat=member(members, "iat", read_instant),
        )
    except UnreadableError as error:
        raise RefusedError(2, f"patient release: {error}") from None
    verify_envelope(
        PAYLOAD_TYPE,
        payload,
        signatures,
        keys=keys,
        org=said.iss,
        use=Use.SEAL,
        registry=registry,
        first_seen_at=first_seen_at,
    )
    return said

"""Recall: the originator takes back a whole log, up to one version (§2.8).

Every copy up to (epoch, seq) is erased everywhere; the log lives again only in a later epoch.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import orjson

from sharing.errors import RefusedError, UnreadableError
from sharing.seal import limits
from sharing.seal.canonical import read_instant, read_uuid, write_instant
from sharing.seal.dsse import (
    Signature,
    read_envelope,
    sign_envelope,
    verify_envelope,
    write_envelope,
)
from sharing.seal.keys import KeyRegistry, Signer, Use
from sharing.seal.members import count_up_to, member, one_of, read_members
from sharing.seal.statement import read_kids

PAYLOAD_TYPE = "application/vnd.fisn.recall.v1+json"
REASONS = frozenset(
    [
        "source_request",
        "error",
        "false_positive",
        "legal",
        "le_hold",
        "expired",
        "exercise_over",
    ]
)

_TYPE = "fisn.recall/1"
_MEMBERS = frozenset(["_type", "event", "iss", "epoch", "seq", "reason", "iat", "keys"])


@dataclass(frozen=True, slots=True)
class Recall:
    """A log taken back by its originator, up to and with (epoch, seq)."""

    event: str
    iss: str
    epoch: int
    seq: int
    reason: str
    iat: datetime


def make_recall(recall: Recall, signers: Sequence[Signer]) -> bytes:
    """The signed envelope that recalls a log of ours."""
    if recall.reason not in REASONS:
        raise ValueError(f"unknown recall reason {recall.reason}")
    payload = orjson.dumps(
        {
            "_type": _TYPE,
            "event": recall.event,
            "iss": recall.iss,
            "epoch": recall.epoch,
            "seq": recall.seq,
            "reason": recall.reason,
            "iat": write_instant(recall.iat),
            "keys": [signer.kid for signer in signers],
        }
    )
    return write_envelope(PAYLOAD_TYPE, payload, sign_envelope(PAYLOAD_TYPE, payload, signers))


def verify_recall(
    raw: bytes, registry: KeyRegistry, *, first_seen_at: datetime | None = None
) -> Recall:
    """What the originator recalls. Without `first_seen_at`, keys ever compromised are refused.

    Raises:
        RefusedError: check 1 for size, 2 for form, 3 for signatures.
    """
    recall, payload, signatures, keys = read_recall(raw)
    verify_envelope(
        PAYLOAD_TYPE,
        payload,
        signatures,
        keys=keys,
        org=recall.iss,
        use=Use.SEAL,
        registry=registry,
        first_seen_at=first_seen_at,
    )
    return recall


def read_recall(raw: bytes) -> tuple[Recall, bytes, tuple[Signature, ...], tuple[str, ...]]:
    """What a recall says, its payload, signatures and the keys it lists; nothing is verified.

    Raises:
        RefusedError: check 1 for size, 2 for form.
    """
    if len(raw) > limits.RECALL_BYTES:
        raise RefusedError(1, f"recall: over {limits.RECALL_BYTES} bytes")
    try:
        payload, signatures = read_envelope(raw, PAYLOAD_TYPE)
        members = read_members(payload, _MEMBERS)
        member(members, "_type", one_of(frozenset({_TYPE})))
        keys = member(members, "keys", read_kids)
        recall = Recall(
            event=member(members, "event", read_uuid),
            iss=member(members, "iss", read_uuid),
            epoch=member(members, "epoch", count_up_to(limits.COUNTER)),
            seq=member(members, "seq", count_up_to(limits.COUNTER, least=1)),
            reason=member(members, "reason", one_of(REASONS)),
            iat=member(members, "iat", read_instant),
        )
    except UnreadableError as error:
        raise RefusedError(2, f"recall: {error}") from None
    return recall, payload, signatures, keys

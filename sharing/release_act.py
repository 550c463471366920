"""A person's act of release, signed by the node for whom the person acted.

The node vouches that this person, signed in there in this role, said of exactly these slots that
they may go to this party, on this ground. The slots are named by content, not shown. Anybody with
the roster can check it; who else had to act is the rulebook's affair, whose digest it names.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import orjson

from sharing.errors import RefusedError, UnreadableError
from sharing.seal.canonical import read_instant, read_uuid, write_instant
from sharing.seal.dsse import read_envelope, sign_envelope, verify_envelope, write_envelope
from sharing.seal.keys import KeyRegistry, Signer, Use
from sharing.seal.members import count_up_to, member, one_of, read_list, read_members, read_text
from sharing.seal.statement import read_kids

PAYLOAD_TYPE = "application/vnd.fisn.release.v1+json"

_TYPE = "fisn.release/1"
_MOST_BYTES = 8 << 20
_SLOT_TYPES = 255
_TEXTS = ("person", "role", "ground", "reference", "reason", "rulebook")
_MEMBERS = frozenset(["_type", "iss", "origin", "event", "party", "slots", *_TEXTS, "iat", "keys"])
_SLOT = frozenset(["record", "type", "content"])


@dataclass(frozen=True, slots=True)
class ReleasedSlot:
    """One slot by its record's uuid, its type, and the SHA-256 of its bytes, hex."""

    record: str
    slot_type: int
    content: str


@dataclass(frozen=True, slots=True)
class ReleaseAct:
    """What one person said; `iss` is the node that signs for it, `rulebook` the digest in force."""

    iss: str
    origin: str
    event: str
    party: str
    slots: tuple[ReleasedSlot, ...]
    person: str
    role: str
    ground: str
    reference: str
    reason: str
    rulebook: str
    iat: datetime


def make_release_act(act: ReleaseAct, signers: Sequence[Signer]) -> bytes:
    """The signed envelope of an act."""
    payload = orjson.dumps(
        {
            "_type": _TYPE,
            "iss": act.iss,
            "origin": act.origin,
            "event": act.event,
            "party": act.party,
            "slots": [
                {"record": each.record, "type": each.slot_type, "content": each.content}
                for each in act.slots
            ],
            **{name: getattr(act, name) for name in _TEXTS},
            "iat": write_instant(act.iat),
            "keys": [signer.kid for signer in signers],
        }
    )
    return write_envelope(PAYLOAD_TYPE, payload, sign_envelope(PAYLOAD_TYPE, payload, signers))


def verify_release_act(
    raw: bytes, registry: KeyRegistry, *, first_seen_at: datetime | None = None
) -> ReleaseAct:
    """What was said, and by whom. Without `first_seen_at`, keys ever compromised are refused.

    Raises:
        RefusedError: check 1 for size, 2 for form, 3 for signatures.
    """
    if len(raw) > _MOST_BYTES:
        raise RefusedError(1, f"release act: over {_MOST_BYTES} bytes")
    try:
        payload, signatures = read_envelope(raw, PAYLOAD_TYPE)
        members = read_members(payload, _MEMBERS)
        member(members, "_type", one_of(frozenset({_TYPE})))
        keys = member(members, "keys", read_kids)
        act = ReleaseAct(
            iss=member(members, "iss", read_uuid),
            origin=member(members, "origin", read_uuid),
            event=member(members, "event", read_uuid),
            party=member(members, "party", read_uuid),
            slots=tuple(map(_slot, member(members, "slots", read_list))),
            **{name: member(members, name, read_text) for name in _TEXTS},
            iat=member(members, "iat", read_instant),
        )
    except UnreadableError as error:
        raise RefusedError(2, f"release act: {error}") from None
    verify_envelope(
        PAYLOAD_TYPE,
        payload,
        signatures,
        keys=keys,
        org=act.iss,
        use=Use.SEAL,
        registry=registry,
        first_seen_at=first_seen_at,
    )
    return act


def _slot(given: object) -> ReleasedSlot:
    if not isinstance(given, dict) or given.keys() != _SLOT:
        raise UnreadableError("slots: record, type and content, each once")
    return ReleasedSlot(
        member(given, "record", read_uuid),
        member(given, "type", count_up_to(_SLOT_TYPES, least=1)),
        member(given, "content", read_text),
    )

"""The originator of the vectors: fixed keys and salts, what it seals, and what it lies about.

The log of §2.13 stays as it is for ever; the longer log is ours alone. Nothing here is random.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA65PrivateKey

from sharing.seal.canonical import write_base64
from sharing.seal.disclosure import Disclosure, lay_out
from sharing.seal.dsse import sign_envelope, write_signatures
from sharing.seal.holding import Holding
from sharing.seal.keys import PrivateKey, Signer, key_id, spki_of
from sharing.seal.package import write_package
from sharing.seal.records import Header, Record
from sharing.seal.salts import draw
from sharing.seal.seal import seal
from sharing.seal.statement import PAYLOAD_TYPE
from sharing.seal.tables import ClassTable, encode_void, void_digest
from sharing.seal.tree import Span, fold

ISSUER = "0f0e0d0c-0b0a-4908-8706-050403020100"
OTHER = "9a1b5c77-3e0d-4f0e-8f5a-5f6f1f9b7c22"
COMMUNITY = "5a1b5c77-3e0d-4f0e-8f5a-5f6f1f9b7c99"
EVENT = "6f0c6a1e-1111-4222-8333-444455556666"
AT = datetime(2026, 11, 22, 13, tzinfo=UTC)

SEED = bytes(range(32))
KEY = Ed25519PrivateKey.from_private_bytes(SEED)
OTHER_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))
ML_DSA_KEY = MLDSA65PrivateKey.from_seed_bytes(SEED)
SIGNER = Signer.from_private(KEY)

Json = dict[str, object]


def member(*keys: Json, org: str = ISSUER) -> Json:
    """A member of a roster, with these keys."""
    entry = {"org": org, "role": "node", "country": "XX", "communities": [], "base_urls": []}
    return {**entry, "keys": list(keys)}


def roster(*keys: Json, org: str = ISSUER) -> Json:
    """The part of a roster that has these keys of one member."""
    return {"members": [member(*keys, org=org)]}


def roster_key(private: PrivateKey, **changed: object) -> Json:
    """The entry of one key."""
    public = private.public_key()
    return {
        "kid": key_id(public),
        "alg": "ed25519" if isinstance(private, Ed25519PrivateKey) else "ml-dsa-65",
        "spki": write_base64(spki_of(public)),
        "use": "seal",
        "not_before": None,
        "not_after": None,
        "revoked_at": None,
        "reason": None,
        "compromised_since": None,
        **changed,
    }


ROSTER = roster(roster_key(KEY))


def record(header: str, *slots: str) -> Record:
    """A record from its header in hex and its slots; a lone \\udcXX stands for the byte XX."""
    return Record(
        Header.decode(bytes.fromhex(header)),
        tuple(slot.encode(errors="surrogateescape") for slot in slots),
    )


def told(records: Iterable[Record]) -> list[Json]:
    """Records as the vectors write them."""
    return [
        {"hdr": item.header.encoded.hex(), "slots": [slot.decode() for slot in item.slots]}
        for item in records
    ]


def label(byte: int, tlp: str, **changed: object) -> Record:
    """A label record."""
    members: Json = {"label": byte, "tlp": tlp, "pap": "clear", "categories": [], "until": None}
    text = {**members, "only": False, "relay": True, **changed}
    return record("0c010101", json.dumps(text, separators=(",", ":"), ensure_ascii=False))


def addressee(byte: int, **who: str) -> Record:
    """An addressee record: `party=` or `community=`."""
    return record("0d010101", json.dumps({"label": byte, **who}, separators=(",", ":")))


def uuid_of(name: str) -> str:
    """A uuid that is always the same for this name."""
    digest = sha256(name.encode()).hexdigest()
    return f"{digest[:8]}-{digest[8:12]}-4{digest[13:16]}-8{digest[17:20]}-{digest[20:32]}"


def attribute(name: str, byte: int = 0, *, text: str = "") -> Record:
    """An attribute, the label byte of its head, and perhaps a text under RED."""
    head = f'{{"uuid":"{uuid_of(name)}","type":"domain","value":"{name}.example"}}'
    if text:
        return record(f"020201{byte:02x}0205", head, f'{{"comment":"{text}"}}')
    return record(f"020101{byte:02x}", head)


def secrets_of(name: str) -> tuple[bytes, bytes]:
    """S and the class table's salt of the version that is called so."""
    digest = sha256(name.encode()).digest()
    return digest, digest[::-1][:16]


def minutes(count: int) -> datetime:
    """An instant so many minutes after the first."""
    return AT + timedelta(minutes=count)


# The log of §2.13

KNOWN = [
    label(0, "green"),
    record("01010100", '{"info":"phish"}'),
    record("020201000203", '{"type":"domain","value":"evil.example"}', '{"comment":"ext 4711"}'),
    record("02010104", '{"type":"ip-dst","value":"198.51.100.7"}'),
]
KNOWN_MASKS = {0: 1, 1: 1, 2: 1}


def known(*signers: Signer) -> Holding:
    """The known-answer log: salts and class salt are zero."""
    return seal(
        KNOWN,
        log="event",
        event=EVENT,
        issuer=ISSUER,
        signers=signers or [SIGNER],
        seed=bytes(32),
        class_salt=bytes(16),
        at=AT,
    )


# Packages whose originator breaks the rules; everything else about them is right


def lie(
    records: Sequence[Record],
    *,
    void: Sequence[int] = (),
    masks: Mapping[int, int] | None = None,
    **said: object,
) -> bytes:
    """What an originator signs and sends that checks nothing, of records in the given order.

    `said` replaces what the statement would truly say; `masks` is what is disclosed.
    """
    bands = lay_out((1, item.header) for item in records)
    chunks, salts = draw(bytes(32), [len(item.slots) for item in records], 0)
    slots = [slot for item in records for slot in item.slots]
    disclosure = Disclosure((Span(0, len(records)),), bands, slots, salts, {}, chunks)
    tree = fold(disclosure.leaves(), len(records), ())
    classes = ClassTable.of(bytes(16), disclosure.headers)
    facts = {
        "size": tree.size,
        "root": tree.root,
        "live": tree.size - len(void),
        "void": void_digest(encode_void(void)),
        "classes": classes.digest,
        "payload": b"",
    }
    statement = replace(known().statement, **{**facts, **said})  # type: ignore[arg-type]
    signatures = sign_envelope(PAYLOAD_TYPE, statement.payload, [SIGNER])
    holding = Holding(statement, signatures, tuple(void), classes, disclosure, (), tree)
    live = {at: mask for at, mask in holding.masks.items() if at not in void}
    return write_package(holding, live if masks is None else masks)


def with_payload(raw: bytes, payload: bytes) -> bytes:
    """The package with another payload, signed anew."""
    signatures = write_signatures(sign_envelope(PAYLOAD_TYPE, payload, [SIGNER]))
    return with_head(
        raw, lambda head: {**head, "payload": write_base64(payload), "sigs": signatures}
    )


def with_head(raw: bytes, change: Callable[[Json], Mapping[str, object]]) -> bytes:
    """The package with another head."""
    line, rest = raw.split(b"\n", 1)
    return json.dumps(change(json.loads(line)), separators=(",", ":")).encode() + b"\n" + rest

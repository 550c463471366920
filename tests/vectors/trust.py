"""`seal-keys.json`, `seal-suites.json`, `seal-recall.json`: who may sign, with what, and take back.

An ML-DSA signature holds fresh randomness, so it cannot be made a second time: the one in the file
is kept as long as it verifies.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path

from cryptography.exceptions import InvalidSignature

from sharing.seal.canonical import read_base64, write_base64, write_base64url, write_instant
from sharing.seal.dsse import Signature, pae, sign_envelope, write_envelope
from sharing.seal.holding import Holding
from sharing.seal.keys import ML_DSA_CONTEXT, Signer, key_id, spki_of
from sharing.seal.package import write_package
from sharing.seal.recall import PAYLOAD_TYPE as RECALL_TYPE
from sharing.seal.recall import Recall, make_recall
from sharing.seal.statement import PAYLOAD_TYPE
from tests.vectors.originator import (
    AT,
    EVENT,
    ISSUER,
    KEY,
    KNOWN_MASKS,
    ML_DSA_KEY,
    OTHER,
    OTHER_KEY,
    SEED,
    SIGNER,
    Json,
    known,
    member,
    roster,
    roster_key,
)

SUITES = Path(__file__).parent / "seal-suites.json"
KEYS = [roster_key(private) for private in (KEY, OTHER_KEY, ML_DSA_KEY)]
ED25519, SECOND, ML_DSA = (Signer.from_private(key) for key in (KEY, OTHER_KEY, ML_DSA_KEY))


# Suites


def suites() -> Json:
    """Two signatures on one statement: both must be there, and both valid."""
    two, hybrid = known(ED25519, SECOND), kept(known(ED25519, ML_DSA))
    return {
        "source": "the log of seal.json under two keys; `check` is that of sharing/README.md,"
        " Verify, null where it is accepted",
        "seeds": {
            "ed25519": [SEED.hex(), bytes(range(1, 33)).hex()],
            "ml-dsa-65": [SEED.hex()],
        },
        "context": ML_DSA_CONTEXT.decode(),
        "roster": roster(*KEYS),
        "signed_bytes": pae(PAYLOAD_TYPE, hybrid.payload).hex(),
        "packages": [*_suite("ed25519 twice", two), *_suite("ed25519+ml-dsa-65", hybrid)],
    }


def kept(made: Holding) -> Holding:
    """The same with the ML-DSA signature that stands in the file, if it is one for this payload."""
    try:
        rows = json.loads(SUITES.read_text(encoding="utf-8"))["packages"]
        whole = next(row["package"] for row in rows if row["case"] == "ed25519+ml-dsa-65")
        old = read_base64(json.loads(whole.split("\n", 1)[0])["sigs"][1]["sig"])
        message = pae(PAYLOAD_TYPE, made.payload)
        ML_DSA_KEY.public_key().verify(old, message, ML_DSA_CONTEXT)
    except (OSError, LookupError, StopIteration, InvalidSignature):
        return made
    first, second = made.signatures
    return replace(made, signatures=(first, replace(second, sig=old)))


def _suite(name: str, held: Holding) -> Iterator[Json]:
    first, second = held.signatures
    for check, case, signatures in [
        (None, "", (first, second)),
        (3, ", the second left out", (first,)),
        (3, ", the first left out", (second,)),
        (3, ", in the other order", (second, first)),
        (3, ", the first twice", (first, first)),
        (3, ", one too many", (first, second, second)),
        (3, ", the second altered", (first, altered(second))),
        (3, ", the first altered", (altered(first), second)),
        (3, ", the first in place of the second", (first, replace(second, sig=first.sig))),
    ]:
        raw = write_package(replace(held, signatures=signatures))
        yield {"case": name + case, "check": check, "package": raw.decode()}
    redacted = write_package(held, KNOWN_MASKS)
    yield {"case": name + ", redacted", "check": None, "package": redacted.decode()}


def altered(signature: Signature) -> Signature:
    """The signature with its last bit another."""
    return replace(signature, sig=signature.sig[:-1] + bytes([signature.sig[-1] ^ 1]))


# Keys

P, SIGN = 2**255 - 19, 1 << 255
REAL = int.from_bytes(KEY.public_key().public_bytes_raw(), "little")
SPKI = spki_of(KEY.public_key())
# How the 32 bytes of an Ed25519 key may not be written, as numbers, low byte first
WEAK: Mapping[str, int] = {
    "the neutral point": 1,
    "the point of order 2": P - 1,
    "a point of order 4": 0,
    "the other point of order 4": SIGN,
    "a point of order 8": 0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826,
    "a real key plus the point of order 2": (P - REAL % SIGN) | (SIGN - REAL // SIGN * SIGN),
    "the neutral point, y over p": P + 1,
    "the neutral point, with the sign of 0": 1 | SIGN,
    "a point of order 4, y equal to p": P,
    "no point of the curve": 2,
}


def entry_of(spki: bytes, **changed: object) -> Json:
    """An entry whose id fits its key, whatever the key is."""
    kid = write_base64url(sha256(spki).digest())
    return {**KEYS[0], "kid": kid, "spki": write_base64(spki), **changed}


def _unusable() -> Iterator[tuple[str, Json]]:
    for name, number in WEAK.items():
        yield name, entry_of(SPKI[:12] + number.to_bytes(32, "little"))
    yield "an id that is not of the key", {**KEYS[0], "kid": "A" * 43}
    yield "alg of the other suite", {**KEYS[0], "alg": "ml-dsa-65"}
    yield "alg of the other suite, the other way round", {**KEYS[2], "alg": "ed25519"}
    yield "unknown alg", {**KEYS[0], "alg": "rsa"}
    yield "unknown use", {**KEYS[0], "use": "both"}
    yield "SPKI with a byte more", entry_of(SPKI + b"\0")
    yield "SPKI cut short", entry_of(SPKI[:-1])
    yield "SPKI not in its shortest form", entry_of(b"\x30\x81" + SPKI[1:])
    yield "SPKI in base64 without padding", {**KEYS[0], "spki": write_base64(SPKI).rstrip("=")}
    yield "compromised on no instant", {**KEYS[0], "compromised_since": "yesterday"}


def keys() -> Json:
    """Which keys a roster may hold, and when what they signed is accepted."""
    one, other = member(KEYS[0]), member(KEYS[0], org=OTHER)
    return {
        "source": "sharing/README.md, Recall and keys. An unusable key is set aside, the others"
        " count; a refused roster is refused whole. `verdicts` are of the package of seal.json",
        "unusable": [{"case": case, "entry": entry} for case, entry in _unusable()],
        "refused": [
            {"case": "a key twice", "roster": roster(KEYS[0], KEYS[0])},
            {
                "case": "a key for both uses",
                "roster": roster(KEYS[0], {**KEYS[0], "use": "transport"}),
            },
            {
                "case": "a key twice, once unusable",
                "roster": roster({**KEYS[0], "alg": "rsa"}, KEYS[0]),
            },
            {"case": "a key of two members", "roster": {"members": [one, other]}},
            {"case": "a member twice", "roster": {"members": [one, {**one, "keys": []}]}},
            {"case": "no members", "roster": {"member": []}},
            {"case": "a member in upper case", "roster": roster(org=ISSUER.upper())},
        ],
        "verdicts": list(_verdicts()),
    }


def _verdicts() -> Iterator[Json]:
    """All are of the package of seal.json: signed, it says, at 13:00."""
    later = write_instant(AT + timedelta(days=1))
    for accepted, case, changed, seen_at in [
        (True, "a key in use", {}, AT),
        (True, "retired before what it signed was seen", {"not_after": "2026-01-01T00:00:00Z"}, AT),
        (True, "revoked, not compromised", {"revoked_at": "2026-01-01T00:00:00Z"}, AT),
        (True, "seen before the compromise", {"compromised_since": later}, AT),
        (False, "seen at the very instant", {"compromised_since": write_instant(AT)}, AT),
        (False, "seen later, dated earlier", {"compromised_since": later}, AT + timedelta(days=2)),
        (False, "a transport key", {"use": "transport"}, AT),
    ]:
        yield _verdict(case, accepted, roster({**KEYS[0], **changed}), seen_at)
    yield _verdict("a key of another organisation", False, roster(KEYS[0], org=OTHER), AT)
    yield _verdict("a key that is not listed", False, roster(KEYS[1]), AT)


def _verdict(case: str, accepted: bool, members: Json, seen_at: datetime) -> Json:
    return {
        "case": case,
        "check": None if accepted else 3,
        "first_seen_at": write_instant(seen_at),
        "roster": members,
    }


# Recall

RECALL = Recall(EVENT, ISSUER, 0, 1, "false_positive", AT)
RECALLED = json.loads(read_base64(json.loads(make_recall(RECALL, [SIGNER]))["payload"]))


def recalls() -> Json:
    """The envelope that takes a log back."""
    return {
        "source": "sharing/README.md, Recall and keys; keys, roster and first_seen_at as in"
        " seal-refused.json; `check` is that of Verify, null where it is accepted",
        "recalls": list(_recalls()),
    }


def _recalls() -> Iterator[Json]:
    whole = make_recall(RECALL, [SIGNER])
    yield _recall(None, "the log of seal.json", whole)
    yield _recall(None, "an epoch and all before", recalled(epoch=3, seq=2**32 - 1))
    for check, case, changed in CHANGED:
        yield _recall(check, case, recalled(**changed))
    for check, case, text, other in REPLACED:
        yield _recall(check, case, whole.replace(text.encode(), other.encode(), 1))
    unsigned = write_envelope(RECALL_TYPE, json.dumps(RECALLED).encode(), [])
    yield _recall(3, "signature left out", unsigned)
    wrong = sign_envelope(PAYLOAD_TYPE, json.dumps(RECALLED).encode(), [SIGNER])
    as_seal = write_envelope(RECALL_TYPE, json.dumps(RECALLED).encode(), wrong)
    yield _recall(3, "signed as a seal statement", as_seal)


CHANGED: Sequence[tuple[int, str, Mapping[str, object]]] = [
    (2, "another type", {"_type": "fisn.recall/2"}),
    (2, "unknown reason", {"reason": "regret"}),
    (2, "unknown member", {"note": 1}),
    (2, "seq 0", {"seq": 0}),
    (2, "epoch true", {"epoch": True}),
    (2, "event in upper case", {"event": EVENT.upper()}),
    (2, "iat without an offset", {"iat": "2026-11-22T13:00:00"}),
    (2, "no keys", {"keys": []}),
    (3, "another organisation", {"iss": OTHER}),
    (3, "another key", {"keys": [key_id(OTHER_KEY.public_key())]}),
]
REPLACED = [
    (2, "payload type of a seal", RECALL_TYPE, PAYLOAD_TYPE),
    (2, "member more in the envelope", '{"payload"', '{"note":1,"payload"'),
    (2, "a space before", '{"payload"', ' {"payload"'),
]


def recalled(**changed: object) -> bytes:
    """A signed recall that says other things."""
    payload = json.dumps({**RECALLED, **changed}).encode()
    return write_envelope(RECALL_TYPE, payload, sign_envelope(RECALL_TYPE, payload, [SIGNER]))


def _recall(check: int | None, case: str, raw: bytes) -> Json:
    return {"case": case, "check": check, "envelope": raw.decode()}

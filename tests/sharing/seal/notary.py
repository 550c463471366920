"""A fixed originator: its keys, its roster, and logs it seals. Nothing here is random."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from typing import TypedDict

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA65PrivateKey

from policies.label import Label
from policies.tlp import Pap, Tlp
from sharing.seal.canonical import write_base64
from sharing.seal.delta import Delta, read_delta
from sharing.seal.holding import Holding
from sharing.seal.keys import KeyRegistry, PrivateKey, Signer, key_id, spki_of
from sharing.seal.labels import addressee_record, label_record
from sharing.seal.maps import MaskRun
from sharing.seal.package import read_package
from sharing.seal.records import Header, Kind, Record, SlotType
from sharing.seal.seal import extend, reseal, seal
from sharing.seal.verify import Recipient, Verified, verify, verify_delta

ORG = "0f0e0d0c-0b0a-4908-8706-050403020100"
OTHER = "9a1b5c77-3e0d-4f0e-8f5a-5f6f1f9b7c22"
COMMUNITY = "5a1b5c77-3e0d-4f0e-8f5a-5f6f1f9b7c99"
EVENT = "6f0c6a1e-1111-4222-8333-444455556666"
NOW = datetime(2026, 11, 22, 13, tzinfo=UTC)

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OTHER_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))
ML_DSA_KEY = MLDSA65PrivateKey.from_seed_bytes(bytes(range(32)))
SIGNER = Signer.from_private(KEY)
HYBRID = (SIGNER, Signer.from_private(ML_DSA_KEY))


class _Secrets(TypedDict):
    seed: bytes
    class_salt: bytes


def roster_key(private: PrivateKey, **changed: object) -> dict[str, object]:
    public = private.public_key()
    alg = "ed25519" if isinstance(private, Ed25519PrivateKey) else "ml-dsa-65"
    return {
        "kid": key_id(public),
        "alg": alg,
        "spki": write_base64(spki_of(public)),
        "use": "seal",
        **changed,
    }


def roster(*keys: Mapping[str, object], org: str = ORG) -> dict[str, object]:
    return {"members": [{"org": org, "role": "node", "country": "FR", "keys": list(keys)}]}


ROSTER = json.dumps(roster(roster_key(KEY), roster_key(ML_DSA_KEY))).encode()
REGISTRY = KeyRegistry.read(ROSTER)

EVENT_LABEL = label_record(0, Label(Tlp.GREEN, Pap.GREEN))
STRICT_LABEL = label_record(
    16, Label(Tlp.AMBER, categories=frozenset({"personal"}), only=True, relay=False)
)


def uuid_of(name: object) -> str:
    """A uuid that is always the same for this name."""
    digest = sha256(str(name).encode()).hexdigest()
    return f"{digest[:8]}-{digest[8:12]}-4{digest[13:16]}-8{digest[17:20]}-{digest[20:32]}"


def attribute(name: object, labels: Sequence[int] = (0,), *others: bytes) -> Record:
    """An attribute with a head, and a slot of the next types for each other text."""
    head = b'{"uuid":"%b","type":"domain","value":"%b.example"}' % (
        uuid_of(name).encode(),
        str(name).encode(),
    )
    types = tuple(SlotType)[: 1 + len(others)]
    return Record(Header(Kind.ATTRIBUTE, types, tuple(labels)), (head, *others))


def with_slot(text: bytes, header: str = "02010100") -> list[Record]:
    """The records of a log whose one attribute, or whatever its header says, has this text."""
    return [EVENT_LABEL, Record(Header.decode(bytes.fromhex(header)), (text,))]


def event_records() -> list[Record]:
    """Ten records: two labels, an addressee, a core, four attributes, a tag and a field."""
    return [
        EVENT_LABEL,
        STRICT_LABEL,
        addressee_record(16, party=OTHER),
        Record(
            Header(Kind.CORE, (SlotType.HEAD, SlotType.IDENTITY), (0, 3)),
            (b'{"uuid":"%b","info":"phish"}' % uuid_of("core").encode(), b'{"org":"a hospital"}'),
        ),
        attribute("one"),
        attribute("two", (0, 16), b'{"comment":"ward 17"}'),
        attribute("three", (0, 2, 16), b'{"comment":"x"}', b'{"first_seen":"2026-11-20"}'),
        attribute("four", (1,)),
        Record(Header(Kind.EVENT_TAG, (1,), (0,)), (b'{"name":"tlp:green"}',)),
        Record(
            Header(Kind.FIELD, (SlotType.HEAD, SlotType.VALUE, SlotType.TWIN), (3, 16, 2)),
            (b'{"field":"beds"}', b'{"value":412}', b'{"value":"250-500"}'),
        ),
    ]


def sealed(
    records: Sequence[Record] | None = None,
    *,
    signers: Sequence[Signer] = (SIGNER,),
    epoch: int = 0,
) -> Holding:
    """The first version of a log of these records."""
    return seal(
        event_records() if records is None else records,
        log="event",
        event=EVENT,
        issuer=ORG,
        signers=signers,
        seed=sha256(b"seed").digest(),
        class_salt=sha256(b"class").digest()[:16],
        at=NOW,
        epoch=epoch,
    )


def extended(
    held: Holding,
    append: Sequence[Record] = (),
    void: Iterable[int] = (),
    *,
    signers: Sequence[Signer] = (SIGNER,),
) -> Delta:
    """What leads to the next version; no log of ours is so full of void records that none does."""
    delta = extend(
        held, append=append, void=void, signers=signers, **drawn_after(held.statement.seq), at=NOW
    )
    assert delta is not None
    return delta


def again(
    held: Holding,
    append: Sequence[Record] = (),
    void: Iterable[int] = (),
    salt: object = 0,
    *,
    signers: Sequence[Signer] = (SIGNER,),
) -> Holding:
    """The next version, of the same secrets as `extended` unless `salt` says otherwise."""
    drawn = drawn_after(held.statement.seq, salt)
    return reseal(held, append=append, void=void, signers=signers, **drawn, at=NOW)


def drawn_after(seq: int, salt: object = 0) -> _Secrets:
    """What the originator draws for the version after `seq`."""
    return {
        "seed": sha256(b"s%d" % seq + str(salt).encode()).digest(),
        "class_salt": sha256(b"c%d" % seq).digest()[:16],
    }


def verified(raw: bytes, *, held: Holding | None = None, me: Recipient | None = None) -> Verified:
    """What these bytes prove; RefusedError otherwise."""
    return verify(read_package(raw), REGISTRY, first_seen_at=NOW, held=held, me=me)


def accepted(raw: bytes, *, held: Holding | None = None, me: Recipient | None = None) -> bool:
    """Whether these bytes verify: true, or RefusedError."""
    verified(raw, held=held, me=me)
    return True


def updated(
    raw: bytes, held: Holding, erase: Sequence[MaskRun] = (), *, me: Recipient | None = None
) -> Holding:
    """What this delta, put on top of what is held, proves; RefusedError otherwise."""
    delta = read_delta(raw)
    return verify_delta(delta, REGISTRY, first_seen_at=NOW, held=held, erase=erase, me=me).holding

"""What the seal bench seals: as many attributes as asked for, the same each time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random
from uuid import UUID

import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from policies.label import Label
from policies.tlp import Tlp
from sharing.seal.canonical import write_base64
from sharing.seal.delta import read_delta
from sharing.seal.holding import Holding
from sharing.seal.keys import KeyRegistry, Signer, spki_of
from sharing.seal.labels import label_record
from sharing.seal.package import read_package
from sharing.seal.records import Header, Kind, Record, SlotType
from sharing.seal.seal import extend, seal
from sharing.seal.verify import Verified, verify, verify_delta

ORG = "0f0e0d0c-0b0a-4908-8706-050403020100"
EVENT = "6f0c6a1e-1111-4222-8333-444455556666"
AT = datetime(2026, 11, 22, 13, tzinfo=UTC)
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
SIGNER = Signer.from_private(KEY)

_PLAIN = Header(Kind.ATTRIBUTE, (SlotType.HEAD,), (0,))
_COMMENTED = Header(Kind.ATTRIBUTE, (SlotType.HEAD, SlotType.TEXT), (0, 3))


@dataclass(frozen=True, slots=True)
class Redaction:
    """Which attributes stay: this share of them, neighbours of each other or anywhere."""

    share: float
    clustered: bool

    def __str__(self) -> str:
        """As the tables name it."""
        return f"{self.share:.0%}, {'neighbours' if self.clustered else 'at random'}"

    def masks(self, holding: Holding) -> Mapping[int, int]:
        """The masks of what stays, at least one attribute; the label stays too."""
        label, *attributes = holding.masks
        count = max(1, round(self.share * len(attributes)))
        rnd = Random(count)  # noqa: S311 -- the same choice each time
        if self.clustered:
            start = rnd.randrange(len(attributes) - count + 1)
            kept = attributes[start : start + count]
        else:
            kept = rnd.sample(attributes, count)
        return {index: holding.masks[index] for index in (label, *kept)}


REDACTIONS = tuple(Redaction(share, near) for share in (0.5, 0.01) for near in (True, False))


def attributes(count: int, seed: int = 7) -> list[Record]:
    """That many attributes, about 400 bytes each, two in five with a comment slot."""
    rnd = Random(seed)  # noqa: S311 -- the same attributes each time
    records = []
    for number in range(count):
        head = {
            "uuid": str(UUID(int=rnd.getrandbits(128), version=4)),
            "type": "domain",
            "category": "Network activity",
            "value": f"{rnd.getrandbits(64):x}.{'a' * 40}.example",
            "to_ids": True,
            "timestamp": "1763800000",
            "first_seen": None,
            "last_seen": None,
            "deleted": False,
            "note": "y" * 110,
        }
        comment = {"comment": f"extension {number}, seen by the team on call at the second site"}
        slots = (b"%b" % orjson.dumps(head), b"%b" % orjson.dumps(comment))
        records.append(Record(_COMMENTED, slots) if number % 5 < 2 else Record(_PLAIN, slots[:1]))
    return records


def log_records(count: int) -> list[Record]:
    """A log's records: its label and that many attributes."""
    return [label_record(0, Label(Tlp.GREEN)), *attributes(count)]


def seal_log(records: Sequence[Record]) -> Holding:
    """Their first version."""
    return seal(
        records,
        log="event",
        event=EVENT,
        issuer=ORG,
        signers=[SIGNER],
        seed=bytes(32),
        class_salt=bytes(16),
        at=AT,
    )


def append_to(held: Holding, records: Sequence[Record]) -> bytes:
    """The delta that leads to the next version, which has these records more."""
    delta = extend(
        held,
        append=records,
        void=(),
        signers=[SIGNER],
        seed=bytes(range(32)),
        class_salt=bytes(range(16)),
        at=AT,
    )
    if delta is None:
        raise RuntimeError("the log was to be compacted, which this bench does not measure")
    return delta.encode()


def registry() -> KeyRegistry:
    """Who knows the key that sealed it."""
    key = {
        "kid": SIGNER.kid,
        "alg": "ed25519",
        "spki": write_base64(spki_of(KEY.public_key())),
        "use": "seal",
    }
    return KeyRegistry.read({"members": [{"org": ORG, "keys": [key]}]})


def verify_package(raw: bytes, keys: KeyRegistry) -> Verified:
    """Read and verify a package of it."""
    return verify(read_package(raw), keys, first_seen_at=AT)


def verify_appended(raw: bytes, held: Holding, keys: KeyRegistry) -> Verified:
    """Read and verify what follows `held`."""
    return verify_delta(read_delta(raw), keys, first_seen_at=AT, held=held)

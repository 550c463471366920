"""What sealing and verifying cost, beside the hashes and the one signature they cannot do without.

Everything is measured in one process, in turns, as CPU time. Raw is: SHA-256 over the same bytes,
message by message as the format asks (leaves, commitments, nodes), and one Ed25519 signature, or
one verification of it. Not raw, so what the ratio pays for: salts, JSON, order, tables, bytes.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from random import Random
from statistics import median
from time import process_time
from uuid import UUID

import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from policies.label import Label
from policies.tlp import Tlp
from sharing.seal.canonical import write_base64
from sharing.seal.disclosure import Disclosure
from sharing.seal.dsse import pae
from sharing.seal.holding import Holding
from sharing.seal.keys import KeyRegistry, Signer, spki_of
from sharing.seal.labels import label_record
from sharing.seal.package import read_package, write_package
from sharing.seal.records import Header, Kind, Record, SlotType
from sharing.seal.salts import split_salts
from sharing.seal.seal import seal
from sharing.seal.statement import PAYLOAD_TYPE
from sharing.seal.verify import verify

ORG = "0f0e0d0c-0b0a-4908-8706-050403020100"
EVENT = "6f0c6a1e-1111-4222-8333-444455556666"
AT = datetime(2026, 11, 22, 13, tzinfo=UTC)
ROUNDS = 9

PLAIN = Header(Kind.ATTRIBUTE, (SlotType.HEAD,), (0,))
COMMENTED = Header(Kind.ATTRIBUTE, (SlotType.HEAD, SlotType.TEXT), (0, 3))

Row = dict[str, str | float]


def run(sizes: Sequence[int] = (1_000, 10_000), rounds: int = ROUNDS) -> list[Row]:
    """Return two rows a size: what, attributes, CPU ms of ours and of raw, and the ratios."""
    return [row for size in sizes for row in _measure(size, rounds)]


def attributes(count: int, seed: int = 7) -> list[Record]:
    """Return that many attributes, about 440 bytes each, two in five with a comment slot."""
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
        slots = (orjson.dumps(head), orjson.dumps(comment))
        records.append(Record(COMMENTED, slots) if number % 5 < 2 else Record(PLAIN, slots[:1]))
    return records


def _measure(size: int, rounds: int) -> list[Row]:
    private = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
    signer, public = Signer.from_private(private), private.public_key()
    key = {
        "kid": signer.kid,
        "alg": "ed25519",
        "spki": write_base64(spki_of(public)),
        "use": "seal",
    }
    registry = KeyRegistry.read({"members": [{"org": ORG, "keys": [key]}]})
    records = [label_record(0, Label(Tlp.GREEN)), *attributes(size)]

    def make() -> Holding:
        return seal(
            records,
            log="event",
            event=EVENT,
            issuer=ORG,
            signers=[signer],
            seed=bytes(32),
            class_salt=bytes(16),
            at=AT,
        )

    holding = make()
    raw = write_package(holding)
    message = pae(PAYLOAD_TYPE, holding.payload)
    signature = private.sign(message)
    hashed = _messages(holding.disclosure)

    seal_ms, raw_seal_ms, verify_ms, raw_verify_ms = _in_turns(
        rounds,
        make,
        lambda: (_hash(hashed), private.sign(message)),
        lambda: verify(read_package(raw), registry, first_seen_at=AT),
        lambda: (_hash(hashed), public.verify(signature, message)),
    )
    return [
        _row("seal", size, seal_ms, raw_seal_ms),
        _row("read and verify", size, verify_ms, raw_verify_ms),
    ]


def _messages(disclosure: Disclosure) -> list[bytes]:
    """Return every message that is hashed for this log, as long as it is there."""
    messages = []
    salts = iter(split_salts(disclosure.salts))
    slots = iter(disclosure.slots)
    for band in disclosure.bands:
        for _ in range(band.length):
            leaf = b"\x00" + band.header.encoded
            if band.header.width == 1:
                messages.append(leaf + next(salts) + next(slots))
                continue
            messages += [b"\x02" + next(salts) + next(slots) for _ in range(band.header.width)]
            messages.append(leaf + bytes(32 * band.header.width))
    nodes = disclosure.count - 1
    return messages + [b"\x01" + bytes(64)] * nodes


def _hash(messages: Sequence[bytes]) -> list[bytes]:
    return [sha256(message).digest() for message in messages]


def _in_turns(rounds: int, *works: Callable[[], object]) -> list[list[float]]:
    """Return the CPU milliseconds of each piece of work, all of them done once in each round."""
    spent: list[list[float]] = [[] for _ in works]
    for _ in range(rounds):
        for work, times in zip(works, spent, strict=True):
            started = process_time()
            work()
            times.append(1000 * (process_time() - started))
    return spent


def _row(what: str, size: int, ours: Sequence[float], raw: Sequence[float]) -> Row:
    return {
        "what": what,
        "attributes": size,
        "min_ms": round(min(ours), 2),
        "median_ms": round(median(ours), 2),
        "raw_min_ms": round(min(raw), 2),
        "raw_median_ms": round(median(raw), 2),
        "ratio": round(min(ours) / min(raw), 2),
        "median_ratio": round(median(ours) / median(raw), 2),
    }

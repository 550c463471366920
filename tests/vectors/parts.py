"""`seal-parts.json`: the small forms, each alone; and what nobody may read as one of them.

`seal.json`, the known answer, is here as well: an older file, kept as it is.
"""

from hashlib import sha256

from sharing.seal.canonical import write_varint
from sharing.seal.holding import Holding
from sharing.seal.labels import LabelTable
from sharing.seal.maps import encode_map, projection_digest
from sharing.seal.package import read_package, write_package
from sharing.seal.records import Header, Record
from sharing.seal.salts import draw, expand, split_salts
from sharing.seal.tables import ClassTable, encode_void, void_digest
from tests.vectors.originator import (
    COMMUNITY,
    EVENT,
    ISSUER,
    KEY,
    KNOWN,
    KNOWN_MASKS,
    ML_DSA_KEY,
    OTHER,
    OTHER_KEY,
    SEED,
    Json,
    addressee,
    known,
    label,
    roster_key,
    told,
)


def known_answer() -> Json:
    """One log, step by step."""
    held = known()
    (chunk,), (stretch,), (signature,) = (
        held.disclosure.chunks,
        held.disclosure.leaves(),
        held.signatures,
    )
    table = held.classes.encode() if held.classes else b""
    return {
        "source": "design page sealing.md §2.13, reproduced byte for byte; packages written by this"
        " implementation and read by an independent one",
        "private_key": SEED.hex(),
        "S": bytes(32).hex(),
        "csalt": bytes(16).hex(),
        "log": "event",
        "event": EVENT,
        "issuer": ISSUER,
        "at": "2026-11-22T13:00:00Z",
        "records": told(KNOWN),
        "kid": held.statement.keys[0],
        "seed_0": chunk.seed.hex(),
        "salts": [salt.hex() for salt in split_salts(expand(chunk.seed, 5))],
        "leaves": [leaf.hex() for leaf in stretch.hashes],
        "root": held.statement.root.hex(),
        "ctable": table[16:].hex(),
        "payload": held.payload.decode(),
        "sig": signature.sig.hex(),
        "seal": held.statement.seal,
        "package": write_package(held).decode(),
        "redacted": _redacted(held),
    }


def _redacted(held: Holding) -> Json:
    raw = write_package(held, KNOWN_MASKS)
    (proof,) = read_package(raw).proof
    return {
        "masks": {str(index): mask for index, mask in KNOWN_MASKS.items()},
        "proof": proof.hex(),
        "line": raw.splitlines()[-1].decode(),
        "map": encode_map(KNOWN_MASKS).hex(),
        "digest": held.narrowed(KNOWN_MASKS).digest,
        "package": raw.decode(),
    }


# The small forms

VARINTS = [0, 1, 127, 128, 16383, 16384, 2**20, 2**32 - 1, 2**35 - 1]
NO_VARINTS = ["", "80", "8000", "ff00", "8080808080", "808080808001", "ffffffffff01"]
NO_BASE64 = ["A", "AA", "AA=", "AB==", "AAA", "AAB=", "AA== ", "A\nA=", "AA-_", "AAAA=", "=AAA"]
NO_HEADERS = [
    "",
    "02",
    "0200",
    "020101",
    "0201010000",
    "00010100",
    "02010000",
    "020201000100",
    "020202000100",
    "02010106",
    "0201010f",
    "0c010100",
    "0d020101020a",
    "0211" + "".join(f"{number:02x}00" for number in range(1, 18)),
]
VOID = [[], [0], [0, 1, 2], [5, 133, 134, 20000], [2**20 - 1]]
NO_VOID = ["80", "8000", "ffffff7f", "ffff3f00"]
MASKS: list[dict[int, int]] = [
    {},
    {0: 1},
    {0: 1, 1: 1, 2: 1},
    {0: 1, 1: 3, 2: 3, 4: 3, 300: 0xFFFF},
    {7: 0b101, 8: 0b010},
]
NO_MAPS = ["00", "0001", "000100", "00010000", "00000001", "0001000100010001", "800001000100"]
TABLES = [
    [(1, "0c010101")],
    [(1, "0c010101"), (300, "02010100"), (1, "020201000205")],
]
NO_TABLES = ["00", "01", "000c010101", "010c010101010c010101", "0102010106", "810001020100"]
WIDTHS = [1 + number % 3 for number in range(33)]
LABELS = [
    label(0, "green", pap="green", categories=["personal"], until="2026-12-01T00:00:00Z"),
    label(16, "amber", pap="amber", only=True, relay=False),
    label(17, "clear", categories=["weather"], until="2027-01-01T00:00:00Z"),
]
ADDRESSEES = [addressee(0, party=OTHER), addressee(16, community=COMMUNITY)]


def parts() -> Json:
    """The file."""
    return {
        "source": "sharing/README.md; bytes in hex, base64 as it stands",
        "varints": [{"number": number, "hex": write_varint(number).hex()} for number in VARINTS],
        "varints_refused": NO_VARINTS,
        "base64_refused": NO_BASE64,
        "headers_refused": NO_HEADERS,
        "void": [_void(indices) for indices in VOID],
        "void_refused": NO_VOID,
        "maps": [_map(masks) for masks in MASKS],
        "maps_refused": NO_MAPS,
        "class_tables": [_table(runs) for runs in TABLES],
        "class_tables_refused": NO_TABLES,
        "salts": _salts(),
        "leaves": _leaves(),
        "keys": [roster_key(private) for private in (KEY, OTHER_KEY, ML_DSA_KEY)],
        "labels": _labels(),
    }


def _void(indices: list[int]) -> Json:
    encoded = encode_void(indices)
    return {"indices": indices, "hex": encoded.hex(), "digest": void_digest(encoded).hex()}


def _map(masks: dict[int, int]) -> Json:
    encoded = encode_map(masks)
    payload = known().payload
    return {
        "masks": [[index, mask] for index, mask in masks.items()],
        "hex": encoded.hex(),
        "seal": sha256(payload).hexdigest(),
        "digest": projection_digest(payload, encoded),
    }


def _table(runs: list[tuple[int, str]]) -> Json:
    headers = [(count, Header.decode(bytes.fromhex(header))) for count, header in runs]
    table = ClassTable.of(SEED[:16], headers)
    return {
        "runs": [[count, header] for count, header in runs],
        "csalt": SEED[:16].hex(),
        "hex": table.encode()[16:].hex(),
        "digest": table.digest.hex(),
    }


def _salts() -> Json:
    """A batch of 33 records: two chunks."""
    chunks, salts = draw(SEED, WIDTHS, 100)
    return {
        "S": SEED.hex(),
        "first": 100,
        "slots": WIDTHS,
        "seeds": [[chunk.first, chunk.count, chunk.seed.hex()] for chunk in chunks],
        "salts": [salt.hex() for salt in split_salts(salts)],
    }


def _leaves() -> list[Json]:
    """Of the records of seal.json, with the salts there."""
    (stretch,) = known().disclosure.leaves()
    salts = iter(split_salts(known().disclosure.salts))
    return [
        _leaf(item, leaf, [next(salts) for _ in item.slots])
        for item, leaf in zip(KNOWN, stretch.hashes, strict=True)
    ]


def _leaf(item: Record, leaf: bytes, salts: list[bytes]) -> Json:
    slots = zip(salts, item.slots, strict=True)
    commitments = [sha256(b"\x02" + salt + slot).hexdigest() for salt, slot in slots]
    return {
        **told([item])[0],
        "salts": [salt.hex() for salt in salts],
        "commitments": commitments if len(salts) > 1 else [],
        "leaf": leaf.hex(),
    }


def _labels() -> Json:
    records = [*LABELS, *ADDRESSEES]
    table = LabelTable.read(
        (item.slots[0] for item in LABELS), (item.slots[0] for item in ADDRESSEES)
    )
    return {
        "records": told(records),
        "effective": [_effective(table, byte) for byte in (0, 1, 3, 5, 16, 17)],
    }


def _effective(table: LabelTable, byte: int) -> Json:
    effective = table.effective(byte)
    return {
        "byte": byte,
        "tlp": effective.tlp.word,
        "pap": effective.pap.word,
        "categories": sorted(effective.categories),
        "until": effective.until.isoformat() if effective.until else None,
        "only": effective.only,
        "relay": effective.relay,
        "addressed": sorted(table.addressees(byte)),
    }

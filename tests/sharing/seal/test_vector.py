"""The vectors of the format: our implementation makes and reads them, and refuses the others."""

import json
from base64 import b64decode
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sharing.errors import BadRosterError, RefusedError, UnreadableError
from sharing.seal.canonical import read_base64, read_varint, write_varint
from sharing.seal.delta import read_delta
from sharing.seal.holding import Holding
from sharing.seal.keys import KeyRegistry, Signer
from sharing.seal.labels import LabelTable
from sharing.seal.maps import MaskRun, decode_map, encode_map, projection_digest
from sharing.seal.merging import merge
from sharing.seal.package import read_package, write_package
from sharing.seal.recall import verify_recall
from sharing.seal.records import Header, Record
from sharing.seal.salts import draw, expand, split_salts
from sharing.seal.seal import seal
from sharing.seal.statement import statement_digest
from sharing.seal.tables import ClassTable, decode_void, encode_void, void_digest
from sharing.seal.verify import Recipient, Verified, verify, verify_delta
from tests.vectors import make

VECTORS = Path(make.__file__).parent
Row = Mapping[str, Any]


def read(name: str) -> dict[str, Any]:
    vectors: dict[str, Any] = json.loads((VECTORS / name).read_text(encoding="utf-8"))
    return vectors


VECTOR, PARTS, HISTORY = read("seal.json"), read("seal-parts.json"), read("seal-versions.json")
REFUSED = read("seal-refused.json")
SUITES, KEYS = read("seal-suites.json"), read("seal-keys.json")
REGISTRY = KeyRegistry.read(REFUSED["roster"])
NOW = datetime.fromisoformat(REFUSED["first_seen_at"])


def each(rows: Iterable[Row]) -> pytest.MarkDecorator:
    """A test for each row, which is called by its case."""
    return pytest.mark.parametrize("row", rows, ids=lambda row: row["case"])


@pytest.mark.parametrize("name", make.FILES)
def test_a_file_holds_what_the_script_makes(name: str) -> None:
    assert (VECTORS / name).read_text(encoding="utf-8") == make.text_of(name)


# The known answer


@pytest.fixture(scope="module")
def holding() -> Holding:
    key = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(VECTOR["private_key"]))
    return seal(
        [
            Record(
                Header.decode(bytes.fromhex(record["hdr"])),
                tuple(slot.encode() for slot in record["slots"]),
            )
            for record in VECTOR["records"]
        ],
        log=VECTOR["log"],
        event=VECTOR["event"],
        issuer=VECTOR["issuer"],
        signers=[Signer.from_private(key)],
        seed=bytes.fromhex(VECTOR["S"]),
        class_salt=bytes.fromhex(VECTOR["csalt"]),
        at=datetime.fromisoformat(VECTOR["at"]),
    )


def test_seed_and_salts_are_those_of_the_vector(holding: Holding) -> None:
    (chunk,) = holding.disclosure.chunks
    assert chunk.seed.hex() == VECTOR["seed_0"]
    assert [salt.hex() for salt in split_salts(expand(chunk.seed, 5))] == VECTOR["salts"]


def test_leaves_and_root_are_those_of_the_vector(holding: Holding) -> None:
    (stretch,) = holding.disclosure.leaves()
    assert [leaf.hex() for leaf in stretch.hashes] == VECTOR["leaves"]
    assert holding.statement.root.hex() == VECTOR["root"]


def test_class_table_is_that_of_the_vector(holding: Holding) -> None:
    assert holding.classes is not None
    assert holding.classes.encode().hex() == VECTOR["csalt"] + VECTOR["ctable"]


def test_statement_and_signature_are_those_of_the_vector(holding: Holding) -> None:
    assert holding.payload == VECTOR["payload"].encode()
    assert len(holding.payload) == 504
    assert statement_digest(holding.payload) == holding.statement.seal == VECTOR["seal"]
    (signature,) = holding.signatures
    assert (signature.keyid, signature.sig.hex()) == (VECTOR["kid"], VECTOR["sig"])


def test_package_is_that_of_the_vector(holding: Holding) -> None:
    assert write_package(holding) == VECTOR["package"].encode()


def test_redacted_package_is_that_of_the_vector(holding: Holding) -> None:
    expected = VECTOR["redacted"]
    masks = {int(index): mask for index, mask in expected["masks"].items()}
    raw = write_package(holding, masks)
    assert raw == expected["package"].encode()
    assert raw.endswith(b"\n" + expected["line"].encode() + b"\n")
    assert [node.hex() for node in read_package(raw).proof] == [expected["proof"]]


def test_map_and_digest_are_those_of_the_vector(holding: Holding) -> None:
    expected = VECTOR["redacted"]
    masks = {int(index): mask for index, mask in expected["masks"].items()}
    assert encode_map(masks).hex() == expected["map"]
    assert projection_digest(holding.payload, encode_map(masks)) == expected["digest"]
    assert holding.narrowed(masks).digest == expected["digest"]


@pytest.mark.parametrize("package", [VECTOR["package"], VECTOR["redacted"]["package"]])
def test_the_vector_itself_verifies(package: str) -> None:
    assert taken(package).holding.payload == VECTOR["payload"].encode()


# The small forms


def test_varints_have_one_spelling() -> None:
    for row in PARTS["varints"]:
        raw = bytes.fromhex(row["hex"])
        assert (write_varint(row["number"]), read_varint(raw, 0)) == (
            raw,
            (row["number"], len(raw)),
        )


def test_void_sets_have_one_spelling() -> None:
    for row in PARTS["void"]:
        raw = bytes.fromhex(row["hex"])
        assert (encode_void(row["indices"]), list(decode_void(raw))) == (raw, row["indices"])
        assert void_digest(raw).hex() == row["digest"]


def test_maps_have_one_spelling_and_name_a_projection() -> None:
    for row in PARTS["maps"]:
        raw, masks = bytes.fromhex(row["hex"]), dict(row["masks"])
        assert (encode_map(masks), decode_map(raw)) == (raw, masks)
        assert projection_digest(VECTOR["payload"].encode(), raw) == row["digest"]
        assert sha256(VECTOR["payload"].encode()).hexdigest() == row["seal"]


def test_class_tables_have_one_spelling() -> None:
    for row in PARTS["class_tables"]:
        raw = bytes.fromhex(row["csalt"] + row["hex"])
        table = ClassTable.decode(raw)
        told = [[count, header.encoded.hex()] for count, header in table.runs]
        assert (table.encode(), told, table.digest.hex()) == (raw, row["runs"], row["digest"])


REFUSED_FORMS: Mapping[str, Callable[[str], object]] = {
    "varints_refused": lambda text: read_varint(bytes.fromhex(text), 0),
    "base64_refused": read_base64,
    "headers_refused": lambda text: Header.decode(bytes.fromhex(text)),
    "void_refused": lambda text: decode_void(bytes.fromhex(text)),
    "maps_refused": lambda text: decode_map(bytes.fromhex(text)),
    "class_tables_refused": lambda text: ClassTable.decode(bytes(16) + bytes.fromhex(text)),
}


@pytest.mark.parametrize("name", REFUSED_FORMS)
def test_another_spelling_is_refused(name: str) -> None:
    assert PARTS[name]
    for text in PARTS[name]:
        with pytest.raises(UnreadableError):
            REFUSED_FORMS[name](text)


def test_salts_come_by_chunks() -> None:
    row = PARTS["salts"]
    chunks, salts = draw(bytes.fromhex(row["S"]), row["slots"], row["first"])
    assert [[c.first, c.count, c.seed.hex()] for c in chunks] == row["seeds"]
    assert [salt.hex() for salt in split_salts(salts)] == row["salts"]


def test_leaves_are_hashed_as_the_specification_says() -> None:
    """Written out once more, by hand."""
    for row in PARTS["leaves"]:
        salts = [bytes.fromhex(salt) for salt in row["salts"]]
        pairs = [salt + slot.encode() for salt, slot in zip(salts, row["slots"], strict=True)]
        hashed = [sha256(b"\x02" + pair).digest() for pair in pairs]
        below = hashed if len(pairs) > 1 else pairs
        leaf = sha256(b"\x00" + bytes.fromhex(row["hdr"]) + b"".join(below)).hexdigest()
        assert leaf == row["leaf"]
        assert row["commitments"] in ([item.hex() for item in hashed], [])


def test_labels_mean_what_the_vector_says() -> None:
    told = PARTS["labels"]["records"]
    slots = [[row["slots"][0].encode() for row in told if row["hdr"] == hdr] for hdr in LABELLING]
    table = LabelTable.read(*slots)
    for row in PARTS["labels"]["effective"]:
        label = table.effective(row["byte"])
        assert (label.tlp.word, label.pap.word) == (row["tlp"], row["pap"])
        assert (sorted(label.categories), label.only, label.relay) == (
            row["categories"],
            row["only"],
            row["relay"],
        )
        assert (label.until and label.until.isoformat()) == row["until"]
        assert sorted(table.addressees(row["byte"])) == row["addressed"]


LABELLING = ("0c010101", "0d010101")


# Refused, and accepted at the edge


def taken(raw: bytes | str, **more: Any) -> Verified:
    package = read_package(raw.encode() if isinstance(raw, str) else raw)
    return verify(package, more.pop("registry", REGISTRY), first_seen_at=NOW, **more)


def check_of(take: Callable[[], object]) -> int | None:
    """The check by which it is refused, if it is."""
    try:
        take()
    except RefusedError as error:
        return error.check
    return None


@each([*REFUSED["refused"], *read("seal-altered.json")["refused"]])
def test_an_altered_package_is_refused_by_its_check(row: Row) -> None:
    assert check_of(lambda: taken(row["package"])) == row["check"]


@each(read("seal-signed.json")["packages"])
def test_what_the_originator_signed_is_judged_as_the_vector_says(row: Row) -> None:
    raw = row["package"].encode() if "package" in row else b64decode(row["package_base64"])
    me = row.get("me")
    recipient = Recipient(me["org"], frozenset(me["communities"])) if me else None
    assert check_of(lambda: taken(raw, me=recipient)) == row["check"]


# Versions, deltas, merges


@pytest.fixture(scope="module")
def held() -> dict[str, Holding]:
    """Each projection of the log, by name."""
    return {row["name"]: taken(row["package"]).holding for row in HISTORY["projections"]}


def erased(row: Row) -> list[MaskRun]:
    return [MaskRun(*run) for run in row["erase"]]


def test_versions_are_chained(held: dict[str, Holding]) -> None:
    names = [row["version"] for row in HISTORY["versions"]]
    assert [held[f"{name} everything"].statement.seal for name in names] == [
        row["seal"] for row in HISTORY["versions"]
    ]
    for row, later in pairwise(HISTORY["versions"]):
        assert statement_digest(row["payload"].encode()) == row["seal"]
        assert json.loads(later["payload"])["prev"] == row["seal"]


@pytest.mark.parametrize("row", HISTORY["projections"], ids=lambda row: row["name"])
def test_a_projection_has_its_map_and_name(row: Row, held: dict[str, Holding]) -> None:
    assert held[row["name"]].encoded_map.hex() == row["map"]
    assert held[row["name"]].digest == row["digest"]


@each(HISTORY["deltas"])
def test_a_delta_makes_the_package(row: Row, held: dict[str, Holding]) -> None:
    delta, before = read_delta(row["delta"].encode()), held[row["held"]]
    after = verify_delta(delta, REGISTRY, first_seen_at=NOW, held=before, erase=erased(row)).holding
    expected = next(item for item in HISTORY["projections"] if item["name"] == row["makes"])
    assert after.digest == expected["digest"]
    assert write_package(after).decode() == expected["package"]


@each(HISTORY["merges"])
def test_copies_of_one_version_are_merged(row: Row) -> None:
    left, right = (taken(raw).holding for raw in row["packages"])
    for union in (merge(left, right), merge(right, left)):
        assert write_package(union).decode() == row["merged"]
        assert union.digest == row["digest"]
    assert taken(row["merged"]).holding.masks.keys() == left.masks.keys() | right.masks.keys()


@each(read("seal-updates.json")["updates"])
def test_what_comes_after_something_is_judged_as_the_vector_says(
    row: Row, held: dict[str, Holding]
) -> None:
    before = held[row["held"]]

    def take() -> object:
        if "package" in row:
            return taken(row["package"], held=before)
        delta = read_delta(row["delta"].encode())
        return verify_delta(delta, REGISTRY, first_seen_at=NOW, held=before, erase=erased(row))

    assert check_of(take) == row["check"]


# Keys, suites, recall


@each(SUITES["packages"])
def test_two_signatures_are_judged_as_the_vector_says(row: Row) -> None:
    registry = KeyRegistry.read(SUITES["roster"])
    assert check_of(lambda: taken(row["package"], registry=registry)) == row["check"]


@each(KEYS["unusable"])
def test_an_unusable_key_is_set_aside(row: Row) -> None:
    registry = KeyRegistry.read({"members": [{**MEMBER, "keys": [row["entry"]]}]})
    assert (set(registry.keys), set(registry.unusable)) == (set(), {row["entry"]["kid"]})


MEMBER = REFUSED["roster"]["members"][0]


@each(KEYS["refused"])
def test_a_roster_is_refused(row: Row) -> None:
    with pytest.raises(BadRosterError):
        KeyRegistry.read(json.dumps(row["roster"]).encode())


@each(KEYS["verdicts"])
def test_a_key_counts_as_the_vector_says(row: Row) -> None:
    seen_at = datetime.fromisoformat(row["first_seen_at"])
    registry, package = KeyRegistry.read(row["roster"]), read_package(VECTOR["package"].encode())
    verdict = check_of(lambda: verify(package, registry, first_seen_at=seen_at))
    assert verdict == row["check"]


@each(read("seal-recall.json")["recalls"])
def test_a_recall_is_judged_as_the_vector_says(row: Row) -> None:
    raw = row["envelope"].encode()
    assert check_of(lambda: verify_recall(raw, REGISTRY, first_seen_at=NOW)) == row["check"]

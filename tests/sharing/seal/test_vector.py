"""The known-answer vector of the format: input, fixed key, exact bytes; and what is refused."""

import json
from datetime import datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sharing.errors import RefusedError
from sharing.seal.holding import Holding
from sharing.seal.keys import KeyRegistry, Signer
from sharing.seal.maps import encode_map, projection_digest
from sharing.seal.package import read_package, write_package
from sharing.seal.records import Header, Record
from sharing.seal.salts import expand, split_salts
from sharing.seal.seal import seal
from sharing.seal.statement import statement_digest
from sharing.seal.verify import Verified, verify

VECTORS = Path(__file__).parents[2] / "vectors"
VECTOR = json.loads((VECTORS / "seal.json").read_text(encoding="utf-8"))
REFUSED = json.loads((VECTORS / "seal-refused.json").read_text(encoding="utf-8"))


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


@pytest.mark.parametrize("row", REFUSED["refused"], ids=lambda row: row["case"])
def test_an_altered_vector_is_refused_by_its_check(row: dict[str, str]) -> None:
    with pytest.raises(RefusedError) as refused:
        _verify(row["package"])
    assert refused.value.check == int(row["check"])


@pytest.mark.parametrize("package", [VECTOR["package"], VECTOR["redacted"]["package"]])
def test_the_vector_itself_verifies(package: str) -> None:
    assert _verify(package).holding.payload == VECTOR["payload"].encode()


def _verify(package: str) -> Verified:
    first_seen_at = datetime.fromisoformat(REFUSED["first_seen_at"])
    registry = KeyRegistry.read(REFUSED["roster"])
    return verify(read_package(package.encode()), registry, first_seen_at=first_seen_at)

"""Signatures that were altered, and statements that are signed and wrong: which check refuses."""

import json
from base64 import b64encode
from collections.abc import Callable, Mapping
from hashlib import sha256

import pytest

from sharing.errors import RefusedError
from sharing.seal.canonical import read_base64, write_base64
from sharing.seal.dsse import pae, sign_envelope, write_signatures
from sharing.seal.keys import KeyRegistry, Signer
from sharing.seal.package import read_package
from sharing.seal.statement import PAYLOAD_TYPE
from sharing.seal.verify import verify
from tests.sharing.seal.altering import Alteration, Json, Row, both, put, refused_by, rows, turn
from tests.sharing.seal.notary import (
    HYBRID,
    KEY,
    ML_DSA_KEY,
    NOW,
    ORG,
    OTHER,
    OTHER_KEY,
    SIGNER,
    roster,
    roster_key,
    sealed,
    verified,
)
from tests.sharing.seal.shapes import SHAPES

ONE, TWO = SHAPES["some of it void"].raw, SHAPES["two signatures, redacted"].raw
ORDER = 2**252 + 27742317777372353535851937790883648493
FOREIGN = Signer.from_private(OTHER_KEY)
ML_DSA = HYBRID[1]
Sigs = list[Json]


def sigs(change: Callable[[Sigs], Sigs]) -> Alteration:
    return turn("sigs", change)


def first(**changed: object) -> Alteration:
    """Other members in the first signature."""
    return sigs(lambda all_: [all_[0] | changed, *all_[1:]])


def first_bytes(change: Callable[[bytes], bytes]) -> Alteration:
    """Another first signature."""
    return sigs(lambda all_: [all_[0] | {"sig": _changed(all_[0]["sig"], change)}, *all_[1:]])


def signed_by(*signers: Signer, **said: object) -> Alteration:
    """Other words in the payload, and whoever signs that."""

    def alter(raw: bytes) -> bytes:
        payload = json.loads(_payload(raw)) | said
        return _stated(json.dumps(payload, separators=(",", ":")).encode(), *signers)(raw)

    return alter


def _stated(payload: bytes, *signers: Signer, type_: str = PAYLOAD_TYPE) -> Alteration:
    signatures = sign_envelope(type_, payload, signers)
    return both(put("payload", write_base64(payload)), put("sigs", write_signatures(signatures)))


def _payload(raw: bytes) -> bytes:
    return read_package(raw).statement.payload


def _changed(encoded: str, change: Callable[[bytes], bytes]) -> str:
    return write_base64(change(read_base64(encoded)))


def _plus_order(sig: bytes) -> bytes:
    """The same point, and another number that gives the same multiple of it."""
    number = int.from_bytes(sig[32:], "little") + ORDER
    return sig[:32] + number.to_bytes(32, "little")


def _other_context(raw: bytes) -> bytes:
    """The second signature made over the same bytes for another purpose."""
    message = pae(PAYLOAD_TYPE, _payload(raw))
    sig = write_base64(ML_DSA_KEY.sign(message, context=b"fisn.recall.v1"))
    return sigs(lambda all_: [all_[0], all_[1] | {"sig": sig}])(raw)


SIGNATURES: list[Row] = [
    ("none", 3, sigs(lambda _: [])),
    ("null", 2, put("sigs", None)),
    ("an object", 2, sigs(lambda all_: all_[0])),  # type: ignore[arg-type,return-value]
    ("of texts", 2, sigs(lambda all_: [all_[0]["sig"]])),
    ("twice", 3, sigs(lambda all_: all_ * 2)),
    ("null beside it", 2, sigs(lambda all_: [*all_, None])),  # type: ignore[list-item]
    ("bit of R", 3, first_bytes(lambda sig: bytes((sig[0] ^ 1,)) + sig[1:])),
    ("bit of S", 3, first_bytes(lambda sig: sig[:40] + bytes((sig[40] ^ 1,)) + sig[41:])),
    ("zeros", 3, first_bytes(lambda _: bytes(64))),
    ("neutral point", 3, first_bytes(lambda _: b"\x01" + bytes(63))),
    ("S plus the order", 3, first_bytes(_plus_order)),
    ("one byte less", 3, first_bytes(lambda sig: sig[:-1])),
    ("one byte more", 3, first_bytes(lambda sig: sig + b"\x00")),
    ("empty", 3, first(sig="")),
    ("sig null", 2, first(sig=None)),
    ("sig unpadded", 2, sigs(lambda all_: [all_[0] | {"sig": all_[0]["sig"].rstrip("=")}])),
    ("sig in hex", 3, sigs(lambda all_: [all_[0] | {"sig": read_base64(all_[0]["sig"]).hex()}])),
    ("keyid of another", 3, first(keyid=FOREIGN.kid)),
    ("keyid empty", 3, first(keyid="")),
    ("keyid null", 2, first(keyid=None)),
    ("keyid padded", 3, first(keyid=SIGNER.kid + "=")),
    ("keyid absent", 2, sigs(lambda all_: [{"sig": all_[0]["sig"]}])),
    ("sig absent", 2, sigs(lambda all_: [{"keyid": all_[0]["keyid"]}])),
    ("a member more", 2, first(alg="none")),
    ("of another payload", 3, sigs(lambda _: list(write_signatures(sealed().signatures)))),
    ("of another type", 3, lambda raw: _stated(_payload(raw), SIGNER, type_="text/plain")(raw)),
    ("of the payload alone", 3, first(sig=write_base64(KEY.sign(_payload(ONE))))),
]
TWO_SIGNATURES: list[Row] = [
    ("the weaker alone", 3, sigs(lambda all_: all_[:1])),
    ("the stronger alone", 3, sigs(lambda all_: all_[1:])),
    ("swapped", 3, sigs(lambda all_: all_[::-1])),
    ("one of them twice", 3, sigs(lambda all_: [all_[0]] * 2)),
    ("one more", 3, sigs(lambda all_: [*all_, all_[0]])),
    ("key ids swapped", 3, sigs(lambda a: [a[0] | {"keyid": a[1]["keyid"]}, a[1]])),
    ("one renamed", 3, sigs(lambda all_: [all_[0], all_[1] | {"keyid": FOREIGN.kid}])),
    ("one of the other", 3, sigs(lambda all_: [all_[0], all_[1] | {"sig": all_[0]["sig"]}])),
    ("bit of the first", 3, first_bytes(lambda sig: sig[:5] + bytes((sig[5] ^ 1,)) + sig[6:])),
    ("bit of the second", 3, sigs(lambda a: [a[0], a[1] | {"sig": _changed(a[1]["sig"], _bit)}])),
    ("the second made for another purpose", 3, _other_context),
]
OUTSIDERS: list[Row] = [
    ("a key nobody knows", 3, signed_by(FOREIGN, keys=[FOREIGN.kid])),
    (
        "a key nobody knows beside ours",
        3,
        signed_by(SIGNER, FOREIGN, keys=[SIGNER.kid, FOREIGN.kid]),
    ),
    ("a key nobody knows in our key's name", 3, both(signed_by(FOREIGN), first(keyid=SIGNER.kid))),
    ("our key for another organisation", 3, signed_by(SIGNER, iss=OTHER)),
    ("two keys listed, one signature", 3, signed_by(SIGNER, keys=[SIGNER.kid, ML_DSA.kid])),
    ("two signatures, one key listed", 3, signed_by(*HYBRID)),
    ("keys in another order than signed", 3, signed_by(*HYBRID, keys=[ML_DSA.kid, SIGNER.kid])),
]


def _bit(raw: bytes) -> bytes:
    return raw[:1000] + bytes((raw[1000] ^ 1,)) + raw[1001:]


@rows(SIGNATURES)
def test_an_altered_signature_is_refused(check: int, alter: Alteration) -> None:
    assert refused_by(verified, alter(ONE)) == check


@rows(TWO_SIGNATURES)
def test_two_signatures_stay_two(check: int, alter: Alteration) -> None:
    assert refused_by(verified, alter(TWO)) == check


@rows(OUTSIDERS)
def test_only_the_keys_that_are_listed_and_known_sign(check: int, alter: Alteration) -> None:
    assert refused_by(verified, alter(ONE)) == check


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"use": "transport"}, "transport key"),
        ({"compromised_since": "2026-11-01T00:00:00Z"}, "compromised"),
        ({"compromised_since": "2026-11-22T13:00:00Z"}, "compromised"),
    ],
)
def test_one_bad_key_of_two_is_enough_to_refuse(changed: Mapping[str, object], why: str) -> None:
    package = read_package(TWO)
    for keys in (
        [roster_key(KEY, **changed), roster_key(ML_DSA_KEY)],
        [roster_key(KEY), roster_key(ML_DSA_KEY, **changed)],
    ):
        registry = KeyRegistry.read(roster(*keys))
        with pytest.raises(RefusedError, match=why) as refused:
            verify(package, registry, first_seen_at=NOW)
        assert refused.value.check == 3


@pytest.mark.parametrize("seal_key", [FOREIGN, SIGNER])
def test_a_key_speaks_for_its_own_organisation_alone(seal_key: Signer) -> None:
    """Not beside the right one, either."""
    ours, theirs = roster(roster_key(KEY)), roster(roster_key(OTHER_KEY), org=OTHER)
    registry = KeyRegistry.read({"members": [*_members(ours), *_members(theirs)]})
    said = {"iss": ORG if seal_key is FOREIGN else OTHER}
    for signers in ([seal_key], [SIGNER, FOREIGN]):
        keys = [signer.kid for signer in signers]
        package = read_package(signed_by(*signers, keys=keys, **said)(ONE))
        with pytest.raises(RefusedError, match="belongs to another organisation"):
            verify(package, registry, first_seen_at=NOW)


def _members(told: Json) -> list[object]:
    return list(told["members"])


# Statements, each signed as it stands

HASH = "07a530b06fce581ddb4430e6ce9784c2ae5b70025b70f6f91d283a4fb2088f6e"
NO_HASH: list[object] = [
    "",
    HASH.upper(),
    HASH[:-2],
    HASH + "00",
    HASH[:-1] + " ",
    b64encode(bytes(32)).decode(),
    0,
]
NO_COUNT: list[object] = [None, -1, True, 1.0, "1", [1], 1 << 64]
NO_UUID: list[object] = [
    None,
    "",
    OTHER.upper(),
    OTHER.replace("-", ""),
    f"{{{OTHER}}}",
    OTHER + " ",
    7,
]
UNREADABLE: Mapping[str, list[object]] = {
    "_type": [None, "", "fisn.seal/2", "FISN.SEAL/1", "fisn.recall/1", 1],
    "hash": [None, "", "sha2-512", "SHA2-256", "sha256"],
    "log": [None, "", "Event", "diary", ["event"]],
    "event": NO_UUID,
    "epoch": [*NO_COUNT, 1 << 32],
    "seq": [*NO_COUNT, 0, 1 << 32],
    "size": [*NO_COUNT, 0, (1 << 20) + 1],
    "root": [None, *NO_HASH],
    "live": [*NO_COUNT, (1 << 20) + 1],
    "void": [None, *NO_HASH],
    "classes": [None, *NO_HASH],
    "prev": [False, *NO_HASH],
    "iat": [
        *(None, 0, "", "2026-11-22", "2026-11-22T13:00:00", "2026-11-22 13:00:00Z"),
        *("2026-11-22T13:00Z", "2026-13-22T13:00:00Z", "2026-02-30T13:00:00Z"),
        *("2026-11-22T25:00:00Z", "2026-11-22T13:00:00+1:00", "２026-11-22T13:00:00Z"),
    ],
    "iss": NO_UUID,
    "keys": [
        *(None, [], SIGNER.kid, [None], [SIGNER.kid] * 2, [SIGNER.kid + "="], [SIGNER.kid[:-1]]),
        *([SIGNER.kid, ""], [f"{at:A>43}" for at in range(17)], {SIGNER.kid: 1}),
    ],
}
WRONG: list[Row] = [
    ("root of another log", 5, signed_by(SIGNER, root=HASH[::-1])),
    ("live one more", 4, signed_by(SIGNER, live=92)),
    ("live one less", 4, signed_by(SIGNER, live=90)),
    ("live of all", 4, signed_by(SIGNER, live=94)),
    ("void of another version", 4, signed_by(SIGNER, void=HASH)),
    ("classes of another version", 4, signed_by(SIGNER, classes=HASH)),
    ("size one more", 4, signed_by(SIGNER, size=95, live=92)),
    ("size one less", 1, signed_by(SIGNER, size=90, live=87)),
    ("words of a shorter log of ours", 1, put("payload", write_base64(sealed().payload))),
]


@pytest.mark.parametrize("name", UNREADABLE)
def test_a_member_of_a_statement_is_of_its_kind_alone(name: str) -> None:
    for value in UNREADABLE[name]:
        assert refused_by(verified, signed_by(SIGNER, **{name: value})(ONE)) == 2


@pytest.mark.parametrize("name", UNREADABLE)
def test_a_statement_lacks_nothing(name: str) -> None:
    members = json.loads(_payload(ONE))
    assert members.keys() == UNREADABLE.keys()
    del members[name]
    assert refused_by(verified, _stated(json.dumps(members).encode(), SIGNER)(ONE)) == 2


@rows(WRONG)
def test_a_statement_that_is_wrong_is_refused_though_signed(check: int, alter: Alteration) -> None:
    assert refused_by(verified, alter(ONE)) == check


def payload(change: Callable[[bytes], bytes]) -> Alteration:
    """Other bytes in the payload, signed."""

    def alter(raw: bytes) -> bytes:
        changed = change(_payload(raw))
        assert changed != _payload(raw)
        return _stated(changed, SIGNER)(raw)

    return alter


PAYLOADS: list[Row] = [
    ("an array", 2, payload(lambda said: b"[%b]" % said)),
    ("twice", 2, payload(lambda said: said * 2)),
    ("a line feed behind", 2, payload(lambda said: said + b"\n")),
    ("a space before", 2, payload(lambda said: b" " + said)),
    ("a byte order mark", 2, payload(lambda said: b"\xef\xbb\xbf" + said)),
    ("a member more", 2, payload(lambda said: said.replace(b"{", b'{"note":1,', 1))),
    ("a member twice", 2, payload(lambda said: said.replace(b"{", b'{"seq":2,', 1))),
    ("twice, once escaped", 2, payload(lambda s: s.replace(b"{", b'{"\\u0073eq":2,', 1))),
    ("a zero too many", 2, payload(lambda said: said.replace(b'"epoch":0', b'"epoch":00'))),
    ("an exponent", 2, payload(lambda said: said.replace(b'"epoch":0', b'"epoch":0e0'))),
    ("a comma too many", 2, payload(lambda said: said.replace(b"}", b",}"))),
    ("cut", 2, payload(lambda said: said[:-1])),
    ("no members", 2, payload(lambda _: b"{}")),
    ("null", 2, payload(lambda _: b"null")),
    ("no text", 2, payload(lambda _: b"\xff")),
]


@rows(PAYLOADS)
def test_a_payload_is_one_object_of_a_statement(check: int, alter: Alteration) -> None:
    assert refused_by(verified, alter(ONE)) == check


@pytest.mark.parametrize("name", ["epoch", "seq", "prev", "iat", "log", "event", "iss", "keys"])
def test_what_was_signed_in_other_words_is_not_signed(name: str) -> None:
    """As when a relay puts one version's words under another's signature."""
    members = json.loads(_payload(ONE))
    other = {"epoch": 1, "seq": 9, "prev": None, "iat": "2026-11-22T13:00:01Z", "log": "note"}
    said = {**other, "event": OTHER, "iss": OTHER, "keys": [FOREIGN.kid]}[name]
    assert said != members[name]
    payload = json.dumps(members | {name: said}, separators=(",", ":")).encode()
    assert refused_by(verified, put("payload", write_base64(payload))(ONE)) == 3


# Tables, each signed as it stands


def classed(change: Callable[[bytes], bytes]) -> Alteration:
    """Another class table, of which the statement has the digest."""

    def alter(raw: bytes) -> bytes:
        table = change(read_base64(_member(raw, "cls")))
        digest = sha256(b"\x06" + table).hexdigest()
        return both(signed_by(SIGNER, classes=digest), put("cls", write_base64(table)))(raw)

    return alter


def voided(void: bytes, live: int) -> Alteration:
    """Another void set, of which the statement has the digest."""
    digest = sha256(b"\x07" + void).hexdigest()
    return both(signed_by(SIGNER, void=digest, live=live), put("void", write_base64(void)))


def _member(raw: bytes, name: str) -> str:
    found: dict[str, str] = json.loads(raw.split(b"\n", 1)[0])
    return found[name]


TABLES: list[Row] = [
    ("cls of one record less", 4, classed(lambda table: table[:-5])),
    ("cls of one record more", 4, classed(lambda table: table + b"\x01\x7f\x01\x01\x01")),
    (
        "cls of another kind",
        4,
        classed(lambda table: table[:17] + b"\x7f\x01\x01\x01" + table[21:]),
    ),
    ("cls with its runs turned round", 4, classed(lambda t: t[:16] + t[21:26] + t[16:21] + t[26:])),
    ("cls empty", 4, classed(lambda table: table[:16])),
    ("cls without a salt", 2, classed(lambda _: b"")),
    ("cls cut", 2, classed(lambda table: table[:-1])),
    ("cls with a run of none", 2, classed(lambda table: table + b"\x00\x7f\x01\x01\x01")),
    ("cls with a long number", 2, classed(lambda t: t[:16] + b"\x82\x00" + t[17:])),
    ("cls with equal neighbours", 2, classed(lambda table: table + table[-5:])),
    ("cls with label 6", 2, classed(lambda table: table[:-1] + b"\x06")),
    ("cls with types descending", 2, classed(lambda t: t + b"\x01\x02\x02\x02\x00\x01\x00")),
    ("void past the log", 4, voided(b"\x5e", 93)),
    ("void of a disclosed record", 4, voided(b"\x01", 93)),
    ("void of the last records", 4, voided(b"\x14\x00\x1c\x2a", 90)),
    ("void with a long number", 2, voided(b"\x94\x00", 93)),
    ("void cut in a number", 2, voided(b"\x94", 93)),
    ("void past the largest log", 2, voided(b"\xff\xff\xff\xff\x0f", 93)),
]


@rows(TABLES)
def test_a_table_that_is_wrong_is_refused_though_signed(check: int, alter: Alteration) -> None:
    assert refused_by(verified, alter(ONE)) == check

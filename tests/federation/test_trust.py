"""Root and roster: thresholds, versions, time."""

from datetime import timedelta

import orjson
import pytest

from federation.errors import BadTrustError
from federation.trust import (
    ROOT_TYPE,
    ROSTER_TYPE,
    Removal,
    Revocation,
    Standing,
    add_signature,
    first_root,
    next_root,
    next_roster,
    standing,
    unchecked_roster,
    write_root,
)
from sharing.seal.canonical import write_base64
from sharing.seal.dsse import Signature, read_envelope, sign_envelope, write_envelope
from tests.federation.strategies import BE, NOW
from tests.federation.trusting import (
    OFFLINE,
    ONLINE,
    ROOT,
    keeper,
    public,
    roster,
    roster_bytes,
    signed,
    unsigned,
)

DAY = timedelta(days=1)
NEW = ("enisa", "it", "nl", "se", "at")  # only one keeper stays


def refused(reason: str) -> "pytest.RaisesExc[BadTrustError]":
    return pytest.raises(BadTrustError, match=f"^{reason}")


# ── Roots ────────────────────────────────────────────────────────────────────────────────────────


def test_a_first_root_needs_its_own_threshold() -> None:
    assert first_root(signed(unsigned(), OFFLINE[2:])).threshold == 3
    with refused("threshold"):
        first_root(signed(unsigned(), OFFLINE[:2]))


def test_one_key_that_signs_often_counts_once() -> None:
    payload, _ = read_envelope(unsigned(), ROOT_TYPE)
    [one] = sign_envelope(ROOT_TYPE, payload, [keeper("enisa")])
    with refused("threshold"):
        first_root(write_envelope(ROOT_TYPE, payload, [one] * 5))


def test_a_signature_under_anothers_name_counts_for_nobody() -> None:
    payload, _ = read_envelope(unsigned(), ROOT_TYPE)
    [one] = sign_envelope(ROOT_TYPE, payload, [keeper("enisa")])
    forged = [Signature(keeper(name).kid, one.sig) for name in OFFLINE]
    with refused("threshold"):
        first_root(write_envelope(ROOT_TYPE, payload, forged))


def test_strangers_signatures_do_not_count() -> None:
    with refused("threshold"):
        first_root(signed(unsigned(), ("enisa", "fr", "somebody", "somebody else")))


def test_one_key_listed_twice_is_no_root() -> None:
    with refused("form"):
        unsigned(names=("enisa", "enisa", "fr"))


@pytest.mark.parametrize("threshold", [0, 6])
def test_a_threshold_that_cannot_be_is_no_root(threshold: int) -> None:
    with refused("form"):
        unsigned(threshold=threshold)


def test_an_online_key_is_none_of_the_offline_ones() -> None:
    with refused("form"):
        unsigned(online=("fr",))


def test_a_new_root_needs_enough_of_the_old_and_of_the_new_keys() -> None:
    fresh = unsigned(2, NEW)
    assert next_root(ROOT, signed(fresh, ("enisa", "fr", "de", "it", "nl"))).version == 2
    with refused("threshold: root 2 lacks signatures of the old keys"):
        next_root(ROOT, signed(fresh, ("enisa", "fr", "it", "nl")))
    with refused("threshold: root 2 lacks signatures of its own keys"):
        next_root(ROOT, signed(fresh, ("enisa", "fr", "de", "it")))


def test_a_new_root_may_not_lower_the_old_threshold_for_itself() -> None:
    with refused("threshold: root 2 lacks signatures of the old keys"):
        next_root(ROOT, signed(unsigned(2, threshold=1), OFFLINE[:2]))


@pytest.mark.parametrize("version", [1, 3])
def test_roots_follow_one_by_one(version: int) -> None:
    with refused("version"):
        next_root(ROOT, signed(unsigned(version), OFFLINE))


def test_signing_again_replaces_ones_own_signature() -> None:
    envelope = signed(unsigned(), ("enisa", "enisa", "enisa"))
    assert len(read_envelope(envelope, ROOT_TYPE)[1]) == 1


# ── Rosters ──────────────────────────────────────────────────────────────────────────────────────


def test_a_roster_counts_by_the_hubs_online_key_alone() -> None:
    assert next_roster(ROOT, None, roster_bytes(), NOW).version == 1
    for name in ("enisa", "somebody"):
        with refused("signature"):
            next_roster(ROOT, None, roster_bytes(by=(name,)), NOW)


def test_a_changed_roster_does_not_count() -> None:
    payload, signatures = read_envelope(roster_bytes(), ROSTER_TYPE)
    changed = payload.replace(b'"version":1', b'"version":9')
    assert changed != payload
    with refused("signature"):
        next_roster(ROOT, None, write_envelope(ROSTER_TYPE, changed, signatures), NOW)


def test_an_older_roster_is_refused() -> None:
    held = roster(5)
    with refused("rollback"):
        next_roster(ROOT, held, roster_bytes(4), NOW)
    assert next_roster(ROOT, held, roster_bytes(6), NOW).version == 6


def test_the_same_roster_is_no_news_and_another_of_its_version_is_a_lie() -> None:
    held = roster(5)
    assert next_roster(ROOT, held, roster_bytes(5), NOW).digest == held.digest
    with refused("equivocation"):
        next_roster(ROOT, held, roster_bytes(5, removed=[Removal(BE, NOW, "")]), NOW)


def test_a_new_root_ends_what_a_stolen_online_key_ran_ahead_to() -> None:
    held = roster(2**50)
    root = next_root(ROOT, signed(unsigned(2, online=("new online",)), OFFLINE))
    assert next_roster(root, held, roster_bytes(1, by=("new online",)), NOW).version == 1
    with refused("signature"):
        next_roster(root, held, roster_bytes(2**50 + 1), NOW)
    kept = next_root(ROOT, signed(unsigned(2, online=(ONLINE, "new online")), OFFLINE))
    with refused("rollback"):
        next_roster(kept, held, roster_bytes(1, by=("new online",)), NOW)


def test_a_roster_of_the_future_or_of_too_long_a_life_is_refused() -> None:
    for issued_ago, life in ((-DAY, 7 * DAY), (DAY, 7 * DAY + timedelta(seconds=1)), (DAY, -DAY)):
        with refused("time"):
            next_roster(ROOT, None, roster_bytes(issued_ago=issued_ago, life=life), NOW)


def test_a_newer_roster_counts_as_news_though_it_has_expired() -> None:
    late = roster_bytes(6, issued_ago=20 * DAY)
    assert next_roster(ROOT, roster(5), late, NOW).version == 6


def test_what_a_roster_says_comes_back_from_its_bytes() -> None:
    revocation = Revocation(keeper("x").kid, NOW, "stolen", NOW - DAY)
    envelope = roster_bytes(revoked=[revocation], removed=[Removal(BE, NOW, "asked to")])
    read = unchecked_roster(envelope)
    assert read.revoked == (revocation,)
    assert read.removed == (Removal(BE, NOW, "asked to"),)


def test_members_of_the_json_that_nobody_knows_change_nothing() -> None:
    payload, _ = read_envelope(roster_bytes(), ROSTER_TYPE)
    told = orjson.dumps({**orjson.loads(payload), "relay_hops": 2})
    envelope = write_envelope(ROSTER_TYPE, told, sign_envelope(ROSTER_TYPE, told, [keeper(ONLINE)]))
    read = next_roster(ROOT, None, envelope, NOW)
    assert read.version == 1
    assert b"relay_hops" in read_envelope(read.envelope, ROSTER_TYPE)[0]


def test_two_spellings_of_one_document_are_one_too_many() -> None:
    payload, _ = read_envelope(roster_bytes(), ROSTER_TYPE)
    spaced = payload.replace(b",", b", ", 1)
    envelope = write_envelope(
        ROSTER_TYPE, spaced, sign_envelope(ROSTER_TYPE, spaced, [keeper(ONLINE)])
    )
    with refused("form"):
        next_roster(ROOT, None, envelope, NOW)


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b'{"payload": 1}', b"x" * 5_000_000])
def test_what_is_no_envelope_is_refused(raw: bytes) -> None:
    with refused("form"):
        next_roster(ROOT, None, raw, NOW)
    with refused("form"):
        add_signature(ROOT_TYPE, raw, keeper("enisa"))


def test_a_low_order_point_is_no_key_of_a_root() -> None:
    spki = bytes.fromhex("302a300506032b6570032100") + bytes(32)
    odd = {**public("enisa"), "spki": write_base64(spki)}
    with refused("form"):
        write_root(version=1, expires=NOW, threshold=1, keys=[odd], online=[public(ONLINE)])


# ── Time ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("late", "stage"),
    [
        (-timedelta(seconds=1), Standing.FRESH),
        (timedelta(0), Standing.EXPIRED),
        (7 * DAY, Standing.EXPIRED),
        (7 * DAY + timedelta(seconds=1), Standing.FROZEN),
        (30 * DAY, Standing.FROZEN),
        (30 * DAY + timedelta(seconds=1), Standing.READ_ONLY),
    ],
)
def test_the_older_of_root_and_roster_slows_a_node_down(late: timedelta, stage: Standing) -> None:
    ends = NOW - late
    assert standing(ends, NOW + 400 * DAY, NOW) is stage
    assert standing(NOW + 400 * DAY, ends, NOW) is stage


def test_a_root_without_a_roster_is_no_fresh_one() -> None:
    assert standing(NOW + DAY, None, NOW) is Standing.EXPIRED

"""Checks 3 to 7, one item at a time, against peers that lie about it."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation.admit import (
    ADDRESSED,
    DIGEST,
    ITEM,
    PLACE,
    QUARANTINE_CAP,
    SEAL,
    Admitted,
    Known,
    NoOp,
    Quarantined,
    Sighting,
    pruned,
)
from federation.call import Wants
from federation.opening import BadLine, Item
from federation.wire import ItemLine, Op
from policies.label import Label
from policies.tlp import Tlp
from sharing.seal.holding import Holding
from sharing.seal.keys import KeyRegistry
from sharing.seal.package import load_holding, write_package
from sharing.seal.recall import Recall, make_recall
from tests.federation.judging import (
    HOLDING,
    LINE,
    PACKAGE,
    admitted,
    item,
    next_version,
    passed,
    quarantined,
)
from tests.federation.strategies import (
    BE,
    DE,
    EVENT,
    FR,
    HUB,
    INCARNATION,
    NOW,
    OTHER_EVENT,
    item_lines,
    key_entry,
    member_entry,
    put_line,
    records,
    sealed,
    signer,
)


def test_an_honest_item_is_admitted_with_all_there_is_to_store() -> None:
    outcome = passed(item())
    assert outcome.op is Op.PUT
    assert outcome.package == PACKAGE
    assert outcome.digest == HOLDING.digest
    assert outcome.holding is not None
    assert outcome.holding.records == HOLDING.records


# ── 3: the item ──────────────────────────────────────────────────────────────────────────────────


def test_a_line_out_of_grammar_is_quarantined_alone() -> None:
    bad = Item(BadLine(5, FR, EVENT, "op is not of its form"), b"{}", PACKAGE, INCARNATION)
    outcome = quarantined(bad, ITEM, "grammar")
    assert (outcome.line_bytes, outcome.raw) == (b"{}", PACKAGE)


def test_our_own_log_is_never_taken_from_others() -> None:
    mine = sealed(BE)
    quarantined(
        item(put_line(mine, 5, hops=1), write_package(mine)), ITEM, "our own log", source=HUB
    )


def test_a_relay_may_not_pose_as_the_originator() -> None:
    quarantined(item(), ITEM, "hops", source=DE)
    quarantined(item(replace(LINE, hops=1)), ITEM, "hops")


def test_a_log_from_too_far_away_is_refused() -> None:
    quarantined(item(replace(LINE, hops=2)), ITEM, "2 hops of 1", source=HUB)


def test_only_what_was_asked_for_is_taken() -> None:
    relayed = item(replace(LINE, hops=1))
    assert isinstance(admitted(relayed, source=HUB, wants=Wants.ALL), Admitted)
    assert isinstance(admitted(relayed, source=HUB, wants=Wants.OWN), Quarantined)


# ── 4: place, version, floor ─────────────────────────────────────────────────────────────────────


def test_an_older_place_changes_nothing() -> None:
    for pos, outcome in ((4, Admitted), (5, NoOp), (6, NoOp)):
        assert isinstance(admitted(item(), Known(INCARNATION, pos)), outcome)


def test_places_of_another_life_do_not_count() -> None:
    assert isinstance(admitted(item(), Known("f" * 32, 9)), Admitted)


def test_an_equal_digest_is_a_no_op_whatever_the_bytes() -> None:
    known = Known(INCARNATION, 4, (0, 1), HOLDING.digest)
    assert isinstance(admitted(item(raw=b"never looked at"), known), NoOp)


def test_a_source_never_goes_back() -> None:
    quarantined(item(), PLACE, "(0, 1) after (0, 2)", Known(INCARNATION, 4, (0, 2), "0" * 64))


def test_what_a_recall_ended_leaves_no_bytes_behind() -> None:
    for floor in ((0, 1), (0, 9), (1, 1)):
        assert isinstance(admitted(item(), Known(floor=floor)), NoOp)
    later = sealed(epoch=1)
    assert isinstance(
        admitted(item(put_line(later, 5), write_package(later)), Known(floor=(0, 9))), Admitted
    )


# ── 5: the seal ──────────────────────────────────────────────────────────────────────────────────


def test_no_bit_of_a_package_can_be_flipped() -> None:
    for at in range(len(PACKAGE)):
        raw = bytearray(PACKAGE)
        raw[at] ^= 1 << at % 7
        outcome = admitted(item(raw=bytes(raw)))
        assert isinstance(outcome, Quarantined), at
        assert outcome.check in {SEAL, DIGEST}


@given(st.binary(max_size=200))
def test_any_bytes_for_a_package_are_quarantined(raw: bytes) -> None:
    assert isinstance(admitted(item(raw=raw)), Quarantined)


@given(item_lines(), st.sampled_from([FR, HUB]))
def test_any_line_over_an_honest_package_is_quarantined_or_says_nothing_of_it(
    line: ItemLine, source: str
) -> None:
    outcome = admitted(item(line), source=source)
    assert not (isinstance(outcome, Admitted) and outcome.op is Op.PUT)


def test_foreign_uuid_neither_overwrites_nor_recalls() -> None:
    """DE seals a log under a uuid that FR uses: another log; under FR's name it is refused."""
    theirs = sealed(DE)
    known_of_theirs = passed(item(put_line(theirs, 5), write_package(theirs)), source=DE)
    assert known_of_theirs.line.origin == DE
    posing = replace(put_line(theirs, 5), origin=FR, hops=1)
    quarantined(item(posing, write_package(theirs)), SEAL, "of another log", source=DE)
    theirs_ended = make_recall(Recall(EVENT, DE, 0, 1, "error", NOW), [signer(DE, "seal")])
    recall = replace(posing, op=Op.RECALL, digest=None, size=0, recall=theirs_ended)
    quarantined(item(recall, b""), SEAL, "by another than the originator", source=DE)


@pytest.mark.parametrize(
    "changes", [{"event": OTHER_EVENT}, {"epoch": 1}, {"seq": 2}, {"seal": "0" * 64}]
)
def test_a_line_that_names_another_statement_is_refused(changes: dict[str, object]) -> None:
    quarantined(item(replace(LINE, **changes)), SEAL, "than the item names")  # type: ignore[arg-type]  # lies


@pytest.mark.parametrize("log", ["report", "declaration", "return"])
def test_logs_that_stay_at_home_are_refused(log: str) -> None:
    kept = sealed(log=log)
    quarantined(item(put_line(kept, 5), write_package(kept)), SEAL, f"type {log}")


def test_a_seal_by_a_transport_key_is_refused() -> None:
    swapped = KeyRegistry.read(
        {"members": [{**member_entry(FR), "keys": [{**key_entry(FR, "seal"), "use": "transport"}]}]}
    )
    outcome = admitted(item(), registry=swapped)
    assert isinstance(outcome, Quarantined)
    assert "a seal key is needed" in outcome.reason


def test_backdated_iat_does_not_save_a_revoked_key() -> None:
    since = "2026-11-22T12:30:00Z"
    stolen = KeyRegistry.read(
        {
            "members": [
                {**member_entry(FR), "keys": [key_entry(FR, "seal", compromised_since=since)]}
            ]
        }
    )
    outcome = admitted(item(), registry=stolen)
    assert isinstance(outcome, Quarantined)
    assert "compromised" in outcome.reason


def test_a_statement_seen_before_the_theft_stays_good() -> None:
    since = "2026-11-22T12:30:00Z"
    stolen = KeyRegistry.read(
        {
            "members": [
                {**member_entry(FR), "keys": [key_entry(FR, "seal", compromised_since=since)]}
            ]
        }
    )
    before = Sighting((0, 1), HOLDING.statement.seal, NOW - timedelta(hours=1))
    assert isinstance(admitted(item(), Known(sightings=(before,)), registry=stolen), Admitted)


def test_equivocation_keeps_first_and_alarms() -> None:
    other = sealed(of=records(attributes=5), salt=b"other")
    second = item(put_line(other, 6), write_package(other))
    by_holding = quarantined(second, SEAL, "equivocation", Known(newest=HOLDING))
    by_sighting = quarantined(
        second,
        SEAL,
        "equivocation",
        Known(sightings=(Sighting((0, 1), HOLDING.statement.seal, NOW),)),
    )
    assert by_holding.is_equivocation
    assert by_sighting.is_equivocation


def test_nobody_is_accused_of_equivocation_without_their_signature() -> None:
    forged = replace(LINE, seal="0" * 64)
    outcome = quarantined(item(forged), SEAL, "than the item names", Known(newest=HOLDING))
    assert not outcome.is_equivocation


def test_a_version_that_is_not_chained_to_its_forerunner_is_refused() -> None:
    fork = next_version(sealed(salt=b"fork"), attributes=(9,))
    quarantined(item(put_line(fork, 6), write_package(fork)), SEAL, "prev", Known(newest=HOLDING))


def test_a_record_once_void_stays_void() -> None:
    """Whichever of two contradicting versions comes first."""
    with_void = next_version(HOLDING, void=(4,))
    without = next_version(next_version(HOLDING, attributes=(8,)), attributes=(9,))
    quarantined(
        item(put_line(without, 6), write_package(without)), SEAL, "void", Known(newest=with_void)
    )
    quarantined(
        item(put_line(with_void, 6), write_package(with_void)), SEAL, "void", Known(newest=without)
    )


def test_a_giant_or_deep_head_is_refused_before_it_is_parsed() -> None:
    giant = b'{"fise":1,"payload":"' + b"A" * (17 << 20) + b'"}\n{}\n'
    assert quarantined(item(raw=giant), SEAL, "seal check 1: head").raw == b""
    deep = b'{"fise":' + b"[" * 100_000 + b"]" * 100_000 + b"}\n{}\n"
    quarantined(item(raw=deep), SEAL, "seal check 2: head")


# ── Older versions, other sources ────────────────────────────────────────────────────────────────


def test_old_version_never_revives_a_void_slot() -> None:
    newest = next_version(HOLDING, void=(3,), attributes=(8,))
    dead = HOLDING.records[3].slots[0]
    outcome = passed(item(replace(LINE, hops=1)), Known(newest=newest), source=HUB)
    assert outcome.holding is not None
    assert 3 not in outcome.holding.records
    assert dead is not None
    assert dead not in outcome.package
    assert load_holding(outcome.package).records == outcome.holding.records
    assert outcome.digest == HOLDING.digest  # what the item named, so that it is known again


def test_an_old_version_of_which_all_is_void_leaves_nothing() -> None:
    only = HOLDING.narrowed({3: HOLDING.masks[3]})
    assert pruned(only, {3}) is None
    assert pruned(only, {4}) is only


def test_a_newer_version_names_what_is_void_everywhere() -> None:
    newest = next_version(HOLDING, void=(2, 3))
    assert passed(item(put_line(newest, 6), write_package(newest)), Known(newest=HOLDING)).void == (
        2,
        3,
    )


def test_an_older_epoch_is_kept_as_it_came() -> None:
    newest = sealed(epoch=1)
    outcome = passed(item(replace(LINE, hops=1)), Known(newest=newest), source=HUB)
    assert outcome.package == PACKAGE
    assert outcome.void == ()


# ── 6: the digest ────────────────────────────────────────────────────────────────────────────────


def test_another_projection_than_the_item_names_is_refused() -> None:
    less = HOLDING.narrowed({index: mask for index, mask in HOLDING.masks.items() if index < 3})
    quarantined(item(raw=write_package(less)), DIGEST, "another projection")
    more = put_line(less, 5)
    quarantined(item(more), DIGEST, "another projection")


# ── 7: addressed to us ───────────────────────────────────────────────────────────────────────────


def amber(*to: str) -> Holding:
    return sealed(of=records(label=Label(Tlp.AMBER), to=to))


def test_unaddressed_amber_is_refused_on_arrival() -> None:
    for holding in (amber(), amber(DE)):
        outcome = quarantined(item(put_line(holding, 5), write_package(holding)), SEAL, "")
        assert outcome.check in {SEAL, ADDRESSED}


def test_addressed_amber_is_admitted_from_its_originator() -> None:
    holding = amber(BE)
    assert passed(item(put_line(holding, 5), write_package(holding))).holding is not None


def test_amber_widened_by_a_relay_is_refused_even_if_addressed() -> None:
    holding = amber(BE)
    relayed = item(put_line(holding, 5, hops=1), write_package(holding))
    quarantined(relayed, ADDRESSED, "widened-by-relay", source=HUB)


def test_a_label_that_forbids_relaying_is_kept_by_relays() -> None:
    holding = sealed(of=records(label=Label(Tlp.GREEN, relay=False)))
    relayed = item(put_line(holding, 5, hops=1), write_package(holding))
    quarantined(relayed, ADDRESSED, "widened-by-relay", source=HUB)
    assert passed(item(put_line(holding, 5), write_package(holding))).package


def test_more_than_four_mebibytes_are_not_kept_in_quarantine() -> None:
    assert quarantined(item(raw=b"x" * QUARANTINE_CAP), SEAL, "").raw == b"x" * QUARANTINE_CAP
    assert quarantined(item(raw=b"x" * (QUARANTINE_CAP + 1)), SEAL, "").raw == b""

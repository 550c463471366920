"""The numbered checks of the format but the last, each failing alone."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from policies.label import Label
from policies.tlp import Pap, Tlp
from sharing.errors import RefusedError
from sharing.seal.canonical import write_base64
from sharing.seal.dsse import sign_envelope
from sharing.seal.holding import Holding
from sharing.seal.keys import KeyRegistry
from sharing.seal.labels import LABEL_HEADER
from sharing.seal.package import read_package, write_package
from sharing.seal.records import Header, Record
from sharing.seal.statement import PAYLOAD_TYPE, Statement
from sharing.seal.tables import ClassTable, encode_void, void_digest
from sharing.seal.verify import WithheldSlot, examine, verify
from tests.sharing.seal.altering import refusal
from tests.sharing.seal.liar import lie
from tests.sharing.seal.notary import (
    EVENT_LABEL,
    KEY,
    NOW,
    ORG,
    OTHER,
    REGISTRY,
    SIGNER,
    accepted,
    attribute,
    event_records,
    roster,
    roster_key,
    sealed,
    verified,
    with_slot,
)


def test_an_honest_log_passes_every_check() -> None:
    got = verified(lie([EVENT_LABEL, attribute("one")]))
    assert got.withheld_records == 0
    assert not got.withheld_slots


def test_what_is_withheld_is_told() -> None:
    holding = sealed()
    masks = {index: mask for index, mask in holding.masks.items() if index < 3} | {6: 1}
    got = verified(write_package(holding, masks))
    assert holding.records[6].header.labels == (0, 3)
    assert got.withheld_records == 10 - 4
    expected = Label(Tlp.AMBER, Pap.GREEN)
    assert got.withheld_slots == (WithheldSlot(6, 2, 6, expected),)


# 1 sizes


def test_1_a_package_has_a_head_and_ends_in_lf() -> None:
    raw = write_package(sealed())
    assert refusal(b"").startswith("check 1: head: no line")
    assert refusal(raw[:-1]) == "check 1: package: last byte is not LF"
    assert refusal(raw + b"\n").startswith("check 1: package: another number of lines")


def test_1_sizes_are_bounded_before_anything_is_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = write_package(sealed())
    monkeypatch.setattr("sharing.seal.limits.PACKAGE_BYTES", len(raw) - 1)
    assert refusal(raw).startswith("check 1: package: over")
    monkeypatch.undo()
    monkeypatch.setattr("sharing.seal.limits.HEAD_BYTES", 100)
    assert refusal(raw).startswith("check 1: head: no line")
    monkeypatch.undo()
    monkeypatch.setattr("sharing.seal.limits.SLOT_BYTES", 40)
    assert refusal(raw).startswith("check 1: slot line: over")
    monkeypatch.undo()
    monkeypatch.setattr("sharing.seal.limits.HEAD_BRACKETS", 5)
    assert refusal(raw).startswith("check 1: head: over")
    monkeypatch.undo()
    monkeypatch.setattr("sharing.seal.limits.HEAD_COMMAS", 5)
    assert refusal(raw).startswith("check 1: head: over")
    monkeypatch.undo()
    monkeypatch.setattr("sharing.seal.limits.SLOTS", 9)
    assert refusal(raw) == "check 1: hrl or tail: over 9 slots"


# 2 spelling


@pytest.mark.parametrize("text", [b'{"a":\r1}', b'\r{"a":1}', b'{"a":1}\r'])
def test_2_no_slot_holds_a_cr(text: bytes) -> None:
    assert refusal(lie(with_slot(text))).startswith("check 2: package: holds a CR")


@pytest.mark.parametrize("text", [b"", b"[]", b' {"a":1}', b"!AAAA"])
def test_2_every_line_is_a_slot_or_a_commitment(text: bytes) -> None:
    assert refusal(lie(with_slot(text))).startswith("check 2: ")


def test_2_a_record_of_one_slot_has_no_commitment() -> None:
    raw = write_package(sealed(with_slot(b'{"a":1}')))
    line = b"!" + write_base64(bytes(32)).encode()
    changed = raw.replace(b'{"a":1}', line).replace(b'"runs":[[0,2', b'"runs":[[0,1')
    assert "every slot withheld" in refusal(changed)


def test_2_a_delta_is_no_package() -> None:
    raw = write_package(sealed()).replace(b'"fise":1', b'"fise-delta":1')
    assert refusal(raw).startswith("check 2: head: a delta, which says nothing without")


# 3 signatures


def test_3_only_a_seal_key_of_the_originator_signs() -> None:
    package = read_package(write_package(sealed()))
    for entry, org, why in [
        (roster_key(KEY), OTHER, "another organisation"),
        (roster_key(KEY, use="transport"), ORG, "transport key"),
        (roster_key(KEY, compromised_since="2026-11-01T00:00:00Z"), ORG, "compromised"),
    ]:
        registry = KeyRegistry.read(roster(entry, org=org))
        with pytest.raises(RefusedError, match=why) as refused:
            verify(package, registry, first_seen_at=NOW)
        assert refused.value.check == 3
    with pytest.raises(RefusedError, match="unknown"):
        verify(package, KeyRegistry.read(roster()), first_seen_at=NOW)


def test_3_what_we_saw_before_the_compromise_stays() -> None:
    package = read_package(write_package(sealed()))
    since = (NOW + timedelta(days=1)).isoformat().replace("+00:00", "Z")
    registry = KeyRegistry.read(roster(roster_key(KEY, compromised_since=since)))
    verify(package, registry, first_seen_at=NOW)


def test_3_a_signature_over_another_type_is_none() -> None:
    holding = sealed()
    wrong = sign_envelope("application/json", holding.payload, [SIGNER])
    assert refusal(write_package(replace(holding, signatures=wrong))).endswith("does not verify")


# 4 tables


def test_4_the_void_set_is_the_signed_one() -> None:
    records = [EVENT_LABEL, attribute("one"), attribute("two")]
    holding = verified(lie(records, void=[2])).holding
    assert refusal(write_package(replace(holding, void=(1,)))) == "check 4: void: digest"


def test_4_what_is_not_void_is_live() -> None:
    records = [EVENT_LABEL, attribute("one"), attribute("two")]
    assert refusal(lie(records, live=2)) == "check 4: live: 2 of 3 with 0 void"
    assert refusal(lie(records, void=[2], live=3)).startswith("check 4: live")


def test_4_a_void_record_lies_in_the_log_and_is_not_disclosed() -> None:
    records = [EVENT_LABEL, attribute("one")]
    holding = verified(lie(records)).holding
    for void, why in [((2,), "record 2 of 2"), ((1,), "record 1 is disclosed")]:
        said = replace(holding.statement, void=void_digest(encode_void(void)), live=1, payload=b"")
        signatures = sign_envelope(PAYLOAD_TYPE, said.payload, [SIGNER])
        raw = write_package(replace(holding, statement=said, signatures=signatures, void=void))
        assert refusal(raw).startswith("check 4: void: ")
        assert why in refusal(raw)


def test_4_too_many_void_records_must_be_compacted(monkeypatch: pytest.MonkeyPatch) -> None:
    records = [EVENT_LABEL, *(attribute(name) for name in range(5))]
    monkeypatch.setattr("sharing.seal.limits.VOIDS_ALWAYS_ALLOWED", 2)
    assert accepted(lie(records, void=[3, 4, 5]))
    assert "compact first" in refusal(lie(records, void=[2, 3, 4, 5]))


def test_4_what_was_void_stays_void() -> None:
    records = [EVENT_LABEL, attribute("one"), attribute("two")]
    held = verified(lie(records, void=[2])).holding
    later: dict[str, Any] = {"seq": 2, "prev": bytes.fromhex(held.statement.seal)}
    assert accepted(lie(records, void=[1, 2], **later), held=held)
    assert "live again" in refusal(lie(records, void=[1], **later), held=held)
    assert accepted(lie(records, void=[1], epoch=1, **later), held=held)


def test_4_the_class_table_agrees_with_what_is_disclosed() -> None:
    holding = verified(lie([EVENT_LABEL, attribute("one"), attribute("two")])).holding
    attributes = Header(2, (1,), (0,))
    for runs, why in [
        ([(1, LABEL_HEADER), (1, attributes)], "2 records of 3"),
        ([(1, LABEL_HEADER), (3, attributes)], "4 records of 3"),
        ([(2, LABEL_HEADER), (1, attributes)], "record 1"),
        ([(1, LABEL_HEADER), (1, attributes), (1, Header(2, (1,), (1,)))], "record 1"),
        ([(1, LABEL_HEADER), (2, Header(4, (1,), (0,)))], "record 1"),
    ]:
        table = ClassTable.of(bytes(16), runs)
        said = replace(holding.statement, classes=table.digest, payload=b"")
        signatures = sign_envelope(PAYLOAD_TYPE, said.payload, [SIGNER])
        raw = write_package(replace(holding, statement=said, signatures=signatures, classes=table))
        assert refusal(raw).startswith("check 4: cls: ")
        assert why in refusal(raw)
    unsigned = replace(holding, classes=ClassTable.of(bytes([1]) * 16, holding.disclosure.headers))
    assert refusal(write_package(unsigned)) == "check 4: cls: digest"


def test_4_no_record_changes_within_an_epoch_not_even_a_withheld_one() -> None:
    records = [EVENT_LABEL, attribute("one"), attribute("two")]
    held = verified(lie(records)).holding.narrowed({0: 1})
    append = attribute("three", (1,))
    later: dict[str, Any] = {"seq": 2, "prev": bytes.fromhex(held.statement.seal)}
    changed = lie([EVENT_LABEL, attribute("one"), attribute("two", (3,)), append], **later)
    assert "another header" in refusal(changed, held=held)
    assert accepted(lie([*records, append], **later), held=held)
    assert accepted(lie([*records, attribute("three")], **later), held=held)
    assert accepted(lie([EVENT_LABEL, append], epoch=1, **later), held=held)


# 5 root


def test_5_another_root_is_refused() -> None:
    raw = lie([EVENT_LABEL, attribute("one")], root=bytes(32))
    assert refusal(raw).startswith("check 5: root")


def test_5_the_proof_is_minimal() -> None:
    holding = sealed().narrowed({0: 1, 1: 1, 2: 1})
    assert accepted(write_package(holding))
    for proof, why in [
        (holding.proof[:-1], "too few"),
        ((*holding.proof, bytes(32)), "left over"),
        ((), "too few"),
        ((bytes(32), *holding.proof[1:]), "not those that were signed"),
    ]:
        assert why in refusal(write_package(replace(holding, proof=proof)))


# 6 version


def versions() -> tuple[list[Record], Holding]:
    records = [EVENT_LABEL, attribute("one")]
    return records, verified(lie(records, seq=5, prev=bytes(32))).holding


def test_6_an_older_version_is_refused() -> None:
    records, held = versions()
    assert accepted(lie(records, seq=5, prev=bytes(32)), held=held)
    assert "older" in refusal(lie(records, seq=4), held=held)
    newer_epoch = verified(lie(records, epoch=1, seq=1)).holding
    assert "older" in refusal(lie(records, seq=9), held=newer_epoch)
    assert accepted(lie(records, epoch=1, seq=1), held=held)


def test_6_two_statements_for_one_version_are_equivocation() -> None:
    records, held = versions()
    assert refusal(lie(records, seq=5), held=held).startswith("check 6: equivocation")


def test_6_the_next_version_names_the_one_that_is_held() -> None:
    records, held = versions()
    assert accepted(lie(records, seq=6, prev=bytes.fromhex(held.statement.seal)), held=held)
    for prev in (None, bytes(32)):
        assert refusal(lie(records, seq=6, prev=prev), held=held).startswith("check 6: prev")
        assert accepted(lie(records, seq=7, prev=prev), held=held)


def test_6_a_statement_is_enough_to_compare_with() -> None:
    records, held = versions()
    statement: Statement = held.statement
    package = read_package(lie(records, seq=4))
    with pytest.raises(RefusedError, match="older"):
        verify(package, REGISTRY, first_seen_at=NOW, held=statement)


def test_6_another_log_is_no_version_of_this_one() -> None:
    records, held = versions()
    for raw in (lie(records, seq=6, event=OTHER), lie(records, seq=6, log="note")):
        assert "another log" in refusal(raw, held=held)


def test_6_a_log_does_not_shrink_within_an_epoch() -> None:
    records, held = versions()
    assert refusal(lie(records[:1], seq=7), held=held).startswith("check 6: version: 1 records")


def test_examining_asks_for_everything_but_the_signature() -> None:
    holding = sealed(event_records())
    false = (replace(holding.signatures[0], sig=bytes(64)),)
    unproved = write_package(replace(holding, signatures=false))
    assert examine(read_package(unproved)).records == holding.records
    assert refusal(unproved).startswith("check 3")
    for raw, check in [
        (write_package(replace(holding, signatures=())), 3),
        (lie([EVENT_LABEL], live=9), 4),
        (unproved.replace(b"phish", b"fishy"), 5),
        (lie([attribute("one")]), 7),
    ]:
        with pytest.raises(RefusedError, match=f"check {check}"):
            examine(read_package(raw))
    with pytest.raises(RefusedError, match="check 6"):
        examine(read_package(unproved), verified(lie([EVENT_LABEL], seq=2)).holding)

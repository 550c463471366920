"""Withholding: closed under repetition, and nothing of what is withheld is left."""

from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sharing.errors import RefusedError
from sharing.seal.canonical import write_base64
from sharing.seal.holding import Holding
from sharing.seal.package import load_holding, write_package
from sharing.seal.records import Kind
from sharing.seal.salts import split_salts
from tests.sharing.seal.notary import attribute, event_records, sealed, verified
from tests.sharing.seal.strategies import holdings, masks_of


@given(holdings)
def test_what_is_sealed_verifies(holding: Holding) -> None:
    got = verified(write_package(holding)).holding
    assert got.records == holding.records
    assert got.digest == holding.digest
    assert got == holding


@given(holdings, st.data())
def test_any_chain_of_redactions_verifies(holding: Holding, data: st.DataObject) -> None:
    for _ in range(3):
        masks = data.draw(masks_of(holding))
        raw = write_package(holding, masks)
        holding = verified(raw).holding
        assert dict(holding.masks) == {index: mask for index, mask in masks.items() if mask}


@given(holdings, st.data())
def test_redacting_twice_is_redacting_once_by_both(holding: Holding, data: st.DataObject) -> None:
    first, second = data.draw(masks_of(holding)), data.draw(masks_of(holding))
    both = {index: first[index] & second[index] for index in first}
    twice = verified(write_package(holding, first)).holding
    assert write_package(twice, both) == write_package(holding, both)


@given(holdings, st.data())
def test_reading_back_what_we_wrote_changes_no_byte(holding: Holding, data: st.DataObject) -> None:
    raw = write_package(holding, data.draw(masks_of(holding)))
    assert write_package(load_holding(raw)) == raw
    assert write_package(verified(raw).holding) == raw


@given(holdings, st.data())
def test_nothing_withheld_is_in_a_package(holding: Holding, data: st.DataObject) -> None:
    masks = data.draw(masks_of(holding))
    raw = write_package(holding, masks, class_table=data.draw(st.booleans()))
    salts = iter(split_salts(holding.disclosure.salts))
    known = set(split_salts(load_holding(raw).disclosure.salts))  # whatever the bytes tell
    for index, record in holding.records.items():
        for slot, text in enumerate(record.slots):
            assert text is not None
            salt = next(salts)
            if masks[index] >> slot & 1:
                continue
            for secret in (text, salt, sha256(text).digest()):
                assert secret not in raw
                assert secret.hex().encode() not in raw
                assert write_base64(secret).encode() not in raw
            assert salt not in known


@given(holdings, st.data())
def test_dropping_any_record_never_loosens_a_label(holding: Holding, data: st.DataObject) -> None:
    kept = data.draw(st.sets(st.sampled_from(sorted(holding.masks)), min_size=1))
    masks = {index: holding.masks[index] for index in kept}
    raw = write_package(holding, masks)
    undefined = holding.narrowed(masks).labels.undefined(
        byte for index in kept for byte in holding.records[index].header.labels
    )
    if undefined is not None:
        with pytest.raises(RefusedError, match=f"check 7: label record {undefined} is not"):
            verified(raw)
        return
    got = verified(raw).holding
    for record in got.records.values():
        for byte in record.header.labels:
            assert got.labels.effective(byte) == holding.labels.effective(byte)
            assert got.labels.addressees(byte) <= holding.labels.addressees(byte)


@settings(max_examples=30)
@given(st.integers(1, 130), st.data())
def test_a_seed_travels_only_while_its_chunk_is_whole(count: int, data: st.DataObject) -> None:
    holding = sealed([event_records()[0], *(attribute(name) for name in range(count))])
    masks = dict(holding.masks)
    gone = data.draw(st.integers(1, count))
    del masks[gone]
    left = holding.narrowed(masks).disclosure.chunks
    assert all(not chunk.first <= gone < chunk.stop for chunk in left)
    assert len(left) == len(holding.disclosure.chunks) - 1


def test_more_than_is_held_cannot_be_disclosed() -> None:
    holding = sealed()
    less = holding.narrowed({0: 1, 1: 1, 5: 1})
    with pytest.raises(ValueError, match="not held"):
        write_package(less, {0: 1, 1: 1, 2: 1})
    with pytest.raises(ValueError, match="not held"):
        write_package(less, {0: 1, 1: 1, 5: 0xFF})


def test_a_record_with_nothing_left_disappears() -> None:
    holding = sealed()
    got = verified(write_package(holding, {0: 1, 1: 1, 5: 0})).holding
    assert list(got.records) == [0, 1]
    assert {record.header.kind for record in got.records.values()} == {Kind.LABEL}


def test_a_package_discloses_something() -> None:
    with pytest.raises(ValueError, match="discloses something"):
        write_package(sealed(), {0: 0})


def test_the_class_table_can_be_left_out() -> None:
    holding = sealed()
    raw = write_package(holding, {0: 1}, class_table=False)
    assert b'"cls"' not in raw
    assert verified(raw).holding.classes is None

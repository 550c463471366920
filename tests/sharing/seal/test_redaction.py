"""Withholding: closed under repetition, and nothing of what is withheld is left."""

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sharing.errors import RefusedError, UnreadableError
from sharing.seal.canonical import read_base64, write_base64
from sharing.seal.delta import Base, read_delta, write_delta
from sharing.seal.disclosure import Disclosure
from sharing.seal.holding import Holding
from sharing.seal.limits import CHUNK_RECORDS, SLOTS_PER_RECORD
from sharing.seal.merging import merge
from sharing.seal.narrowing import drop, narrow
from sharing.seal.package import load_holding, read_package, write_package
from sharing.seal.records import Kind
from sharing.seal.salts import expand, split_salts
from tests.sharing.seal.notary import attribute, event_records, extended, sealed, updated, verified
from tests.sharing.seal.strategies import cut_short, histories, holdings, masks_of


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
def test_dropping_a_few_records_is_withholding_them(holding: Holding, data: st.DataObject) -> None:
    held = holding.narrowed(data.draw(masks_of(holding))).disclosure
    gone = data.draw(st.sets(st.integers(0, holding.statement.size + 2)))
    masks = dict(zip(held.indices, held.masks(), strict=True))
    assert drop(held, gone) == narrow(held, {at: masks[at] for at in masks if at not in gone})


# What is withheld cannot be found

Place = tuple[int, int]  # record and slot


def secrets_of(*versions: Holding) -> dict[Place, tuple[bytes, bytes]]:
    """Text and salt of every slot there ever was in a log."""
    secrets = dict[Place, tuple[bytes, bytes]]()
    for holding in versions:
        salts = iter(split_salts(holding.disclosure.salts))
        for index, record in holding.records.items():
            for slot, text in enumerate(record.slots):
                secrets[index, slot] = text or b"", next(salts)
    return secrets


def assert_hidden(
    raw: bytes, told: Disclosure, secrets: Mapping[Place, tuple[bytes, bytes]]
) -> None:
    """Of what was read from these bytes, and of the bytes themselves, nothing else is found."""
    masks = dict(zip(told.indices, told.masks(), strict=True))
    salts = set(split_salts(told.salts))
    for chunk in told.chunks:  # as far as a seed reaches, whatever its count says
        salts |= set(split_salts(expand(chunk.seed, CHUNK_RECORDS * SLOTS_PER_RECORD)))
    bytes_told = b"\n".join([raw, *decoded(json.loads(raw.split(b"\n", 1)[0]))])
    for (index, slot), (text, salt) in secrets.items():
        if masks.get(index, 0) >> slot & 1:
            assert text in raw
            assert salt in salts
            continue
        assert salt not in salts
        for secret in (text, salt, sha256(text).digest()):
            assert secret not in bytes_told
            assert secret.hex().encode() not in bytes_told
            assert write_base64(secret).rstrip("=").encode() not in bytes_told


def decoded(value: object) -> Iterator[bytes]:
    """What the base64 in a head stands for, wherever in it something begins."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from decoded(item)
    elif isinstance(value, str):
        with suppress(UnreadableError):
            yield read_base64(value)


@given(histories(), st.data())
def test_nothing_withheld_is_in_a_package(log: list[Holding], data: st.DataObject) -> None:
    """Nor where a relay made a seed seem to cover less than it does."""
    held = cut_short(log[-1], data.draw(st.integers(1, CHUNK_RECORDS)))
    masks = data.draw(masks_of(held))
    raw = write_package(held, masks, class_table=data.draw(st.booleans()))
    assert_hidden(raw, read_package(raw).disclosure, secrets_of(*log))


@given(histories(), st.data())
def test_nothing_withheld_is_in_a_delta_nor_in_what_it_makes(
    log: list[Holding], data: st.DataObject
) -> None:
    """Not even what the recipient has already is told again."""
    had, most = data.draw(masks_of(log[0])), data.draw(st.integers(1, CHUNK_RECORDS))
    held = verified(write_package(cut_short(log[0], most), had)).holding
    masks = {at: mask & had.get(at, mask) for at, mask in data.draw(masks_of(log[-1])).items()}
    step = write_delta(
        cut_short(log[-1], most), Base.of(held), masks, class_table=data.draw(st.booleans())
    )
    assert step is not None
    assert_hidden(step.raw, read_delta(step.raw).disclosure, secrets_of(*log))
    got = updated(step.raw, held, step.erase)
    assert_hidden(write_package(got), got.disclosure, secrets_of(*log))


@given(histories(), st.data())
def test_nothing_withheld_is_in_a_merged_package(log: list[Holding], data: st.DataObject) -> None:
    held = [cut_short(log[-1], data.draw(st.integers(1, CHUNK_RECORDS))) for _ in range(2)]
    copies = [verified(write_package(one, data.draw(masks_of(one)))) for one in held]
    merged = merge(*(copy.holding for copy in copies))
    assert_hidden(write_package(merged), merged.disclosure, secrets_of(*log))


# Labels only ever get stricter


def assert_no_looser(got: Holding, source: Holding) -> None:
    """No label means less, or is meant for more, than the source said."""
    for index, record in got.records.items():
        assert record.header == source.records[index].header
        for byte in record.header.labels:
            assert got.labels.effective(byte) == source.labels.effective(byte)
            assert got.labels.addressees(byte) <= source.labels.addressees(byte)


def undefined(holding: Holding, masks: Mapping[int, int]) -> int | None:
    """The label byte whose label record is missing where `masks` is disclosed."""
    used = [
        byte for at, mask in masks.items() if mask for byte in holding.records[at].header.labels
    ]
    return holding.narrowed(masks).labels.undefined(used)


@given(holdings, st.data())
def test_dropping_any_record_never_loosens_a_label(holding: Holding, data: st.DataObject) -> None:
    kept = data.draw(st.sets(st.sampled_from(sorted(holding.masks)), min_size=1))
    masks = {index: holding.masks[index] for index in kept}
    raw = write_package(holding, masks)
    missing = undefined(holding, masks)
    if missing is not None:
        with pytest.raises(RefusedError, match=f"check 7: label record {missing} is not"):
            verified(raw)
        return
    assert_no_looser(verified(raw).holding, holding)


@given(histories(), st.data())
def test_dropping_any_record_of_a_delta_never_loosens_a_label(
    log: list[Holding], data: st.DataObject
) -> None:
    """Whether the sender leaves it out, or says that what is held must go."""
    old, new = log[-2:]
    held = verified(write_package(old, data.draw(masks_of(old)))).holding
    gone = data.draw(st.sets(st.sampled_from(sorted(new.masks))))
    masks = {
        at: mask & held.masks.get(at, 0 if at < old.statement.size else mask)
        for at, mask in new.masks.items()
        if at not in gone
    }
    step = write_delta(new, Base.of(held), masks)
    assert step is not None
    missing = undefined(new, masks)
    if missing is not None:
        with pytest.raises(RefusedError, match=f"check 7: label record {missing} is not"):
            updated(step.raw, held, step.erase)
        return
    assert_no_looser(updated(step.raw, held, step.erase), new)


# Seeds, and what there must be


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


def test_a_seed_that_gives_away_more_than_it_says_is_not_passed_on() -> None:
    """A relay sent but five of 32 records, and the seed of all of them."""
    log = sealed([event_records()[0], *(attribute(name) for name in range(40))])
    five = dict.fromkeys(range(5), 1)
    chunk = replace(log.disclosure.chunks[0], count=5)
    told = replace(narrow(log.disclosure, five), chunks=(chunk,))
    sent = replace(log, disclosure=told, proof=log.tree.proof(told.spans), folded=None)
    held = verified(write_package(sent)).holding
    assert held.disclosure.chunks == (chunk,)
    for got in (held.narrowed(five), merge(held, held), updated(extended(log).encode(), held)):
        assert got.masks == five
        assert got.disclosure.chunks == ()
        assert got.disclosure.salts == held.disclosure.salts


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

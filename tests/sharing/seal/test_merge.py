"""Merging: the union of what several packages of one version disclose, and nothing beside it."""

from collections.abc import Mapping
from dataclasses import replace
from functools import reduce
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sharing.seal.delta import Base, write_delta
from sharing.seal.holding import Holding
from sharing.seal.merging import merge
from sharing.seal.package import load_holding, write_package
from tests.sharing.seal.notary import (
    EVENT_LABEL,
    HYBRID,
    again,
    attribute,
    sealed,
    updated,
    verified,
)
from tests.sharing.seal.strategies import cut_short, histories, masks_of

Masks = Mapping[int, int]


def union(*parts: Masks) -> dict[int, int]:
    """What any of these masks names."""
    indices = sorted({index for part in parts for index in part})
    return {index: reduce(int.__or__, (part.get(index, 0) for part in parts)) for index in indices}


def expected(log: Holding, *parts: Masks) -> bytes:
    """The package of the union, with the seeds alone that one of the parts has."""
    chunks = {chunk for part in parts for chunk in log.narrowed(part).disclosure.chunks}
    seeded = tuple(sorted(chunks, key=lambda chunk: chunk.first))
    known = replace(log, disclosure=replace(log.disclosure, chunks=seeded))
    return write_package(known, union(*parts))


@st.composite
def parts_of(draw: st.DrawFn, log: Holding, count: int) -> list[dict[int, int]]:
    """Some parts of a log, each of which discloses something."""
    anything = masks_of(log).map(lambda masks: {at: mask for at, mask in masks.items() if mask})
    parts = []
    for _ in range(count):
        masks = draw(anything)
        kept = draw(st.sets(st.sampled_from(sorted(masks)), min_size=1))
        parts.append({at: mask for at, mask in masks.items() if at in kept or draw(st.booleans())})
    return parts


def received(log: Holding, masks: Masks, *, class_table: bool = True) -> Holding:
    """What comes out of the package of these masks, whether or not all of its labels are there."""
    return load_holding(write_package(log, masks, class_table=class_table))


@given(histories(), st.data())
def test_merging_two_packages_discloses_what_either_does(
    versions: list[Holding], data: st.DataObject
) -> None:
    log = versions[-1]
    one, two = data.draw(masks_of(log)), data.draw(masks_of(log))
    copies = [verified(write_package(log, masks)).holding for masks in (one, two)]
    merged = merge(*copies)
    assert write_package(merged) == expected(log, one, two)
    assert verified(write_package(merged)).holding == merged
    fewer = data.draw(masks_of(merged))
    assert verified(write_package(merged, fewer)).holding.masks == {
        at: mask for at, mask in fewer.items() if mask
    }


@given(histories(), st.data())
def test_merging_goes_in_any_order_and_again(versions: list[Holding], data: st.DataObject) -> None:
    log = versions[-1]
    parts = data.draw(parts_of(log, 3))
    tables = [data.draw(st.booleans()) for _ in parts]
    copies = [
        received(log, masks, class_table=table) for masks, table in zip(parts, tables, strict=True)
    ]
    ways = [merge(merge(one, two), three) for one, two, three in permutations(copies)]
    one, two, three = copies
    ways += [merge(one, merge(two, three)), merge(ways[0], two), merge(ways[0], ways[1])]
    if any(tables):
        assert {write_package(merged) for merged in ways} == {expected(log, *parts)}
    for merged in ways:
        assert merged == ways[0]
        assert (merged.classes is not None) is any(tables)
    assert merge(one, one) == one


@given(histories(), st.data())
def test_a_copy_that_grew_by_deltas_merges_like_any_other(
    versions: list[Holding], data: st.DataObject
) -> None:
    old, log = versions[-2:]
    had, one = data.draw(masks_of(old)), data.draw(parts_of(log, 1))[0]
    before = verified(write_package(old, had)).holding
    kept = {at: log.masks[at] & had.get(at, log.masks[at]) for at in log.masks}
    step = write_delta(log, Base.of(before), kept)
    assert step is not None
    grown = updated(step.raw, before, step.erase)
    for merged in (merge(grown, received(log, one)), merge(received(log, one), grown)):
        assert write_package(merged) == expected(log, kept, one)


@given(st.integers(1, 40), st.data())
def test_a_seed_that_a_relay_cut_short_gives_way_to_the_whole_one(
    count: int, data: st.DataObject
) -> None:
    log = sealed([EVENT_LABEL, *(attribute(name) for name in range(count))])
    raw = write_package(log)
    cut = [cut_short(log, data.draw(st.integers(1, 32))) for _ in range(2)]
    for copy in cut:
        assert verified(write_package(copy)).holding == copy
        assert write_package(merge(copy, log)) == write_package(merge(log, copy)) == raw
    assert merge(*cut) == merge(*reversed(cut)) == max(cut, key=_seeded)


def test_what_both_withhold_stays_withheld() -> None:
    log = sealed([EVENT_LABEL, attribute("one", (0, 0, 0), b'{"a":1}', b'{"b":2}')])
    merged = merge(log.narrowed({0: 1, 1: 0b001}), log.narrowed({0: 1, 1: 0b010}))
    assert merged.masks == {0: 1, 1: 0b011}
    assert b'{"b":2}' not in write_package(merged)


def test_only_copies_of_one_version_are_merged() -> None:
    log = sealed()
    same_records = sealed(signers=HYBRID)
    assert same_records.statement.root == log.statement.root
    for other in (again(log), same_records, again(log, [attribute("new")])):
        for pair in ((log, other), (other, log)):
            with pytest.raises(ValueError, match="copies of one version"):
                merge(*pair)


def test_copies_that_are_signed_differently_are_not_merged() -> None:
    """One of the signatures may be false, and nobody looked."""
    log = sealed()
    other = replace(log, signatures=sealed(signers=HYBRID).signatures)
    with pytest.raises(ValueError, match="two signatures"):
        merge(log, other)


def _seeded(holding: Holding) -> int:
    return sum(chunk.count for chunk in holding.disclosure.chunks)

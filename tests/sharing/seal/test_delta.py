"""Deltas: what is held, the delta and what is erased make what the full package would have given."""

from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sharing.seal.delta import Base, apply, is_delta, read_delta, write_delta
from sharing.seal.holding import Holding
from sharing.seal.maps import MaskRun
from sharing.seal.package import load_holding, write_package
from sharing.seal.records import Kind
from sharing.seal.seal import compact
from sharing.seal.tree import Tree
from tests.sharing.seal.notary import (
    EVENT_LABEL,
    NOW,
    SIGNER,
    again,
    attribute,
    drawn_after,
    extended,
    sealed,
    updated,
    verified,
)
from tests.sharing.seal.strategies import changes_of, histories, holdings, masks_of


def sent(
    source: Holding, held: Holding | None, masks: Mapping[int, int], *, class_table: bool = True
) -> Holding:
    """What a recipient has once `masks` was sent, by a delta if any leads there."""
    raw = write_package(source, masks, class_table=class_table)
    whole = verified(raw, held=held).holding
    if held is None:
        return whole
    step = write_delta(source, Base.of(held), masks, class_table=class_table)
    if step is None:
        assert is_beyond_deltas(source, held, masks)
        return whole
    got = updated(step.raw, held, step.erase)
    assert write_package(got) == raw
    assert got == whole
    assert got.digest == whole.digest
    for kind, things in whole.things.items():
        assert got.things[kind].items() >= things.items()
    return got


def is_beyond_deltas(source: Holding, held: Holding, masks: Mapping[int, int]) -> bool:
    """Whether an older slot is told anew, or a hash that a delta takes is not known."""
    first, size = held.statement.size, source.statement.size
    if any(mask & ~held.masks.get(index, 0) for index, mask in masks.items() if index < first):
        return True
    whole = [level for level in range(first.bit_length()) if first >> level & 1]
    needed = {(level, (first >> level) - 1) for level in whole}
    needed |= {(0, index) for index in range(first, size) if not masks.get(index)}
    return not needed <= known_nodes(source.tree)


def known_nodes(tree: Tree) -> set[tuple[int, int]]:
    """Level and place of every node whose hash is known, under whatever name."""
    known = {
        (level, stretch.start + at)
        for level, stretches in enumerate(tree.levels)
        for stretch in stretches
        for at, _ in enumerate(stretch.hashes)
    }
    for level in reversed(range(1, len(tree.levels))):  # an odd last node rose unchanged
        width = -(-tree.size >> (level - 1))
        if width & 1 and (level, width >> 1) in known:
            known.add((level - 1, width - 1))
    return known


@settings(max_examples=200)
@given(histories(), st.data())
def test_a_delta_leads_where_the_full_package_does(log: list[Holding], data: st.DataObject) -> None:
    """Versions 1..4 to a relay and from there to a reader, who may miss some of them."""
    relay = reader = None
    for version in log:
        if relay is not None and not data.draw(st.integers(0, 3)):
            continue
        relay = sent(version, relay, data.draw(masks_like(version, relay)))
        if data.draw(st.booleans()):
            relay = load_holding(write_package(relay))  # stored and read again, it knows less
        if data.draw(st.booleans()):
            table = relay.classes is not None and data.draw(st.booleans())
            masks = data.draw(masks_like(relay, reader))
            reader = sent(relay, reader, masks, class_table=table)


@st.composite
def masks_like(draw: st.DrawFn, source: Holding, held: Holding | None) -> dict[int, int]:
    """Any part of `source`; mostly nothing older that is not held, often little that is new."""
    masks = draw(masks_of(source))
    if held is None or not draw(st.integers(0, 3)):
        return masks
    first, some = held.statement.size, draw(st.booleans())
    older = {index: mask & held.masks.get(index, 0) for index, mask in masks.items()}
    newer = {
        index: mask
        for index, mask in masks.items()
        if some or source.records[index].header.kind == Kind.LABEL
    }
    return {index: older[index] if index < first else newer.get(index, 0) for index in masks}


@given(holdings, st.data())
def test_an_originator_makes_of_a_delta_what_its_readers_do(
    own: Holding, data: st.DataObject
) -> None:
    read = verified(write_package(own)).holding
    for _ in range(data.draw(st.integers(1, 3))):
        append, void = data.draw(changes_of(own))
        delta = extended(own, append, void)
        raw = delta.encode()
        assert read_delta(raw) == delta
        own, before = again(own, append, void), own
        assert apply(before, delta) == own
        read = updated(raw, read)
        assert read == own
        assert write_package(read) == write_package(own)
        step = write_delta(own, Base.of(before))
        assert step is not None
        assert (step.raw, step.erase) == (raw, ())


@given(histories(), st.data())
def test_reading_back_a_delta_changes_no_byte(log: list[Holding], data: st.DataObject) -> None:
    step = write_delta(
        log[-1], Base.of(log[0]), data.draw(masks_of(log[-1])), class_table=data.draw(st.booleans())
    )
    assert step is not None
    assert is_delta(step.raw)
    assert not is_delta(write_package(log[0]))
    assert read_delta(step.raw).encode() == step.raw
    assert load_holding(write_package(updated(step.raw, log[0], step.erase))) == updated(
        step.raw, load_holding(write_package(log[0])), step.erase
    )


def test_a_delta_is_one_however_its_name_is_written() -> None:
    raw = extended(sealed()).encode()
    other = raw.replace(b'"fise-delta"', b'"fise\\u002ddelta"', 1)
    assert other != raw
    assert is_delta(other)
    assert updated(other, sealed()) == again(sealed())
    for neither in (b'{"a":"\\u002d"}\n', b'{"fise\\u002ddelta"\n', b"\\\n", b"", b"\n"):
        assert not is_delta(neither)


# What no delta can say, and what it costs


def four() -> Holding:
    return sealed([EVENT_LABEL, *(attribute(name) for name in range(3))])


def test_no_delta_leads_to_what_is_not_later() -> None:
    first = four()
    second = again(first)
    assert write_delta(second, Base.of(first)) is not None
    for source, held in [(first, first), (first, second), (second, second)]:
        assert write_delta(source, Base.of(held)) is None


def test_no_delta_leads_into_another_epoch() -> None:
    held = four()
    anew = compact(held, signers=[SIGNER], **drawn_after(1), at=NOW)
    assert anew.statement.epoch == 1
    assert write_delta(anew, Base.of(held)) is None


def test_no_delta_discloses_what_was_withheld() -> None:
    held, later = four(), again(four(), [attribute("new", (0, 0), b"{}")])
    for less in ({0: 1, 1: 1, 2: 1}, {0: 1}):
        base = Base.of(held.narrowed(less))
        assert write_delta(later, base) is None
        assert write_delta(later, base, {**less, 4: 0b11}) is not None
        assert write_delta(later, base, {**less, 4: 0b01}) is not None


def test_whoever_lost_the_hashes_a_delta_takes_sends_the_full_package() -> None:
    held, later = four(), again(four(), [attribute(name) for name in "abcd"])

    def relayed(*indices: int) -> Holding:
        return verified(write_package(later, dict.fromkeys(indices, 1))).holding

    for known, leads in [
        ((0, 1, 2, 3), False),  # of the last four only their common root
        ((0, 4), False),  # of 5 and 6, 7 only what stands for both
        ((0, 4, 6), True),
        ((0, 1, 5, 7), True),
    ]:
        source = relayed(*known)
        assert (write_delta(source, Base.of(held)) is not None) is leads
    grown = updated(extended(held, [attribute(name) for name in "abcd"]).encode(), held)
    assert write_delta(grown, Base.of(held), {0: 1}) is not None


def test_a_last_leaf_that_rose_in_the_tree_is_known_all_the_same() -> None:
    held, later = four(), again(four(), [attribute("new")])
    relay = verified(write_package(later, {0: 1, 1: 1})).holding
    step = write_delta(relay, Base.of(held))
    assert step is not None
    assert updated(step.raw, held, step.erase) == relay


@pytest.mark.parametrize("masks", [{0: 1, 3: 1}, {0: 1, 1: 0b11}, {0: 1, 2: 1}, {0: 1, 5: 1}])
def test_nobody_sends_more_than_is_held(masks: dict[int, int]) -> None:
    """Of what is held record 2 is void, and 3 is withheld."""
    held, later = four(), again(four(), [attribute("new")], [2])
    source = later.narrowed({0: 1, 1: 1, 4: 1})
    with pytest.raises(ValueError, match="not held"):
        write_delta(source, Base.of(held), masks)


def test_what_is_erased_leaves_its_hash_and_neither_salt_nor_seed() -> None:
    held = sealed([EVENT_LABEL, attribute("one", (0, 0), b'{"comment":"ward 17"}')])
    erase = [MaskRun(1, 1, 0b10)]
    got = updated(extended(held).encode(), held, erase)
    assert got.masks == {0: 1, 1: 1}
    assert got.disclosure.commitments == {2: held.disclosure.commitment(2)}
    assert got.disclosure.chunks == ()
    assert got.disclosure.salts == held.disclosure.salts[:32] + bytes(16)
    assert write_package(got) == write_package(again(held), {0: 1, 1: 1})


def test_a_delta_costs_what_changed_however_long_the_log_is() -> None:
    sizes = []
    for count in (10, 3000):
        held = sealed([EVENT_LABEL, *(attribute(name) for name in range(count))])
        later = again(held, [attribute("new")], [5])
        step = write_delta(later, Base.of(held), class_table=False)
        assert step is not None
        sizes.append(len(step.raw))
    assert sizes[1] - sizes[0] < 10 * 44 + 20  # as many more hashes in base64, and digits

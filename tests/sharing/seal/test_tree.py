"""The tree against the standard's leaves, against another implementation, and against itself."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymerkle import InmemoryTree

from sharing.errors import UnreadableError
from sharing.seal.tree import Span, Stretch, Tree, fold, join_span, root_of

VECTOR = json.loads((Path(__file__).parents[2] / "vectors" / "seal-tree.json").read_text())
LEAVES = [bytes.fromhex(leaf) for leaf in VECTOR["leaves"]]


def hashes(count: int) -> list[bytes]:
    return [bytes([number & 255, number >> 8]) * 16 for number in range(count)]


def whole(count: int) -> Tree:
    return fold([Stretch(0, hashes(count))], count, ())


def known(tree: Tree, spans: list[Span]) -> list[Stretch]:
    leaves = hashes(tree.size)
    return [Stretch(start, leaves[start:stop]) for start, stop in spans]


@st.composite
def partly_known(draw: st.DrawFn) -> tuple[Tree, list[Span]]:
    size = draw(st.integers(1, 70))
    chosen = draw(st.sets(st.integers(0, size - 1), min_size=1))
    spans: list[Span] = []
    for index in sorted(chosen):
        join_span(spans, Span(index, index + 1))
    return whole(size), spans


@pytest.mark.parametrize("count", range(1, 9))
def test_roots_are_those_of_the_standard(count: int) -> None:
    assert root_of(LEAVES[:count]).hex() == VECTOR["roots"][count - 1]


def test_nothing_has_the_root_of_the_standard() -> None:
    assert root_of([]).hex() == VECTOR["empty"]


@given(st.lists(st.binary(max_size=8), min_size=1, max_size=70))
def test_another_implementation_finds_the_same_root(entries: list[bytes]) -> None:
    oracle = InmemoryTree(algorithm="sha256")
    for entry in entries:
        oracle.append_entry(entry)
    assert root_of(entries) == oracle.get_root()


@given(partly_known())
def test_a_proof_leads_to_the_root(case: tuple[Tree, list[Span]]) -> None:
    tree, spans = case
    assert fold(known(tree, spans), tree.size, tree.proof(spans)).root == tree.root


@given(partly_known())
def test_no_hash_of_a_proof_may_miss(case: tuple[Tree, list[Span]]) -> None:
    tree, spans = case
    proof = tree.proof(spans)
    if proof:
        with pytest.raises(UnreadableError, match="too few"):
            fold(known(tree, spans), tree.size, proof[:-1])


@given(partly_known())
def test_no_hash_of_a_proof_may_be_left_over(case: tuple[Tree, list[Span]]) -> None:
    tree, spans = case
    with pytest.raises(UnreadableError, match="left over"):
        fold(known(tree, spans), tree.size, (*tree.proof(spans), bytes(32)))


@given(partly_known(), st.data())
def test_less_can_be_proved_from_a_proof(
    case: tuple[Tree, list[Span]], data: st.DataObject
) -> None:
    tree, spans = case
    part = fold(known(tree, spans), tree.size, tree.proof(spans))
    indices = [index for span in spans for index in range(*span)]
    fewer: list[Span] = []
    for index in sorted(data.draw(st.sets(st.sampled_from(indices), min_size=1))):
        join_span(fewer, Span(index, index + 1))
    assert part.proof(fewer) == tree.proof(fewer)


@given(st.integers(1, 70), st.integers(0, 40))
def test_a_grown_tree_is_the_tree_of_all_leaves(old: int, new: int) -> None:
    leaves = hashes(old + new)
    grown = fold([Stretch(0, leaves[:old])], old, ()).grown(leaves[old:])
    assert grown is not None
    assert grown.root == whole(old + new).root
    spans = [Span(0, 1)]
    assert grown.proof(spans) == whole(old + new).proof(spans)


@given(partly_known(), st.integers(1, 9))
def test_a_tree_with_holes_grows_or_says_that_it_cannot(
    case: tuple[Tree, list[Span]], new: int
) -> None:
    tree, spans = case
    part = fold(known(tree, spans), tree.size, tree.proof(spans))
    leaves = hashes(tree.size + new)
    grown = part.grown(leaves[tree.size :])
    if grown is None:
        assert spans[-1].stop < tree.size
    else:
        assert grown.root == whole(tree.size + new).root


def test_a_proof_for_unknown_leaves_is_our_mistake() -> None:
    tree = whole(8)
    part = fold(known(tree, [Span(0, 1)]), 8, tree.proof([Span(0, 1)]))
    with pytest.raises(ValueError, match="not known"):
        part.proof([Span(4, 5)])

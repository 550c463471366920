"""The tree against the standard's examples, against another implementation, and against itself."""

import json
import random
from collections.abc import Collection, Iterator
from functools import cache
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymerkle import InmemoryTree

from sharing.errors import UnreadableError
from sharing.seal.tree import Frontier, Span, Stretch, Tree, fold, root_of, spans_of

VECTOR = json.loads((Path(__file__).parents[2] / "vectors" / "seal-tree.json").read_text())
LEAVES = [bytes.fromhex(leaf) for leaf in VECTOR["leaves"]]

MOST = 1040  # past 2^10, so that every level up to the tenth is once whole and once not
ENTRIES = [number.to_bytes(2) for number in range(MOST)]
HASHES = [sha256(b"\x00" + entry).digest() for entry in ENTRIES]


def whole(count: int) -> Tree:
    return fold([Stretch(0, HASHES[:count])], count, ())


def known(spans: list[Span]) -> list[Stretch]:
    return [Stretch(start, HASHES[start:stop]) for start, stop in spans]


@st.composite
def partly_known(draw: st.DrawFn) -> tuple[Tree, list[Span]]:
    size = draw(st.integers(1, 70))
    chosen = draw(st.sets(st.integers(0, size - 1), min_size=1))
    return whole(size), spans_of(sorted(chosen))


# The standard


@pytest.mark.parametrize("count", range(1, 9))
def test_roots_are_those_of_the_standard(count: int) -> None:
    assert root_of(LEAVES[:count]).hex() == VECTOR["roots"][count - 1]


def test_nothing_has_the_root_of_the_standard() -> None:
    assert root_of([]).hex() == VECTOR["empty"]


def seven() -> dict[str, bytes]:
    """The nodes of the tree of seven leaves, by the letters that the standard gives them."""
    named = dict(zip("abcdefj", HASHES[:7], strict=True))
    for parent, pair in {"g": "ab", "h": "cd", "i": "ef", "k": "gh", "l": "ij"}.items():
        named[parent] = sha256(b"\x01" + named[pair[0]] + named[pair[1]]).digest()
    return named


@pytest.mark.parametrize(("leaf", "path"), [(0, "bhl"), (3, "cgl"), (4, "fjk"), (6, "ik")])
def test_inclusion_proofs_are_those_of_the_standard(leaf: int, path: str) -> None:
    """RFC 6962 §2.1.3, RFC 9162 §2.1.5: the tree of seven leaves."""
    assert whole(7).proof([Span(leaf, leaf + 1)]) == tuple(seven()[name] for name in path)


@pytest.mark.parametrize(("size", "nodes"), [(3, "gc"), (4, "k"), (6, "ki")])
def test_frontiers_are_those_of_the_standard(size: int, nodes: str) -> None:
    """What of its consistency proofs [c, d, g, l], [l] and [i, j, k] leads to the old root.

    With four leaves that is the old root itself, which the standard's proof leaves out.
    """
    assert whole(7).frontier(size) == Frontier(size, tuple(seven()[name] for name in nodes))


# Another implementation


@cache
def oracle() -> InmemoryTree:
    tree = InmemoryTree(algorithm="sha256")
    tree.append_entries(ENTRIES)
    return tree


@cache
def subtree_root(start: int, stop: int) -> bytes:
    """The root over these entries alone, by the other implementation."""
    tree = InmemoryTree(algorithm="sha256")
    tree.append_entries(ENTRIES[start:stop])
    root: bytes = tree.get_root()
    return root


def siblings(start: int, stop: int, chosen: Collection[int]) -> Iterator[tuple[int, int, int]]:
    """Level, start and stop of what proves the chosen leaves of MTH(D[start:stop]).

    Recursive, as RFC 9162 §2.1.1 splits: nothing in common with how our proofs are made.
    """
    if stop - start <= 1:
        return
    level = (stop - start - 1).bit_length() - 1
    middle = start + (1 << level)
    for part, other in [((start, middle), (middle, stop)), ((middle, stop), (start, middle))]:
        if not any(part[0] <= leaf < part[1] for leaf in chosen):
            yield level, *part
            yield from siblings(*other, chosen)
            return
    yield from siblings(start, middle, chosen)
    yield from siblings(middle, stop, chosen)


def some_of(size: int, count: int) -> list[int]:
    """Leaves of a log of this size: the first, the last, and others that are always the same."""
    drawn = random.Random(size).sample(range(size), min(size, count))
    return sorted({0, size - 1, *drawn})


def test_another_implementation_finds_the_same_roots() -> None:
    for size in range(1, MOST + 1):
        assert whole(size).root == root_of(ENTRIES[:size]) == oracle().get_root(size)


def test_another_implementation_proves_a_leaf_by_the_same_hashes() -> None:
    for size in range(1, MOST + 1):
        tree = whole(size)
        for leaf in some_of(size, 6):
            base, *path = oracle().prove_inclusion(leaf + 1, size).path
            assert tree.proof([Span(leaf, leaf + 1)]) == tuple(path)
            assert fold([Stretch(leaf, [base])], size, path).root == tree.root


def test_another_implementation_agrees_how_a_log_grows() -> None:
    """What of a consistency proof leads to the old root is our frontier, small to big."""
    for size in range(2, MOST + 1):
        tree = whole(size)
        for old in some_of(size - 1, 4):
            proof = oracle().prove_consistency(old + 1, size)
            marked = [node for node, ours in zip(proof.path, proof.subset, strict=True) if ours]
            frontier = tree.frontier(old + 1)
            assert frontier == Frontier(old + 1, tuple(reversed(marked)))
            assert frontier.root == oracle().get_root(old + 1)
            assert frontier.grown(HASHES[old + 1 : size]).root == oracle().get_root(size)


@pytest.mark.parametrize("share", [0.01, 0.5, 0.99], ids=lambda share: f"{share:.0%} kept")
def test_a_proof_of_many_leaves_is_the_recursive_one(share: float) -> None:
    """Of subtrees that the other implementation hashed; in our order, and none too many."""
    for size in [*range(1, 70), 127, 128, 129, 500, 512, 513, 1023, 1024, 1025, 1037, MOST]:
        drawn = random.Random(size)
        chosen = [leaf for leaf in range(size) if drawn.random() < share] or [size // 2]
        nodes = sorted(siblings(0, size, chosen))
        expected = tuple(subtree_root(start, stop) for _, start, stop in nodes)
        assert whole(size).proof(spans_of(chosen)) == expected
        assert fold(known(spans_of(chosen)), size, expected).root == oracle().get_root(size)


@given(st.lists(st.binary(max_size=8), min_size=1, max_size=70))
def test_another_implementation_finds_the_same_root_of_any_entries(entries: list[bytes]) -> None:
    other = InmemoryTree(algorithm="sha256")
    other.append_entries(entries)
    assert root_of(entries) == other.get_root()


# Itself


@given(partly_known())
def test_a_proof_leads_to_the_root(case: tuple[Tree, list[Span]]) -> None:
    tree, spans = case
    assert fold(known(spans), tree.size, tree.proof(spans)).root == tree.root


@given(partly_known())
def test_no_hash_of_a_proof_may_miss(case: tuple[Tree, list[Span]]) -> None:
    tree, spans = case
    proof = tree.proof(spans)
    for at in range(len(proof)):
        with pytest.raises(UnreadableError, match="too few"):
            fold(known(spans), tree.size, proof[:at] + proof[at + 1 :])


@given(partly_known())
def test_no_hash_of_a_proof_may_be_left_over(case: tuple[Tree, list[Span]]) -> None:
    tree, spans = case
    with pytest.raises(UnreadableError, match="left over"):
        fold(known(spans), tree.size, (*tree.proof(spans), bytes(32)))


@given(partly_known(), st.data())
def test_another_hash_in_a_proof_leads_to_another_root(
    case: tuple[Tree, list[Span]], data: st.DataObject
) -> None:
    tree, spans = case
    proof = list(tree.proof(spans))
    if proof:
        proof[data.draw(st.integers(0, len(proof) - 1))] = bytes(32)
        assert fold(known(spans), tree.size, proof).root != tree.root


@given(partly_known(), st.data())
def test_less_can_be_proved_from_a_proof(
    case: tuple[Tree, list[Span]], data: st.DataObject
) -> None:
    tree, spans = case
    part = fold(known(spans), tree.size, tree.proof(spans))
    indices = [index for span in spans for index in range(*span)]
    fewer = spans_of(sorted(data.draw(st.sets(st.sampled_from(indices), min_size=1))))
    assert part.proof(fewer) == tree.proof(fewer)


@given(st.integers(1, 70), st.integers(0, 40), st.data())
def test_a_grown_tree_is_the_tree_of_all_leaves(old: int, new: int, data: st.DataObject) -> None:
    frontier = whole(old).frontier(old)
    assert frontier is not None
    grown, all_at_once = whole(old).grown(frontier.grown(HASHES[old : old + new])), whole(old + new)
    assert grown.root == all_at_once.root
    some = data.draw(st.sets(st.integers(0, old + new - 1), min_size=1))
    assert grown.proof(spans_of(sorted(some))) == all_at_once.proof(spans_of(sorted(some)))


@given(partly_known(), st.integers(1, 9))
def test_a_tree_with_holes_grows_or_says_that_it_cannot(
    case: tuple[Tree, list[Span]], new: int
) -> None:
    tree, spans = case
    part = fold(known(spans), tree.size, tree.proof(spans))
    frontier = part.frontier(tree.size)
    if frontier is None:
        assert spans[-1].stop < tree.size
    else:
        grown = part.grown(frontier.grown(HASHES[tree.size : tree.size + new]))
        assert grown.root == whole(tree.size + new).root


@given(st.integers(1, 70), st.integers(0, 3))
def test_a_frontier_has_as_many_hashes_as_its_size_says(size: int, many: int) -> None:
    if many != size.bit_count():
        with pytest.raises(UnreadableError, match=f"{many} hashes of {size.bit_count()}"):
            Frontier(size, (bytes(32),) * many).grown([bytes(32)])


@given(partly_known(), st.data())
def test_two_trees_of_one_log_united_prove_what_either_knew(
    case: tuple[Tree, list[Span]], data: st.DataObject
) -> None:
    tree, spans = case
    other = spans_of(sorted(data.draw(st.sets(st.integers(0, tree.size - 1), min_size=1))))
    parts = [fold(known(some), tree.size, tree.proof(some)) for some in (spans, other)]
    both = spans_of(sorted({leaf for span in [*spans, *other] for leaf in range(*span)}))
    assert parts[0].united(parts[1]).proof(both) == tree.proof(both)
    assert parts[1].united(parts[0]).proof(both) == tree.proof(both)


def test_a_proof_for_unknown_leaves_is_our_mistake() -> None:
    part = fold(known([Span(0, 1)]), 8, whole(8).proof([Span(0, 1)]))
    with pytest.raises(ValueError, match="not known"):
        part.proof([Span(4, 5)])

"""The Merkle tree against the definitions of RFC 9162, restated here recursively, and against manipulation."""

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casemesh.core.merkle import (
    EMPTY_ROOT,
    Frontier,
    MerkleError,
    Tree,
    complete_nodes,
    leaf_hash,
    node_hash,
    root_from_inclusion,
    root_of,
    verify_consistency,
    verify_inclusion,
)

LEAVES = [leaf_hash(f"page {number}".encode()) for number in range(67)]
TREE = Tree(LEAVES)

sizes = st.integers(min_value=1, max_value=len(LEAVES))


@st.composite
def leaf_and_size(draw: st.DrawFn) -> tuple[int, int]:
    size = draw(sizes)
    return draw(st.integers(min_value=0, max_value=size - 1)), size


@st.composite
def two_sizes(draw: st.DrawFn) -> tuple[int, int]:
    new_size = draw(sizes)
    return draw(st.integers(min_value=1, max_value=new_size)), new_size


def split(leaves: int) -> int:
    half = 1
    while half * 2 < leaves:
        half *= 2
    return half


def defined_root(leaves: list[bytes]) -> bytes:
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    half = split(len(leaves))
    return sha256(b"\x01" + defined_root(leaves[:half]) + defined_root(leaves[half:])).digest()


def defined_inclusion(index: int, leaves: list[bytes]) -> list[bytes]:
    if len(leaves) == 1:
        return []
    half = split(len(leaves))
    if index < half:
        return [*defined_inclusion(index, leaves[:half]), defined_root(leaves[half:])]
    return [*defined_inclusion(index - half, leaves[half:]), defined_root(leaves[:half])]


def defined_consistency(old_size: int, leaves: list[bytes], old_is_whole: bool = True) -> list[bytes]:
    if old_size == len(leaves):
        return [] if old_is_whole else [defined_root(leaves)]
    half = split(len(leaves))
    if old_size <= half:
        return [*defined_consistency(old_size, leaves[:half], old_is_whole), defined_root(leaves[half:])]
    return [*defined_consistency(old_size - half, leaves[half:], False), defined_root(leaves[:half])]


def test_the_empty_tree_and_the_empty_leaf_have_different_hashes() -> None:
    assert EMPTY_ROOT.hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert leaf_hash(b"").hex() == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
    assert root_of([]) == EMPTY_ROOT


def test_a_leaf_cannot_pass_for_a_node() -> None:
    left, right = LEAVES[:2]
    assert leaf_hash(left + right) != node_hash(left, right)


def test_a_last_leaf_doubled_changes_the_root() -> None:
    assert root_of(LEAVES[:3]) != root_of([*LEAVES[:3], LEAVES[2]])


@given(sizes)
def test_every_way_to_the_root_gives_the_defined_root(size: int) -> None:
    expected = defined_root(LEAVES[:size])
    assert root_of(LEAVES[:size]) == expected
    assert Tree(LEAVES[:size]).root() == expected
    assert TREE.root(size) == expected


@given(st.integers(min_value=0, max_value=len(LEAVES)), st.integers(min_value=0, max_value=len(LEAVES)))
def test_a_frontier_extended_in_two_batches_equals_one_extended_at_once(first: int, second: int) -> None:
    first, second = sorted((first, second))
    in_batches = Frontier().extend(LEAVES[:first]).extend(LEAVES[first:second])
    assert in_batches == Frontier().extend(LEAVES[:second])
    assert in_batches.size == second


def test_extending_a_frontier_leaves_the_old_one_as_it_was() -> None:
    before = Frontier().extend(LEAVES[:5])
    root = before.root
    before.extend(LEAVES[5:])
    assert before.root == root
    assert before.size == 5


@given(leaf_and_size())
def test_inclusion_proofs_are_the_defined_ones_and_verify(case: tuple[int, int]) -> None:
    index, size = case
    proof = TREE.inclusion_proof(index, size)
    assert proof == defined_inclusion(index, LEAVES[:size])
    verify_inclusion(index, size, LEAVES[index], proof, TREE.root(size))


@given(two_sizes())
def test_consistency_proofs_are_the_defined_ones_and_verify(case: tuple[int, int]) -> None:
    old_size, new_size = case
    proof = TREE.consistency_proof(old_size, new_size)
    assert proof == defined_consistency(old_size, LEAVES[:new_size])
    verify_consistency(old_size, new_size, proof, TREE.root(old_size), TREE.root(new_size))


@given(leaf_and_size(), st.data())
def test_an_inclusion_proof_changed_in_any_way_is_refused(case: tuple[int, int], data: st.DataObject) -> None:
    index, size = case
    proof, root = TREE.inclusion_proof(index, size), TREE.root(size)
    with pytest.raises(MerkleError):
        verify_inclusion(index, size, LEAVES[index], [*proof, LEAVES[0]], root)
    with pytest.raises(MerkleError):
        verify_inclusion(index, size, LEAVES[index], proof, flipped(root, data))
    with pytest.raises(MerkleError):
        verify_inclusion(index, size, flipped(LEAVES[index], data), proof, root)
    if proof:
        at = data.draw(st.integers(min_value=0, max_value=len(proof) - 1))
        with pytest.raises(MerkleError):
            verify_inclusion(index, size, LEAVES[index], [*proof[:at], *proof[at + 1 :]], root)
        with pytest.raises(MerkleError):
            verify_inclusion(
                index, size, LEAVES[index], [*proof[:at], flipped(proof[at], data), *proof[at + 1 :]], root
            )


@given(two_sizes(), st.data())
def test_a_consistency_proof_changed_in_any_way_is_refused(case: tuple[int, int], data: st.DataObject) -> None:
    old_size, new_size = case
    proof, old, new = TREE.consistency_proof(*case), TREE.root(old_size), TREE.root(new_size)
    with pytest.raises(MerkleError):
        verify_consistency(old_size, new_size, [*proof, LEAVES[0]], old, new)
    with pytest.raises(MerkleError):
        verify_consistency(old_size, new_size, proof, flipped(old, data), new)
    with pytest.raises(MerkleError):
        verify_consistency(old_size, new_size, proof, old, flipped(new, data))
    if proof:
        at = data.draw(st.integers(min_value=0, max_value=len(proof) - 1))
        with pytest.raises(MerkleError):
            verify_consistency(old_size, new_size, [*proof[:at], *proof[at + 1 :]], old, new)
        with pytest.raises(MerkleError):
            verify_consistency(old_size, new_size, [*proof[:at], flipped(proof[at], data), *proof[at + 1 :]], old, new)


@given(leaf_and_size(), st.data())
def test_a_leaf_proves_no_other_place(case: tuple[int, int], data: st.DataObject) -> None:
    index, size = case
    other = data.draw(st.integers(min_value=0, max_value=size - 1).filter(lambda place: place != index or size == 1))
    if size > 1:
        with pytest.raises(MerkleError):
            verify_inclusion(other, size, LEAVES[index], TREE.inclusion_proof(index, size), TREE.root(size))


def test_a_page_moved_changes_the_root() -> None:
    moved = [*LEAVES[:10], LEAVES[11], LEAVES[10], *LEAVES[12:]]
    assert root_of(moved) != root_of(LEAVES)


def test_a_consistency_proof_from_nothing_is_refused() -> None:
    with pytest.raises(MerkleError, match="from 0"):
        verify_consistency(0, 5, [], EMPTY_ROOT, TREE.root(5))
    with pytest.raises(MerkleError, match="from 0"):
        verify_consistency(0, 0, [], EMPTY_ROOT, EMPTY_ROOT)
    with pytest.raises(MerkleError, match="from 0"):
        TREE.consistency_proof(0, 5)


def test_equal_sizes_ask_for_equal_roots_and_no_hashes() -> None:
    assert TREE.consistency_proof(9, 9) == []
    verify_consistency(9, 9, [], TREE.root(9), TREE.root(9))
    with pytest.raises(MerkleError, match="two different roots"):
        verify_consistency(9, 9, [], TREE.root(9), TREE.root(8))
    with pytest.raises(MerkleError, match="empty"):
        verify_consistency(9, 9, [LEAVES[0]], TREE.root(9), TREE.root(9))


def test_a_log_that_shrank_has_no_consistency_proof() -> None:
    with pytest.raises(MerkleError):
        verify_consistency(9, 8, TREE.consistency_proof(8, 9), TREE.root(9), TREE.root(8))
    with pytest.raises(MerkleError):
        TREE.consistency_proof(9, 8)


@pytest.mark.parametrize(("index", "size"), [(-1, 4), (4, 4), (0, 0)])
def test_places_outside_the_tree_have_no_proof(index: int, size: int) -> None:
    with pytest.raises(MerkleError, match="not in a tree"):
        TREE.inclusion_proof(index, size)
    with pytest.raises(MerkleError, match="not in a tree"):
        root_from_inclusion(index, size, LEAVES[0], [])


def test_hashes_of_another_length_are_refused() -> None:
    proof = TREE.inclusion_proof(2, 5)
    with pytest.raises(MerkleError, match="32 bytes"):
        verify_inclusion(2, 5, LEAVES[2], [proof[0] + b"\0", *proof[1:]], TREE.root(5))
    with pytest.raises(MerkleError, match="32 bytes"):
        Tree([b"short"])
    with pytest.raises(MerkleError, match="32 bytes"):
        Frontier().extend([b"short"])


def test_a_frontier_that_no_tree_can_have_is_refused() -> None:
    with pytest.raises(MerkleError, match="no tree of 6 leaves"):
        Frontier(6, (LEAVES[0],))


def test_a_size_beyond_the_tree_is_refused() -> None:
    with pytest.raises(MerkleError, match="67 leaves, not 68"):
        TREE.root(68)
    with pytest.raises(MerkleError, match="67 leaves, not 68"):
        TREE.inclusion_proof(0, 68)


def test_leaves_that_share_no_node_of_their_own_are_refused() -> None:
    with pytest.raises(MerkleError, match="not one subtree"):
        complete_nodes(2, 5)
    assert complete_nodes(4, 7) == [(1, 2), (0, 6)]


def test_proofs_hold_at_the_far_end_of_64_bits() -> None:
    size = (1 << 64) - 1
    proof = [LEAVES[level] for level in range(63)]
    index = size - 1
    root = root_from_inclusion(index, size, LEAVES[64], proof)
    verify_inclusion(index, size, LEAVES[64], proof, root)
    with pytest.raises(MerkleError):
        verify_inclusion(index - 1, size, LEAVES[64], proof, root)


def flipped(value: bytes, data: st.DataObject) -> bytes:
    bit = data.draw(st.integers(min_value=0, max_value=len(value) * 8 - 1))
    changed = bytearray(value)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)

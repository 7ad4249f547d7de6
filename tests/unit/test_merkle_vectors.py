"""The Merkle tree against test vectors that nobody here wrote."""

import base64
import json
from hashlib import sha256
from typing import Any

import pytest

from casemesh.core.merkle import MerkleError, Tree, leaf_hash, verify_consistency, verify_inclusion
from tests.support.shared_vectors import vector_file

# One byte a leaf, 0x00 upwards; over every range that is a subtree of a tree of at most 130 leaves, all hashes
# and all inclusion proofs are written out as text and hashed together.
# Source: draft-ietf-plants-merkle-tree-certs, appendix "Subtree Test Vectors".
SUBTREE_LEAVES = [leaf_hash(bytes([number])) for number in range(130)]
SUBTREE_HASHES = "b82806ad4265bb151c1119c0f4db437bb4d1a1f887b3a7fba1cd4ebf552e3e81"
SUBTREE_INCLUSION_PROOFS = "ac2a8f989e44d99e399db448050ff5f19757df53cfb716aa81015d3955d8163f"


def decoded(text: str | None) -> bytes:
    return base64.b64decode(text or "")


def cases(name: str) -> list[dict[str, Any]]:
    loaded: list[dict[str, Any]] = json.loads(vector_file(f"merkle/{name}.json").read_text())
    assert len(loaded) == 98
    assert sum(not case["wantErr"] for case in loaded) == 6
    return loaded


def test_inclusion_proofs_are_accepted_and_refused_as_others_found() -> None:
    for case in cases("inclusion"):
        proof = [decoded(value) for value in case["proof"] or []]
        try:
            verify_inclusion(case["leafIdx"], case["treeSize"], decoded(case["leafHash"]), proof, decoded(case["root"]))
            refused = False
        except MerkleError:
            refused = True
        assert (case["case"], case["wantErr"]) == (case["case"], refused)


def test_consistency_proofs_are_accepted_and_refused_as_others_found() -> None:
    for case in cases("consistency"):
        proof = [decoded(value) for value in case["proof"] or []]
        try:
            verify_consistency(case["size1"], case["size2"], proof, decoded(case["root1"]), decoded(case["root2"]))
            refused = False
        except MerkleError:
            refused = True
        assert (case["case"], case["wantErr"]) == (case["case"], refused)


def is_subtree(start: int, end: int) -> bool:
    width = 1 if end - start <= 1 else 1 << (end - start - 1).bit_length()
    return start % width == 0 or start == end


@pytest.fixture(scope="module")
def subtrees() -> dict[tuple[int, int], Tree]:
    count = len(SUBTREE_LEAVES)
    return {
        (start, end): Tree(SUBTREE_LEAVES[start:end])
        for end in range(count + 1)
        for start in range(end + 1)
        if is_subtree(start, end)
    }


def test_all_subtree_hashes_add_up_to_the_published_digest(subtrees: dict[tuple[int, int], Tree]) -> None:
    rolling = sha256()
    for (start, end), tree in subtrees.items():
        rolling.update(f"[{start}, {end}) {tree.root().hex()}\n".encode())
    assert rolling.hexdigest() == SUBTREE_HASHES


def test_all_inclusion_proofs_add_up_to_the_published_digest(subtrees: dict[tuple[int, int], Tree]) -> None:
    rolling = sha256()
    for (start, end), tree in subtrees.items():
        for index in range(start, end):
            hashes = "".join(f" {value.hex()}" for value in tree.inclusion_proof(index - start))
            rolling.update(f"{index} [{start}, {end}){hashes}\n".encode())
    assert rolling.hexdigest() == SUBTREE_INCLUSION_PROOFS

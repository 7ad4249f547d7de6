"""Merkle tree hash, inclusion and consistency proofs over SHA-256.

Used by the audit log (millions of leaves, nodes read from storage) and by dossier manifests (thousands of
leaves, all in memory). Verification here trusts nothing in a proof: its length must be the one that index and
size dictate, so a proof padded, truncated or made for another size is refused and never fails open.

Source: RFC 9162 section 2.1 (same hashes as RFC 6962 section 2.1).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import TypeAlias

HASH_SIZE = 32
EMPTY_ROOT = sha256(b"").digest()

NodeId: TypeAlias = tuple[int, int]
"""(level, index): the complete subtree over leaves [index << level, (index + 1) << level)."""

ProofPlan: TypeAlias = list[list[NodeId]]
"""One list a proof hash, in proof order; each hash is the fold of its complete subtrees, left to right."""


class MerkleError(ValueError):
    """A proof does not prove what it is offered for, or the tree asked for cannot exist."""


def leaf_hash(entry: bytes) -> bytes:
    """Return the hash of a leaf holding `entry`, 32 bytes."""
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of the node over two subtrees, 32 bytes."""
    return sha256(b"\x01" + left + right).digest()


def fold(hashes: Sequence[bytes]) -> bytes:
    """Return the root over neighbouring complete subtrees given left to right, each smaller than its left.

    With no subtree at all this is the hash of the empty tree.
    """
    if not hashes:
        return EMPTY_ROOT
    result = hashes[-1]
    for left in reversed(hashes[:-1]):
        result = node_hash(left, result)
    return result


def complete_nodes(start: int, end: int) -> list[NodeId]:
    """Return the complete subtrees that make up leaves [start, end), left to right.

    Raises MerkleError when the leaves do not lie under one node of their own, as those that a proof names do.
    """
    if end > start and start & ((1 << (end - start - 1).bit_length()) - 1):
        raise MerkleError(f"leaves [{start}, {end}) are not one subtree")
    nodes = []
    at = start
    while at < end:
        level = (end - at).bit_length() - 1
        nodes.append((level, at >> level))
        at += 1 << level
    return nodes


def inclusion_plan(index: int, size: int) -> ProofPlan:
    """Return which nodes the inclusion proof of leaf `index` in a tree of `size` leaves is made from.

    Raises MerkleError unless 0 <= index < size. Source: RFC 9162 section 2.1.3.1.
    """
    if not 0 <= index < size:
        raise MerkleError(f"leaf {index} is not in a tree of {size} leaves")
    start, end = 0, size
    siblings = []
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            siblings.append((middle, end))
            end = middle
        else:
            siblings.append((start, middle))
            start = middle
    return [complete_nodes(*leaves) for leaves in reversed(siblings)]


def consistency_plan(old_size: int, new_size: int) -> ProofPlan:
    """Return which nodes the proof that `old_size` leaves are a prefix of `new_size` is made from.

    Equal sizes need no hash. Raises MerkleError unless 0 < old_size <= new_size: everything extends the empty
    tree, so a proof from size 0 would prove nothing. Source: RFC 9162 section 2.1.4.1.
    """
    if not 0 < old_size <= new_size:
        raise MerkleError(f"no consistency proof from {old_size} to {new_size} leaves")
    start, end = 0, new_size
    ranges = []
    while end != old_size:
        middle = start + _split(end - start)
        if old_size <= middle:
            ranges.append((middle, end))
            end = middle
        else:
            ranges.append((start, middle))
            start = middle
    if start:
        ranges.append((start, end))
    return [complete_nodes(*leaves) for leaves in reversed(ranges)]


def prove(plan: ProofPlan, read: Callable[[NodeId], bytes]) -> list[bytes]:
    """Return the proof for `plan`, each node taken from `read`."""
    return [fold([read(node) for node in nodes]) for nodes in plan]


def root_from_inclusion(index: int, size: int, leaf: bytes, proof: Sequence[bytes]) -> bytes:
    """Return the root of the `size`-leaf tree in which `proof` places the leaf hash `leaf` at `index`.

    Raises MerkleError when the proof has not exactly the length that index and size dictate, or a hash is not
    32 bytes. The caller compares the result with a root it trusts; until then nothing is proved.
    """
    if not 0 <= index < size:
        raise MerkleError(f"leaf {index} is not in a tree of {size} leaves")
    inner = (index ^ (size - 1)).bit_length()
    border = (index >> inner).bit_count()
    if len(proof) != inner + border:
        raise MerkleError(f"an inclusion proof of leaf {index} in {size} has {inner + border} hashes, not {len(proof)}")
    _require_hashes([leaf, *proof])
    result = leaf
    for level in range(inner):
        sibling = proof[level]
        result = node_hash(sibling, result) if index >> level & 1 else node_hash(result, sibling)
    for sibling in proof[inner:]:
        result = node_hash(sibling, result)
    return result


def verify_inclusion(index: int, size: int, leaf: bytes, proof: Sequence[bytes], root: bytes) -> None:
    """Return only if `proof` shows the leaf hash `leaf` at `index` in the tree of `size` leaves with `root`.

    Raises MerkleError otherwise. `size` and `root` must come from a checkpoint already verified, never from
    the message that carried the proof. Source: RFC 9162 section 2.1.3.2.
    """
    if root_from_inclusion(index, size, leaf, proof) != root:
        raise MerkleError(f"leaf {index} is not under the root of {size} leaves")


def verify_consistency(old_size: int, new_size: int, proof: Sequence[bytes], old_root: bytes, new_root: bytes) -> None:
    """Return only if `proof` shows that the tree of `old_root` is a prefix of the tree of `new_root`.

    Raises MerkleError otherwise, and always for old_size 0. Equal sizes ask for an empty proof and equal roots.
    Source: RFC 9162 section 2.1.4.2.
    """
    if not 0 < old_size <= new_size:
        raise MerkleError(f"no consistency proof from {old_size} to {new_size} leaves")
    if old_size == new_size:
        if proof:
            raise MerkleError("a consistency proof between equal sizes is empty")
        if old_root != new_root:
            raise MerkleError(f"two different roots for {old_size} leaves")
        return
    # The old tree's last complete subtree is where both roots are rebuilt from; if it is the whole old tree,
    # its hash is the old root itself and the proof leaves it out.
    shift = (old_size & -old_size).bit_length() - 1
    whole = old_size == 1 << shift
    seed, rest = (old_root, list(proof)) if whole else (next(iter(proof), b""), list(proof[1:]))
    _require_hashes([seed, *rest])
    index, last = (old_size - 1) >> shift, (new_size - 1) >> shift
    inner = (index ^ last).bit_length()
    border = (index >> inner).bit_count()
    if len(rest) != inner + border:
        raise MerkleError(f"a consistency proof from {old_size} to {new_size} leaves has not {len(proof)} hashes")
    old = new = seed
    for level in range(inner):
        if index >> level & 1:
            old, new = node_hash(rest[level], old), node_hash(rest[level], new)
        else:
            new = node_hash(new, rest[level])
    for left in rest[inner:]:
        old, new = node_hash(left, old), node_hash(left, new)
    if old != old_root:
        raise MerkleError(f"the proof does not rebuild the root of {old_size} leaves")
    if new != new_root:
        raise MerkleError(f"the proof does not rebuild the root of {new_size} leaves")


def root_of(leaf_hashes: Iterable[bytes]) -> bytes:
    """Return the root of the tree over `leaf_hashes`, in order."""
    return Frontier().extend(leaf_hashes).root


@dataclass(frozen=True, slots=True)
class Frontier:
    """What must be remembered of a tree to append to it: at most one complete subtree a level.

    `subtrees` are the hashes of the complete subtrees left to right, one for each bit set in `size`. The value
    never changes; `extend` gives a new one, so that a batch that fails halfway leaves nothing behind.
    """

    size: int = 0
    subtrees: tuple[bytes, ...] = ()

    def __post_init__(self) -> None:
        if self.size < 0 or len(self.subtrees) != self.size.bit_count():
            raise MerkleError(f"{len(self.subtrees)} subtrees are no tree of {self.size} leaves")
        _require_hashes(self.subtrees)

    @property
    def root(self) -> bytes:
        """The root over all leaves so far."""
        return fold(self.subtrees)

    def extend(self, leaf_hashes: Iterable[bytes]) -> Frontier:
        """Return the frontier after appending `leaf_hashes` in order."""
        subtrees = list(self.subtrees)
        size = self.size
        for carry in leaf_hashes:
            _require_hashes([carry])
            merged, bit = carry, size
            while bit & 1:
                merged = node_hash(subtrees.pop(), merged)
                bit >>= 1
            subtrees.append(merged)
            size += 1
        return Frontier(size, tuple(subtrees))


class Tree:
    """A whole tree in memory, for proofs at any of its sizes in logarithmic time.

    About 64 bytes of hashes a leaf. Not for trees that do not fit in memory: those read nodes with `prove`.
    """

    def __init__(self, leaf_hashes: Iterable[bytes] = ()) -> None:
        self._levels: list[list[bytes]] = [[]]
        for leaf in leaf_hashes:
            self.append(leaf)

    @property
    def size(self) -> int:
        """How many leaves the tree has."""
        return len(self._levels[0])

    def append(self, leaf: bytes) -> int:
        """Append one leaf hash and return its index."""
        _require_hashes([leaf])
        level, carry = 0, leaf
        self._levels[0].append(carry)
        while len(self._levels[level]) % 2 == 0:
            carry = node_hash(*self._levels[level][-2:])
            level += 1
            if level == len(self._levels):
                self._levels.append([])
            self._levels[level].append(carry)
        return self.size - 1

    def root(self, size: int | None = None) -> bytes:
        """Return the root of the first `size` leaves, of all if not given."""
        return fold([self._node(node) for node in complete_nodes(0, self._bounded(size))])

    def inclusion_proof(self, index: int, size: int | None = None) -> list[bytes]:
        """Return the proof of leaf `index` in the tree of the first `size` leaves, sibling of the leaf first."""
        return prove(inclusion_plan(index, self._bounded(size)), self._node)

    def consistency_proof(self, old_size: int, new_size: int | None = None) -> list[bytes]:
        """Return the proof that the first `old_size` leaves are a prefix of the first `new_size`."""
        return prove(consistency_plan(old_size, self._bounded(new_size)), self._node)

    def _node(self, node: NodeId) -> bytes:
        level, index = node
        return self._levels[level][index]

    def _bounded(self, size: int | None) -> int:
        if size is None:
            return self.size
        if not 0 <= size <= self.size:
            raise MerkleError(f"the tree has {self.size} leaves, not {size}")
        return size


def _split(leaves: int) -> int:
    """The largest power of two below `leaves`; the unbalanced right edge is never padded or duplicated."""
    return 1 << ((leaves - 1).bit_length() - 1)


def _require_hashes(hashes: Iterable[bytes]) -> None:
    for value in hashes:
        if len(value) != HASH_SIZE:
            raise MerkleError(f"a hash is {HASH_SIZE} bytes, not {len(value)}")

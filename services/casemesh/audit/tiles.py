"""The tree as it is stored: full tiles of 256 hashes, written once, and a right edge that is still filling.

A tile of level L holds the hashes of 256 neighbouring complete subtrees of 256**L leaves each. A proof at any size
then reads a few tiles, however large the log, and nothing stored ever changes: what is right of the last full tile
of a level is derived from the entries (level 0) or the roots of the tiles below.

Source: C2SP tlog-tiles (tile height 8), RFC 9162 section 2.1.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import TypeAlias

from casemesh.core.merkle import HASH_SIZE, Frontier, MerkleError, NodeId, ProofPlan, fold

TILE_HEIGHT = 8
TILE_WIDTH = 1 << TILE_HEIGHT

TileId: TypeAlias = tuple[int, int]
"""(level, index): the subtrees [index * 256, (index + 1) * 256) of 256**level leaves each."""


@dataclass(frozen=True, slots=True)
class Tile:
    """A full tile."""

    level: int
    index: int
    hashes: bytes
    """256 hashes of 32 bytes, left to right."""
    root: bytes
    """The hash over all of them: one hash of the level above."""


def tile_of(node: NodeId) -> TileId:
    """Return the tile that `node` can be computed from."""
    level, index = node
    tile_level, inner = divmod(level, TILE_HEIGHT)
    return tile_level, index << inner >> TILE_HEIGHT


def tiles_of(plan: ProofPlan) -> set[TileId]:
    """Return the tiles that a proof is made from."""
    return {tile_of(node) for nodes in plan for node in nodes}


def node_from_tile(node: NodeId, hashes: bytes) -> bytes:
    """Return the hash of `node`, given the hashes of its tile, which may stop short of 256.

    Raises MerkleError when they stop short of the node.
    """
    level, index = node
    inner = level % TILE_HEIGHT
    first = (index << inner) % TILE_WIDTH * HASH_SIZE
    below = hashes[first : first + (HASH_SIZE << inner)]
    if len(below) != HASH_SIZE << inner:
        raise MerkleError(f"the tile stops short of node {node}")
    return complete_root(below)


def complete_root(joined: bytes) -> bytes:
    """Return the root over neighbouring subtrees of one size whose hashes, a power of two of them, are joined.

    As `root_of` over them, at a third of its cost: most of what a proof takes is this.
    """
    while len(joined) > HASH_SIZE:
        joined = b"".join(
            [sha256(b"\x01" + joined[at : at + 2 * HASH_SIZE]).digest() for at in range(0, len(joined), 2 * HASH_SIZE)]
        )
    return joined


def split_hashes(joined: bytes) -> list[bytes]:
    """Return the 32-byte hashes that `joined` consists of."""
    if len(joined) % HASH_SIZE:
        raise MerkleError(f"{len(joined)} bytes are not a number of hashes")
    return [joined[at : at + HASH_SIZE] for at in range(0, len(joined), HASH_SIZE)]


def edge_starts(size: int) -> list[TileId]:
    """Return, level by level, the tile in which the right edge of `size` leaves lies, full tiles not counted.

    The last level is the one with no full tile below it.
    """
    starts = []
    level, hashes = 0, size
    while hashes or level == 0:
        starts.append((level, hashes // TILE_WIDTH))
        level, hashes = level + 1, hashes // TILE_WIDTH
    return starts


@dataclass(frozen=True, slots=True)
class RightEdge:
    """All of a tree that appending needs: on each level, the hashes right of its last full tile.

    `rows[level]` has fewer than 256 hashes. Like a frontier, the value never changes: a batch that fails leaves
    nothing behind.
    """

    size: int = 0
    rows: tuple[tuple[bytes, ...], ...] = ((),)

    def __post_init__(self) -> None:
        widths = [(self.size >> TILE_HEIGHT * level) % TILE_WIDTH for level in range(len(self.rows))]
        if [len(row) for row in self.rows] != widths or self.size >> TILE_HEIGHT * len(self.rows):
            raise MerkleError(f"these rows are not the right edge of {self.size} leaves")

    def extend(self, leaf_hashes: Iterable[bytes]) -> tuple[RightEdge, list[Tile]]:
        """Return the edge after appending `leaf_hashes`, and the tiles that became full, in order of becoming so."""
        rows = [list(row) for row in self.rows]
        size = self.size
        full: list[Tile] = []
        for leaf in leaf_hashes:
            rows[0].append(leaf)
            size += 1
            level = 0
            while len(rows[level]) == TILE_WIDTH:
                hashes = b"".join(rows[level])
                tile = Tile(level, (size >> TILE_HEIGHT * (level + 1)) - 1, hashes, complete_root(hashes))
                full.append(tile)
                rows[level] = []
                level += 1
                if level == len(rows):
                    rows.append([])
                rows[level].append(tile.root)
        return RightEdge(size, tuple(tuple(row) for row in rows)), full

    def frontier(self) -> Frontier:
        """Return the compact form, whose root is the tree's."""
        subtrees = [subtree for row in reversed(self.rows) for subtree in _complete_subtrees(row)]
        return Frontier(self.size, tuple(subtrees))

    @property
    def root(self) -> bytes:
        """The root over all leaves so far."""
        return fold(self.frontier().subtrees)


def _complete_subtrees(row: Sequence[bytes]) -> list[bytes]:
    """The hashes of the complete subtrees over a row, largest first."""
    subtrees = []
    at = 0
    for level in reversed(range(TILE_HEIGHT)):
        width = 1 << level
        if len(row) & width:
            subtrees.append(complete_root(b"".join(row[at : at + width])))
            at += width
    return subtrees

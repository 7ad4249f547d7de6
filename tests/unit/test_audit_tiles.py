"""Tiles: the same tree, cut for storage."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casemesh.audit.tiles import (
    TILE_WIDTH,
    RightEdge,
    Tile,
    TileId,
    edge_starts,
    node_from_tile,
    split_hashes,
    tile_of,
)
from casemesh.core.merkle import (
    MerkleError,
    ProofPlan,
    Tree,
    consistency_plan,
    inclusion_plan,
    leaf_hash,
    prove,
    verify_consistency,
    verify_inclusion,
)

LEAVES = [leaf_hash(number.to_bytes(3, "big")) for number in range(70_000)]


class Stored:
    """What the database holds after appending: leaves and full tiles."""

    def __init__(self, size: int) -> None:
        self.edge, tiles = RightEdge().extend(LEAVES[:size])
        self.tiles: dict[TileId, Tile] = {(tile.level, tile.index): tile for tile in tiles}

    def hashes(self, tile: TileId) -> bytes:
        level, index = tile
        if tile in self.tiles:
            return self.tiles[tile].hashes
        if level == 0:
            return b"".join(LEAVES[index * TILE_WIDTH : min(self.edge.size, (index + 1) * TILE_WIDTH)])
        below = range(index * TILE_WIDTH, (index + 1) * TILE_WIDTH)
        return b"".join(self.tiles[level - 1, at].root for at in below if (level - 1, at) in self.tiles)

    def prove(self, plan: ProofPlan) -> list[bytes]:
        return prove(plan, lambda node: node_from_tile(node, self.hashes(tile_of(node))))


@pytest.fixture(scope="module")
def stored() -> Stored:
    return Stored(len(LEAVES))


@pytest.fixture(scope="module")
def tree() -> Tree:
    return Tree(LEAVES)


def test_seventy_thousand_leaves_have_the_tiles_of_the_specification(stored: Stored) -> None:
    """The worked example of C2SP tlog-tiles: 273 full tiles and 112 hashes, then 1 full tile and 17, then 1."""
    counts = [sum(level == of for level, _ in stored.tiles) for of in range(3)]
    assert counts == [273, 1, 0]
    assert [len(row) for row in stored.edge.rows] == [112, 17, 1]


def test_the_edge_has_the_root_of_the_tree(stored: Stored, tree: Tree) -> None:
    assert stored.edge.root == tree.root()
    assert stored.edge.frontier().size == 70_000


@given(st.lists(st.integers(min_value=0, max_value=600), max_size=5))
@settings(max_examples=40, deadline=None)
def test_batches_give_the_same_edge_and_tiles_as_one_go(batches: list[int]) -> None:
    edge, tiles, size = RightEdge(), [], 0
    for count in batches:
        edge, full = edge.extend(LEAVES[size : size + count])
        tiles += full
        size += count
    assert (edge, tiles) == RightEdge().extend(LEAVES[:size])
    assert edge.root == Tree(LEAVES[:size]).root()


def test_extending_leaves_the_old_edge_as_it_was() -> None:
    edge, _ = RightEdge().extend(LEAVES[:255])
    root = edge.root
    edge.extend(LEAVES[255:600])
    assert (edge.size, edge.root) == (255, root)


@given(st.data())
@settings(deadline=None)
def test_proofs_from_tiles_are_those_of_the_tree_at_any_size(stored: Stored, tree: Tree, data: st.DataObject) -> None:
    size = data.draw(st.integers(min_value=1, max_value=70_000))
    index = data.draw(st.integers(min_value=0, max_value=size - 1))
    proof = stored.prove(inclusion_plan(index, size))
    assert proof == tree.inclusion_proof(index, size)
    verify_inclusion(index, size, LEAVES[index], proof, tree.root(size))
    old_size = data.draw(st.integers(min_value=1, max_value=size))
    proof = stored.prove(consistency_plan(old_size, size))
    verify_consistency(old_size, size, proof, tree.root(old_size), tree.root(size))


def test_a_proof_reads_its_own_tile_and_that_at_the_edge_on_each_level_at_most() -> None:
    for index in (0, 255, 256, 65_535, 65_536, 69_999):
        plan = inclusion_plan(index, 70_000)
        assert len({tile_of(node) for nodes in plan for node in nodes}) <= 5


@pytest.mark.parametrize("size", [0, 1, 255, 256, 257, 65_535, 65_536, 65_537, 70_000])
def test_the_edge_can_be_read_again_from_what_is_stored(size: int) -> None:
    written = Stored(size)
    rows = []
    for level, index in edge_starts(size):
        hashes = written.hashes((level, index))
        rows.append(tuple(split_hashes(hashes)))
    assert RightEdge(size, tuple(rows)) == written.edge


def test_rows_that_do_not_fit_the_size_are_no_edge() -> None:
    with pytest.raises(MerkleError, match="right edge of 2"):
        RightEdge(2, (tuple(LEAVES[:1]),))
    with pytest.raises(MerkleError, match="right edge of 256"):
        RightEdge(256, ((),))


def test_a_tile_that_stops_short_of_a_node_is_refused() -> None:
    hashes = b"".join(LEAVES[:5])
    assert node_from_tile((2, 0), hashes) == Tree(LEAVES[:4]).root()
    with pytest.raises(MerkleError, match="stops short"):
        node_from_tile((1, 2), hashes)
    with pytest.raises(MerkleError, match="not a number of hashes"):
        split_hashes(hashes[:-1])

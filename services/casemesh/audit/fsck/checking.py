"""`casemeshd audit fsck`: the database held, row by row, against every checkpoint signed over it.

The rows between two checkpoints are proved by the second one's root. Where they are not, the tiles, which repeat the
rows' hashes, are tried in their place: if with them the root comes out, the rows that differ from them are the bad
ones, and the check goes on with what the tiles say. Where the tiles were changed too, all that is known is that the
fault lies between the two checkpoints.

Checkpoints held elsewhere (the service's own file, a log witness, a trail exported before) show what the database
cannot show of itself: that it was put back to an older state, or that another log was signed under the same key.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from casemesh.audit.fsck.findings import Fault, Finding, Report, in_order
from casemesh.audit.fsck.rows import Row, RowCheck, log_time_of
from casemesh.audit.tiles import TILE_WIDTH, Tile, split_hashes
from casemesh.client.commitments import commitment_leaf
from casemesh.client.notes import Checkpoint, NoteError, VerifierKey, open_checkpoint
from casemesh.core.merkle import Frontier, root_of

CHUNK_ROWS = 16 * TILE_WIDTH
"""Rows read at a time: whole tiles, so that a row is held against its tile within one chunk."""
MAX_FINDINGS = 1000
"""More than these are not gathered: what follows a fault can be as many as the rows."""
MAX_TRIES = 8


class LogReader(Protocol):
    """Reads the log's tables as they are, assuming nothing of them but their columns' types."""

    async def state(self) -> tuple[str | None, int, bytes]:
        """Return name, size and root as the head has them."""

    async def rows(self, first: int, end: int) -> Sequence[Row]:
        """Return the entries with indexes [first, end), in order, each with its event where there is one."""

    async def checkpoints(self, above: int, until: int) -> Sequence[tuple[int, str]]:
        """Return size and note of the checkpoints with sizes in (above, until], in order."""

    async def tiles(self, level: int, first: int, end: int) -> Sequence[Tile]:
        """Return the tiles of a level with indexes [first, end), in order."""

    async def beyond(self) -> Sequence[Finding]:
        """Return what lies beyond the head: rows, checkpoints and tiles that it does not cover."""


async def check_log(log: LogReader, key: VerifierKey, held: Sequence[Checkpoint] = ()) -> Report:
    """Return everything in the database that contradicts what was signed with `key`, or itself.

    `held` are checkpoints of the log kept elsewhere, their signatures already checked. Not covered, since nothing
    signed speaks of it: when a checkpoint's row was made. Raises Unavailable.
    """
    return await _Check(log, key, held).run()


class _Check:
    def __init__(self, log: LogReader, key: VerifierKey, held: Sequence[Checkpoint]) -> None:
        self._log = log
        self._key = key
        self._held = held
        self._roots: dict[int, bytes] = {}
        """The roots of the rows at the sizes of the checkpoints held elsewhere."""
        self._findings: list[Finding] = []
        self._rows = RowCheck()
        self._expected = 0
        """The index after the last row that is there."""
        self._frontier: Frontier | None = Frontier()
        """Over the rows so far; None after one that is not there."""
        self._proved = Frontier()
        """At the last checkpoint that held."""
        self._failed: list[int] = []
        """The checkpoints since then, by size, that did not."""
        self._by_tile: dict[int, bytes] = {}
        """The hashes that tiles have for rows since then which have another or are not there."""
        self._unsigned_time: str | None = None
        """When the last row was logged, unless a checkpoint follows it."""
        self._tile_roots: list[set[bytes]] = []
        self._checkpoints = 0

    async def run(self) -> Report:
        name, size, root = await self._log.state()
        if name is not None and name != self._key.name:
            self._find(Fault.HEAD_CHANGED, f"the head bears the name {name}, not {self._key.name}")
        await self._check_first_checkpoint()
        for first in range(0, size, CHUNK_ROWS):
            await self._check_chunk(first, min(first + CHUNK_ROWS, size))
        for finding in self._rows.unexplained():
            self._add(finding)
        if self._expected < size:
            self._find(Fault.TAIL_CUT, f"the head says {size} entries", self._expected, size - 1)
        if self._failed:
            self._find_unproved(self._proved.size, self._failed[0] - 1)
        elif self._proved.size != size:
            self._find(Fault.CHECKPOINT_MISSING, f"no checkpoint covers the head of {size} entries")
        if self._proved.size == size and self._proved.root != root:
            self._find(Fault.HEAD_CHANGED, "the head has another root than was signed")
        await self._check_upper_tiles(size)
        for finding in await self._log.beyond():
            self._add(finding)
        self._check_held(size)
        return Report(size, self._checkpoints, in_order(self._findings))

    async def _check_chunk(self, first: int, end: int) -> None:
        rows = await self._log.rows(first, end)
        await self._compare_with_tiles(first, end, {row.log_index: commitment_leaf(row.commitment) for row in rows})
        notes = dict(await self._log.checkpoints(first, end))
        by_index = {row.log_index: row for row in rows}
        for index in range(first, end):
            self._check_row(index, by_index.get(index), signed=index + 1 in notes)
            if index + 1 in notes:
                await self._check_checkpoint(index + 1, notes[index + 1])

    def _check_row(self, index: int, row: Row | None, *, signed: bool) -> None:
        if row is None:
            self._frontier = self._unsigned_time = None
            return
        if index > self._expected:
            self._find(Fault.ROW_DELETED, "it is not there", self._expected, index - 1)
        self._expected = index + 1
        for finding in self._rows.check(row):
            self._add(finding)
        time = log_time_of(row)
        if None not in (time, self._unsigned_time) and time != self._unsigned_time:
            detail = f"a batch ended with {index} entries, and the checkpoint over them is not there"
            self._find(Fault.CHECKPOINT_MISSING, detail)
        self._unsigned_time = None if signed else time
        if self._frontier is not None:
            self._frontier = self._frontier.extend([commitment_leaf(row.commitment)])
            self._keep_root(self._frontier)

    def _find_unproved(self, first: int, last: int) -> None:
        # A row that is missing or contradicts itself says why. A chain may be broken, and the tail short, by what was
        # done to a row before.
        if not any(
            finding.first is not None
            and first <= finding.first <= last
            and finding.fault not in (Fault.CHAIN_BROKEN, Fault.TAIL_CUT)
            for finding in self._findings
        ):
            self._find(Fault.ROW_CHANGED, f"the entries do not add up to the root signed over {last + 1}", first, last)

    def _keep_root(self, frontier: Frontier) -> None:
        if any(checkpoint.size == frontier.size for checkpoint in self._held):
            self._roots[frontier.size] = frontier.root

    async def _compare_with_tiles(self, first: int, end: int, leaves: Mapping[int, bytes]) -> None:
        """Keep what the full tiles of [first, end) say of rows otherwise than the rows."""
        tiles = {tile.index: tile for tile in await self._log.tiles(0, first // TILE_WIDTH, end // TILE_WIDTH)}
        for number in range(first // TILE_WIDTH, end // TILE_WIDTH):
            tile = tiles.get(number)
            self._tile_roots.append(self._checked_roots(tile, 0, number))
            if tile is not None:
                for index, held in enumerate(split_hashes(tile.hashes), start=number * TILE_WIDTH):
                    if leaves.get(index) != held:
                        self._by_tile[index] = held

    async def _check_first_checkpoint(self) -> None:
        first = await self._log.checkpoints(-1, 0)
        if first:
            self._open(0, first[0][1])
        else:
            self._find(Fault.CHECKPOINT_MISSING, "the checkpoint over the empty log is not there")

    async def _check_checkpoint(self, size: int, note: str) -> None:
        checkpoint = self._open(size, note)
        if checkpoint is None:
            return
        frontier = self._frontier
        if frontier is None or frontier.root != checkpoint.root:
            frontier = await self._with_tiles(checkpoint)
            if frontier is None:
                self._failed.append(size)
                return
        else:
            self._blame_tiles(size)
        for failed in self._failed:
            self._find(Fault.TWO_HEADS, f"another tree of {failed} entries was signed than the one continued")
        self._failed.clear()
        self._frontier = self._proved = frontier
        self._by_tile = {index: held for index, held in self._by_tile.items() if index >= size}

    def _open(self, size: int, note: str) -> Checkpoint | None:
        self._checkpoints += 1
        try:
            checkpoint = open_checkpoint(note, self._key)
        except NoteError as error:
            self._find(Fault.CHECKPOINT_CHANGED, f"the checkpoint over {size} entries does not open: {error}")
            return None
        if checkpoint.size != size:
            detail = f"the checkpoint kept as that over {size} entries is over {checkpoint.size}"
            self._find(Fault.CHECKPOINT_CHANGED, detail)
            return None
        return checkpoint

    def _blame_tiles(self, size: int) -> None:
        """The rows up to `size` are proved; tiles that say otherwise are wrong."""
        for tile in sorted({index // TILE_WIDTH for index in self._by_tile if index < size}):
            self._find(Fault.TILE_CHANGED, f"tile {tile} of level 0 does not hold the hashes of its entries")

    async def _with_tiles(self, checkpoint: Checkpoint) -> Frontier | None:
        """Return the frontier with what the tiles say in place of the rows, if that is what was signed."""
        # After a fault that no tile explains every later checkpoint fails, too; more tries cost and find nothing.
        if not self._by_tile or len(self._failed) > MAX_TRIES:
            return None
        frontier = self._proved
        differing: dict[int, bytes] = {}
        for first in range(self._proved.size, checkpoint.size, CHUNK_ROWS):
            end = min(first + CHUNK_ROWS, checkpoint.size)
            leaves = {row.log_index: commitment_leaf(row.commitment) for row in await self._log.rows(first, end)}
            differing |= {index: leaf for index, leaf in leaves.items() if index in self._by_tile}
            try:
                for index in range(first, end):
                    frontier = frontier.extend([self._by_tile.get(index) or leaves[index]])
                    self._keep_root(frontier)
            except KeyError:
                return None
        if frontier.root != checkpoint.root:
            return None
        for finding in name_difference(differing, self._by_tile):
            self._add(finding)
        return frontier

    async def _check_upper_tiles(self, size: int) -> None:
        below, level = self._tile_roots, 1
        while len(below) >= TILE_WIDTH:
            count = len(below) // TILE_WIDTH
            tiles = {tile.index: tile for tile in await self._log.tiles(level, 0, count)}
            roots = []
            for number in range(count):
                tile = tiles.get(number)
                roots.append(self._checked_roots(tile, level, number))
                parts = below[number * TILE_WIDTH : (number + 1) * TILE_WIDTH]
                if tile is not None and not all(
                    held in known or not known for held, known in zip(split_hashes(tile.hashes), parts, strict=True)
                ):
                    self._find(
                        Fault.TILE_CHANGED, f"tile {number} of level {level} does not hold the roots of those below it"
                    )
            below, level = roots, level + 1

    def _checked_roots(self, tile: Tile | None, level: int, number: int) -> set[bytes]:
        """Return what the level above may say of a tile: nothing is held against it where the tile is not there."""
        if tile is None:
            self._find(Fault.TILE_MISSING, f"tile {number} of level {level} is not there")
            return set()
        computed = root_of(split_hashes(tile.hashes))
        if computed != tile.root:
            self._find(Fault.TILE_CHANGED, f"tile {number} of level {level} has another root than its hashes")
        return {computed, tile.root}

    def _check_held(self, size: int) -> None:
        agreed = 0
        for checkpoint in sorted(self._held, key=lambda one: one.size):
            self._checkpoints += 1
            if checkpoint.size > size:
                detail = f"a checkpoint over {checkpoint.size} entries was signed; the database holds {size}"
                self._find(Fault.ROLLED_BACK, detail, size, checkpoint.size - 1)
            elif checkpoint.size and checkpoint.size <= self._proved.size:
                if self._roots[checkpoint.size] == checkpoint.root:
                    agreed = checkpoint.size
                else:
                    detail = f"another tree of {checkpoint.size} entries was signed than the one that is there"
                    self._find(Fault.TWO_HEADS, detail, agreed, checkpoint.size - 1)

    def _find(self, fault: Fault, detail: str, first: int | None = None, last: int | None = None) -> None:
        self._add(Finding(fault, detail, first, last))

    def _add(self, finding: Finding) -> None:
        if len(self._findings) < MAX_FINDINGS:
            self._findings.append(finding)


def name_difference(rows: Mapping[int, bytes], tiles: Mapping[int, bytes]) -> list[Finding]:
    """Return what was done to `rows`, given what the tiles, which are right, have in their places: hashes by index."""
    if not rows:
        return []
    first, last = min(rows), max(rows)
    if sorted(rows.values()) == sorted(tiles[index] for index in rows):
        return [Finding(Fault.ROWS_REORDERED, "they stand in another order than was signed", first, last)]
    if rows[first] == tiles.get(first + 1):
        return [Finding(Fault.ROW_DELETED, "it was taken out, and those behind it moved up", first, last)]
    if rows.get(first + 1) == tiles[first]:
        return [Finding(Fault.ROW_INSERTED, "it was put in, and those behind it moved down", first, last)]
    return [Finding(Fault.ROW_CHANGED, "it is not what was signed", index, index) for index in sorted(rows)]

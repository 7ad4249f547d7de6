"""The check of the log's database: whatever is done to the tables is found, and the first bad row named."""

from __future__ import annotations

import copy
import json
import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from casemesh.audit.events import Submitted
from casemesh.audit.fsck import rows as fsck_rows
from casemesh.audit.fsck.checking import check_log, name_difference
from casemesh.audit.fsck.findings import Fault, Finding, Report
from casemesh.audit.fsck.rows import Row
from casemesh.audit.sequencing import CaseHead, sequence_batch
from casemesh.audit.tiles import TILE_WIDTH, RightEdge, Tile
from casemesh.client import canonical_json
from casemesh.client.commitments import commitment_leaf, commitment_to
from casemesh.client.notes import Checkpoint, NoteSigner, open_checkpoint, sign_checkpoint
from casemesh.core.merkle import root_of

SEED = 20_261_122
MANIPULATIONS = 1000
SIGNER = NoteSigner("casemesh.test/audit", Ed25519PrivateKey.from_private_bytes(bytes(31) + b"\x01"))
CASES = ["", *(f"cases/019a0000-0000-7000-8000-00000000000{number}" for number in range(4))]


@dataclass
class Tables:
    """The tables of a log in memory, read as the database is, and as freely changed."""

    name: str = SIGNER.name
    size: int = 0
    root: bytes = sha256(b"").digest()
    row_of: dict[int, Row] = field(default_factory=dict)
    note_of: dict[int, str] = field(default_factory=dict)
    tile_of: dict[tuple[int, int], Tile] = field(default_factory=dict)

    async def state(self) -> tuple[str | None, int, bytes]:
        return self.name, self.size, self.root

    async def rows(self, first: int, end: int) -> Sequence[Row]:
        return [row for index, row in sorted(self.row_of.items()) if first <= index < end]

    async def checkpoints(self, above: int, until: int) -> Sequence[tuple[int, str]]:
        return [item for item in sorted(self.note_of.items()) if above < item[0] <= until]

    async def tiles(self, level: int, first: int, end: int) -> Sequence[Tile]:
        return [tile for (of, index), tile in sorted(self.tile_of.items()) if of == level and first <= index < end]

    async def beyond(self) -> Sequence[Finding]:
        found = [Finding(Fault.ROW_INSERTED, "", index, index) for index in self.row_of if index >= self.size]
        found += [Finding(Fault.HEAD_CHANGED, "") for size in self.note_of if size > self.size]
        full = {(level, index) for level, index in self.tile_of if index < self.size >> 8 * (level + 1)}
        return [*found, *(Finding(Fault.TILE_INSERTED, "") for tile in self.tile_of if tile not in full)]


def append(tables: Tables, edge: RightEdge, batch: Sequence[Submitted], seed: random.Random, tick: int) -> RightEdge:
    """Append as the service does."""
    heads = {
        row.case_name: CaseHead(row.case_sequence, row.commitment)
        for row in tables.row_of.values()
        if row.case_name and row.case_sequence
    }
    entries, _ = sequence_batch(
        [batch],
        logged={},
        heads=heads,
        size=tables.size,
        log_time=f"2026-03-02T09:30:00.{tick:06d}Z",
        new_salt=lambda: seed.randbytes(32),
    )
    for entry in entries:
        place = entry.place
        tables.row_of[place.log_index] = Row(
            place.log_index,
            place.event_id,
            entry.case or None,
            place.case_sequence or None,
            entry.commitment,
            entry.salt,
            entry.digest,
            entry.canonical_json,
        )
    edge, full = edge.extend(entry.leaf for entry in entries)
    tables.tile_of |= {(tile.level, tile.index): tile for tile in full}
    tables.size, tables.root = edge.size, edge.root
    tables.note_of[edge.size] = sign_checkpoint(Checkpoint(SIGNER.name, edge.size, edge.root), SIGNER)
    return edge


def event(case: str, seed: random.Random) -> Submitted:
    event_id = f"{seed.getrandbits(32):08x}-0000-7000-8000-{seed.getrandbits(48):012x}"
    fields: dict[str, canonical_json.Json] = {"event_id": event_id, "source": "dossier", "action": "dossier.read"}
    fields |= {"case": case} if case else {}
    return Submitted(event_id, case, fields, sha256(canonical_json.dumps(fields)).digest())


def made_log(batches: Sequence[int], seed: random.Random) -> Tables:
    tables = Tables()
    tables.note_of[0] = sign_checkpoint(Checkpoint(SIGNER.name, 0, tables.root), SIGNER)
    edge = RightEdge()
    for tick, count in enumerate(batches):
        edge = append(tables, edge, [event(seed.choice(CASES), seed) for _ in range(count)], seed, tick)
    return tables


@pytest.fixture(scope="module")
def sound() -> Tables:
    seed = random.Random(SEED)
    return made_log([1, 1, *(seed.randrange(1, 30) for _ in range(22))], seed)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A thousand checks read the same rows and signatures; each is computed once."""
    monkeypatch.setattr(fsck_rows, "_own_fault", _own_fault)
    monkeypatch.setattr("casemesh.audit.fsck.checking.open_checkpoint", lambda note, key: _opened(note))


_own_fault = cache(fsck_rows._own_fault)


@cache
def _opened(note: str) -> Checkpoint:
    return open_checkpoint(note, SIGNER.verifier_key)


async def checked(tables: Tables, *held: Checkpoint) -> Report:
    return await check_log(tables, SIGNER.verifier_key, held)


def flipped(value: bytes, seed: random.Random) -> bytes:
    at = seed.randrange(len(value))
    return value[:at] + bytes([value[at] ^ 1 << seed.randrange(8)]) + value[at + 1 :]


def rewritten(row: Row, seed: random.Random) -> Row:
    """The row with another event that agrees with itself in all: what only the tree can tell from the true one."""
    assert row.canonical_json is not None
    fields = {**json.loads(row.canonical_json), "action": f"dossier.forged{seed.randrange(10**6)}"}
    sent = {name: value for name, value in fields.items() if name not in fsck_rows.ADDED_BY_LOG}
    canonical, salt = canonical_json.dumps(fields), seed.randbytes(32)
    digest = sha256(canonical_json.dumps(sent)).digest()
    return replace(row, salt=salt, canonical_json=canonical, digest=digest, commitment=commitment_to(salt, canonical))


def leaves(tables: Tables) -> list[bytes]:
    return [commitment_leaf(row.commitment) for _, row in sorted(tables.row_of.items())]


Manipulation = Callable[[Tables, random.Random, int], int | None]
"""Does something to the tables, at a row chosen at random where one is concerned; returns the first bad row, if any."""


def _replace(**make: Callable[[Row, random.Random], object]) -> Manipulation:
    def manipulate(tables: Tables, seed: random.Random, at: int) -> int:
        row = tables.row_of[at]
        tables.row_of[at] = replace(row, **{name: value(row, seed) for name, value in make.items()})  # type: ignore[arg-type]
        return at

    return manipulate


def _to_another_case(tables: Tables, seed: random.Random, at: int) -> int:
    row = tables.row_of[at]
    case = seed.choice([case for case in CASES if case and case != row.case_name])
    tables.row_of[at] = replace(row, case_name=case, case_sequence=row.case_sequence or 1)
    return at


def _rewrite(tables: Tables, seed: random.Random, at: int) -> int:
    tables.row_of[at] = rewritten(tables.row_of[at], seed)
    return at


def _rewrite_with_its_tile(tables: Tables, seed: random.Random, at: int) -> int:
    at %= TILE_WIDTH
    _rewrite(tables, seed, at)
    hashes = leaves(tables)[:TILE_WIDTH]
    tables.tile_of[0, 0] = Tile(0, 0, b"".join(hashes), root_of(hashes))
    return at


def _rewrite_with_the_head(tables: Tables, seed: random.Random, at: int) -> int:
    at = _rewrite_with_its_tile(tables, seed, at)
    tables.root = root_of(leaves(tables))
    return at


def _delete(tables: Tables, seed: random.Random, at: int) -> int:
    del tables.row_of[at]
    return at


def _delete_event(tables: Tables, seed: random.Random, at: int) -> int:
    tables.row_of[at] = replace(tables.row_of[at], salt=None, digest=None, canonical_json=None)
    return at


def _renumber(tables: Tables, rows: Sequence[Row]) -> None:
    tables.row_of = {index: replace(row, log_index=index) for index, row in enumerate(rows)}


def _delete_and_close_the_gap(tables: Tables, seed: random.Random, at: int) -> int:
    rows = list(tables.row_of.values())
    _renumber(tables, rows[:at] + rows[at + 1 :])
    return at


def _insert(tables: Tables, seed: random.Random, at: int) -> int:
    rows = list(tables.row_of.values())
    _renumber(tables, [*rows[:at], rewritten(rows[at], seed), *rows[at:]])
    return at


def _swap(tables: Tables, seed: random.Random, at: int) -> int:
    other = seed.choice([index for index in tables.row_of if index != at])
    rows = list(tables.row_of.values())
    rows[at], rows[other] = rows[other], rows[at]
    _renumber(tables, rows)
    return min(at, other)


def _append_unsigned(tables: Tables, seed: random.Random, at: int) -> int:
    size = tables.size
    append(copy.copy(tables), RightEdge(size, _edge_rows(tables)), [event("", seed)], seed, 99)
    del tables.note_of[size + 1]
    return size


def _edge_rows(tables: Tables) -> tuple[tuple[bytes, ...], ...]:
    full = tables.size // TILE_WIDTH
    return tuple(leaves(tables)[full * TILE_WIDTH :]), tuple(tables.tile_of[0, index].root for index in range(full))


def _cut_tail(tables: Tables, seed: random.Random, at: int) -> int:
    tables.row_of = {index: row for index, row in tables.row_of.items() if index < at}
    return at


def _move_head_back(tables: Tables, seed: random.Random, at: int) -> int:
    tables.size, tables.root = at, root_of(leaves(tables)[:at])
    return at


def _change_tile(tables: Tables, seed: random.Random, at: int) -> None:
    tile = tables.tile_of[0, 0]
    tables.tile_of[0, 0] = replace(tile, hashes=flipped(tile.hashes, seed))


def _change_tile_root(tables: Tables, seed: random.Random, at: int) -> None:
    tile = tables.tile_of[0, 0]
    tables.tile_of[0, 0] = replace(tile, root=flipped(tile.root, seed))


def _delete_tile(tables: Tables, seed: random.Random, at: int) -> None:
    del tables.tile_of[0, 0]


def _insert_tile(tables: Tables, seed: random.Random, at: int) -> None:
    tables.tile_of[seed.choice([(0, 1), (1, 0), (2, 7)])] = tables.tile_of[0, 0]


def _change_checkpoint(tables: Tables, seed: random.Random, at: int) -> None:
    size = seed.choice([*tables.note_of])
    note = tables.note_of[size]
    place = seed.randrange(len(note))
    tables.note_of[size] = note[:place] + chr(ord(note[place]) ^ 1) + note[place + 1 :]


def _move_checkpoint(tables: Tables, seed: random.Random, at: int) -> None:
    size = seed.choice([size for size in tables.note_of if size])
    other = seed.choice([other for other in range(1, tables.size + 1) if other != size])
    tables.note_of[other] = tables.note_of.pop(size)


def _delete_checkpoint(tables: Tables, seed: random.Random, at: int) -> None:
    del tables.note_of[seed.choice([*tables.note_of])]


def _rename(tables: Tables, seed: random.Random, at: int) -> None:
    tables.name = "casemesh.test/other"


def _change_head_root(tables: Tables, seed: random.Random, at: int) -> None:
    tables.root = flipped(tables.root, seed)


MANIPULATE: dict[str, Manipulation] = {
    "commitment": _replace(commitment=lambda row, seed: flipped(row.commitment, seed)),
    "event_id": _replace(event_id=lambda row, seed: event("", seed).event_id),
    "case": _to_another_case,
    "case_sequence": _replace(
        case_name=lambda row, seed: row.case_name or CASES[1],
        case_sequence=lambda row, seed: (row.case_sequence or 0) + seed.choice([-1, 1, 2, 100]),
    ),
    "salt": _replace(salt=lambda row, seed: flipped(row.salt or b"", seed)),
    "event": _replace(canonical_json=lambda row, seed: flipped(row.canonical_json or b"", seed)),
    "digest": _replace(digest=lambda row, seed: flipped(row.digest or b"", seed)),
    "rewrite": _rewrite,
    "rewrite_with_tile": _rewrite_with_its_tile,
    "rewrite_with_head": _rewrite_with_the_head,
    "delete": _delete,
    "delete_event": _delete_event,
    "delete_and_close": _delete_and_close_the_gap,
    "insert": _insert,
    "swap": _swap,
    "append_unsigned": _append_unsigned,
    "cut_tail": _cut_tail,
    "move_head_back": _move_head_back,
    "tile": _change_tile,
    "tile_root": _change_tile_root,
    "delete_tile": _delete_tile,
    "insert_tile": _insert_tile,
    "checkpoint": _change_checkpoint,
    "move_checkpoint": _move_checkpoint,
    "delete_checkpoint": _delete_checkpoint,
    "rename": _rename,
    "head_root": _change_head_root,
}
AGREES_WITH_ITSELF = {"rewrite", "swap", "delete_and_close", "insert", "cut_tail"}
"""What only a tile can tell from the true row."""


def bounded_only(kind: str, first_bad: int, log: Tables) -> bool:
    """Whether there is no tile to tell the row: then the signed roots on both sides bound it."""
    batch_end = min(size for size in log.note_of if size > first_bad)
    return kind in ("rewrite_with_tile", "rewrite_with_head") or (kind in AGREES_WITH_ITSELF and batch_end > TILE_WIDTH)


async def test_a_sound_log_has_no_findings(sound: Tables) -> None:
    head = Checkpoint(SIGNER.name, sound.size, sound.root)
    assert (await checked(sound, head)).findings == []
    assert (await checked(Tables(note_of={0: sound.note_of[0]}))).findings == []


@pytest.mark.parametrize("part", range(4))
async def test_a_thousand_random_manipulations_are_found_and_the_first_bad_row_named(sound: Tables, part: int) -> None:
    seed = random.Random(SEED + part)
    done: Counter[str] = Counter()
    for _ in range(MANIPULATIONS // 4):
        kind = seed.choice([*MANIPULATE])
        tables = copy.copy(sound)
        tables.row_of, tables.note_of, tables.tile_of = dict(sound.row_of), dict(sound.note_of), dict(sound.tile_of)
        first_bad = MANIPULATE[kind](tables, seed, seed.randrange(1, sound.size))
        report = await checked(tables)
        told = f"{kind} at {first_bad}: {report.findings}"
        assert report.findings, told
        if first_bad is None:
            assert report.first_bad_row is None, told
        elif first_bad < sound.size and bounded_only(kind, first_bad, sound):
            named = report.findings[0]
            assert named.first is not None, told
            assert named.first <= first_bad <= (named.last or 0), told
            assert max(size for size in sound.note_of if size <= first_bad) <= named.first, told
        else:
            assert report.first_bad_row == first_bad, told
        done[kind] += 1
    assert set(done) == set(MANIPULATE)


def forked(sound: Tables, size: int) -> Tables:
    """The same log until about `size`, then another future under the same key."""
    fork = Tables(note_of={0: sound.note_of[0]})
    edge = RightEdge()
    for end in sorted(end for end in sound.note_of if 0 < end <= size):
        rows = [sound.row_of[index] for index in range(edge.size, end)]
        edge, full = edge.extend(commitment_leaf(row.commitment) for row in rows)
        fork.row_of |= {row.log_index: row for row in rows}
        fork.tile_of |= {(tile.level, tile.index): tile for tile in full}
        fork.note_of[end] = sound.note_of[end]
    fork.size, fork.root = edge.size, edge.root
    seed = random.Random(SEED)
    append(fork, edge, [event("", seed) for _ in range(5)], seed, 99)
    return fork


async def test_an_older_backup_agrees_with_itself_and_not_with_a_checkpoint_kept_elsewhere(sound: Tables) -> None:
    older = sorted(sound.note_of)[-3]
    backup = Tables(size=older, root=open_checkpoint(sound.note_of[older], SIGNER.verifier_key).root)
    backup.row_of = {index: row for index, row in sound.row_of.items() if index < older}
    backup.note_of = {size: note for size, note in sound.note_of.items() if size <= older}
    backup.tile_of = {tile: held for tile, held in sound.tile_of.items() if TILE_WIDTH <= older}
    assert (await checked(backup)).findings == []
    [found] = (await checked(backup, Checkpoint(SIGNER.name, sound.size, sound.root))).findings
    assert (Fault.ROLLED_BACK, older, sound.size - 1) == (found.fault, found.first, found.last)


async def test_a_log_signed_anew_with_its_own_key_is_two_heads_to_who_kept_a_checkpoint(sound: Tables) -> None:
    agreed = sorted(sound.note_of)[9]
    fork = forked(sound, agreed)
    assert (await checked(fork)).findings == []
    kept = [
        Checkpoint(SIGNER.name, size, root_of(leaves(sound)[:size])) for size in (agreed, agreed + 3, sound.size + 9)
    ]
    two_heads, rolled_back = (await checked(fork, *kept)).findings
    assert (Fault.TWO_HEADS, agreed, agreed + 2) == (two_heads.fault, two_heads.first, two_heads.last)
    assert Fault.ROLLED_BACK is rolled_back.fault


async def test_a_checkpoint_signed_over_another_tree_beside_the_one_continued_is_two_heads(sound: Tables) -> None:
    size = sorted(sound.note_of)[5]
    tables = replace(sound, note_of=dict(sound.note_of))
    tables.note_of[size] = sign_checkpoint(Checkpoint(SIGNER.name, size, bytes(32)), SIGNER)
    [found] = (await checked(tables)).findings
    assert Fault.TWO_HEADS is found.fault


@pytest.mark.parametrize(
    ("rows", "fault"),
    [
        ({3: b"d", 4: b"c"}, Fault.ROWS_REORDERED),
        ({3: b"d", 4: b"e"}, Fault.ROW_DELETED),
        ({3: b"x", 4: b"c"}, Fault.ROW_INSERTED),
        ({3: b"x", 4: b"y"}, Fault.ROW_CHANGED),
    ],
)
def test_what_was_done_to_rows_is_told_from_the_tiles(rows: dict[int, bytes], fault: Fault) -> None:
    found = name_difference(rows, {3: b"c", 4: b"d"})
    assert {fault} == {finding.fault for finding in found}
    assert 3 == found[0].first


async def test_an_event_that_the_log_says_was_shredded_is_no_fault_and_any_other_is() -> None:
    seed = random.Random(SEED)
    case = CASES[1]
    told = event(case, seed)
    fields = {**told.fields, "action": "audit.events.shredded", "source": "audit", "details": {"case_sequences": "2-3"}}
    tombstone = replace(told, fields=fields, digest=sha256(canonical_json.dumps(fields)).digest())
    tables = Tables(note_of={0: sign_checkpoint(Checkpoint(SIGNER.name, 0, Tables().root), SIGNER)})
    edge = append(tables, RightEdge(), [event(case, seed) for _ in range(4)], seed, 0)
    append(tables, edge, [tombstone], seed, 1)
    for index in (1, 2):
        _delete_event(tables, seed, index)
    assert [] == (await checked(tables)).findings
    _delete_event(tables, seed, 3)
    report = await checked(tables)
    assert [(Fault.ROW_CHANGED, 3)] == [(found.fault, found.first) for found in report.findings]

"""Ten thousand alterations of stored packs: not one wrong byte is read, and what was not altered still is."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest
from obstore.store import MemoryStore

from casemesh.dossier.packs.disk import DiskPacks, pack_path
from casemesh.dossier.packs.format import PACK_HEADER_BYTES, PackDamaged
from casemesh.dossier.packs.objects import ObjectPacks
from casemesh.dossier.packs.reader import PackReader
from casemesh.dossier.packs.stores import PackStore
from casemesh.dossier.packs.suites import SUITES
from casemesh.dossier.packs.verifying import verify_pack
from tests.support.packs import CASE_KEY, WrittenPack, chunks_of, key_of, raw_bytes, write_pack

KEY = key_of()
ALTERATIONS = 1000
ROUNDS = [
    *(("disk", "AES-256-GCM", seed) for seed in range(4)),
    *(("objects", "AES-256-GCM", seed) for seed in range(4, 8)),
    *(("disk", "SM4-GCM", 8), ("objects", "SM4-GCM", 9)),
]


class Altered:
    """A pack whose stored bytes are replaced at will, and other packs to take bytes from."""

    def __init__(self, folder: Path, kind: str, suite: str, source: random.Random) -> None:
        self.source = source
        sizes = [source.choice([1, 2, 100, 4000, 4096, source.randrange(1, 9000)]) for _ in range(12)]
        memory = MemoryStore()
        self.packs: PackStore = DiskPacks(folder) if kind == "disk" else ObjectPacks(memory)
        self.pack = self._write(self.packs, sizes, suite)
        self.raw = raw_bytes(self.packs, KEY)
        # Another pack of the case; and one of the same name and sizes, which no two packs ever have.
        elsewhere = ObjectPacks(MemoryStore())
        self._write(elsewhere, sizes, suite)
        other = key_of(2)
        write_pack(elsewhere, other, chunks_of(sizes, seed=source.randrange(1000)), suite=SUITES[suite], every=3)
        self.others = [raw_bytes(elsewhere, KEY), raw_bytes(elsewhere, other)]
        self._memory = memory
        self._file = pack_path(folder, KEY) if kind == "disk" else None
        self._folder = f"{KEY.case_id.hex()}/{KEY.pack_id.hex()}"

    def _write(self, packs: PackStore, sizes: list[int], suite: str) -> WrittenPack:
        seed = self.source.randrange(1000)
        return write_pack(packs, KEY, chunks_of(sizes, seed=seed), suite=SUITES[suite], every=3)

    def put(self, data: bytes) -> None:
        """Make `data` what is stored: past all that a store would refuse."""
        if self._file is not None:
            self._file.write_bytes(data)
            return
        for page in self._memory.list(f"{self._folder}/"):
            self._memory.delete([meta["path"] for meta in page])
        cut = self.source.randrange(1, max(2, len(data)))
        self._memory.put(f"{self._folder}/{0:016x}", data[:cut])
        if data[cut:]:
            self._memory.put(f"{self._folder}/{cut:016x}", data[cut:])


def flip(altered: Altered) -> bytes:
    raw = bytearray(altered.raw)
    for _ in range(altered.source.choice([1, 1, 1, 2, 50])):
        bit = altered.source.randrange(len(raw) * 8)
        raw[bit // 8] ^= 1 << bit % 8
    return bytes(raw)


def cut(altered: Altered) -> bytes:
    return altered.raw[: altered.source.randrange(len(altered.raw))]


def cut_between_records(altered: Altered) -> bytes:
    return altered.raw[: altered.source.choice(altered.pack.extents).position]


def lengthen(altered: Altered) -> bytes:
    return altered.raw + altered.source.choice([bytes(4096), altered.raw[-4096:], altered.source.randbytes(100)])


def zero(altered: Altered) -> bytes:
    start = altered.source.randrange(len(altered.raw))
    length = altered.source.choice([1, 512, 4096, 20_000])
    return (altered.raw[:start] + bytes(length) + altered.raw[start + length :])[: len(altered.raw)]


def swap(altered: Altered) -> bytes:
    """Two records change places, or two blocks."""
    raw = bytearray(altered.raw)
    one, two = altered.source.sample(altered.pack.extents, 2)
    length = altered.source.choice([min(one.stored_length, two.stored_length), 4096])
    first, second = sorted((one.position, two.position))
    length = min(length, second - first, len(raw) - second)
    raw[first : first + length], raw[second : second + length] = (
        raw[second : second + length], raw[first : first + length],
    )  # fmt: skip
    return bytes(raw)


def put_in_from_elsewhere(altered: Altered) -> bytes:
    """A record, or all from one on, of a pack of the same name or of another one."""
    other = altered.source.choice(altered.others)
    place = altered.source.choice(altered.pack.extents)
    end = place.position + altered.source.choice([place.stored_length, 4096, len(other)])
    return (altered.raw[: place.position] + other[place.position : end] + altered.raw[end:])[: len(altered.raw)]


def put_a_header_before(altered: Altered) -> bytes:
    """Another pack's header, or one of the same name under which nothing here was sealed."""
    return altered.source.choice(altered.others)[:PACK_HEADER_BYTES] + altered.raw[PACK_HEADER_BYTES:]


def put_another_pack_in_place(altered: Altered) -> bytes:
    return altered.others[1]


def repeat(altered: Altered) -> bytes:
    """A record again, in the place of what follows it."""
    place = altered.source.choice(altered.pack.extents[:-1])
    end = place.position + place.stored_length
    record = altered.raw[place.position : end]
    return altered.raw[:end] + record + altered.raw[end + len(record) :]


WAYS: list[Callable[[Altered], bytes]] = [
    flip, flip, flip, cut, cut_between_records, lengthen, zero, swap, put_in_from_elsewhere, repeat,
    put_a_header_before, put_another_pack_in_place,
]  # fmt: skip


def untouched(altered: Altered, data: bytes) -> list[bool]:
    """Which chunks' records are as they were, in a pack whose header is."""
    if data[:PACK_HEADER_BYTES] != altered.raw[:PACK_HEADER_BYTES]:
        return [False] * len(altered.pack.extents)
    places = [slice(place.position, place.position + place.stored_length) for place in altered.pack.extents]
    return [data[place] == altered.raw[place] for place in places]


def adopted_bytes(altered: Altered) -> int:
    try:
        with PackReader.open(altered.packs, KEY, CASE_KEY) as reader:
            return reader.adopt(PACK_HEADER_BYTES, 0).end
    except PackDamaged:
        return 0


@pytest.mark.parametrize(("kind", "suite", "seed"), ROUNDS)
def test_an_altered_pack_gives_its_own_bytes_or_none(tmp_path: Path, kind: str, suite: str, seed: int) -> None:
    altered = Altered(tmp_path, kind, suite, random.Random(seed))
    changed = 0
    for number in range(ALTERATIONS):
        way = altered.source.choice(WAYS)
        data = way(altered)
        altered.put(data)
        told = f"alteration {number}, {way.__name__}"
        sound = untouched(altered, data)
        expected = [(chunk, chunk) for chunk, whole in zip(altered.pack.chunks, sound, strict=True) if whole]
        assert expected == altered.pack.readable(altered.packs), told
        same = next((n for n, (old, new) in enumerate(zip(altered.raw, data, strict=False)) if old != new), len(data))
        assert adopted_bytes(altered) <= max(PACK_HEADER_BYTES, min(same, len(altered.raw))), told
        if data != altered.raw:
            changed += 1
            check = verify_pack(altered.packs.open(KEY), KEY, CASE_KEY) if data else None
            assert check is None or check.damage is not None or check.end < len(altered.raw), told
    assert changed > ALTERATIONS * 9 // 10
    altered.put(altered.raw)
    assert altered.pack.plain == altered.pack.read(altered.packs)
    assert len(altered.raw) == adopted_bytes(altered)

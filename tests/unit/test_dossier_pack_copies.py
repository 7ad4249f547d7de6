"""Packs in two places, for safety or on their way: read wherever they are sound, and never worse off than before."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path

import pytest
from obstore.store import MemoryStore

from casemesh.dossier.packs.copying import copy_pack
from casemesh.dossier.packs.disk import DiskPacks, pack_path
from casemesh.dossier.packs.format import MAX_CHUNK_BYTES, PACK_HEADER_BYTES, PackDamaged
from casemesh.dossier.packs.mirrored import MirroredPacks
from casemesh.dossier.packs.moving import MovingPacks
from casemesh.dossier.packs.objects import ObjectPacks
from casemesh.dossier.packs.reader import PackReader
from casemesh.dossier.packs.slabs import Slab
from casemesh.dossier.packs.stores import PackKey, PackSink, PackSource, PackStore
from casemesh.dossier.packs.verifying import verify_pack
from tests.support.packs import (
    BLOB,
    CASE_KEY,
    WrittenPack,
    append,
    chunks_of,
    key_of,
    open_writer,
    put_back,
    raw_bytes,
    write_pack,
)

SIZES = [9000, 70_000, 1, 400_000]
Change = Callable[[bytes, WrittenPack], bytes]


def flipped(raw: bytes, pack: WrittenPack, chunk: int) -> bytes:
    position = pack.extents[chunk].position + 60
    return raw[:position] + bytes([raw[position] ^ 4]) + raw[position + 1 :]


CHANGES: dict[str, Change] = {
    "nothing left": lambda raw, pack: b"",
    "header damaged": lambda raw, pack: raw[:20] + b"\x00" + raw[21:],
    "a record damaged": lambda raw, pack: flipped(raw, pack, 1),
    "cut within a record": lambda raw, pack: raw[: pack.extents[1].position + 100],
    "cut behind a record": lambda raw, pack: raw[: pack.extents[2].position],
    "only the header left": lambda raw, pack: raw[:PACK_HEADER_BYTES],
}


@pytest.fixture(params=["disk and objects", "objects and disk"])
def mirrored(request: pytest.FixtureRequest, tmp_path: Path) -> MirroredPacks:
    stores = [DiskPacks(tmp_path / "disk"), ObjectPacks(MemoryStore())]
    return MirroredPacks(*(stores if request.param == "disk and objects" else reversed(stores)))


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
@pytest.mark.parametrize("which", ["primary", "copy"])
def test_whatever_becomes_of_one_copy_the_other_is_read(mirrored: MirroredPacks, which: str, change: Change) -> None:
    pack = write_pack(mirrored, key_of(), chunks_of(SIZES))
    store: PackStore = getattr(mirrored, which)
    put_back(store, key_of(), change(raw_bytes(store, key_of()), pack))
    assert pack.plain == pack.read(mirrored)
    assert [key_of()] == list(mirrored.keys())
    assert verify_pack(mirrored.open(key_of()), key_of(), CASE_KEY).damage is None


def test_copies_damaged_in_different_places_make_one_sound_pack(mirrored: MirroredPacks) -> None:
    pack = write_pack(mirrored, key_of(), chunks_of([50_000] * 6))
    for chunks, store in (((0, 3), mirrored.primary), ((1, 5), mirrored.copy)):
        raw = raw_bytes(store, key_of())
        for chunk in chunks:
            raw = flipped(raw, pack, chunk)
        put_back(store, key_of(), raw)
    assert pack.plain == pack.read(mirrored)


def test_where_both_copies_are_damaged_nothing_wrong_is_read(mirrored: MirroredPacks) -> None:
    pack = write_pack(mirrored, key_of(), chunks_of([50_000] * 3))
    for store in (mirrored.primary, mirrored.copy):
        put_back(store, key_of(), flipped(raw_bytes(store, key_of()), pack, 1))
    with pytest.raises(PackDamaged):
        pack.read(mirrored)
    assert [(chunk, chunk) for chunk in (pack.chunks[0], pack.chunks[2])] == pack.readable(mirrored)


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_repair_makes_the_primary_what_the_copy_is(mirrored: MirroredPacks, change: Change) -> None:
    pack = write_pack(mirrored, key_of(), chunks_of(SIZES))
    raw = raw_bytes(mirrored.copy, key_of())
    put_back(mirrored.primary, key_of(), change(raw, pack))
    mirrored.repair(key_of())
    assert raw == raw_bytes(mirrored.primary, key_of())
    put_back(mirrored.copy, key_of(), change(raw, pack))
    mirrored.repair_copy(key_of())
    assert raw == raw_bytes(mirrored.copy, key_of())


def test_a_shorter_copy_replaces_nothing(mirrored: MirroredPacks) -> None:
    pack = write_pack(mirrored, key_of(), chunks_of(SIZES))
    raw = raw_bytes(mirrored.primary, key_of())
    put_back(mirrored.copy, key_of(), raw[: pack.extents[2].position])
    with pytest.raises(PackDamaged, match="shorter"):
        mirrored.repair(key_of())
    mirrored.copy.delete(key_of())
    with pytest.raises(FileNotFoundError):
        mirrored.repair(key_of())
    assert raw == raw_bytes(mirrored.primary, key_of())


def test_what_is_synced_is_in_both_copies(mirrored: MirroredPacks) -> None:
    pack = WrittenPack(key_of(), chunks_of(SIZES))
    writer = open_writer(mirrored, key_of())
    for chunk in pack.chunks:
        append(writer, pack, chunk)
        writer.flush()
        writer.sync()
        ends = {store.size(key_of()) for store in (mirrored.primary, mirrored.copy)}
        assert {writer.position} == ends
    writer.close()


@pytest.mark.parametrize("longer", ["primary", "copy"])
@pytest.mark.parametrize("torn", [0, 33])
def test_adopting_makes_durable_in_both_what_either_has(mirrored: MirroredPacks, longer: str, torn: int) -> None:
    pack = write_pack(mirrored, key_of(), chunks_of(SIZES))
    shorter = mirrored.copy if longer == "primary" else mirrored.primary
    raw = raw_bytes(shorter, key_of())
    put_back(shorter, key_of(), raw[: pack.extents[2].position + torn])
    with PackReader.open(mirrored, key_of(), CASE_KEY) as reader:
        reader.sync()
    assert raw == raw_bytes(mirrored.primary, key_of()) == raw_bytes(mirrored.copy, key_of())


def test_adopting_a_pack_that_only_one_has_begun_gives_it_to_both(mirrored: MirroredPacks) -> None:
    pack = write_pack(mirrored.primary, key_of(), chunks_of(SIZES))
    with PackReader.open(mirrored, key_of(), CASE_KEY) as reader:
        assert len(SIZES) == len(reader.adopt(PACK_HEADER_BYTES, 0).found)
        reader.sync()
    mirrored.primary.delete(key_of())
    assert pack.plain == pack.read(mirrored)


class Away(DiskPacks):
    """A store that is out of reach."""

    def create(self, key: PackKey, header: bytes) -> PackSink:
        raise OSError("away")

    def open(self, key: PackKey) -> PackSource:
        raise OSError("away")


def test_without_the_copys_store_packs_are_read_but_none_is_made(tmp_path: Path) -> None:
    disk = DiskPacks(tmp_path)
    pack = write_pack(disk, key_of(), chunks_of(SIZES))
    mirrored = MirroredPacks(disk, Away(tmp_path / "away"))
    assert pack.plain == pack.read(mirrored)
    with pytest.raises(OSError, match="away"):
        open_writer(mirrored, key_of(2))
    path = pack_path(tmp_path, key_of())
    path.write_bytes(flipped(path.read_bytes(), pack, 1))
    assert 3 == len(pack.readable(mirrored))


@pytest.fixture
def moving(tmp_path: Path) -> MovingPacks:
    return MovingPacks(ObjectPacks(MemoryStore()), DiskPacks(tmp_path / "source"))


def test_new_packs_are_made_where_packs_move_to(moving: MovingPacks) -> None:
    pack = write_pack(moving, key_of(), chunks_of(SIZES))
    assert ([key_of()], []) == (list(moving.target.keys()), list(moving.source.keys()))
    assert pack.plain == pack.read(moving)


def test_a_moved_pack_is_the_same_in_its_new_place_and_gone_from_the_old(moving: MovingPacks) -> None:
    pack = write_pack(moving.source, key_of(), chunks_of([*SIZES, *[MAX_CHUNK_BYTES] * 9]))
    raw = raw_bytes(moving.source, key_of())
    assert pack.plain == pack.read(moving)
    moving.move(key_of())
    assert ([key_of()], []) == (list(moving.target.keys()), list(moving.source.keys()))
    assert raw == raw_bytes(moving.target, key_of())
    assert pack.plain == pack.read(moving)
    with pytest.raises(FileNotFoundError):
        moving.move(key_of())
    assert raw == raw_bytes(moving.target, key_of())


@pytest.mark.parametrize("backwards", [False, True])
def test_who_has_a_pack_open_goes_on_while_it_moves(moving: MovingPacks, backwards: bool) -> None:
    if backwards:
        moving = MovingPacks(moving.source, moving.target)
    pack = write_pack(moving.source, key_of(), chunks_of([MAX_CHUNK_BYTES] * 8))
    read = b""
    with PackReader.open(moving, key_of(), CASE_KEY) as reader:
        for number, extent in enumerate(pack.extents):
            if number == 3:
                moving.move(key_of())
            read += b"".join(found.plain for found in reader.read_extent(BLOB, extent))
    assert pack.plain == read


def test_a_move_that_broke_off_is_not_read_and_can_be_made_again(moving: MovingPacks) -> None:
    pack = write_pack(moving.source, key_of(), chunks_of(SIZES))
    raw = raw_bytes(moving.source, key_of())
    for length in (PACK_HEADER_BYTES, pack.extents[1].position, len(raw)):
        put_back(moving.target, key_of(), raw[:length])
        assert pack.plain == pack.read(moving)
        assert len(raw) == moving.size(key_of())
    put_back(moving.target, key_of(), raw[: pack.extents[1].position])
    moving.move(key_of())
    assert pack.plain == pack.read(moving)
    assert [] == list(moving.source.keys())


class Altering(DiskPacks):
    """A disk that gives back one bit other than it took."""

    def open(self, key: PackKey) -> PackSource:
        return _Altered(super().open(key))


class _Altered:
    def __init__(self, source: PackSource) -> None:
        self._source = source

    def read(self, slab: Slab, position: int, length: int) -> None:
        self._source.read(slab, position, length)
        slab.view[50] ^= 1

    def __getattr__(self, name: str) -> object:
        return getattr(self._source, name)


def test_a_copy_that_does_not_read_as_the_original_keeps_the_original(tmp_path: Path) -> None:
    moving = MovingPacks(Altering(tmp_path / "target"), DiskPacks(tmp_path / "source"))
    pack = write_pack(moving.source, key_of(), chunks_of(SIZES))
    with pytest.raises(PackDamaged, match="not what was copied"):
        moving.move(key_of())
    assert pack.plain == pack.read(moving)


def test_a_pack_too_short_to_be_one_is_not_copied(moving: MovingPacks) -> None:
    put_back(moving.source, key_of(), bytes(100))
    with pytest.raises(PackDamaged, match="shorter than its header"):
        moving.move(key_of())
    assert 100 == moving.source.size(key_of())


def test_an_object_has_at_most_16_mib(tmp_path: Path) -> None:
    memory = MemoryStore()
    objects = ObjectPacks(memory, "some/where/")
    disk = DiskPacks(tmp_path)
    write_pack(disk, key_of(), chunks_of([MAX_CHUNK_BYTES] * 40))
    copy_pack(key_of(), disk, objects)
    listed = [meta for page in memory.list() for meta in page]
    assert len(listed) > 3
    assert max(meta["size"] for meta in listed) <= 16 << 20
    assert disk.size(key_of()) == sum(meta["size"] for meta in listed)
    prefix = f"some/where/{key_of().case_id.hex()}/{key_of().pack_id.hex()}/"
    ends = 0
    for meta in sorted(listed, key=lambda meta: meta["path"]):
        assert f"{prefix}{ends:016x}" == meta["path"]
        ends += meta["size"]


def test_objects_of_others_under_the_prefix_are_no_packs() -> None:
    memory = MemoryStore()
    objects = ObjectPacks(memory, "p")
    pack = write_pack(objects, key_of(), chunks_of(SIZES))
    folder = f"{key_of().case_id.hex()}/{key_of().pack_id.hex()}"
    for name in (f"p/{folder}/note", f"q/{folder}/{0:016x}", "p/readme", f"p/x/{folder}/{0:016x}"):
        memory.put(name, b"something else")
    assert [key_of()] == list(objects.keys())
    assert pack.plain == pack.read(objects)
    with contextlib.closing(objects.open(key_of())) as source:
        assert pack.end == source.size

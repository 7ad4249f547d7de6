"""One contract for every place packs may lie in: what is synced is read, what is made stays, and no gap is hidden."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest
from obstore.store import MemoryStore

from casemesh.dossier.packs.configured import object_packs_of
from casemesh.dossier.packs.disk import DiskPacks
from casemesh.dossier.packs.format import MAX_CHUNK_BYTES, PACK_HEADER_BYTES, PackDamaged
from casemesh.dossier.packs.mirrored import MirroredPacks
from casemesh.dossier.packs.moving import MovingPacks
from casemesh.dossier.packs.objects import ObjectPacks
from casemesh.dossier.packs.reader import Extent, PackReader
from casemesh.dossier.packs.stores import PackStore
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


@pytest.fixture(params=["disk", "memory", "s3 mock", "mirrored", "moving"])
def packs(request: pytest.FixtureRequest, tmp_path: Path) -> PackStore:
    """A store of each kind, empty. Of S3 it is a mock: moto."""

    def s3() -> PackStore:
        server = request.getfixturevalue("object_store")
        return object_packs_of(server.config(server.new_bucket(), prefix="casemesh/packs"))

    kinds: dict[str, Callable[[], PackStore]] = {
        "disk": lambda: DiskPacks(tmp_path / "packs"),
        "memory": lambda: ObjectPacks(MemoryStore()),
        "s3 mock": s3,
        "mirrored": lambda: MirroredPacks(ObjectPacks(MemoryStore(), "p"), DiskPacks(tmp_path / "copy")),
        "moving": lambda: MovingPacks(ObjectPacks(MemoryStore()), DiskPacks(tmp_path / "source")),
    }
    return kinds[request.param]()


def test_what_is_synced_is_read(packs: PackStore) -> None:
    sizes = [0, 1, 5000, MAX_CHUNK_BYTES, 4096, *[MAX_CHUNK_BYTES] * 12, 77]
    pack = write_pack(packs, key_of(), chunks_of(sizes), every=5)
    assert pack.plain == pack.read(packs)
    assert pack.end == packs.size(key_of())


def test_an_extent_is_entered_anywhere(packs: PackStore) -> None:
    pack = write_pack(packs, key_of(), chunks_of([70_000] * 9))
    first, last = pack.extents[0], pack.extents[-1]
    stored = last.position + last.stored_length - first.position
    whole = Extent(first.pack_id, first.position, stored, 0, 0, 0, 9 * 70_000)
    source = random.Random(4)
    with PackReader.open(packs, key_of(), CASE_KEY) as reader:
        for start in [0, 69_999, 70_000, *(source.randrange(9 * 70_000) for _ in range(20))]:
            found = list(reader.read_extent(BLOB, whole, start))
            assert pack.plain[start:] == b"".join(item.plain for item in found)[start - found[0].header.offset :]


def test_what_counts_as_stored_outlives_a_writer_that_never_synced(packs: PackStore) -> None:
    pack = WrittenPack(key_of(), chunks_of([300_000] * 4))
    writer = open_writer(packs, key_of())
    for chunk in pack.chunks:
        append(writer, pack, chunk)
    writer.flush()
    writer.push()
    stored = writer.written
    writer.close()
    assert stored == writer.position
    with PackReader.open(packs, key_of(), CASE_KEY) as reader:
        tail = reader.adopt(PACK_HEADER_BYTES, 0)
        reader.sync()
    assert (stored, None) == (tail.end, tail.stopped)
    assert pack.plain == pack.read(packs)


def test_a_pack_cut_anywhere_is_adopted_up_to_the_cut_and_reads_no_further(packs: PackStore) -> None:
    pack = write_pack(packs, key_of(), chunks_of([2000] * 8))
    raw = raw_bytes(packs, key_of())
    source = random.Random(5)
    for length in [PACK_HEADER_BYTES, *(source.randrange(PACK_HEADER_BYTES, len(raw)) for _ in range(12))]:
        put_back(packs, key_of(), raw[:length])
        whole = [extent for extent in pack.extents if extent.position + extent.stored_length <= length]
        with PackReader.open(packs, key_of(), CASE_KEY) as reader:
            assert [found.position for found in reader.adopt(PACK_HEADER_BYTES, 0).found] == [e.position for e in whole]
        read = pack.readable(packs)
        assert [(chunk, chunk) for chunk in pack.chunks[: len(whole)]] == read


def test_a_pack_shorter_than_its_header_is_damage(packs: PackStore) -> None:
    write_pack(packs, key_of(), chunks_of([10]))
    raw = raw_bytes(packs, key_of())
    for length in (1, 96, PACK_HEADER_BYTES - 1):
        put_back(packs, key_of(), raw[:length])
        with pytest.raises(PackDamaged, match="shorter than its header"):
            PackReader.open(packs, key_of(), CASE_KEY)


def test_a_stretch_of_zeros_is_damage_there_and_nowhere_else(packs: PackStore) -> None:
    pack = write_pack(packs, key_of(), chunks_of([9000] * 6))
    raw = bytearray(raw_bytes(packs, key_of()))
    hole = pack.extents[2]
    raw[hole.position : hole.position + hole.stored_length] = bytes(hole.stored_length)
    put_back(packs, key_of(), bytes(raw))
    assert [(chunk, chunk) for n, chunk in enumerate(pack.chunks) if n != 2] == pack.readable(packs)
    check = verify_pack(packs.open(key_of()), key_of(), CASE_KEY)
    assert (2, hole.position, 18_000) == (check.records, check.end, check.document_bytes)
    assert check.damage is not None
    assert hole.position == check.damage.position


def test_a_pack_is_made_once(packs: PackStore) -> None:
    pack = write_pack(packs, key_of(), chunks_of([5000]))
    with pytest.raises(FileExistsError):
        open_writer(packs, key_of())
    assert pack.plain == pack.read(packs)


def test_a_pack_that_is_not_there_is_told_from_a_damaged_one(packs: PackStore) -> None:
    for ask in (packs.open, packs.size, packs.extend):
        with pytest.raises(FileNotFoundError):
            ask(key_of())
    with pytest.raises(PackDamaged, match="missing"):
        PackReader.open(packs, key_of(), CASE_KEY)


def test_packs_of_one_store_are_listed_and_deleted_one_by_one(packs: PackStore) -> None:
    keys = [key_of(number, case) for number in (1, 2, 3) for case in (1, 2)]
    written = {key: write_pack(packs, key, chunks_of([3000], seed=n)) for n, key in enumerate(keys)}
    assert sorted(keys) == sorted(packs.keys())
    packs.delete(keys[0])
    packs.delete(keys[0])
    assert sorted(keys[1:]) == sorted(packs.keys())
    with pytest.raises(FileNotFoundError):
        packs.open(keys[0])
    assert all(written[key].plain == written[key].read(packs) for key in keys[1:])


def test_a_pack_deleted_may_be_made_again(packs: PackStore) -> None:
    write_pack(packs, key_of(), chunks_of([3000, 1_000_000], seed=1))
    packs.delete(key_of())
    again = write_pack(packs, key_of(), chunks_of([2000], seed=2))
    assert again.plain == again.read(packs)
    assert again.end == packs.size(key_of())


def test_a_copy_goes_on_where_it_ended(packs: PackStore) -> None:
    pack = write_pack(packs, key_of(), chunks_of([2000] * 5))
    raw = raw_bytes(packs, key_of())
    for end in (PACK_HEADER_BYTES, pack.extents[2].position, len(raw)):
        put_back(packs, key_of(), raw[:end])
        sink = packs.extend(key_of())
        sink.write(memoryview(raw)[end:], end)
        sink.sync()
        assert len(raw) == sink.stored
        sink.close()
        assert raw == raw_bytes(packs, key_of())


def test_a_whole_pack_verifies(packs: PackStore) -> None:
    pack = write_pack(packs, key_of(), chunks_of([100, MAX_CHUNK_BYTES, 0]), every=1)
    check = verify_pack(packs.open(key_of()), key_of(), CASE_KEY)
    assert (None, pack.end, 100 + MAX_CHUNK_BYTES) == (check.damage, check.end, check.document_bytes)
    pads = 3
    assert check.records == 3 + pads


def test_another_cases_key_verifies_nothing(packs: PackStore) -> None:
    write_pack(packs, key_of(), chunks_of([100]))
    check = verify_pack(packs.open(key_of()), key_of(), bytes(32))
    assert (0, 0) == (check.records, check.document_bytes)
    assert check.damage is not None

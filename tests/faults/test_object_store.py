"""An object store that fails, loses answers, lies and lags: what is confirmed is there, and no wrong byte is read."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from casemesh.dossier.packs.configured import object_packs_of
from casemesh.dossier.packs.format import MAX_CHUNK_BYTES, PACK_HEADER_BYTES, PackDamaged
from casemesh.dossier.packs.objects import ObjectPacks
from casemesh.dossier.packs.reader import PackReader
from casemesh.dossier.packs.writer import PackBroken, PackWriter
from tests.support.misbehaving_store import BUCKET, MisbehavingStore, misbehaving_store
from tests.support.packs import (
    BLOB,
    CASE_KEY,
    WrittenPack,
    append,
    chunks_of,
    key_of,
    open_writer,
    raw_bytes,
    write_pack,
)

CHUNKS = chunks_of([5000, 70_000, 1])


@pytest.fixture
def server(tmp_path: Path) -> Iterator[MisbehavingStore]:
    with misbehaving_store(tmp_path) as store:
        yield store


@pytest.fixture
def packs(server: MisbehavingStore) -> ObjectPacks:
    """Packs in the misbehaving store, by a client that soon loses patience."""
    return object_packs_of(
        server.config(BUCKET),
        timedelta(seconds=2),
        {
            "max_retries": 2,
            "retry_timeout": timedelta(seconds=5),
            "backoff": {
                "init_backoff": timedelta(milliseconds=1), "max_backoff": timedelta(milliseconds=2), "base": 2,
            },
        },
    )  # fmt: skip


def begun(packs: ObjectPacks) -> tuple[PackWriter, WrittenPack]:
    """A pack whose chunks are gathered and not put yet."""
    pack = WrittenPack(key_of(), CHUNKS)
    writer = open_writer(packs, key_of())
    for chunk in CHUNKS:
        append(writer, pack, chunk)
    writer.flush()
    return writer, pack


@pytest.mark.parametrize("fault", ["500", "503", "lost answer"])
def test_a_put_that_fails_for_a_moment_is_put_once(packs: ObjectPacks, server: MisbehavingStore, fault: str) -> None:
    writer, pack = begun(packs)
    server.next("PUT", fault, fault)
    writer.sync()
    assert writer.position == writer.written
    assert pack.plain == pack.read(packs)
    assert 2 == len(server.objects)


@pytest.mark.parametrize(
    "fault",
    ["500", "503", "error in a success", "altered on the way", "altered and confirmed", "cut and confirmed"],
)
def test_a_put_whose_bytes_are_not_there_afterwards_is_no_put(
    packs: ObjectPacks, server: MisbehavingStore, fault: str
) -> None:
    writer, pack = begun(packs)
    server.always("PUT", fault)
    with pytest.raises(OSError, match="object store"):
        writer.sync()
    assert PACK_HEADER_BYTES == writer.written
    with pytest.raises(PackBroken):
        writer.sync()
    writer.close()
    assert all(expected == actual for expected, actual in pack.readable(packs))


@pytest.mark.parametrize("fault", ["500", "503", "altered", "cut"])
def test_a_put_that_cannot_be_read_back_is_no_put(packs: ObjectPacks, server: MisbehavingStore, fault: str) -> None:
    writer, _ = begun(packs)
    server.always("GET", fault)
    with pytest.raises(OSError, match="object store"):
        writer.push()
    assert PACK_HEADER_BYTES == writer.written


def test_a_put_that_was_never_answered_is_found_when_it_is_repeated(
    packs: ObjectPacks, server: MisbehavingStore
) -> None:
    writer, pack = begun(packs)
    server.next("PUT", "no answer")
    with pytest.raises(OSError, match="object store"):
        writer.push()
    assert PACK_HEADER_BYTES == writer.written
    writer.sync()
    assert writer.position == writer.written
    assert pack.plain == pack.read(packs)


def test_an_object_of_other_content_under_the_name_is_never_taken_for_ours(
    packs: ObjectPacks, server: MisbehavingStore
) -> None:
    writer, _ = begun(packs)
    (folder,) = {name.rpartition("/")[0] for name in server.objects}
    foreign = bytes(writer.position - PACK_HEADER_BYTES)
    server.objects[f"{folder}/{PACK_HEADER_BYTES:016x}"] = foreign
    with pytest.raises(FileExistsError):
        writer.sync()
    assert foreign == server.objects[f"{folder}/{PACK_HEADER_BYTES:016x}"]


def test_a_pack_whose_header_cannot_be_put_is_not_begun(packs: ObjectPacks, server: MisbehavingStore) -> None:
    server.always("PUT", "error in a success")
    with pytest.raises(OSError, match="object store"):
        open_writer(packs, key_of())
    assert {} == server.objects


def test_a_list_that_lags_hides_nothing_from_who_knows_what_to_read(
    packs: ObjectPacks, server: MisbehavingStore
) -> None:
    pack = write_pack(packs, key_of(), CHUNKS, every=1)
    server.unlisted = {name for name in server.objects if not name.endswith("0" * 16)}
    server.next("LIST", "stale")
    assert pack.plain == pack.read(packs)


def test_a_list_that_goes_on_lagging_is_damage_and_never_other_bytes(
    packs: ObjectPacks, server: MisbehavingStore
) -> None:
    pack = write_pack(packs, key_of(), CHUNKS, every=1)
    server.unlisted = {f"{name}" for name in sorted(server.objects)[2:3]}
    server.always("LIST", "stale")
    with pytest.raises(PackDamaged, match="an object is missing"):
        pack.read(packs)
    assert [(CHUNKS[0], CHUNKS[0]), (CHUNKS[2], CHUNKS[2])] == pack.readable(packs)


@pytest.mark.parametrize("fault", ["altered", "cut", "500"])
def test_a_get_that_goes_wrong_gives_no_other_bytes(packs: ObjectPacks, server: MisbehavingStore, fault: str) -> None:
    pack = write_pack(packs, key_of(), chunks_of([MAX_CHUNK_BYTES] * 5))
    with PackReader.open(packs, key_of(), CASE_KEY) as reader:
        server.always("GET", fault)
        with pytest.raises((PackDamaged, OSError)):
            list(reader.read_extent(BLOB, pack.extents[3]))
    server.behave()
    assert pack.plain == pack.read(packs)


def test_a_delete_that_breaks_off_leaves_no_half_pack_to_read(packs: ObjectPacks, server: MisbehavingStore) -> None:
    write_pack(packs, key_of(), CHUNKS, every=1)
    server.next("DELETE", "", "500", "500", "500")
    with pytest.raises(OSError, match="object store"):
        packs.delete(key_of())
    assert 3 == len(server.objects)
    with pytest.raises(FileNotFoundError):
        packs.open(key_of())
    assert [key_of()] == list(packs.keys())
    packs.delete(key_of())
    assert {} == server.objects


def test_a_missing_and_a_shortened_object_are_damage(packs: ObjectPacks, server: MisbehavingStore) -> None:
    pack = write_pack(packs, key_of(), CHUNKS, every=1)
    name = sorted(server.objects)[2]
    whole = server.objects.pop(name)
    with pytest.raises(PackDamaged, match="an object is missing"):
        raw_bytes(packs, key_of())
    server.objects[name] = whole[:-4096]
    assert [chunk for chunk, _ in pack.readable(packs)] == [CHUNKS[0], CHUNKS[2]]

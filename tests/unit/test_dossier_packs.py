"""Packs: what is read is what was written at that very place, or nothing is."""

from __future__ import annotations

import errno
import random
import resource
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casemesh.dossier.packs.disk import DiskPacks, pack_path
from casemesh.dossier.packs.format import (
    MAX_CHUNK_BYTES,
    PACK_HEADER_BYTES,
    RECORD_HEADER_BYTES,
    RECORD_OVERHEAD_BYTES,
    Kind,
    PackDamaged,
    PackHeader,
    RecordHeader,
    write_record_header,
)
from casemesh.dossier.packs.reader import Extent, PackReader
from casemesh.dossier.packs.stores import PackKey
from casemesh.dossier.packs.suites import DEFAULT_SUITE
from casemesh.dossier.packs.writer import PackBroken, PackWriter, Placed

CASE = bytes(range(16))
PACK = bytes(range(16, 32))
AT = PackKey(CASE, PACK)
KEY = bytes(range(100, 132))
BLOB_A = b"A" * 16
BLOB_B = b"B" * 16


class Written:
    """A pack of two blobs, the second's chunks between those of the first, with what was put in."""

    def __init__(self, root: Path, chunks: list[tuple[bytes, bytes]], pack: bytes = PACK, key: bytes = KEY) -> None:
        self.root, self.pack, self.key = root, pack, key
        self.plain: dict[bytes, bytes] = {}
        self.placed: list[tuple[bytes, bytes, int, Placed]] = []
        writer = PackWriter.create(DiskPacks(root), PackKey(CASE, pack), key)
        counts: dict[bytes, int] = {}
        for blob, data in chunks:
            offset = len(self.plain.get(blob, b""))
            index = counts.get(blob, 0)
            place = writer.append(Kind.DATA, blob, data, index=index, offset=offset)
            counts[blob] = index + 1
            self.plain[blob] = self.plain.get(blob, b"") + data
            self.placed.append((blob, data, offset, place))
        writer.flush()
        writer.sync()
        writer.close()

    @property
    def path(self) -> Path:
        return pack_path(self.root, PackKey(CASE, self.pack))

    def extent(self, which: int) -> tuple[bytes, Extent]:
        blob, data, offset, place = self.placed[which]
        index = sum(1 for other, *_ in self.placed[:which] if other == blob)
        return blob, Extent(self.pack, place.position, place.stored_length, place.number, index, offset, len(data))

    def reader(self) -> PackReader:
        return PackReader.open(DiskPacks(self.root), PackKey(CASE, self.pack), self.key)


def chunks_of(seed: int, count: int = 6) -> list[tuple[bytes, bytes]]:
    source = random.Random(seed)
    return [(source.choice([BLOB_A, BLOB_B]), source.randbytes(source.randint(1, 3000))) for _ in range(count)]


@pytest.fixture
def written(tmp_path: Path) -> Written:
    return Written(tmp_path, chunks_of(1))


def read_all(written: Written) -> Iterator[tuple[bytes, bytes]]:
    """(expected, actual) of every chunk that reads; those that do not are left out."""
    for which, (_, data, _, _) in enumerate(written.placed):
        try:
            with written.reader() as reader:
                blob, extent = written.extent(which)
                for found in reader.read_extent(blob, extent):
                    yield data, bytes(found.plain)
        except PackDamaged:
            continue


@settings(max_examples=40, deadline=None)
@given(data=st.lists(st.tuples(st.sampled_from([BLOB_A, BLOB_B]), st.binary(min_size=1, max_size=5000)), max_size=12))
def test_what_is_written_is_read(tmp_path_factory: pytest.TempPathFactory, data: list[tuple[bytes, bytes]]) -> None:
    written = Written(tmp_path_factory.mktemp("pack"), data)
    assert [chunk for _, chunk in data] == [actual for _, actual in read_all(written)]


def test_a_run_of_chunks_is_one_extent_that_can_be_entered_anywhere(tmp_path: Path) -> None:
    parts = [bytes([n]) * 1000 for n in range(5)]
    written = Written(tmp_path, [(BLOB_A, part) for part in parts])
    first, last = written.placed[0][3], written.placed[-1][3]
    stored = last.position + last.stored_length - first.position
    extent = Extent(PACK, first.position, stored, 0, 0, 0, 5000)
    with written.reader() as reader:
        for start in (0, 1, 999, 1000, 2500, 4999):
            found = list(reader.read_extent(BLOB_A, extent, start))
            joined = b"".join(bytes(item.plain) for item in found)[start - found[0].header.offset :]
            assert written.plain[BLOB_A][start:] == joined


def test_chunks_of_the_largest_size_fill_and_pass_the_writers_buffer(tmp_path: Path) -> None:
    data = [(BLOB_A, random.Random(n).randbytes(MAX_CHUNK_BYTES)) for n in range(5)]
    assert [chunk for _, chunk in data] == [actual for _, actual in read_all(Written(tmp_path, data))]


def test_a_chunk_over_the_limit_is_refused(tmp_path: Path) -> None:
    writer = PackWriter.create(DiskPacks(tmp_path), AT, KEY)
    with pytest.raises(ValueError, match="1 MiB"):
        writer.append(Kind.DATA, BLOB_A, bytes(MAX_CHUNK_BYTES + 1))
    writer.close()


def test_no_plaintext_and_no_key_lies_on_disk(tmp_path: Path) -> None:
    canary = b"a canary no cipher would produce"
    written = Written(tmp_path, [(BLOB_A, canary * 40)])
    assert canary not in written.path.read_bytes()
    assert KEY not in written.path.read_bytes()


def test_equal_chunks_never_look_equal_on_disk(tmp_path: Path) -> None:
    written = Written(tmp_path, [(BLOB_A, b"same" * 100), (BLOB_B, b"same" * 100)])
    other = Written(tmp_path, [(BLOB_A, b"same" * 100)], pack=b"2" * 16)
    raw = written.path.read_bytes()
    bodies = [raw[p.position + RECORD_HEADER_BYTES :][: p.stored_length - 48] for *_, p in written.placed]
    bodies.append(other.path.read_bytes()[PACK_HEADER_BYTES + RECORD_HEADER_BYTES :])
    assert len(set(bodies)) == 3


def test_any_bit_flipped_anywhere_gives_damage_and_never_other_bytes(written: Written) -> None:
    original = written.path.read_bytes()
    last = written.placed[-1][3]
    source = random.Random(2)
    damaged = 0
    for _ in range(400):
        bit = source.randrange((last.position + last.stored_length) * 8)
        altered = bytearray(original)
        altered[bit // 8] ^= 1 << bit % 8
        written.path.write_bytes(altered)
        read = list(read_all(written))
        assert all(expected == actual for expected, actual in read)
        damaged += len(read) < len(written.placed)
    assert damaged == 400


def test_a_file_cut_anywhere_gives_damage_and_never_other_bytes(written: Written) -> None:
    original = written.path.read_bytes()
    for length in range(0, len(original), 97):
        written.path.write_bytes(original[:length])
        read = list(read_all(written))
        assert all(expected == actual for expected, actual in read)
        assert len(read) == sum(place.position + place.stored_length <= length for *_, place in written.placed)


def test_swapped_records_of_one_length_do_not_read(tmp_path: Path) -> None:
    written = Written(tmp_path, [(BLOB_A, b"1" * 500), (BLOB_A, b"2" * 500), (BLOB_A, b"3" * 500)])
    raw = bytearray(written.path.read_bytes())
    (first, second) = (written.placed[n][3] for n in (0, 1))
    one, two = (raw[p.position : p.position + p.stored_length] for p in (first, second))
    raw[first.position : first.position + first.stored_length] = two
    raw[second.position : second.position + second.stored_length] = one
    written.path.write_bytes(raw)
    assert list(read_all(written)) == [(b"3" * 500, b"3" * 500)]


def test_a_stale_or_foreign_record_under_a_right_header_does_not_read(tmp_path: Path) -> None:
    written = Written(tmp_path / "now", [(BLOB_A, b"new" * 200)])
    stale = Written(tmp_path / "before", [(BLOB_A, b"old" * 200)])
    raw = written.path.read_bytes()
    written.path.write_bytes(raw[:PACK_HEADER_BYTES] + stale.path.read_bytes()[PACK_HEADER_BYTES:])
    assert list(read_all(written)) == []


def test_a_pack_under_another_packs_name_is_refused(written: Written) -> None:
    other = Written(written.root, [(BLOB_A, b"x")], pack=b"9" * 16)
    written.path.write_bytes(other.path.read_bytes())
    with pytest.raises(PackDamaged, match="another pack"):
        written.reader()


def test_another_cases_key_opens_nothing(written: Written) -> None:
    written.key = bytes(32)
    assert list(read_all(written)) == []


def test_a_missing_file_is_damage_and_not_an_internal_error(written: Written) -> None:
    written.path.unlink()
    with pytest.raises(PackDamaged, match="missing"):
        written.reader()


def test_an_extent_whose_row_says_more_than_the_file_holds_is_damage(written: Written) -> None:
    blob, extent = written.extent(len(written.placed) - 1)
    wrong = Extent(PACK, extent.position, extent.stored_length, extent.number, extent.chunk_index, extent.offset, 1)
    with written.reader() as reader, pytest.raises(PackDamaged, match="ends elsewhere"):
        list(reader.read_extent(blob, wrong))


def test_the_header_names_what_the_format_says() -> None:
    header = PackHeader(1, b"s" * 32, CASE, PACK)
    encoded = header.encode()
    assert len(encoded) == PACK_HEADER_BYTES == 4096
    assert PackHeader.decode(encoded, "p") == header
    for length in (0, 96, 4095):
        with pytest.raises(PackDamaged):
            PackHeader.decode(encoded[:length], "p")
    for position in [*range(100), 2000, 4095]:
        altered = bytearray(encoded)
        altered[position] ^= 0x10
        with pytest.raises(PackDamaged):
            PackHeader.decode(bytes(altered), "p")


@given(st.binary(min_size=RECORD_HEADER_BYTES, max_size=RECORD_HEADER_BYTES))
def test_record_headers_decode_to_what_encodes_to_the_same_bytes(data: bytes) -> None:
    header = RecordHeader.decode(b"CMr1" + data[4:5] + bytes([data[5] & 1, 0, 0]) + data[8:36] + b"\0\0" + data[38:])
    assert header is not None
    assert header.stored_length == header.length + RECORD_OVERHEAD_BYTES
    again = bytearray(RECORD_HEADER_BYTES)
    write_record_header(
        again, 0, header.kind, header.number, header.blob_id, header.index, header.offset, header.length, header.last
    )
    assert RecordHeader.decode(again) == header


def test_adopting_an_undamaged_pack_finds_every_record_in_order(written: Written) -> None:
    with written.reader() as reader:
        tail = reader.adopt(PACK_HEADER_BYTES, 0)
    assert [place.position for *_, place in written.placed] == [found.position for found in tail.found]
    pads = 1
    assert (written.path.stat().st_size, len(written.placed) + pads, None) == (tail.end, tail.records, tail.stopped)


def test_adopting_from_the_middle_continues_the_count(written: Written) -> None:
    place = written.placed[2][3]
    with written.reader() as reader:
        tail = reader.adopt(place.position, 2)
        wrong = reader.adopt(place.position, 3)
    assert len(written.placed) - 2 == len(tail.found)
    assert ((), place.position, 3) == (wrong.found, wrong.end, wrong.records)
    assert wrong.stopped is not None


def test_a_torn_tail_is_adopted_up_to_its_last_whole_record(written: Written) -> None:
    original = written.path.read_bytes()
    ends = [place.position + place.stored_length for *_, place in written.placed]
    for length in range(PACK_HEADER_BYTES, len(original) + 1, 61):
        written.path.write_bytes(original[:length])
        with written.reader() as reader:
            tail = reader.adopt(PACK_HEADER_BYTES, 0)
        whole = [end for end in ends if end <= length]
        assert (max(whole, default=PACK_HEADER_BYTES), len(whole)) == (tail.end, tail.records)
        assert (tail.stopped is None) == (length in [PACK_HEADER_BYTES, *ends])


def test_a_damaged_record_ends_the_adoption_even_where_later_ones_are_sound(written: Written) -> None:
    raw = bytearray(written.path.read_bytes())
    place = written.placed[3][3]
    raw[place.position + RECORD_HEADER_BYTES] ^= 1
    written.path.write_bytes(raw)
    with written.reader() as reader:
        tail = reader.adopt(PACK_HEADER_BYTES, 0)
    assert (place.position, 3) == (tail.end, tail.records)


def test_zeros_after_a_power_cut_are_not_records(written: Written) -> None:
    size = written.path.stat().st_size
    with written.path.open("ab") as file:
        file.write(bytes(10_000))
    with written.reader() as reader:
        tail = reader.adopt(PACK_HEADER_BYTES, 0)
    assert (size, len(written.placed) + 1) == (tail.end, tail.records)
    assert tail.stopped is not None


def test_metadata_records_are_adopted_with_their_payload(tmp_path: Path) -> None:
    writer = PackWriter.create(DiskPacks(tmp_path), AT, KEY)
    writer.append(Kind.DOCUMENT, BLOB_A, b"head")
    writer.append(Kind.DATA, BLOB_A, b"data", last=True)
    writer.append(Kind.FINISH, BLOB_A, b"digest")
    writer.flush()
    writer.close()
    with PackReader.open(DiskPacks(tmp_path), AT, KEY) as reader:
        found = reader.adopt(PACK_HEADER_BYTES, 0).found
    assert [(f.header.kind, bytes(f.plain)) for f in found] == [(1, b"head"), (2, b""), (3, b"digest")]
    assert [f.header.last for f in found] == [False, True, False]


def test_a_pack_is_never_opened_for_writing_twice(written: Written) -> None:
    with pytest.raises(FileExistsError):
        PackWriter.create(DiskPacks(written.root), AT, KEY)


def test_two_packs_of_one_case_never_share_a_salt(tmp_path: Path) -> None:
    packs = [PackWriter.create(DiskPacks(tmp_path), PackKey(CASE, bytes([n]) * 16), KEY) for n in range(8)]
    assert len({pack.header.salt for pack in packs}) == 8
    for pack in packs:
        pack.close()


class FullDisk:
    """A sink without room, which cannot be synced either."""

    stored = PACK_HEADER_BYTES

    def write(self, data: memoryview, position: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    def push(self) -> None:
        raise OSError(errno.EIO, "Input/output error")

    def sync(self) -> None:
        raise OSError(errno.EIO, "Input/output error")

    def close(self) -> None:
        return


def test_after_a_failed_write_the_pack_takes_nothing_more() -> None:
    writer = PackWriter(FullDisk(), PackHeader(1, b"s" * 32, CASE, PACK), KEY, DEFAULT_SUITE)
    writer.append(Kind.DATA, BLOB_A, b"x")
    with pytest.raises(OSError, match="No space left"):
        writer.flush()
    for attempt in (writer.flush, writer.push, lambda: writer.append(Kind.DATA, BLOB_A, b"y")):
        with pytest.raises(PackBroken):
            attempt()
    with pytest.raises(OSError, match="Input/output error"):
        writer.sync()
    with pytest.raises(PackBroken):
        writer.sync()
    writer.close()


def test_after_a_failed_push_the_pack_takes_nothing_more() -> None:
    writer = PackWriter(FullDisk(), PackHeader(1, b"s" * 32, CASE, PACK), KEY, DEFAULT_SUITE)
    with pytest.raises(OSError, match="Input/output error"):
        writer.push()
    with pytest.raises(PackBroken):
        writer.append(Kind.DATA, BLOB_A, b"y")


def test_what_was_written_before_a_failed_write_can_still_be_made_durable(tmp_path: Path) -> None:
    writer = PackWriter.create(DiskPacks(tmp_path), AT, KEY)
    writer.append(Kind.DATA, BLOB_A, b"kept")
    writer.flush()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (writer.written, hard))
    try:
        writer.append(Kind.DATA, BLOB_A, b"lost", index=1, offset=4)
        with pytest.raises(OSError, match="File too large"):
            writer.flush()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    writer.sync()
    writer.close()
    with PackReader.open(DiskPacks(tmp_path), AT, KEY) as reader:
        assert [found.header.length for found in reader.adopt(PACK_HEADER_BYTES, 0).found] == [4]


def test_every_write_ends_a_block_so_that_no_block_is_written_twice(tmp_path: Path) -> None:
    writer = PackWriter.create(DiskPacks(tmp_path), AT, KEY)
    ends = []
    data = b""
    for n in range(60):
        chunk = bytes([n]) * (n * 131 % 4100)
        writer.append(Kind.DATA, BLOB_A, chunk, index=n, offset=len(data))
        data += chunk
        writer.flush()
        ends.append(writer.written)
        writer.flush()
    assert all(end % 4096 == 0 for end in ends)
    assert sorted(set(ends)) == ends
    writer.close()


def test_pack_files_and_their_folder_are_private_to_the_service(written: Written) -> None:
    assert (written.path.stat().st_mode & 0o777, written.path.parent.stat().st_mode & 0o777) == (0o600, 0o700)

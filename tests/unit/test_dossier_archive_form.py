"""The ZIP file of a version: its size is known before it is written, any reader opens it, also beyond 4 GiB."""

from __future__ import annotations

import io
import shutil
import subprocess
import zipfile
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casemesh.dossier.downloading.archive import (
    ArchiveEntry,
    ArchiveWriter,
    Skip,
    archive_size,
    in_pieces,
    version_entries,
)
from casemesh.dossier.version_store import NamedContent

AT = datetime(2026, 3, 2, 16, 30, 44, tzinfo=UTC)
GIB = 1 << 30


def archive_of(contents: list[tuple[str, bytes]]) -> Iterator[bytes]:
    entries = [ArchiveEntry(name.encode(), len(data)) for name, data in contents]
    writer = ArchiveWriter(entries, AT)
    for _, data in contents:
        yield writer.begin()
        for start in range(0, len(data), 1000):
            yield writer.data(data[start : start + 1000])
        yield writer.end()
    yield from writer.close()


CONTENTS = [("manifest.json", b"{}"), ("证据卷一/讯问笔录.pdf", bytes(2500)), ("诉讼文书卷/空.txt", b"")]


def test_what_goes_in_comes_out_under_the_same_names() -> None:
    with zipfile.ZipFile(io.BytesIO(b"".join(archive_of(CONTENTS)))) as opened:
        assert opened.testzip() is None
        assert CONTENTS == [(item.filename, opened.read(item)) for item in opened.infolist()]
        # Half past midnight of the next day in Shanghai.
        assert {(2026, 3, 3, 0, 30, 44)} == {item.date_time for item in opened.infolist()}
        assert {zipfile.ZIP_STORED} == {item.compress_type for item in opened.infolist()}


@pytest.mark.skipif(shutil.which("unzip") is None, reason="unzip, a Debian tool, is not installed")
def test_unzip_finds_no_fault(tmp_path: Path) -> None:
    path = tmp_path / "dossier.zip"
    path.write_bytes(b"".join(archive_of(CONTENTS)))
    found = subprocess.run(["unzip", "-t", str(path)], capture_output=True, text=True, check=False)
    assert (0, True) == (found.returncode, "No errors" in found.stdout)


@given(st.lists(st.binary(max_size=5000), max_size=20))
def test_the_size_stated_is_the_size_written(contents: list[bytes]) -> None:
    named = [(f"卷/{number}", data) for number, data in enumerate(contents)]
    entries = [ArchiveEntry(name.encode(), len(data)) for name, data in named]
    assert archive_size(entries) == len(b"".join(archive_of(named)))


@given(st.integers(0, 20_000), st.integers(1, 4000), st.lists(st.binary(max_size=3000), max_size=8))
def test_from_any_byte_on_the_rest_is_the_same(first: int, limit: int, contents: list[bytes]) -> None:
    named = [(f"卷/{number}", data) for number, data in enumerate(contents)]
    whole = b"".join(archive_of(named))
    pieces = list(in_pieces(archive_of(named), Skip(first), limit))
    assert whole[first:] == b"".join(pieces)
    assert all(len(piece) <= limit for piece in pieces)


def test_an_entry_given_other_bytes_than_announced_is_refused() -> None:
    writer = ArchiveWriter([ArchiveEntry(b"a", 2)], AT)
    writer.begin()
    writer.data(b"abc")
    with pytest.raises(ValueError, match="2 bytes was given 3"):
        writer.end()


def test_names_are_those_of_the_version_with_the_manifest_first() -> None:
    entries = version_entries(17, [NamedContent("证据卷一", "笔录.pdf", 5)])
    assert [(b"manifest.json", 17), ("证据卷一/笔录.pdf".encode(), 5)] == entries


class Sparse(io.RawIOBase):
    """An archive of which long runs of zeros are counted and not kept."""

    def __init__(self) -> None:
        self._kept: dict[int, bytes] = {}
        self.size = 0
        self._at = 0

    def add(self, data: bytes, *, zeros: int = 0) -> None:
        if data:
            self._kept[self.size] = data
        self.size += len(data) + zeros

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        self._at = (0, self._at, self.size)[whence] + offset
        return self._at

    def read(self, size: int = -1) -> bytes:
        end = self.size if size < 0 else min(self.size, self._at + size)
        data = bytearray(end - self._at)
        for start, kept in self._kept.items():
            low, high = max(start, self._at), min(start + len(kept), end)
            if low < high:
                data[low - self._at : high - self._at] = kept[low - start : high - start]
        self._at = end
        return bytes(data)


class CountedZeros(bytes):
    """Zeros whose number is claimed; only the writer's counting sees them."""

    def __new__(cls, claimed: int) -> CountedZeros:
        made = super().__new__(cls)
        made.claimed = claimed
        return made

    claimed: int

    def __len__(self) -> int:
        return self.claimed


@pytest.mark.parametrize("sizes", [[5 * GIB, 10], [3 * GIB, 3 * GIB, 7], [10] * 70_000])
def test_beyond_the_old_limits_zip64_fields_say_what_is_there(sizes: list[int]) -> None:
    entries = [ArchiveEntry(f"卷/{number}".encode(), size) for number, size in enumerate(sizes)]
    writer, archive = ArchiveWriter(entries, AT), Sparse()
    for size in sizes:
        archive.add(writer.begin())
        writer.data(CountedZeros(size))
        archive.add(b"", zeros=size)
        archive.add(writer.end())
    for data in writer.close():
        archive.add(data)
    assert archive_size(entries) == archive.size
    with zipfile.ZipFile(archive) as opened:
        found = opened.infolist()
        assert sizes == [item.file_size for item in found]
        last = found[-1]
        # The header that the directory's offset leads to is the last entry's own.
        archive.seek(last.header_offset)
        header = archive.read(30 + len(entries[-1].name))
        assert (b"PK\x03\x04", entries[-1].name) == (header[:4], header[30:])
        assert zlib.crc32(b"") == last.CRC

"""Images by their structure alone: nothing is decoded, so that no picture is too large to look at."""

from __future__ import annotations

import os
import struct
from typing import BinaryIO, Final

from casemesh.client.examining.findings import Findings, Format, UnreadableFile

_MAX_TIFF_PAGES: Final = 100_000
_JPEG_END: Final = b"\xff\xd9"
# Cameras and scanners append a little of their own behind the end.
_JPEG_END_WITHIN: Final = 1 << 16
_FRAME_HEADERS: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_START_OF_SCAN: Final = 0xDA
_WITHOUT_LENGTH: Final = frozenset({0x01, *range(0xD0, 0xD8)})


def examine_jpeg(file: BinaryIO) -> Findings:
    """One page, if there is a frame with a width, a scan and an end. Raises UnreadableFile.

    Source: ITU-T T.81, annex B.
    """
    file.seek(2)
    framed = False
    while True:
        marker = _jpeg_marker(file)
        if marker in _WITHOUT_LENGTH:
            continue
        (length,) = struct.unpack(">H", _exactly(file, 2))
        if length < 2:
            raise UnreadableFile
        if marker == _START_OF_SCAN:
            break
        if marker in _FRAME_HEADERS:
            _, _, width = struct.unpack(">BHH", _exactly(file, 5))
            # A height of 0 is lawful: it then stands behind the first scan.
            framed = width > 0
            length -= 5
        file.seek(length - 2, os.SEEK_CUR)
    end = file.seek(0, os.SEEK_END)
    file.seek(max(0, end - _JPEG_END_WITHIN))
    if not framed or _JPEG_END not in file.read(_JPEG_END_WITHIN):
        raise UnreadableFile
    return Findings(Format.JPEG, 1)


def examine_png(file: BinaryIO) -> Findings:
    """One page, if its chunks lead to its end. Raises UnreadableFile.

    Source: ISO/IEC 15948, section 5.
    """
    position, seen = 8, set()
    while True:
        file.seek(position)
        length, kind = struct.unpack(">I4s", _exactly(file, 8))
        if kind == b"IHDR":
            width, height = struct.unpack(">II", _exactly(file, 8))
            if not width or not height:
                raise UnreadableFile
        elif b"IHDR" not in seen:
            raise UnreadableFile
        seen.add(kind)
        if kind == b"IEND":
            break
        position += length + 12
    if b"IDAT" not in seen:
        raise UnreadableFile
    return Findings(Format.PNG, 1)


def examine_tiff(file: BinaryIO) -> Findings:
    """As many pages as there are directories in its chain. Raises UnreadableFile, for a chain that runs in a ring too.

    Source: TIFF 6.0, section 2; the BigTIFF proposal for offsets of 8 bytes.
    """
    end = file.seek(0, os.SEEK_END)
    file.seek(0)
    order = "<" if _exactly(file, 2) == b"II" else ">"
    (version,) = struct.unpack(f"{order}H", _exactly(file, 2))
    count, entry, offset = ("H", 12, "I") if version == 42 else ("Q", 20, "Q")
    if version == 43:
        file.seek(8)
    seen: set[int] = set()
    while (position := _number(file, order, offset)) != 0:
        if position in seen or position >= end or len(seen) == _MAX_TIFF_PAGES:
            raise UnreadableFile
        seen.add(position)
        file.seek(position)
        entries = _number(file, order, count)
        if not entries or entries > 0xFFFF:
            raise UnreadableFile
        file.seek(entries * entry, os.SEEK_CUR)
    if not seen:
        raise UnreadableFile
    return Findings(Format.TIFF, len(seen))


def _jpeg_marker(file: BinaryIO) -> int:
    if _exactly(file, 1) != b"\xff":
        raise UnreadableFile
    while (byte := _exactly(file, 1)) == b"\xff":
        pass
    return byte[0]


def _number(file: BinaryIO, order: str, code: str) -> int:
    form = struct.Struct(order + code)
    value: int = form.unpack(_exactly(file, form.size))[0]
    return value


def _exactly(file: BinaryIO, length: int) -> bytes:
    data = file.read(length)
    if len(data) != length:
        raise UnreadableFile
    return data

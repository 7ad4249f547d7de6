"""What a file is, by its bytes; its name is only what somebody called it."""

from __future__ import annotations

import codecs
import zipfile
from typing import BinaryIO, Final

from casemesh.client.examining.findings import Format

_HEAD_BYTES: Final = 4096
# A PDF may begin with some junk; readers look for its mark in the first kilobyte.
_PDF_WITHIN: Final = 1024
_MARKS: Final = (
    (b"\xff\xd8\xff", Format.JPEG),
    (b"\x89PNG\r\n\x1a\n", Format.PNG),
    (b"II*\x00", Format.TIFF),
    (b"MM\x00*", Format.TIFF),
    (b"II+\x00", Format.TIFF),
    (b"MM\x00+", Format.TIFF),
)
_CONTROLS: Final = frozenset(range(32)) - frozenset(b"\t\n\r\f\x1b")
TEXT_ENCODINGS: Final = ("utf-8-sig", "gb18030")


def sniff(file: BinaryIO) -> Format:
    """The format of the file, which is read from its beginning and left anywhere.

    Does not say that the file is sound.

    Source: ISO 32000-2 7.5.2; GB/T 33190-2016 (OFD) section 6; ITU-T T.81; ISO/IEC 15948; TIFF 6.0.
    """
    file.seek(0)
    head = file.read(_HEAD_BYTES)
    for mark, found in _MARKS:
        if head.startswith(mark):
            return found
    if b"%PDF-" in head[:_PDF_WITHIN]:
        return Format.PDF
    if head.startswith(b"PK\x03\x04"):
        return Format.OFD if _holds_ofd(file) else Format.UNRECOGNISED
    return Format.TEXT if text_encoding(head) is not None else Format.UNRECOGNISED


def text_encoding(head: bytes) -> str | None:
    """The encoding of a text that begins with these bytes, or None where they are no text."""
    if not head or not _CONTROLS.isdisjoint(head):
        return None
    for encoding in TEXT_ENCODINGS:
        try:
            # The last character may be cut in two.
            codecs.getincrementaldecoder(encoding)().decode(head, final=len(head) < _HEAD_BYTES)
        except UnicodeDecodeError:
            continue
        return encoding
    return None


def _holds_ofd(file: BinaryIO) -> bool:
    try:
        with zipfile.ZipFile(file) as archive:
            return "OFD.xml" in archive.NameToInfo
    except (zipfile.BadZipFile, ValueError, NotImplementedError):
        # A cut-off OFD cannot be told from any other cut-off archive.
        return False

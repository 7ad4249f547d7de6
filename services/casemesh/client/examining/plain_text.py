"""Plain text: its pages are parted by form feeds."""

from __future__ import annotations

from typing import BinaryIO, Final

from casemesh.client.examining.findings import MAX_LINE_LENGTH, MAX_LINES, Findings, Format, Line, UnreadableFile
from casemesh.client.examining.formats import text_encoding

_HEAD_BYTES: Final = 1 << 16
_STEP_BYTES: Final = 1 << 20


def examine_text(file: BinaryIO) -> Findings:
    """The first lines, in UTF-8 or GB 18030. Raises UnreadableFile where the bytes turn out to be neither."""
    file.seek(0)
    head = file.read(_HEAD_BYTES)
    encoding = text_encoding(head[:4096])
    if encoding is None:
        raise UnreadableFile
    lines = [line.strip() for line in head.decode(encoding, "ignore").split("\f", 1)[0].splitlines()]
    pages = 1 + head.count(b"\f")
    while step := file.read(_STEP_BYTES):
        pages += step.count(b"\f")
    return Findings(
        Format.TEXT, pages, tuple(Line(line[:MAX_LINE_LENGTH]) for line in lines if line)[:MAX_LINES]
    )  # fmt: skip

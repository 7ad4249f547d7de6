"""A PDF whose pages are one JPEG each: what a scanner makes of a paper document.

Source: ISO 32000-1, 7.5 (file structure), 7.4.8 (DCTDecode), 8.9 (images).
"""

from __future__ import annotations

import struct
from typing import BinaryIO

_A4_WIDTH, _A4_HEIGHT = 595, 842
_INDEX_ENTRY_BYTES = 20


class ImagePdfWriter:
    """Writes one PDF page by page to an open file; memory holds one page.

    The number of pages must be known at the start. The same pages give the same bytes: there is no date and no id.
    """

    def __init__(self, file: BinaryIO, page_count: int) -> None:
        self._file = file
        self._page_count = page_count
        self._offsets: list[int] = []
        self._written = 0
        self._write(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")
        self._object(b"<</Type/Catalog/Pages 2 0 R>>")
        kids = b" ".join(b"%d 0 R" % (3 + 3 * number) for number in range(page_count))
        self._object(b"<</Type/Pages/Count %d/Kids[%s]>>" % (page_count, kids))

    @property
    def size_so_far(self) -> int:
        """The size in bytes if the file ended here, its index counted, to within 200 bytes."""
        return self._written + _INDEX_ENTRY_BYTES * len(self._offsets)

    def add_page(self, jpeg: bytes) -> None:
        """Add a page that shows a grey baseline JPEG, fitted to the width of an A4 page."""
        width, height = _dimensions(jpeg)
        shown = min(_A4_HEIGHT, _A4_WIDTH * height // width)
        first = len(self._offsets) + 1
        self._object(
            b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 %d %d]/Contents %d 0 R/Resources<</XObject<</P %d 0 R>>>>>>"
            % (_A4_WIDTH, _A4_HEIGHT, first + 1, first + 2)
        )
        drawing = b"%d 0 0 %d 0 %d cm /P Do" % (_A4_WIDTH, shown, _A4_HEIGHT - shown)
        self._object(b"<</Length %d>>stream\n%s\nendstream" % (len(drawing), drawing))
        self._object(
            b"<</Type/XObject/Subtype/Image/Width %d/Height %d/ColorSpace/DeviceGray/BitsPerComponent 8"
            b"/Filter/DCTDecode/Length %d>>stream\n" % (width, height, len(jpeg)),
            jpeg,
            b"\nendstream",
        )

    def finish(self) -> int:
        """Write the index and return the size of the file in bytes. Raises ValueError unless every page was added."""
        if len(self._offsets) != 2 + 3 * self._page_count:
            raise ValueError(f"{(len(self._offsets) - 2) // 3} pages were added, {self._page_count} announced")
        start = self._written
        self._write(b"xref\n0 %d\n0000000000 65535 f \n" % (len(self._offsets) + 1))
        self._write(b"".join(b"%010d 00000 n \n" % offset for offset in self._offsets))
        self._write(b"trailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (len(self._offsets) + 1, start))
        return self._written

    def _object(self, *parts: bytes) -> None:
        self._offsets.append(self._written)
        self._write(b"%d 0 obj\n" % len(self._offsets))
        for part in parts:
            self._write(part)
        self._write(b"\nendobj\n")

    def _write(self, part: bytes) -> None:
        self._file.write(part)
        self._written += len(part)


def _dimensions(jpeg: bytes) -> tuple[int, int]:
    """Return width and height from the frame header of a baseline JPEG."""
    position = 2
    while jpeg[position + 1] != 0xC0:
        position += 2 + int(struct.unpack_from(">H", jpeg, position + 2)[0])
    height, width = struct.unpack_from(">HH", jpeg, position + 5)
    return int(width), int(height)

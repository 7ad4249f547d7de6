"""PDF through PDFium: the number of pages, and the first lines of the text layer. Only for a process with limits."""

from __future__ import annotations

import ctypes
import os
from typing import Final

import pypdfium2.raw as pdfium

from casemesh.client.examining.findings import (
    MAX_LINE_LENGTH,
    MAX_LINES,
    Findings,
    Format,
    Line,
    Problem,
    UnreadableFile,
)

# Pages looked at for text: a cover may be a picture.
_TEXT_PAGES: Final = 3
# Enough to read print, and no more memory than that needs.
_DRAWN_DPI: Final = 150
_DRAWN_PIXELS: Final = 2500
_TEXT_CHARACTERS: Final = MAX_LINES * MAX_LINE_LENGTH


def _no_font(*_: object) -> None:
    """Answers PDFium's search for a font that the file names and does not hold."""


def _without_system_fonts() -> object:
    # Text is read, not drawn: letters need no shapes, and looking for a Chinese font takes five times as long as the
    # rest together. It also keeps the machine's font files away from what a hostile PDF can reach.
    info = pdfium.FPDF_SYSFONTINFO()
    info.version = 1
    for name, signature in info._fields_:
        if name in ("MapFont", "GetFont"):
            setattr(info, name, signature(_no_font))
    pdfium.FPDF_SetSystemFontInfo(info)
    return info


# PDFium keeps the address.
_FONTS: Final = _without_system_fonts()


def examine_pdf(path: str) -> Findings:
    """Pages as PDFium counts them; each line comes with the size of its first letter, in points.

    Raises UnreadableFile.
    """
    document = pdfium.FPDF_LoadDocument(os.fsencode(path), None)
    if not document:
        if pdfium.FPDF_GetLastError() == pdfium.FPDF_ERR_PASSWORD:
            return Findings(Format.PDF, problems=(Problem.ENCRYPTED,))
        raise UnreadableFile
    try:
        pages = pdfium.FPDF_GetPageCount(document)
        lines: tuple[Line, ...] = ()
        for number in range(min(pages, _TEXT_PAGES)):
            lines = _lines(document, number)
            if lines:
                break
    finally:
        pdfium.FPDF_CloseDocument(document)
    return Findings(Format.PDF, pages, lines, (Problem.EMPTY,) if pages == 0 else ())


def draw_first_page(path: str) -> bytes:
    """The first page in grey, as a portable graymap. Raises UnreadableFile.

    Letters of fonts that the file does not hold are left out: a page to be drawn is one that holds a picture.
    """
    document = pdfium.FPDF_LoadDocument(os.fsencode(path), None)
    page = pdfium.FPDF_LoadPage(document, 0) if document else None
    if not page:
        raise UnreadableFile
    try:
        scale = min(_DRAWN_DPI / 72, _DRAWN_PIXELS / max(pdfium.FPDF_GetPageWidthF(page), 1.0),
                    _DRAWN_PIXELS / max(pdfium.FPDF_GetPageHeightF(page), 1.0))  # fmt: skip
        width = max(1, int(pdfium.FPDF_GetPageWidthF(page) * scale))
        height = max(1, int(pdfium.FPDF_GetPageHeightF(page) * scale))
        grey = ctypes.create_string_buffer(width * height)
        bitmap = pdfium.FPDFBitmap_CreateEx(width, height, pdfium.FPDFBitmap_Gray, grey, width)
        pdfium.FPDFBitmap_FillRect(bitmap, 0, 0, width, height, 0xFFFFFFFF)
        pdfium.FPDF_RenderPageBitmap(bitmap, page, 0, 0, width, height, 0, 0)
        pdfium.FPDFBitmap_Destroy(bitmap)
        return b"P5 %d %d 255\n" % (width, height) + grey.raw
    finally:
        pdfium.FPDF_ClosePage(page)
        pdfium.FPDF_CloseDocument(document)


def _lines(document: object, number: int) -> tuple[Line, ...]:
    page = pdfium.FPDF_LoadPage(document, number)
    if not page:
        return ()
    try:
        text = pdfium.FPDFText_LoadPage(page)
        if not text:
            return ()
        try:
            return tuple(_text_lines(text))
        finally:
            pdfium.FPDFText_ClosePage(text)
    finally:
        pdfium.FPDF_ClosePage(page)


def _text_lines(text: object) -> list[Line]:
    count = min(pdfium.FPDFText_CountChars(text), _TEXT_CHARACTERS)
    if count <= 0:
        return []
    buffer = (ctypes.c_ushort * (count + 1))()
    pdfium.FPDFText_GetText(text, 0, count, buffer)
    content = bytes(buffer).decode("utf-16-le", "replace")[:count]
    lines: list[Line] = []
    start = 0
    for part in content.splitlines(keepends=True):
        stripped = part.strip()
        if stripped:
            first = start + part.index(stripped[0])
            lines.append(Line(stripped[:MAX_LINE_LENGTH], round(pdfium.FPDFText_GetFontSize(text, first), 1)))
            if len(lines) == MAX_LINES:
                break
        start += len(part)
    return lines

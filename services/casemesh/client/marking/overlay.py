"""Draws a mark over the pages of a copy. Only for a process with limits: what is drawn over may be hostile."""

from __future__ import annotations

import io
import os
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

import pypdfium2 as pdfium
from PIL import Image, ImageOps, ImageSequence, UnidentifiedImageError
from reportlab.lib.utils import ImageReader
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas

from casemesh.client.examining.findings import Format, UnreadableFile
from casemesh.client.examining.formats import sniff

# As the table of contents: every reader has a font for it, and none need be installed where the copy is made.
_FONT: Final = "STSong-Light"
_TILT_DEGREES: Final = 30
_ACROSS: Final = 4
_OPACITY: Final = 0.18
_FOOT_OPACITY: Final = 0.75
_MOST_POINTS: Final = 14_400
_IMAGE_DPI: Final = 150
_MOST_PIXELS: Final = 100_000_000
Image.MAX_IMAGE_PIXELS = _MOST_PIXELS


def mark_copy(source: str, target: str, lines: Sequence[str]) -> int:
    """Write a PDF of the file with the lines over every page, and return the number of pages.

    A PDF keeps its pages and text; a picture becomes a page. Raises UnreadableFile for what is neither, or is
    protected, OSError.
    """
    with open(source, "rb") as file:
        found = sniff(file)
    match found:
        case Format.PDF:
            return _mark_pdf(source, target, lines)
        case Format.JPEG | Format.PNG | Format.TIFF:
            return _mark_picture(source, target, lines)
        case _:
            raise UnreadableFile


def _mark_pdf(source: str, target: str, lines: Sequence[str]) -> int:
    try:
        document = pdfium.PdfDocument(os.fspath(source))
    except pdfium.PdfiumError as error:
        raise UnreadableFile from error
    try:
        pages = len(document)
        for number in range(pages):
            page = document[number]
            left, bottom, right, top = page.get_cropbox()
            width, height = right - left, top - bottom
            if not (0 < width <= _MOST_POINTS and 0 < height <= _MOST_POINTS):
                raise UnreadableFile
            overlay = pdfium.PdfDocument(_overlay(round(width), round(height), tuple(lines)))
            drawing = overlay.page_as_xobject(0, document)
            shown = drawing.as_pageobject()
            shown.set_matrix(pdfium.PdfMatrix().translate(left, bottom))
            page.insert_obj(shown)
            page.gen_content()
            drawing.close()
            overlay.close()
            page.close()
        document.save(target)
        return pages
    except pdfium.PdfiumError as error:
        raise UnreadableFile from error
    finally:
        document.close()


def _mark_picture(source: str, target: str, lines: Sequence[str]) -> int:
    try:
        with Image.open(source) as picture:
            canvas = Canvas(target, invariant=True)
            pages = 0
            for frame in ImageSequence.Iterator(picture):
                shown = _on_paper(frame)
                width, height = (side * 72 / _IMAGE_DPI for side in shown.size)
                canvas.setPageSize((width, height))
                canvas.drawImage(ImageReader(shown), 0, 0, width, height)
                _draw(canvas, width, height, lines)
                canvas.showPage()
                pages += 1
            canvas.save()
            return pages
    except (UnidentifiedImageError, Image.DecompressionBombError, ValueError, EOFError, SyntaxError) as error:
        raise UnreadableFile from error


def _on_paper(frame: Image.Image) -> Image.Image:
    """Return a picture as viewers show it: upright, and on white where it is transparent."""
    upright = ImageOps.exif_transpose(frame)
    if not upright.has_transparency_data:
        return upright.convert("RGB")
    paper = Image.new("RGBA", upright.size, "white")
    return Image.alpha_composite(paper, upright.convert("RGBA")).convert("RGB")


@lru_cache(maxsize=16)
def _overlay(width: int, height: int, lines: tuple[str, ...]) -> bytes:
    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=(width, height), invariant=True)
    _draw(canvas, width, height, lines)
    canvas.showPage()
    canvas.save()
    return buffer.getvalue()


def _draw(canvas: Canvas, width: float, height: float, lines: Sequence[str]) -> None:
    """The first line over the whole page, tilted; all of them at its foot."""
    if _FONT not in pdfmetrics.getRegisteredFontNames():
        pdfmetrics.registerFont(UnicodeCIDFont(_FONT))
    size = max(min(width, height) / 32, 4.0)
    canvas.saveState()
    canvas.setFillAlpha(_OPACITY)
    canvas.setFont(_FONT, size)
    for row in range(_ACROSS):
        canvas.saveState()
        canvas.translate(width / 2, height * (row + 0.5) / _ACROSS)
        canvas.rotate(_TILT_DEGREES)
        canvas.drawCentredString(0, 0, lines[0])
        canvas.restoreState()
    canvas.setFillAlpha(_FOOT_OPACITY)
    small = size / 2
    canvas.setFont(_FONT, small)
    for number, line in enumerate(reversed(lines)):
        canvas.drawString(small, small * (0.6 + 1.3 * number), line)
    canvas.restoreState()

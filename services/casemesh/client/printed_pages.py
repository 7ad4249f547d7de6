"""What printed pages share: a font with Chinese that no file is needed for, and numbers at their feet."""

from __future__ import annotations

from typing import Any, Final

from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas

# Every PDF reader has a font for it; the file stays small, and no font has to be installed where it is made.
FONT: Final = "STSong-Light"


def register_font() -> None:
    """Make FONT known to reportlab; again has no effect."""
    if FONT not in pdfmetrics.getRegisteredFontNames():
        pdfmetrics.registerFont(UnicodeCIDFont(FONT))


class NumberedPages(Canvas):  # type: ignore[misc] # reportlab has no types
    """Writes `page of pages` at the foot of each page, which is known only when all are there."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._drawn: list[dict[str, Any]] = []

    def showPage(self) -> None:
        self._drawn.append(dict(self.__dict__))
        self._startPage()

    def save(self) -> None:
        for number, page in enumerate(self._drawn, start=1):
            self.__dict__.update(page)
            self.setFont(FONT, 8.5)
            self.drawCentredString(
                A4[0] / 2, 10 * mm, f"第 {number} 页, 共 {len(self._drawn)} 页    {number} / {len(self._drawn)}"
            )
            super().showPage()
        super().save()

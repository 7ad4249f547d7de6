"""A mixed dossier of some 245 documents, each with the type a person would give it.

    for document in labelled():
        path = write(document, folder)

`documents.csv` was written before the classifier's patterns were tuned, `unseen.csv` after, and nothing was tuned to
it; what they hold is invented. `lines` are what the
first page says, parted by `|`; `expected` is empty for what is none of the catalogue's types. Files are made when they
are needed: PDFs with a text layer, OFD, images with the lines drawn on them, text in both encodings, and bytes of no
known format.
"""

from __future__ import annotations

import csv
import io
import random
import zipfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from xml.sax.saxutils import escape

from PIL import Image, ImageDraw, ImageFont
from reportlab.lib.pagesizes import A4
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas

_FOLDER = Path(__file__).parent
_DRAWING_FONT = Path("/usr/share/fonts/opentype/noto/NotoSerifCJK-Regular.ttc")
_PAGE_PIXELS = (1240, 1754)
_FORMATS = {"txt": "text", "gb18030": "text", "unknown": "unrecognised"}


@dataclass(frozen=True)
class Labelled:
    """A document, and the type code a person gives it; empty for none."""

    file_name: str
    kind: str
    pages: int
    lines: tuple[str, ...]
    expected: str

    @property
    def format(self) -> str:
        """The format its bytes have, as an examination names it."""
        return _FORMATS.get(self.kind, self.kind)

    @property
    def drawn(self) -> bool:
        """Its lines can be seen, not read: only OCR finds them."""
        return bool(self.lines) and self.kind in ("jpeg", "png", "tiff")


@cache
def labelled() -> tuple[Labelled, ...]:
    """The documents in their order."""
    return _read("documents.csv")


@cache
def unseen() -> tuple[Labelled, ...]:
    """Documents that no pattern was made for."""
    return _read("unseen.csv")


def _read(table: str) -> tuple[Labelled, ...]:
    with (_FOLDER / table).open(encoding="utf-8", newline="") as file:
        return tuple(
            Labelled(
                row["file_name"].rpartition("/")[2],
                row["format"],
                int(row["pages"]),
                tuple(line for line in row["lines"].split("|") if line),
                row["expected"],
            )
            for row in csv.DictReader(file)
        )


def can_draw() -> bool:
    """Whether this machine has the font that images are drawn with."""
    return _DRAWING_FONT.is_file()


def write(document: Labelled, folder: Path) -> Path:
    """Make the document's file in a folder, under its name."""
    path = folder / document.file_name
    path.write_bytes(content(document))
    return path


def content(document: Labelled) -> bytes:
    """The document's bytes."""
    match document.kind:
        case "pdf":
            return pdf(document.lines, document.pages)
        case "ofd":
            return ofd(document.lines, document.pages)
        case "txt":
            return "\n".join(document.lines).encode()
        case "gb18030":
            return "\n".join(document.lines).encode("gb18030")
        case "unknown":
            return b"\x00\x01" + random.Random(document.file_name).randbytes(2000)
        case _:
            return _image(document)


def pdf(lines: tuple[str, ...], pages: int) -> bytes:
    """A PDF whose first page says these lines, the second one largest; later pages say their number."""
    if "STSong-Light" not in pdfmetrics.getRegisteredFontNames():
        pdfmetrics.registerFont(UnicodeCIDFont("STSong-Light"))
    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=A4)
    for number in range(pages):
        height = A4[1] - 90
        for position, line in enumerate(lines if number == 0 else (f"第{number + 1}页",)):
            title = number == 0 and position < 2
            canvas.setFont("STSong-Light", 22 if title else 12)
            canvas.drawCentredString(A4[0] / 2, height, line) if title else canvas.drawString(70, height, line)
            height -= 40 if title else 24
        canvas.showPage()
    canvas.save()
    return buffer.getvalue()


def ofd(lines: tuple[str, ...], pages: int) -> bytes:
    """An OFD whose first page says these lines."""
    buffer = io.BytesIO()
    namespace = 'xmlns:ofd="http://www.ofdspec.org/2016"'
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(
            "OFD.xml",
            f'<ofd:OFD {namespace} DocType="OFD" Version="1.1"><ofd:DocBody><ofd:DocInfo/>'
            "<ofd:DocRoot>Doc_0/Document.xml</ofd:DocRoot></ofd:DocBody></ofd:OFD>",
        )
        listed = "".join(
            f'<ofd:Page ID="{number + 1}" BaseLoc="Pages/Page_{number}/Content.xml"/>' for number in range(pages)
        )
        archive.writestr(
            "Doc_0/Document.xml", f"<ofd:Document {namespace}><ofd:Pages>{listed}</ofd:Pages></ofd:Document>"
        )
        for number in range(pages):
            said = lines if number == 0 else (f"第{number + 1}页",)
            objects = "".join(
                f'<ofd:TextObject ID="{position + 10}" Boundary="30 {20 + 12 * position} 150 8" Font="1" '
                f'Size="{8 if position < 2 else 4}"><ofd:TextCode X="0" Y="6">{escape(line)}</ofd:TextCode>'
                "</ofd:TextObject>"
                for position, line in enumerate(said)
            )
            archive.writestr(
                f"Doc_0/Pages/Page_{number}/Content.xml",
                f'<ofd:Page {namespace}><ofd:Content><ofd:Layer ID="2">{objects}</ofd:Layer></ofd:Content></ofd:Page>',
            )
    return buffer.getvalue()


def _image(document: Labelled) -> bytes:
    pages = [Image.new("L", _PAGE_PIXELS, 250) for _ in range(document.pages)]
    if document.lines and can_draw():
        canvas = ImageDraw.Draw(pages[0])
        height = 150
        for position, line in enumerate(document.lines):
            font = ImageFont.truetype(str(_DRAWING_FONT), 64 if position < 2 else 34)
            width = canvas.textlength(line, font=font)
            left = (_PAGE_PIXELS[0] - width) / 2 if position < 2 else 150
            canvas.text((left, height), line, font=font, fill=20)
            height += 110 if position < 2 else 70
    buffer = io.BytesIO()
    more = {"save_all": True, "append_images": pages[1:]} if document.kind == "tiff" else {}
    pages[0].save(buffer, format=document.kind.upper(), **more)
    return buffer.getvalue()

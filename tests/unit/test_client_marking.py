"""Marked copies: the mark stands on every page, the document is as it was, and what cannot be marked is named."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import pypdfium2 as pdfium
import pytest
from PIL import ExifTags, Image
from reportlab.pdfgen.canvas import Canvas

from casemesh.client.marking.copies import MarkedCopies, make_copies, mark_lines
from casemesh.core.ids import new_id
from casemesh.identity.v1.export_mark_service_pb2 import ExportMark

MARK = ExportMark(
    mark=new_id(), reading=new_id(), officer_display_name="甲某", agency_display_name="南山市公安局", purpose="handling"
)
MARK.reading_time.FromJsonString("2026-03-01T08:00:00Z")
LINES = mark_lines(MARK)


def pdf(pages: int, *, rotate: int = 0, origin: float = 0) -> bytes:
    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=(300, 400), invariant=True)
    for number in range(pages):
        canvas.drawString(150, 200, f"page {number}")
        canvas.showPage()
    canvas.save()
    document = pdfium.PdfDocument(buffer.getvalue())
    for page in document:
        page.set_rotation(rotate)
        page.set_mediabox(origin, origin, origin + 300, origin + 400)
    changed = io.BytesIO()
    document.save(changed)
    return changed.getvalue()


def picture(form: str, frames: int = 1) -> bytes:
    buffer = io.BytesIO()
    images = [Image.new("RGB", (600, 800), (240, 240, 240 - frame)) for frame in range(frames)]
    more = {"save_all": True, "append_images": images[1:]} if frames > 1 else {}
    images[0].save(buffer, form, **more)
    return buffer.getvalue()


def marked(folder: Path, documents: dict[str, bytes], **options: float) -> MarkedCopies:
    paths = []
    for name, data in documents.items():
        path = folder / "documents" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        paths.append(path)
    made = make_copies(paths, folder / "documents", folder / "marked", LINES, **options)
    assert list(documents.values()) == [path.read_bytes() for path in paths]
    return made


def texts(path: Path) -> list[str]:
    document = pdfium.PdfDocument(path)
    return [page.get_textpage().get_text_bounded() for page in document]


_DARKEST = """
import sys
import pypdfium2
image = pypdfium2.PdfDocument(sys.argv[1])[0].render().to_pil().convert("L")
print(image.crop((0, image.height * 9 // 10, image.width, image.height)).getextrema()[0])
"""


def darkest(path: Path) -> int:
    """The darkest value of the first page, drawn, in its lowest tenth.

    Drawn by a process of its own, as a reader draws it: within one process PDFium keeps the fonts it first found.
    """
    drawn = subprocess.run([sys.executable, "-c", _DARKEST, str(path)], capture_output=True, text=True, check=True)
    return int(drawn.stdout)


@pytest.mark.parametrize(
    ("name", "data", "pages"),
    [
        ("证据卷一/讯问笔录.pdf", pdf(3), 3),
        ("rotated.pdf", pdf(1, rotate=90), 1),
        ("moved.pdf", pdf(1, origin=100), 1),
        ("scan.jpg", picture("JPEG"), 1),
        ("scan.png", picture("PNG"), 1),
        ("scans.tif", picture("TIFF", 2), 2),
    ],
    ids=["pdf", "rotated pdf", "pdf off the origin", "jpeg", "png", "tiff of two pages"],
)
def test_every_page_of_a_copy_says_who_when_and_where_it_leads_back_to(
    tmp_path: Path, name: str, data: bytes, pages: int
) -> None:
    made = marked(tmp_path, {name: data})
    assert ([tmp_path / "marked" / f"{name}.marked.pdf"], pages, []) == (
        made.copies, made.page_count, made.unmarked,
    )  # fmt: skip
    found = texts(made.copies[0])
    assert pages == len(found)
    for page in found:
        for line in LINES:
            # Text that runs over the page is found in pieces.
            assert all(word in page for word in line.split()), line
    if name.endswith("pdf"):
        assert all("page" in page for page in found)


def test_the_mark_is_drawn_within_the_page(tmp_path: Path) -> None:
    for name in ("plain", "moved"):
        made = marked(tmp_path / name, {"a.pdf": pdf(1, origin=100 if name == "moved" else 0)})
        assert darkest(tmp_path / name / "documents" / "a.pdf") == 255
        assert darkest(made.copies[0]) < 200


def test_a_copy_of_a_picture_shows_what_viewers_show(tmp_path: Path) -> None:
    lying, exif = io.BytesIO(), Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    Image.new("RGB", (800, 600), "white").save(lying, "JPEG", exif=exif)
    transparent = io.BytesIO()
    Image.new("RGBA", (600, 800), (0, 0, 0, 0)).save(transparent, "PNG")
    made = marked(tmp_path, {"lying.jpg": lying.getvalue(), "transparent.png": transparent.getvalue()})
    for copy in made.copies:
        page = pdfium.PdfDocument(copy)[0]
        assert page.get_width() < page.get_height()
        assert 255 == page.render().to_pil().convert("L").getpixel((0, 0))


def test_what_is_neither_pdf_nor_picture_or_does_not_open_is_named_and_stops_nothing(tmp_path: Path) -> None:
    documents = {
        "notes.txt": "笔录".encode(),
        "broken.pdf": b"%PDF-1.7\nnothing",
        "broken.png": b"\x89PNG\r\n\x1a\nnothing",
        "good.pdf": pdf(1),
    }
    made = marked(tmp_path, documents)
    assert ["notes.txt", "broken.pdf", "broken.png"] == [path.name for path in made.unmarked]
    assert ["good.pdf.marked.pdf"] == [path.name for path in made.copies]
    assert ["good.pdf.marked.pdf"] == [path.name for path in (tmp_path / "marked").iterdir()]


def test_a_file_that_takes_too_long_is_left_unmarked(tmp_path: Path) -> None:
    made = marked(tmp_path, {"slow.pdf": pdf(1), "other.pdf": pdf(1)}, seconds_per_file=0.0)
    assert ([], ["slow.pdf", "other.pdf"]) == (made.copies, [path.name for path in made.unmarked])


def test_a_name_as_long_as_names_may_be_has_a_copy(tmp_path: Path) -> None:
    name = "卷" * 83 + ".pdf"
    made = marked(tmp_path, {name: pdf(1)})
    assert 1 == len(made.copies)
    assert [] == made.unmarked

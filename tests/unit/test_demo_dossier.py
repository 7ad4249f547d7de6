"""The demo's dossier: real files that open, sizes and pages exactly as asked, the same bytes everywhere."""

import hashlib
from pathlib import Path

import pypdfium2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casemesh.cli.demo_dossier import MIN_BYTES_PER_PAGE, DemoDossier, make_dossier
from casemesh.cli.image_pdf import ImagePdfWriter
from casemesh.cli.keystream import Keystream
from casemesh.cli.scanned_page import MIN_PAGE_BYTES, PageKind, PageScanner


def digest(dossier: DemoDossier) -> str:
    """Return one digest over names and bytes of all files, in the dossier's order."""
    found = hashlib.sha256()
    for file in dossier.files:
        found.update(file.path.as_posix().encode())
        found.update((dossier.root / file.path).read_bytes())
    return found.hexdigest()


def shown(page: pypdfium2.PdfPage) -> bytes:
    """Return a page as grey pixels, one byte each, without margins for alignment."""
    bitmap = page.render(scale=0.4, grayscale=True)
    rows = bytes(bitmap.buffer)
    return b"".join(rows[top : top + bitmap.width] for top in range(0, bitmap.height * bitmap.stride, bitmap.stride))


def shown_jpeg(jpeg: bytes, tmp_path: Path) -> bytes:
    """Return a JPEG as grey pixels, decoded by the PDF library's own decoder."""
    path = tmp_path / "one.pdf"
    with path.open("wb") as file:
        writer = ImagePdfWriter(file, 1)
        writer.add_page(jpeg)
        writer.finish()
    with pypdfium2.PdfDocument(path) as document:
        return shown(document[0])


def has_paper_and_ink(pixels: bytes) -> bool:
    return max(pixels) > 200 and min(pixels) < 120


def test_every_file_opens_and_has_the_pages_stated(tmp_path: Path) -> None:
    dossier = make_dossier(tmp_path / "dossier", seed=5, pages=150, total_bytes=3_000_000)
    for file in dossier.files:
        path = dossier.root / file.path
        assert path.stat().st_size == file.size_bytes
        if path.suffix == ".pdf":
            with pypdfium2.PdfDocument(path) as document:
                assert len(document) == file.page_count
                assert has_paper_and_ink(shown(document[file.page_count - 1]))
        else:
            assert file.page_count == 1
            assert len(set(shown_jpeg(path.read_bytes(), tmp_path))) > 20


def test_both_kinds_of_file_stand_in_several_volumes_with_chinese_names(tmp_path: Path) -> None:
    dossier = make_dossier(tmp_path / "dossier", seed=5, pages=1_000, total_bytes=8_000_000)
    in_pdf = sum(file.page_count for file in dossier.files if file.path.suffix == ".pdf")

    assert in_pdf == 600
    assert {"诉讼文书卷一", "证据卷一", "证据卷二"} <= {file.volume for file in dossier.files}
    assert all(file.path.parts[0] == file.volume for file in dossier.files)
    assert len({file.path for file in dossier.files}) == len(dossier.files)
    assert dossier.files[0].path.name == "001_卷宗封面.pdf"


@settings(max_examples=12, deadline=None)
@given(st.integers(1, 90), st.integers(MIN_BYTES_PER_PAGE, 30_000), st.integers(0, 2**63), st.integers(0, 999))
def test_pages_and_bytes_are_exactly_as_asked(
    tmp_path_factory: pytest.TempPathFactory, pages: int, page_bytes: int, seed: int, rest: int
) -> None:
    out = tmp_path_factory.mktemp("demo") / "dossier"
    total = pages * page_bytes + rest
    dossier = make_dossier(out, seed=seed, pages=pages, total_bytes=total)

    assert pages == dossier.page_count
    assert total == dossier.size_bytes
    assert total == sum(path.stat().st_size for path in out.rglob("*") if path.is_file())


def test_a_seed_gives_the_bytes_it_has_always_given(tmp_path: Path) -> None:
    dossier = make_dossier(tmp_path / "dossier", seed=7, pages=60, total_bytes=900_000)

    assert digest(dossier) == "49dbd806c205ace7749257e51e8d989a7dd0f03fbce05d7e865520428385a040"


def test_another_seed_gives_other_pages(tmp_path: Path) -> None:
    one = make_dossier(tmp_path / "one", seed=1, pages=3, total_bytes=60_000)
    other = make_dossier(tmp_path / "other", seed=2, pages=3, total_bytes=60_000)

    assert digest(one) != digest(other)


def test_no_two_pages_are_alike() -> None:
    scanner = PageScanner(Keystream(3, "test"))
    pages = [scanner.scan(PageKind.TEXT, 20_000) for _ in range(40)]

    assert len(set(pages)) == 40


@pytest.mark.parametrize("kind", PageKind)
@pytest.mark.parametrize("size_bytes", [MIN_PAGE_BYTES, 9_001, 60_000, 230_000])
def test_a_page_decodes_and_is_as_large_as_asked(kind: PageKind, size_bytes: int, tmp_path: Path) -> None:
    scanner = PageScanner(Keystream(4, "test"))
    page, exact = scanner.scan(kind, size_bytes), scanner.scan(kind, size_bytes, exactly=True)

    assert size_bytes - 150 <= len(page) <= size_bytes
    assert len(exact) == size_bytes
    for jpeg in (page, exact):
        pixels = shown_jpeg(jpeg, tmp_path)
        assert len(set(pixels)) > 20
        if kind is not PageKind.PHOTOGRAPH:
            assert max(pixels) > 200


def test_image_data_holds_no_marker_but_restarts_in_their_order() -> None:
    jpeg = PageScanner(Keystream(9, "test")).scan(PageKind.FORM, 200_000)
    start = jpeg.index(b"\xff\xda") + 10
    markers = [jpeg[at + 1] for at in range(start, len(jpeg) - 2) if jpeg[at] == 0xFF and jpeg[at + 1] != 0]

    assert markers == [0xD0 + number % 8 for number in range(len(markers))]
    assert jpeg.endswith(b"\xff\xd9")


def test_progress_rises_to_the_total(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    make_dossier(
        tmp_path / "dossier",
        seed=1,
        pages=20,
        total_bytes=200_000,
        progress=lambda done, total: told.append((done, total)),
    )

    assert told == sorted(told)
    assert told[-1] == (200_000, 200_000)


def test_a_folder_that_holds_something_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")

    with pytest.raises(FileExistsError, match="not empty"):
        make_dossier(tmp_path, seed=1, pages=3, total_bytes=60_000)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


@pytest.mark.parametrize(("pages", "total_bytes"), [(0, 0), (10, 10 * MIN_BYTES_PER_PAGE - 1), (1, 2_000_001)])
def test_sizes_no_page_can_have_are_refused(pages: int, total_bytes: int, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="on average"):
        make_dossier(tmp_path / "dossier", seed=1, pages=pages, total_bytes=total_bytes)


def test_a_pdf_with_fewer_pages_than_announced_is_not_finished(tmp_path: Path) -> None:
    with (tmp_path / "short.pdf").open("wb") as file:
        writer = ImagePdfWriter(file, 2)
        writer.add_page(PageScanner(Keystream(1, "test")).scan(PageKind.TEXT, 9_000))
        with pytest.raises(ValueError, match="1 pages were added, 2 announced"):
            writer.finish()

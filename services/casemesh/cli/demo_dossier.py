"""An invented dossier (电子卷宗) of real files: scanned documents as PDF, photographs and single sheets as JPEG.

Nothing in it comes from a case: the characters mean nothing, the suspects have no names. The same seed, number of
pages and bytes give the same files, byte for byte, on every machine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from casemesh.cli.image_pdf import ImagePdfWriter
from casemesh.cli.keystream import Keystream
from casemesh.cli.scanned_page import MAX_PAGE_BYTES, MIN_PAGE_BYTES, PageKind, PageScanner

DEFAULT_PAGES = 5_253
DEFAULT_BYTES = 1_200_000_000
MIN_BYTES_PER_PAGE = 8_000
MAX_BYTES_PER_PAGE = 2_000_000

_PROCEDURE_PAGES, _EVIDENCE_PAGES = 200, 400
"""About how many pages a volume holds: bound by hand, a procedural volume stays under 200 sheets."""
_SHEETS_PER_SERIES = (4, 60)
_PROCEDURE = (
    "卷宗封面",
    "卷内文书目录",
    "受案登记表",
    "立案决定书",
    "拘留证",
    "拘留通知书",
    "变更羁押期限通知书",
    "提请批准逮捕书",
    "批准逮捕决定书",
    "逮捕证",
    "犯罪嫌疑人诉讼权利义务告知书",
    "搜查证",
    "扣押决定书",
    "扣押清单",
    "鉴定聘请书",
    "鉴定意见通知书",
    "换押证",
    "起诉意见书",
)
_EVIDENCE_DOCUMENTS = (
    "犯罪嫌疑人甲讯问笔录",
    "犯罪嫌疑人乙讯问笔录",
    "被害人询问笔录",
    "证人询问笔录",
    "现场勘验笔录",
    "辨认笔录",
    "搜查笔录",
    "电子数据检查笔录",
    "司法会计鉴定意见书",
    "价格认定结论书",
    "银行账户交易明细",
    "手机通话清单",
    "户籍证明",
    "到案经过",
)
_EVIDENCE_SHEETS = (
    ("现场照片", PageKind.PHOTOGRAPH),
    ("物证照片", PageKind.PHOTOGRAPH),
    ("监控录像截图", PageKind.PHOTOGRAPH),
    ("聊天记录截图", PageKind.TEXT),
    ("转账凭证", PageKind.FORM),
    ("合同复印件", PageKind.TEXT),
)
_DIGITS = "〇一二三四五六七八九"


@dataclass(frozen=True, slots=True)
class DemoFile:
    """One file of the dossier. `path` is relative to its folder and starts with the volume."""

    path: Path
    volume: str
    page_count: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class DemoDossier:
    """What was made, in the dossier's order."""

    root: Path
    files: tuple[DemoFile, ...]

    @property
    def page_count(self) -> int:
        return sum(file.page_count for file in self.files)

    @property
    def size_bytes(self) -> int:
        return sum(file.size_bytes for file in self.files)


@dataclass(frozen=True, slots=True)
class _Planned:
    volume: str
    name: str
    kind: PageKind
    page_count: int
    is_pdf: bool


def make_dossier(
    out: Path,
    *,
    seed: int,
    pages: int = DEFAULT_PAGES,
    total_bytes: int = DEFAULT_BYTES,
    progress: Callable[[int, int], None] | None = None,
) -> DemoDossier:
    """Write a dossier of exactly `pages` pages and `total_bytes` bytes into the folder `out`.

    Three pages in five stand in PDFs of 1 to 60 pages, the others are JPEGs of one page; the last page is a JPEG with a
    comment of some hundred bytes that makes the sum exact, and the only filler. `progress` gets (bytes written,
    `total_bytes`) after each file. Memory holds a page and some megabytes of tables.

    Raises ValueError for less than one page or an average page outside MIN_BYTES_PER_PAGE to MAX_BYTES_PER_PAGE, and
    FileExistsError when `out` holds anything: files are never overwritten. A run cut off leaves a part behind.
    """
    if pages < 1 or not MIN_BYTES_PER_PAGE * pages <= total_bytes <= MAX_BYTES_PER_PAGE * pages:
        raise ValueError(
            f"{total_bytes} bytes for {pages} pages: a page has {MIN_BYTES_PER_PAGE} to {MAX_BYTES_PER_PAGE} on average"
        )
    out.mkdir(parents=True, exist_ok=True)
    if any(out.iterdir()):
        raise FileExistsError(f"{out} is not empty; name a new folder")
    writer = _Writer(out, seed, pages, total_bytes, progress)
    return DemoDossier(out, tuple(writer.write(planned) for planned in _plan(Keystream(seed, "dossier plan"), pages)))


class _Writer:
    """Writes file after file. Each page is as large as brings the sum back to its line: errors do not add up."""

    def __init__(
        self, out: Path, seed: int, pages: int, total_bytes: int, progress: Callable[[int, int], None] | None
    ) -> None:
        self._out = out
        self._sizes = Keystream(seed, "dossier page sizes")
        self._scanner = PageScanner(Keystream(seed, "dossier pages"))
        self._pages, self._total_bytes = pages, total_bytes
        self._progress = progress
        self._pages_done, self._bytes_done = 0, 0

    def write(self, planned: _Planned) -> DemoFile:
        relative = Path(planned.volume) / planned.name
        path = self._out / relative
        path.parent.mkdir(exist_ok=True)
        before = self._bytes_done
        with path.open("xb") as file:
            if planned.is_pdf:
                pdf = ImagePdfWriter(file, planned.page_count)
                for _ in range(planned.page_count):
                    self._bytes_done = before + pdf.size_so_far
                    pdf.add_page(self._page(planned.kind))
                self._bytes_done = before + pdf.finish()
            else:
                jpeg = self._page(planned.kind)
                file.write(jpeg)
                self._bytes_done += len(jpeg)
            if self._progress is not None:
                self._progress(self._bytes_done, self._total_bytes)
        return DemoFile(relative, planned.volume, planned.page_count, self._bytes_done - before)

    def _page(self, kind: PageKind) -> bytes:
        self._pages_done += 1
        if self._pages_done == self._pages:
            return self._scanner.scan(kind, self._total_bytes - self._bytes_done, exactly=True)
        average = self._total_bytes // self._pages
        spread = (self._sizes.below(501) - 250) * average // 1000
        due = self._total_bytes * self._pages_done // self._pages - self._bytes_done
        return self._scanner.scan(kind, max(MIN_PAGE_BYTES, min(MAX_PAGE_BYTES, due + spread)))


def _plan(draw: Keystream, pages: int) -> Iterator[_Planned]:
    """Lay the dossier out: procedural volumes of PDFs, then evidence volumes of PDFs and series of sheets."""
    in_pdf = pages * 3 // 5
    procedure = min(in_pdf, max(len(_PROCEDURE), pages // 12)) if in_pdf else 0
    yield from _procedure(draw, procedure)
    yield from _evidence(draw, in_pdf - procedure, pages - in_pdf)


def _procedure(draw: Keystream, pages: int) -> Iterator[_Planned]:
    volume, number, in_volume = 1, 0, 0
    while pages:
        if in_volume >= _PROCEDURE_PAGES:
            volume, number, in_volume = volume + 1, 0, 0
        count = min(pages, draw.between(1, 8))
        title = _PROCEDURE[number % len(_PROCEDURE)]
        number += 1
        name = f"{number:03d}_{title}.pdf"
        yield _Planned(f"诉讼文书卷{_chinese(volume)}", name, PageKind.FORM, count, is_pdf=True)
        pages, in_volume = pages - count, in_volume + count


def _evidence(draw: Keystream, pdf_pages: int, sheets: int) -> Iterator[_Planned]:
    volume, number, in_volume = 1, 0, 0
    while pdf_pages or sheets:
        if in_volume >= _EVIDENCE_PAGES:
            volume, number, in_volume = volume + 1, 0, 0
        number += 1
        where = f"证据卷{_chinese(volume)}"
        # The very last page is kept for a sheet, which alone can make the sum exact.
        free_sheets = sheets - 1 if pdf_pages else sheets
        if pdf_pages and (not free_sheets or pdf_pages * 2 > sheets * 3 or draw.below(2)):
            count = min(pdf_pages, draw.between(5, 60))
            name = f"{number:03d}_{draw.choose(_EVIDENCE_DOCUMENTS)}.pdf"
            yield _Planned(where, name, PageKind.TEXT, count, is_pdf=True)
            pdf_pages, in_volume = pdf_pages - count, in_volume + count
        else:
            count = min(free_sheets, draw.between(*_SHEETS_PER_SERIES))
            title, kind = draw.choose(_EVIDENCE_SHEETS)
            for sheet in range(1, count + 1):
                yield _Planned(where, f"{number:03d}_{title}_{sheet:03d}.jpg", kind, 1, is_pdf=False)
            sheets, in_volume = sheets - count, in_volume + count


def _chinese(number: int) -> str:
    """Return a number in Chinese numerals, as volumes are counted; above 99 in digits."""
    tens, ones = divmod(number, 10)
    if tens > 9:
        return str(number)
    if not tens:
        return _DIGITS[ones]
    return (_DIGITS[tens] if tens > 1 else "") + "十" + (_DIGITS[ones] if ones else "")

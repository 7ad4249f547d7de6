"""The table of contents as people get it: arranged, as CSV without formulas, as a PDF they can read."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from casemesh.client import catalogue_table
from casemesh.client.catalogue_pdf import ReportHeading, to_pdf
from casemesh.client.examining.process import examine
from casemesh.dossier.v1 import dossier_catalogue_service_pb2 as pb


def entry(index: int, volume: str, file_name: str, pages: int, code: str = "", name: str = "") -> pb.CatalogueEntry:
    return pb.CatalogueEntry(
        document=f"dossiers/d/documents/{index}", document_index=index, volume=volume, file_name=file_name,
        type_code=code, type_name=name, catalogue_volume=code[:1], confidence=0.95 if code else 0.0,
        stated_page_count=pages, found_page_count=pages, examined=True,
    )  # fmt: skip


ENTRIES = [
    entry(0, "文书卷", "拘留证.pdf", 1, "A029", "拘留证"),
    entry(1, "文书卷", "起诉书.pdf", 5, "E023", "起诉书"),
    entry(2, "证据卷", "讯问笔录.pdf", 3, "B001", "犯罪嫌疑人讯问笔录"),
    entry(3, "证据卷", "不知名.pdf", 2),
    entry(4, "证据卷", "立案决定书.pdf", 2, "A003", "立案决定书"),
]
HEADING = ReportHeading("林某某盗窃案", "dossiers/d", "cases/c", "2026-01-05 10:00 (UTC+8)", 1)


def test_pages_run_through_each_volume_as_sent() -> None:
    tables = catalogue_table.as_sent(ENTRIES)
    assert [("文书卷", ["1", "2-6"]), ("证据卷", ["1-3", "4-5", "6-7"])] == [
        (table.name, [line.pages for line in table.lines]) for table in tables
    ]
    assert [6, 7] == [table.page_count for table in tables]


def test_volumes_by_type_stand_in_the_catalogues_order_and_what_has_no_type_last() -> None:
    volumes = {"A": "侦查卷", "B": "证据卷", "E": "检察卷"}
    order = {code: place for place, code in enumerate(("A003", "A029", "B001", "E023"))}
    tables = catalogue_table.by_type(ENTRIES, volumes, order)
    assert [
        ("侦查卷", ["立案决定书.pdf", "拘留证.pdf"]),
        ("证据卷", ["讯问笔录.pdf"]),
        ("检察卷", ["起诉书.pdf"]),
        ("", ["不知名.pdf"]),
    ] == [(table.name, [line.entry.file_name for line in table.lines]) for table in tables]
    assert ["1-2", "3"] == [line.pages for line in tables[0].lines]


def test_csv_holds_every_line_and_no_cell_is_a_formula() -> None:
    hostile = entry(5, "=cmd|'/c calc'!A1", "@SUM(A1).pdf", 1)
    data = catalogue_table.to_csv(catalogue_table.as_sent([*ENTRIES, hostile]))
    assert data.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline="")))
    assert 6 == len(rows)
    assert ("A029", "拘留证", "1", "1") == (
        rows[0]["类型 type_code"], rows[0]["文书名称 document"], rows[0]["起页 first_page"], rows[0]["止页 last_page"],
    )  # fmt: skip
    assert ("'=cmd|'/c calc'!A1", "'@SUM(A1).pdf") == (rows[5]["卷 volume"], rows[5]["文件名 file_name"])


def test_the_pdf_says_title_columns_and_every_document_and_numbers_its_pages(tmp_path: Path) -> None:
    import pypdfium2

    many = [entry(number, "文书卷", f"第{number}号 <b>&.pdf", 2) for number in range(60)]
    path = tmp_path / "a.pdf"
    path.write_bytes(to_pdf(catalogue_table.as_sent([*ENTRIES, *many]), HEADING))
    found = examine(str(path))
    assert "卷 内 目 录" == found.lines[0].text
    assert found.lines[0].size == max(line.size for line in found.lines)
    with pypdfium2.PdfDocument(path) as document:
        texts = [page.get_textpage().get_text_range() for page in document]
    assert found.page_count == len(texts) > 1
    for number, text in enumerate(texts, start=1):
        assert f"第 {number} 页, 共 {len(texts)} 页" in text
        assert "文书名称" in text
    whole = "".join(texts)
    assert [] == [item.file_name for item in [*ENTRIES, *many] if item.file_name not in whole]
    assert "尚未检查 not examined: 1" in whole


def test_remarks_tell_what_a_person_must_look_at(tmp_path: Path) -> None:
    import pypdfium2

    unsure = entry(0, "卷", "a.pdf", 4, "A029", "拘留证")
    unsure.confidence, unsure.found_page_count = 0.5, 3
    unsure.problems.append("PAGE_COUNT_DIFFERS")
    settled = entry(1, "卷", "b.pdf", 1, "A030", "拘留通知书")
    settled.confidence, settled.source = 1.0, pb.RECOGNITION_SOURCE_OFFICER
    path = tmp_path / "a.pdf"
    path.write_bytes(to_pdf(catalogue_table.as_sent([unsure, settled, entry(2, "卷", "c.pdf", 1)]), HEADING))
    with pypdfium2.PdfDocument(path) as document:
        text = document[0].get_textpage().get_text_range()
    for remark in ("页数不符", "实有 3", "类型待核 50%", "已人工确认", "类型待定"):
        assert remark in text


def test_the_same_table_is_the_same_pdf() -> None:
    tables = catalogue_table.as_sent(ENTRIES)
    assert to_pdf(tables, HEADING) == to_pdf(tables, HEADING)

"""A dossier's table of contents (卷内目录) as a PDF to be printed and signed."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from xml.sax.saxutils import escape

from reportlab.lib import colors
from reportlab.lib.enums import TA_CENTER
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.platypus import CondPageBreak, Flowable, Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

from casemesh.client.catalogue_table import PROBLEMS, TableLine, VolumeTable
from casemesh.client.printed_pages import FONT, NumberedPages, register_font

_MARGIN: Final = 18 * mm
_WIDTHS: Final = (12 * mm, 78 * mm, 20 * mm, 20 * mm, 16 * mm, 28 * mm)
_HEADINGS: Final = (
    ("序号", "No."), ("文书名称", "Document"), ("类型", "Type"),
    ("页次", "Pages"), ("页数", "Count"), ("备注", "Remarks"),
)  # fmt: skip
_BODY: Final = ParagraphStyle("body", fontName=FONT, fontSize=9.5, leading=12.5, wordWrap="CJK")
_CENTRED: Final = ParagraphStyle("centred", parent=_BODY, alignment=TA_CENTER)
_TITLE: Final = ParagraphStyle("title", parent=_CENTRED, fontSize=20, leading=26)
_SUBTITLE: Final = ParagraphStyle("subtitle", parent=_CENTRED, fontSize=10, leading=14, textColor=colors.grey)
_VOLUME: Final = ParagraphStyle("volume", parent=_BODY, fontSize=12, leading=18, spaceBefore=8)
_NOTE: Final = ParagraphStyle("note", parent=_BODY, fontSize=8, leading=11, textColor=colors.HexColor("#555555"))
_SMALL: Final = 'size="7.5" color="#666666"'


@dataclass(frozen=True)
class ReportHeading:
    """What stands above the tables; ``made_at`` is the time as it is printed."""

    title: str
    resource: str
    case: str
    made_at: str
    waiting_count: int = 0


def to_pdf(tables: Sequence[VolumeTable], heading: ReportHeading) -> bytes:
    """The tables, each volume under its name, with pages numbered and the columns' names on every page."""
    register_font()
    buffer = io.BytesIO()
    template = SimpleDocTemplate(
        buffer, pagesize=A4, leftMargin=_MARGIN, rightMargin=_MARGIN, topMargin=16 * mm, bottomMargin=18 * mm,
        title=f"卷内目录 {heading.title}", author="CaseMesh", invariant=True,
    )  # fmt: skip
    story: list[Flowable] = [*_head(tables, heading)]
    for table in tables:
        # A volume's name stands above at least its first lines.
        story += [CondPageBreak(45 * mm), _volume_name(table), _table(table)]
    template.build(story, canvasmaker=NumberedPages)
    return buffer.getvalue()


def _head(tables: Sequence[VolumeTable], heading: ReportHeading) -> list[Flowable]:
    lines = [line for table in tables for line in table.lines]
    facts = [
        ("卷宗 Dossier", heading.title),
        ("编号 Resource", heading.resource),
        ("案件 Case", heading.case),
        ("制表时间 Made", heading.made_at),
        (
            "合计 Total",
            f"{len(tables)} 卷 volumes, {len(lines)} 份文书 documents, "
            f"{sum(table.page_count for table in tables)} 页 pages; "
            f"待核 to be checked: {sum(line.to_be_checked for line in lines)}"
            + (f"; 尚未检查 not examined: {heading.waiting_count}" if heading.waiting_count else ""),
        ),
    ]
    rows = [[Paragraph(label, _NOTE), Paragraph(escape(text), _BODY)] for label, text in facts if text]
    block = Table(rows, colWidths=[30 * mm, sum(_WIDTHS) - 30 * mm])
    block.setStyle(TableStyle([("VALIGN", (0, 0), (-1, -1), "TOP"), ("TOPPADDING", (0, 0), (-1, -1), 1),
                               ("BOTTOMPADDING", (0, 0), (-1, -1), 1)]))  # fmt: skip
    return [
        Paragraph("卷 内 目 录", _TITLE),
        Paragraph("Table of contents", _SUBTITLE),
        Spacer(1, 4 * mm),
        block,
        Spacer(1, 2 * mm),
    ]


def _volume_name(table: VolumeTable) -> Flowable:
    name = escape(table.name) or "未归类 (of no known type)"
    counts = f'<font size="9" color="#555555">　{len(table.lines)} 份 documents, {table.page_count} 页 pages</font>'
    return Paragraph(name + counts, _VOLUME)


def _table(table: VolumeTable) -> Flowable:
    heading = [Paragraph(f"{zh}<br/><font {_SMALL}>{en}</font>", _CENTRED) for zh, en in _HEADINGS]
    drawn = Table([heading, *(_row(line) for line in table.lines)], colWidths=_WIDTHS, repeatRows=1)
    drawn.setStyle(
        TableStyle(
            [
                ("GRID", (0, 0), (-1, -1), 0.4, colors.HexColor("#888888")),
                ("BACKGROUND", (0, 0), (-1, 0), colors.HexColor("#eeeeee")),
                ("VALIGN", (0, 0), (-1, -1), "MIDDLE"),
                ("TOPPADDING", (0, 0), (-1, -1), 2),
                ("BOTTOMPADDING", (0, 0), (-1, -1), 3),
                ("LEFTPADDING", (0, 0), (-1, -1), 3),
                ("RIGHTPADDING", (0, 0), (-1, -1), 3),
            ]
        )
    )
    return drawn


def _row(line: TableLine) -> list[Any]:
    entry = line.entry
    name = escape(line.title)
    if entry.type_name:
        name += f"<br/><font {_SMALL}>{escape(entry.file_name)}</font>"
    count = str(entry.stated_page_count)
    if "PAGE_COUNT_DIFFERS" in entry.problems:
        count += f"<br/><font {_SMALL}>实有 {entry.found_page_count}</font>"
    cells = (str(line.number), "", entry.type_code or "—", line.pages, count, "")
    row: list[Any] = [Paragraph(cell, _CENTRED) for cell in cells]
    row[1], row[-1] = Paragraph(name, _BODY), Paragraph(_remarks(line), _NOTE)
    return row


def _remarks(line: TableLine) -> str:
    entry = line.entry
    remarks = [escape(PROBLEMS.get(problem, problem)) for problem in entry.problems]
    if entry.source == 5:
        remarks.append("已人工确认")
    elif not entry.type_code:
        remarks.append("类型待定")
    elif line.to_be_checked:
        remarks.append(f"类型待核 {entry.confidence:.0%}")
    if not entry.examined:
        remarks.append("尚未检查")
    return "<br/>".join(remarks)

"""The monthly report (协同监督月报) as a PDF to be printed: key figures, plots, and tables by node."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Final
from xml.sax.saxutils import escape

from reportlab.graphics.charts.barcharts import HorizontalBarChart, VerticalBarChart
from reportlab.graphics.charts.legends import Legend
from reportlab.graphics.shapes import Drawing
from reportlab.lib import colors
from reportlab.lib.enums import TA_CENTER, TA_RIGHT
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.platypus import (
    CondPageBreak,
    Flowable,
    KeepTogether,
    Paragraph,
    SimpleDocTemplate,
    Spacer,
    Table,
    TableStyle,
)

from casemesh.client.figure_words import MEASURES, Words, detail_words, duration, mean_seconds, node_words, share
from casemesh.client.printed_pages import FONT, NumberedPages, register_font

if TYPE_CHECKING:
    from casemesh.supervision.v1.figures_service_pb2 import Figure

_WIDTH: Final = A4[0] - 36 * mm
_MOST_BARS: Final = 12
_BLUE, _ORANGE = colors.HexColor("#2f5d8a"), colors.HexColor("#c77b30")
_BODY: Final = ParagraphStyle("body", fontName=FONT, fontSize=9, leading=12, wordWrap="CJK")
_CENTRED: Final = ParagraphStyle("centred", parent=_BODY, alignment=TA_CENTER)
_NUMBER: Final = ParagraphStyle("number", parent=_BODY, alignment=TA_RIGHT)
_TITLE: Final = ParagraphStyle("title", parent=_CENTRED, fontSize=20, leading=28)
_SUBTITLE: Final = ParagraphStyle("subtitle", parent=_CENTRED, fontSize=10, leading=14, textColor=colors.grey)
_SECTION: Final = ParagraphStyle("section", parent=_BODY, fontSize=12.5, leading=18, spaceBefore=10, spaceAfter=4)
_NOTE: Final = ParagraphStyle(
    "note", parent=_BODY, fontSize=8, leading=11.5, spaceAfter=3, textColor=colors.HexColor("#555555")
)
_SMALL: Final = 'size="7" color="#666666"'
_NONE: Final = "—"
_NOTES: Final[tuple[Words, ...]] = (
    (
        "线上办理率 = 平台发出数 ÷ (平台发出数 + 纸质补录数)。",
        "On-line rate: exchanges submitted on the platform, of these and those done on paper and entered later.",
    ),
    (
        "退回率 = 退回补正次数 ÷ 接收数; 一次退回可有数个原因。",
        "Returned: returns for correction, of exchanges received; one return may have several reasons.",
    ),
    (
        "历时为当月完成步骤的平均自然时间, 不含纸质补录; 诉讼阶段以案件离开该阶段时计。",
        "Times are means of the steps completed in the month, by the clock, without paper; a stage counts when a case "
        "leaves it.",
    ),
    (
        "节约用纸 = 每次移交的卷宗页数 ÷ 2 (双面打印, 向上取整), 按少印一份复制件计; 非单轨时仍随附的纸质原件不在内。",
        "Paper saved: pages of each version handed over, two to a sheet, rounded up: the copy that was not printed. "
        "Paper originals, which go along where there is no single track, are not in it.",
    ),
    (
        "期限以监督预警为准, 认定不适用的不计。",
        "Deadlines are by the warnings of them; those found not applicable are left out.",
    ),
    ("统计不含案件、当事人及人员信息。", "Figures hold nothing of cases, parties or officers."),
)


@dataclass(frozen=True)
class MonthlyFigures:
    """The figures of a month: `exchanges`, `online`, `times` and `returns` by node, `exchanges_by_day` by day, the rest
    summed. `whose` is the agency's name, `made_at` the time as it is printed."""

    month: str
    whose: str
    made_at: str
    days: tuple[date, date]
    exchanges: Sequence[Figure]
    exchanges_by_day: Sequence[Figure]
    online: Sequence[Figure]
    times: Sequence[Figure]
    returns: Sequence[Figure]
    pages: Sequence[Figure]
    deadlines: Sequence[Figure]
    anomalies: Sequence[Figure]


def to_pdf(figures: MonthlyFigures) -> bytes:
    """The report on pages of A4 with numbers; the same figures give the same bytes."""
    register_font()
    buffer = io.BytesIO()
    template = SimpleDocTemplate(
        buffer, pagesize=A4, leftMargin=18 * mm, rightMargin=18 * mm, topMargin=16 * mm, bottomMargin=18 * mm,
        title=f"协同监督月报 {figures.month}", author="CaseMesh", invariant=True,
    )  # fmt: skip
    template.build(
        [
            *_head(figures),
            *_section("每日协同量", "Exchanges by day", _by_day(figures)),
            *_section("各节点协同情况", "By node", _by_node(figures)),
            *_section("线上办理率", "On-line rate", _online(figures)),
            *_section("退回原因", "Reasons of return", _counted(figures.returns, {"returned_for"})),
            *_section("诉讼阶段历时", "Times at a stage", _stages(figures)),
            *_section("期限", "Deadlines", _counted(figures.deadlines, {"near", "passed", "late"})),
            *_section("异常查阅提示", "Alerts on access", _counted(figures.anomalies, {"alerts"})),
            *_section("说明", "Notes", *(Paragraph(f"{zh}<br/>{en}", _NOTE) for zh, en in _NOTES)),
        ],
        canvasmaker=NumberedPages,
    )
    return buffer.getvalue()


def _head(figures: MonthlyFigures) -> list[Flowable]:
    first, last = figures.days
    return [
        Paragraph("办案协同监督月报", _TITLE),
        Paragraph("Monthly report on the exchange of cases", _SUBTITLE),
        Paragraph(f"{escape(figures.whose)}　{first:%Y-%m-%d} — {last:%Y-%m-%d}", _CENTRED),
        Paragraph(f"制表时间 made {escape(figures.made_at)}", _SUBTITLE),
        Spacer(1, 4 * mm),
        _keys(figures),
    ]


def _keys(figures: MonthlyFigures) -> Flowable:
    sums = {measure: _sum(figures.exchanges, measure) for measure in ("sent", "sent_on_paper", "received", "expired")}
    pages = {figure.measure: figure for figure in figures.pages}
    handed, saved = (pages[name].amount if name in pages else 0 for name in ("handed_over", "paper_saved"))
    cells: list[tuple[Words, str]] = [
        (("发出协同", "sent"), f"{sums['sent']:,}"),
        (("接收协同", "received"), f"{sums['received']:,}"),
        (("线上办理率", "on-line rate"), _percent(sums["sent"] - sums["sent_on_paper"], sums["sent"])),
        (("单轨协同", "on single track"), f"{_sum(figures.exchanges, 'sent_on_single_track'):,}"),
        (("退回率", "returned"), _percent(_sum(figures.returns, "returned"), sums["received"])),
        (("平均送达用时", "mean time to delivery"), _mean(figures.times, "to_delivery")),
        (("平均受理用时", "mean time to acceptance"), _mean(figures.times, "to_acceptance")),
        (("平均反馈用时", "mean time to answer"), _mean(figures.times, "to_answer")),
        (("逾期未答复", "expired"), f"{sums['expired']:,}"),
        (("未能送达", "undelivered"), f"{_sum(figures.exchanges, 'undelivered'):,}"),
        (("移交卷宗页数", "pages handed over"), f"{handed:,}"),
        (("节约用纸 (张)", "sheets saved"), f"{saved:,}"),
        (("临近期限", "deadlines near"), f"{_sum(figures.deadlines, 'near'):,}"),
        (("超过期限", "deadlines passed"), f"{_sum(figures.deadlines, 'passed'):,}"),
        (("逾期办结", "kept too late"), f"{_sum(figures.deadlines, 'late'):,}"),
        (("异常查阅提示", "alerts on access"), f"{_sum(figures.anomalies, 'alerts'):,}"),
    ]
    drawn = [
        Paragraph(
            f'<font size="15">{escape(value)}</font><br/><br/>{words[0]}<br/><font {_SMALL}>{words[1]}</font>', _CENTRED
        )
        for words, value in cells
    ]
    table = Table([drawn[start : start + 4] for start in range(0, len(drawn), 4)], colWidths=[_WIDTH / 4] * 4)
    table.setStyle(
        TableStyle(
            [
                ("GRID", (0, 0), (-1, -1), 0.4, colors.HexColor("#999999")),
                ("TOPPADDING", (0, 0), (-1, -1), 7),
                ("BOTTOMPADDING", (0, 0), (-1, -1), 6),
            ]
        )
    )
    return table


def _section(zh: str, en: str, *content: Flowable) -> list[Flowable]:
    title = Paragraph(f'{zh}　<font size="9" color="#555555">{en}</font>', _SECTION)
    first, *rest = content
    # A title stands above at least the first part of what it names; a long table breaks by itself.
    kept = [KeepTogether([title, first])] if isinstance(first, Drawing | Paragraph) else [title, first]
    return [CondPageBreak(32 * mm), *kept, *rest]


def _by_day(figures: MonthlyFigures) -> Flowable:
    first, last = figures.days
    days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    counts = {(figure.group, figure.measure): figure.count for figure in figures.exchanges_by_day}
    chart = VerticalBarChart()
    chart.x, chart.y, chart.width, chart.height = 30, 28, _WIDTH - 40, 120
    chart.data = [[counts.get((day.isoformat(), measure), 0) for day in days] for measure in ("sent", "received")]
    chart.categoryAxis.categoryNames = [str(day.day) for day in days]
    _plain_axes(chart, max(map(max, chart.data)))
    for number, colour in enumerate((_BLUE, _ORANGE)):
        chart.bars[number].fillColor, chart.bars[number].strokeColor = colour, None
    legend = Legend()
    legend.x, legend.y, legend.fontName, legend.fontSize = 30, 8, FONT, 8
    legend.alignment, legend.columnMaximum, legend.deltax = "right", 1, 110
    legend.colorNamePairs = [(_BLUE, "发出 sent"), (_ORANGE, "接收 received")]
    drawing = Drawing(_WIDTH, 160)
    drawing.add(chart)
    drawing.add(legend)
    return drawing


def _online(figures: MonthlyFigures) -> Flowable:
    most = sorted(figures.online, key=lambda figure: (-figure.of_count, figure.group))[:_MOST_BARS]
    if not most:
        return Paragraph(_NONE, _BODY)
    named = node_words()
    chart = HorizontalBarChart()
    chart.x, chart.y, chart.width, chart.height = 165, 20, _WIDTH - 200, 17 * len(most)
    # The axis goes upwards, readers downwards.
    shown = most[::-1]
    chart.data = [[100 * (share(figure) or 0.0) for figure in shown]]
    chart.categoryAxis.categoryNames = [_shortened(f"{figure.group} {named(figure.group)[0]}") for figure in shown]
    _plain_axes(chart, 100)
    chart.bars[0].fillColor, chart.bars[0].strokeColor = _BLUE, None
    chart.barLabels.fontName, chart.barLabels.fontSize, chart.barLabels.nudge = FONT, 7, 16
    chart.barLabelFormat = "%.1f%%"
    drawing = Drawing(_WIDTH, chart.height + 30)
    drawing.add(chart)
    return drawing


def _plain_axes(chart: Any, most: float) -> None:
    chart.barSpacing, chart.groupSpacing = 0, 4
    chart.valueAxis.valueMin, chart.valueAxis.valueMax = 0, max(most, 1)
    chart.valueAxis.valueSteps = sorted({round(max(most, 1) * part / 4) for part in range(5)})
    for axis in (chart.categoryAxis, chart.valueAxis):
        axis.labels.fontName, axis.labels.fontSize = FONT, 7
        axis.strokeColor = colors.HexColor("#888888")
    chart.valueAxis.visibleGrid, chart.valueAxis.gridStrokeColor = True, colors.HexColor("#dddddd")


def _by_node(figures: MonthlyFigures) -> Flowable:
    counts = {(figure.group, figure.measure): figure.count for figure in figures.exchanges}
    times = {(figure.group, figure.measure): figure for figure in figures.times if figure.measure != "stage"}
    returned = {figure.group: figure.count for figure in figures.returns if figure.measure == "returned"}
    named, rows = node_words(), []
    groups = {group for group, _ in (*counts, *times)} | returned.keys()
    for group in sorted(groups, key=lambda code: (-counts.get((code, "sent"), 0), code)):
        sent, received = counts.get((group, "sent"), 0), counts.get((group, "received"), 0)
        steps = (times.get((group, step)) for step in ("to_delivery", "to_acceptance", "to_answer"))
        rows.append(
            [
                f"{group} {escape(named(group)[0])}", str(sent), str(received),
                _percent(sent - counts.get((group, "sent_on_paper"), 0), sent),
                _percent(returned.get(group, 0), received),
                *(_NONE if step is None else duration(mean_seconds(step))[0] for step in steps),
            ]
        )  # fmt: skip
    headings = (
        ("节点", "node"), MEASURES["sent"], MEASURES["received"], ("线上率", "on-line"), ("退回率", "returned"),
        ("送达用时", "to delivery"), ("受理用时", "to acceptance"), ("反馈用时", "to answer"),
    )  # fmt: skip
    return _table(headings, rows, [54, 14, 14, 17, 17, 19, 20, 19])


def _stages(figures: MonthlyFigures) -> Flowable:
    rows = [
        [_both(detail_words(figure)), str(figure.count), duration(mean_seconds(figure))[0]]
        for figure in figures.times
        if figure.measure == "stage"
    ]
    return _table((("阶段", "stage"), ("案件数", "cases"), ("平均历时", "mean")), rows, [100, 37, 37])


def _counted(found: Iterable[Figure], measures: set[str]) -> Flowable:
    summed: Counter[tuple[str, str]] = Counter()
    for figure in found:
        if figure.measure in measures:
            summed[_both(MEASURES[figure.measure]), _both(detail_words(figure))] += figure.count
    ordered = sorted(summed.items(), key=lambda item: (-item[1], item[0]))
    return _table(
        (("项目", "measure"), ("明细", "detail"), ("数量", "count")),
        [[measure, detail, str(count)] for (measure, detail), count in ordered],
        [60, 84, 30],
    )


def _table(headings: Sequence[Words], rows: Sequence[Sequence[str]], widths_mm: Sequence[float]) -> Flowable:
    if not rows:
        return Paragraph("本月无 none in this month", _BODY)
    heading = [Paragraph(f"{zh}<br/><font {_SMALL}>{en}</font>", _CENTRED) for zh, en in headings]
    body = [
        [Paragraph(cell, _BODY if number == 0 or not _is_number(cell) else _NUMBER) for number, cell in enumerate(row)]
        for row in rows
    ]
    table = Table([heading, *body], colWidths=[width * mm for width in widths_mm], repeatRows=1)
    table.setStyle(
        TableStyle(
            [
                ("GRID", (0, 0), (-1, -1), 0.4, colors.HexColor("#999999")),
                ("BACKGROUND", (0, 0), (-1, 0), colors.HexColor("#eeeeee")),
                ("VALIGN", (0, 0), (-1, -1), "MIDDLE"),
                ("TOPPADDING", (0, 0), (-1, -1), 2),
                ("BOTTOMPADDING", (0, 0), (-1, -1), 3),
                ("LEFTPADDING", (0, 0), (-1, -1), 3),
                ("RIGHTPADDING", (0, 0), (-1, -1), 3),
            ]
        )
    )
    return table


def _sum(found: Iterable[Figure], measure: str) -> int:
    return sum(figure.count for figure in found if figure.measure == measure)


def _mean(found: Iterable[Figure], measure: str) -> str:
    of_measure = [figure for figure in found if figure.measure == measure]
    count = sum(figure.count for figure in of_measure)
    return duration(sum(figure.amount for figure in of_measure) / count)[0] if count else _NONE


def _percent(part: int, whole: int) -> str:
    return f"{part / whole:.1%}" if whole else _NONE


def _both(words: Words) -> str:
    zh, en = map(escape, words)
    return zh if zh == en else f"{zh} <font {_SMALL}>{en}</font>"


def _is_number(cell: str) -> bool:
    return cell[:1].isdigit() or cell == _NONE


def _shortened(text: str, most: int = 20) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"

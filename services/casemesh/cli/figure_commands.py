"""`casemesh figures`: how exchange goes, in counts, times and shares; `casemeshd figures` for all agencies."""

from __future__ import annotations

import calendar
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from casemesh.cli.invocation import Failure, Invocation, command
from casemesh.cli.messages import Language

if TYPE_CHECKING:
    from casemesh.client.figures_report import MonthlyFigures
    from casemesh.supervision.v1.figures_service_pb2 import Figure

app = typer.Typer(help="Figures of exchange.  协同统计。", no_args_is_help=True)

_USAGE = 2
_BAR_CELLS = 16
_EIGHTHS = " ▏▎▍▌▋▊▉"
_MONTH = re.compile(r"(\d{4})-(\d{2})")


class Kind(StrEnum):
    """What is counted."""

    EXCHANGES = "exchanges"
    ONLINE_RATE = "online-rate"
    TIMES = "times"
    RETURNS = "returns"
    PAGES = "pages"
    DEADLINES = "deadlines"
    ANOMALIES = "anomalies"


class Grouping(StrEnum):
    """What figures are summed by."""

    NODE = "node"
    AGENCY = "agency"
    DAY = "day"


KindArgument = Annotated[Kind, typer.Argument(help="What is counted.  统计项目。", metavar="KIND")]
From = Annotated[
    str, typer.Option("--from", help="The first day, else the first of this month.  起日。", metavar="YYYY-MM-DD")
]
To = Annotated[str, typer.Option("--to", help="The last day, else today.  止日。", metavar="YYYY-MM-DD")]
By = Annotated[Grouping | None, typer.Option("--by", help="Sum by node, agency or day.  分组方式。")]
Csv = Annotated[Path | None, typer.Option("--csv", help="Write them as CSV.  输出 CSV 文件。", metavar="FILE")]
Month = Annotated[str, typer.Option("--month", help="The month.  月份。", metavar="YYYY-MM")]
Pdf = Annotated[Path, typer.Option("--to", help="Where the PDF goes.  输出 PDF 文件。", metavar="FILE")]
OfAgency = Annotated[str, typer.Option("--agency", help="Only this agency's.  只看该单位。", metavar="AGENCY")]


@command(app, "show", example="casemesh figures show online-rate --by node --from 2026-11-01")
async def show(
    run: Invocation, kind: KindArgument, first: From = "", last: To = "", by: By = None, csv: Csv = None
) -> None:
    """Show your agency's figures as a table with bars, or write them as CSV; for its supervisors.  查看统计。"""
    await show_figures(run, _agencys(run), kind, days_of(first, last), by, csv)


@command(app, "report", example="casemesh figures report --month 2026-11 --to 月报.pdf")
async def report(run: Invocation, month: Month, to: Pdf) -> None:
    """Write your agency's monthly report as a PDF to be printed; for its supervisors.  生成月报。"""
    await write_report(run, _agencys(run), month, to)


class FigureSource:
    """Asks for figures, and knows agencies by their names where it may."""

    def __init__(self, stub: Any, names: dict[str, str], whose: str, agency: str = "") -> None:
        self.names = names
        self.whose = whose
        self._stub = stub
        self._agency = agency

    async def figures(self, kind: Kind, days: tuple[date, date], by: Grouping | None) -> list[Figure]:
        """Return all pages."""
        from google.type.date_pb2 import Date

        from casemesh.client.paging import paged
        from casemesh.supervision.v1 import figures_service_pb2 as pb2

        first, last = (Date(year=day.year, month=day.month, day=day.day) for day in days)
        request = pb2.ListFiguresRequest(
            page_size=1000,
            kind=f"FIGURE_KIND_{kind.name}",
            group_by=f"FIGURE_GROUPING_{by.name}" if by is not None else "FIGURE_GROUPING_UNSPECIFIED",
            first_day=first,
            last_day=last,
            agency=self._agency,
        )
        return [figure async for figure in paged(self._stub.ListFigures, request, "figures")]


async def show_figures(
    run: Invocation,
    source: AbstractAsyncContextManager[FigureSource],
    kind: Kind,
    days: tuple[date, date],
    by: Grouping | None,
    csv: Path | None,
) -> None:
    """Print figures, or write them."""
    from casemesh.cli.message_json import plain

    async with source as asked:
        found = await asked.figures(kind, days, by)
    if csv is not None:
        _write(csv, _csv(found, asked.names))
        run.output.notice("figures.written", path=csv)
        if not run.output.as_json:
            return
    bars = run.output.stdout.isatty()
    headings = [
        "GROUP 分组",
        "MEASURE 项目",
        "DETAIL 明细",
        "COUNT 数量",
        "VALUE 数值",
        *(["CHART 图"] if bars else []),
    ]
    rows = _rows(run, kind, found, asked.names)
    most: dict[str, float] = {}
    for figure, _, height in rows:
        # A share is one of the whole, anything else one of the greatest of its kind.
        most[figure.measure] = 1.0 if figure.of_count else max(most.get(figure.measure, 0.0), height)
    run.output.table(
        [plain(figure) for figure in found],
        headings,
        [[*cells, *([_bar(height, most[figure.measure])] if bars else [])] for figure, cells, height in rows],
    )


async def write_report(
    run: Invocation, source: AbstractAsyncContextManager[FigureSource], month: str, path: Path
) -> None:
    """Write the report of a month. Raises Failure (exit code 2) for what is no month, and without reportlab."""
    try:
        from casemesh.client.figures_report import to_pdf
    except ModuleNotFoundError as error:
        raise Failure(_USAGE, "figures.no_reportlab") from error
    days = _month(month)
    async with source as asked:
        figures = await _monthly(asked, month, days)
    _write(path, to_pdf(figures))
    run.output.result({"path": str(path), "month": month}, run.output.text("figures.written", path=path))


async def _monthly(asked: FigureSource, month: str, days: tuple[date, date]) -> MonthlyFigures:
    from casemesh.client.figures_report import MonthlyFigures
    from casemesh.core.clock import CHINA

    return MonthlyFigures(
        month=month,
        whose=asked.whose,
        made_at=datetime.now(CHINA).strftime("%Y-%m-%d %H:%M"),
        days=days,
        exchanges=await asked.figures(Kind.EXCHANGES, days, Grouping.NODE),
        exchanges_by_day=await asked.figures(Kind.EXCHANGES, days, Grouping.DAY),
        online=await asked.figures(Kind.ONLINE_RATE, days, Grouping.NODE),
        times=await asked.figures(Kind.TIMES, days, Grouping.NODE),
        returns=await asked.figures(Kind.RETURNS, days, Grouping.NODE),
        pages=await asked.figures(Kind.PAGES, days, None),
        deadlines=await asked.figures(Kind.DEADLINES, days, None),
        anomalies=await asked.figures(Kind.ANOMALIES, days, None),
    )


@asynccontextmanager
async def _agencys(run: Invocation) -> AsyncIterator[FigureSource]:
    from casemesh.client.paging import paged
    from casemesh.identity.v1 import directory_service_pb2

    async with run.session() as session:
        own = (await session.identity()).agency
        request = directory_service_pb2.ListAgenciesRequest(page_size=1000)
        names = {
            agency.name: agency.display_name
            async for agency in paged(session.directory.ListAgencies, request, "agencies")
        }
        yield FigureSource(session.figures, names, names.get(own, own))


def _rows(
    run: Invocation, kind: Kind, found: Sequence[Figure], names: dict[str, str]
) -> list[tuple[Figure, list[str], float]]:
    """Return each figure with its cells and the height of its bar."""
    from casemesh.client import figure_words as words

    spoken = 0 if run.output.language is Language.CHINESE else 1
    node = words.node_words()
    rows = []
    for figure in found:
        share, value, height = words.share(figure), "", float(figure.count)
        if kind is Kind.TIMES:
            height = words.mean_seconds(figure)
            value = words.duration(height)[spoken]
        elif kind is Kind.PAGES:
            height = float(figure.amount)
            unit = ("张", "sheets") if figure.measure == "paper_saved" else ("页", "pages")
            value = f"{figure.amount} {unit[spoken]}"
        elif share is not None:
            value, height = f"{share:.1%}", share
        group = names.get(figure.group, figure.group)
        if kind is not Kind.DEADLINES and (name := node(figure.group)[spoken]) != figure.group:
            group = f"{figure.group} {name}"
        count = f"{figure.count}/{figure.of_count}" if figure.of_count else str(figure.count)
        cells = [group, words.measure_words(figure)[spoken], words.detail_words(figure)[spoken], count, value]
        rows.append((figure, cells, height))
    return rows


def _bar(height: float, most: float) -> str:
    eighths = round(height / most * _BAR_CELLS * 8) if most else 0
    return "█" * (eighths // 8) + _EIGHTHS[eighths % 8].strip()


def _write(path: Path, content: bytes) -> None:
    path.write_bytes(content)


def _csv(found: Sequence[Figure], names: dict[str, str]) -> bytes:
    from casemesh.client.figure_words import detail_words, measure_words, node_words
    from casemesh.client.spreadsheet_csv import spreadsheet_csv

    node = node_words()
    return spreadsheet_csv(
        (
            "分组 group", "分组名称 group_name", "项目 measure", "项目名称 measure_name", "明细 detail",
            "明细名称 detail_name", "数量 count", "总数 of_count", "数值 amount",
        ),
        (
            (
                figure.group, names.get(figure.group, node(figure.group)[0]), figure.measure, measure_words(figure)[0],
                figure.detail, detail_words(figure)[0], figure.count, figure.of_count, figure.amount,
            )
            for figure in found
        ),
    )  # fmt: skip


def days_of(first: str, last: str) -> tuple[date, date]:
    """Return the days asked for. Raises Failure (exit code 2) for what is none."""
    from casemesh.core.clock import CHINA

    today = datetime.now(CHINA).date()
    try:
        return (
            date.fromisoformat(first) if first else today.replace(day=1),
            date.fromisoformat(last) if last else today,
        )
    except ValueError:
        raise Failure(_USAGE, "figures.no_day") from None


def _month(text: str) -> tuple[date, date]:
    match = _MONTH.fullmatch(text)
    if match is None or not 1 <= int(match[2]) <= 12 or not int(match[1]):
        raise Failure(_USAGE, "figures.no_month")
    year, month = int(match[1]), int(match[2])
    return date(year, month, 1), date(year, month, calendar.monthrange(year, month)[1])

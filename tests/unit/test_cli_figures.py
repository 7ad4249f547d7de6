"""The commands of figures: what they ask for, print, chart and write."""

from __future__ import annotations

import csv
import io
import json
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pypdfium2
import pytest
from typer.testing import CliRunner, Result

from casemesh.cli.figure_commands import FigureSource, Grouping, Kind, show_figures
from casemesh.cli.invocation import Invocation
from casemesh.cli.main import app
from casemesh.cli.messages import Language
from casemesh.cli.output import Output
from casemesh.client.trace_context import TraceContext
from casemesh.identity.v1 import directory_pb2, directory_service_pb2
from casemesh.supervision.v1 import figures_service_pb2 as pb2

OWN = "agencies/0199e3f0-0000-7000-8000-000000000001"
NOVEMBER = (date(2026, 11, 1), date(2026, 11, 30))
FIGURES = {
    pb2.FIGURE_KIND_EXCHANGES: [
        pb2.Figure(group="LA001", measure="received", count=8),
        pb2.Figure(group="LA001", measure="sent", count=40),
        pb2.Figure(group="LA002", measure="sent", count=10),
    ],
    pb2.FIGURE_KIND_ONLINE_RATE: [pb2.Figure(group="LA001", measure="online", count=30, of_count=40)],
    pb2.FIGURE_KIND_TIMES: [
        pb2.Figure(group="LA001", measure="to_acceptance", count=2, amount=2 * 5400),
        pb2.Figure(measure="stage", detail="INVESTIGATION", count=1, amount=61 * 86400),
    ],
    pb2.FIGURE_KIND_RETURNS: [
        pb2.Figure(group="LA001", measure="returned", count=2, of_count=8),
        pb2.Figure(group="LA001", measure="returned_for", detail="PAGES_MISSING", count=2, of_count=8),
    ],
    pb2.FIGURE_KIND_PAGES: [
        pb2.Figure(measure="handed_over", count=3, amount=5253),
        pb2.Figure(measure="paper_saved", count=3, amount=2627),
    ],
    pb2.FIGURE_KIND_DEADLINES: [pb2.Figure(measure="passed", detail="CK001", count=4)],
    pb2.FIGURE_KIND_ANOMALIES: [pb2.Figure(measure="alerts", detail="unusual_hour", count=5)],
}


class Platform:
    """A platform with figures, in pages of one."""

    def __init__(self) -> None:
        self.asked: list[pb2.ListFiguresRequest] = []
        self.name = "明河市公安局"
        self.figures = self.directory = self

    async def ListFigures(self, request: pb2.ListFiguresRequest) -> pb2.ListFiguresResponse:
        self.asked.append(pb2.ListFiguresRequest.FromString(request.SerializeToString()))
        place, found = int(request.page_token or 0), FIGURES[request.kind]
        if request.group_by == pb2.FIGURE_GROUPING_DAY:
            found = [pb2.Figure(group="2026-11-09", measure="sent", count=50)]
        if request.group_by == pb2.FIGURE_GROUPING_AGENCY:
            found = [pb2.Figure(group=OWN, measure="sent", count=50)]
        more = place + 1 < len(found)
        return pb2.ListFiguresResponse(figures=[found[place]], next_page_token=str(place + 1) if more else "")

    async def ListAgencies(
        self, request: directory_service_pb2.ListAgenciesRequest
    ) -> directory_service_pb2.ListAgenciesResponse:
        return directory_service_pb2.ListAgenciesResponse(
            agencies=[directory_pb2.Agency(name=OWN, display_name=self.name)]
        )

    async def identity(self) -> Any:
        return SimpleNamespace(agency=OWN)

    async def __aenter__(self) -> Platform:
        return self

    async def __aexit__(self, *exception: object) -> None:
        return None


@pytest.fixture
def platform(monkeypatch: pytest.MonkeyPatch) -> Platform:
    opened = Platform()
    monkeypatch.setattr(Invocation, "session", lambda run: opened)
    return opened


def run(*words: str | Path) -> Result:
    return CliRunner().invoke(app, ["figures", *(str(word) for word in words)], env={"LANG": "C.UTF-8", "LC_ALL": ""})


def test_figures_are_shown_with_names_shares_and_times(platform: Platform) -> None:
    rate = run("show", "online-rate", "--by", "node", "--from", "2026-11-01", "--to", "2026-11-30")
    assert (0, "LA001 Filing notification\ton the platform\t\t30/40\t75.0%\n") == (rate.exit_code, rate.stdout)
    [asked] = platform.asked
    assert ("FIGURE_KIND_ONLINE_RATE", "FIGURE_GROUPING_NODE", (2026, 11, 1), (2026, 11, 30)) == (
        pb2.FigureKind.Name(asked.kind),
        pb2.FigureGrouping.Name(asked.group_by),
        (asked.first_day.year, asked.first_day.month, asked.first_day.day),
        (asked.last_day.year, asked.last_day.month, asked.last_day.day),
    )
    assert "\t1\t61.0 d" in run("show", "times").stdout
    assert "1.5 小时" in run("show", "times", "--lang", "zh").stdout
    assert "明河市公安局" in run("show", "exchanges", "--by", "agency").stdout
    assert "2627 sheets" in run("show", "pages").stdout
    as_json = json.loads(run("show", "returns", "--json").stdout)
    assert ["returned", "returned_for"] == [figure["measure"] for figure in as_json]


@pytest.mark.parametrize(
    "words",
    [
        ("show", "pages", "--from", "2026-11"),
        ("report", "--month", "2026-13", "--to", "x.pdf"),
        ("report", "--month", "November", "--to", "x.pdf"),
    ],
    ids=["no-day", "no-such-month", "no-month"],
)
def test_what_is_no_day_or_month_is_refused_before_anything_is_asked(
    platform: Platform, words: tuple[str, ...]
) -> None:
    assert (2, []) == (run(*words).exit_code, platform.asked)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


async def test_on_a_terminal_each_measure_has_bars_as_long_as_its_figures_are_large(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    screen = Terminal()
    invocation = Invocation(Output(as_json=False, language=Language.ENGLISH, stdout=screen), "", TraceContext.new())
    for kind in (Kind.EXCHANGES, Kind.ONLINE_RATE):
        await show_figures(invocation, source(platform), kind, NOVEMBER, Grouping.NODE, None)
    lines = [line for line in screen.getvalue().splitlines() if line.startswith("LA")]
    # 8 received are all there are; 40 sent are four times 10; a share is one of the whole.
    assert [16, 16, 4, 12] == [line.count("█") for line in lines]


def source(platform: Platform) -> Any:
    class Source:
        async def __aenter__(self) -> FigureSource:
            return FigureSource(platform, {OWN: platform.name}, platform.name)

        async def __aexit__(self, *exception: object) -> None:
            return None

    return Source()


def test_csv_names_codes_and_words_and_no_cell_of_it_is_a_formula(platform: Platform, tmp_path: Path) -> None:
    platform.name = '=HYPERLINK("http://example.invalid")'
    done = run("show", "exchanges", "--by", "agency", "--csv", tmp_path / "a.csv")
    assert (0, "") == (done.exit_code, done.stdout)
    (row,) = csv.DictReader(io.StringIO((tmp_path / "a.csv").read_text(encoding="utf-8-sig")))
    assert (OWN, f"'{platform.name}", "sent", "发出", "50") == tuple(
        row[column]
        for column in ("分组 group", "分组名称 group_name", "项目 measure", "项目名称 measure_name", "数量 count")
    )


def test_the_monthly_report_is_a_pdf_of_numbered_pages_with_every_figure_in_words(
    platform: Platform, tmp_path: Path
) -> None:
    done = run("report", "--month", "2026-11", "--to", tmp_path / "a.pdf", "--json")
    assert (0, "2026-11") == (done.exit_code, json.loads(done.stdout)["month"])
    document = pypdfium2.PdfDocument(tmp_path / "a.pdf")
    try:
        pages = [page.get_textpage().get_text_bounded() for page in document]
        text = "".join(pages)
    finally:
        document.close()
    assert [f"第 {number} 页, 共 {len(pages)} 页" in page for number, page in enumerate(pages, 1)] == [True] * len(
        pages
    )
    expected = (
        "办案协同监督月报", "明河市公安局", "2026-11-01 — 2026-11-30", "立案信息通报", "75.0%", "1.5 小时", "61.0 天",
        "缺页或页序错误", "5,253", "2,627", "CK001 ", "非工作时段阅卷", "节约用纸 =",
    )  # fmt: skip
    assert [] == [words for words in expected if words not in text]


def test_a_month_without_figures_has_a_report_that_says_so(
    platform: Platform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def nothing(request: pb2.ListFiguresRequest) -> pb2.ListFiguresResponse:
        return pb2.ListFiguresResponse()

    monkeypatch.setattr(platform, "ListFigures", nothing)
    assert 0 == run("report", "--month", "2026-02", "--to", tmp_path / "a.pdf").exit_code
    document = pypdfium2.PdfDocument(tmp_path / "a.pdf")
    try:
        text = "".join(page.get_textpage().get_text_bounded() for page in document)
    finally:
        document.close()
    assert "2026-02-28" in text
    assert "本月无" in text

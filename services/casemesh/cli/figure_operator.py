"""`casemeshd figures`: the figures of all agencies, for who runs the platform."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import typer

from casemesh.cli.exit_codes import ExitCode
from casemesh.cli.figure_commands import (
    By,
    Csv,
    FigureSource,
    From,
    KindArgument,
    Month,
    OfAgency,
    Pdf,
    To,
    days_of,
    show_figures,
    write_report,
)
from casemesh.cli.invocation import Failure, Invocation, command
from casemesh.cli.node_admin_commands import Administrator, DataFolder

app = typer.Typer(help="Figures of all agencies.  全平台协同统计。", no_args_is_help=True)


@command(app, "show", example="casemeshd figures show exchanges --by agency", profile_flag=False)
async def show(
    run: Invocation,
    kind: KindArgument,
    first: From = "",
    last: To = "",
    by: By = None,
    csv: Csv = None,
    agency: OfAgency = "",
    administrator: Administrator = "",
    data: DataFolder = Path("data"),
) -> None:
    """Show figures as a table with bars, or write them as CSV.  查看统计。"""
    await show_figures(run, _operating(data, administrator, agency), kind, days_of(first, last), by, csv)


@command(app, "report", example="casemeshd figures report --month 2026-11 --to 月报.pdf", profile_flag=False)
async def report(
    run: Invocation,
    month: Month,
    to: Pdf,
    agency: OfAgency = "",
    administrator: Administrator = "",
    data: DataFolder = Path("data"),
) -> None:
    """Write the monthly report as a PDF to be printed.  生成月报。"""
    await write_report(run, _operating(data, administrator, agency), month, to)


@asynccontextmanager
async def _operating(data: Path, administrator: str, agency: str) -> AsyncIterator[FigureSource]:
    """Connect to the platform that runs on `data`. Raises Failure when none does."""
    from casemesh.client.session import OperatorSession
    from casemesh.local.platform import PlatformError, running_addresses
    from casemesh.pki.authority import Pki
    from casemesh.pki.errors import PkiError

    try:
        addresses = running_addresses(data)
        layout = Pki(Path(addresses.pki)).layout
        files = layout.administrator(administrator) if administrator else layout.service("operator")
    except (PlatformError, PkiError) as error:
        raise Failure(ExitCode.INVALID_INPUT, "nodes.platform", message=error) from error
    async with OperatorSession(addresses.services, files.certificate.parent) as operator:
        yield FigureSource(operator.figures, {}, agency or "全平台 All agencies", agency)

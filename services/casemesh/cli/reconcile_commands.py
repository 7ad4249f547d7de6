"""`casemeshd audit reconcile`: whether the log tells of everything, and of nothing else."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from casemesh.cli.exit_codes import ExitCode
from casemesh.cli.invocation import Failure, Invocation, command

if TYPE_CHECKING:
    from casemesh.audit.reconciling.findings import Finding, Window

_HEADINGS = ("FAULT 问题", "SERVICE 服务", "CASE 案件", "DAY 日期", "WHAT 对象", "DETAIL 说明")


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, "reconcile", example="casemeshd audit reconcile --day 2026-07-01", profile_flag=False)(reconcile)


async def reconcile(
    run: Invocation,
    configs: Annotated[
        Path, typer.Option("--config-dir", help="Folder with each service's TOML file.  各服务配置目录。")
    ] = Path("data/config"),
    day: Annotated[
        datetime | None, typer.Option("--day", formats=["%Y-%m-%d"], help="One day in China; else all.  某一日。")
    ] = None,
    case: Annotated[str, typer.Option("--case", help="One case alone.  某一案件。", metavar="CASE")] = "",
) -> None:
    """Hold each service's database against the log, and both sides of each exchange against the other.  全程对账。

    Proves that every change of state and every byte of a dossier that left has its event and the other way round, and
    that every exchange ended or warned its sender. Ends with 0 when all fits, 6 when something does not.
    """
    from casemesh.audit.reconciling.comparing import counts
    from casemesh.cli.reconciling import opened
    from casemesh.cli.reconciling import reconcile as hold_together
    from casemesh.core.clock import SystemClock
    from casemesh.runtime.config import ConfigError

    now = SystemClock().now()
    try:
        async with opened(configs) as databases:
            done = await hold_together(databases, _window(day, case, now), now)
    except (ConfigError, OSError) as error:
        raise Failure(ExitCode.INVALID_INPUT, "care.config", message=error) from error
    value = {
        "sound": not done.findings,
        "facts": done.facts,
        "events": done.events,
        "open_exchanges": done.open_exchanges,
        "findings": [_plain(finding) for finding in done.findings],
        "by_day_and_case": [
            {"day": found_day, "case": found_case, "findings": count}
            for (found_day, found_case), count in counts(done.findings).items()
        ],
    }
    if done.findings:
        run.output.table(value, _HEADINGS, _rows(done.findings))
        run.output.notice("log.unreconciled", findings=len(done.findings))
        raise typer.Exit(ExitCode.VERIFICATION_FAILED)
    run.output.result(
        value,
        run.output.text("log.reconciled", facts=done.facts, events=done.events, exchanges=done.open_exchanges),
    )


def _window(day: datetime | None, case: str, now: datetime) -> Window:
    from casemesh.audit.reconciling.findings import Window
    from casemesh.core.clock import CHINA
    from casemesh.core.names import CASE

    if case:
        case = case if case.startswith("cases/") else f"cases/{case}"
        try:
            CASE.parse(case)
        except ValueError as error:
            raise Failure(ExitCode.USAGE, "log.case", why=error) from None
    if day is None:
        return Window(datetime(2000, 1, 1, tzinfo=CHINA), now, case)
    start = day.replace(tzinfo=CHINA)
    return Window(start, start + timedelta(days=1), case)


def _plain(finding: Finding) -> dict[str, Any]:
    return {
        "fault": finding.fault.value,
        "service": finding.source,
        "case": finding.case,
        "day": str(finding.day or ""),
        "subject": finding.subject,
        "detail": finding.detail,
    }


def _rows(findings: Iterable[Finding]) -> list[tuple[object, ...]]:
    return [tuple(_plain(finding).values()) for finding in findings]

"""`casemesh demo`: the main job on this machine, with figures."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from casemesh.cli.invocation import Failure, Invocation, command

if TYPE_CHECKING:
    from casemesh.cli.demo_report import Step


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""

    @command(app, "demo", example="casemesh demo --pages 200 --bytes 50MB --json result.json", json_flag=False)
    async def demo(
        run: Invocation,
        pages: Annotated[int, typer.Option("--pages", min=1, help="Pages to make.  页数。")] = 5_253,
        size: Annotated[str, typer.Option("--bytes", help="Bytes to make, e.g. 1.2GB or 50MB.  字节数。")] = "1.2GB",
        seed: Annotated[int, typer.Option("--seed", help="The same seed makes the same files.  随机种子。")] = 1,
        source: Annotated[
            Path | None, typer.Option("--from", help="Your own folder instead.  使用自己的卷宗目录。", metavar="DIR")
        ] = None,
        data: Annotated[
            Path | None,
            typer.Option("--data", help="Use the platform of this data folder.  使用此数据目录的平台。", metavar="DIR"),
        ] = None,
        report_file: Annotated[
            Path | None,
            typer.Option("--json", help="Write the figures there; - for stdout.  输出 JSON。", metavar="FILE"),
        ] = None,
        keep: Annotated[bool, typer.Option("--keep", help="Keep the scratch folder.  保留临时目录。")] = False,
        full_loop: Annotated[
            bool,
            typer.Option(
                "--full-loop",
                help="One defendant from filing to release instead.  一名被告人从立案到释放的闭环。",
            ),
        ] = False,
    ) -> None:
        """Run one case from police to procuratorate to court on this machine.  在本机演示一件案件的全流程。"""
        if full_loop:
            from casemesh.cli.demo_loop_run import run_full_loop

            _print_loop(run, await run_full_loop(data, run.output, keep=keep), report_file)
            return
        from casemesh.cli.demo_report import print_report
        from casemesh.cli.demo_run import DemoOptions, run_demo

        options = DemoOptions(pages, _size(size), seed, source, data, keep)
        report = await run_demo(options, run.output, lambda step: _tell(run, step))
        text = json.dumps(report.as_json(run.output), ensure_ascii=False, indent=2)
        if report_file is not None and str(report_file) != "-":
            report_file.write_text(text + "\n", encoding="utf-8")
        if report_file is not None and str(report_file) == "-":
            print(text, file=run.output.stdout)
        else:
            print_report(report, run.output)
        if not report.figures["denied"]:
            raise Failure(6, "demo.failed_denied")
        if report.figures["verified_pages"] != report.figures["pages"]:
            raise Failure(6, "demo.failed_pages")


def _print_loop(run: Invocation, rows: list[dict[str, Any]], report_file: Path | None) -> None:
    from casemesh.cli.demo_loop_run import print_loop

    text = json.dumps(rows, ensure_ascii=False, indent=2)
    if report_file is not None and str(report_file) == "-":
        print(text, file=run.output.stdout)
    else:
        if report_file is not None:
            report_file.write_text(text + "\n", encoding="utf-8")
        print_loop(rows, run.output)
    if not all(row["as_expected"] for row in rows):
        raise Failure(6, "demo.failed_loop")


def _tell(run: Invocation, step: Step) -> None:
    from casemesh.cli.demo_report import format_seconds

    run.output.notice("demo.step_done", title=run.output.text(f"demo.{step.key}"), took=format_seconds(step.seconds))


def _size(text: str) -> int:
    from casemesh.core.units import parse_size

    try:
        return int(text) if text.isdecimal() else parse_size(text)
    except ValueError as error:
        raise Failure(2, "usage.size", why=error) from None

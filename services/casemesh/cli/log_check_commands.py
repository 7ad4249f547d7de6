"""`casemeshd audit`: the log's database held against what was signed."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from casemesh.cli.exit_codes import ExitCode
from casemesh.cli.invocation import Failure, Invocation, command

if TYPE_CHECKING:
    from casemesh.audit.config import Config
    from casemesh.audit.fsck.findings import Finding, Report
    from casemesh.client.notes import Checkpoint, VerifierKey

app = typer.Typer(help="Check the audit log.  审计日志检查。", no_args_is_help=True)

_COLUMNS = ("FAULT 问题", "ROWS 记录", "WHAT 说明")
_STATEMENT_SECONDS = 3600.0


@command(
    app,
    "fsck",
    example="casemeshd audit fsck --config audit.toml --checkpoint /media/witness/checkpoint",
    profile_flag=False,
)
async def fsck(
    run: Invocation,
    config: Annotated[Path, typer.Option("--config", help="The audit service's TOML file.  配置文件。")],
    checkpoint: Annotated[
        list[Path] | None,
        typer.Option(
            "--checkpoint",
            metavar="FILE",
            help="A checkpoint kept elsewhere, e.g. by a log witness; may be repeated.  别处留存的检查点。",
        ),
    ] = None,
) -> None:
    """Hold every row against every signed checkpoint; the service may run meanwhile.  全面核对审计日志。

    Ends with 0 when all holds, 6 when something does not: the fault is named, and the first bad row.
    """
    report = await _checked(_loaded(config), checkpoint or [])
    value = {
        "sound": not report.findings,
        "size": report.size,
        "checkpoints": report.checkpoints,
        "first_bad_row": report.first_bad_row,
        "findings": [asdict(finding) for finding in report.findings],
    }
    if report.findings:
        run.output.table(
            value, _COLUMNS, [(found.fault.value, _rows_of(found), found.detail) for found in report.findings]
        )
        row = report.first_bad_row
        run.output.notice("log.unsound", findings=len(report.findings), row="-" if row is None else row)
        raise typer.Exit(ExitCode.VERIFICATION_FAILED)
    run.output.result(value, run.output.text("log.sound", size=report.size, checkpoints=report.checkpoints))


def _loaded(config: Path) -> Config:
    from casemesh.audit.config import Config
    from casemesh.runtime.config import ConfigError, load

    try:
        return load(config, Config)
    except ConfigError as error:
        raise Failure(ExitCode.INVALID_INPUT, "care.config", message=error) from error


async def _checked(config: Config, files: list[Path]) -> Report:
    from casemesh.audit.fsck.checking import check_log
    from casemesh.audit.fsck.reading import DatabaseLogReader
    from casemesh.audit.signing import log_key_of
    from casemesh.runtime.config import Duration
    from casemesh.runtime.postgres import Database

    key = log_key_of(config)
    own = config.last_checkpoint
    held = [_held(path, key) for path in ([own] if own is not None and own.exists() else []) + files]
    database = Database.from_config(
        replace(config.database, pool_size=1, statement_timeout=Duration(_STATEMENT_SECONDS))
    )
    await database.open()
    try:
        return await check_log(DatabaseLogReader(database), key, held)
    finally:
        await database.close()


def _held(path: Path, key: VerifierKey) -> Checkpoint:
    from casemesh.client.notes import NoteError, open_checkpoint

    try:
        return open_checkpoint(path.read_bytes(), key)
    except (OSError, NoteError) as error:
        raise Failure(ExitCode.INVALID_INPUT, "log.checkpoint_file", path=path, why=error) from error


def _rows_of(finding: Finding) -> str:
    if finding.first is None:
        return "-"
    return str(finding.first) if finding.first == finding.last else f"{finding.first}-{finding.last}"

"""`casemeshd dossier`: keys, checks, compaction, moving, backup and erasure of the dossier store."""

from __future__ import annotations

import getpass
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from casemesh.cli.exit_codes import ExitCode
from casemesh.cli.invocation import Failure, Invocation, command
from casemesh.core.units import format_size, parse_size

if TYPE_CHECKING:
    from casemesh.dossier.care.compaction import Care
    from casemesh.dossier.care.pace import Pace
    from casemesh.dossier.care.row_checks import Finding
    from casemesh.dossier.config import Config
    from casemesh.dossier.keys.provider import KeyProvider
    from casemesh.dossier.packs.stores import PackStore
    from casemesh.runtime.call import Call
    from casemesh.runtime.postgres import Database

app = typer.Typer(help="Care for the dossier store.  卷宗存储维护。", no_args_is_help=True)

ConfigFile = Annotated[Path, typer.Option("--config", help="The dossier service's TOML file.  配置文件。")]
OwnerDsn = Annotated[
    Path, typer.Option("--owner-dsn-file", help="File with the owner role's connection string.  属主连接串文件。")
]
Rate = Annotated[
    str, typer.Option("--limit-rate", metavar="SIZE", help="At most so much a second, e.g. 50MB.  每秒读取上限。")
]
_STATEMENT_SECONDS = 3600.0


@dataclass(frozen=True)
class _Store:
    config: Config
    database: Database
    packs: PackStore
    keys: KeyProvider


@asynccontextmanager
async def _opened(config_file: Path, owner_dsn_file: Path | None = None) -> AsyncIterator[_Store]:
    from casemesh.dossier.config import Config
    from casemesh.dossier.keys.configured import key_provider_of
    from casemesh.dossier.keys.provider import KeyProviderError, KeyProviderUnavailable
    from casemesh.dossier.packs.configured import pack_store_of
    from casemesh.runtime.config import ConfigError, Duration, load
    from casemesh.runtime.postgres import Database

    try:
        config = load(config_file, Config)
        keys, packs = key_provider_of(config), pack_store_of(config)
        settings = replace(config.database, pool_size=4, statement_timeout=Duration(_STATEMENT_SECONDS))
        database = Database.from_config(replace(settings, dsn_file=owner_dsn_file or settings.dsn_file))
        await database.open()
        try:
            yield _Store(config, database, packs, keys)
        finally:
            await database.close()
    except (ConfigError, KeyProviderError) as error:
        raise Failure(ExitCode.INVALID_INPUT, "care.config", message=error) from error
    except KeyProviderUnavailable as error:
        raise Failure(ExitCode.UNAVAILABLE, "care.keys_away", message=error) from error


def _pace(limit_rate: str) -> Pace:
    from casemesh.dossier.care.pace import Pace

    try:
        rate = parse_size(limit_rate) if limit_rate else None
    except ValueError as error:
        raise Failure(ExitCode.USAGE, "care.rate", why=error) from None
    if rate == 0:
        raise Failure(ExitCode.USAGE, "care.rate", why="0")
    return Pace(rate)


def _end(sound: bool) -> None:
    if not sound:
        raise typer.Exit(ExitCode.VERIFICATION_FAILED)


@command(app, "make-salt", example="casemeshd dossier make-salt /etc/casemesh/scrypt.json", profile_flag=False)
def make_salt(
    run: Invocation,
    file: Annotated[Path, typer.Argument(help="The file to make; one that is there is never replaced.  新文件。")],
) -> None:
    """Make salt and costs for a wrapping key from a passphrase.  生成口令派生参数。"""
    from casemesh.dossier.keys.local import make_scrypt_parameters

    parameters = make_scrypt_parameters(file)
    run.output.result(
        {"file": str(file), "n": parameters.n, "r": parameters.r, "p": parameters.p},
        run.output.text("care.salt_made", path=file),
    )


@command(
    app,
    "rotate-keys",
    example="casemeshd dossier rotate-keys --config dossier.toml --owner-dsn-file /run/secrets/dossier-owner.dsn",
    profile_flag=False,
)
async def rotate_keys(run: Invocation, config: ConfigFile, owner_dsn_file: OwnerDsn) -> None:
    """Wrap every case key under the active wrapping key; may be broken off and repeated.  轮换密钥加密密钥。"""
    from casemesh.core.clock import SystemClock
    from casemesh.dossier.care import rotating

    async with _opened(config, owner_dsn_file) as store:
        done = await rotating.rotate_keys(
            store.database, store.keys, SystemClock(),
            lambda so_far: run.output.notice("care.rotating", rewrapped=so_far.rewrapped, current=so_far.current),
        )  # fmt: skip
    failed = len(done.failed)
    run.output.result(
        asdict(done),
        run.output.text(
            "care.rotated", rewrapped=done.rewrapped, current=done.current, erased=done.erased, failed=failed
        ),
    )
    _end(not failed)


@command(
    app,
    "erase-case",
    example="casemeshd dossier erase-case cases/0199... --by 'Beihu court' --reason 'order 7 of 2026' "
    "--config dossier.toml --owner-dsn-file owner.dsn",
    profile_flag=False,
)
async def erase_case(
    run: Invocation,
    case: Annotated[str, typer.Argument(help="cases/ID.  案件。")],
    reason: Annotated[str, typer.Option("--reason", help="Why; kept and logged, so no names.  原因。")],
    config: ConfigFile,
    owner_dsn_file: OwnerDsn,
    by: Annotated[str, typer.Option("--by", help="Who ordered it; else the account here.  决定机关。")] = "",
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.  不再询问。")] = False,
) -> None:
    """Destroy a case's key: nobody ever reads its documents again. Cannot be undone.  销毁案件密钥, 不可恢复。"""
    from casemesh.core.clock import SystemClock
    from casemesh.dossier.care import erasing

    if not yes:
        if run.output.as_json:
            raise Failure(ExitCode.USAGE, "care.erase_unasked")
        if not typer.confirm(run.output.text("care.erase_sure", case=case), err=True):
            raise Failure(ExitCode.USAGE, "care.not_erased")
    async with _opened(config, owner_dsn_file) as store:
        erased = await erasing.erase_case(
            store.database, SystemClock(), case, by=by or getpass.getuser(), reason=reason
        )  # fmt: skip
    size = format_size(erased.size_bytes)
    run.output.result(
        asdict(erased), run.output.text("care.erased", case=case, contents=erased.contents, size=size)
    )  # fmt: skip


@command(app, "fsck", example="casemeshd dossier fsck --config dossier.toml --json", profile_flag=False)
async def fsck(
    run: Invocation,
    config: ConfigFile,
    repair: Annotated[bool, typer.Option("--repair", help="Put right what is safe.  修复可安全修复的问题。")] = False,
    quarantine: Annotated[
        Path | None, typer.Option("--quarantine", help="Folder for packs that nothing leads to.  隔离目录。")
    ] = None,
    log: Annotated[bool, typer.Option("--log", help="Compare with the audit log, too.  同时比对审计日志。")] = False,
) -> None:
    """Compare rows, packs, keys and events; 6 means that something is wrong.  一致性检查。"""
    from casemesh.core.clock import SystemClock
    from casemesh.dossier.care.fsck import Fsck
    from casemesh.dossier.care.operator import BY_OPERATOR
    from casemesh.dossier.care.quarantine import quarantine as put_aside

    async with _opened(config) as store:
        check = Fsck(store.database, store.packs, store.keys)
        report = await check.run(lambda step: run.output.notice("care.checking", step=step))
        if log:
            run.output.notice("care.checking", step="log")
            report.findings += await _compared_with_log(store)
        value = report.as_json()
        if repair:
            folder = quarantine or store.config.store.with_name(f"{store.config.store.name}-quarantine")
            moved = await put_aside(store.database, store.packs, SystemClock(), check.orphans, folder)
            care = await _care_of(store, BY_OPERATOR).run()
            value["repaired"] = {"quarantined": [key.pack_id.hex() for key in moved], "compaction": asdict(care)}
    lines = [f"{item.severity}  {item.kind}  {item.subject}: {item.detail}" for item in report.findings]
    if repair:
        lines.append(run.output.text("care.repaired", packs=len(moved), contents=care.removed_contents))
    key = "care.sound" if report.sound else "care.unsound"
    lines.append(run.output.text(key, packs=report.packs, versions=report.versions, cases=report.cases))
    run.output.result(value, "\n".join(lines))
    _end(report.sound)


@command(
    app, "scrub", example="casemeshd dossier scrub --config dossier.toml --limit-rate 50MB", profile_flag=False
)  # fmt: skip
async def scrub(run: Invocation, config: ConfigFile, limit_rate: Rate = "") -> None:
    """Read and authenticate every byte from the store; repair from the copy. Goes on after a break.  逐字节校验。"""
    from casemesh.cli.transfer_progress import transfer_progress
    from casemesh.core.clock import SystemClock
    from casemesh.dossier.care.scrub import Scrub
    from casemesh.dossier.keys.case_keys import CaseKeys

    pace = _pace(limit_rate)
    async with _opened(config) as store:
        work = Scrub(store.database, store.packs, CaseKeys(store.database, store.keys), SystemClock(), pace)
        with transfer_progress(run.output, "care.scrubbing", await work.total_bytes()) as advance:
            report = await work.run(advance)
    lines = [
        run.output.text(
            "care.damage_repaired" if item.repaired else "care.damage",
            case=item.case, pack=item.pack, why=item.why, contents=len(item.contents),
        )
        for item in report.damages
    ]  # fmt: skip
    lines.append(
        run.output.text(
            "care.scrubbed", packs=report.packs, contents=report.contents, size=format_size(report.bytes_read),
            damaged=len(report.damages),
        )
    )  # fmt: skip
    run.output.result(report.as_json(), "\n".join(lines))
    _end(report.sound)


@command(app, "compact", example="casemeshd dossier compact --config dossier.toml", profile_flag=False)
async def compact(run: Invocation, config: ConfigFile) -> None:
    """Expire drafts and free what nothing leads to, as the service does by the hour.  清理过期草稿与无用数据。"""
    from casemesh.dossier.care.operator import BY_OPERATOR

    async with _opened(config) as store:
        report = await _care_of(store, BY_OPERATOR).run()
    if not report.alone:
        raise Failure(ExitCode.UNAVAILABLE, "care.not_alone")
    run.output.result(
        asdict(report),
        run.output.text(
            "care.compacted", drafts=len(report.expired_drafts), contents=report.removed_contents,
            rewritten=report.rewritten_packs, packs=report.deleted_packs, size=format_size(report.freed_bytes),
        ),
    )  # fmt: skip


@command(app, "move-store", example="casemeshd dossier move-store --config dossier.toml", profile_flag=False)
async def move_store(run: Invocation, config: ConfigFile, limit_rate: Rate = "") -> None:
    """Bring packs from `move_from` to the store while the service serves; goes on after a break.  迁移存储。"""
    from casemesh.dossier.care import moving
    from casemesh.dossier.packs.moving import MovingPacks

    pace = _pace(limit_rate)
    async with _opened(config) as store:
        if not isinstance(store.packs, MovingPacks):
            raise Failure(ExitCode.INVALID_INPUT, "care.no_move")
        told = 0

        def progress(done: int, total: int) -> None:
            nonlocal told
            if done == total or done >= told + 100:
                told = done
                run.output.notice("care.moving", done=done, total=total)

        move = await moving.move_store(store.database, store.packs, pace, progress)
    size = format_size(move.moved_bytes)
    run.output.result(
        asdict(move),
        run.output.text("care.moved", moved=move.moved, size=size, waiting=move.waiting, failed=len(move.failed)),
    )
    _end(not move.failed)


@command(
    app,
    "backup",
    example="casemeshd dossier backup /backup/dossier --config dossier.toml --owner-dsn-file owner.dsn",
    profile_flag=False,
)
async def backup(
    run: Invocation,
    folder: Annotated[Path, typer.Argument(help="A folder that may hold earlier backups.  备份目录。")],
    config: ConfigFile,
    owner_dsn_file: OwnerDsn,
    limit_rate: Rate = "",
) -> None:
    """Back up rows and packs while the service serves; only packs that are new are copied.  备份。"""
    from casemesh.cli.transfer_progress import transfer_progress
    from casemesh.core.clock import SystemClock
    from casemesh.dossier.care.backup import Backup

    pace = _pace(limit_rate)
    async with _opened(config) as store:
        work = Backup(folder, store.packs, store.keys, SystemClock(), pace)
        with transfer_progress(run.output, "care.backing_up", await work.total_bytes(store.database)) as advance:
            report = await work.run(_dsn(owner_dsn_file), advance)
    size = format_size(report.copied_bytes)
    run.output.result(
        asdict(report),
        run.output.text(
            "care.backed_up", backup=report.backup, rows=report.rows, packs=report.packs, copied=report.copied_packs,
            size=size, damaged=len(report.damaged),
        ),
    )  # fmt: skip
    _end(not report.damaged)


@command(
    app,
    "restore",
    example="casemeshd dossier restore /backup/dossier --config dossier.toml --owner-dsn-file owner.dsn",
    profile_flag=False,
)
async def restore(
    run: Invocation,
    folder: Annotated[Path, typer.Argument(help="The folder of backups.  备份目录。")],
    config: ConfigFile,
    owner_dsn_file: OwnerDsn,
    backup: Annotated[str, typer.Option("--backup", help="Which one; else the latest.  备份编号。")] = "",
) -> None:
    """Restore a backup into an empty, migrated database and an empty store.  恢复。"""
    from casemesh.cli.transfer_progress import transfer_progress
    from casemesh.dossier.care import restore as restoring

    async with _opened(config) as store:
        try:
            total = restoring.size_of(folder, backup)
            with transfer_progress(run.output, "care.restoring", total) as advance:
                report = await restoring.restore(folder, backup, _dsn(owner_dsn_file), store.packs, advance)
        except restoring.RestoreError as error:
            raise Failure(ExitCode.INVALID_INPUT, "care.no_restore", why=error) from error
    size = format_size(report.size_bytes)
    run.output.result(
        asdict(report),
        run.output.text(
            "care.restored", backup=report.backup, at=report.taken_at, rows=report.rows, packs=report.packs, size=size
        ),
    )


def _dsn(file: Path) -> str:
    return file.read_text(encoding="utf-8").strip()


async def _compared_with_log(store: _Store) -> list[Finding]:
    from casemesh.audit.v1.audit_append_service_pb2_grpc import AuditAppendServiceStub
    from casemesh.client.channel import Credentials, ErrorInterceptor, open_channel
    from casemesh.core.clock import SystemClock
    from casemesh.dossier.care.log_check import compare_with_log

    # As the service, for the log takes events from services alone.
    channel = open_channel(
        store.config.peers["audit"], Credentials(store.config.tls.directory), server_name="audit.casemesh.svc",
        interceptors=[ErrorInterceptor()],
    )  # fmt: skip
    try:
        return await compare_with_log(store.database, AuditAppendServiceStub(channel), SystemClock())
    finally:
        await channel.close()


def _care_of(store: _Store, by: Call) -> Care:
    from casemesh.core.clock import SystemClock
    from casemesh.dossier.care.compaction import Care
    from casemesh.dossier.care.store import CareStore
    from casemesh.dossier.keys.case_keys import CaseKeys
    from casemesh.dossier.packs.suites import SUITES

    return Care(
        store.database, CareStore(store.database), store.packs, CaseKeys(store.database, store.keys),
        SUITES[store.config.suite], SystemClock(), by, store.config.draft_expiry,
        2 * store.config.server.stream_max_age,
    )  # fmt: skip

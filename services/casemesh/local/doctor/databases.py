"""A service's database: it answers, has the schema, gives the service no more rights than it needs, and agrees on the
time; what waits in the outbox; whether the log is as long as it was."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Final

from casemesh.client.notes import Checkpoint, NoteError, split_note
from casemesh.core.clock import Clock
from casemesh.errors import CaseMeshError
from casemesh.local.doctor.findings import Finding, soon, well, wrong
from casemesh.runtime.config import DatabaseConfig
from casemesh.runtime.migrations import pending
from casemesh.runtime.postgres import Database

SKEW_SECONDS: Final = 2.0
LAG_SECONDS: Final = 30.0
_RIGHTS: Final = """
SELECT current_user AS role,
    (SELECT rolsuper OR rolcreaterole OR rolcreatedb FROM pg_roles WHERE rolname = current_user) AS mighty,
    has_schema_privilege('public', 'CREATE') AS creates,
    (SELECT count(*) FROM pg_class WHERE relowner = (SELECT oid FROM pg_roles WHERE rolname = current_user)) AS owns
"""
_LAG: Final = """
SELECT count(*) AS waiting, extract(epoch FROM now() - min(created_at))::float8 AS seconds
FROM outbox WHERE sent_at IS NULL
"""
_HEAD: Final = "SELECT size FROM log_state"


async def examine_database(service: str, config: DatabaseConfig, clock: Clock) -> AsyncIterator[Finding]:
    """Yield what is to be said of a service's database; the first that fails ends it."""
    start = f"is PostgreSQL running, and does {config.dsn_file} lead to it?  检查数据库是否运行、连接串是否正确"
    try:
        dsn = config.dsn_file.read_text(encoding="utf-8").strip()
        missing = await pending(dsn, service)
        database = Database(dsn, config)
        await database.open()
    # The driver's own errors among them: all mean that nobody could look.
    except Exception as error:
        yield wrong("database", service, f"does not let the service in ({type(error).__name__})", start)
        return
    try:
        yield well("database", service, "answers")
        yield _schema(service, [f"{item.origin}/{item.name}" for item in missing])
        yield await _rights(service, database)
        yield await _skew(service, database, clock)
        if not missing and await database.fetchval("SELECT to_regclass('outbox') IS NOT NULL"):
            yield await _outbox(service, database)
    except CaseMeshError as error:
        yield wrong("database", service, error.message, start)
    finally:
        await database.close()


async def examine_log(config: DatabaseConfig, note: str | None) -> Finding:
    """Return whether the log still holds what the last checkpoint, remembered outside the database, covers."""
    if note is None:
        return well("log", "audit", "no checkpoint is remembered outside the database")
    try:
        size = Checkpoint.parse(split_note(note)[0]).size
        database = Database.from_config(config)
        await database.open()
        try:
            head = await database.fetchval(_HEAD)
        finally:
            await database.close()
    except NoteError:
        return wrong(
            "log", "audit", "the remembered checkpoint does not parse",
            "restore the file of `last_checkpoint` from a log witness's copy  从日志见证方恢复检查点文件",
        )  # fmt: skip
    except (CaseMeshError, OSError) as error:
        return wrong(
            "log", "audit", f"cannot be asked ({type(error).__name__})", "mend the database first  先修复数据库"
        )
    if head < size:
        return wrong(
            "log", "audit", f"a checkpoint over {size} entries was signed; the database holds {head}",
            "it was put back from an older backup: restore the newest one and its archived log; do not remove the file"
            "  数据库被旧备份覆盖,请恢复最新备份",
        )  # fmt: skip
    return well("log", "audit", f"{head} entries; the last checkpoint remembered covers {size}")


def _schema(service: str, missing: list[str]) -> Finding:
    if not missing:
        return well("schema", service, "is what this version needs")
    return wrong(
        "schema", service, f"{len(missing)} migrations are missing, from {missing[0]} on",
        f"casemeshd migrate {service} --owner-dsn-file FILE  升级数据库结构",
    )  # fmt: skip


async def _rights(service: str, database: Database) -> Finding:
    row = await database.fetchrow(_RIGHTS)
    assert row is not None
    too_much = [
        name
        for name, has in (
            ("administers the server", row["mighty"]),
            ("may create tables", row["creates"]),
            (f"owns {row['owns']} tables or indexes", row["owns"] > 0),
        )
        if has
    ]
    if not too_much:
        return well("rights", service, f"{row['role']} has what it needs and no more")
    return wrong(
        "rights", service, f"{row['role']} {', '.join(too_much)}",
        "let dsn_file name the runtime role, not the owner, and revoke what it has beyond its grants  "
        "连接串应使用运行角色,并收回多余权限",
    )  # fmt: skip


async def _skew(service: str, database: Database, clock: Clock) -> Finding:
    before = clock.now()
    theirs: datetime = await database.fetchval("SELECT clock_timestamp()")
    ours = before + (clock.now() - before) / 2
    skew = abs((theirs - ours).total_seconds())
    if skew <= SKEW_SECONDS:
        return well("clock", service, f"the database's clock agrees within {SKEW_SECONDS:.0f} s")
    return wrong(
        "clock", service, f"the database's clock is {skew:.0f} s away from this machine's",
        "let both follow the same time servers: chronyc tracking  校正两侧时钟",
    )  # fmt: skip


async def _outbox(service: str, database: Database) -> Finding:
    row = await database.fetchrow(_LAG)
    assert row is not None
    if not row["waiting"] or row["seconds"] <= LAG_SECONDS:
        return well("outbox", service, f"{row['waiting']} events wait for the log")
    return soon(
        "outbox", service, f"{row['waiting']} events wait for the log, the oldest {row['seconds']:.0f} s",
        "is audit serving, and this service running? see the log lines `outbox.waiting`  检查审计服务及本服务是否运行",
    )  # fmt: skip

"""`casemeshd`: what operators use. One program for every process of the platform, so that there is one image.

Exit codes: 0 done; 1 failed; 2 wrong use; 4 the configuration or the input is wrong.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from casemesh.cli import codes_queue_commands, reconcile_commands, retention_commands
from casemesh.cli.cluster_commands import app as cluster_app
from casemesh.cli.codes_commands import app as codes_app
from casemesh.cli.doctor_command import doctor
from casemesh.cli.dossier_care_commands import app as dossier_app
from casemesh.cli.enrol_commands import app as enrol_app
from casemesh.cli.figure_operator import app as figures_app
from casemesh.cli.gateway_commands import app as gateway_app
from casemesh.cli.log_check_commands import app as audit_app
from casemesh.cli.node_admin_commands import app as node_app
from casemesh.cli.rule_commands import app as rule_app
from casemesh.cli.token_key_commands import app as token_keys_app

SERVICE_NAMES = ("identity", "translation", "dossier", "routing", "audit", "supervision")

app = typer.Typer(
    name="casemeshd",
    help="Run and operate CaseMesh.  运行和维护 CaseMesh 平台。",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
pki_app = typer.Typer(help="Make and renew certificates for one machine.  单机证书管理。", no_args_is_help=True)
app.add_typer(pki_app, name="pki")
app.add_typer(enrol_app, name="enrol")
app.add_typer(token_keys_app, name="token-keys")
app.add_typer(dossier_app, name="dossier")
codes_queue_commands.register(codes_app)
app.add_typer(codes_app, name="codes")
app.add_typer(gateway_app, name="gateway")
app.add_typer(node_app, name="node")
app.add_typer(rule_app, name="rule")
app.add_typer(figures_app, name="figures")
app.command("doctor", epilog="Example: casemeshd doctor --data ./data")(doctor)
app.add_typer(cluster_app, name="cluster")
reconcile_commands.register(audit_app)
retention_commands.register(audit_app)
app.add_typer(audit_app, name="audit")

JsonFlag = Annotated[bool, typer.Option("--json", help="Print JSON for programs.  输出 JSON。")]
PkiFolder = Annotated[Path, typer.Option("--dir", help="The PKI folder.  证书目录。")]


@app.command(epilog="Example: casemeshd up --data ./data")
def up(
    data: Annotated[
        Path, typer.Option("--data", help="Folder that holds everything; kept between runs.  数据目录。")
    ] = Path("data"),
    port: Annotated[int, typer.Option("--port", help="The gateway's port; 0 for any.  网关端口。")] = 8443,
    postgres_bin: Annotated[
        Path | None,
        typer.Option(
            "--postgres-bin", help="PostgreSQL's bin folder instead of the built-in one.  PostgreSQL 程序目录。"
        ),
    ] = None,
    replicas: Annotated[
        int, typer.Option("--replicas", min=1, max=9, help="Processes of each service.  每个服务的进程数。")
    ] = 1,
    as_json: JsonFlag = False,
) -> None:
    """Run the whole platform on this machine until Ctrl-C.  在本机运行整个平台。"""
    from casemesh.local.platform import PlatformError, running_platform

    async def run() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop.set)

        def announce(line: str) -> None:
            typer.echo(json.dumps({"event": line}) if as_json else f"  {line}", err=not as_json)

        starting = running_platform(
            data, gateway_port=port, announce=announce, postgres_bin=postgres_bin, replicas=replicas
        )
        async with starting as addresses:
            if as_json:
                typer.echo(
                    json.dumps(
                        {"gateway": addresses.gateway, "services": addresses.services, "traces": addresses.traces}
                    )
                )
            else:
                typer.echo(f"gateway  {addresses.gateway}")
                for name, address in addresses.services.items():
                    typer.echo(f"{name:<12} {address}")
                typer.echo(f"traces   {addresses.traces}/")
                typer.echo(f"pki      {addresses.pki}\nready; stop with Ctrl-C  已就绪,按 Ctrl-C 停止")
            await stop.wait()
            announce("stopping")

    _reporting(lambda: asyncio.run(run()), PlatformError)


@app.command(epilog="Example: casemeshd serve dossier --config /etc/casemesh/dossier.toml")
def serve(
    service: Annotated[str, typer.Argument(help=f"One of {', '.join(SERVICE_NAMES)}.  服务名。")],
    config: Annotated[Path, typer.Option("--config", help="The service's TOML file.  配置文件。")],
) -> None:
    """Run one service until SIGTERM.  运行一个服务。"""
    import uvloop

    from casemesh.runtime.config import ConfigError, load
    from casemesh.runtime.host import run

    module = _service_module(service)

    def start() -> None:
        loaded = load(config, _service_config(service))
        uvloop.run(run(service, loaded, module.assemble))

    _reporting(start, ConfigError)


@app.command(epilog="Example: casemeshd migrate dossier --owner-dsn-file /run/secrets/dossier-owner.dsn")
def migrate(
    service: Annotated[str, typer.Argument(help=f"One of {', '.join(SERVICE_NAMES)}.  服务名。")],
    owner_dsn_file: Annotated[
        Path, typer.Option("--owner-dsn-file", help="File with the owner role's connection string.  属主连接串文件。")
    ],
    runtime_role: Annotated[str, typer.Option("--runtime-role", help="The role the service runs as.  运行角色。")] = "",
    wait: Annotated[float, typer.Option("--wait", help="Seconds to wait for the database.  等待数据库的秒数。")] = 0,
    as_json: JsonFlag = False,
) -> None:
    """Bring a service's database up to date.  升级数据库结构。"""
    from casemesh.runtime.migrations import MigrationError, await_database
    from casemesh.runtime.migrations import migrate as run_migrations

    _service_module(service)

    def run() -> None:
        dsn = owner_dsn_file.read_text(encoding="utf-8").strip()
        role = runtime_role or f"casemesh_{service}_runtime"
        if wait:
            asyncio.run(await_database(dsn, within_seconds=wait, announce=lambda line: typer.echo(line, err=True)))
        applied = asyncio.run(run_migrations(dsn, service, role))
        names = [migration.name for migration in applied]
        typer.echo(
            json.dumps({"service": service, "applied": names}) if as_json else f"{service}: applied {len(names)}"
        )

    _reporting(run, MigrationError, OSError)


@app.command("await-schema", epilog="Example: casemeshd await-schema dossier --config dossier.toml")
def await_schema(
    service: Annotated[str, typer.Argument(help=f"One of {', '.join(SERVICE_NAMES)}.  服务名。")],
    config: Annotated[Path, typer.Option("--config", help="The service's TOML file.  配置文件。")],
    wait: Annotated[float, typer.Option("--wait", help="Seconds before giving up.  最长等待秒数。")] = 600,
    as_json: JsonFlag = False,
) -> None:
    """Wait until the database has what this version needs; migrate nothing.  等待数据库结构就绪。"""
    from casemesh.runtime.config import ConfigError, load
    from casemesh.runtime.migrations import MigrationError
    from casemesh.runtime.migrations import await_schema as wait_for_schema

    def run() -> None:
        loaded = load(config, _service_config(service))
        dsn = loaded.database.dsn_file.read_text(encoding="utf-8").strip()
        waiting = wait_for_schema(
            dsn, service, within_seconds=wait, announce=lambda line: typer.echo(f"{service}: {line}", err=True)
        )
        asyncio.run(waiting)
        typer.echo(json.dumps({"service": service, "ready": True}) if as_json else f"{service}: the schema is there")

    _reporting(run, ConfigError, MigrationError, OSError)


@app.command("validate-config", epilog="Example: casemeshd validate-config dossier --config dossier.toml")
def validate_config(
    service: Annotated[str, typer.Argument(help=f"One of {', '.join(SERVICE_NAMES)}.  服务名。")],
    config: Annotated[Path, typer.Option("--config", help="The service's TOML file.  配置文件。")],
    as_json: JsonFlag = False,
) -> None:
    """Check a configuration file without starting anything.  检查配置文件。"""
    from casemesh.runtime.config import ConfigError, load

    _reporting(lambda: load(config, _service_config(service)), ConfigError)
    typer.echo(json.dumps({"config": str(config), "valid": True}) if as_json else f"{config}: valid  配置有效")


@pki_app.command("init", epilog="Example: casemeshd pki init --dir ./data/pki")
def pki_init(directory: PkiFolder, as_json: JsonFlag = False) -> None:
    """Make the mesh's CA, and certificates for services, gateway, operator and document signing.  初始化平台证书。"""
    from casemesh.pki.names import CALLERS, GATEWAY, SERVICES, SIGNERS

    def run() -> list[str]:
        pki = _pki(directory)
        pki.create_mesh()
        made = [pki.issue_service(name) for name in (*SERVICES, GATEWAY, *CALLERS)]
        made += [pki.issue_signing(name) for name in SIGNERS]
        return [str(credential.files.certificate) for credential in made]

    _print_files(run, as_json)


@pki_app.command("agency", epilog="Example: casemeshd pki agency beihu-police --dir ./data/pki")
def pki_agency(
    agency: Annotated[str, typer.Argument(help="The agency's code: a-z, 0-9 and '-'.  单位代码。")],
    directory: PkiFolder,
    as_json: JsonFlag = False,
) -> None:
    """Make an agency's own CA and trust domain; a running gateway takes it up.  为单位建立独立 CA。"""

    def run() -> list[str]:
        pki = _pki(directory)
        pki.add_agency(agency)
        return [str(pki.layout.bundle(agency))]

    _print_files(run, as_json)


@pki_app.command("system", epilog="Example: casemeshd pki system beihu-police cms --dir ./data/pki")
def pki_system(
    agency: Annotated[str, typer.Argument(help="The agency's code.  单位代码。")],
    name: Annotated[str, typer.Argument(help="The system's name.  系统名。")],
    directory: PkiFolder,
    as_json: JsonFlag = False,
) -> None:
    """Make the certificate of an agency's case system.  签发办案系统证书。"""
    _print_files(lambda: [str(_pki(directory).issue_system(agency, name).files.certificate)], as_json)


@pki_app.command("workstation", epilog="Example: casemeshd pki workstation beihu-police desk-7 --dir ./data/pki")
def pki_workstation(
    agency: Annotated[str, typer.Argument(help="The agency's code.  单位代码。")],
    name: Annotated[str, typer.Argument(help="The workstation's name.  终端名。")],
    directory: PkiFolder,
    as_json: JsonFlag = False,
) -> None:
    """Make the certificate of one officer's workstation.  签发办案终端证书。"""
    _print_files(lambda: [str(_pki(directory).issue_workstation(agency, name).files.certificate)], as_json)


@pki_app.command("renew", epilog="Example: casemeshd pki renew mesh/dossier --dir ./data/pki")
def pki_renew(
    entry: Annotated[str, typer.Argument(help="What to renew, as `pki status` names it.  要更新的证书。")],
    directory: PkiFolder,
    new_key: Annotated[
        bool, typer.Option("--new-key", help="With a new key instead of the same one.  同时更换密钥。")
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """Make a new certificate in place of one; running processes take it up.  更新证书。"""
    from casemesh.pki.authority import KeyChoice

    choice = KeyChoice.NEW if new_key else KeyChoice.SAME
    _print_files(lambda: [str(_pki(directory).renew(entry, key=choice).files.certificate)], as_json)


@pki_app.command("status", epilog="Example: casemeshd pki status --dir ./data/pki --json")
def pki_status(directory: PkiFolder, as_json: JsonFlag = False) -> None:
    """Show every certificate and how many days it has left.  查看证书状态。"""
    entries = _pki(directory).status()
    if as_json:
        rows = [
            {
                "entry": item.entry,
                "identity": item.identity,
                "not_after": item.not_after.isoformat(),
                "days_left": item.days_left,
                "problem": item.problem,
            }
            for item in entries
        ]
        typer.echo(json.dumps(rows, ensure_ascii=False, indent=2))
        return
    for item in entries:
        typer.echo(f"{item.days_left:>5} d  {item.entry:<40} {item.problem or 'ok'}")


def _pki(directory: Path) -> Any:
    from casemesh.pki.authority import Pki

    return Pki(directory)


def _print_files(make: Callable[[], list[str]], as_json: bool) -> None:
    from casemesh.pki.errors import PkiError

    made: list[str] = []
    _reporting(lambda: made.extend(make()), PkiError)
    typer.echo(json.dumps({"files": made}) if as_json else "\n".join(made))


def _service_module(service: str) -> Any:
    if service not in SERVICE_NAMES:
        raise typer.BadParameter(f"no service is called {service!r}; there are {', '.join(SERVICE_NAMES)}")
    return importlib.import_module(f"casemesh.{service}.main")


def _service_config(service: str) -> Any:
    _service_module(service)
    return importlib.import_module(f"casemesh.{service}.config").Config


def _reporting(run: Callable[[], object], *expected: type[Exception]) -> None:
    try:
        run()
    except expected as error:
        typer.echo(f"casemeshd: {error}", err=True)
        raise typer.Exit(4) from error


def main() -> None:
    """Run `casemeshd`."""
    sys.exit(app())


if __name__ == "__main__":
    main()

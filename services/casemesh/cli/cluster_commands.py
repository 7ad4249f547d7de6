"""`casemeshd cluster`: what the overlay `local` runs beside the services, so that one node needs nothing else."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from casemesh.local.cluster import Keeper
    from casemesh.local.kubernetes_api import KubernetesApi
    from casemesh.local.platform import Addresses, Announce

app = typer.Typer(
    help="What a cluster of one node runs beside the services.  单节点集群的配套进程。", no_args_is_help=True
)

_LOOK_EVERY_SECONDS = 5.0
_SERVICE_PORT = 8443

Data = Annotated[Path, typer.Option("--data", help="Folder that is kept between runs.  数据目录。")]


@app.command(epilog="Example: casemeshd cluster keep --data /var/lib/casemesh --database postgres.casemesh.svc:5432")
def keep(
    data: Data,
    database: Annotated[str, typer.Option("--database", help="PostgreSQL, host:port.  数据库地址。")],
    traces: Annotated[
        str, typer.Option("--traces", help="The trace backend's address.  链路后端。")
    ] = "http://otel-collector.casemesh.svc:8080",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for programs.  输出 JSON。")] = False,
) -> None:
    """Make certificates, keys and passwords, publish them as Secrets, renew them, until SIGTERM.  签发与发布密钥。"""
    from casemesh.local.cluster import Keeper
    from casemesh.local.kubernetes_api import KubernetesApi, KubernetesError
    from casemesh.local.platform import Addresses
    from casemesh.pki.errors import PkiError
    from casemesh.pki.names import SERVICES

    def announce(line: str) -> None:
        typer.echo(json.dumps({"event": line}) if as_json else line)

    addresses = Addresses(
        gateway=f"gateway.casemesh.svc:{_SERVICE_PORT}",
        services={name: f"{name}.casemesh.svc:{_SERVICE_PORT}" for name in SERVICES},
        traces=traces,
        otlp="",
        pki=str(data / "pki"),
        pid=os.getpid(),
    )
    try:
        keeper, api = Keeper(data, database), KubernetesApi.of_this_pod()
        keeper.make()
        # Where commands such as `casemeshd enrol` look for the platform, run by `kubectl exec` in this pod.
        keeper.layout.platform.write_text(json.dumps(asdict(addresses), indent=2), encoding="utf-8")
        asyncio.run(_keep(keeper, api, addresses, announce))
    except (KubernetesError, PkiError, OSError) as error:
        typer.echo(f"casemeshd: {error}", err=True)
        raise typer.Exit(1) from error


async def _keep(keeper: Keeper, api: KubernetesApi, addresses: Addresses, announce: Announce) -> None:
    from casemesh.local.kubernetes_api import KubernetesError

    stop = _stop_event()
    loading = asyncio.create_task(_load_packs_once(keeper, addresses, announce))
    try:
        while not stop.is_set():
            try:
                for entry in await asyncio.to_thread(keeper.renew):
                    announce(f"renewed {entry}")
                for name in await asyncio.to_thread(keeper.publish, api):
                    announce(f"published {name}")
            except KubernetesError as error:
                announce(str(error))
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), _LOOK_EVERY_SECONDS)
    finally:
        loading.cancel()
        await asyncio.gather(loading, return_exceptions=True)


async def _load_packs_once(keeper: Keeper, addresses: Addresses, announce: Announce) -> None:
    """Load the shipped tables as soon as translation answers."""
    import grpc

    from casemesh.errors import CaseMeshError
    from casemesh.local.platform import load_packs

    while True:
        try:
            announce(f"loaded {await load_packs(keeper.layout, addresses)} code packs")
            return
        except (CaseMeshError, grpc.RpcError) as error:
            announce(f"code packs wait for translation ({type(error).__name__})")
            await asyncio.sleep(_LOOK_EVERY_SECONDS)


@app.command(epilog="Example: casemeshd cluster database --data /var/lib/postgres --passwords /etc/casemesh/passwords")
def database(
    data: Data,
    passwords: Annotated[
        Path, typer.Option("--passwords", help="Folder of ROLE.pgpass files, as the keeper makes them.  口令目录。")
    ],
    port: Annotated[int, typer.Option("--port", help="Where services connect.  端口。")] = 5432,
) -> None:
    """Run the built-in PostgreSQL for the pods of this cluster, with the services' databases.  运行内置数据库。"""
    from casemesh.local.postgres import EmbeddedPostgres, PostgresError
    from casemesh.local.provisioning import provision
    from casemesh.pki.names import SERVICES

    # Every address: the pod's own is not known beforehand, and the network policy says who may come.
    postgres = EmbeddedPostgres(data, port=port, networks=("0.0.0.0/0", "::/0"))

    async def run() -> bool:
        stop = _stop_event()
        await asyncio.to_thread(postgres.start)
        try:
            await provision(postgres.admin_dsn(), SERVICES, passwords)
            typer.echo(f"PostgreSQL serves {len(SERVICES)} databases on port {port}")
            while postgres.running:
                with suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), 0.5)
                    return True
            return False
        finally:
            await asyncio.to_thread(postgres.stop)

    try:
        stopped = asyncio.run(run())
    except (PostgresError, OSError) as error:
        typer.echo(f"casemeshd: {error}", err=True)
        raise typer.Exit(1) from error
    if not stopped:
        typer.echo("casemeshd: PostgreSQL ended by itself", err=True)
        raise typer.Exit(1)


@app.command(epilog="Example: casemeshd cluster traces --otlp-port 4317 --http-port 8080")
def traces(
    otlp_port: Annotated[int, typer.Option("--otlp-port", help="OTLP over gRPC.  OTLP 端口。")] = 4317,
    http_port: Annotated[int, typer.Option("--http-port", help="Answers over HTTP.  HTTP 端口。")] = 8080,
) -> None:
    """Run the trace backend of one machine for the pods of this cluster; it keeps traces in memory.  运行链路后端。"""
    from casemesh.local.traces import Collector

    async def run() -> None:
        stop = _stop_event()
        # Every address, as above.
        collector = Collector(host="0.0.0.0", otlp_port=otlp_port, http_port=http_port)  # noqa: S104
        await collector.start()
        try:
            await stop.wait()
        finally:
            await collector.stop()

    try:
        asyncio.run(run())
    except OSError as error:
        typer.echo(f"casemeshd: {error}", err=True)
        raise typer.Exit(1) from error


def _stop_event() -> asyncio.Event:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    return stop

"""A neighbour at the gateway, quiet and under attack: h2load floods as another agency and as nobody, slowhttptest holds
connections as another agency. And how soon an agency that is shut out is gone.

Neither tool knows client certificates, so a second Envoy carries their bytes over connections that show the attacker's.
The neighbour calls at a fixed rate and is timed from when each call was due; tools, gateway, services and neighbour
share the machine's cores. Rows of a tool that is not installed are left out. CASEMESH_BENCH_SECONDS says how long each
part runs.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import grpc.aio
import yaml

from bench.figures import Report
from casemesh.client.channel import Credentials, open_channel
from casemesh.core.clock import SystemClock
from casemesh.identity.v1.token_service_pb2 import GetSigningKeysRequest
from casemesh.identity.v1.token_service_pb2_grpc import TokenServiceStub
from casemesh.local.envoy import envoy_command
from casemesh.local.platform import running_platform
from casemesh.local.ports import LOOPBACK, free_port, is_free
from casemesh.pki import shutting_out
from casemesh.pki.authority import Pki
from casemesh.pki.layout import CredentialFiles

SECONDS = float(os.environ.get("CASEMESH_BENCH_SECONDS", "15"))
CALLS_PER_SECOND = 50
NEIGHBOUR, ATTACKER, SYSTEM = "bench-court", "bench-police", "cms"
METHOD = "/casemesh.identity.v1.TokenService/GetSigningKeys"
_TIMEOUT_SECONDS = 20.0


async def measure(report: Report) -> None:
    """Add the figures `edge.*`."""
    with tempfile.TemporaryDirectory(prefix="casemesh-edge-") as name:
        async with running_platform(Path(name) / "data", gateway_port=0) as addresses:
            pki = Pki(Path(addresses.pki))
            for agency in (NEIGHBOUR, ATTACKER):
                pki.add_agency(agency)
                pki.issue_system(agency, SYSTEM)
            port = int(addresses.gateway.rpartition(":")[2])
            channel = open_channel(
                f"localhost:{port}",
                Credentials(pki.layout.system(NEIGHBOUR, SYSTEM).key.parent),
                server_name="localhost",
            )
            neighbour = TokenServiceStub(channel)
            await _let_in(neighbour)
            quiet = await _p99_ms(neighbour)
            conditions = f"{CALLS_PER_SECOND} calls/s of {METHOD.rpartition('/')[2]}, {SECONDS:.0f} s"
            report.add("edge.quiet_p99_ms", quiet, "ms", conditions=conditions)
            async with _tunnel(pki.layout.system(ATTACKER, SYSTEM), port, Path(name)) as tunnel:
                ratios = []
                for attack, command in _attacks(port, tunnel, Path(name)).items():
                    if shutil.which(command[0]) is None:
                        continue
                    async with _running(command):
                        under = await _p99_ms(neighbour)
                    ratios.append(under / quiet)
                    report.add(f"edge.{attack}_p99_ms", under, "ms", conditions=f"{conditions}, {command[0]}")
            if ratios:
                report.add(
                    "edge.neighbour_p99_ratio", max(ratios), "x", against="edge.quiet_p99_ms, at most 2",
                    n=len(ratios), conditions="the worst of the attacks above",
                )  # fmt: skip
            report.add(
                "edge.shut_out_ms",
                await _shut_out_ms(pki, port),
                "ms",
                conditions="a connection that calls all the time",
            )
            await channel.close()


def _attacks(port: int, tunnel: int, directory: Path) -> dict[str, list[str]]:
    body = directory / "empty.grpc"
    body.write_bytes(bytes(5))
    seconds = str(int(SECONDS) + 5)
    grpc_call = [
        "-H",
        "content-type: application/grpc",
        "-H",
        "te: trailers",
        "-H",
        "grpc-timeout: 5S",
        "-d",
        str(body),
    ]
    load = ["h2load", "--duration", seconds, "-c", "20", "-m", "20"]
    slow = ["slowhttptest", "-c", "150", "-r", "50", "-l", seconds, "-u", f"http://{LOOPBACK}:{tunnel}/v1/signingKeys"]
    return {
        "flood": [*load, "-p", "h2c", *grpc_call, f"http://{LOOPBACK}:{tunnel}{METHOD}"],
        "handshakes": [*load, f"https://{LOOPBACK}:{port}{METHOD}"],
        "slow_headers": [*slow, "-H", "-i", "2"],
        "slow_body": [*slow, "-B", "-i", "2"],
        "slow_read": [*slow, "-X", "-n", "2", "-z", "16"],
    }


async def _p99_ms(neighbour: TokenServiceStub) -> float:
    """Call at the rate, whether or not the earlier calls are answered; a call that fails counts as the time-out."""
    loop, begin = asyncio.get_running_loop(), time.perf_counter()
    count = int(SECONDS * CALLS_PER_SECOND)

    async def one(number: int) -> float:
        due = begin + number / CALLS_PER_SECOND
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        try:
            await neighbour.GetSigningKeys(GetSigningKeysRequest(), timeout=_TIMEOUT_SECONDS)
        except grpc.aio.AioRpcError:
            return _TIMEOUT_SECONDS * 1000
        return (time.perf_counter() - due) * 1000

    taken = await asyncio.gather(*(loop.create_task(one(number)) for number in range(count)))
    return statistics.quantiles(taken, n=100)[98]


async def _let_in(stub: TokenServiceStub) -> None:
    async with asyncio.timeout(_TIMEOUT_SECONDS):
        while True:
            try:
                await stub.GetSigningKeys(GetSigningKeysRequest(), timeout=1)
                return
            except grpc.aio.AioRpcError:
                await asyncio.sleep(0.1)


async def _shut_out_ms(pki: Pki, port: int) -> float:
    channel = open_channel(
        f"localhost:{port}", Credentials(pki.layout.system(ATTACKER, SYSTEM).key.parent), server_name="localhost"
    )
    stub = TokenServiceStub(channel)
    await _let_in(stub)
    begin = time.perf_counter()
    shutting_out.shut_out(pki.layout, ATTACKER, now=SystemClock().now())
    try:
        async with asyncio.timeout(_TIMEOUT_SECONDS):
            while True:
                await stub.GetSigningKeys(GetSigningKeysRequest(), timeout=_TIMEOUT_SECONDS)
    except grpc.aio.AioRpcError:
        return (time.perf_counter() - begin) * 1000
    finally:
        await channel.close()


@asynccontextmanager
async def _tunnel(files: CredentialFiles, port: int, directory: Path) -> AsyncIterator[int]:
    """An Envoy that takes plain bytes and carries each connection on as the holder of `files`; gives its port."""
    listen = free_port()
    address = {"socket_address": {"address": LOOPBACK, "port_value": port}}
    proxy = {
        "@type": "type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy",
        "stat_prefix": "tunnel",
        "cluster": "gateway",
    }
    context = {
        "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext",
        "sni": "localhost",
        "common_tls_context": {
            "tls_certificates": [
                {"certificate_chain": {"filename": str(files.certificate)}, "private_key": {"filename": str(files.key)}}
            ],
            "validation_context": {"trusted_ca": {"filename": str(files.trust)}},
        },
    }
    configuration = {
        "static_resources": {
            "listeners": [
                {
                    "address": {"socket_address": {"address": LOOPBACK, "port_value": listen}},
                    "filter_chains": [
                        {"filters": [{"name": "envoy.filters.network.tcp_proxy", "typed_config": proxy}]}
                    ],
                }
            ],
            "clusters": [
                {
                    "name": "gateway",
                    "load_assignment": {
                        "cluster_name": "gateway",
                        "endpoints": [{"lb_endpoints": [{"endpoint": {"address": address}}]}],
                    },
                    "transport_socket": {"name": "envoy.transport_sockets.tls", "typed_config": context},
                }
            ],
        }
    }
    path = directory / "tunnel.yaml"
    path.write_text(yaml.safe_dump(configuration), encoding="utf-8")
    async with _running(envoy_command(path)):
        async with asyncio.timeout(_TIMEOUT_SECONDS):
            await _listens(listen)
        yield listen


async def _listens(port: int) -> None:
    while True:
        if not is_free(port):
            return
        await asyncio.sleep(0.05)


@asynccontextmanager
async def _running(command: Sequence[str]) -> AsyncIterator[None]:
    """A program that runs while the body does."""
    silent = asyncio.subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec(*command, stdin=silent, stdout=silent, stderr=silent)
    try:
        yield
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()

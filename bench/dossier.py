"""Dossier transfer against the limits of the machine, and against peers.

1.2 GB in 5,253 files. Every round writes and fsyncs the bytes once, streams them raw, uploads them as a dossier
directly and through the gateway, has rsync and nginx take the same files, and downloads a version; figures are medians
of five rounds. All of it shares the machine's cores: client, gateway, service, PostgreSQL. The files are read from the
page cache in every case. Takes some 20 GB of disk.

CASEMESH_BENCH_BYTES, CASEMESH_BENCH_FILES and CASEMESH_BENCH_ROUNDS make it smaller; CASEMESH_BENCH_DIR chooses the
disk.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from pathlib import Path

from bench import peers
from bench.desk import Desk, service_process
from bench.documents import make_documents
from bench.figures import Report
from bench.limits import raw_sink, stream_raw, write_and_sync, write_uncached
from bench.memory import watched
from casemesh.client.dossier_upload import LocalDocument
from casemesh.local.platform import running_platform

BYTES = int(os.environ.get("CASEMESH_BENCH_BYTES", "1200000000"))
FILES = int(os.environ.get("CASEMESH_BENCH_FILES", "5253"))
ROUNDS = int(os.environ.get("CASEMESH_BENCH_ROUNDS", "5"))
HANDOVERS = 50

Ways = dict[str, Callable[[], Awaitable[float]]]


async def measure(report: Report) -> None:
    """Measure everything of this module."""
    folder = os.environ.get("CASEMESH_BENCH_DIR")
    with tempfile.TemporaryDirectory(prefix="casemesh-bench-", dir=folder) as scratch:
        documents = make_documents(Path(scratch) / "documents", BYTES, FILES)
        async with running_platform(Path(scratch) / "data", gateway_port=0) as addresses:
            desk = await Desk.enrol(addresses)
            await _measure_transfers(report, desk, documents, Path(scratch))
            await _measure_handover(report, desk, documents)


async def _measure_transfers(report: Report, desk: Desk, documents: list[LocalDocument], scratch: Path) -> None:
    service = service_process("dossier")
    received = scratch / "received"
    async with raw_sink(desk) as sink:
        with ExitStack() as stack:
            ways: Ways = {
                "disk": lambda: asyncio.to_thread(write_and_sync, documents, scratch / "disk.bin"),
                "disk_uncached": lambda: asyncio.to_thread(write_uncached, documents, scratch / "disk.bin"),
                "raw.direct": lambda: stream_raw(desk, sink.direct, "dossier.casemesh.svc", "gateway", documents),
                "raw.gateway": lambda: stream_raw(desk, sink.gateway, "localhost", None, documents),
                "upload.direct": lambda: desk.timed_upload(desk.direct_metadata, desk.dossiers, documents),
                "upload.gateway": lambda: desk.timed_upload(desk.gateway_metadata, desk.through_gateway, documents),
                **_peers(stack, desk, documents, scratch),
                "download.gateway": lambda: _download(desk, version, received),
            }
            # Once without counting: imports, connections, the first case key.
            await desk.timed_upload(desk.gateway_metadata, desk.through_gateway, documents[:3])
            version = await desk.version(documents)
            while await desk.unexamined(version):  # noqa: ASYNC110 - the work of another process
                await asyncio.sleep(1)
            idle, peak = service.memory_info().rss, 0
            seconds: dict[str, list[float]] = {way: [] for way in ways}
            for _ in range(ROUNDS):
                for way, run in ways.items():
                    with watched(service) as memory:
                        seconds[way].append(await run())
                    if way.startswith("upload"):
                        peak = max(peak, memory.peak)
    _report_transfers(report, seconds)
    told = "the service while one upload of this size runs, over idle"
    report.add("dossier.upload.rss_growth_mib", (peak - idle) / 2**20, "MiB", n=2 * ROUNDS, conditions=told)


def _peers(stack: ExitStack, desk: Desk, documents: list[LocalDocument], scratch: Path) -> Ways:
    if peers.missing():
        print(f"peers are left out, since these programs are not here: {', '.join(peers.missing())}")
        return {}
    mesh = Path(desk.addresses.pki) / "mesh"
    rsync = stack.enter_context(peers.rsync_peer(scratch))
    nginx = stack.enter_context(peers.nginx_peer(scratch, mesh / "dossier", mesh / "gateway"))
    return {
        "peer.rsync": lambda: asyncio.to_thread(rsync.send, documents[0].path.parent),
        "peer.nginx": lambda: asyncio.to_thread(nginx.send, documents),
    }


async def _download(desk: Desk, version: str, folder: Path) -> float:
    """Seconds to fetch a version into an empty folder, durably and every document's digest checked."""
    started = time.perf_counter()
    await desk.download(version, folder)
    elapsed = time.perf_counter() - started
    await asyncio.to_thread(shutil.rmtree, folder)
    return elapsed


def _report_transfers(report: Report, seconds: dict[str, list[float]]) -> None:
    at = {way: statistics.median(times) for way, times in seconds.items()}
    told = f"{BYTES / 1e9:g} GB in {FILES} files, durable and verified; client, gateway and service on the same cores"
    for way, value in at.items():
        spread = f"{min(seconds[way]):.2f} to {max(seconds[way]):.2f} s; {BYTES / value / 1e6:.0f} MB/s"
        report.add(f"dossier.{way}_seconds", value, "s", n=ROUNDS, conditions=f"{told}; {spread}")
    for hops in ("direct", "gateway"):
        upload, raw = at[f"upload.{hops}"], f"raw.{hops}"
        limit = max(("disk", raw), key=lambda way: at[way])
        # The stream alone as well: where the disk is the limit, it hides what the upload costs in processor time.
        for name, against in (("limit", limit), ("raw", raw)):
            report.add(
                f"dossier.upload.{hops}_vs_{name}", upload / at[against], "ratio",
                against=f"dossier.{against}_seconds", n=ROUNDS, conditions=told,
            )  # fmt: skip
    for name, way, against in (
        ("dossier.upload.vs_rsync", "upload.gateway", "peer.rsync"),
        ("dossier.upload.vs_nginx", "upload.gateway", "peer.nginx"),
        ("dossier.download.vs_upload", "download.gateway", "upload.gateway"),
    ):
        if against in at:
            report.add(
                name, at[way] / at[against], "ratio", against=f"dossier.{against}_seconds", n=ROUNDS, conditions=told
            )  # fmt: skip


async def _measure_handover(report: Report, desk: Desk, documents: list[LocalDocument]) -> None:
    for name, some in (("dossier.handover.p50_ms", documents), ("dossier.handover.small_p50_ms", documents[:3])):
        version = await desk.version(some)
        times = []
        for _ in range(HANDOVERS):
            started = time.perf_counter()
            await desk.grant(version)
            times.append((time.perf_counter() - started) * 1000)
        told = f"a grant of {len(some)} documents to another agency, direct"
        report.add(name, statistics.median(times), "ms", n=HANDOVERS, conditions=told)

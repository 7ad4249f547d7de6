"""Dossier transfer against the limits of the machine, and against peers.

1.2 GB in 5,253 files. Every round writes and fsyncs the bytes once, streams them raw, uploads them as a dossier
directly and through the gateway, has rsync and nginx take the same files, and downloads a version; figures are medians
of five rounds. All of it shares the machine's cores: client, gateway, service, PostgreSQL. The files are read from the
page cache in every case. Nothing that arrived is deleted before the end, since ext4 passes over the inodes of files
deleted in the last minutes one by one, and whoever creates files next would pay for it. Takes some 40 GB of disk.

CASEMESH_BENCH_BYTES, CASEMESH_BENCH_FILES and CASEMESH_BENCH_ROUNDS make it smaller; CASEMESH_BENCH_DIR chooses the
disk.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from bench import peers
from bench.desk import TIMEOUT, Desk, WithMetadata, service_process
from bench.documents import make_documents
from bench.figures import Report
from bench.limits import raw_sink, stream_raw, write_and_sync, write_uncached
from bench.memory import watched
from casemesh.client.dossier_upload import LocalDocument, finalize_dossier, upload_documents
from casemesh.core.ids import new_id
from casemesh.dossier.v1 import dossier_service_pb2 as dossier_pb
from casemesh.local.platform import running_platform

BYTES = int(os.environ.get("CASEMESH_BENCH_BYTES", "1200000000"))
FILES = int(os.environ.get("CASEMESH_BENCH_FILES", "5253"))
ROUNDS = int(os.environ.get("CASEMESH_BENCH_ROUNDS", "5"))
HANDOVERS = 50
RESUMES = 3

Ways = dict[str, Callable[[], Awaitable[float]]]


async def measure(report: Report) -> None:
    """Measure everything of this module."""
    folder = os.environ.get("CASEMESH_BENCH_DIR")
    with tempfile.TemporaryDirectory(prefix="casemesh-bench-", dir=folder) as scratch:
        documents = make_documents(Path(scratch) / "documents", BYTES, FILES)
        async with running_platform(Path(scratch) / "data", gateway_port=0) as addresses:
            desk = await Desk.enrol(addresses)
            await _measure_transfers(report, desk, documents, Path(scratch))
            await _measure_resumes(report, desk, documents, Path(scratch) / "whole")
            await _measure_handover(report, desk, documents)


async def _measure_transfers(report: Report, desk: Desk, documents: list[LocalDocument], scratch: Path) -> None:
    service = service_process("dossier")
    received = (scratch / f"received-{number}" for number in itertools.count())
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
                "download.gateway": lambda: _download(desk, version, next(received)),
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
                    await desk.log_in()
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
    return time.perf_counter() - started


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


async def _measure_resumes(report: Report, desk: Desk, documents: list[LocalDocument], folder: Path) -> None:
    """Seconds to find that a transfer is finished: the sender hashes each file, the recipient looks it up."""
    dossiers: Any = WithMetadata(desk.through_gateway, desk.gateway_metadata)
    request = dossier_pb.CreateDossierRequest(request_id=new_id(), case=desk.case, title="bench")
    dossier = (await dossiers.CreateDossier(request, timeout=TIMEOUT)).dossier.name
    upload_id, times = new_id(), []
    for _ in range(1 + RESUMES):
        await desk.log_in()
        started = time.perf_counter()
        uploaded = await upload_documents(dossiers, dossier, documents, upload_id=upload_id)
        times.append(time.perf_counter() - started)
    told = f"{BYTES / 1e9:g} GB in {FILES} files, all of it there already, through the gateway"
    report.add("dossier.resume.upload_seconds", statistics.median(times[1:]), "s", n=RESUMES, conditions=told)
    version = (await finalize_dossier(dossiers, uploaded, request_id=new_id())).name
    times = [await _download(desk, version, folder) for _ in range(1 + RESUMES)]
    report.add("dossier.resume.download_seconds", statistics.median(times[1:]), "s", n=RESUMES, conditions=told)


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

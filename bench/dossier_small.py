"""Many small files: 20,000 of 10 KiB, as a dossier through the gateway and by the peers, in one run."""

from __future__ import annotations

import asyncio
import os
import statistics
import tempfile
from contextlib import ExitStack
from pathlib import Path

from bench import peers
from bench.desk import Desk
from bench.documents import make_documents
from bench.figures import Report
from casemesh.local.platform import running_platform

FILES = int(os.environ.get("CASEMESH_BENCH_SMALL_FILES", "20000"))
ROUNDS = 3
FILE_BYTES = 10 << 10


async def measure(report: Report) -> None:
    """Measure everything of this module."""
    if peers.missing():
        print(f"small files are left out, since these programs are not here: {', '.join(peers.missing())}")
        return
    folder = os.environ.get("CASEMESH_BENCH_DIR")
    with tempfile.TemporaryDirectory(prefix="casemesh-bench-", dir=folder) as name:
        scratch = Path(name)
        documents = make_documents(scratch / "documents", FILES * FILE_BYTES, FILES)
        async with running_platform(scratch / "data", gateway_port=0) as addresses:
            desk = await Desk.enrol(addresses)
            mesh = Path(addresses.pki) / "mesh"
            with ExitStack() as stack:
                rsync = stack.enter_context(peers.rsync_peer(scratch))
                nginx = stack.enter_context(peers.nginx_peer(scratch, mesh / "dossier", mesh / "gateway"))
                await desk.timed_upload(desk.gateway_metadata, desk.through_gateway, documents[:3])
                seconds: dict[str, list[float]] = {"upload": [], "rsync": [], "nginx": []}
                for _ in range(ROUNDS):
                    upload = desk.timed_upload(desk.gateway_metadata, desk.through_gateway, documents)
                    seconds["upload"].append(await upload)
                    seconds["rsync"].append(await asyncio.to_thread(rsync.send, documents[0].path.parent))
                    seconds["nginx"].append(await asyncio.to_thread(nginx.send, documents))
    at = {way: statistics.median(times) for way, times in seconds.items()}
    told = f"{FILES} files of {FILE_BYTES >> 10} KiB on average, through the gateway, durable"
    for way, value in at.items():
        report.add(f"dossier.small.{way}_seconds", value, "s", n=ROUNDS, conditions=told)
    for peer in ("rsync", "nginx"):
        report.add(
            f"dossier.small.vs_{peer}", at["upload"] / at[peer], "ratio",
            against=f"dossier.small.{peer}_seconds", n=ROUNDS, conditions=told,
        )  # fmt: skip

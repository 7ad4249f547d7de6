"""The dossier service's memory while eight transfers run at once: four uploads and four downloads."""

from __future__ import annotations

import asyncio
import os
import tempfile
from pathlib import Path

from bench.desk import Desk, service_process
from bench.documents import make_documents
from bench.figures import Report
from bench.memory import watched
from casemesh.local.platform import running_platform

BYTES = int(os.environ.get("CASEMESH_BENCH_BYTES", "1200000000")) // 4
FILES = 1000


async def measure(report: Report) -> None:
    """Measure everything of this module."""
    folder = os.environ.get("CASEMESH_BENCH_DIR")
    with tempfile.TemporaryDirectory(prefix="casemesh-bench-", dir=folder) as name:
        scratch = Path(name)
        documents = make_documents(scratch / "documents", BYTES, FILES)
        async with running_platform(scratch / "data", gateway_port=0) as addresses:
            desk = await Desk.enrol(addresses)
            service = service_process("dossier")
            # Idle is what stays after one of each: imports, connections, buffers that are kept, readers of documents.
            version = await desk.version(documents)
            await desk.download(version, scratch / "warm")
            while await desk.unexamined(version):  # noqa: ASYNC110 - the work of another process
                await asyncio.sleep(1)
            idle = service.memory_info().rss
            with watched(service) as memory:
                await asyncio.gather(
                    *(desk.timed_upload(desk.gateway_metadata, desk.through_gateway, documents) for _ in range(4)),
                    *(desk.download(version, scratch / f"received-{number}") for number in range(4)),
                )
    told = f"4 uploads and 4 downloads of {BYTES / 1e6:g} MB at once through the gateway, over idle after one of each"
    report.add("dossier.memory.eight_transfers_mib", (memory.peak - idle) / 2**20, "MiB", n=8, conditions=told)

"""What a byte costs in an upload from 10 MB to CASEMESH_BENCH_LARGEST (20 GB), in files of 1 MB on average.

Not among the default benchmarks: at the full size it needs some 60 GB of disk and several minutes.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from bench.desk import Desk, service_process
from bench.documents import make_documents
from bench.figures import Report
from bench.memory import watched
from casemesh.local.platform import running_platform

LARGEST = int(os.environ.get("CASEMESH_BENCH_LARGEST", "20000000000"))
FILE_BYTES = 1_000_000


async def measure(report: Report) -> None:
    """Measure everything of this module."""
    folder = os.environ.get("CASEMESH_BENCH_DIR")
    with tempfile.TemporaryDirectory(prefix="casemesh-bench-", dir=folder) as name:
        scratch = Path(name)
        documents = make_documents(scratch / "documents", LARGEST, LARGEST // FILE_BYTES)
        async with running_platform(scratch / "data", gateway_port=0) as addresses:
            desk = await Desk.enrol(addresses)
            service = service_process("dossier")
            await desk.timed_upload(desk.gateway_metadata, desk.through_gateway, documents[:3])
            idle = service.memory_info().rss
            for size in _sizes():
                some = documents[: size // FILE_BYTES]
                sent = sum(item.path.stat().st_size for item in some)
                await desk.log_in()
                with watched(service) as memory:
                    elapsed = await desk.timed_upload(desk.gateway_metadata, desk.through_gateway, some)
                told = f"{size / 1e9:g} GB in files of about 1 MB through the gateway, once"
                label = f"dossier.scale.{size // 1_000_000}_mb"
                report.add(f"{label}_ns_per_byte", elapsed / sent * 1e9, "ns", conditions=told)
                report.add(f"{label}_rss_growth_mib", (memory.peak - idle) / 2**20, "MiB", conditions=told)


def _sizes() -> list[int]:
    sizes = [10_000_000]
    while sizes[-1] < LARGEST:
        sizes.append(min(sizes[-1] * 10, LARGEST))
    return sizes

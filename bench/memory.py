"""How large a process gets."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psutil


@dataclass
class Memory:
    """The largest resident size seen."""

    peak: int = 0


@contextmanager
def watched(process: psutil.Process) -> Iterator[Memory]:
    """Watch a process's resident size while the body runs, ten times a second."""
    memory = Memory()

    async def watch() -> None:
        while True:
            memory.peak = max(memory.peak, process.memory_info().rss)
            await asyncio.sleep(0.1)

    task = asyncio.create_task(watch())
    try:
        yield memory
    finally:
        memory.peak = max(memory.peak, process.memory_info().rss)
        task.cancel()

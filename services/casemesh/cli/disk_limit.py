"""What the disk alone takes for the same bytes: the measure of a transfer."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path

_BLOCK_BYTES = 1 << 20


def seconds_to_write(sources: Sequence[Path], target: Path) -> float:
    """Write the bytes of `sources` one after another to `target`, fsync it, remove it; return the seconds that took.

    Reading is not counted. The bytes are the real ones, so that a disk that compresses gains as much here as there.
    """
    buffer = memoryview(bytearray(_BLOCK_BYTES))
    seconds = 0.0
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        for source in sources:
            with source.open("rb", buffering=0) as file:
                while length := file.readinto(buffer):
                    began = time.monotonic()
                    _write_all(descriptor, buffer[:length])
                    seconds += time.monotonic() - began
        began = time.monotonic()
        os.fsync(descriptor)
        return seconds + time.monotonic() - began
    finally:
        os.close(descriptor)
        target.unlink()


def _write_all(descriptor: int, data: memoryview) -> None:
    while data:
        data = data[os.write(descriptor, data) :]

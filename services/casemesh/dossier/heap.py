"""How the C library's allocator treats a service through which megabytes flow.

Messages of a megabyte are made in one thread and freed in another. Left alone, glibc keeps an arena for every thread
and asks the kernel for each buffer anew: the service seems to grow with every upload, and a good part of its time goes
into clearing pages.
"""

from __future__ import annotations

import ctypes
from functools import cache
from typing import Any, Final

# Numbers of mallopt(3).
_TRIM_THRESHOLD: Final = -1
_MMAP_THRESHOLD: Final = -3
_ARENA_MAX: Final = -8
# Above any message, so that none is mapped and unmapped by itself; below it at the end of an arena, memory is kept.
_LARGEST_BUFFER_BYTES: Final = 6 << 20
# Enough for the messages of a few streams: given back at once, each page would be cleared anew for the next message.
_KEPT_BYTES: Final = 32 << 20


def expect_large_buffers() -> None:
    """Keep some freed memory at hand, in two arenas for all threads. Call it early; does nothing without glibc."""
    mallopt = _function("mallopt")
    if mallopt is not None:
        mallopt(_ARENA_MAX, 2)
        mallopt(_MMAP_THRESHOLD, _LARGEST_BUFFER_BYTES)
        mallopt(_TRIM_THRESHOLD, _KEPT_BYTES)


def release_free_memory() -> None:
    """Give freed memory back to the system; does nothing without glibc. Takes milliseconds: not for the event loop."""
    trim = _function("malloc_trim")
    if trim is not None:
        trim(0)


@cache
def _function(name: str) -> Any:
    return getattr(ctypes.CDLL(None), name, None)

"""Gives memory that a transfer has freed back to the system."""

from __future__ import annotations

import ctypes
from functools import cache
from typing import Any


def release_free_memory() -> None:
    """Return what the C library keeps of freed memory; does nothing where the library is not glibc.

    Messages of a megabyte are made in one thread and freed in another; glibc keeps an arena for each and gives little
    back, so that a service would seem to grow with every upload. Takes some milliseconds; not for the event loop.
    """
    trim = _malloc_trim()
    if trim is not None:
        trim(0)


@cache
def _malloc_trim() -> Any:
    return getattr(ctypes.CDLL(None), "malloc_trim", None)

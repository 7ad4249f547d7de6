"""Pages that fit a message."""

from __future__ import annotations

from collections.abc import Sequence

from google.protobuf.message import Message

from casemesh.core.units import MIB

PAGE_MAX_BYTES = 3 * MIB + MIB // 2
"""Most bytes of one page; below the 4 MiB of a message and above the largest single record."""


def fitting(items: Sequence[Message], budget: int = PAGE_MAX_BYTES) -> int:
    """Return how many of the first items fit one page together; at least one where there is any."""
    total = 0
    for count, item in enumerate(items):
        total += item.ByteSize() + 16  # tag and length beside each
        if total > budget and count:
            return count
    return len(items)

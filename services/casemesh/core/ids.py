"""Identifiers: lowercase UUIDv7, made here because PostgreSQL 15 has no function for them.

Source: RFC 9562, section 5.7.
"""

from __future__ import annotations

import os
import re
import time
import uuid

UUID_PATTERN = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_UUID = re.compile(UUID_PATTERN)


def new_id() -> str:
    """Return a new UUIDv7: 48 bits of Unix milliseconds, then 74 random bits.

    It reveals the millisecond it was made in and nothing else. Two made in one millisecond have no order.
    """
    milliseconds = time.time_ns() // 1_000_000
    value = (milliseconds << 80) | int.from_bytes(os.urandom(10), "big")
    value = value & ~(0xF << 76) | (0x7 << 76)
    value = value & ~(0x3 << 62) | (0x2 << 62)
    return str(uuid.UUID(int=value))


def is_uuid(text: str) -> bool:
    """Say whether `text` is a UUID in lowercase hexadecimal with hyphens, of any version."""
    return _UUID.fullmatch(text) is not None

"""Durations and sizes as people write them: "30s", "4MiB"."""

from __future__ import annotations

import re

MIB = 1024 * 1024
GIB = 1024 * MIB
_DURATION = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_SIZE = {"B": 1, "KiB": 1024, "MiB": MIB, "GiB": GIB, "KB": 1000, "MB": 1000**2, "GB": 1000**3}
_QUANTITY = re.compile(r"(\d+(?:\.\d+)?)\s*([A-Za-z]+)")


def parse_duration(text: str) -> float:
    """Return seconds from "250ms", "30s", "5m", "2h" or "1d".

    Raises ValueError that names the text and the units allowed.
    """
    return _parse(text, _DURATION)


def parse_size(text: str) -> int:
    """Return bytes from "512B", "4MiB", "20GB" and the like.

    Raises ValueError that names the text and the units allowed.
    """
    return int(_parse(text, {unit: float(factor) for unit, factor in _SIZE.items()}))


def format_size(size_bytes: float) -> str:
    """Return a size for people, in decimal units as disks and networks are sold."""
    for unit, factor in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if size_bytes >= factor:
            return f"{size_bytes / factor:.1f} {unit}"
    return f"{size_bytes:.0f} B"


def _parse(text: str, units: dict[str, float]) -> float:
    match = _QUANTITY.fullmatch(text.strip())
    if match is None or match[2] not in units:
        raise ValueError(f"{text!r} is not a number with one of the units {', '.join(units)}")
    return float(match[1]) * units[match[2]]

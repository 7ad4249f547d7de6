"""Room on the disks that a service writes to."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import psutil

from casemesh.core.units import format_size
from casemesh.local.doctor.findings import Finding, soon, well, wrong

LEAST_BYTES: Final = 2 << 30
SOON_SHARE: Final = 0.10


def examine_disk(subject: str, folder: Path) -> Finding:
    """Return whether a folder is there and has room: wrong below 2 GiB, soon below a tenth of the disk."""
    try:
        usage = psutil.disk_usage(str(folder))
    except OSError as error:
        return wrong("disk", subject, f"{folder}: {error.strerror}", "make the folder or mount the volume  挂载存储卷")
    free = f"{folder}: {format_size(usage.free)} free"
    room = "make room or enlarge the volume; for dossiers: casemeshd dossier fsck --config FILE  扩容或清理"
    if usage.free < LEAST_BYTES:
        return wrong("disk", subject, free, room)
    if usage.free < SOON_SHARE * usage.total:
        return soon("disk", subject, free, room)
    return well("disk", subject, free)

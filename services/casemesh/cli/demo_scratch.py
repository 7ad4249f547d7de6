"""Where the demo works: a folder of its own with room enough, removed in the end."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from casemesh.cli.invocation import Failure
from casemesh.cli.output import Output
from casemesh.core.units import format_size

# The dossier itself, the platform's packs, the disk's measure and the recipient's copy, with some room.
_COPIES = 4.2
_PLATFORM_BYTES = 1 << 29


@contextmanager
def scratch_folder(beside: Path | None, output: Output, *, keep: bool) -> Iterator[Path]:
    """Give an empty folder, in `beside` if it is not None, and remove it afterwards unless `keep`."""
    if beside is not None:
        beside.mkdir(parents=True, exist_ok=True)
    path = Path(tempfile.mkdtemp(prefix="casemesh-demo-", dir=beside or _parent()))
    try:
        yield path
    finally:
        if keep:
            output.notice("demo.kept", path=path)
        else:
            shutil.rmtree(path, ignore_errors=True)


def require_space(folder: Path, dossier_bytes: int) -> None:
    """Return if the disk of `folder` can hold the demo; raises Failure (exit code 4)."""
    needed, free = int(dossier_bytes * _COPIES) + _PLATFORM_BYTES, shutil.disk_usage(folder).free
    if free < needed:
        raise Failure(4, "demo.no_space", path=folder, needed=format_size(needed), free=format_size(free))


def folder_bytes(folder: Path) -> int:
    """Return the sum of the sizes of all files below a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _parent() -> str:
    if chosen := os.environ.get("TMPDIR"):
        return chosen
    # Often /tmp is memory; /var/tmp is not (Filesystem Hierarchy Standard 3.0, section 5.15).
    return "/var/tmp" if os.access("/var/tmp", os.W_OK) else tempfile.gettempdir()  # noqa: S108

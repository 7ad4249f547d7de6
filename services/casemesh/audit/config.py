"""Configuration of the audit service."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from casemesh.runtime.host import HostConfig


@dataclass(frozen=True)
class Config(HostConfig):
    """What the audit service reads at its start."""

    signing: Path = field(kw_only=True)
    """Folder with `signing.pem` and `signing.key`, the log's own document-signing key. No other service may read it."""
    origin: str = field(kw_only=True)
    """The log's name in its checkpoints, e.g. `casemesh.example/audit`: no spaces, no plus. Fixed for its life."""
    last_checkpoint: Path | None = field(default=None, kw_only=True)
    """A file, outside the database and of this process alone, for the last checkpoint signed. With it, a database put
    back from an older backup is noticed across a restart. Without it only while the process lives."""

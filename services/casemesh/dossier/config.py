"""Configuration of the dossier service."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from casemesh.runtime.host import HostConfig


@dataclass(frozen=True)
class Config(HostConfig):
    """What the dossier service reads at its start."""

    store: Path = field(kw_only=True)
    """Folder of the packs. On a disk of its own where that can be had: it takes every byte of every dossier, once."""
    signing: Path = field(kw_only=True)
    """Folder with `signing.pem` and `signing.key`, the document-signing key of manifests."""
    wrapping_key: Path = field(kw_only=True)
    """File of 32 random bytes, mode 0600, that wraps the cases' data keys. Lost, every dossier is lost: back it up."""

"""Configuration of the translation service."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from casemesh.runtime.host import HostConfig


@dataclass(frozen=True)
class Config(HostConfig):
    """What the translation service reads at its start."""

    pack_roots: Path | None = field(default=None, kw_only=True)
    """PEM certificates that signers of packs descend from. Default none: then only unsigned packs load, each by the
    operator's explicit word. Read at each import, so that a rotation needs no restart."""
    pack_signer: str = field(default="", kw_only=True)
    """The URI name that must have signed, e.g. `spiffe://mesh.casemesh/signing/packs`. Default any under the roots; set
    it where the same root also certifies others."""
    four_eyes: bool = field(default=False, kw_only=True)
    """Whether a version is activated by another administrator than the one who loaded it. Default false: one person
    runs one machine. With it versions load as drafts alone."""

"""Configuration of the routing service."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from casemesh.runtime.config import Duration
from casemesh.runtime.host import HostConfig

_LEASE = Duration(30)


@dataclass(frozen=True)
class Config(HostConfig):
    """What routing needs beyond what every service has."""

    lease: Duration = _LEASE
    """How long a receiver may take to store a delivery before it comes again. Default 30s: a heavy exchange over a slow
    line, and no long silence after a receiver that died."""
    organ_code_systems: Path | None = None
    """A CSV file (organ,subject,code_system) that says which table of codes each kind of organ uses, in place of the
    one that ships. Default none; a site that loads its own tables names them here."""

"""Configuration of the supervision service."""

from __future__ import annotations

from dataclasses import dataclass

from casemesh.runtime.config import Duration
from casemesh.runtime.host import HostConfig

_ONE_DAY = Duration(24 * 3600)
_ONE_SECOND = Duration(1)


@dataclass(frozen=True)
class Config(HostConfig):
    """What supervision needs beyond what every service has. It has no signing key."""

    escalate_after: Duration = _ONE_DAY
    """How long a warning may wait for somebody to take it up before it is put before supervisors. Default 24h: one
    working day. More than 0."""
    settle: Duration = _ONE_SECOND
    """How long after a change a case is evaluated: what one step brings about is evaluated together, and a case in
    which much happens no more often than this. Default 1s; 0 evaluates at once."""
    evaluations_at_once: int = 8
    """How many cases a process evaluates side by side. Default 8, at least 1: most of an evaluation is waiting for
    routing and the database."""

"""Configuration of the routing service."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from casemesh.runtime.config import Duration
from casemesh.runtime.host import HostConfig

_LEASE = Duration(30)
_UNDELIVERED_AFTER = Duration(24 * 3600)
_QUERY_RETENTION = Duration(30 * 24 * 3600)


@dataclass(frozen=True)
class Config(HostConfig):
    """What routing needs beyond what every service has."""

    lease: Duration = _LEASE
    """How long a receiver may take to store a delivery before it comes again. Default 30s: a heavy exchange over a slow
    line, and no long silence after a receiver that died."""
    max_attempts: int = 8
    """How often a delivery is put before its recipient, with growing pauses, before it is set aside and its sender
    told. Default 8, at least 1: a receiver that was down for some minutes misses none."""
    undelivered_after: Duration = _UNDELIVERED_AFTER
    """How long a delivery may wait before its sender is told that it has not arrived. It goes on waiting. Default
    24h: a recipient that does not receive over one working day is found."""
    signing: Path = field(kw_only=True)
    """Folder with `signing.pem` and `signing.key`, the document-signing key of receipts."""
    query_retention: Duration = _QUERY_RETENTION
    """How long questions to data services and their answers are kept once they are closed; their hashes and events
    stay. Default 720h: they hold what is known of persons, and whoever needed an answer has stored it by then."""
    second_look_on_nodes: bool = False
    """Whether a version of the node catalogue must be activated by another administrator than the one who imported it.
    Default false: a site with one administrator could change nothing."""
    hold_unmapped_at: tuple[str, ...] = ()
    """Codes of nodes whose exchanges wait while one of their codes has no counterpart in the recipient's table and
    nobody has decided on it. Default none: the original goes on, marked. Name no node that a person's liberty hangs
    on, since what waits for an administrator reaches nobody."""
    organ_code_systems: Path | None = None
    """A CSV file (organ,subject,code_system) that says which table of codes each kind of organ uses, in place of the
    one that ships. Default none; a site that loads its own tables names them here."""

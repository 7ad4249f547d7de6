"""Configuration of the audit service."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from casemesh.audit.cosigning import WitnessPolicy
from casemesh.client.cosignatures import WitnessKey
from casemesh.client.notes import NoteError
from casemesh.runtime.config import ConfigError, Duration
from casemesh.runtime.host import HostConfig

_HALF_MINUTE = Duration(30)
_FIVE_MINUTES = Duration(300)
_THREE_YEARS = Duration(3 * 365 * 86_400)


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
    witnesses: tuple[str, ...] = field(default=(), kw_only=True)
    """Verifier keys of the log witnesses whose cosignatures count, as `casemesh log-witness init` prints them; each
    must have come from its agency by another way than the platform."""
    witness_quorum: int = field(default=0, kw_only=True)
    """How many of them must cosign a checkpoint: 0, which asks for none, to the number of witnesses. Default 0."""
    cosigning_round: Duration = field(default=_HALF_MINUTE, kw_only=True)
    """How long one checkpoint is the one to cosign. Default 30s: witnesses that ask at least as often meet on it."""
    quorum_within: Duration = field(default=_FIVE_MINUTES, kw_only=True)
    """How long an entry may wait for a checkpoint with a quorum before the service says that it lacks one. Default 5m:
    several rounds, so that one witness that restarts is no alarm."""

    keep_readings: Duration = field(default=_THREE_YEARS, kw_only=True)
    """How long the texts of readings must be kept before they may be shredded. Default 94608000s, three years: a site
    sets what its rules on keeping records ask for."""

    def __post_init__(self) -> None:
        names = {key.name for key in self._witness_keys()}
        if len(names) != len(self.witnesses):
            raise ConfigError("witnesses must have different names")
        if not 0 <= self.witness_quorum <= len(names):
            raise ConfigError(f"witness_quorum must be from 0 to {len(names)}, not {self.witness_quorum}")
        if self.cosigning_round < 1:
            raise ConfigError("cosigning_round must be at least 1s")

    @property
    def witness_policy(self) -> WitnessPolicy:
        """Whose cosignatures count, and how many make a quorum."""
        return WitnessPolicy(
            self._witness_keys(),
            self.witness_quorum,
            timedelta(seconds=self.cosigning_round),
            timedelta(seconds=self.quorum_within),
        )

    def _witness_keys(self) -> tuple[WitnessKey, ...]:
        try:
            return tuple(WitnessKey.parse(text) for text in self.witnesses)
        except NoteError as error:
            raise ConfigError(f"witnesses: {error}") from error

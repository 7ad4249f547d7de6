"""Configuration of the translation service."""

from __future__ import annotations

from dataclasses import dataclass

from casemesh.runtime.host import HostConfig


@dataclass(frozen=True)
class Config(HostConfig):
    """What the translation service reads at its start: nothing beyond what every service does."""

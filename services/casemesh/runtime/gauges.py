"""What a process reads of itself every 15 seconds: how far its outbox is behind, how long its certificate holds."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

import structlog
from cryptography import x509

from casemesh.core.clock import Clock
from casemesh.runtime.instruments import gauge
from casemesh.runtime.outbox import OutboxRelay

log = structlog.get_logger(__name__)

Gauges = Callable[[], Awaitable[Mapping[str, float]]]
_INTERVAL_SECONDS: Final = 15.0
_DAY_SECONDS: Final = 86_400.0


async def report_gauges(sources: Sequence[Gauges]) -> None:
    """Record what the sources say until cancelled. One that fails keeps its last value; no failure ends the report."""
    while True:
        for source in sources:
            try:
                for name, value in (await source()).items():
                    gauge(name).set(value)
            except Exception as error:
                log.warning("gauges.unread", error=type(error).__name__)
        await asyncio.sleep(_INTERVAL_SECONDS)


def outbox_gauges(relay: OutboxRelay, clock: Clock) -> Gauges:
    """Return how many events wait in an outbox and since when."""

    async def read() -> Mapping[str, float]:
        waiting, oldest = await relay.lag()
        lag = 0.0 if oldest is None else max(0.0, (clock.now() - oldest).total_seconds())
        return {"casemesh.outbox.waiting": waiting, "casemesh.outbox.lag": lag}

    return read


def certificate_gauge(directory: Path, clock: Clock) -> Gauges:
    """Return the days that are left of the certificate of a `TlsConfig` directory."""

    async def read() -> Mapping[str, float]:
        leaf = x509.load_pem_x509_certificates((directory / "tls.pem").read_bytes())[0]
        left = (leaf.not_valid_after_utc - clock.now()).total_seconds() / _DAY_SECONDS
        return {"casemesh.certificate.left": left}

    return read

"""All checks of a deployment, from inside it: with the files and the network that the services themselves have."""

from __future__ import annotations

import importlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from casemesh.audit.last_checkpoint import LastCheckpoint
from casemesh.core.clock import Clock
from casemesh.local.doctor.certificates import examine_certificate
from casemesh.local.doctor.databases import examine_database, examine_log
from casemesh.local.doctor.findings import Finding, well, wrong
from casemesh.local.doctor.machine import examine_disk
from casemesh.local.doctor.peers import examine_gateway, examine_peer
from casemesh.pki.names import SERVICES
from casemesh.runtime.config import ConfigError, load


async def examine(configs: Path, clock: Clock, gateway: str = "") -> AsyncIterator[Finding]:
    """Yield what every check says of the services whose `NAME.toml` lie in `configs`: all of them on one machine, one
    in a pod. `gateway` is `host:port`; empty leaves it out.

    Nothing is changed, and nothing is kept. It takes as long as what does not answer: 10 s for a database, 3 s for a
    peer.
    """
    found = [service for service in SERVICES if (configs / f"{service}.toml").exists()]
    if not found:
        yield wrong(
            "configuration", str(configs), "no service's configuration is there",
            "name the folder that holds NAME.toml: --config-folder  指定配置目录",
        )  # fmt: skip
    trust: Path | None = None
    for service in found:
        try:
            config = load(configs / f"{service}.toml", importlib.import_module(f"casemesh.{service}.config").Config)
        except ConfigError as error:
            yield wrong(
                "configuration", service, str(error),
                f"casemeshd validate-config {service} --config FILE says what is allowed  修正配置文件",
            )  # fmt: skip
            continue
        yield well("configuration", service, "is valid")
        trust = trust or config.tls.directory / "ca.pem"
        async for finding in _examine_service(service, config, clock):
            yield finding
    if gateway and trust is not None:
        yield await examine_gateway(gateway, trust)


async def _examine_service(service: str, config: Any, clock: Clock) -> AsyncIterator[Finding]:
    for finding in examine_certificate(config.tls.directory, service, clock.now()):
        yield finding
    if (signing := getattr(config, "signing", None)) is not None:
        for finding in examine_certificate(signing, f"{service} signing", clock.now(), "signing"):
            yield finding
    async for finding in examine_database(service, config.database, clock):
        yield finding
    if (remembered := getattr(config, "last_checkpoint", None)) is not None:
        yield await examine_log(config.database, LastCheckpoint(remembered).note)
    if (store := getattr(config, "store", None)) is not None:
        yield examine_disk(service, store)
    for peer, address in config.peers.items():
        yield await examine_peer(service, peer, address, config.tls.directory)

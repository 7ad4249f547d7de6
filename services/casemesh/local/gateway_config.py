"""The gateway's configuration in a cluster: one TOML, from which `casemeshd gateway render` makes Envoy's files.

It goes through the same code as the gateway of one machine (`casemesh.local.envoy`), so that the two cannot differ in
what agencies may call.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from casemesh.local.envoy import AgencyLimits, GatewaySettings
from casemesh.runtime.config import Size

_MAX_HEAP = Size(768 << 20)


@dataclass(frozen=True)
class GatewayConfig:
    """What the gateway of a cluster reads at its start."""

    listen: str
    """`host:port` for agencies."""
    watch: str
    """`host:port` of /ready and /metrics, without TLS, for the node and for Prometheus."""
    tls: Path
    """Folder with the gateway's `tls.pem` and `tls.key`."""
    mesh_trust: Path
    """Folder with `ca.pem`, whom the gateway trusts to be a service."""
    agencies: Path
    """Folder with `spiffe.json`, the trust bundles of the agencies. Watched."""
    shut_out: Path
    """Folder that names the agencies which are shut out, a file each. Need not exist."""
    services: dict[str, str]
    """Names and ports of the services, `host:port`."""
    admin_port: int = 9901
    """Envoy's admin interface on loopback, by which the pod drains it. Default 9901."""
    trace_address: str | None = None
    """`host:port` of an OTLP/gRPC receiver. Default none: nothing is sent."""
    max_heap: Size = _MAX_HEAP
    """From nine tenths of this Envoy gives memory back, from 95 % it takes no more calls. Below the pod's limit.
    Default 768MiB."""
    limits: AgencyLimits = field(default_factory=AgencyLimits)
    """One agency's share of each replica."""

    def settings(self, config_dir: Path) -> GatewaySettings:
        """What the files are made from, if they are to lie in `config_dir`."""
        return GatewaySettings(
            config_dir=config_dir,
            listen=self.listen,
            services=self.services,
            certificate=self.tls / "tls.pem",
            key=self.tls / "tls.key",
            mesh_trust=self.mesh_trust / "ca.pem",
            bundle_map=self.agencies / "spiffe.json",
            shut_out=self.shut_out,
            limits=self.limits,
            trace_address=self.trace_address,
            discovery="STRICT_DNS",
            admin_port=self.admin_port,
            watch=self.watch,
            # A plain number: YAML knows no class of ours.
            max_heap_bytes=int(self.max_heap),
        )

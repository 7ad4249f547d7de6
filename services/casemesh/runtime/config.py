"""Configuration: one TOML per process, decoded strictly into frozen dataclasses.

An unknown key, a missing one or a wrong type refuses the start and names the key. Durations are written "30s", sizes
"4MiB", secrets as paths of files, relative to the configuration file.
"""

from __future__ import annotations

import dataclasses
import tomllib
import types
from pathlib import Path
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from casemesh.core.units import parse_duration, parse_size

T = TypeVar("T")


class ConfigError(ValueError):
    """The configuration is wrong; the message names the file, the key and what it must be."""


class Duration(float):
    """Seconds, written "30s" in a file."""


class Size(int):
    """Bytes, written "4MiB" in a file."""


_MAX_MESSAGE = Size(4 * 1024 * 1024)
_HOUR = Duration(3600)
_TEN_MINUTES = Duration(600)
_HALF_MINUTE = Duration(30)
_TEN_SECONDS = Duration(10)
_FIVE_MINUTES = Duration(300)
_FIVE_SECONDS = Duration(5)
_ONE_SECOND = Duration(1)
_HALF_SECOND = Duration(0.5)
_LOGIN_LEVELS = tuple(f"urn:casemesh:acr:{level}" for level in ("password", "two-factor", "certificate"))


@dataclasses.dataclass(frozen=True)
class TlsConfig:
    """The certificate of this process, as a directory that is re-read when its files change."""

    directory: Path
    """Holds `tls.pem` (leaf first, then its chain), `tls.key` and `ca.pem` (the mesh's trust bundle)."""


@dataclasses.dataclass(frozen=True)
class ServerConfig:
    """Where and how the server listens."""

    listen: str
    """`host:port`; port 0 takes a free one."""
    health_listen: str = ""
    """`host:port` for health alone, without TLS: kubelet's probes show no certificate. Nothing else is served there,
    and only the node may reach it. Default empty: health stands on `listen` alone."""
    trust_domain: str = "mesh.casemesh"
    """The SPIFFE trust domain of the mesh; callers of another are refused."""
    max_message: Size = _MAX_MESSAGE
    """Largest message taken. Default 4MiB, the limit that the design states."""
    stream_max_age: Duration = _HOUR
    """How long one stream may live. Default 1h: long enough for 20 GB on a slow line, and a client resumes after it."""
    connection_max_age: Duration = _TEN_MINUTES
    """When a connection is asked to go, so that certificates and replicas take effect. Default 10m."""
    connection_age_grace: Duration = _HOUR
    """How long streams may go on after that. Default 1h, the greatest age of a stream."""
    drain: Duration = _TEN_SECONDS
    """How long open calls may go on after SIGTERM. Default 10s; streams resume elsewhere."""
    announce: Duration = _HALF_SECOND
    """How long health says NOT_SERVING before calls are refused. Default 500ms; in Kubernetes as long as endpoints
    take to spread."""
    reauthorize_every: Duration = _FIVE_SECONDS
    """How often an open stream's rights are asked for again. Default 5s: revocation cuts a stream within 10s."""
    agency_calls: int = 200
    """How many calls one agency may have in work at a time. Default 200: what an agency's systems send at once, and a
    fifth of what one connection of the gateway's carries."""
    agency_streams: int = 100
    """How many streams one agency may have open at a time. Default 100: a system needs one to receive and one for each
    dossier under way."""
    fresh_login_system: Duration = _TEN_MINUTES
    """How long ago an officer who acts through a system may have logged in at an act that binds him. Default 10m."""
    fresh_login_workstation: Duration = _FIVE_MINUTES
    """The same at a workstation. Default 5m: people share it."""
    fresh_login_acr: str = "urn:casemesh:acr:password"
    """The lowest level of login for such an act: `urn:casemesh:acr:` with `password`, `two-factor` or `certificate`.
    Default password, which every agency has."""

    def __post_init__(self) -> None:
        if self.fresh_login_acr not in _LOGIN_LEVELS:
            raise ConfigError(f"fresh_login_acr must be one of {', '.join(_LOGIN_LEVELS)}, not {self.fresh_login_acr}")


@dataclasses.dataclass(frozen=True)
class DatabaseConfig:
    """The service's own database."""

    dsn_file: Path
    """A file with the runtime role's connection string."""
    pool_size: int = 10
    """Connections held. Default 10."""
    acquire_timeout: Duration = _FIVE_SECONDS
    """How long a call waits for a connection before it fails with UNAVAILABLE. Default 5s."""
    statement_timeout: Duration = _HALF_MINUTE
    """How long one statement may run on the server. Default 30s."""


@dataclasses.dataclass(frozen=True)
class TelemetryConfig:
    """Where traces and metrics go."""

    otlp_endpoint: str = ""
    """`http://host:port` of an OTLP/gRPC receiver; empty sends nothing. Losing telemetry never fails a call."""
    trace_one_in: int = 1
    """One of so many traces is kept, the same ones by all services; ids are given and logged all the same. Streams are
    kept besides, and of failures of ours and slow calls their own span. Default 1, all: a busy platform keeps fewer."""
    trace_slow: Duration = _ONE_SECOND
    """A unary call that took this long is slow. Default 1s: five times the slowest common call under load. "0s" keeps
    neither slow nor failed calls that were not drawn: recording a span on suspicion costs 40 us, not doing so 12."""
    metrics_listen: str = ""
    """`host:port` of a page for Prometheus, plain HTTP without personal data; empty serves none. Loopback on one
    machine, the pod's port in Kubernetes."""
    log_level: str = "INFO"
    """Least level that is logged."""


def load(path: Path, cls: type[T]) -> T:
    """Read `path` into `cls`.

    Raises ConfigError that names the file and the key.
    """
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: {error}") from error
    return decode(document, cls, path)


def decode(document: dict[str, Any], cls: type[T], path: Path) -> T:
    """Decode a TOML document into `cls`; paths in it are relative to the folder of `path`."""
    decoded: T = _decode_table(document, cls, path, "")
    return decoded


def _decode_table(table: Any, cls: Any, path: Path, prefix: str) -> Any:
    if not isinstance(table, dict):
        raise ConfigError(f"{path}: {prefix.rstrip('.')} must be a table")
    hints = get_type_hints(cls)
    fields = {field.name: field for field in dataclasses.fields(cls)}
    for key in table:
        if key not in fields:
            raise ConfigError(f"{path}: unknown key {prefix}{key}; known are {', '.join(sorted(fields))}")
    values: dict[str, Any] = {}
    for name, field in fields.items():
        if name in table:
            values[name] = _decode_value(table[name], hints[name], path, f"{prefix}{name}")
        elif field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
            raise ConfigError(f"{path}: {prefix}{name} is missing")
    return cls(**values)


def _decode_value(value: Any, hint: Any, path: Path, key: str) -> Any:
    if dataclasses.is_dataclass(hint):
        return _decode_table(value, hint, path, f"{key}.")
    origin = get_origin(hint)
    if origin in (Union, types.UnionType):
        inner = [arg for arg in get_args(hint) if arg is not type(None)]
        return _decode_value(value, inner[0], path, key)
    if origin is dict:
        if not isinstance(value, dict):
            raise ConfigError(f"{path}: {key} must be a table")
        return {name: _decode_value(item, get_args(hint)[1], path, f"{key}.{name}") for name, item in value.items()}
    if origin is tuple:
        if not isinstance(value, list):
            raise ConfigError(f"{path}: {key} must be an array")
        inner = get_args(hint)[0]
        return tuple(_decode_value(item, inner, path, f"{key}[{number}]") for number, item in enumerate(value))
    try:
        if hint is Duration and isinstance(value, str):
            return Duration(parse_duration(value))
        if hint is Size and isinstance(value, str):
            return Size(parse_size(value))
    except ValueError as error:
        raise ConfigError(f"{path}: {key}: {error}") from error
    if hint is Path and isinstance(value, str):
        return (path.parent / value).resolve()
    if hint in (str, int, bool) and type(value) is hint:
        return value
    raise ConfigError(f"{path}: {key} must be a {getattr(hint, '__name__', hint)}, not {value!r}")

"""The configuration of each service on one machine, as the TOML that `casemeshd serve` reads.

What a service needs beyond what all have stands in `_OWN`; a reviewer finds every secret file of the machine here.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from casemesh.pki.files import create_key_file


@dataclass(frozen=True)
class MachineLayout:
    """Where things lie below one data folder."""

    root: Path

    @property
    def pki(self) -> Path:
        """Certificates and keys; see `casemesh.pki.layout`."""
        return self.root / "pki"

    @property
    def keys(self) -> Path:
        """Keys that are no certificate's: the token key, the key that wraps case keys."""
        return self.root / "keys"

    @property
    def token_keys(self) -> Path:
        """The keys that sign tokens, each named for when it begins to sign."""
        return self.keys / "tokens"

    @property
    def config(self) -> Path:
        """What the processes read at their start."""
        return self.root / "config"

    @property
    def logs(self) -> Path:
        """What the processes print, a file each."""
        return self.root / "logs"

    @property
    def postgres(self) -> Path:
        """The embedded PostgreSQL's folder."""
        return self.root / "postgres"

    @property
    def dossiers(self) -> Path:
        """The dossier store's packs."""
        return self.root / "dossiers"

    @property
    def platform(self) -> Path:
        """The addresses of a running platform, for those on the same machine."""
        return self.root / "platform.json"


def _own_tables(service: str, layout: MachineLayout, name: str) -> Mapping[str, str | bool]:
    own: Mapping[str, Mapping[str, str | bool]] = {
        # One person runs one machine; a platform has two administrators.
        "identity": {
            "token_key": str(layout.token_keys),
            "signing": str(layout.pki / "signing" / "identity"),
            "direct_enrolment": True,
        },
        "translation": {},
        "dossier": {
            "signing": str(layout.pki / "signing" / "dossier"),
            "store": str(layout.dossiers),
            "wrapping_key": str(layout.keys / "dossier-wrapping.key"),
        },
        "routing": {"signing": str(layout.pki / "signing" / "routing")},
        "audit": {
            "signing": str(layout.pki / "signing" / "audit"),
            "origin": "casemesh.local/audit",
            "last_checkpoint": str(layout.root / name / "last-checkpoint"),
        },
        # No key: it follows the log and signs nothing.
        "supervision": {},
    }
    return own[service]


def make_keys(layout: MachineLayout) -> None:
    """Make the keys that are no certificate's, where they are not there yet; none is ever overwritten."""
    if not any(layout.token_keys.glob("*.pem")):
        key = Ed25519PrivateKey.generate()
        pem = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        create_key_file(layout.token_keys / f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}.pem", pem)
    wrapping = layout.keys / "dossier-wrapping.key"
    if not wrapping.exists():
        create_key_file(wrapping, secrets.token_bytes(32))


def render(
    service: str,
    layout: MachineLayout,
    *,
    listen: str,
    dsn_file: Path,
    peers: Mapping[str, str],
    otlp_endpoint: str,
    trace_one_in: int = 1,
    name: str = "",
) -> str:
    """Return the TOML of one service. `peers` are the addresses of the other services by name; `name` is the process's,
    where it is not the service's: each replica remembers for itself what it signed."""
    quote = json.dumps  # a JSON string is a TOML basic string, a JSON truth value TOML's
    lines = [f"{key} = {quote(value)}" for key, value in _own_tables(service, layout, name or service).items()]
    lines += [
        "",
        "[server]",
        f"listen = {quote(listen)}",
        "",
        "[tls]",
        f"directory = {quote(str(layout.pki / 'mesh' / service))}",
        "",
        "[database]",
        f"dsn_file = {quote(str(dsn_file))}",
        "",
        "[telemetry]",
        f"otlp_endpoint = {quote(otlp_endpoint)}",
        f"trace_one_in = {trace_one_in}",
        "",
        "[peers]",
        *(f"{name} = {quote(address)}" for name, address in peers.items() if name != service),
    ]
    return "\n".join(lines) + "\n"

"""A cluster of one node without operators: what cert-manager, a secret store and a DBA are elsewhere, in one folder.

The keeper makes certificates, keys and passwords in its folder, as `casemeshd up` does in its own, and publishes from
there to Secrets and ConfigMaps: to each service what is its, to nobody a CA's key. What changes in the folder, as by
`casemeshd enrol agency` or `casemeshd gateway shut-out`, is published within seconds.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from casemesh.local.configuration import MachineLayout, make_keys
from casemesh.local.kubernetes_api import KubernetesApi, Published
from casemesh.local.platform import make_pki
from casemesh.pki.authority import KeyChoice, Pki
from casemesh.pki.files import create_key_file
from casemesh.pki.names import GATEWAY, SERVICES, SIGNERS

RENEW_BEFORE = timedelta(days=30)
_TLS = "kubernetes.io/tls"


class Keeper:
    """The keeper of one cluster's secrets, with its folder. `database` is the "host:port" of PostgreSQL."""

    def __init__(self, data: Path, database: str, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.layout = MachineLayout(data.resolve())
        self._database = database
        self._clock = clock
        self._pki = Pki(self.layout.pki, clock=clock)
        self._sent: dict[tuple[str, str], Published] = {}

    def make(self) -> None:
        """Make what is not there yet: certificates, keys, passwords. What is there stays."""
        self.layout.root.mkdir(parents=True, exist_ok=True, mode=0o700)
        # Dossiers lie with their service; `casemesh demo` measures this node's disk here.
        self.layout.dossiers.mkdir(exist_ok=True)
        make_pki(self.layout, lambda line: None)
        make_keys(self.layout)
        for service in SERVICES:
            for role in _roles(service):
                if not self._password_file(role).exists():
                    line = f"*:*:*:{role}:{secrets.token_urlsafe(32)}\n"
                    create_key_file(self._password_file(role), line.encode())

    def renew(self) -> Sequence[str]:
        """Renew the mesh's certificates that end within 30 days; return their names. CAs and agencies' are left."""
        due = self._clock() + RENEW_BEFORE
        ending = [
            status.entry
            for status in self._pki.status()
            if status.entry.startswith("mesh/") and status.not_after <= due
        ]
        for entry in ending:
            self._pki.renew(entry, key=KeyChoice.SAME)
        return ending

    def publish(self, api: KubernetesApi) -> Sequence[str]:
        """Apply what differs from what this object applied last; return the names.

        Raises KubernetesError; what was not applied is tried at the next call.
        """
        changed = []
        for published in self.published():
            key = (published.kind, published.name)
            if self._sent.get(key) != published:
                api.apply(published)
                self._sent[key] = published
                changed.append(f"{published.kind} {published.name}")
        return changed

    def published(self) -> Iterator[Published]:
        """Everything that pods mount. The CAs' keys are not among it, nor is any agency's."""
        pki = self._pki.layout
        for name in (*SERVICES, GATEWAY):
            files = pki.service(name)
            pair = {"tls.crt": files.certificate.read_bytes(), "tls.key": files.key.read_bytes()}
            yield Published(f"{name}-tls", pair, _TLS)
        for name in SIGNERS:
            files = pki.signing(name)
            signing = {"signing.pem": files.certificate.read_bytes(), "signing.key": files.key.read_bytes()}
            yield Published(f"{name}-signing", signing)
        yield Published("identity-token-keys", _contents(self.layout.token_keys))
        wrapping = self.layout.keys / "dossier-wrapping.key"
        yield Published("dossier-wrapping-key", {"wrapping.key": wrapping.read_bytes()})
        for service in SERVICES:
            owner, runtime = _roles(service)
            yield Published(f"{service}-database", {"dsn": self._dsn(service, runtime)})
            yield Published(f"{service}-database-owner", {"dsn": self._dsn(service, owner)})
        yield Published("postgres-passwords", _contents(self._passwords))
        yield Published("mesh-trust", {"ca.pem": pki.mesh_trust.read_bytes()}, None)
        yield Published("agency-trust", {pki.bundle_map.name: pki.bundle_map.read_bytes()}, None)
        yield Published("agencies-shut-out", _contents(pki.shut_out), None)

    @property
    def _passwords(self) -> Path:
        return self.layout.root / "postgres-passwords"

    def _password_file(self, role: str) -> Path:
        return self._passwords / f"{role}.pgpass"

    def _dsn(self, service: str, role: str) -> bytes:
        # In the string itself: the driver takes no password file that a group may read, as a mounted one is.
        password = self._password_file(role).read_text(encoding="utf-8").strip().rpartition(":")[2]
        return f"postgresql://{role}:{password}@{self._database}/casemesh_{service}?sslmode=disable".encode()


def _roles(service: str) -> tuple[str, str]:
    return f"casemesh_{service}_owner", f"casemesh_{service}_runtime"


def _contents(folder: Path) -> dict[str, bytes]:
    if not folder.is_dir():
        return {}
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if not path.name.startswith(".")}

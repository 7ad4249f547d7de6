"""The server's side of mTLS: certificates from files, exchanged without a restart."""

from __future__ import annotations

import threading
from pathlib import Path

import grpc


class CertificateFolder:
    """A folder with `tls.pem` (leaf first), `tls.key` and `ca.pem`, re-read when its files change.

    gRPC asks on every handshake, from threads of its own. Files that do not parse leave the last good certificate in
    place.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._lock = threading.Lock()
        self._stamp = self._read_stamp()
        self._configuration = self._read()

    def server_credentials(self) -> grpc.ServerCredentials:
        """Return credentials that require a client certificate of the bundle in `ca.pem`."""
        return grpc.dynamic_ssl_server_credentials(
            self._configuration,
            self._fetch,  # type: ignore[arg-type]  # None is lawful: it keeps what is served
            require_client_authentication=True,
        )

    def _fetch(self) -> grpc.ServerCertificateConfiguration | None:
        with self._lock:
            try:
                stamp = self._read_stamp()
                if stamp == self._stamp:
                    return None
                self._configuration = self._read()
                self._stamp = stamp
            except OSError:
                # Between two renames a file may be missing; the next handshake asks again.
                return None
            return self._configuration

    def _read_stamp(self) -> tuple[int, ...]:
        return tuple((self._directory / name).stat().st_mtime_ns for name in ("tls.pem", "tls.key", "ca.pem"))

    def _read(self) -> grpc.ServerCertificateConfiguration:
        return grpc.ssl_server_certificate_configuration(
            [((self._directory / "tls.key").read_bytes(), (self._directory / "tls.pem").read_bytes())],
            root_certificates=(self._directory / "ca.pem").read_bytes(),
        )

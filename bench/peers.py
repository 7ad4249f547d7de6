"""Peers of the dossier transfer, as an administrator would set them up: rsync over ssh, and HTTPS PUT into nginx.

Both run on loopback for the time of a `with` block and take the same files that the dossier takes. What they are given
is what makes them equal to a finished upload, and no more: encryption on the wire, client authentication, and all bytes
on stable storage. A dossier is besides encrypted at rest, addressed by content and written to a log; they are not.

Needs Debian's rsync, openssh-server, nginx-light and curl; `missing()` says what of it is not there.
"""

from __future__ import annotations

import contextlib
import getpass
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from casemesh.client.dossier_upload import LocalDocument
from casemesh.local.ports import free_port

_START_SECONDS = 10.0
# The fastest that OpenSSH has on processors with AES instructions.
_CIPHER = "aes128-gcm@openssh.com"
# Faster than one connection and than two.
_CONNECTIONS = 4
_SSHD = """
Port {port}
ListenAddress 127.0.0.1
HostKey {folder}/host
AuthorizedKeysFile {folder}/client.pub
PidFile none
UsePAM no
StrictModes no
PermitRootLogin prohibit-password
Ciphers {cipher}
"""
_NGINX = """
daemon off;
pid {folder}/nginx.pid;
worker_processes 2;
error_log {folder}/error.log;
{user}
events {{ worker_connections 64; }}
http {{
    access_log off;
    client_body_temp_path {folder}/store/.incoming;
    proxy_temp_path {folder}/t1; fastcgi_temp_path {folder}/t2; uwsgi_temp_path {folder}/t3; scgi_temp_path {folder}/t4;
    keepalive_requests 1000000;
    server {{
        listen 127.0.0.1:{port} ssl;
        ssl_protocols TLSv1.3;
        ssl_certificate {server}/tls.pem;
        ssl_certificate_key {server}/tls.key;
        ssl_client_certificate {server}/ca.pem;
        ssl_verify_client on;
        ssl_verify_depth 3;
        root {folder}/store;
        client_max_body_size 0;
        client_body_buffer_size 1m;
        location / {{ dav_methods PUT; create_full_put_path on; }}
    }}
}}
"""


def missing() -> list[str]:
    """The programs that the peers need and that are not there."""
    return [name for name in ("rsync", "ssh", "sshd", "nginx", "curl") if _program(name) is None]


@dataclass(frozen=True)
class Rsync:
    """An ssh server on loopback that rsync writes through."""

    folder: Path
    port: int

    def send(self, source: Path) -> float:
        """Seconds until every file below `source` is on stable storage on the other side, in a folder of its own."""
        target = Path(tempfile.mkdtemp(prefix="store-", dir=self.folder))
        ssh = (
            f"ssh -p {self.port} -i {self.folder}/client -c {_CIPHER} -o StrictHostKeyChecking=no"
            f" -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR -o IdentitiesOnly=yes"
        )
        started = time.perf_counter()
        subprocess.run(
            [
                "rsync",
                "--recursive",
                "--whole-file",
                "-e",
                ssh,
                f"{source}/",
                f"{getpass.getuser()}@127.0.0.1:{target}",
            ],
            check=True,
        )
        _sync(target)
        return time.perf_counter() - started


@contextlib.contextmanager
def rsync_peer(scratch: Path) -> Iterator[Rsync]:
    """Run an ssh server that lets one key in."""
    folder = Path(tempfile.mkdtemp(prefix="rsync-", dir=scratch))
    for name in ("host", "client"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)], check=True)
    port = free_port()
    configuration = folder / "sshd_config"
    configuration.write_text(_SSHD.format(port=port, folder=folder, cipher=_CIPHER), encoding="utf-8")
    if os.geteuid() == 0:
        # Where the server runs as root it insists on this folder, which a service manager makes elsewhere.
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    with _running([str(_program("sshd")), "-D", "-e", "-f", str(configuration)], folder, port):
        yield Rsync(folder, port)


@dataclass(frozen=True)
class Nginx:
    """An nginx on loopback that asks for a client certificate and stores what is put."""

    folder: Path
    port: int
    client: Path

    def send(self, documents: Sequence[LocalDocument]) -> float:
        """Seconds until every document is there, in a folder of its own, its SHA-256 computed from the file, and on
        stable storage."""
        store = Path(tempfile.mkdtemp(prefix="d-", dir=self.folder / "store"))
        transfers = self.folder / "transfers"
        lines = [
            f'upload-file = "{item.path}"\nurl = "https://127.0.0.1:{self.port}/{store.name}/{n}"'
            for n, item in enumerate(documents)
        ]
        transfers.write_text("\n".join(lines), encoding="utf-8")
        started = time.perf_counter()
        subprocess.run(
            [
                "curl", "--silent", "--show-error", "--fail", "--insecure", "--http1.1", "--header", "Expect:",
                "--parallel", "--parallel-max", str(_CONNECTIONS),
                "--cert", str(self.client / "tls.pem"), "--key", str(self.client / "tls.key"),
                "--config", str(transfers), "--output", os.devnull,
            ],
            check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        with (self.folder / "digests").open("wb") as digests:
            names = "\0".join(str(store / str(number)) for number in range(len(documents)))
            subprocess.run(["xargs", "-0", "sha256sum"], input=names.encode(), stdout=digests, check=True)
        _sync(store)
        return time.perf_counter() - started


@contextlib.contextmanager
def nginx_peer(scratch: Path, server: Path, client: Path) -> Iterator[Nginx]:
    """Run an nginx with the certificates in two folders of the mesh: the server's and the client's."""
    folder = Path(tempfile.mkdtemp(prefix="nginx-", dir=scratch))
    (folder / "store").mkdir()
    port = free_port()
    user = f"user {getpass.getuser()};" if os.geteuid() == 0 else ""
    configuration = folder / "nginx.conf"
    configuration.write_text(_NGINX.format(port=port, folder=folder, server=server, user=user), encoding="utf-8")
    with _running([str(_program("nginx")), "-p", str(folder), "-c", str(configuration)], folder, port):
        yield Nginx(folder, port, client)


@contextlib.contextmanager
def _running(command: list[str], folder: Path, port: int) -> Iterator[None]:
    with (folder / "server.log").open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        try:
            deadline = time.monotonic() + _START_SECONDS
            while True:
                with contextlib.suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port), 1):
                    break
                if process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(f"{command[0]} does not serve: {(folder / 'server.log').read_text()}")
                time.sleep(0.02)
            yield
        finally:
            process.terminate()


def _sync(folder: Path) -> None:
    subprocess.run(["sync", "--file-system", str(folder)], check=True)


def _program(name: str) -> str | None:
    return shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin")

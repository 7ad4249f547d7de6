"""An object store for tests: moto, a mock of S3, in a process of its own.

    def test_x(object_store):
        packs = object_packs_of(object_store.config(object_store.new_bucket()))

It is no real S3 server; `misbehaving_store` is for what servers should never do, and some do.
"""

from __future__ import annotations

import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from casemesh.core.ids import new_id
from casemesh.dossier.config import ObjectStoreConfig

# Ends with its parent, whatever becomes of that: its standard input closes.
_MOTO = """
import sys
from moto.server import ThreadedMotoServer
server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
print(*server.get_host_and_port(), flush=True)
sys.stdin.read()
"""


@dataclass
class ObjectStore:
    """A running server and the files of a key to it."""

    endpoint: str
    keys: Path

    def config(self, bucket: str, **changes: Any) -> ObjectStoreConfig:
        """How a service reaches a bucket of it."""
        return ObjectStoreConfig(
            endpoint=self.endpoint,
            bucket=bucket,
            access_key_file=self.keys / "access",
            secret_key_file=self.keys / "secret",
            allow_http=True,
            **changes,
        )

    def new_bucket(self) -> str:
        """Make a bucket."""
        bucket = f"casemesh-{new_id()}"
        with urllib.request.urlopen(urllib.request.Request(f"{self.endpoint}/{bucket}", method="PUT")):
            return bucket


def write_keys(folder: Path) -> Path:
    """The files of an invented key, in `folder`."""
    (folder / "access").write_text("casemesh-test\n")
    (folder / "secret").write_text("an invented secret\n")
    return folder


@pytest.fixture(scope="session")
def object_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ObjectStore]:
    """Moto, running until the tests end."""
    process = subprocess.Popen(
        [sys.executable, "-c", _MOTO],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        host, port = process.stdout.readline().split()
        yield ObjectStore(f"http://{host}:{port}", write_keys(tmp_path_factory.mktemp("keys")))
    finally:
        process.stdin.close()
        process.wait()
        process.stdout.close()

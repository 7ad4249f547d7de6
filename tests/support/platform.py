"""The whole platform as its users run it: `casemeshd up` as a process, with three agencies enrolled."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

from casemesh.cli.demo_agencies import COURT, POLICE, PROCURATORATE, EnrolledAgency, enrol
from casemesh.client.session import OperatorSession, Session
from casemesh.core.ids import new_id
from casemesh.local.platform import Addresses
from casemesh.pki.authority import Pki
from casemesh.routing.v1 import case_service_pb2

READY_SECONDS = 90.0


@dataclass
class RunningPlatform:
    """A platform, its processes, and the agencies on it."""

    supervisor: psutil.Process
    addresses: Addresses
    agencies: dict[str, EnrolledAgency]

    def process(self, name: str) -> psutil.Process:
        """Return the process of a service or of one of its replicas (`routing-2`), of `gateway` or of `postgres` (the
        postmaster)."""
        mark = {"gateway": "envoy.yaml", "postgres": "postgres"}.get(name, f"/{name}.toml")
        for child in self.supervisor.children(recursive=True):
            with contextlib.suppress(psutil.NoSuchProcess):
                command = " ".join(child.cmdline())
                if mark in command and (name != "postgres" or " -D " in command):
                    return child
        raise LookupError(f"no process of {name} runs")

    def kill(self, name: str) -> None:
        """kill -9."""
        os.kill(self.process(name).pid, signal.SIGKILL)

    async def register_case(self) -> str:
        """Register a case as the police officer and return its name."""
        request = case_service_pb2.RegisterCaseRequest(
            request_id=new_id(),
            title="an invented theft",
            parties=[case_service_pb2.PartyDraft(kind=1, display_name="an invented person")],
        )
        async with Session(self.agencies["police"].officers[0]) as session:
            return (await session.cases.RegisterCase(request)).case.name


@contextlib.contextmanager
def running_platform(data: Path, *, replicas: int = 1) -> Iterator[tuple[psutil.Process, Addresses]]:
    """Run `casemeshd up` on `data` on any free port; stop it at the end and require that it ends in good order."""
    log = data.with_suffix(".log")
    command = [sys.executable, "-m", "casemesh.cli.daemon", "up", "--data", str(data), "--port", "0", "--json"]
    command += ["--replicas", str(replicas)]
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
    try:
        addresses = _await_addresses(process, data, log)
        yield psutil.Process(process.pid), addresses
        process.terminate()
        assert process.wait(60) == 0, log.read_text()
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def _await_addresses(process: subprocess.Popen[bytes], data: Path, log: Path) -> Addresses:
    deadline = time.monotonic() + READY_SECONDS
    path = data / "platform.json"
    while not path.exists():
        if process.poll() is not None or time.monotonic() > deadline:
            raise AssertionError(f"the platform did not start:\n{log.read_text()}")
        time.sleep(0.05)
    return Addresses(**json.loads(path.read_text()))


async def enrol_three(addresses: Addresses) -> dict[str, EnrolledAgency]:
    """Enrol the demo's police, procuratorate and court."""
    pki = Pki(Path(addresses.pki))
    plans = {"police": POLICE, "procuratorate": PROCURATORATE, "court": COURT}
    async with OperatorSession(addresses.services, pki.layout.root / "mesh" / "operator") as operator:
        return {
            name: await enrol(plan, pki, operator, addresses, pki.layout.signing_trust) for name, plan in plans.items()
        }

"""Dossier transfer against the limits of the machine: the disk, and a raw stream over the same hops.

1.2 GB in 5,253 files. Every round writes and fsyncs the bytes once, streams them raw, and uploads them as a dossier,
directly and through the gateway; figures are medians of five rounds. All of it shares the machine's cores: client,
gateway, service, PostgreSQL. The client reads the files from the page cache in every case.

CASEMESH_BENCH_BYTES, CASEMESH_BENCH_FILES and CASEMESH_BENCH_ROUNDS make it smaller; CASEMESH_BENCH_DIR chooses the
disk.
"""

from __future__ import annotations

import asyncio
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from bench.figures import Report
from bench.raw_sink import METHOD, SERVICE
from casemesh.client.channel import Credentials, ErrorInterceptor, open_channel
from casemesh.client.dossier_upload import LocalDocument, UploadedDossier, finalize_dossier, upload_documents
from casemesh.core.ids import new_id
from casemesh.dossier.packs.format import BLOCK_BYTES
from casemesh.dossier.packs.slabs import Slab, open_direct, write_at
from casemesh.dossier.v1 import dossier_handover_service_pb2 as handover_pb
from casemesh.dossier.v1 import dossier_service_pb2 as dossier_pb
from casemesh.dossier.v1.dossier_handover_service_pb2_grpc import DossierHandoverServiceStub
from casemesh.dossier.v1.dossier_service_pb2_grpc import DossierServiceStub
from casemesh.identity.v1 import case_participation_service_pb2 as participation_pb
from casemesh.identity.v1 import directory_admin_service_pb2 as admin_pb
from casemesh.identity.v1 import token_service_pb2 as token_pb
from casemesh.identity.v1.case_participation_service_pb2_grpc import CaseParticipationServiceStub
from casemesh.identity.v1.directory_admin_service_pb2_grpc import DirectoryAdminServiceStub
from casemesh.identity.v1.token_service_pb2_grpc import TokenServiceStub
from casemesh.local.envoy import EnvoyGateway
from casemesh.local.platform import Addresses, running_platform
from casemesh.local.ports import free_port
from casemesh.pki.authority import Pki

BYTES = int(os.environ.get("CASEMESH_BENCH_BYTES", "1200000000"))
FILES = int(os.environ.get("CASEMESH_BENCH_FILES", "5253"))
ROUNDS = int(os.environ.get("CASEMESH_BENCH_ROUNDS", "5"))
HANDOVERS = 50
MESSAGE_BYTES = 1 << 20
TIMEOUT = 30.0
AGENCIES = ("bench-police", "bench-procuratorate")


async def measure(report: Report) -> None:
    """Measure everything of this module."""
    folder = os.environ.get("CASEMESH_BENCH_DIR")
    with tempfile.TemporaryDirectory(prefix="casemesh-bench-", dir=folder) as scratch:
        documents = make_documents(Path(scratch) / "documents")
        async with running_platform(Path(scratch) / "data", gateway_port=0) as addresses:
            await _measure_uploads(report, await Desk.enrol(addresses), documents, Path(scratch))


async def _measure_uploads(report: Report, desk: Desk, documents: list[LocalDocument], scratch: Path) -> None:
    service = _service_process("dossier")
    async with raw_sink(desk) as sink:
        ways: dict[str, Callable[[], Awaitable[float]]] = {
            "disk": lambda: asyncio.to_thread(write_and_sync, documents, scratch / "disk.bin"),
            "disk_uncached": lambda: asyncio.to_thread(write_uncached, documents, scratch / "disk.bin"),
            "raw.direct": lambda: stream_raw(desk, sink.direct, "dossier.casemesh.svc", "gateway", documents),
            "raw.gateway": lambda: stream_raw(desk, sink.gateway, "localhost", None, documents),
            "upload.direct": lambda: desk.timed_upload(desk.direct_metadata, desk.dossiers, documents),
            "upload.gateway": lambda: desk.timed_upload(desk.gateway_metadata, desk.through_gateway, documents),
        }
        # Once without counting: imports, connections, the first case key.
        for metadata, stub in ((desk.direct_metadata, desk.dossiers), (desk.gateway_metadata, desk.through_gateway)):
            await desk.timed_upload(metadata, stub, documents[:3])
        idle, peak = service.memory_info().rss, 0
        seconds: dict[str, list[float]] = {way: [] for way in ways}
        for _ in range(ROUNDS):
            for way, run in ways.items():
                with watched(service) as memory:
                    seconds[way].append(await run())
                if way.startswith("upload"):
                    peak = max(peak, memory.peak)
                desk.forget_packs()
    at = {way: statistics.median(times) for way, times in seconds.items()}
    told = f"{BYTES / 1e9:g} GB in {FILES} files, durable and verified; client, gateway and service on the same cores"
    for way, value in at.items():
        spread = f"{min(seconds[way]):.2f} to {max(seconds[way]):.2f} s; {BYTES / value / 1e6:.0f} MB/s"
        report.add(f"dossier.{way}_seconds", value, "s", n=ROUNDS, conditions=f"{told}; {spread}")
    for hops in ("direct", "gateway"):
        upload, raw = at[f"upload.{hops}"], f"raw.{hops}"
        limit = max(("disk", raw), key=lambda way: at[way])
        # The stream alone as well: where the disk is the limit, it hides what the upload costs in processor time.
        for name, against in (("limit", limit), ("raw", raw)):
            report.add(
                f"dossier.upload.{hops}_vs_{name}", upload / at[against], "ratio",
                against=f"dossier.{against}_seconds", n=ROUNDS, conditions=told,
            )  # fmt: skip
    report.add("dossier.upload.rss_growth_mib", (peak - idle) / 2**20, "MiB", n=2 * ROUNDS, conditions=told)
    await _measure_handover(report, desk, documents)


async def _measure_handover(report: Report, desk: Desk, documents: list[LocalDocument]) -> None:
    for name, some in (("dossier.handover.p50_ms", documents), ("dossier.handover.small_p50_ms", documents[:3])):
        version = await desk.version(some)
        times = []
        for _ in range(HANDOVERS):
            started = time.perf_counter()
            await desk.grant(version)
            times.append((time.perf_counter() - started) * 1000)
        told = f"a grant of {len(some)} documents to another agency, direct"
        report.add(name, statistics.median(times), "ms", n=HANDOVERS, conditions=told)


@dataclass
class Desk:
    """A police bureau with one officer in one case, and the calls the bench makes."""

    addresses: Addresses
    case: str
    agencies: list[str]
    direct_metadata: list[tuple[str, str]]
    gateway_metadata: list[tuple[str, str]]
    dossiers: Any
    through_gateway: Any
    handover: Any
    uploaded: list[UploadedDossier] = field(default_factory=list)

    @classmethod
    async def enrol(cls, addresses: Addresses) -> Desk:
        """Enrol two agencies; the first gets an officer who takes part in a case."""
        pki = Pki(Path(addresses.pki))
        directory = DirectoryAdminServiceStub(channel(addresses, "identity", "operator"))
        agencies = []
        for code, organ in zip(AGENCIES, ("GA", "JCY"), strict=True):
            pki.add_agency(code)
            pki.issue_system(code, "cms")
            request = admin_pb.CreateAgencyRequest(request_id=new_id(), code=code, display_name=code, organ=organ)
            agencies.append((await directory.CreateAgency(request, timeout=TIMEOUT)).agency.name)
        fingerprint = certificate_digest(addresses)
        system = admin_pb.CreateSystemRequest(
            request_id=new_id(), parent=agencies[0], display_name="cms", certificate_sha256=fingerprint
        )
        await directory.CreateSystem(system, timeout=TIMEOUT)
        wanted = admin_pb.CreateOfficerRequest(request_id=new_id(), parent=agencies[0], display_name="lin")
        officer = (await directory.CreateOfficer(wanted, timeout=TIMEOUT)).officer.name
        case = f"cases/{new_id()}"
        participation = CaseParticipationServiceStub(channel(addresses, "identity", "routing"))
        await participation.AddParticipation(
            participation_pb.AddParticipationRequest(
                request_id=new_id(), case=case, agency=agencies[0], officer=officer, cause=case
            ),
            timeout=TIMEOUT,
        )
        forwarded = [("x-forwarded-client-cert", f"Hash={fingerprint.hex()}")]
        tokens = TokenServiceStub(channel(addresses, "identity", "gateway"))
        answer = await tokens.IssueToken(
            token_pb.IssueTokenRequest(officer=officer), metadata=forwarded, timeout=TIMEOUT
        )
        bearer = ("authorization", f"Bearer {answer.access_token}")
        return cls(
            addresses, case, agencies, [*forwarded, bearer], [bearer],
            DossierServiceStub(channel(addresses, "dossier", "gateway")),
            DossierServiceStub(gateway_channel(addresses, addresses.gateway)),
            DossierHandoverServiceStub(channel(addresses, "dossier", "routing")),
        )  # fmt: skip

    async def upload(
        self, metadata: list[tuple[str, str]], stub: Any, documents: list[LocalDocument]
    ) -> UploadedDossier:
        """Upload documents as a dossier of their own."""
        carrying = WithMetadata(stub, metadata)
        request = dossier_pb.CreateDossierRequest(request_id=new_id(), case=self.case, title="bench")
        dossier = (await carrying.CreateDossier(request, timeout=TIMEOUT)).dossier.name
        return await upload_documents(carrying, dossier, documents, upload_id=new_id())

    async def timed_upload(self, metadata: list[tuple[str, str]], stub: Any, documents: list[LocalDocument]) -> float:
        """Seconds from the first call to the confirmation that all is durable and verified."""
        started = time.perf_counter()
        await self.upload(metadata, stub, documents)
        return time.perf_counter() - started

    async def version(self, documents: list[LocalDocument]) -> str:
        """Upload and finalise; returns the version's name."""
        carrying = WithMetadata(self.dossiers, self.direct_metadata)
        uploaded = await self.upload(self.direct_metadata, self.dossiers, documents)
        return (await finalize_dossier(carrying, uploaded, request_id=new_id())).name

    async def grant(self, version: str) -> None:
        """Hand a version to the other agency with one more exchange."""
        request = handover_pb.GrantVersionRequest(
            request_id=new_id(), version=version, sender=self.agencies[0], recipient=self.agencies[1],
            exchange=f"exchanges/{new_id()}",
        )  # fmt: skip
        await self.handover.GrantVersion(request, timeout=TIMEOUT)

    def forget_packs(self) -> None:
        """Take the drafts' bytes off the disk: fifteen rounds would fill a small one, and nobody reads them."""
        for pack in (Path(self.addresses.pki).parent / "dossiers").rglob("*.pack"):
            pack.unlink()


class WithMetadata:
    """A stub whose calls carry metadata, as a session's do."""

    def __init__(self, stub: Any, metadata: list[tuple[str, str]]) -> None:
        self._stub = stub
        self._metadata = metadata

    def __getattr__(self, method: str) -> Any:
        call = getattr(self._stub, method)

        def invoke(request: Any, **options: Any) -> Any:
            return call(request, metadata=self._metadata, **options)

        return invoke


def make_documents(folder: Path) -> list[LocalDocument]:
    """Files of varied size and incompressible content, the same in every run, in ten volumes."""
    source = random.Random(20_260_301)
    folder.mkdir()
    weights = [source.uniform(0.3, 1.7) for _ in range(FILES)]
    scale = BYTES / sum(weights)
    block = source.randbytes(4 << 20)
    documents = []
    written = 0
    for number, weight in enumerate(weights):
        size = BYTES - written if number == FILES - 1 else int(weight * scale)
        written += size
        path = folder / f"{number}.jpg"
        with path.open("wb") as file:
            # A block cut anew for each file: content differs, and random numbers for 1.2 GB would take a minute.
            while size:
                start = source.randrange(len(block) // 2)
                size -= file.write(block[start : start + size])
        documents.append(LocalDocument(path, f"证据卷{number % 10}", f"第{number}页.jpg", "image/jpeg", 1))
    return documents


def write_and_sync(documents: list[LocalDocument], target: Path) -> float:
    """Seconds to write the documents' bytes into one file and fsync it: what durability costs on this disk."""
    started = time.perf_counter()
    with target.open("wb", buffering=0) as out:
        for piece in pieces(documents):
            out.write(piece)
        os.fsync(out.fileno())
    elapsed = time.perf_counter() - started
    target.unlink()
    return elapsed


def write_uncached(documents: list[LocalDocument], target: Path) -> float:
    """Seconds to write the same bytes past the page cache and sync them: what the disk itself takes."""
    started = time.perf_counter()
    descriptor = open_direct(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
    slab, position = Slab(MESSAGE_BYTES), 0
    for piece in pieces(documents):
        slab.view[: len(piece)] = piece
        length = -(-len(piece) // BLOCK_BYTES) * BLOCK_BYTES
        write_at(descriptor, slab.view[:length], position)
        position += length
    os.fdatasync(descriptor)
    elapsed = time.perf_counter() - started
    os.close(descriptor)
    target.unlink()
    return elapsed


async def stream_raw(
    desk: Desk, target: str, server_name: str, peer: str | None, documents: list[LocalDocument]
) -> float:
    """Seconds to send the documents' bytes to the sink over the same hops, in messages of 1 MiB."""
    raw = (
        gateway_channel(desk.addresses, target)
        if peer is None
        else open_channel(target, Credentials(Path(desk.addresses.pki) / "mesh" / peer), server_name=server_name)
    )
    async with raw:
        await raw.channel_ready()
        started = time.perf_counter()

        async def messages() -> AsyncIterator[bytes]:
            for piece in pieces(documents):
                yield piece

        call = raw.stream_stream(f"/{SERVICE}/{METHOD}")(messages())
        answers = [int.from_bytes(answer, "big") async for answer in call]
        if answers != [sum(document.path.stat().st_size for document in documents)]:
            raise RuntimeError(f"the sink counted {answers}")
        return time.perf_counter() - started


def pieces(documents: list[LocalDocument]) -> Iterator[bytes]:
    """The documents' bytes in pieces of 1 MiB."""
    waiting = bytearray()
    for document in documents:
        waiting += document.path.read_bytes()
        while len(waiting) >= MESSAGE_BYTES:
            yield bytes(waiting[:MESSAGE_BYTES])
            del waiting[:MESSAGE_BYTES]
    if waiting:
        yield bytes(waiting)


@dataclass
class Sink:
    """Where the raw sink is reached: straight, and through a gateway of its own."""

    direct: str
    gateway: str


@asynccontextmanager
async def raw_sink(desk: Desk) -> AsyncIterator[Sink]:
    """The raw sink in a process of its own, with the dossier service's certificate, behind an Envoy like the other."""
    pki = Path(desk.addresses.pki)
    async with AsyncExitStack() as stack:
        sink = await asyncio.to_thread(
            subprocess.Popen,
            [sys.executable, "-m", "bench.raw_sink", str(pki / "mesh" / "dossier")],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        stack.callback(_end, sink)
        assert sink.stdout is not None
        direct = f"127.0.0.1:{int(await asyncio.to_thread(sink.stdout.readline))}"
        services = {**desk.addresses.services, "dossier": direct}
        gateway = EnvoyGateway(pki.parent / "raw-gateway", pki=pki, port=free_port(), services=services)
        gateway.write()
        envoy = await asyncio.to_thread(subprocess.Popen, gateway.command(), stdout=subprocess.DEVNULL)
        stack.callback(_end, envoy)
        yield Sink(direct, f"127.0.0.1:{gateway.port}")


def _end(process: subprocess.Popen[Any]) -> None:
    if process.stdin is not None:
        process.stdin.close()
    process.terminate()
    process.wait(10)


@dataclass
class Memory:
    """The largest resident size seen."""

    peak: int = 0


@contextmanager
def watched(process: psutil.Process) -> Iterator[Memory]:
    """Watch a process's resident size while the body runs, ten times a second."""
    memory = Memory()

    async def watch() -> None:
        while True:
            memory.peak = max(memory.peak, process.memory_info().rss)
            await asyncio.sleep(0.1)

    task = asyncio.create_task(watch())
    try:
        yield memory
    finally:
        memory.peak = max(memory.peak, process.memory_info().rss)
        task.cancel()


def channel(addresses: Addresses, service: str, peer: str) -> Any:
    """A channel to a service with a certificate of the mesh."""
    credentials = Credentials(Path(addresses.pki) / "mesh" / peer)
    return open_channel(
        addresses.services[service], credentials, server_name=f"{service}.casemesh.svc",
        interceptors=[ErrorInterceptor()],
    )  # fmt: skip


def gateway_channel(addresses: Addresses, target: str) -> Any:
    """A channel to a gateway with the agency's certificate."""
    folder = Path(addresses.pki) / "agencies" / AGENCIES[0] / "systems" / "cms"
    return open_channel(target, Credentials(folder), server_name="localhost", interceptors=[ErrorInterceptor()])


def certificate_digest(addresses: Addresses) -> bytes:
    """SHA-256 of the agency system's certificate, as it is registered."""
    from cryptography import x509
    from cryptography.hazmat.primitives.hashes import SHA256

    path = Path(addresses.pki) / "agencies" / AGENCIES[0] / "systems" / "cms" / "tls.pem"
    return x509.load_pem_x509_certificates(path.read_bytes())[0].fingerprint(SHA256())


def _service_process(name: str) -> psutil.Process:
    for child in psutil.Process().children(recursive=True):
        if "serve" in child.cmdline() and name in child.cmdline():
            return child
    raise RuntimeError(f"the {name} service is not among this process's children")

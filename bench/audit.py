"""The audit log: durable events a second over mTLS, how long each waits for the signed checkpoint that covers it,
proofs, and the offline check of a long trail.

An append answers when its events are on disk under a signed checkpoint, so its time is the whole wait. Four sources
send as outboxes do, in calls of 64 events; then readings, one event a call. Clients, the service and PostgreSQL share
the machine's cores. CASEMESH_BENCH_SECONDS says how long each part runs.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import random
import secrets
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bench.desk import TIMEOUT, channel, service_process
from bench.figures import Report
from casemesh.audit.v1 import audit_append_service_pb2 as append_pb
from casemesh.audit.v1 import audit_query_service_pb2 as query_pb
from casemesh.audit.v1 import event_pb2
from casemesh.audit.v1.audit_append_service_pb2_grpc import AuditAppendServiceStub
from casemesh.audit.v1.audit_query_service_pb2_grpc import AuditQueryServiceStub
from casemesh.client import canonical_json, trail
from casemesh.client.canonical_json import Json
from casemesh.client.commitments import SALT_SIZE, commitment, commitment_leaf
from casemesh.client.notes import Checkpoint, NoteSigner, sign_checkpoint
from casemesh.core.ids import new_id
from casemesh.core.merkle import Tree
from casemesh.local.platform import Addresses, running_platform

SECONDS = float(os.environ.get("CASEMESH_BENCH_SECONDS", "10"))
SOURCES = ("identity", "translation", "dossier", "routing")
CALL_EVENTS = 64
CALLS_AT_ONCE = 2
READERS = 64
PROOFS = 500
TRAIL_EVENTS = 10_000
CASES = [f"cases/{new_id()}" for _ in range(1000)]


async def measure(report: Report) -> None:
    """Measure everything of this module."""
    _verify(report)
    folder = os.environ.get("CASEMESH_BENCH_DIR")
    with tempfile.TemporaryDirectory(prefix="casemesh-bench-", dir=folder) as scratch:
        async with running_platform(Path(scratch) / "data", gateway_port=0) as addresses:
            await _append(report, addresses, 1.0, CALL_EVENTS, CALLS_AT_ONCE, "")
            await _append(report, addresses, SECONDS, CALL_EVENTS, CALLS_AT_ONCE, "audit.append")
            await _append(report, addresses, SECONDS, 1, READERS // len(SOURCES), "audit.append.single")
            await _append(report, addresses, SECONDS / 2, 1, 1, "audit.append.alone", sources=("dossier",))
            await _prove(report, addresses)


async def _append(
    report: Report,
    addresses: Addresses,
    seconds: float,
    events: int,
    at_once: int,
    name: str,
    sources: tuple[str, ...] = SOURCES,
) -> None:
    """Append as fast as the log takes it; without a name, to warm up."""
    taken: list[float] = []
    service = service_process("audit")
    before, started = service.cpu_times(), time.perf_counter()

    async def keep_appending(stub: AuditAppendServiceStub) -> None:
        for request in log_requests(events):
            began = time.perf_counter()
            if began > started + seconds:
                return
            await stub.AppendEvents(request, timeout=TIMEOUT)
            taken.append(time.perf_counter() - began)

    stubs = [AuditAppendServiceStub(channel(addresses, "audit", source)) for source in sources]
    await asyncio.gather(*(keep_appending(stub) for stub in stubs for _ in range(at_once)))
    elapsed = time.perf_counter() - started
    if not name:
        return
    after = service.cpu_times()
    count = len(taken) * events
    spent = (after.user + after.system - before.user - before.system) / count
    told = f"{len(sources)} sources, {at_once} calls each in flight of {events} events, over mTLS"
    report.add(
        f"{name}.per_s",
        count / elapsed,
        "1/s",
        n=count,
        conditions=f"{told}; {spent * 1e6:.0f} us of the service's processor time an event",
    )
    report.add(f"{name}.p50_ms", statistics.median(taken) * 1000, "ms", n=len(taken), conditions=told)
    covering = "audit.checkpoint.p95_ms" if name == "audit.append" else f"{name}.p95_ms"
    report.add(
        covering,
        statistics.quantiles(taken, n=20)[-1] * 1000,
        "ms",
        n=len(taken),
        conditions=f"{told}; from the call to its answer under a signed checkpoint",
    )


def log_requests(events: int) -> Iterator[append_pb.AppendEventsRequest]:
    """Yield calls of `events` events each, of a thousand cases, as large as those of readings."""
    chance = random.Random(secrets.randbits(64))
    agency = f"agencies/{new_id()}"
    for _ in itertools.count():
        request = append_pb.AppendEventsRequest()
        for _ in range(events):
            event = request.events.add(
                event_id=new_id(),
                case=chance.choice(CASES),
                action="dossier.document.read",
                resource=f"dossiers/{new_id()}",
                actor=event_pb2.Actor(agency=agency, officer=f"{agency}/officers/{new_id()}"),
                basis="participation",
                trace_id=f"{chance.getrandbits(128):032x}",
            )
            event.occur_time.GetCurrentTime()
        yield request


async def _prove(report: Report, addresses: Addresses) -> None:
    stub = AuditQueryServiceStub(channel(addresses, "audit", "operator"))
    size = (await stub.GetInclusionProof(query_pb.GetInclusionProofRequest(), timeout=TIMEOUT)).tree_size
    taken = []
    for _ in range(PROOFS):
        request = query_pb.GetInclusionProofRequest(log_index=random.randrange(size))
        began = time.perf_counter()
        await stub.GetInclusionProof(request, timeout=TIMEOUT)
        taken.append(time.perf_counter() - began)
    told = f"one at a time over mTLS, {size} entries; each checked by the service before it is sent"
    report.add("audit.proof.small.p50_ms", statistics.median(taken) * 1000, "ms", n=PROOFS, conditions=told)


def _verify(report: Report) -> None:
    """Check a trail's bundle offline, as anybody does who has only the log's public key."""
    signer = NoteSigner("bench.casemesh/audit", Ed25519PrivateKey.generate())
    tree, events, salts = Tree(), [], []
    previous: bytes | None = None
    for sequence in range(1, TRAIL_EVENTS + 1):
        event: dict[str, Json] = {
            "event_id": new_id(),
            "source": "dossier",
            "occur_time": "2026-03-02T09:30:00Z",
            "case": CASES[0],
            "action": "dossier.document.read",
            "resource": f"dossiers/{new_id()}",
            "actor": {"agency": f"agencies/{new_id()}"},
            "log_time": "2026-03-02T09:30:00.000000Z",
            "case_sequence": sequence,
            "previous": previous.hex() if previous is not None else None,
        }
        salt = secrets.token_bytes(SALT_SIZE)
        previous = commitment(salt, event)
        tree.append(commitment_leaf(previous))
        events.append(event)
        salts.append(salt)
    note = sign_checkpoint(Checkpoint(signer.name, tree.size, tree.root()), signer)
    entries = [
        trail.encode_entry(index, salt, canonical_json.dumps(event), tree.inclusion_proof(index))
        for index, (event, salt) in enumerate(zip(events, salts, strict=True))
    ]
    head = trail.encode_head(CASES[0], checkpoint=note, log_key=signer.verifier_key)
    bundle = head + trail.SEPARATOR.join(entries) + trail.TAIL
    taken = []
    for _ in range(3):
        began = time.perf_counter()
        trail.verify_trail_bundle(bundle, signer.verifier_key)
        taken.append(time.perf_counter() - began)
    told = f"{len(bundle) / 1e6:.1f} MB; each event's commitment, link, number and inclusion"
    report.add("audit.trail.verify_s", statistics.median(taken), "s", n=TRAIL_EVENTS, conditions=told)

"""Translation through the gateway: columns of codes in batches, one code, and a record of 60 coded fields.

Charges into police categories, as shipped; then a table of 10,000 codes of the bench's own, so that no code of a batch
stands in it twice. Client, gateway, translation and PostgreSQL share the machine's cores. Batches are of 20,000 codes,
four in flight; the rest is one call at a time. CASEMESH_BENCH_SECONDS says how long the sustained parts run.
"""

from __future__ import annotations

import asyncio
import os
import random
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from bench.desk import service_process
from bench.figures import Report
from casemesh.cli.demo_agencies import POLICE, enrol
from casemesh.client.session import OperatorSession, Session
from casemesh.common.v1.coded_value_pb2 import CodedValue
from casemesh.core.ids import new_id
from casemesh.data import code_system_packs
from casemesh.local.platform import running_platform
from casemesh.pki.authority import Pki
from casemesh.translation.v1 import translation_admin_service_pb2 as admin_pb
from casemesh.translation.v1 import translation_pb2
from casemesh.translation.v1 import translation_service_pb2 as pb

SECONDS = float(os.environ.get("CASEMESH_BENCH_SECONDS", "10"))
BATCH = 20_000
DISTINCT = 10_000
IN_FLIGHT = 4
ALONE = 500
FIELDS = 60
CHARGES, CATEGORIES = "criminal-charges", "police-case-categories"


async def measure(report: Report) -> None:
    """Measure everything of this module."""
    folder = os.environ.get("CASEMESH_BENCH_DIR")
    with tempfile.TemporaryDirectory(prefix="casemesh-bench-", dir=folder) as scratch:
        async with running_platform(Path(scratch) / "data", gateway_port=0) as addresses:
            pki = Pki(Path(addresses.pki))
            roots = pki.layout.root / "signing" / "ca.pem"
            async with OperatorSession(addresses.services, pki.layout.root / "mesh" / "operator") as operator:
                bureau = await enrol(POLICE, pki, operator, addresses, roots)
                await _load_distinct(operator)
            async with Session(bureau.officers[0]) as officer:
                chance = random.Random(1)
                charges = _charges()
                column = [chance.choice(charges) for _ in range(BATCH)]
                await _report_batches(report, officer, "translate.batch", (CHARGES, CATEGORIES), column)
                unlike = [f"S{number:05}" for number in chance.sample(range(DISTINCT), DISTINCT)]
                tables = ("bench-source", "bench-target")
                await _report_batches(report, officer, "translate.batch.distinct", tables, unlike)
                await _report_alone(report, officer, charges, chance)


async def _report_batches(
    report: Report, officer: Session, name: str, tables: tuple[str, str], codes: list[str]
) -> None:
    request = pb.TranslateBatchRequest(source_code_system=tables[0], target_code_system=tables[1], codes=codes)
    await officer.translation.TranslateBatch(request)
    process = service_process("translation")
    spent = sum(process.cpu_times()[:2])
    started, ends, translated = time.perf_counter(), time.perf_counter() + SECONDS, 0

    async def keep_going() -> None:
        nonlocal translated
        while time.perf_counter() < ends:
            answer = await officer.translation.TranslateBatch(request)
            translated += len(answer.translation_indexes)

    await asyncio.gather(*(keep_going() for _ in range(IN_FLIGHT)))
    elapsed = time.perf_counter() - started
    told = f"batches of {len(codes):,}, {len(set(codes)):,} distinct, {IN_FLIGHT} in flight, through the gateway"
    report.add(f"{name}.codes_per_s", translated / elapsed, "codes/s", n=translated, conditions=told)
    cpu = (sum(process.cpu_times()[:2]) - spent) / translated * 1e6
    report.add(f"{name}.service_cpu_us", cpu, "us/code", n=translated, conditions=told)


async def _report_alone(report: Report, officer: Session, charges: list[str], chance: random.Random) -> None:
    async def one() -> None:
        item = pb.TranslateCodesItem(
            value=CodedValue(code_system=CHARGES, code=chance.choice(charges)), target_code_system=CATEGORIES
        )
        await officer.translation.TranslateCodes(pb.TranslateCodesRequest(items=[item]))

    async def record() -> None:
        names = [f"field-{number}" for number in range(FIELDS)]
        request = pb.TranslateRecordRequest(
            schema=[
                pb.CodedField(field=name, target_code_system=CATEGORIES, unmapped_action=pb.UNMAPPED_ACTION_PASS)
                for name in names
            ],
            record=[
                translation_pb2.RecordValue(
                    field=name, coded=CodedValue(code_system=CHARGES, code=chance.choice(charges))
                )
                for name in names
            ],
        )
        answer = await officer.translation.TranslateRecord(request)
        if len(answer.translations) != FIELDS:
            raise RuntimeError("a field of the record has no answer")

    for name, call, fields in (("translate.one", one, 1), (f"translate.record{FIELDS}", record, FIELDS)):
        told = f"{fields} coded, one call at a time, through the gateway"
        taken, cpu_ms = await _taken(call)
        report.add(f"{name}.p50_ms", statistics.median(taken), "ms", n=ALONE, conditions=told)
        report.add(f"{name}.p95_ms", statistics.quantiles(taken, n=20)[-1], "ms", n=ALONE, conditions=told)
        report.add(f"{name}.service_cpu_ms", cpu_ms, "ms", n=ALONE, conditions=told)


async def _taken(call: Callable[[], Awaitable[None]]) -> tuple[list[float], float]:
    """Milliseconds that each of some calls took, one after another, and the service's processor time for one."""
    process = service_process("translation")
    for _ in range(ALONE // 10):
        await call()
    spent, taken = sum(process.cpu_times()[:2]), []
    for _ in range(ALONE):
        started = time.perf_counter()
        await call()
        taken.append((time.perf_counter() - started) * 1000)
    return taken, (sum(process.cpu_times()[:2]) - spent) / ALONE * 1000


async def _load_distinct(operator: OperatorSession) -> None:
    """Load two tables of 10,000 codes and the map that joins them code by code."""
    pack = admin_pb.PackSource(accept_unsigned=True)
    for table, letter in (("bench-source", "S"), ("bench-target", "T")):
        rows = "".join(f"{letter}{number:05},编号{number}\n" for number in range(DISTINCT))
        await operator.translation_admin.ImportCodeSystem(
            admin_pb.ImportCodeSystemRequest(
                request_id=new_id(),
                code_system=table,
                version="1",
                display_name=table,
                pack=pack,
                csv=f"code,name_zh\n{rows}".encode(),
            )
        )
    pairs = "".join(f"S{number:05},T{number:05},exact\n" for number in range(DISTINCT))
    await operator.translation_admin.ImportConceptMap(
        admin_pb.ImportConceptMapRequest(
            request_id=new_id(),
            concept_map="bench",
            version="1",
            source_code_system="bench-source",
            target_code_system="bench-target",
            pack=pack,
            csv=f"from_code,to_code,equivalence\n{pairs}".encode(),
        )
    )


def _charges() -> list[str]:
    table = next(pack for pack in code_system_packs() if pack.code_system == CHARGES)
    return [line.split(",", 1)[0] for line in table.csv.decode().splitlines()[1:]]

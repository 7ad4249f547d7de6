"""Case access with up to a million facts: decisions in the process, checks over mTLS at a fixed rate, and tokens.

The facts are loaded in bulk; a case has five, of two agencies. Half of the questions are about one's own cases, half
about anybody's. Checks come at their rate whether or not the earlier ones are answered, and are timed from when they
were due. Client, identity and PostgreSQL share the machine's cores, so the CPU time that a check costs identity and
PostgreSQL is told beside. CASEMESH_BENCH_SECONDS says how long the sustained parts run, CASEMESH_BENCH_FACTS how many
facts there are.
"""

from __future__ import annotations

import asyncio
import os
import random
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

import asyncpg
import psutil

from bench.desk import TIMEOUT, channel, service_process
from bench.figures import Report
from casemesh.client.channel import Credentials
from casemesh.client.login_assertion import OfficerLogin, sign_assertion
from casemesh.core.clock import SystemClock
from casemesh.core.ids import new_id
from casemesh.identity.access_rules import AccessRules
from casemesh.identity.access_store import AccessStore
from casemesh.identity.decisions import CaseAccessDecider
from casemesh.identity.subjects import Subject
from casemesh.identity.v1 import access_service_pb2 as access_pb
from casemesh.identity.v1 import token_service_pb2 as token_pb
from casemesh.identity.v1.access_service_pb2_grpc import AccessServiceStub
from casemesh.identity.v1.case_access_pb2 import CasePermission
from casemesh.identity.v1.token_service_pb2_grpc import TokenServiceStub
from casemesh.local.configuration import MachineLayout
from casemesh.local.platform import Addresses, running_platform
from casemesh.pki.authority import Pki
from casemesh.runtime.config import DatabaseConfig
from casemesh.runtime.postgres import Database
from casemesh.runtime.tokens import TokenVerifier

SECONDS = float(os.environ.get("CASEMESH_BENCH_SECONDS", "15"))
FACTS = int(os.environ.get("CASEMESH_BENCH_FACTS", "1000000"))
FEW_FACTS = 10_000
CHECKS_PER_SECOND = 500
FACTS_PER_CASE = 5
AGENCIES, OFFICERS_PER_AGENCY = 100, 100
ASKING = 64
IN_FLIGHT = 16
MOST_TOKENS_PER_SECOND = 2000
AGENCY = "bench-0"
VIEW_CASE, VIEW_DOSSIER = CasePermission.CASE_PERMISSION_VIEW_CASE, CasePermission.CASE_PERMISSION_VIEW_DOSSIER


@dataclass
class Population:
    """Agencies, each with a system and officers, and cases with their facts. Identifiers are UUIDs as text."""

    agencies: list[str] = field(default_factory=list)
    officers: list[list[str]] = field(default_factory=list)
    """By agency."""
    systems: list[str] = field(default_factory=list)
    cases: list[str] = field(default_factory=list)
    own: list[list[str]] = field(default_factory=lambda: [[] for _ in range(ASKING)])
    """The cases of the officers who ask, who are the first of the first agency."""
    real_certificate: bytes = b""
    """The fingerprint of the first agency's certificate, whose system states logins."""

    def certificate(self, agency: int) -> bytes:
        """Return what is registered as the fingerprint of an agency's certificate."""
        return self.real_certificate if agency == 0 else sha256(self.systems[agency].encode()).digest()

    def subject(self, officer: int) -> Subject:
        """Return one of those who ask."""
        return Subject(self.agencies[0], "system", self.systems[0], self.officers[0][officer], self.certificate(0))

    def questions(self, chance: random.Random) -> Iterator[tuple[int, str, CasePermission]]:
        """Yield who asks, about which case, for which right."""
        while True:
            officer = chance.randrange(ASKING)
            # Among few cases, not everybody has one.
            case = chance.choice(chance.choice((self.own[officer] or self.cases, self.cases)))
            yield officer, f"cases/{case}", chance.choice((VIEW_CASE, VIEW_DOSSIER))


async def measure(report: Report) -> None:
    """Measure everything of this module."""
    folder = os.environ.get("CASEMESH_BENCH_DIR")
    with tempfile.TemporaryDirectory(prefix="casemesh-bench-", dir=folder) as scratch:
        data = Path(scratch) / "data"
        async with running_platform(data, gateway_port=0) as addresses:
            dsn = (MachineLayout(data).config / "identity.dsn").read_text(encoding="utf-8").strip()
            pki = Pki(Path(addresses.pki))
            pki.add_agency(AGENCY)
            system = pki.issue_system(AGENCY, "cms")
            people = Population(real_certificate=bytes.fromhex(system.fingerprint))
            credentials = Credentials(system.files.certificate.parent)
            await _enrol(dsn, people)
            await _load(dsn, people, FEW_FACTS)
            few = await _decide(dsn, people)
            await _load(dsn, people, FACTS)
            many = await _decide(dsn, people)
            _report_decisions(report, few, many)
            tokens = await _report_tokens(report, addresses, people, credentials)
            await _report_checks(report, addresses, people, tokens)
            await _report_batches(report, addresses, people, tokens)


async def _enrol(dsn: str, people: Population) -> None:
    rows: dict[str, list[tuple[Any, ...]]] = {"agency": [], "officer": [], "client": [], "client_certificate": []}
    for number in range(AGENCIES):
        agency, system = new_id(), new_id()
        officers = [new_id() for _ in range(OFFICERS_PER_AGENCY)]
        people.agencies.append(agency)
        people.systems.append(system)
        people.officers.append(officers)
        rows["agency"].append((agency, f"bench-{number}", "bench", "GA", f"bench-{number}.agency.casemesh"))
        rows["officer"] += [(officer, agency, "bench") for officer in officers]
        rows["client"].append((system, agency, "system"))
        rows["client_certificate"].append((people.certificate(number), system))
    columns = {
        "agency": ("id", "code", "display_name", "organ", "trust_domain"),
        "officer": ("id", "agency_id", "display_name"),
        "client": ("id", "agency_id", "kind"),
        "client_certificate": ("sha256", "client_id"),
    }
    connection = await _owner(dsn)
    try:
        for table, records in rows.items():
            await connection.copy_records_to_table(table, records=records, columns=columns[table])
    finally:
        await connection.close()


async def _load(dsn: str, people: Population, facts: int) -> None:
    """Add cases until there are so many facts."""
    chance = random.Random(len(people.cases))
    participations, assignments = [], []
    for _ in range(facts // FACTS_PER_CASE - len(people.cases)):
        case, number = new_id(), len(people.cases)
        people.cases.append(case)
        places = [number % AGENCIES, (number + 1) % AGENCIES]
        participations += [(new_id(), case, people.agencies[place], "bench") for place in places]
        working = chance.sample(range(OFFICERS_PER_AGENCY), FACTS_PER_CASE - len(places))
        for officer in working:
            assignments.append(
                (new_id(), case, people.agencies[places[0]], people.officers[places[0]][officer], "bench")
            )
            if places[0] == 0 and officer < ASKING:
                people.own[officer].append(case)
    connection = await _owner(dsn)
    try:
        await connection.copy_records_to_table(
            "participation", records=participations, columns=("id", "case_id", "agency_id", "cause")
        )
        await connection.copy_records_to_table(
            "assignment", records=assignments, columns=("id", "case_id", "agency_id", "officer_id", "cause")
        )
        await connection.execute("VACUUM ANALYZE")
    finally:
        await connection.close()


async def _owner(dsn: str) -> asyncpg.Connection[asyncpg.Record]:
    return await asyncpg.connect(dsn.replace("casemesh_identity_runtime", "casemesh_identity_owner"))


async def _decide(dsn: str, people: Population) -> list[float]:
    """Milliseconds that each of two thousand decisions takes, one after another, facts read each time."""
    database = Database(dsn, DatabaseConfig(dsn_file=Path("unused"), pool_size=1))
    await database.open()
    try:
        decider = CaseAccessDecider(AccessStore(database), AccessRules.shipped())
        questions = people.questions(random.Random(1))
        taken = []
        for number in range(2200):
            officer, case, permission = next(questions)
            subject = people.subject(officer)
            started = time.perf_counter()
            decision = await decider.decide_for(subject, case, permission)
            taken.append((time.perf_counter() - started) * 1000)
            if case.removeprefix("cases/") in people.own[officer] and not decision.allowed:
                raise RuntimeError(f"question {number} was denied")
        return taken[200:]
    finally:
        await database.close()


def _report_decisions(report: Report, few: list[float], many: list[float]) -> None:
    told = "read from PostgreSQL and decided in one process, one at a time"
    slow, fast = statistics.median(many), statistics.median(few)
    report.add("access.decide.p50_ms", slow, "ms", n=len(many), conditions=f"{told}; {FACTS:,} facts")
    report.add("access.decide.few_facts.p50_ms", fast, "ms", n=len(few), conditions=f"{told}; {FEW_FACTS:,} facts")
    report.add(
        "access.decide.many_vs_few_facts", slow / fast, "ratio",
        against=f"{FEW_FACTS:,} facts", n=len(many), conditions=f"{told}; {FACTS:,} facts",
    )  # fmt: skip


async def _report_tokens(
    report: Report, addresses: Addresses, people: Population, credentials: Credentials
) -> list[str]:
    """Measure tokens; return one for each of those who ask."""
    stub = TokenServiceStub(channel(addresses, "identity", "gateway"))
    now = time.time()
    metadata = [("x-forwarded-client-cert", f"Hash={people.certificate(0).hex()}")]
    names = [f"agencies/{people.agencies[0]}/officers/{officer}" for officer in people.officers[0][:ASKING]]

    def stated(number: int) -> str:
        return sign_assertion(credentials, names[number % ASKING], OfficerLogin(now, "password"), time.time())

    async def issue(assertion: str) -> str:
        request = token_pb.IssueTokenRequest(assertion=assertion)
        return str((await stub.IssueToken(request, metadata=metadata, timeout=TIMEOUT)).access_token)

    # Each is signed by another machine in the field, and before the clock runs here.
    assertions = iter([stated(number) for number in range(int(SECONDS * MOST_TOKENS_PER_SECOND))])
    for number in range(ASKING):
        await issue(stated(number))
    before, started = _cpu_seconds(), time.perf_counter()
    tokens = await _keep_busy(lambda _: issue(next(assertions)), SECONDS)
    elapsed = time.perf_counter() - started
    told = f"over mTLS, {IN_FLIGHT} in flight, upon assertions, each verified and used up"
    report.add("token.issue.per_s", len(tokens) / elapsed, "1/s", n=len(tokens), conditions=told)
    for name, used in _cpu_seconds().items():
        spent = (used - before[name]) / len(tokens) * 1e6
        report.add(f"token.issue.{name}_cpu_us", spent, "us", n=len(tokens), conditions=f"CPU time a token; {told}")

    async def keys() -> str:
        return str(
            (await stub.GetSigningKeys(token_pb.GetSigningKeysRequest(), timeout=TIMEOUT, metadata=metadata)).jwks_json
        )

    verifier = TokenVerifier(keys, SystemClock())
    await verifier.verify(tokens[0])
    for name, told in (("token.verify.us", "never seen before"), ("token.verify_cached.us", "seen before")):
        taken = []
        for token in tokens[1:1001]:
            started = time.perf_counter()
            await verifier.verify(token)
            taken.append((time.perf_counter() - started) * 1e6)
        report.add(name, statistics.median(taken), "us", n=len(taken), conditions=f"a token {told}, in one process")
    return [await issue(stated(number)) for number in range(ASKING)]


async def _report_checks(report: Report, addresses: Addresses, people: Population, tokens: list[str]) -> None:
    stub = AccessServiceStub(channel(addresses, "identity", "dossier"))
    questions = people.questions(random.Random(2))
    taken: list[float] = []
    # Where the machine falls behind, checks wait here and their wait counts: a server has only so many streams.
    streams = asyncio.Semaphore(64)

    async def check(due: float, officer: int, case: str, permission: CasePermission) -> None:
        request = access_pb.CheckAccessRequest(case=case, permission=permission)
        async with streams:
            await stub.CheckAccess(request, metadata=_bearer(tokens[officer]), timeout=TIMEOUT)
        taken.append((time.perf_counter() - due) * 1000)

    async def at_rate(seconds: float) -> None:
        begin = time.perf_counter()
        async with asyncio.TaskGroup() as group:
            for number in range(int(seconds * CHECKS_PER_SECOND)):
                due = begin + number / CHECKS_PER_SECOND
                if (wait := due - time.perf_counter()) > 0:
                    await asyncio.sleep(wait)
                group.create_task(check(due, *next(questions)))

    await at_rate(2)
    taken.clear()
    before = _cpu_seconds()
    await at_rate(SECONDS)
    told = f"{CHECKS_PER_SECOND} a second for {SECONDS:g} s over mTLS, {FACTS:,} facts, timed from when each was due"
    report.add("access.check.p95_ms", statistics.quantiles(taken, n=20)[-1], "ms", n=len(taken), conditions=told)
    report.add("access.check.p50_ms", statistics.median(taken), "ms", n=len(taken), conditions=told)
    for name, used in _cpu_seconds().items():
        spent = (used - before[name]) / len(taken) * 1e6
        report.add(f"access.check.{name}_cpu_us", spent, "us", n=len(taken), conditions=f"CPU time a check; {told}")


async def _report_batches(report: Report, addresses: Addresses, people: Population, tokens: list[str]) -> None:
    stub = AccessServiceStub(channel(addresses, "identity", "dossier"))
    questions = people.questions(random.Random(3))
    taken = []
    for number in range(220):
        asked = [next(questions) for _ in range(100)]
        checks = [access_pb.CheckAccessRequest(case=case, permission=right) for _, case, right in asked]
        request = access_pb.BatchCheckAccessRequest(checks=checks)
        started = time.perf_counter()
        await stub.BatchCheckAccess(request, metadata=_bearer(tokens[number % ASKING]), timeout=TIMEOUT)
        taken.append((time.perf_counter() - started) * 1000)
    told = f"100 questions a call over mTLS, one call at a time, {FACTS:,} facts"
    report.add("access.batch100.p50_ms", statistics.median(taken[20:]), "ms", n=len(taken) - 20, conditions=told)


async def _keep_busy(call: Callable[[int], Awaitable[str]], seconds: float) -> list[str]:
    """Keep calls in flight for a while; return their answers."""
    ends = time.perf_counter() + seconds
    answers: list[str] = []

    async def worker() -> None:
        while time.perf_counter() < ends:
            answers.append(await call(len(answers)))

    await asyncio.gather(*(worker() for _ in range(IN_FLIGHT)))
    return answers


def _cpu_seconds() -> dict[str, float]:
    """CPU time that identity, and PostgreSQL for everybody, have used so far."""
    servers = [child for child in psutil.Process().children(recursive=True) if child.name().startswith("postgres")]
    # What a backend that has ended used counts with the children of the server.
    times = [process.cpu_times() for process in servers]
    identity = service_process("identity").cpu_times()
    return {"identity": identity.user + identity.system, "postgres": sum(used.user + used.system for used in times)}


def _bearer(token: str) -> list[tuple[str, str]]:
    return [("authorization", f"Bearer {token}")]

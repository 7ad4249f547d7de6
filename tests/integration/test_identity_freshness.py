"""How fresh access decisions are: after a right is revoked no later call sees what was added afterwards, on any replica
of identity; and where the state cannot be had, calls are UNAVAILABLE and never let through, until it can again."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import asyncpg

from casemesh.client.upload_frames import dossier_stub
from casemesh.core.ids import new_id
from casemesh.dossier.v1 import dossier_read_service_pb2 as read_pb
from casemesh.dossier.v1 import dossier_service_pb2 as dossier_pb
from casemesh.dossier.v1.dossier_read_service_pb2_grpc import DossierReadServiceStub
from casemesh.errors import CaseMeshError
from casemesh.identity.config import Config
from casemesh.identity.main import assemble
from casemesh.identity.v1 import access_admin_service_pb2 as access_pb
from casemesh.identity.v1.access_admin_service_pb2_grpc import AccessAdminServiceStub
from casemesh.local.configuration import MachineLayout
from casemesh.local.postgres import EmbeddedPostgres
from casemesh.runtime.config import load
from casemesh.runtime.host import serving
from tests.support.access import Person, add_participation, from_now, new_case, sql
from tests.support.dossiers import TIMEOUT, DossierDesk
from tests.support.mesh import Mesh, MeshOf
from tests.support.pki import POLICE

ROUNDS = 6
READERS = 3


@asynccontextmanager
async def replica(mesh: Mesh, listen: str) -> AsyncIterator[Mesh]:
    """Run identity once more, on the same database; gives a way to call that one."""
    config = load(MachineLayout(mesh.directory).config / "identity.toml", Config)
    server = replace(config.server, listen=listen, announce=0.0, drain=1.0)
    async with serving("identity", replace(config, server=server), assemble) as running:
        addresses = {**mesh.addresses, "identity": f"127.0.0.1:{running.port}"}
        second = Mesh(mesh.pki, mesh.directory, addresses, mesh.databases)
        try:
            yield second
        finally:
            await second.close()


async def titles(desk: DossierDesk, metadata: Any) -> set[str] | str:
    """The titles of the case's dossiers as the dossier service shows them, or why it does not."""
    stub = desk.mesh.agency_stub("dossier", DossierReadServiceStub)
    request = read_pb.ListDossiersRequest(case=desk.case, page_size=100)
    try:
        answer = await stub.ListDossiers(request, metadata=metadata, timeout=TIMEOUT)
    except CaseMeshError as error:
        return error.reason
    return {dossier.title for dossier in answer.dossiers}


def seeing_something(answer: set[str] | str) -> bool:
    return isinstance(answer, set) and bool(answer)


async def test_after_a_right_is_revoked_no_later_call_sees_what_was_added_afterwards(
    dossier_desk: DossierDesk,
) -> None:
    desk, chance = dossier_desk, random.Random(7)
    mesh, police = desk.mesh, desk.police
    reader = await mesh.metadata(police, "zhao")
    writing = desk.as_caller(dossier_stub)
    async with replica(mesh, "127.0.0.1:0") as other:
        # The dossier service asks one replica; rights change on the other.
        admin = other.agency_stub("identity", AccessAdminServiceStub)

        async def change(method: Any, request: Any) -> None:
            await method(request, metadata=desk.police_metadata, timeout=TIMEOUT)

        named = {"case": desk.case, "officer": police.officers["zhao"]}
        for number in range(ROUNDS):
            await change(admin.AssignOfficer, access_pb.AssignOfficerRequest(request_id=new_id(), **named))
            revoked, done = asyncio.Event(), asyncio.Event()
            seen: list[tuple[bool, set[str] | str]] = []

            async def write(number: int = number, revoked: asyncio.Event = revoked) -> None:
                count, left = 0, 3
                while left:
                    left -= revoked.is_set()
                    title = f"{number} {'afterwards' if revoked.is_set() else 'before'} {count}"
                    request = dossier_pb.CreateDossierRequest(request_id=new_id(), case=desk.case, title=title)
                    await writing.CreateDossier(request)
                    count += 1

            async def read(
                revoked: asyncio.Event = revoked,
                done: asyncio.Event = done,
                seen: list[tuple[bool, set[str] | str]] = seen,
            ) -> None:
                while not done.is_set():
                    later = revoked.is_set()
                    seen.append((later, await titles(desk, reader)))

            async def revoke(revoked: asyncio.Event = revoked, seen: Any = seen) -> None:
                until = chance.randrange(2, 12)
                while len(seen) < until or not any(seeing_something(answer) for _, answer in seen):
                    await asyncio.sleep(0)
                await change(admin.EndAssignment, access_pb.EndAssignmentRequest(request_id=new_id(), **named))
                revoked.set()

            async with asyncio.timeout(60), asyncio.TaskGroup() as group:
                readers = [group.create_task(read()) for _ in range(READERS)]
                await asyncio.gather(group.create_task(write()), group.create_task(revoke()))
                done.set()
                await asyncio.gather(*readers)
            assert {"NOT_FOUND"} == {answer if isinstance(answer, str) else "shown" for later, answer in seen if later}
            shown = set().union(*(answer for _, answer in seen if not isinstance(answer, str)))
            assert shown
            assert not [title for title in shown if title.startswith(f"{number} afterwards")]


async def test_while_identity_is_down_or_silent_calls_are_unavailable_and_afterwards_as_before(
    dossier_desk: DossierDesk,
) -> None:
    desk, mesh = dossier_desk, dossier_desk.mesh
    lin, zhao = desk.police_metadata, await mesh.metadata(desk.police, "zhao")
    await desk.draft("一卷")
    assert ({"一卷"}, "NOT_FOUND") == (await titles(desk, lin), await titles(desk, zhao))

    await mesh.servers["identity"].server.stop(None)
    assert ("DEPENDENCY_UNAVAILABLE",) * 2 == (await titles(desk, lin), await titles(desk, zhao))

    host, _, port = mesh.addresses["identity"].rpartition(":")

    async def say_nothing(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        # A partition, as a client sees it: it connects, and nothing comes back.
        await source.read()
        sink.close()

    silent = await asyncio.start_server(say_nothing, host, int(port))
    try:
        assert ("DEPENDENCY_UNAVAILABLE",) * 2 == tuple(await asyncio.gather(titles(desk, lin), titles(desk, zhao)))
    finally:
        silent.close()

    async with replica(mesh, mesh.addresses["identity"]), asyncio.timeout(30):
        while (answer := await titles(desk, lin)) == "DEPENDENCY_UNAVAILABLE":
            await asyncio.sleep(0.1)
        assert ({"一卷"}, "NOT_FOUND") == (answer, await titles(desk, zhao))


async def test_a_database_that_goes_away_in_the_middle_of_checks_makes_them_unavailable_or_right(
    dossier_desk: DossierDesk, embedded_postgres: EmbeddedPostgres
) -> None:
    desk, mesh = dossier_desk, dossier_desk.mesh
    callers = {"lin": desk.police_metadata, "zhao": await mesh.metadata(desk.police, "zhao")}
    right = {"lin": {"一卷"}, "zhao": "NOT_FOUND"}
    away = {"DATABASE_UNAVAILABLE", "DEPENDENCY_UNAVAILABLE"}
    await desk.draft("一卷")
    name = mesh.databases["identity"].name
    answers: list[tuple[str, set[str] | str]] = []
    done = asyncio.Event()

    async def ask(who: str) -> None:
        while not done.is_set():
            answers.append((who, await titles(desk, callers[who])))

    async def more(count: int) -> None:
        until = len(answers) + count
        while len(answers) < until:
            await asyncio.sleep(0.01)

    admin = await asyncpg.connect(embedded_postgres.admin_dsn())
    try:
        async with asyncio.timeout(60), asyncio.TaskGroup() as group:
            for who in (*callers, *callers):
                group.create_task(ask(who))
            for _ in range(3):
                # What a restart does to connections: all end, and for a while there are no new ones.
                await admin.execute(f"ALTER DATABASE {name} CONNECTION LIMIT 0")
                await admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", name)
                await more(8)
                await admin.execute(f"ALTER DATABASE {name} CONNECTION LIMIT -1")
                await more(8)
            done.set()
    finally:
        await admin.close()
    told = {answer for _, answer in answers if isinstance(answer, str)}
    assert away & told
    assert [] == [(who, answer) for who, answer in answers if answer != right[who] and str(answer) not in away]
    assert right == {who: await titles(desk, metadata) for who, metadata in callers.items()}


async def test_a_delegation_past_its_end_gives_nothing_at_the_next_question(mesh_of: MeshOf) -> None:
    async with mesh_of("identity") as mesh:
        police = await mesh.enrol(POLICE, "GA", ["甲某", "乙某"])
        lin, colleague = (Person(mesh, police, name) for name in ("甲某", "乙某"))
        case = new_case()
        await add_participation(mesh, case, police, "甲某")
        await lin.admin.DelegateAccess(case=case, officer=colleague.name, permissions=[1], expire_time=from_now(days=1))
        assert "VIEW_CASE" in await colleague.may(case)
        await sql(mesh, "UPDATE officer_grant SET valid_from = now() - '1d'::interval, valid_until = now()")
        assert {"BREAK_GLASS"} == await colleague.may(case)

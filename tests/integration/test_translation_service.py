"""Translation over real mTLS and PostgreSQL: imports with one effect, answers that never guess."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest
from google.type.date_pb2 import Date

from casemesh.audit.v1 import event_pb2
from casemesh.common.v1.coded_value_pb2 import CodedValue
from casemesh.core.ids import new_id
from casemesh.data import code_system_packs, concept_map_packs
from casemesh.errors import (
    AlreadyExists,
    FailedPrecondition,
    InvalidArgument,
    NotFound,
    PermissionDenied,
    Unauthenticated,
    Unavailable,
)
from casemesh.local.postgres import EmbeddedPostgres
from casemesh.local.shipped_packs import load_shipped_packs
from casemesh.translation.v1 import translation_admin_service_pb2 as admin_pb2
from casemesh.translation.v1 import translation_pb2
from casemesh.translation.v1 import translation_service_pb2 as read_pb2
from casemesh.translation.v1.translation_admin_service_pb2_grpc import TranslationAdminServiceStub
from casemesh.translation.v1.translation_service_pb2_grpc import TranslationServiceStub
from tests.support.mesh import Mesh, MeshOf
from tests.support.pki import POLICE

TIMEOUT = 20.0
SHAPES = "code,name_zh,effective_until,replaced_by\nA1,圆,,\nA2,方,,\nA3,角,2020-12-31,A2\n"
FORMS = "code,name_zh\nB1,圆\nB2,四边\n"
PAIRS = "from_code,to_code\nA1,B1\nA2,B2\nA3,B2\n"


def table(
    code_system: str, csv: str, version: str = "1", request_id: str | None = None
) -> admin_pb2.ImportCodeSystemRequest:
    return admin_pb2.ImportCodeSystemRequest(
        request_id=request_id or new_id(),
        code_system=code_system,
        version=version,
        display_name=code_system,
        csv=csv.encode(),
        pack=admin_pb2.PackSource(accept_unsigned=True),
    )


def pairs(
    csv: str = PAIRS,
    version: str = "1",
    source: str = "shapes",
    target: str = "forms",
    effective_until: Date | None = None,
) -> admin_pb2.ImportConceptMapRequest:
    return admin_pb2.ImportConceptMapRequest(
        request_id=new_id(),
        concept_map="shapes-to-forms",
        version=version,
        source_code_system=source,
        target_code_system=target,
        effective_until=effective_until,
        csv=csv.encode(),
        pack=admin_pb2.PackSource(accept_unsigned=True),
    )


class Translation:
    """The service as the operator and as routing see it."""

    def __init__(self, mesh: Mesh) -> None:
        self.mesh = mesh
        self.admin = mesh.operator("translation", TranslationAdminServiceStub)
        self.reading = TranslationServiceStub(mesh.channel("translation", "routing"))

    async def load(self, *requests: admin_pb2.ImportCodeSystemRequest | admin_pb2.ImportConceptMapRequest) -> list[Any]:
        answers = []
        for request in requests:
            call = (
                self.admin.ImportCodeSystem
                if isinstance(request, admin_pb2.ImportCodeSystemRequest)
                else self.admin.ImportConceptMap
            )
            answers.append(await call(request, timeout=TIMEOUT))
        return answers

    async def translate(
        self, *codes: str, source: str = "shapes", target: str = "forms", date: Date | None = None
    ) -> list[translation_pb2.Translation]:
        request = read_pb2.TranslateCodesRequest(date=date)
        for code in codes:
            request.items.add(value=CodedValue(code_system=source, code=code), target_code_system=target)
        answer = await self.reading.TranslateCodes(request, timeout=TIMEOUT)
        return list(answer.translations)

    async def targets(self, *codes: str, **options: Any) -> list[list[str]]:
        return [[target.value.code for target in each.targets] for each in await self.translate(*codes, **options)]

    async def look_up(self, code: str) -> read_pb2.LookUpCodeResponse:
        request = read_pb2.LookUpCodeRequest(value=CodedValue(code_system="shapes", code=code))
        return await self.reading.LookUpCode(request, timeout=TIMEOUT)

    async def events(self) -> list[event_pb2.Event]:
        connection = await asyncpg.connect(self.mesh.databases["translation"].owner_dsn)
        try:
            rows = await connection.fetch("SELECT event FROM outbox ORDER BY id")
        finally:
            await connection.close()
        return [event_pb2.Event.FromString(row["event"]) for row in rows]


@pytest.fixture
async def translation(mesh_of: MeshOf) -> AsyncIterator[Translation]:
    async with mesh_of("translation") as mesh:
        yield Translation(mesh)


@pytest.fixture
async def shapes(translation: Translation) -> Translation:
    await translation.load(table("shapes", SHAPES), table("forms", FORMS), pairs())
    return translation


async def test_each_outcome_is_an_answer_and_the_original_stays(shapes: Translation) -> None:
    await shapes.load(pairs("from_code,to_code\nA1,B1\n", version="2"))
    mapped, unmapped, unknown = await shapes.translate("A1", "A2", "A9")
    (same,) = await shapes.translate("A2", target="shapes")

    assert mapped.outcome == translation_pb2.TRANSLATION_OUTCOME_MAPPED
    assert (mapped.original.code, mapped.targets[0].value.code, mapped.targets[0].value.display) == ("A1", "B1", "圆")
    assert mapped.targets[0].equivalence == translation_pb2.EQUIVALENCE_EXACT
    assert (mapped.concept_map, mapped.concept_map_version) == ("shapes-to-forms", "2")
    assert unmapped.outcome == translation_pb2.TRANSLATION_OUTCOME_UNMAPPED
    assert unknown.outcome == translation_pb2.TRANSLATION_OUTCOME_UNKNOWN_CODE
    assert same.outcome == translation_pb2.TRANSLATION_OUTCOME_SAME_SYSTEM
    assert same.targets[0].value.code == "A2"
    for answer in (unmapped, unknown):
        assert (len(answer.targets), answer.concept_map, answer.concept_map_version) == (0, "", "")


async def test_detail_that_is_lost_is_said(shapes: Translation) -> None:
    exact, lost, ended = await shapes.translate("A1", "A2", "A3")

    assert exact.targets[0].equivalence == translation_pb2.EQUIVALENCE_EXACT
    assert lost.targets[0].equivalence == translation_pb2.EQUIVALENCE_BROADER
    assert ended.targets[0].equivalence == translation_pb2.EQUIVALENCE_BROADER


async def test_the_day_of_the_request_chooses_the_version_of_a_map(shapes: Translation) -> None:
    until = Date(year=2020, month=12, day=31)
    old = pairs("from_code,to_code\nA1,B2\n", version="old", effective_until=until)
    await shapes.load(old)

    assert await shapes.targets("A1", date=Date(year=2020, month=12, day=31)) == [["B2"]]
    assert await shapes.targets("A1", date=Date(year=2021, month=1, day=1)) == [["B1"]]


async def test_a_table_that_is_not_loaded_is_named(shapes: Translation) -> None:
    for source, target in (("shapes", "colours"), ("colours", "shapes")):
        with pytest.raises(NotFound) as refused:
            await shapes.translate("A1", source=source, target=target)
        assert (refused.value.reason, refused.value.metadata) == ("CODE_SYSTEM_UNKNOWN", {"code_system": "colours"})


async def test_a_day_that_does_not_exist_is_refused(shapes: Translation) -> None:
    with pytest.raises(InvalidArgument) as refused:
        await shapes.translate("A1", date=Date(year=2021, month=2))

    assert [violation.field for violation in refused.value.violations] == ["date"]


async def test_a_code_no_longer_used_is_looked_up_with_its_successor(shapes: Translation) -> None:
    current, ended = await shapes.look_up("A2"), await shapes.look_up("A3")

    assert (current.value.display, current.active, list(current.successors)) == ("方", True, [])
    assert (ended.value.display, ended.active, list(ended.successors)) == ("角", False, ["A2"])
    with pytest.raises(NotFound) as refused:
        await shapes.look_up("A9")
    assert refused.value.reason == "CODE_UNKNOWN"


async def test_the_same_request_again_has_one_effect(translation: Translation) -> None:
    request = table("shapes", SHAPES)
    first, again = await translation.load(request, request)

    assert first == again
    assert first.code_system.code_count == 3
    assert [event.action for event in await translation.events()] == ["translation.code_system.imported"]


async def test_requests_at_once_with_one_id_have_one_effect(translation: Translation) -> None:
    request = table("shapes", SHAPES)

    answers = await asyncio.gather(*(translation.load(request) for _ in range(5)))

    assert [answers[0]] * 5 == answers
    assert len(await translation.events()) == 1


async def test_a_request_id_with_another_body_is_refused(translation: Translation) -> None:
    request = table("shapes", SHAPES)
    await translation.load(request)

    with pytest.raises(FailedPrecondition) as refused:
        await translation.load(table("shapes", FORMS, version="2", request_id=request.request_id))
    assert refused.value.reason == "REQUEST_ID_REUSED"


async def test_a_version_never_gets_other_content(shapes: Translation) -> None:
    for request in (table("shapes", FORMS), pairs("from_code,to_code\nA1,B2\n")):
        with pytest.raises(AlreadyExists) as refused:
            await shapes.load(request)
        assert refused.value.metadata == {"field": "version"}
    assert await shapes.targets("A1") == [["B1"]]


async def test_an_older_version_can_be_put_in_force_again(shapes: Translation) -> None:
    await shapes.load(pairs("from_code,to_code\nA1,B2\n", version="2"), table("shapes", "code,name_zh\nA1,环\n", "2"))
    assert await shapes.targets("A1") == [["B2"]]
    assert (await shapes.look_up("A1")).value.display == "环"

    await shapes.load(table("shapes", SHAPES), pairs())

    assert await shapes.targets("A1") == [["B1"]]
    assert (await shapes.look_up("A1")).code_system_version == "1"


async def test_a_broken_table_is_refused_whole_with_its_line(shapes: Translation) -> None:
    with pytest.raises(InvalidArgument) as refused:
        await shapes.load(table("shapes", SHAPES + "A1,另,,\n", version="2"))

    assert refused.value.reason == "CODE_PACK_INVALID"
    assert refused.value.metadata == {"line": "5", "field": "code"}
    assert (await shapes.look_up("A1")).code_system_version == "1"
    assert len(await shapes.events()) == 3


async def test_a_refused_request_id_is_free_for_the_mended_table(translation: Translation) -> None:
    broken = table("shapes", SHAPES + "A1,另,,\n")
    with pytest.raises(InvalidArgument):
        await translation.load(broken)

    mended = table("shapes", SHAPES, request_id=broken.request_id)

    assert (await translation.load(mended))[0].code_system.code_count == 3


async def test_a_map_needs_its_tables_and_their_codes(translation: Translation) -> None:
    await translation.load(table("shapes", SHAPES))
    with pytest.raises(NotFound) as missing:
        await translation.load(pairs())
    assert missing.value.metadata == {"code_system": "forms"}

    await translation.load(table("forms", FORMS))
    with pytest.raises(InvalidArgument) as unknown:
        await translation.load(pairs("from_code,to_code\nA1,B1\nA1,B7\n"))
    assert unknown.value.metadata == {"line": "3", "field": "to_code"}


async def test_a_map_keeps_the_tables_it_joins(shapes: Translation) -> None:
    turned = pairs("from_code,to_code\nB1,A1\n", "2", source="forms", target="shapes")

    with pytest.raises(AlreadyExists) as refused:
        await shapes.load(turned)
    assert refused.value.metadata == {"field": "concept_map"}


async def test_lists_are_paged_by_identifier(shapes: Translation) -> None:
    request = read_pb2.ListCodeSystemsRequest(page_size=1)
    first = await shapes.reading.ListCodeSystems(request, timeout=TIMEOUT)
    request.page_token = first.next_page_token
    second = await shapes.reading.ListCodeSystems(request, timeout=TIMEOUT)
    maps = await shapes.reading.ListConceptMaps(read_pb2.ListConceptMapsRequest(), timeout=TIMEOUT)

    assert [(each.code_system, each.code_count) for each in first.code_systems] == [("forms", 2)]
    assert [(each.code_system, each.code_count) for each in second.code_systems] == [("shapes", 3)]
    assert second.next_page_token == ""
    assert [(each.concept_map, each.pair_count) for each in maps.concept_maps] == [("shapes-to-forms", 3)]
    with pytest.raises(InvalidArgument):
        await shapes.reading.ListCodeSystems(read_pb2.ListCodeSystemsRequest(page_token="?"), timeout=TIMEOUT)


async def test_an_import_through_one_replica_counts_at_the_other_at_once(mesh_of: MeshOf, shapes: Translation) -> None:
    assert await shapes.targets("A1") == [["B1"]]
    connection = await asyncpg.connect(shapes.mesh.databases["translation"].owner_dsn)
    try:
        # What another replica's import leaves: a row and the next revision.
        async with connection.transaction():
            revision = await connection.fetchval(
                "UPDATE catalogue_revision SET revision = revision + 1 RETURNING revision"
            )
            await connection.execute(
                "INSERT INTO concept_map_version SELECT concept_map, '9', source_code_system, source_version,"
                " target_code_system, target_version, effective_from, effective_until, 1, content_sha256, $1"
                " FROM concept_map_version WHERE version = '1'",
                revision,
            )
            await connection.execute(
                "INSERT INTO concept_map_pair"
                " VALUES ('shapes-to-forms', '9', 0, 'A1', 'B2', 'narrower', NULL, NULL, '')"
            )
    finally:
        await connection.close()

    assert await shapes.targets("A1") == [["B2"]]


async def test_the_shipped_packs_load_and_loading_them_again_changes_nothing(translation: Translation) -> None:
    channel = translation.mesh.channel("translation", "operator")
    assert await load_shipped_packs(channel) == len(code_system_packs()) + len(concept_map_packs())
    events = await translation.events()
    await load_shipped_packs(channel)

    assert await translation.events() == events
    theft, assault = await translation.translate(
        "XZ232", "XZ234", source="criminal-charges", target="police-case-categories"
    )
    assert [theft.outcome, assault.outcome] == [
        translation_pb2.TRANSLATION_OUTCOME_MAPPED,
        translation_pb2.TRANSLATION_OUTCOME_UNMAPPED,
    ]


async def test_an_import_is_told_to_the_log_with_its_digest_and_the_operators_name(shapes: Translation) -> None:
    events = await shapes.events()

    assert [event.resource for event in events] == [
        "codeSystems/shapes/versions/1",
        "codeSystems/forms/versions/1",
        "conceptMaps/shapes-to-forms/versions/1",
    ]
    assert {event.actor.peer for event in events} == {"operator"}
    assert [event.details["code_count"] for event in events[:2]] == ["3", "2"]
    assert all(len(event.details["content_sha256"]) == 64 for event in events)
    assert all(uuid.UUID(event.event_id) for event in events)


@pytest.mark.parametrize("peer", ["routing", "dossier", "monitor", "gateway"])
async def test_only_the_operator_changes_tables(translation: Translation, peer: str) -> None:
    admin: Any = TranslationAdminServiceStub(translation.mesh.channel("translation", peer))

    for call, request in ((admin.ImportCodeSystem, table("shapes", SHAPES)), (admin.ImportConceptMap, pairs())):
        with pytest.raises(PermissionDenied) as refused:
            await call(request, timeout=TIMEOUT)
        assert refused.value.reason == "CALLER_NOT_ALLOWED"


async def test_the_gateway_brings_no_one_without_a_token(shapes: Translation) -> None:
    reading = TranslationServiceStub(shapes.mesh.channel("translation", "gateway"))

    with pytest.raises(Unauthenticated):
        await reading.ListCodeSystems(read_pb2.ListCodeSystemsRequest(), timeout=TIMEOUT)


async def test_an_officer_translates_through_the_gateway(mesh_of: MeshOf) -> None:
    async with mesh_of("identity", "translation") as mesh:
        shapes = Translation(mesh)
        await shapes.load(table("shapes", SHAPES), table("forms", FORMS), pairs())
        bureau = await mesh.enrol(POLICE, "GA", ["officer one"])
        reading = mesh.agency_stub("translation", TranslationServiceStub)
        request = read_pb2.TranslateCodesRequest(
            items=[
                read_pb2.TranslateCodesItem(
                    value=CodedValue(code_system="shapes", code="A1"), target_code_system="forms"
                )
            ]
        )

        answer = await reading.TranslateCodes(
            request, metadata=await mesh.metadata(bureau, "officer one"), timeout=TIMEOUT
        )

        assert answer.translations[0].targets[0].value.code == "B1"


async def test_a_database_that_is_gone_is_told_as_unavailable_and_not_as_unmapped(
    shapes: Translation, embedded_postgres: EmbeddedPostgres
) -> None:
    name = shapes.mesh.databases["translation"].name
    connection = await asyncpg.connect(embedded_postgres.admin_dsn())
    try:
        await connection.execute("ALTER ROLE casemesh_translation_runtime CONNECTION LIMIT 0")
        await connection.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = $1", name
        )
        with pytest.raises(Unavailable) as refused:
            await shapes.translate("A1")
    finally:
        await connection.execute("ALTER ROLE casemesh_translation_runtime CONNECTION LIMIT -1")
        await connection.close()

    assert refused.value.reason == "DATABASE_UNAVAILABLE"
    assert await served_again(shapes) == [["B1"]]


async def served_again(shapes: Translation) -> list[list[str]]:
    """Return the first answer after the database came back; connections that broke may refuse a call each."""
    async with asyncio.timeout(TIMEOUT):
        while True:
            try:
                return await shapes.targets("A1")
            except Unavailable:
                await asyncio.sleep(0.05)

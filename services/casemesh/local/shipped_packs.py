"""Loading of the shipped code tables and maps into the translation service, as its operator.

A version that is loaded already is left as it is, in whatever state an operator has put it. The request ids follow from
the packs' names and versions, so that two who load at once have one effect.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

import grpc.aio

from casemesh.client.paging import paged
from casemesh.data.packs import code_system_packs, concept_map_packs
from casemesh.translation.v1 import translation_admin_service_pb2 as admin_pb2
from casemesh.translation.v1.translation_admin_service_pb2_grpc import TranslationAdminServiceStub

if TYPE_CHECKING:
    from casemesh.translation.v1.translation_admin_service_pb2_grpc import TranslationAdminServiceAsyncStub

_NAMESPACE = uuid.UUID("6f1f8a52-92a4-5a39-8c47-3f3b0d8a6c11")
_TIMEOUT_SECONDS = 60.0


async def load_shipped_packs(channel: grpc.aio.Channel) -> int:
    """Load every shipped table, then every map, over the operator's channel; return how many packs there are."""
    stub = TranslationAdminServiceStub(channel)
    systems, maps = code_system_packs(), concept_map_packs()
    loaded = await _loaded(stub)
    # They came with the program, and are trusted as it is.
    source = admin_pb2.PackSource(accept_unsigned=True)
    for system in systems:
        if (system.code_system, system.version) in loaded:
            continue
        await stub.ImportCodeSystem(
            admin_pb2.ImportCodeSystemRequest(
                request_id=_request_id(system.code_system, system.version),
                code_system=system.code_system,
                version=system.version,
                display_name=system.display_name,
                source=system.source,
                csv=system.csv,
                pack=source,
            ),
            timeout=_TIMEOUT_SECONDS,
        )
    for pack in maps:
        if (pack.concept_map, pack.version) in loaded:
            continue
        await stub.ImportConceptMap(
            admin_pb2.ImportConceptMapRequest(
                request_id=_request_id(pack.concept_map, pack.version),
                concept_map=pack.concept_map,
                version=pack.version,
                source_code_system=pack.source_code_system,
                target_code_system=pack.target_code_system,
                csv=pack.csv,
                pack=source,
            ),
            timeout=_TIMEOUT_SECONDS,
        )
    return len(systems) + len(maps)


async def _loaded(stub: TranslationAdminServiceAsyncStub) -> set[tuple[str, str]]:
    async def page(request: admin_pb2.ListVersionsRequest) -> admin_pb2.ListVersionsResponse:
        return await stub.ListVersions(request, timeout=_TIMEOUT_SECONDS)

    found: set[tuple[str, str]] = set()
    async for each in paged(page, admin_pb2.ListVersionsRequest(page_size=1000), "versions"):
        if each.WhichOneof("version") == "code_system":
            found.add((each.code_system.code_system, each.code_system.version))
        else:
            found.add((each.concept_map.concept_map, each.concept_map.version))
    return found


def _request_id(name: str, version: str) -> str:
    return str(uuid.uuid5(_NAMESPACE, f"{name}@{version}/unsigned"))

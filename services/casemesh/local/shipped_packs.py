"""Loading of the shipped code tables and maps into the translation service, as its operator.

The request ids follow from the packs' names and versions, so that loading again is the same request again and changes
nothing.
"""

from __future__ import annotations

import uuid

import grpc.aio

from casemesh.data.packs import code_system_packs, concept_map_packs
from casemesh.translation.v1 import translation_admin_service_pb2 as admin_pb2
from casemesh.translation.v1.translation_admin_service_pb2_grpc import TranslationAdminServiceStub

_NAMESPACE = uuid.UUID("6f1f8a52-92a4-5a39-8c47-3f3b0d8a6c11")
_TIMEOUT_SECONDS = 60.0


async def load_shipped_packs(channel: grpc.aio.Channel) -> int:
    """Load every shipped table, then every map, over the operator's channel; return how many packs there are."""
    stub = TranslationAdminServiceStub(channel)
    systems, maps = code_system_packs(), concept_map_packs()
    for system in systems:
        await stub.ImportCodeSystem(
            admin_pb2.ImportCodeSystemRequest(
                request_id=_request_id(system.code_system, system.version),
                code_system=system.code_system,
                version=system.version,
                display_name=system.display_name,
                source=system.source,
                csv=system.csv,
            ),
            timeout=_TIMEOUT_SECONDS,
        )
    for pack in maps:
        await stub.ImportConceptMap(
            admin_pb2.ImportConceptMapRequest(
                request_id=_request_id(pack.concept_map, pack.version),
                concept_map=pack.concept_map,
                version=pack.version,
                source_code_system=pack.source_code_system,
                target_code_system=pack.target_code_system,
                csv=pack.csv,
            ),
            timeout=_TIMEOUT_SECONDS,
        )
    return len(systems) + len(maps)


def _request_id(name: str, version: str) -> str:
    return str(uuid.uuid5(_NAMESPACE, f"{name}@{version}"))

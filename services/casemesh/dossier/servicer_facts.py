"""The call by which routing learns what versions hold: decode, hand over, encode."""

from __future__ import annotations

from typing import Any

from casemesh.dossier.v1 import dossier_facts_service_pb2 as pb
from casemesh.dossier.v1.dossier_facts_service_pb2_grpc import DossierFactsServiceServicer
from casemesh.dossier.version_facts import VersionFactsStore


class DossierFactsServicer(DossierFactsServiceServicer):
    """Says what versions hold, in codes and counts."""

    def __init__(self, store: VersionFactsStore) -> None:
        self._store = store

    async def BatchGetVersionFacts(
        self, request: pb.BatchGetVersionFactsRequest, context: Any
    ) -> pb.BatchGetVersionFactsResponse:
        return pb.BatchGetVersionFactsResponse(
            facts=[
                pb.VersionFacts(
                    version=facts.version,
                    page_count=facts.page_count,
                    document_types=facts.document_types,
                    volumes=facts.volumes,
                    untyped_count=facts.untyped_count,
                )
                for facts in await self._store.of(request.versions)
            ]
        )

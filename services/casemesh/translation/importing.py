"""Import of tables and maps: one transaction from the request's claim to its event; nothing is loaded in part."""

from __future__ import annotations

import asyncio
import hashlib

from casemesh.core.clock import Clock
from casemesh.errors import AlreadyExists, NotFound
from casemesh.runtime.call import Call
from casemesh.runtime.outbox import event_of, record
from casemesh.runtime.postgres import Transaction
from casemesh.runtime.requests import recall, remember
from casemesh.translation.catalogue import LoadedCodeSystem
from casemesh.translation.code_system_pack import parse_code_system
from casemesh.translation.code_systems import CodeSystem
from casemesh.translation.concept_map_pack import parse_concept_map
from casemesh.translation.messages import code_system_message, concept_map_message, read_period
from casemesh.translation.policy import CODE_SYSTEM_IMPORTED, CONCEPT_MAP_IMPORTED
from casemesh.translation.store import MapTables, TranslationStore
from casemesh.translation.v1 import translation_admin_service_pb2 as admin_pb2


class Importer:
    """Loads versions and puts them in force.

    A version that is loaded already with the same content is put in force again; with other content it is refused
    with AlreadyExists, since exchanges name the versions they were translated with.
    """

    def __init__(self, store: TranslationStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def code_system(
        self, call: Call, request: admin_pb2.ImportCodeSystemRequest
    ) -> admin_pb2.ImportCodeSystemResponse:
        """Load a table. Raises PackInvalid and AlreadyExists."""
        content = _digest(request.display_name, request.source, request.csv)
        async with self._store.database.transaction() as transaction:
            stored = await recall(transaction, call, request, admin_pb2.ImportCodeSystemResponse)
            if stored is not None:
                return stored
            revision = await self._store.next_revision(transaction)
            table = await asyncio.to_thread(parse_code_system, request.code_system, request.version, request.csv)
            loaded = LoadedCodeSystem(table, request.display_name, request.source)
            present = await self._store.code_system_content(transaction, request.code_system, request.version)
            if present is None:
                await self._store.add_code_system(transaction, loaded, content, revision)
            else:
                _require_same(present, content, request.code_system, request.version)
                await self._store.put_in_force_again(transaction, table, revision)
            resource = f"codeSystems/{request.code_system}/versions/{request.version}"
            details = {"content_sha256": content.hex(), "code_count": str(len(table))}
            await record(
                transaction, call, event_of(call, self._clock, CODE_SYSTEM_IMPORTED, resource, details=details)
            )
            response = admin_pb2.ImportCodeSystemResponse(code_system=code_system_message(loaded))
            await remember(transaction, call, request, response)
            return response

    async def concept_map(
        self, call: Call, request: admin_pb2.ImportConceptMapRequest
    ) -> admin_pb2.ImportConceptMapResponse:
        """Load a map. Raises PackInvalid, AlreadyExists, and NotFound when one of its tables is not loaded."""
        period = read_period(request)
        content = _digest(
            request.source_code_system,
            request.target_code_system,
            str(period.first),
            str(period.last),
            request.direction,
            request.csv,
        )
        async with self._store.database.transaction() as transaction:
            stored = await recall(transaction, call, request, admin_pb2.ImportConceptMapResponse)
            if stored is not None:
                return stored
            revision = await self._store.next_revision(transaction)
            source = await self._table(transaction, request.source_code_system)
            target = await self._table(transaction, request.target_code_system)
            await self._require_same_tables(transaction, request)
            loaded = await asyncio.to_thread(
                parse_concept_map,
                request.concept_map,
                request.version,
                request.csv,
                source=source,
                target=target,
                period=period,
                direction=request.direction,
            )
            present = await self._store.concept_map_content(transaction, request.concept_map, request.version)
            if present is None:
                await self._store.add_concept_map(transaction, loaded, (source, target), content, revision)
            else:
                _require_same(present, content, request.concept_map, request.version)
                await self._store.put_in_force_again(transaction, loaded, revision)
            resource = f"conceptMaps/{request.concept_map}/versions/{request.version}"
            details = {"content_sha256": content.hex(), "pair_count": str(len(loaded.pairs))}
            await record(
                transaction, call, event_of(call, self._clock, CONCEPT_MAP_IMPORTED, resource, details=details)
            )
            response = admin_pb2.ImportConceptMapResponse(concept_map=concept_map_message(loaded))
            await remember(transaction, call, request, response)
            return response

    async def _table(self, transaction: Transaction, code_system: str) -> CodeSystem:
        table = await self._store.table_in_force(transaction, code_system)
        if table is None:
            raise NotFound(
                "CODE_SYSTEM_UNKNOWN",
                f"no code system {code_system} is loaded; import it before the map",
                {"code_system": code_system},
            )
        return table

    async def _require_same_tables(self, transaction: Transaction, request: admin_pb2.ImportConceptMapRequest) -> None:
        joined = await self._store.concept_map_tables(transaction, request.concept_map)
        if joined not in (None, MapTables(request.source_code_system, request.target_code_system)):
            raise AlreadyExists(
                "ALREADY_EXISTS",
                f"{request.concept_map} joins other tables; give this map another identifier",
                {"field": "concept_map"},
            )


def _require_same(present: bytes, content: bytes, identifier: str, version: str) -> None:
    if present != content:
        raise AlreadyExists(
            "ALREADY_EXISTS",
            f"version {version} of {identifier} is loaded with other content; give the new content a new version",
            {"field": "version"},
        )


def _digest(*parts: str | bytes) -> bytes:
    """Return a digest in which no two lists of parts run together: each part's length stands before it."""
    digest = hashlib.sha256()
    for part in parts:
        content = part.encode() if isinstance(part, str) else part
        digest.update(len(content).to_bytes(8, "big") + content)
    return digest.digest()

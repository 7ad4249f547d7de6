"""Import of tables and maps: one transaction from the request's claim to its event; nothing is loaded in part."""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass, replace

from casemesh.core.clock import Clock
from casemesh.errors import AlreadyExists, FailedPrecondition, NotFound
from casemesh.runtime.call import Call
from casemesh.runtime.outbox import event_of, record
from casemesh.runtime.postgres import Transaction
from casemesh.runtime.requests import first_answer, recall, remember
from casemesh.translation.catalogue import LoadedCodeSystem
from casemesh.translation.code_system_pack import DEFAULT_COLUMNS as TABLE_COLUMNS
from casemesh.translation.code_system_pack import CodeSystemColumns, parse_code_system
from casemesh.translation.code_systems import CodeSystem
from casemesh.translation.concept_map_pack import DEFAULT_COLUMNS as PAIR_COLUMNS
from casemesh.translation.concept_map_pack import ConceptMapColumns, parse_concept_map
from casemesh.translation.messages import code_system_message, concept_map_message, read_period
from casemesh.translation.pack_content import unpacked
from casemesh.translation.pack_problems import Problems
from casemesh.translation.pack_rows import PackFile, PackFormat
from casemesh.translation.pack_statements import PackEntry, TrustedSigners, digest_of
from casemesh.translation.policy import CODE_SYSTEM_IMPORTED, CONCEPT_MAP_IMPORTED
from casemesh.translation.store import Loading, MapTables, TranslationStore
from casemesh.translation.unmapped_store import UnmappedStore
from casemesh.translation.v1 import translation_admin_service_pb2 as admin_pb2
from casemesh.translation.version_state import VersionState
from casemesh.translation.version_store import Version, VersionStore


@dataclass(frozen=True, slots=True)
class ImportRules:
    """What a site asks of packs: whose statements count, and whether another administrator must activate."""

    signers: TrustedSigners
    four_eyes: bool = False


class Importer:
    """Loads versions, as drafts or in force.

    A version that is loaded already with the same content is put in force again, or is a draft again where it was
    retired; with other content it is refused with AlreadyExists, since exchanges name the versions they were translated
    with.
    """

    def __init__(
        self,
        store: TranslationStore,
        versions: VersionStore,
        unmapped: UnmappedStore,
        clock: Clock,
        rules: ImportRules,
    ) -> None:
        self._store = store
        self._versions = versions
        self._unmapped = unmapped
        self._clock = clock
        self._rules = rules

    async def code_system(
        self, call: Call, request: admin_pb2.ImportCodeSystemRequest
    ) -> admin_pb2.ImportCodeSystemResponse:
        """Load a table. Raises PackInvalid, AlreadyExists, and what a site asks of packs and this one has not."""
        first = await first_answer(self._store.database, call, request, admin_pb2.ImportCodeSystemResponse)
        if first is not None:
            return first
        columns = table_columns(request.columns)
        plain = await asyncio.to_thread(_plain, request.pack, request.csv, f"{request.code_system} {request.version}")
        content = _digest(
            request.display_name, request.source, plain, *([repr(columns)] if columns != TABLE_COLUMNS else [])
        )
        entry = PackEntry(request.code_system, request.version, "")
        pack, signer, state = await self._answered_for(request.pack, plain, entry)
        table = await asyncio.to_thread(parse_code_system, request.code_system, request.version, pack, columns)
        loaded = LoadedCodeSystem(table, request.display_name, request.source, signer)
        async with self._store.database.transaction() as transaction:
            stored = await recall(transaction, call, request, admin_pb2.ImportCodeSystemResponse)
            if stored is not None:
                return stored
            revision = await self._store.next_revision(transaction)
            loading = Loading(content, revision, state, actor_of(call))
            present = await self._store.code_system_content(transaction, request.code_system, request.version)
            if present is None:
                await self._store.add_code_system(transaction, loaded, loading)
            else:
                _require_same(present, content, request.code_system, request.version)
                version = await self._versions.code_system(transaction, request.code_system, request.version)
                assert version is not None
                state = await self._load_again(transaction, version, loading)
            resource = f"codeSystems/{request.code_system}/versions/{request.version}"
            details = {"content_sha256": content.hex(), "code_count": str(len(table)), **_origin(signer, state)}
            await record(
                transaction, call, event_of(call, self._clock, CODE_SYSTEM_IMPORTED, resource, details=details)
            )
            response = admin_pb2.ImportCodeSystemResponse(code_system=code_system_message(loaded, state))
            await remember(transaction, call, request, response)
            return response

    async def concept_map(
        self, call: Call, request: admin_pb2.ImportConceptMapRequest
    ) -> admin_pb2.ImportConceptMapResponse:
        """Load a map. Raises as `code_system`, and NotFound when one of its tables is not loaded."""
        first = await first_answer(self._store.database, call, request, admin_pb2.ImportConceptMapResponse)
        if first is not None:
            return first
        period = read_period(request)
        columns = pair_columns(request.columns)
        plain = await asyncio.to_thread(_plain, request.pack, request.csv, f"{request.concept_map} {request.version}")
        content = _digest(
            request.source_code_system,
            request.target_code_system,
            str(period.first),
            str(period.last),
            request.direction,
            plain,
            *([repr(columns)] if columns != PAIR_COLUMNS else []),
        )
        entry = PackEntry(
            request.concept_map, request.version, "", request.source_code_system, request.target_code_system
        )
        pack, signer, state = await self._answered_for(request.pack, plain, entry)
        async with self._store.database.transaction() as transaction:
            stored = await recall(transaction, call, request, admin_pb2.ImportConceptMapResponse)
            if stored is not None:
                return stored
            revision = await self._store.next_revision(transaction)
            source = await table_in_force(self._store, transaction, request.source_code_system)
            target = await table_in_force(self._store, transaction, request.target_code_system)
            await require_same_tables(
                self._store,
                transaction,
                request.concept_map,
                MapTables(request.source_code_system, request.target_code_system),
            )
            loaded = await asyncio.to_thread(
                parse_concept_map,
                request.concept_map,
                request.version,
                pack,
                source=source,
                target=target,
                period=period,
                direction=request.direction,
                columns=columns,
                signer=signer,
            )
            loading = Loading(content, revision, state, actor_of(call))
            present = await self._store.concept_map_content(transaction, request.concept_map, request.version)
            if present is None:
                await self._store.add_concept_map(transaction, loaded, (source, target), loading)
            else:
                _require_same(present, content, request.concept_map, request.version)
                version = await self._versions.concept_map(transaction, request.concept_map, request.version)
                assert version is not None
                version = replace(version, period=period)
                state = await self._load_again(transaction, version, loading)
            resolved = 0
            if loading.state is VersionState.ACTIVE:
                resolved = await self._unmapped.resolve(
                    transaction,
                    (request.concept_map, request.version),
                    revision,
                    period.first,
                    (request.source_code_system, request.target_code_system),
                )
            resource = f"conceptMaps/{request.concept_map}/versions/{request.version}"
            details = {
                "content_sha256": content.hex(),
                "pair_count": str(len(loaded.pairs)),
                "resolved_count": str(resolved),
                **_origin(signer, state),
            }
            await record(
                transaction, call, event_of(call, self._clock, CONCEPT_MAP_IMPORTED, resource, details=details)
            )
            response = admin_pb2.ImportConceptMapResponse(concept_map=concept_map_message(loaded, state))
            await remember(transaction, call, request, response)
            return response

    async def _answered_for(
        self, source: admin_pb2.PackSource, content: bytes, entry: PackEntry
    ) -> tuple[PackFile, str, VersionState]:
        """Return the pack, its signer (empty for none) and the state that it is to be loaded in."""
        if self._rules.four_eyes and not source.draft:
            raise FailedPrecondition(
                "CODE_DRAFT_NEEDED", "load the version as a draft; another administrator activates it"
            )
        form = PackFormat.JSON if source.format == admin_pb2.PACK_FORMAT_JSON else PackFormat.CSV
        pack, state = PackFile(content, form), VersionState.DRAFT if source.draft else VersionState.ACTIVE
        if source.statement:
            named = replace(entry, sha256=await asyncio.to_thread(digest_of, content))
            signer = self._rules.signers.require(source.statement, named, self._clock.now())
            return pack, signer, state
        if not source.accept_unsigned:
            raise FailedPrecondition(
                "CODE_PACK_UNSIGNED",
                "send the pack's signed statement, or accept by the operator's word that it has none",
            )
        return pack, "", state

    async def _load_again(self, transaction: Transaction, version: Version, loading: Loading) -> VersionState:
        """Write the state of a version that is there and return it: what is active stays so, and whoever loads any
        other anew answers for it."""
        if loading.state is VersionState.DRAFT and version.state is VersionState.ACTIVE:
            return version.state
        again = replace(version, state=loading.state, revision=loading.revision, loaded_by=loading.loaded_by)
        await self._versions.set_state(transaction, again)
        return loading.state


async def table_in_force(store: TranslationStore, transaction: Transaction, code_system: str) -> CodeSystem:
    """Return the table in force. Raises NotFound (CODE_SYSTEM_UNKNOWN)."""
    table = await store.table_in_force(transaction, code_system)
    if table is None:
        raise NotFound(
            "CODE_SYSTEM_UNKNOWN",
            f"no code system {code_system} is loaded; import it before the map",
            {"code_system": code_system},
        )
    return table


async def require_same_tables(
    store: TranslationStore, transaction: Transaction, concept_map: str, tables: MapTables
) -> None:
    """Raise AlreadyExists where the map of this name joins other tables."""
    if await store.concept_map_tables(transaction, concept_map) not in (None, tables):
        raise AlreadyExists(
            "ALREADY_EXISTS",
            f"{concept_map} joins other tables; give this map another identifier",
            {"field": "concept_map"},
        )


def actor_of(call: Call) -> str:
    """Return who acts, by the name that tells administrators apart."""
    return call.peer_name or str(call.peer)


def _origin(signer: str, state: VersionState) -> dict[str, str]:
    return {"signer": signer or "unsigned", "state": state.value}


def _require_same(present: bytes, content: bytes, identifier: str, version: str) -> None:
    if present != content:
        raise AlreadyExists(
            "ALREADY_EXISTS",
            f"version {version} of {identifier} is loaded with other content; give the new content a new version",
            {"field": "version"},
        )


def _plain(source: admin_pb2.PackSource, content: bytes, named: str) -> bytes:
    return unpacked(content, Problems(named)) if source.gzip else content


def table_columns(asked: admin_pb2.TableColumns) -> CodeSystemColumns:
    """Return the columns that a request names, the usual ones where it names none."""
    default = TABLE_COLUMNS
    return CodeSystemColumns(
        code=asked.code or default.code,
        name="" if asked.code_is_name else asked.name or default.name,
        first_day=asked.first_day or default.first_day,
        last_day=asked.last_day or default.last_day,
        successors=asked.successors or default.successors,
        several_meanings=asked.several_meanings,
        open_last_day=asked.open_last_day,
    )


def pair_columns(asked: admin_pb2.PairColumns) -> ConceptMapColumns:
    """Return the columns that a request names, the usual ones where it names none."""
    return ConceptMapColumns(
        asked.from_code or PAIR_COLUMNS.from_code, asked.to_code or PAIR_COLUMNS.to_code, asked.skip_without_target
    )


def _digest(*parts: str | bytes) -> bytes:
    """Return a digest in which no two lists of parts run together: each part's length stands before it."""
    digest = hashlib.sha256()
    for part in parts:
        content = part.encode() if isinstance(part, str) else part
        digest.update(len(content).to_bytes(8, "big") + content)
    return digest.digest()

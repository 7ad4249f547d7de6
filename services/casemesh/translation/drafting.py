"""Drafts that the platform makes itself: the reverse of a map, and a map with the decisions of the queue."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from datetime import timedelta

from casemesh.core.clock import Clock
from casemesh.errors import AlreadyExists, FailedPrecondition
from casemesh.runtime.call import Call
from casemesh.runtime.outbox import event_of, record
from casemesh.runtime.postgres import Transaction
from casemesh.runtime.requests import recall, remember
from casemesh.translation.activating import version_unknown
from casemesh.translation.catalogue import Catalogue
from casemesh.translation.code_systems import CodeSystem
from casemesh.translation.concept_maps import ConceptMap, Equivalence, MapPair
from casemesh.translation.importing import actor_of, require_same_tables, table_in_force
from casemesh.translation.messages import coded_value, concept_map_message
from casemesh.translation.periods import ALWAYS, Period, today
from casemesh.translation.policy import CONCEPT_MAP_DRAFTED
from casemesh.translation.reversing import ReverseMap, reverse
from casemesh.translation.store import Loading, MapTables, TranslationStore
from casemesh.translation.unmapped_store import Unmapped, UnmappedStore
from casemesh.translation.v1 import translation_admin_service_pb2 as admin_pb2
from casemesh.translation.version_state import VersionState

_MOST_FOLDED = 1000


class Drafter:
    """Writes drafts; activation is another step, and another administrator's where four eyes are asked for."""

    def __init__(self, store: TranslationStore, unmapped: UnmappedStore, clock: Clock) -> None:
        self._store = store
        self._unmapped = unmapped
        self._clock = clock

    async def reverse(
        self, call: Call, request: admin_pb2.DeriveReverseMapRequest
    ) -> admin_pb2.DeriveReverseMapResponse:
        """Draft the map of the other direction. Raises NotFound, AlreadyExists, FailedPrecondition."""
        async with self._store.database.transaction() as transaction:
            stored = await recall(transaction, call, request, admin_pb2.DeriveReverseMapResponse)
            if stored is not None:
                return stored
            revision = await self._store.next_revision(transaction)
            found = await self._store.concept_map(transaction, request.concept_map, request.version)
            if found is None:
                raise version_unknown(request.concept_map, request.version)
            source = await table_in_force(self._store, transaction, found.source_code_system)
            target = await table_in_force(self._store, transaction, found.target_code_system)
            back = reverse(found)
            draft = ConceptMap(
                request.reverse_concept_map,
                request.reverse_version,
                found.target_code_system,
                found.source_code_system,
                back.pairs,
                found.period,
            )
            await self._add(transaction, call, draft, (target, source), revision)
            response = self._reverse_message(draft, back, source, target)
            await remember(transaction, call, request, response)
            return response

    async def resolved(
        self, call: Call, request: admin_pb2.DraftResolvedMapRequest, catalogue: Catalogue
    ) -> admin_pb2.DraftResolvedMapResponse:
        """Draft the version in force with the decisions of the queue. Raises NotFound, AlreadyExists,
        FailedPrecondition."""
        async with self._store.database.transaction() as transaction:
            stored = await recall(transaction, call, request, admin_pb2.DraftResolvedMapResponse)
            if stored is not None:
                return stored
            revision = await self._store.next_revision(transaction)
            tables = (request.source_code_system, request.target_code_system)
            source = await table_in_force(self._store, transaction, tables[0])
            target = await table_in_force(self._store, transaction, tables[1])
            decided = await self._unmapped.decided(transaction, *tables)
            if not decided:
                raise FailedPrecondition(
                    "CODE_VERSION_STATE_WRONG",
                    "nothing of the queue between these tables is decided",
                    {"state": "open"},
                )
            present = catalogue.maps_in_force(today(self._clock)).get(request.concept_map)
            pairs = _with_decisions(present.pairs if present is not None else (), decided)
            draft = ConceptMap(request.concept_map, request.version, *tables, pairs, ALWAYS)
            await self._add(transaction, call, draft, (source, target), revision)
            response = admin_pb2.DraftResolvedMapResponse(
                concept_map=concept_map_message(draft, VersionState.DRAFT), decision_count=len(decided)
            )
            await remember(transaction, call, request, response)
            return response

    async def _add(
        self,
        transaction: Transaction,
        call: Call,
        draft: ConceptMap,
        tables: tuple[CodeSystem, CodeSystem],
        revision: int,
    ) -> None:
        if not draft.pairs:
            raise FailedPrecondition(
                "CODE_VERSION_STATE_WRONG", f"{draft.concept_map} would have no pair", {"state": "draft"}
            )
        joined = MapTables(draft.source_code_system, draft.target_code_system)
        await require_same_tables(self._store, transaction, draft.concept_map, joined)
        if await self._store.concept_map_content(transaction, draft.concept_map, draft.version) is not None:
            raise AlreadyExists(
                "ALREADY_EXISTS",
                f"version {draft.version} of {draft.concept_map} is loaded; give the draft a new version",
                {"field": "version"},
            )
        content = _content_digest(draft.pairs)
        loading = Loading(content, revision, VersionState.DRAFT, actor_of(call))
        await self._store.add_concept_map(transaction, draft, tables, loading)
        resource = f"conceptMaps/{draft.concept_map}/versions/{draft.version}"
        details = {"content_sha256": content.hex(), "pair_count": str(len(draft.pairs))}
        await record(transaction, call, event_of(call, self._clock, CONCEPT_MAP_DRAFTED, resource, details=details))

    def _reverse_message(
        self, draft: ConceptMap, back: ReverseMap, source: CodeSystem, target: CodeSystem
    ) -> admin_pb2.DeriveReverseMapResponse:
        day = today(self._clock)
        response = admin_pb2.DeriveReverseMapResponse(
            concept_map=concept_map_message(draft, VersionState.DRAFT),
            weakened_pair_count=back.weakened,
            omitted_code_count=len(back.omitted),
            folded_source_count=len({code for codes in back.folded.values() for code in codes}),
        )
        for code, codes in list(back.folded.items())[:_MOST_FOLDED]:
            response.folded.add(
                target=coded_value(target, code, day), sources=[coded_value(source, each, day) for each in codes]
            )
        return response


def _with_decisions(pairs: Iterable[MapPair], decided: Sequence[Unmapped]) -> list[MapPair]:
    """Return the pairs and those decided on.

    A decision takes the place of a pair that says there is no counterpart, and begins where the last pair of its code
    ended: what was translated for earlier days stays so.
    """
    codes = {entry.key.code for entry in decided}
    kept = [pair for pair in pairs if pair.from_code not in codes or pair.equivalence is not Equivalence.NONE]
    for entry in decided:
        assert entry.decided_equivalence is not None
        ends = [pair.period.last for pair in kept if pair.from_code == entry.key.code]
        closed = [end for end in ends if end is not None]
        period = Period(max(closed) + timedelta(days=1), None) if closed and len(closed) == len(ends) else ALWAYS
        kept.append(MapPair(entry.key.code, entry.decided_code, entry.decided_equivalence, period, entry.decision_note))
    return kept


def _content_digest(pairs: Iterable[MapPair]) -> bytes:
    digest = hashlib.sha256()
    for pair in pairs:
        digest.update(repr(pair).encode() + b"\n")
    return digest.digest()

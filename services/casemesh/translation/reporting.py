"""What an administrator reads before and after a version is in force: versions, previews, coverage."""

from __future__ import annotations

import asyncio

from casemesh.core.clock import Clock
from casemesh.runtime.paging import decode_token, encode_token, invalid_token, page_size_of
from casemesh.translation.activating import version_unknown
from casemesh.translation.catalogue import Catalogue
from casemesh.translation.concept_maps import ConceptMap, Equivalence, target_of
from casemesh.translation.coverage import Change, CodeChange, coverage, preview
from casemesh.translation.messages import coded_value, read_date, target_message
from casemesh.translation.periods import today
from casemesh.translation.store import TranslationStore
from casemesh.translation.unmapped_store import UnmappedStore
from casemesh.translation.v1 import translation_admin_service_pb2 as admin_pb2
from casemesh.translation.version_messages import loaded_version, version_concept_map
from casemesh.translation.version_store import VersionStore


class Reports:
    """Reads alone; nothing here changes what is in force."""

    def __init__(self, store: TranslationStore, versions: VersionStore, unmapped: UnmappedStore, clock: Clock) -> None:
        self._store = store
        self._versions = versions
        self._unmapped = unmapped
        self._clock = clock

    async def versions(self, request: admin_pb2.ListVersionsRequest) -> admin_pb2.ListVersionsResponse:
        """Return a page of versions. Raises InvalidArgument for a token that is none."""
        size = page_size_of(request.page_size)
        before = _number(request.page_token)
        found = await self._versions.page(self._store.database, request.identifier, before, size + 1)
        more = encode_token(str(found[size - 1].revision)) if len(found) > size else ""
        return admin_pb2.ListVersionsResponse(
            versions=[loaded_version(version) for version in found[:size]], next_page_token=more
        )

    async def preview(
        self, request: admin_pb2.PreviewConceptMapRequest, catalogue: Catalogue
    ) -> admin_pb2.PreviewConceptMapResponse:
        """Return what a version would change. Raises NotFound, InvalidArgument for a token that is none."""
        day = read_date(request, "date") or today(self._clock)
        since = read_date(request, "traffic_since")
        after = await self._map(request.concept_map, request.version)
        source, target = catalogue.table(after.source_code_system), catalogue.table(after.target_code_system)
        uses = await self._unmapped.uses(after.source_code_system, after.target_code_system, since)
        before = catalogue.maps_in_force(day).get(after.concept_map)
        # A table may have 200,000 codes, and translations go on meanwhile.
        found = await asyncio.to_thread(preview, before, after, source.codes, day, uses)
        counts = {
            change: admin_pb2.ChangeCount(code_count=codes, use_count=carried)
            for change, (codes, carried) in found.counts.items()
        }
        start = _number(request.page_token) or 0
        end = start + page_size_of(request.page_size)

        def message(each: CodeChange) -> admin_pb2.CodeChange:
            return admin_pb2.CodeChange(
                value=coded_value(source, each.code, day),
                before=[target_message(target_of(pair), target, day) for pair in each.before],
                after=[target_message(target_of(pair), target, day) for pair in each.after],
                use_count=each.uses,
            )

        return admin_pb2.PreviewConceptMapResponse(
            unchanged=counts[Change.UNCHANGED],
            newly_mapped=counts[Change.NEWLY_MAPPED],
            remapped=counts[Change.REMAPPED],
            lost=counts[Change.LOST],
            changes=[message(each) for each in found.changes[start:end]],
            next_page_token=encode_token(str(end)) if end < len(found.changes) else "",
        )

    async def coverage(
        self, request: admin_pb2.GetCoverageRequest, catalogue: Catalogue
    ) -> admin_pb2.GetCoverageResponse:
        """Return how a map covers its tables. Raises NotFound, InvalidArgument for a token that is none."""
        day = read_date(request, "date") or today(self._clock)
        version = request.version
        if not version and (in_force := catalogue.maps_in_force(day).get(request.concept_map)) is not None:
            version = in_force.version
        found = await self._map(request.concept_map, version)
        source, target = catalogue.table(found.source_code_system), catalogue.table(found.target_code_system)
        counted = await asyncio.to_thread(coverage, found, source, day)
        described = await self._versions.concept_map(self._store.database, request.concept_map, version)
        assert described is not None
        folded = list(counted.folded.items())
        start = _number(request.page_token) or 0
        end = start + page_size_of(request.page_size)
        count = counted.by_equivalence.get
        return admin_pb2.GetCoverageResponse(
            concept_map=version_concept_map(described),
            source_count=sum(1 for _ in source.codes),
            exact_count=count(Equivalence.EXACT, 0),
            broader_count=count(Equivalence.BROADER, 0),
            narrower_count=count(Equivalence.NARROWER, 0),
            none_count=count(Equivalence.NONE, 0),
            unmapped_count=count(None, 0),
            target_count=sum(1 for _ in target.codes),
            reached_target_count=counted.reached_targets,
            folded_target_count=len(folded),
            folded_source_count=len({code for _, codes in folded for code in codes}),
            folded=[
                admin_pb2.FoldedCode(
                    target=coded_value(target, code, day), sources=[coded_value(source, each, day) for each in codes]
                )
                for code, codes in folded[start:end]
            ],
            next_page_token=encode_token(str(end)) if end < len(folded) else "",
        )

    async def _map(self, concept_map: str, version: str) -> ConceptMap:
        found = await self._store.concept_map(self._store.database, concept_map, version)
        if found is None:
            raise version_unknown(concept_map, version)
        return found


def _number(token: str) -> int | None:
    key = decode_token(token)
    if not key:
        return None
    if not key.isascii() or not key.isdigit() or len(key) > 18:
        raise invalid_token()
    return int(key)

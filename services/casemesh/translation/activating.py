"""Putting versions in force and taking them out, each in one transaction with its event."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date

from casemesh.core.clock import Clock
from casemesh.errors import FailedPrecondition, NotFound, PermissionDenied
from casemesh.runtime.call import Call
from casemesh.runtime.outbox import event_of, record
from casemesh.runtime.postgres import Transaction
from casemesh.runtime.requests import recall, remember
from casemesh.translation.importing import actor_of
from casemesh.translation.messages import read_date
from casemesh.translation.periods import Period
from casemesh.translation.policy import (
    CODE_SYSTEM_ACTIVATED,
    CODE_SYSTEM_RETIRED,
    CONCEPT_MAP_ACTIVATED,
    CONCEPT_MAP_RETIRED,
)
from casemesh.translation.store import TranslationStore
from casemesh.translation.unmapped_store import UnmappedStore
from casemesh.translation.v1 import translation_admin_service_pb2 as admin_pb2
from casemesh.translation.version_messages import version_code_system, version_concept_map
from casemesh.translation.version_state import VersionState
from casemesh.translation.version_store import Version, VersionStore


class Activator:
    """Changes which versions are in force.

    With `four_eyes` nobody activates what he loaded himself, and both are administrators of their own name. A retired
    version stays retired, since another took its place knowingly; the same content can be imported again.
    """

    def __init__(
        self,
        store: TranslationStore,
        versions: VersionStore,
        unmapped: UnmappedStore,
        clock: Clock,
        *,
        four_eyes: bool,
    ) -> None:
        self._store = store
        self._versions = versions
        self._unmapped = unmapped
        self._clock = clock
        self._four_eyes = four_eyes

    async def code_system(
        self, call: Call, request: admin_pb2.ActivateCodeSystemRequest
    ) -> admin_pb2.ActivateCodeSystemResponse:
        """Put a version of a table in force. Raises NotFound, FailedPrecondition, PermissionDenied."""
        async with self._store.database.transaction() as transaction:
            stored = await recall(transaction, call, request, admin_pb2.ActivateCodeSystemResponse)
            if stored is not None:
                return stored
            revision = await self._store.next_revision(transaction)
            found = await self._versions.code_system(transaction, request.code_system, request.version)
            version = self._may_activate(call, _required(found, request.code_system, request.version))
            version = replace(version, state=VersionState.ACTIVE, revision=revision)
            await self._versions.set_state(transaction, version)
            await self._record(transaction, call, CODE_SYSTEM_ACTIVATED, version, {})
            response = admin_pb2.ActivateCodeSystemResponse(code_system=version_code_system(version))
            await remember(transaction, call, request, response)
            return response

    async def retire_code_system(
        self, call: Call, request: admin_pb2.RetireCodeSystemRequest
    ) -> admin_pb2.RetireCodeSystemResponse:
        """Take a version of a table out of use. Raises NotFound, FailedPrecondition."""
        async with self._store.database.transaction() as transaction:
            stored = await recall(transaction, call, request, admin_pb2.RetireCodeSystemResponse)
            if stored is not None:
                return stored
            await self._store.next_revision(transaction)
            found = await self._versions.code_system(transaction, request.code_system, request.version)
            version = _required(found, request.code_system, request.version)
            await self._require_unused(transaction, version)
            # Its own revision stays: the order in which the others were put in force must not change.
            version = replace(version, state=VersionState.RETIRED)
            await self._versions.set_state(transaction, version)
            await self._record(transaction, call, CODE_SYSTEM_RETIRED, version, {})
            response = admin_pb2.RetireCodeSystemResponse(code_system=version_code_system(version))
            await remember(transaction, call, request, response)
            return response

    async def concept_map(
        self, call: Call, request: admin_pb2.ActivateConceptMapRequest
    ) -> admin_pb2.ActivateConceptMapResponse:
        """Put a version of a map in force and resolve what it maps in the queue.

        Raises NotFound, PermissionDenied, FailedPrecondition (also for days of which the last lies before the first).
        """
        first, last = read_date(request, "effective_from"), read_date(request, "effective_until")
        async with self._store.database.transaction() as transaction:
            stored = await recall(transaction, call, request, admin_pb2.ActivateConceptMapResponse)
            if stored is not None:
                return stored
            revision = await self._store.next_revision(transaction)
            found = await self._versions.concept_map(transaction, request.concept_map, request.version)
            version = self._may_activate(call, _required(found, request.concept_map, request.version))
            await self._require_codes(transaction, version)
            period = Period(first or version.period.first, last or version.period.last)
            if period.is_empty():
                raise FailedPrecondition(
                    "CODE_VERSION_STATE_WRONG", "the last day lies before the first", {"state": version.state.value}
                )
            version = replace(version, state=VersionState.ACTIVE, revision=revision, period=period)
            await self._versions.set_state(transaction, version)
            resolved = await self._unmapped.resolve(
                transaction,
                (version.identifier, version.version),
                revision,
                period.first,
                (version.source_code_system, version.target_code_system),
            )
            details = {**_days(period), "resolved_count": str(resolved)}
            await self._record(transaction, call, CONCEPT_MAP_ACTIVATED, version, details)
            response = admin_pb2.ActivateConceptMapResponse(
                concept_map=version_concept_map(version), resolved_count=resolved, catalogue_revision=revision
            )
            await remember(transaction, call, request, response)
            return response

    async def retire_concept_map(
        self, call: Call, request: admin_pb2.RetireConceptMapRequest
    ) -> admin_pb2.RetireConceptMapResponse:
        """End the use of a version of a map after a day, or altogether. Raises NotFound."""
        last = read_date(request, "last_day")
        async with self._store.database.transaction() as transaction:
            stored = await recall(transaction, call, request, admin_pb2.RetireConceptMapResponse)
            if stored is not None:
                return stored
            await self._store.next_revision(transaction)
            found = await self._versions.concept_map(transaction, request.concept_map, request.version)
            version = _ended(_required(found, request.concept_map, request.version), last)
            await self._versions.set_state(transaction, version)
            await self._record(transaction, call, CONCEPT_MAP_RETIRED, version, _days(version.period))
            response = admin_pb2.RetireConceptMapResponse(concept_map=version_concept_map(version))
            await remember(transaction, call, request, response)
            return response

    def _may_activate(self, call: Call, version: Version) -> Version:
        if version.state is VersionState.RETIRED:
            raise FailedPrecondition(
                "CODE_VERSION_STATE_WRONG",
                f"version {version.version} of {version.identifier} was retired; import it again to use it",
                {"state": version.state.value},
            )
        if self._four_eyes and not _two_administrators(version.loaded_by, actor_of(call)):
            raise PermissionDenied(
                "SECOND_ADMINISTRATOR_NEEDED", "whoever loaded a version does not activate it; another one must"
            )
        return version

    async def _require_unused(self, transaction: Transaction, version: Version) -> None:
        if await self._versions.has_other_active(transaction, version.identifier, version.version):
            return
        joining = await self._versions.joining_map(transaction, version.identifier)
        if joining is not None:
            raise FailedPrecondition(
                "CODE_SYSTEM_IN_USE",
                f"the active map {joining} joins {version.identifier}; retire the map or activate another version",
                {"code_system": version.identifier, "concept_map": joining},
            )

    async def _require_codes(self, transaction: Transaction, version: Version) -> None:
        gone = await self._versions.code_gone(transaction, version.identifier, version.version)
        if gone is not None:
            raise FailedPrecondition(
                "CODE_VERSION_STATE_WRONG",
                f"{gone} is no longer in the tables in force; load a version of the map for them",
                {"state": version.state.value},
            )

    async def _record(
        self, transaction: Transaction, call: Call, action: str, version: Version, details: Mapping[str, str]
    ) -> None:
        kind = "conceptMaps" if version.is_map else "codeSystems"
        resource = f"{kind}/{version.identifier}/versions/{version.version}"
        await record(transaction, call, event_of(call, self._clock, action, resource, details=details))


def _two_administrators(one: str, other: str) -> bool:
    # The operator's common certificate may be in anybody's hands, also in those of a named administrator.
    return one != other and all("/" in name for name in (one, other))


def _ended(version: Version, last: date | None) -> Version:
    if last is not None and version.period.last is not None:
        # Only an activation makes the days more.
        last = min(last, version.period.last)
    period = Period(version.period.first, last)
    if last is None or period.is_empty():
        return replace(version, state=VersionState.RETIRED)
    return replace(version, period=period)


def _required(version: Version | None, identifier: str, number: str) -> Version:
    if version is None:
        raise version_unknown(identifier, number)
    return version


def version_unknown(identifier: str, version: str) -> NotFound:
    """Return the error for a version that is not loaded."""
    return NotFound(
        "CODE_VERSION_UNKNOWN",
        f"no version {version or 'in force'} of {identifier} is loaded; list them with ListVersions",
        {"identifier": identifier, "version": version},
    )


def _days(period: Period) -> dict[str, str]:
    return {"effective_from": str(period.first or ""), "effective_until": str(period.last or "")}

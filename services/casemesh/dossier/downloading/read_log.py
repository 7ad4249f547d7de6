"""What the log learns of reading: that a version is read, before its first byte leaves, and how far it came."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import structlog

from casemesh.audit.v1.audit_append_service_pb2 import AppendEventsRequest
from casemesh.core.clock import Clock
from casemesh.dossier.policy import VERSION_SENT
from casemesh.dossier.store import StoredVersion
from casemesh.errors import CaseMeshError, Unavailable
from casemesh.identity.v1.access_service_pb2 import RecordReadingSizeRequest
from casemesh.runtime.call import Call
from casemesh.runtime.outbox import event_of, reading_event, record
from casemesh.runtime.postgres import Database

if TYPE_CHECKING:
    from casemesh.audit.v1.audit_append_service_pb2_grpc import AuditAppendServiceAsyncStub
    from casemesh.identity.v1.access_service_pb2_grpc import AccessServiceAsyncStub

log = structlog.get_logger(__name__)

_APPEND_SECONDS: Final = 10.0
_COUNT_SECONDS: Final = 3.0


@dataclass(frozen=True)
class ReadLog:
    """Writes the events of reading: the first to the log itself, the last through the outbox, its size to identity."""

    database: Database
    append: AuditAppendServiceAsyncStub
    access: AccessServiceAsyncStub
    clock: Clock

    async def reads(self, call: Call, action: str, version: StoredVersion, details: Mapping[str, str]) -> None:
        """Return once the log has the event. Raises Unavailable when it does not take it; send nothing then."""
        event = reading_event(call, self.clock, action, version.name, case=version.case_name, details=details)
        try:
            await self.append.AppendEvents(AppendEventsRequest(events=[event]), timeout=_APPEND_SECONDS)
        except CaseMeshError as error:
            raise Unavailable(
                "DEPENDENCY_UNAVAILABLE",
                "the audit log does not take the read event, so nothing is sent; try again",
                {"dependency": "audit"},
            ) from error

    async def sent(self, call: Call, version: StoredVersion, size_bytes: int, details: Mapping[str, str]) -> None:
        """Say how far a stream came. Never raises for a database or an identity that does not answer."""
        event = event_of(call, self.clock, VERSION_SENT, version.name, case=version.case_name, details=details)
        try:
            async with self.database.transaction() as transaction:
                await record(transaction, call, event)
        except CaseMeshError as error:
            # The read itself is in the log; only how far it came is lost, and that is no reason to fail it.
            log.warning("download.end_not_recorded", version=version.name, reason=error.reason)
        if call.reading:
            await self._count(call.reading, size_bytes)

    async def _count(self, reading: str, size_bytes: int) -> None:
        try:
            request = RecordReadingSizeRequest(reading=reading, size_bytes=size_bytes)
            await self.access.RecordReadingSize(request, timeout=_COUNT_SECONDS)
        except CaseMeshError as error:
            # The officer's limit on bytes is the higher by this reading; its event in the log is there.
            log.warning("download.size_not_counted", reading=reading, reason=error.reason)

"""Marks of copies: given for what was read, and followed back to the reading."""

from __future__ import annotations

from collections.abc import Callable

from casemesh.core.clock import Clock
from casemesh.core.ids import new_id
from casemesh.core.names import CASE
from casemesh.errors import FailedPrecondition, not_found
from casemesh.identity import reading_store
from casemesh.identity.alert_store import AlertStore
from casemesh.identity.decisions import CaseAccessDecider
from casemesh.identity.reading_store import ReadingStore, StoredMark
from casemesh.identity.recording import calling_officer
from casemesh.identity.subjects import subject_of
from casemesh.identity.v1.case_access_pb2 import CasePermission
from casemesh.identity.v1.export_mark_service_pb2 import CreateExportMarkRequest, CreateExportMarkResponse
from casemesh.runtime.call import Call
from casemesh.runtime.outbox import event_of, record
from casemesh.runtime.postgres import Database
from casemesh.runtime.requests import recall, remember


class ExportMarks:
    """Gives marks and leads back from them. `wake` is called after each commit."""

    def __init__(
        self,
        database: Database,
        readings: ReadingStore,
        alerts: AlertStore,
        decider: CaseAccessDecider,
        clock: Clock,
        wake: Callable[[], None],
    ) -> None:
        self._database = database
        self._readings = readings
        self._alerts = alerts
        self._decider = decider
        self._clock = clock
        self._wake = wake

    async def create(self, call: Call, request: CreateExportMarkRequest) -> CreateExportMarkResponse:
        """Raises FailedPrecondition (NOTHING_READ) when the officer read nothing of the case within the last day."""
        (_, officer_id), case_id = calling_officer(call), CASE.parse(request.case)["case"]
        async with self._database.transaction() as transaction:
            if (answered := await recall(transaction, call, request, CreateExportMarkResponse)) is not None:
                return answered
            mark = await reading_store.insert_mark(transaction, new_id(), officer_id, case_id, request.version)
            if mark is None:
                raise FailedPrecondition("NOTHING_READ", "a mark is for what was read within 24 hours; read it first")
            details = {"mark": mark.mark_id, "reading": mark.reading_id}
            event = event_of(
                call, self._clock, "access.export.marked", request.version, case=request.case, details=details
            )
            await record(transaction, call, event)
            response = CreateExportMarkResponse(mark=mark.message())
            await remember(transaction, call, request, response)
        self._wake()
        return response

    async def find(self, call: Call, mark_id: str) -> StoredMark:
        """Return a mark to the officer who made the copy, to supervisors of his agency, and to those who watch over
        access to the case. Raises NotFound."""
        caller = call.require_caller()
        agency_id, officer_id = calling_officer(call)
        mark = await self._readings.mark(mark_id)
        # Asked all the same for a mark that is not there, so that the two take alike.
        case = mark.case if mark is not None else CASE.format(case=new_id())
        subject = subject_of(caller.system, caller.officer, caller.certificate)
        review = await self._decider.decide_for(subject, case, CasePermission.CASE_PERMISSION_REVIEW_ACCESS)
        supervises = await self._alerts.supervises(agency_id, officer_id)
        if mark is None or not (
            mark.officer_id == officer_id or (supervises and mark.agency_id == agency_id) or review.allowed
        ):
            raise not_found()
        return mark

"""Telling identity at which stages a case is, since rights may depend on it.

A move is noted in the transaction that makes it and told after the commit by whoever comes first. What is told is
where the case stands then, so that a notice that was overtaken does no harm; a case's notices do not run side by side,
because taking one leases it for longer than a call may last.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog

from casemesh.core.names import CASE
from casemesh.data.procedure import Stage
from casemesh.errors import CaseMeshError
from casemesh.identity.v1 import case_access_pb2, case_participation_service_pb2
from casemesh.routing.dependencies import TIMEOUT_SECONDS, asking
from casemesh.routing.obligations import request_id_for
from casemesh.routing.person_store import PersonStore
from casemesh.runtime.postgres import Database

if TYPE_CHECKING:
    from casemesh.identity.v1.case_participation_service_pb2_grpc import CaseParticipationServiceAsyncStub

log = structlog.get_logger(__name__)

_BATCH = 16
_IDLE_SECONDS = 1.0
_TAKE = """
UPDATE stage_notice SET next_attempt_at = now() + interval '10 seconds'
WHERE case_id IN (
    SELECT case_id FROM stage_notice WHERE told_version < version AND next_attempt_at <= now()
    ORDER BY next_attempt_at LIMIT $1 FOR UPDATE SKIP LOCKED
)
RETURNING case_id, version
"""
# A move that came meanwhile is told at once.
_TOLD = """
UPDATE stage_notice SET told_version = $2, next_attempt_at = now() WHERE case_id = $1 AND told_version < $2
"""
_INVESTIGATION = case_access_pb2.CASE_STAGE_INVESTIGATION
_TRIAL, _EXECUTION = case_access_pb2.CASE_STAGE_TRIAL, case_access_pb2.CASE_STAGE_EXECUTION
CASE_STAGES = {
    Stage.INVESTIGATION: _INVESTIGATION,
    Stage.SUPERVISORY_INVESTIGATION: _INVESTIGATION,
    Stage.PROSECUTION: case_access_pb2.CASE_STAGE_PROSECUTION,
    Stage.FIRST_INSTANCE: _TRIAL,
    Stage.SECOND_INSTANCE: _TRIAL,
    Stage.DEATH_REVIEW: _TRIAL,
    Stage.RETRIAL: _TRIAL,
    Stage.EXECUTION: _EXECUTION,
    Stage.COMMUNITY_CORRECTION: _EXECUTION,
}
"""What identity calls the stage; those it knows nothing of are left out."""


class StageNotices:
    """Tells identity of stages."""

    def __init__(
        self, database: Database, persons: PersonStore, participation: CaseParticipationServiceAsyncStub
    ) -> None:
        self._database = database
        self._persons = persons
        self._participation = participation

    async def run(self) -> None:
        """Tell what is to be told until cancelled. What fails is tried again after 10 seconds."""
        while True:
            taken = 0
            try:
                rows = await self._database.fetch(_TAKE, _BATCH)
                taken = len(rows)
                await asyncio.gather(*(self._tell(str(row["case_id"]), row["version"]) for row in rows))
            except CaseMeshError as error:
                log.warning("stage_notices.waiting", reason=error.reason)
            if taken < _BATCH:
                await asyncio.sleep(_IDLE_SECONDS)

    async def _tell(self, case_id: str, version: int) -> None:
        case = CASE.format(case=case_id)
        stages = await self._persons.stages(case)
        request = case_participation_service_pb2.SetCaseStagesRequest(
            request_id=request_id_for(case, f"stages/{version}"),
            case=case,
            stages=sorted({CASE_STAGES[stage] for stage in stages if stage in CASE_STAGES}),
            cause=case,
        )
        with asking("identity"):
            await self._participation.SetCaseStages(request, timeout=TIMEOUT_SECONDS)
        await self._database.execute(_TOLD, case_id, version)

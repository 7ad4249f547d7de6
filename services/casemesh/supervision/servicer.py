"""The gRPC face of warnings: decode, call, encode."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from casemesh.core.clock import Clock
from casemesh.core.names import WARNING
from casemesh.runtime.call import current_call
from casemesh.supervision.handling import Handling
from casemesh.supervision.v1 import supervision_service_pb2 as pb2
from casemesh.supervision.v1.supervision_service_pb2_grpc import SupervisionServiceServicer
from casemesh.supervision.visibility import Visibility
from casemesh.supervision.warning_store import WarningStore
from casemesh.supervision.watch_store import WatchStore
from casemesh.supervision.watching import Watching


class WarningServicer(SupervisionServiceServicer):
    """Warnings."""

    def __init__(
        self,
        clock: Clock,
        warnings: WarningStore,
        watched: WatchStore,
        visibility: Visibility,
        watching: Watching,
        handling: Handling,
    ) -> None:
        self._clock = clock
        self._warnings = warnings
        self._watched = watched
        self._visibility = visibility
        self._watching = watching
        self._handling = handling

    async def ListWarnings(self, request: pb2.ListWarningsRequest, context: Any) -> pb2.ListWarningsResponse:
        return await self._watching.page(current_call().require_caller(), request)

    async def GetWarning(self, request: pb2.GetWarningRequest, context: Any) -> pb2.GetWarningResponse:
        warning_id = WARNING.parse(request.name)["warning"]
        caller = current_call().require_caller()
        warning = await self._visibility.require(caller, await self._warnings.get(warning_id))
        message = warning.message(self._clock.now())
        message.moves.extend(await self._warnings.moves(warning_id))
        return pb2.GetWarningResponse(warning=message)

    async def WatchWarnings(
        self, request: pb2.WatchWarningsRequest, context: Any
    ) -> AsyncIterator[pb2.WatchWarningsResponse]:
        async for message in self._watching.stream(current_call().require_caller(), request):
            yield message

    async def AcknowledgeWarning(
        self, request: pb2.AcknowledgeWarningRequest, context: Any
    ) -> pb2.AcknowledgeWarningResponse:
        return await self._handling.acknowledge(current_call(), request)

    async def AssignWarning(self, request: pb2.AssignWarningRequest, context: Any) -> pb2.AssignWarningResponse:
        return await self._handling.assign(current_call(), request)

    async def ResolveWarning(self, request: pb2.ResolveWarningRequest, context: Any) -> pb2.ResolveWarningResponse:
        return await self._handling.resolve(current_call(), request)

    async def MarkNotApplicable(
        self, request: pb2.MarkNotApplicableRequest, context: Any
    ) -> pb2.MarkNotApplicableResponse:
        return await self._handling.mark_not_applicable(current_call(), request)

    async def GetSupervisionStatus(
        self, request: pb2.GetSupervisionStatusRequest, context: Any
    ) -> pb2.GetSupervisionStatusResponse:
        followed = await self._watched.followed()
        response = pb2.GetSupervisionStatusResponse(
            followed_size=followed.next_index, log_size=followed.log_size, waiting_count=followed.waiting
        )
        if followed.answer_time is not None:
            response.answer_time.FromDatetime(followed.answer_time)
        if followed.waiting_since is not None:
            response.waiting_since.FromDatetime(followed.waiting_since)
        return response

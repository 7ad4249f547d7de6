"""The RPCs of time limits: decode, call, encode."""

from __future__ import annotations

from typing import Any

from casemesh.routing.limits_of_cases import CaseLimits
from casemesh.routing.v1 import time_limit_service_pb2 as pb
from casemesh.routing.v1 import time_limit_service_pb2_grpc
from casemesh.runtime.call import current_call


class TimeLimitServicer(time_limit_service_pb2_grpc.TimeLimitServiceServicer):
    """Time limits."""

    def __init__(self, limits: CaseLimits) -> None:
        self._limits = limits

    async def ListTimeLimits(self, request: pb.ListTimeLimitsRequest, context: Any) -> pb.ListTimeLimitsResponse:
        found = await self._limits.of_case(current_call().require_caller(), request.case)
        return pb.ListTimeLimitsResponse(time_limits=found)

    async def ReckonTimeLimit(self, request: pb.ReckonTimeLimitRequest, context: Any) -> pb.ReckonTimeLimitResponse:
        return pb.ReckonTimeLimitResponse(reckoning=self._limits.reckon(request))

"""The gRPC face of cosigning."""

from __future__ import annotations

from typing import Any

import grpc.aio

from casemesh.audit.cosigning import Cosigning
from casemesh.audit.v1 import log_witness_service_pb2 as pb
from casemesh.audit.v1.log_witness_service_pb2_grpc import LogWitnessServiceServicer

Context = grpc.aio.ServicerContext[Any, Any]


class WitnessServicer(LogWitnessServiceServicer):
    """Serves log witnesses."""

    def __init__(self, cosigning: Cosigning) -> None:
        self._cosigning = cosigning

    async def GetCheckpointToCosign(
        self, request: pb.GetCheckpointToCosignRequest, context: Context
    ) -> pb.GetCheckpointToCosignResponse:
        return pb.GetCheckpointToCosignResponse(note=await self._cosigning.to_cosign())

    async def SubmitCosignature(
        self, request: pb.SubmitCosignatureRequest, context: Context
    ) -> pb.SubmitCosignatureResponse:
        count = await self._cosigning.submit(request.tree_size, request.signature_line)
        return pb.SubmitCosignatureResponse(cosignature_count=count, witness_quorum=self._cosigning.policy.quorum)

    async def GetCosignedCheckpoint(
        self, request: pb.GetCosignedCheckpointRequest, context: Context
    ) -> pb.GetCosignedCheckpointResponse:
        state = await self._cosigning.state()
        answer = pb.GetCosignedCheckpointResponse(
            note=state.note or "",
            witness_keys=[str(key) for key in self._cosigning.policy.witnesses],
            witness_quorum=self._cosigning.policy.quorum,
            quorum_lacking=state.lacking,
        )
        if state.waiting_since is not None:
            answer.waiting_since_time.FromDatetime(state.waiting_since)
        return answer

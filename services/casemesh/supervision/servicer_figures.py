"""The gRPC face of figures: decode, call, encode."""

from __future__ import annotations

from typing import Any

from casemesh.runtime.call import current_call
from casemesh.supervision.figures.listing import Figures
from casemesh.supervision.v1 import figures_service_pb2 as pb2
from casemesh.supervision.v1.figures_service_pb2_grpc import FiguresServiceServicer


class FiguresServicer(FiguresServiceServicer):
    """Figures."""

    def __init__(self, figures: Figures) -> None:
        self._figures = figures

    async def ListFigures(self, request: pb2.ListFiguresRequest, context: Any) -> pb2.ListFiguresResponse:
        return await self._figures.page(current_call(), request)

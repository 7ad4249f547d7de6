"""The gRPC services that watch browsing, and that give and follow marks of copies: decode, call, encode."""

from __future__ import annotations

from typing import Any

from casemesh.identity.alert_store import AlertStore
from casemesh.identity.alerts import Alerts, Decoys
from casemesh.identity.marking import ExportMarks
from casemesh.identity.page_tokens import FIRST_UUID, cut_page, read_page_token
from casemesh.identity.recording import calling_officer
from casemesh.identity.v1 import access_monitoring_service_pb2 as monitoring_pb2
from casemesh.identity.v1 import export_mark_service_pb2 as mark_pb2
from casemesh.identity.v1.access_monitoring_service_pb2_grpc import AccessMonitoringServiceServicer
from casemesh.identity.v1.export_mark_service_pb2_grpc import ExportMarkServiceServicer
from casemesh.runtime.call import current_call
from casemesh.runtime.paging import page_size_of


class AccessMonitoringServicer(AccessMonitoringServiceServicer):
    """casemesh.identity.v1.AccessMonitoringService."""

    def __init__(self, store: AlertStore, alerts: Alerts, decoys: Decoys) -> None:
        self._store = store
        self._alerts = alerts
        self._decoys = decoys

    async def ListAccessAlerts(
        self, request: monitoring_pb2.ListAccessAlertsRequest, context: Any
    ) -> monitoring_pb2.ListAccessAlertsResponse:
        size, after = page_size_of(request.page_size), read_page_token(request.page_token, FIRST_UUID)
        asking = calling_officer(current_call())
        alerts = await self._store.alerts(*asking, after, size + 1, resolved=request.include_resolved)
        page, token = cut_page(alerts, size, lambda alert: alert.alert_id)
        return monitoring_pb2.ListAccessAlertsResponse(
            alerts=[alert.message() for alert in page], next_page_token=token
        )

    async def ResolveAccessAlert(
        self, request: monitoring_pb2.ResolveAccessAlertRequest, context: Any
    ) -> monitoring_pb2.ResolveAccessAlertResponse:
        return await self._alerts.resolve(current_call(), request)

    async def MarkDecoy(
        self, request: monitoring_pb2.MarkDecoyRequest, context: Any
    ) -> monitoring_pb2.MarkDecoyResponse:
        return await self._decoys.mark(current_call(), request)

    async def UnmarkDecoy(
        self, request: monitoring_pb2.UnmarkDecoyRequest, context: Any
    ) -> monitoring_pb2.UnmarkDecoyResponse:
        return await self._decoys.unmark(current_call(), request)

    async def ListDecoys(
        self, request: monitoring_pb2.ListDecoysRequest, context: Any
    ) -> monitoring_pb2.ListDecoysResponse:
        size, after = page_size_of(request.page_size), read_page_token(request.page_token, FIRST_UUID)
        decoys = await self._store.decoys(*calling_officer(current_call()), after, size + 1)
        page, token = cut_page(decoys, size, lambda decoy: decoy.decoy_id)
        return monitoring_pb2.ListDecoysResponse(decoys=[decoy.message() for decoy in page], next_page_token=token)


class ExportMarkServicer(ExportMarkServiceServicer):
    """casemesh.identity.v1.ExportMarkService."""

    def __init__(self, marks: ExportMarks) -> None:
        self._marks = marks

    async def CreateExportMark(
        self, request: mark_pb2.CreateExportMarkRequest, context: Any
    ) -> mark_pb2.CreateExportMarkResponse:
        return await self._marks.create(current_call(), request)

    async def GetExportMark(
        self, request: mark_pb2.GetExportMarkRequest, context: Any
    ) -> mark_pb2.GetExportMarkResponse:
        mark = await self._marks.find(current_call(), request.mark)
        return mark_pb2.GetExportMarkResponse(mark=mark.message())

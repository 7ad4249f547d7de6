"""The gRPC services of asking for access and deciding on it: decode, call, encode."""

from __future__ import annotations

from typing import Any

from casemesh.identity.access_request_store import AccessRequestStore
from casemesh.identity.page_tokens import FIRST_UUID, LAST_UUID, cut_page, read_page_token
from casemesh.identity.recording import calling_officer
from casemesh.identity.requesting import AccessDecisions, AccessRequests
from casemesh.identity.subjects import subject_of
from casemesh.identity.v1 import (
    access_decision_service_pb2,
    access_decision_service_pb2_grpc,
    access_request_service_pb2,
    access_request_service_pb2_grpc,
)
from casemesh.runtime.call import current_call
from casemesh.runtime.paging import page_size_of


class AccessRequestServicer(access_request_service_pb2_grpc.AccessRequestServiceServicer):
    """casemesh.identity.v1.AccessRequestService."""

    def __init__(self, requests: AccessRequests, store: AccessRequestStore) -> None:
        self._requests = requests
        self._store = store

    async def FileAccessRequest(
        self, request: access_request_service_pb2.FileAccessRequestRequest, context: Any
    ) -> access_request_service_pb2.FileAccessRequestResponse:
        return await self._requests.file(current_call(), request)

    async def ListAccessRequests(
        self, request: access_request_service_pb2.ListAccessRequestsRequest, context: Any
    ) -> access_request_service_pb2.ListAccessRequestsResponse:
        size = page_size_of(request.page_size)
        before = read_page_token(request.page_token, LAST_UUID)
        own = await self._store.of_officer(*calling_officer(current_call()), before, size + 1)
        page, token = cut_page(own, size, lambda one: one.request_id)
        return access_request_service_pb2.ListAccessRequestsResponse(
            access_requests=[one.message() for one in page], next_page_token=token
        )


class AccessDecisionServicer(access_decision_service_pb2_grpc.AccessDecisionServiceServicer):
    """casemesh.identity.v1.AccessDecisionService."""

    def __init__(self, decisions: AccessDecisions) -> None:
        self._decisions = decisions

    async def ListPendingAccessRequests(
        self, request: access_decision_service_pb2.ListPendingAccessRequestsRequest, context: Any
    ) -> access_decision_service_pb2.ListPendingAccessRequestsResponse:
        caller = current_call().require_caller()
        size = page_size_of(request.page_size)
        after = read_page_token(request.page_token, FIRST_UUID)
        subject = subject_of(caller.system, caller.officer, caller.certificate)
        waiting = await self._decisions.waiting(subject, after, size + 1)
        page, token = cut_page(waiting, size, lambda one: one.request_id)
        return access_decision_service_pb2.ListPendingAccessRequestsResponse(
            access_requests=[one.message() for one in page], next_page_token=token
        )

    async def ApproveAccessRequest(
        self, request: access_decision_service_pb2.ApproveAccessRequestRequest, context: Any
    ) -> access_decision_service_pb2.ApproveAccessRequestResponse:
        return await self._decisions.approve(current_call(), request)

    async def RefuseAccessRequest(
        self, request: access_decision_service_pb2.RefuseAccessRequestRequest, context: Any
    ) -> access_decision_service_pb2.RefuseAccessRequestResponse:
        return await self._decisions.refuse(current_call(), request)

    async def EndAccessGrant(
        self, request: access_decision_service_pb2.EndAccessGrantRequest, context: Any
    ) -> access_decision_service_pb2.EndAccessGrantResponse:
        return await self._decisions.end(current_call(), request)

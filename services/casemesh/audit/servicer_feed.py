"""The RPC by which supervision follows the log: decode, call, encode."""

from __future__ import annotations

from typing import Any

from casemesh.audit.feed_store import FeedStore
from casemesh.audit.v1 import audit_feed_service_pb2 as pb2
from casemesh.audit.v1.audit_feed_service_pb2_grpc import AuditFeedServiceServicer

_PAGE_EVENTS = 1000


class FeedServicer(AuditFeedServiceServicer):
    """Feeds the log to who follows it."""

    def __init__(self, store: FeedStore) -> None:
        self._store = store

    async def FeedEvents(self, request: pb2.FeedEventsRequest, context: Any) -> pb2.FeedEventsResponse:
        page = await self._store.page(request.first_index, request.page_size or _PAGE_EVENTS)
        return pb2.FeedEventsResponse(events=page.events, next_index=page.next_index, log_size=page.log_size)

"""The RPCs before an exchange leaves: preflight and drafts. Decode, call, encode."""

from __future__ import annotations

from typing import Any

from casemesh.core.ids import is_uuid
from casemesh.core.names import EXCHANGE
from casemesh.routing.draft_store import DraftStore
from casemesh.routing.drafting import Drafting
from casemesh.routing.node_catalogues import NodeCatalogues
from casemesh.routing.paging import fitting
from casemesh.routing.preflight import Draft, Preflight
from casemesh.routing.submit import Submission
from casemesh.routing.v1 import exchange_draft_service_pb2 as draft_pb2
from casemesh.routing.v1 import exchange_preflight_service_pb2 as preflight_pb2
from casemesh.routing.v1.exchange_draft_service_pb2_grpc import ExchangeDraftServiceServicer
from casemesh.routing.v1.exchange_preflight_service_pb2_grpc import ExchangePreflightServiceServicer
from casemesh.runtime.call import current_call
from casemesh.runtime.paging import decode_token, encode_token, invalid_token, page_size_of


class PreflightServicer(ExchangePreflightServiceServicer):
    """Preflight."""

    def __init__(self, catalogues: NodeCatalogues, preflight: Preflight) -> None:
        self._catalogues = catalogues
        self._preflight = preflight

    async def PreflightExchange(
        self, request: preflight_pb2.PreflightExchangeRequest, context: Any
    ) -> preflight_pb2.PreflightExchangeResponse:
        caller = current_call().require_caller()
        catalogue = self._catalogues.of(caller.agency)
        draft = Draft(
            catalogue=catalogue,
            case=request.case,
            node=catalogue.get(request.node),
            sender=caller.agency,
            recipient=request.recipient,
            parties=request.parties,
            fields=request.fields,
            dossier_version=request.dossier_version,
            paper=request.paper if request.HasField("paper") else None,
        )
        examination = await self._preflight.examine(draft, caller)
        findings = sorted(examination.findings, key=lambda finding: not finding.blocking)
        return preflight_pb2.PreflightExchangeResponse(
            findings=[
                preflight_pb2.PreflightFinding(
                    reason=finding.reason,
                    blocking=finding.blocking,
                    field=finding.field,
                    remedy_zh=finding.zh,
                    remedy_en=finding.en,
                    error_reason=finding.error,
                )
                for finding in findings
            ],
            blocking_count=sum(finding.blocking for finding in findings),
            translations=examination.translations,
        )


class DraftServicer(ExchangeDraftServiceServicer):
    """Drafts."""

    def __init__(self, drafting: Drafting, drafts: DraftStore, submission: Submission) -> None:
        self._drafting = drafting
        self._drafts = drafts
        self._submission = submission

    async def SaveExchangeDraft(
        self, request: draft_pb2.SaveExchangeDraftRequest, context: Any
    ) -> draft_pb2.SaveExchangeDraftResponse:
        return await self._drafting.save(current_call(), request)

    async def ListExchangeDrafts(
        self, request: draft_pb2.ListExchangeDraftsRequest, context: Any
    ) -> draft_pb2.ListExchangeDraftsResponse:
        after = decode_token(request.page_token)
        if after and not is_uuid(after):
            raise invalid_token()
        size = page_size_of(request.page_size)
        agency = current_call().require_caller().agency
        found = await self._drafts.list_of_case(request.case, agency, after=after, limit=size + 1)
        count = fitting(found[:size])
        response = draft_pb2.ListExchangeDraftsResponse(exchanges=found[:count])
        if len(found) > count:
            response.next_page_token = encode_token(EXCHANGE.parse(found[count - 1].name)["exchange"])
        return response

    async def SubmitExchangeDraft(
        self, request: draft_pb2.SubmitExchangeDraftRequest, context: Any
    ) -> draft_pb2.SubmitExchangeDraftResponse:
        return await self._submission.submit_draft(current_call(), request)

    async def DiscardExchangeDraft(
        self, request: draft_pb2.DiscardExchangeDraftRequest, context: Any
    ) -> draft_pb2.DiscardExchangeDraftResponse:
        return await self._drafting.discard(current_call(), request)

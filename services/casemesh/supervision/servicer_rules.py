"""The gRPC face of rules: decode, call, encode."""

from __future__ import annotations

from typing import Any

from casemesh.runtime.call import current_call
from casemesh.runtime.paging import decode_token, encode_token, page_size_of
from casemesh.supervision.rule_books import RuleBooks
from casemesh.supervision.trying import Trying
from casemesh.supervision.v1 import supervision_admin_service_pb2 as pb2
from casemesh.supervision.v1.supervision_admin_service_pb2_grpc import SupervisionAdminServiceServicer


class RuleServicer(SupervisionAdminServiceServicer):
    """Rules."""

    def __init__(self, books: RuleBooks, trying: Trying) -> None:
        self._books = books
        self._trying = trying

    async def ListRules(self, request: pb2.ListRulesRequest, context: Any) -> pb2.ListRulesResponse:
        after, size = decode_token(request.page_token), page_size_of(request.page_size)
        rules = [rule for rule in await self._books.rules() if rule.rule > after]
        return pb2.ListRulesResponse(
            rules=rules[:size], next_page_token=encode_token(rules[size - 1].rule) if len(rules) > size else ""
        )

    async def GetRule(self, request: pb2.GetRuleRequest, context: Any) -> pb2.GetRuleResponse:
        return pb2.GetRuleResponse(rule=await self._books.rule(request.rule))

    async def DryRunRules(self, request: pb2.DryRunRulesRequest, context: Any) -> pb2.DryRunRulesResponse:
        return await self._trying.run(request)

    async def ImportRules(self, request: pb2.ImportRulesRequest, context: Any) -> pb2.ImportRulesResponse:
        return await self._books.import_overlay(current_call(), request)

    async def ReviewRule(self, request: pb2.ReviewRuleRequest, context: Any) -> pb2.ReviewRuleResponse:
        return await self._books.review(current_call(), request)

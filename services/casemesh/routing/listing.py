"""Lists of cases: identity says which the caller may see, the store what is in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from casemesh.errors import InvalidArgument
from casemesh.identity.v1 import access_service_pb2
from casemesh.routing.case_store import CaseStore
from casemesh.routing.dependencies import TIMEOUT_SECONDS, asking
from casemesh.routing.paging import fitting
from casemesh.routing.v1 import case_pb2, case_service_pb2
from casemesh.runtime.access import bearer
from casemesh.runtime.call import Caller
from casemesh.runtime.paging import decode_token, encode_token, invalid_token, page_size_of

if TYPE_CHECKING:
    from casemesh.identity.v1.access_service_pb2_grpc import AccessServiceAsyncStub

_READ_TOGETHER = 50


class CaseListing:
    """Lists the cases a caller may see."""

    def __init__(self, access: AccessServiceAsyncStub, cases: CaseStore) -> None:
        self._access = access
        self._cases = cases

    async def page(
        self, caller: Caller, request: case_service_pb2.ListCasesRequest
    ) -> case_service_pb2.ListCasesResponse:
        """Return a page, newest first; shorter than asked for where the cases would not fit a message.

        Our token is identity's own with the last case shown from its page, so that a page cut short goes on after it.

        Raises InvalidArgument for a token that is none of ours, Unavailable.
        """
        theirs, _, last = decode_token(request.page_token).partition("\n")
        try:
            with asking("identity", InvalidArgument):
                allowed = await self._access.ListAccessibleCases(
                    access_service_pb2.ListAccessibleCasesRequest(
                        page_size=page_size_of(request.page_size), page_token=theirs
                    ),
                    metadata=bearer(caller),
                    timeout=TIMEOUT_SECONDS,
                )
        except InvalidArgument:
            raise invalid_token() from None
        names = list(allowed.cases)
        if last in names:
            names = names[names.index(last) + 1 :]
        shown, cut = await self._fitting(names)
        response = case_service_pb2.ListCasesResponse(cases=shown)
        if cut:
            response.next_page_token = encode_token(f"{theirs}\n{shown[-1].name}")
        elif allowed.next_page_token:
            response.next_page_token = encode_token(f"{allowed.next_page_token}\n")
        return response

    async def _fitting(self, names: list[str]) -> tuple[list[case_pb2.Case], bool]:
        """Return the first of these cases that fit one page, and whether others were left out."""
        cases: list[case_pb2.Case] = []
        for start in range(0, len(names), _READ_TOGETHER):
            cases += [_without_links(case) for case in await self._cases.get(names[start : start + _READ_TOGETHER])]
            count = fitting(cases)
            if count < len(cases):
                return cases[:count], True
        return cases, False


def _without_links(case: case_pb2.Case) -> case_pb2.Case:
    """Return the case without the names of others: for a list nobody asks which of them the caller may know of."""
    for each in (case, *case.parties):
        each.ClearField("predecessors")
        each.ClearField("successors")
    return case

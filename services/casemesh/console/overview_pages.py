"""The first page: the cases the officer may see, and what is near."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from starlette.responses import Response

from casemesh.console import limits, warning_pages
from casemesh.console.limits import LimitView
from casemesh.console.page import Page, Part, gather_few
from casemesh.routing.v1 import case_pb2, case_service_pb2, time_limit_service_pb2

CASES_ON_A_PAGE = 25
_NEAR_SHOWN = 12


@dataclass(frozen=True)
class CaseRow:
    """One case with its limits; without them where the officer may not see them."""

    case: case_pb2.Case
    limits: Part[list[LimitView]]

    @property
    def first(self) -> LimitView | None:
        """The open limit that ends first."""
        return next((limit for limit in self.limits.value or () if limits.is_open(limit.limit)), None)


async def overview(page: Page) -> Response:
    """Show a page of cases, newest first, with the limits that end first among them."""
    request = case_service_pb2.ListCasesRequest(
        page_size=CASES_ON_A_PAGE, page_token=page.request.query_params.get("page", "")
    )
    answer, warnings = await asyncio.gather(
        page.session.cases.ListCases(request), page.part(warning_pages.summary(page))
    )
    rows = await gather_few(_row(page, case) for case in answer.cases)
    near = sorted(
        (
            (row.case, limit)
            for row in rows
            for limit in row.limits.value or ()
            if limits.is_open(limit.limit) and limit.rank in ("late", "near")
        ),
        key=lambda found: found[1].urgency,
    )
    return page.render(
        "overview.html",
        warnings=warnings,
        rows=rows,
        near=near[:_NEAR_SHOWN],
        near_count=len(near),
        next_page=answer.next_page_token,
    )


async def limits_of(page: Page, case: str) -> list[LimitView]:
    """Return the limits of a case, those that end first on top. Raises CaseMeshError."""
    request = time_limit_service_pb2.ListTimeLimitsRequest(case=case)
    found = (await page.session.time_limits.ListTimeLimits(request)).time_limits
    return sorted((limits.view(limit, page) for limit in found), key=lambda limit: limit.urgency)


async def _row(page: Page, case: case_pb2.Case) -> CaseRow:
    return CaseRow(case, await page.part(limits_of(page, case.name)))

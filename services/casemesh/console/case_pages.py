"""A case: where each person stands, its limits, and its timeline across agencies."""

from __future__ import annotations

import asyncio

from starlette.responses import Response

from casemesh.client.paging import paged
from casemesh.console import sequence, warning_pages
from casemesh.console.overview_pages import limits_of
from casemesh.console.page import Page
from casemesh.routing.v1 import case_progress_service_pb2, case_service_pb2, exchange_pb2, exchange_service_pb2

MAX_EXCHANGES = 200
"""How many exchanges of a case its timeline shows, the newest; a page with more would not be read."""
_FETCHED = 2000


async def case_page(page: Page) -> Response:
    """Show a case. Raises CaseMeshError: NOT_FOUND as well for a case the officer may not see."""
    name = case_name(page)
    case = (await page.session.cases.GetCase(case_service_pb2.GetCaseRequest(name=name))).case
    progress_request = case_progress_service_pb2.GetProgressRequest(case=name)
    progress, limits, exchanges, warnings = await asyncio.gather(
        page.part(page.session.case_progress.GetProgress(progress_request)),
        page.part(limits_of(page, name)),
        page.part(exchanges_of(page, name)),
        page.part(warning_pages.summary(page, name)),
    )
    shown = (exchanges.value or [])[-MAX_EXCHANGES:]
    return page.render(
        "case.html",
        case=case,
        progress=progress,
        limits=limits,
        exchanges=exchanges,
        warnings=warnings,
        left_out=len(exchanges.value or ()) - len(shown),
        chart=sequence.chart(sequence.moments(shown), case.agency),
    )


async def exchanges_of(page: Page, case: str) -> list[exchange_pb2.Exchange]:
    """Return the exchanges of a case that the officer may see, oldest first, at most 2,000. Raises CaseMeshError."""
    request = exchange_service_pb2.ListExchangesRequest(case=case, page_size=500)
    return [one async for one in paged(page.session.exchanges.ListExchanges, request, "exchanges", limit=_FETCHED)]


def case_name(page: Page) -> str:
    """Return the resource name of the case in the path."""
    return f"cases/{page.request.path_params['case']}"

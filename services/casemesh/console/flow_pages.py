"""Exchange flows: between which agencies, by which nodes, in which states."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from starlette.responses import Response

from casemesh.client.paging import paged
from casemesh.console.case_pages import exchanges_of
from casemesh.console.page import Page, gather_few
from casemesh.routing.v1 import case_service_pb2
from casemesh.routing.v1.exchange_pb2 import (
    EXCHANGE_STATE_ACCEPTED,
    EXCHANGE_STATE_ANSWERED,
    EXCHANGE_STATE_DELIVERED,
    EXCHANGE_STATE_EXPIRED,
    EXCHANGE_STATE_HELD,
    EXCHANGE_STATE_RETURNED,
    EXCHANGE_STATE_SUBMITTED,
    EXCHANGE_STATE_SUPPLEMENTED,
    EXCHANGE_STATE_WITHDRAWN,
    Exchange,
)

MAX_CASES = 50
COLUMNS = {
    "under_way": (EXCHANGE_STATE_HELD, EXCHANGE_STATE_SUBMITTED, EXCHANGE_STATE_DELIVERED),
    "accepted": (EXCHANGE_STATE_ACCEPTED,),
    "answered": (EXCHANGE_STATE_ANSWERED,),
    "returned": (EXCHANGE_STATE_RETURNED, EXCHANGE_STATE_SUPPLEMENTED),
    "ended": (EXCHANGE_STATE_WITHDRAWN, EXCHANGE_STATE_EXPIRED),
}
"""The states side by side, in columns that a small screen still holds."""


@dataclass(frozen=True)
class Flow:
    """The exchanges of one kind, or between two agencies, counted by the columns."""

    sender: str
    recipient: str
    node: str
    counts: dict[str, int]

    @property
    def total(self) -> int:
        """All of them."""
        return sum(self.counts.values())


async def flows_page(page: Page) -> Response:
    """Show the flows over the newest cases that the officer may see."""
    request = case_service_pb2.ListCasesRequest(page_size=MAX_CASES)
    cases = [one async for one in paged(page.session.cases.ListCases, request, "cases", limit=MAX_CASES)]
    parts = await gather_few(page.part(exchanges_of(page, case.name)) for case in cases)
    exchanges = [one for part in parts for one in part.value or ()]
    between = count(exchanges, by_node=False)
    return page.render(
        "flows.html",
        cases=len(cases),
        most=MAX_CASES,
        failed=sum(part.error is not None for part in parts),
        between=between,
        by_node=count(exchanges, by_node=True),
        widest=max((flow.total for flow in between), default=0),
        columns=list(COLUMNS),
    )


def count(exchanges: Iterable[Exchange], *, by_node: bool) -> list[Flow]:
    """Return the flows, the largest first. Drafts are not under way and not counted."""
    column_of = {state: column for column, states in COLUMNS.items() for state in states}
    counts: dict[tuple[str, str, str], Counter[str]] = {}
    for exchange in exchanges:
        if exchange.state not in column_of:
            continue
        key = (exchange.sender, exchange.recipient, exchange.node if by_node else "")
        counts.setdefault(key, Counter())[column_of[exchange.state]] += 1
    found = [Flow(*key, {column: counted[column] for column in COLUMNS}) for key, counted in counts.items()]
    return sorted(found, key=lambda flow: (-flow.total, flow.sender, flow.recipient, flow.node))

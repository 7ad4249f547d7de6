"""All items of a list come once, in order, and no page is read that nobody asked for."""

from __future__ import annotations

from casemesh.client.paging import paged
from casemesh.routing.v1.case_pb2 import Case
from casemesh.routing.v1.case_service_pb2 import ListCasesRequest, ListCasesResponse


class FakeCases:
    """Seven cases in pages of the size asked for."""

    def __init__(self) -> None:
        self.pages_read = 0

    async def list(self, request: ListCasesRequest) -> ListCasesResponse:
        self.pages_read += 1
        begin = int(request.page_token or 0)
        end = min(begin + request.page_size, 7)
        return ListCasesResponse(
            cases=[Case(name=str(number)) for number in range(begin, end)], next_page_token=str(end) if end < 7 else ""
        )


async def test_all_pages_are_read_in_order() -> None:
    cases = FakeCases()
    names = [case.name async for case in paged(cases.list, ListCasesRequest(page_size=3), "cases")]
    assert names == ["0", "1", "2", "3", "4", "5", "6"]
    assert cases.pages_read == 3


async def test_a_limit_ends_the_reading() -> None:
    cases = FakeCases()
    names = [case.name async for case in paged(cases.list, ListCasesRequest(page_size=3), "cases", limit=4)]
    assert names == ["0", "1", "2", "3"]
    assert cases.pages_read == 2


async def test_the_request_stays_as_it_was() -> None:
    request = ListCasesRequest(page_size=3)
    async for _ in paged(FakeCases().list, request, "cases"):
        pass
    assert request == ListCasesRequest(page_size=3)

"""Pages of cases that identity lists and a message must hold."""

from collections.abc import Sequence
from typing import Any

import pytest

from casemesh.core.ids import new_id
from casemesh.errors import InvalidArgument
from casemesh.identity.v1 import access_service_pb2
from casemesh.routing.listing import CaseListing
from casemesh.routing.v1 import case_pb2
from casemesh.routing.v1.case_service_pb2 import ListCasesRequest
from casemesh.runtime.call import Caller

CALLER = Caller("agencies/a", "agencies/a/systems/s", None, "token", 0.0)


class FakeAccess:
    """Pages through names by position."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names = list(names)

    async def ListAccessibleCases(
        self, request: access_service_pb2.ListAccessibleCasesRequest, **_: Any
    ) -> access_service_pb2.ListAccessibleCasesResponse:
        if request.page_token == "broken":
            raise InvalidArgument("FIELD_INVALID", "page_token")
        start = int(request.page_token or 0)
        end = start + request.page_size
        return access_service_pb2.ListAccessibleCasesResponse(
            cases=self.names[start:end], next_page_token=str(end) if end < len(self.names) else ""
        )


class FakeCases:
    """Cases with a title of a stated size; some names may have none."""

    def __init__(self, title_bytes: int, missing: Sequence[str] = ()) -> None:
        self.title_bytes = title_bytes
        self.missing = missing

    async def get(self, names: Sequence[str]) -> list[case_pb2.Case]:
        return [case_pb2.Case(name=name, title="x" * self.title_bytes) for name in names if name not in self.missing]


async def walk(listing: CaseListing, page_size: int) -> list[list[str]]:
    pages, token = [], ""
    while True:
        page = await listing.page(CALLER, ListCasesRequest(page_size=page_size, page_token=token))
        pages.append([case.name for case in page.cases])
        assert page.ByteSize() < 4 * 1024 * 1024
        if not (token := page.next_page_token):
            return pages


@pytest.mark.parametrize(
    ("title_bytes", "page_size"), [(10, 3), (10, 1000), (500_000, 5), (500_000, 1000), (3_000_000, 4)]
)
async def test_the_pages_together_hold_every_case_once_in_order(title_bytes: int, page_size: int) -> None:
    names = [f"cases/{new_id()}" for _ in range(20)]
    listing = CaseListing(FakeAccess(names), FakeCases(title_bytes))  # type: ignore[arg-type]
    pages = await walk(listing, page_size)
    assert names == [name for page in pages for name in page]
    assert all(pages)


async def test_a_case_that_is_not_there_ends_nothing() -> None:
    names = [f"cases/{new_id()}" for _ in range(6)]
    listing = CaseListing(FakeAccess(names), FakeCases(10, missing=names[1:3] + names[5:]))  # type: ignore[arg-type]
    assert [names[:1], names[3:5]] == await walk(listing, 3)


async def test_a_case_whose_access_ended_between_pages_hides_no_other() -> None:
    names = [f"cases/{new_id()}" for _ in range(4)]
    access = FakeAccess(names)
    listing = CaseListing(access, FakeCases(2_000_000))  # type: ignore[arg-type]
    first = await listing.page(CALLER, ListCasesRequest(page_size=4))
    assert names[:1] == [case.name for case in first.cases]
    access.names.remove(names[0])
    second = await listing.page(CALLER, ListCasesRequest(page_size=4, page_token=first.next_page_token))
    assert names[1:2] == [case.name for case in second.cases]


async def test_a_token_that_identity_refuses_is_refused_as_ours() -> None:
    listing = CaseListing(FakeAccess([]), FakeCases(10))  # type: ignore[arg-type]
    with pytest.raises(InvalidArgument) as refusal:
        await listing.page(CALLER, ListCasesRequest(page_token="YnJva2VuCg"))
    assert [violation.field for violation in refusal.value.violations] == ["page_token"]

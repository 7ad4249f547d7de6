"""Lists of any length, page by page."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, TypeVar

from google.protobuf.message import Message

R = TypeVar("R", bound=Message)


async def paged(call: Callable[[R], Awaitable[Any]], request: R, field: str, *, limit: int = 0) -> AsyncIterator[Any]:
    """Yield the items of `field` over all pages of a list call, at most `limit` of them if it is not 0.

    `request` is not changed. Pages are read one at a time, as items are asked for; what is added meanwhile may or may
    not be among them. Raises CaseMeshError.
    """
    page = type(request)()
    page.CopyFrom(request)
    seen = 0
    while True:
        answer = await call(page)
        for item in getattr(answer, field):
            yield item
            seen += 1
            if seen == limit:
                return
        if not answer.next_page_token:
            return
        page.page_token = answer.next_page_token  # type: ignore[attr-defined]

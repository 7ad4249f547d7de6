"""Page tokens of warnings: one that no page gave is refused before the database is asked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import pytest

from casemesh.core.clock import SystemClock
from casemesh.core.ids import new_id
from casemesh.errors import InvalidArgument
from casemesh.runtime.call import Caller
from casemesh.runtime.paging import encode_token
from casemesh.supervision.v1 import supervision_service_pb2 as pb2
from casemesh.supervision.visibility import Visibility
from casemesh.supervision.warning_store import StoredWarning, WarningFilter, WarningStore
from casemesh.supervision.watching import Changes, Watching

AGENCY = f"agencies/{new_id()}"


class NobodysCases:
    """Identity, which lets the caller review access to no case."""

    async def reviews_any(self, caller: Caller) -> bool:
        return False

    async def seen(self, caller: Caller, warnings: Sequence[StoredWarning]) -> list[StoredWarning]:
        return list(warnings)


class Ranks:
    """A store whose ranks are from 1 to 4, as in the database."""

    async def page(self, only: WarningFilter, after: tuple[int, str], limit: int) -> list[StoredWarning]:
        if not 1 <= after[0] <= 32767:
            raise ValueError("the database has no such rank")
        return []


@pytest.mark.parametrize("rank", ["0", "5", "99999", "٣"])
async def test_a_page_token_with_a_rank_that_no_warning_has_is_refused(rank: str) -> None:
    watching = Watching(SystemClock(), cast("WarningStore", Ranks()), cast("Visibility", NobodysCases()), Changes())
    caller = Caller(agency=AGENCY, system="", officer=None, token="", expires_at=0.0)
    for known in range(1, 5):
        request = pb2.ListWarningsRequest(page_token=encode_token(f"{known} {new_id()}"))
        assert pb2.ListWarningsResponse() == await watching.page(caller, request)
    with pytest.raises(InvalidArgument, match="page_token"):
        await watching.page(caller, pb2.ListWarningsRequest(page_token=encode_token(f"{rank} {new_id()}")))

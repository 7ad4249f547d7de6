"""The agencies' own numbers of cases (案号): linked, unlinked, searched.

Numbers are the agencies' business and none is common to all: an unknown form is taken and warned of, cases are never
joined by one, and a number is found only among cases the caller may see.
"""

from __future__ import annotations

from casemesh.core.clock import Clock
from casemesh.core.names import AGENCY, CASE
from casemesh.data.number_formats import normalise, read_number
from casemesh.errors import not_found
from casemesh.routing.case_store import link_number, number_of
from casemesh.routing.case_visibility import VIEW_CASE, CaseVisibility
from casemesh.routing.v1 import case_pb2
from casemesh.routing.v1 import case_record_service_pb2 as pb2
from casemesh.runtime.call import Call
from casemesh.runtime.outbox import OutboxRelay, event_of, record
from casemesh.runtime.paging import decode_number, encode_token, page_size_of
from casemesh.runtime.postgres import Database, Transaction
from casemesh.runtime.requests import recall, remember

_COLUMNS = "link_id, case_id, agency, number, format, link_time, unlink_time"
_STANDING = f"""
SELECT {_COLUMNS} FROM local_number WHERE case_id = $1 AND agency = $2 AND number = $3 AND unlink_time IS NULL
"""  # noqa: S608 - columns are a constant
_UNLINK = f"""
UPDATE local_number SET unlink_time = $4, unlink_reason = $5
WHERE case_id = $1 AND agency = $2 AND number = $3 AND unlink_time IS NULL RETURNING {_COLUMNS}
"""  # noqa: S608
_OF_CASE = f"SELECT {_COLUMNS} FROM local_number WHERE case_id = $1 AND link_id > $2 ORDER BY link_id LIMIT $3"  # noqa: S608
_FIND = f"""
SELECT {_COLUMNS} FROM local_number WHERE normalised = $1 AND unlink_time IS NULL AND link_id > $2
ORDER BY link_id LIMIT $3
"""  # noqa: S608
_MOST_CHECKED = 100


class LocalNumbers:
    """Changes and finds numbers."""

    def __init__(self, database: Database, clock: Clock, visibility: CaseVisibility, outbox: OutboxRelay) -> None:
        self._database = database
        self._clock = clock
        self._visibility = visibility
        self._outbox = outbox

    async def link(self, call: Call, request: pb2.LinkLocalNumberRequest) -> pb2.LinkLocalNumberResponse:
        """Link the calling agency's number. What is wrong with it is said and refuses nothing."""
        agency, reading = call.require_caller().agency, read_number(request.number)
        async with self._database.transaction() as transaction:
            stored = await recall(transaction, call, request, pb2.LinkLocalNumberResponse)
            if stored is not None:
                return stored
            linked = await link_number(transaction, request.case, agency, request.number, self._clock.now())
            row = await transaction.fetchrow(_STANDING, *_key(request.case, agency, request.number))
            assert row is not None
            response = pb2.LinkLocalNumberResponse(
                local_number=number_of(row),
                warnings=[
                    pb2.NumberWarning(reason=finding.reason, text_zh=finding.zh, text_en=finding.en)
                    for finding in reading.findings
                ],
            )
            if linked:
                await self._record(transaction, call, "case.number.linked", request.case, response.local_number)
            await remember(transaction, call, request, response)
        self._outbox.wake()
        return response

    async def unlink(self, call: Call, request: pb2.UnlinkLocalNumberRequest) -> pb2.UnlinkLocalNumberResponse:
        """End the link of the calling agency's number. Raises NotFound when there is none."""
        agency = call.require_caller().agency
        async with self._database.transaction() as transaction:
            stored = await recall(transaction, call, request, pb2.UnlinkLocalNumberResponse)
            if stored is not None:
                return stored
            key = _key(request.case, agency, request.number)
            row = await transaction.fetchrow(_UNLINK, *key, self._clock.now(), request.reason)
            if row is None:
                raise not_found()
            response = pb2.UnlinkLocalNumberResponse(local_number=number_of(row))
            await self._record(
                transaction, call, "case.number.unlinked", request.case, response.local_number, request.reason
            )
            await remember(transaction, call, request, response)
        self._outbox.wake()
        return response

    async def of_case(self, request: pb2.ListLocalNumbersRequest) -> pb2.ListLocalNumbersResponse:
        """Return a page of the numbers a case ever had."""
        size = page_size_of(request.page_size)
        after = decode_number(request.page_token) or 0
        rows = await self._database.fetch(_OF_CASE, CASE.parse(request.case)["case"], after, size + 1)
        response = pb2.ListLocalNumbersResponse(local_numbers=[number_of(row) for row in rows[:size]])
        if len(rows) > size:
            response.next_page_token = encode_token(str(rows[size - 1]["link_id"]))
        return response

    async def find(self, call: Call, request: pb2.FindCaseByNumberRequest) -> pb2.FindCaseByNumberResponse:
        """Return a page of the cases the caller may see that have the number, however it is written.

        Each page looks at 100 links of the number, so that it may be short, or empty, and more follow. It looks at as
        many however small the page is to be: that more follow must not tell of cases the caller may not see.
        """
        size = page_size_of(request.page_size)
        rows = await self._database.fetch(
            _FIND, normalise(request.number), decode_number(request.page_token) or 0, _MOST_CHECKED + 1
        )
        checked = [(CASE.format(case=row["case_id"]), row) for row in rows[:_MOST_CHECKED]]
        seen = await self._visibility.allowed(call.require_caller(), [name for name, _ in checked], VIEW_CASE)
        shown = [(name, row) for name, row in checked if name in seen]
        response = pb2.FindCaseByNumberResponse(
            found=[pb2.FoundCase(case=name, local_number=number_of(row)) for name, row in shown[:size]]
        )
        if len(shown) > size:
            response.next_page_token = encode_token(str(shown[size - 1][1]["link_id"]))
        elif len(rows) > _MOST_CHECKED:
            response.next_page_token = encode_token(str(checked[-1][1]["link_id"]))
        return response

    async def _record(
        self,
        transaction: Transaction,
        call: Call,
        action: str,
        case: str,
        number: case_pb2.LocalNumber,
        reason: str = "",
    ) -> None:
        # The number itself never stands in the log.
        details = {"format": number.format, **({"reason": reason} if reason else {})}
        await record(transaction, call, event_of(call, self._clock, action, case, case=case, details=details))


def _key(case: str, agency: str, number: str) -> tuple[str, str, str]:
    return CASE.parse(case)["case"], AGENCY.parse(agency)["agency"], number

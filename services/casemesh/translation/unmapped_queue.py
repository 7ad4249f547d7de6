"""The queue of unmapped codes: what waits, what a person decides, what was resolved since."""

from __future__ import annotations

from casemesh.core.clock import Clock
from casemesh.core.ids import is_uuid
from casemesh.errors import FailedPrecondition, FieldViolation, InvalidArgument, NotFound, not_found
from casemesh.runtime.call import Call
from casemesh.runtime.outbox import event_of, record
from casemesh.runtime.paging import decode_token, encode_token, invalid_token, page_size_of
from casemesh.runtime.postgres import Database
from casemesh.runtime.requests import recall, remember
from casemesh.translation.catalogue import Catalogue
from casemesh.translation.messages import EQUIVALENCE_OF, coded_value
from casemesh.translation.periods import today
from casemesh.translation.policy import UNMAPPED_CODE_DECIDED
from casemesh.translation.unmapped_store import FIRST_ID, Unmapped, UnmappedStore
from casemesh.translation.v1 import translation_admin_service_pb2 as admin_pb2
from casemesh.translation.v1 import translation_pb2
from casemesh.translation.version_messages import QUEUE_STATE_NAMES, unmapped_message

_NONE = translation_pb2.EQUIVALENCE_NONE
_PREFIX = "unmappedCodes/"


class UnmappedQueue:
    """Lists and decides."""

    def __init__(self, database: Database, store: UnmappedStore, clock: Clock) -> None:
        self._database = database
        self._store = store
        self._clock = clock

    async def waiting(
        self, request: admin_pb2.ListUnmappedCodesRequest, catalogue: Catalogue
    ) -> admin_pb2.ListUnmappedCodesResponse:
        """Return a page of the queue. Raises InvalidArgument for a token that is none."""
        state = request.state or translation_pb2.UNMAPPED_CODE_STATE_OPEN
        size = page_size_of(request.page_size)
        found = await self._store.queue(
            QUEUE_STATE_NAMES[state], request.code_system, _place(request.page_token), size + 1
        )
        more = encode_token(f"{found[size - 1].seen_count} {found[size - 1].id}") if len(found) > size else ""
        return admin_pb2.ListUnmappedCodesResponse(
            unmapped_codes=[self._message(entry, catalogue) for entry in found[:size]], next_page_token=more
        )

    async def resolved(
        self, request: admin_pb2.ListResolvedCodesRequest, catalogue: Catalogue
    ) -> admin_pb2.ListResolvedCodesResponse:
        """Return a page of what was resolved. Raises InvalidArgument for a token that is none."""
        size = page_size_of(request.page_size)
        after = _place(request.page_token) or (0, FIRST_ID)
        found = await self._store.resolved(request.after_revision, after, size + 1)
        more = encode_token(f"{found[size - 1].resolved_revision} {found[size - 1].id}") if len(found) > size else ""
        return admin_pb2.ListResolvedCodesResponse(
            unmapped_codes=[self._message(entry, catalogue) for entry in found[:size]], next_page_token=more
        )

    async def decide(
        self, call: Call, request: admin_pb2.ResolveUnmappedCodeRequest, catalogue: Catalogue
    ) -> admin_pb2.ResolveUnmappedCodeResponse:
        """Write what a code stands for. Raises NotFound, InvalidArgument, FailedPrecondition."""
        if bool(request.target_code) == (request.equivalence == _NONE):
            rule = "must be NONE without a target_code and another beside one"
            raise InvalidArgument(
                "FIELD_INVALID", f"equivalence {rule}", violations=[FieldViolation("equivalence", rule)]
            )
        entry_id = request.name.removeprefix(_PREFIX)
        if not is_uuid(entry_id):
            raise not_found()
        async with self._database.transaction() as transaction:
            stored = await recall(transaction, call, request, admin_pb2.ResolveUnmappedCodeResponse)
            if stored is not None:
                return stored
            entry = await self._store.held(transaction, entry_id)
            if entry is None:
                raise not_found()
            if entry.state == "resolved":
                raise FailedPrecondition(
                    "CODE_VERSION_STATE_WRONG", "an active map version resolved it already", {"state": entry.state}
                )
            target = entry.key.target_code_system
            if request.target_code and request.target_code not in catalogue.table(target):
                raise NotFound(
                    "CODE_UNKNOWN",
                    f"{target} has no such code; codes are compared exactly as written",
                    {"code_system": target, "code": request.target_code},
                )
            await self._store.decide(
                transaction, entry_id, request.target_code, EQUIVALENCE_OF[request.equivalence], request.note
            )
            details = {
                "code_system": entry.key.source_code_system,
                "code": entry.key.code,
                "target_code_system": target,
                "target_code": request.target_code,
                "equivalence": EQUIVALENCE_OF[request.equivalence].value,
            }
            await record(
                transaction, call, event_of(call, self._clock, UNMAPPED_CODE_DECIDED, request.name, details=details)
            )
            decided = await self._store.held(transaction, entry_id)
            assert decided is not None
            response = admin_pb2.ResolveUnmappedCodeResponse(unmapped_code=self._message(decided, catalogue))
            await remember(transaction, call, request, response)
            return response

    def _message(self, entry: Unmapped, catalogue: Catalogue) -> translation_pb2.UnmappedCode:
        loaded = catalogue.code_systems.get(entry.key.source_code_system)
        if loaded is None:
            return unmapped_message(entry, "")
        return unmapped_message(entry, coded_value(loaded.table, entry.key.code, today(self._clock)).display)


def _place(token: str) -> tuple[int, str] | None:
    """Return the (number, id) of the last item before a page; None for the first page."""
    key = decode_token(token)
    if not key:
        return None
    number, _, entry = key.partition(" ")
    if not number.isascii() or not number.isdigit() or len(number) > 18 or not is_uuid(entry):
        raise invalid_token()
    return int(number), entry

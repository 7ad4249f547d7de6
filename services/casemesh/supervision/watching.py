"""Lists and streams of warnings: what the store has, less what the caller may not see."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress

from casemesh.core.clock import Clock
from casemesh.core.ids import UUID_PATTERN
from casemesh.core.names import AGENCY, CASE
from casemesh.errors import FieldViolation, InvalidArgument
from casemesh.runtime.call import Caller
from casemesh.runtime.paging import decode_token, encode_token, invalid_token, page_size_of
from casemesh.supervision.v1 import supervision_service_pb2 as pb2
from casemesh.supervision.visibility import Visibility
from casemesh.supervision.warning_store import GRAVEST_FIRST, TO_WORK, WarningFilter, WarningStore

_BATCH = 100
_MOST_LOOKED_AT = 1000
"""How many warnings one page looks at; where the caller sees few of them it is short, and goes on with the next."""
_POLL_SECONDS = 1.0
_SIGN_OF_LIFE_POLLS = 20
_PAGE_KEY = re.compile(rf"([1-4]) ({UUID_PATTERN})")
_RESUME_KEY = re.compile(r"([0-9]{1,18})(?:-([0-9]{1,18}))?")


class Changes:
    """Wakes the streams of this process after a commit; what another replica commits they find by themselves."""

    def __init__(self) -> None:
        self._waiting: set[asyncio.Event] = set()

    def announce(self) -> None:
        """Say that a warning may have changed."""
        for event in self._waiting:
            event.set()

    @contextmanager
    def watching(self) -> Iterator[asyncio.Event]:
        """Give an event that is set whenever a warning may have changed, until the body ends."""
        event = asyncio.Event()
        self._waiting.add(event)
        try:
            yield event
        finally:
            self._waiting.discard(event)


class Watching:
    """Shows warnings to callers."""

    def __init__(self, clock: Clock, store: WarningStore, visibility: Visibility, changes: Changes) -> None:
        self._clock = clock
        self._store = store
        self._visibility = visibility
        self._changes = changes

    async def page(self, caller: Caller, request: pb2.ListWarningsRequest) -> pb2.ListWarningsResponse:
        """Return a page. Raises InvalidArgument for a token that is none of ours, Unavailable."""
        only = WarningFilter(
            states=tuple(request.states) or TO_WORK,
            min_rank=request.min_rank,
            case_id=CASE.parse(request.case)["case"] if request.case else None,
            rule=request.rule,
            owner=request.owner,
            escalated=request.escalated,
            # Who reviews access to no case sees what concerns his own agency, and need not look at the rest.
            concerning=None if await self._visibility.reviews_any(caller) else AGENCY.parse(caller.agency)["agency"],
        )
        size, after = page_size_of(request.page_size), _after(request.page_token)
        response, looked_at, now = pb2.ListWarningsResponse(), 0, self._clock.now()
        while looked_at < _MOST_LOOKED_AT:
            found = await self._store.page(only, after, _BATCH)
            looked_at += len(found)
            for warning in await self._visibility.seen(caller, found):
                response.warnings.append(warning.message(now))
                after = (warning.rank, warning.warning_id)
                if len(response.warnings) == size:
                    response.next_page_token = _token(after)
                    return response
            if len(found) < _BATCH:
                return response
            after = (found[-1].rank, found[-1].warning_id)
        response.next_page_token = _token(after)
        return response

    async def stream(
        self, caller: Caller, request: pb2.WatchWarningsRequest
    ) -> AsyncIterator[pb2.WatchWarningsResponse]:
        """Yield what is open and then what changes, until it is closed. Raises InvalidArgument, Unavailable."""
        after, open_until = await self._place(request.resume_token)
        case_id = CASE.parse(request.case)["case"] if request.case else None
        quiet = 0
        with self._changes.watching() as changed:
            while True:
                changed.clear()
                found = await self._store.changed(after, open_until, case_id, _BATCH)
                for warning in await self._visibility.seen_on_stream(caller, found):
                    place = _resume(warning.change_sequence, open_until)
                    yield pb2.WatchWarningsResponse(warning=warning.message(self._clock.now()), resume_token=place)
                if found:
                    after, quiet = found[-1].change_sequence, 0
                    continue
                if open_until is not None:
                    after, open_until = open_until, None
                    yield pb2.WatchWarningsResponse(resume_token=_resume(after, None))
                    continue
                with suppress(TimeoutError):
                    async with asyncio.timeout(_POLL_SECONDS):
                        await changed.wait()
                quiet += 1
                if quiet % _SIGN_OF_LIFE_POLLS == 0:
                    yield pb2.WatchWarningsResponse(resume_token=_resume(after, None))

    async def _place(self, token: str) -> tuple[int, int | None]:
        if not token:
            return 0, await self._store.last_sequence()
        try:
            match = _RESUME_KEY.fullmatch(decode_token(token))
        except InvalidArgument:
            match = None
        if match is None:
            rule = "must be a resume_token of this stream"
            raise InvalidArgument(
                "FIELD_INVALID", f"resume_token {rule}", violations=[FieldViolation("resume_token", rule)]
            )
        return int(match[1]), None if match[2] is None else int(match[2])


def _resume(after: int, open_until: int | None) -> str:
    return encode_token(str(after) if open_until is None else f"{after}-{open_until}")


def _after(token: str) -> tuple[int, str]:
    if not token:
        return GRAVEST_FIRST
    match = _PAGE_KEY.fullmatch(decode_token(token))
    if match is None:
        raise invalid_token()
    return int(match[1]), match[2]


def _token(after: tuple[int, str]) -> str:
    return encode_token(f"{after[0]} {after[1]}")

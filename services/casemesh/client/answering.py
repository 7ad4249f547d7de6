"""Answering the questions put to one's data services, over a stream of one's own.

The platform never calls in. A question that is not answered within its lease comes again, on any stream, so `answer`
may be asked the same question twice; the platform keeps the first answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TYPE_CHECKING

from casemesh.client.retry import pause_after, pauses
from casemesh.errors import CaseMeshError, Unavailable
from casemesh.routing.v1 import data_provider_service_pb2 as pb
from casemesh.routing.v1 import data_service_pb2

if TYPE_CHECKING:
    from casemesh.routing.v1.data_provider_service_pb2_grpc import DataProviderServiceAsyncStub

Answer = Callable[[data_service_pb2.DataQuery], Awaitable[pb.QueryAnswer | None]]
"""Finds the answer to a question; None leaves it unanswered, and it comes again after its lease. `query` and
`question_sha256` are filled in for it."""

OnAnswered = Callable[[str], None]
"""Is told the name of each question whose answer the platform has kept."""

_GOES_ON = frozenset({"QUERY_CLOSED"})


class Answering:
    """Takes questions and answers them for as long as `run` runs. For one run of one program.

    Up to `max_outstanding` questions are answered side by side. A break of the connection is mended with growing
    pauses.
    """

    def __init__(
        self,
        provider: DataProviderServiceAsyncStub,
        answer: Answer,
        *,
        max_outstanding: int = 16,
        on_answered: OnAnswered = lambda name: None,
    ) -> None:
        self._provider = provider
        self._answer = answer
        self._max_outstanding = max_outstanding
        self._on_answered = on_answered
        self._answers: asyncio.Queue[pb.QueryAnswer] = asyncio.Queue()

    async def run(self) -> None:
        """Answer until cancelled.

        Raises what `answer` raises, and CaseMeshError for a failure that does not pass: an answer that breaks the data
        service's schema ends it, since the next one would break it, too.
        """
        waits = pauses()
        while True:
            heard = False
            try:
                async with asyncio.TaskGroup() as answering:
                    async for response in self._provider.ServeQueries(self._requests()):
                        heard = True
                        if response.WhichOneof("notice") == "query":
                            answering.create_task(self._find(response.query))
                        elif response.WhichOneof("notice") == "answered":
                            self._on_answered(response.answered)
                    raise Unavailable("UNKNOWN", "the platform ended the stream", retry_after_seconds=None)
            except BaseExceptionGroup as group:
                # One failure ended the group; the rest are its cancellations.
                error = group.exceptions[0]
                if not isinstance(error, CaseMeshError) or not (
                    isinstance(error, Unavailable) or error.reason in _GOES_ON
                ):
                    raise error from group
                waits = pauses() if heard else waits
                pause = next(waits, None)
                if pause is None:
                    raise error from group
                # What was found for the stream that broke comes again as a question.
                self._answers = asyncio.Queue()
                await asyncio.sleep(pause_after(error, pause))

    async def _requests(self) -> AsyncIterator[pb.ServeQueriesRequest]:
        yield pb.ServeQueriesRequest(open=pb.ServeQueriesOpen(max_outstanding=self._max_outstanding))
        while True:
            yield pb.ServeQueriesRequest(answer=await self._answers.get())

    async def _find(self, query: data_service_pb2.DataQuery) -> None:
        answer = await self._answer(query)
        if answer is None:
            return
        answer.query, answer.question_sha256 = query.name, query.question_sha256
        self._answers.put_nowait(answer)

"""Answering questions over a stream: one that finds no answer does not keep others from theirs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from casemesh.client.answering import Answering
from casemesh.routing.v1 import data_provider_service_pb2 as pb
from casemesh.routing.v1.data_service_pb2 import DATA_QUERY_OUTCOME_NOT_FOUND, DataQuery

BAD, GOOD = "dataQueries/bad", "dataQueries/good"


class Provider:
    """Puts two questions and hands on the first answer."""

    def __init__(self) -> None:
        self.answer: asyncio.Future[pb.QueryAnswer] = asyncio.get_running_loop().create_future()

    async def ServeQueries(
        self, requests: AsyncIterator[pb.ServeQueriesRequest]
    ) -> AsyncIterator[pb.ServeQueriesResponse]:
        await anext(requests)
        for name in (BAD, GOOD):
            yield pb.ServeQueriesResponse(query=DataQuery(name=name, question_sha256=name.encode()))
        self.answer.set_result((await anext(requests)).answer)
        await asyncio.Event().wait()


async def test_a_question_without_an_answer_stays_one_and_the_next_is_answered() -> None:
    async def answer(query: DataQuery) -> pb.QueryAnswer | None:
        return None if query.name == BAD else pb.QueryAnswer(outcome=DATA_QUERY_OUTCOME_NOT_FOUND)

    provider = Provider()
    running = asyncio.create_task(Answering(provider, answer).run())  # type: ignore[arg-type]
    try:
        async with asyncio.timeout(20):
            given = await provider.answer
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    assert (GOOD, GOOD.encode()) == (given.query, given.question_sha256)

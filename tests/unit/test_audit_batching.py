"""Batching: callers share transactions and nothing else."""

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest

from casemesh.audit.batching import MAX_BATCH_EVENTS, MAX_WAITING_EVENTS, Batcher
from casemesh.audit.events import Submitted
from casemesh.audit.sequencing import Outcome, Place
from casemesh.errors import AlreadyExists, FailedPrecondition, ResourceExhausted, Unavailable


def request(count: int = 1, name: str = "event", source: str = "dossier") -> list[Submitted]:
    return [Submitted(f"{name}-{number}", "", {"source": source}, b"") for number in range(count)]


class Log:
    """A writer that holds each batch until it is let go."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.begun = asyncio.Event()
        self.let_go = asyncio.Event()
        self.failure: Exception | None = None
        self.poison = ""

    async def append(self, requests: Sequence[Sequence[Submitted]]) -> list[Outcome]:
        self.batches.append([len(events) for events in requests])
        self.begun.set()
        await self.let_go.wait()
        if self.failure is not None:
            raise self.failure
        if any(event.event_id.startswith(self.poison) for events in requests for event in events if self.poison):
            raise RuntimeError("poison")
        return [[Place(event.event_id, 0, 0) for event in events] for events in requests]


@pytest.fixture
def log() -> Log:
    return Log()


@pytest.fixture
async def batcher(log: Log) -> AsyncIterator[Batcher]:
    made = Batcher(log.append)
    running = asyncio.create_task(made.run())
    yield made
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def begin(batcher: Batcher, log: Log, *requests: list[Submitted]) -> list[asyncio.Task[list[Place]]]:
    """Start one append, and the others once it is under way, so that they wait."""
    first, *others = requests
    tasks = [asyncio.create_task(batcher.append(first))]
    await log.begun.wait()
    tasks += [asyncio.create_task(batcher.append(other)) for other in others]
    await asyncio.sleep(0)
    return tasks


async def test_a_lone_event_goes_at_once_and_what_comes_meanwhile_goes_together(batcher: Batcher, log: Log) -> None:
    tasks = await begin(batcher, log, *[request() for _ in range(11)])
    log.let_go.set()
    await asyncio.gather(*tasks)
    assert log.batches == [[1], [1] * 10]


async def test_a_batch_keeps_to_its_limit_and_to_the_order_of_arrival(batcher: Batcher, log: Log) -> None:
    half = MAX_BATCH_EVENTS // 2
    tasks = await begin(batcher, log, request(), request(half), request(half), request(1), request(MAX_BATCH_EVENTS))
    log.let_go.set()
    await asyncio.gather(*tasks)
    assert log.batches == [[1], [half, half], [1], [MAX_BATCH_EVENTS]]


async def test_more_than_the_limit_waiting_is_refused_and_room_comes_back(batcher: Batcher, log: Log) -> None:
    full = [request(MAX_BATCH_EVENTS) for _ in range(MAX_WAITING_EVENTS // MAX_BATCH_EVENTS)]
    tasks = await begin(batcher, log, request(), *full)
    with pytest.raises(ResourceExhausted) as refused:
        await batcher.append(request())
    assert refused.value.retry_after_seconds == 1.0
    log.let_go.set()
    await asyncio.gather(*tasks)
    assert len(await batcher.append(request())) == 1


async def test_a_flood_from_one_source_neither_fills_the_room_of_others_nor_makes_them_wait_behind_it(
    batcher: Batcher, log: Log
) -> None:
    flood = [request(MAX_BATCH_EVENTS, "flood") for _ in range(MAX_WAITING_EVENTS // MAX_BATCH_EVENTS)]
    first, *waiting = await begin(batcher, log, request(), *flood, request(name="quiet", source="routing"))
    with pytest.raises(ResourceExhausted, match="4096 events of dossier wait already"):
        await batcher.append(request())
    log.let_go.set()
    await asyncio.gather(first, *waiting)
    assert [[1], [MAX_BATCH_EVENTS], [1], [MAX_BATCH_EVENTS]] == log.batches[:4]


async def test_sources_take_turns_within_a_batch(batcher: Batcher, log: Log) -> None:
    flood = [request(200, "flood") for _ in range(3)]
    quiet = [request(10, source="identity"), request(20, source="routing"), request(30, source="routing")]
    tasks = await begin(batcher, log, request(), *flood, *quiet)
    log.let_go.set()
    await asyncio.gather(*tasks)
    assert [[1], [200, 10, 20], [200, 30], [200]] == log.batches


async def test_a_caller_that_goes_away_takes_nothing_with_it(batcher: Batcher, log: Log) -> None:
    [gone, stays] = await begin(batcher, log, request(name="gone"), request(name="stays"))
    gone.cancel()
    log.let_go.set()
    assert [place.event_id for place in await stays] == ["stays-0"]
    assert log.batches == [[1], [1]]


async def test_a_request_that_breaks_the_writer_fails_alone(batcher: Batcher, log: Log) -> None:
    log.poison = "bad"
    tasks = await begin(batcher, log, request(), request(name="good"), request(name="bad"), request(name="fine"))
    log.let_go.set()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert [isinstance(result, RuntimeError) for result in results] == [False, False, True, False]


async def test_an_error_of_the_database_fails_its_batch_and_not_the_next(batcher: Batcher, log: Log) -> None:
    log.failure = Unavailable("DATABASE_UNAVAILABLE", "gone")
    log.let_go.set()
    with pytest.raises(Unavailable):
        await batcher.append(request())
    log.failure = None
    assert len(await batcher.append(request())) == 1


async def test_a_refusal_of_one_request_is_given_to_its_caller_alone(log: Log) -> None:
    async def refuse_second(requests: Sequence[Sequence[Submitted]]) -> list[Outcome]:
        places = await log.append(requests)
        return [AlreadyExists("EVENT_CONFLICT", "no") if len(requests[n]) == 2 else p for n, p in enumerate(places)]

    batcher = Batcher(refuse_second)
    running = asyncio.create_task(batcher.run())
    tasks = await begin(batcher, log, request(), request(2), request(3))
    log.let_go.set()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(result) for result in results] == [list, AlreadyExists, list]
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_a_contradicted_log_takes_nothing_more(batcher: Batcher, log: Log) -> None:
    log.failure = FailedPrecondition("LOG_CONTRADICTED", "no")
    log.let_go.set()
    for _ in range(3):
        with pytest.raises(FailedPrecondition):
            await batcher.append(request())
    assert log.batches == [[1]]
    assert batcher.contradicted


async def test_what_waits_when_the_log_stops_is_refused(log: Log) -> None:
    batcher = Batcher(log.append)
    running = asyncio.create_task(batcher.run())
    tasks = await begin(batcher, log, request(), request())
    running.cancel()
    results = await asyncio.gather(*tasks, running, return_exceptions=True)
    assert [getattr(result, "reason", None) for result in results] == ["SHUTTING_DOWN", "SHUTTING_DOWN", None]
    with pytest.raises(Unavailable):
        await batcher.append(request())

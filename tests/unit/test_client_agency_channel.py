"""What calls carry, which are made again, and what their failures become. gRPC itself is a fake here; see
tests/integration for the real one."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import grpc
import pytest
from google.rpc import status_pb2

from casemesh.client import agency_channel, retry
from casemesh.client.access_token import TokenSource
from casemesh.client.agency_channel import AgencyChannel
from casemesh.client.trace_context import tracing
from casemesh.core.ids import new_id
from casemesh.errors import (
    CaseMeshError,
    DeadlineExceeded,
    NotFound,
    Unauthenticated,
    Unavailable,
    not_found,
    to_status,
)
from casemesh.identity.v1.token_service_pb2 import IssueTokenResponse
from casemesh.routing.v1.case_service_pb2 import GetCaseRequest, GetCaseResponse, RegisterCaseRequest

Outcome = CaseMeshError | GetCaseResponse
READ = GetCaseRequest(name="cases/c")


def refusal(error: CaseMeshError) -> grpc.aio.AioRpcError:
    status: status_pb2.Status = to_status(error)
    code = next(code for code in grpc.StatusCode if code.value[0] == error.code)
    trailing = grpc.aio.Metadata(("grpc-status-details-bin", status.SerializeToString()))
    return grpc.aio.AioRpcError(code, grpc.aio.Metadata(), trailing, error.message)


class FakeCall:
    """A stream in progress."""

    def __init__(self, outcomes: list[Outcome]) -> None:
        self.outcomes = outcomes
        self.cancelled = False

    async def __aiter__(self) -> AsyncIterator[GetCaseResponse]:
        for outcome in self.outcomes:
            if isinstance(outcome, CaseMeshError):
                raise refusal(outcome)
            yield outcome

    def cancel(self) -> bool:
        self.cancelled = True
        return True


class FakeWire:
    """A connection that answers each call with the next outcome, and remembers what came."""

    def __init__(self, *outcomes: Outcome) -> None:
        self.outcomes = list(outcomes)
        self.calls: list[dict[str, Any]] = []
        self.streams: list[FakeCall] = []

    def current(self) -> FakeWire:
        return self

    def unary_unary(self, method: str, *_: Any) -> Callable[..., Any]:
        async def call(request: Any, *, timeout: float, metadata: list[tuple[str, str]]) -> Any:
            self.calls.append({"request": request, "timeout": timeout, "metadata": dict(metadata)})
            outcome = self.outcomes.pop(0)
            if isinstance(outcome, CaseMeshError):
                raise refusal(outcome)
            return outcome

        return call

    def unary_stream(self, method: str, *_: Any) -> Callable[..., Any]:
        def call(request: Any, *, timeout: float | None, metadata: list[tuple[str, str]]) -> FakeCall:
            self.calls.append({"request": request, "timeout": timeout, "metadata": dict(metadata)})
            self.streams.append(FakeCall(self.outcomes))
            return self.streams[-1]

        return call


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agency_channel, "pauses", lambda: iter([0.0] * (retry.MAX_ATTEMPTS - 1)))
    monkeypatch.setattr(agency_channel, "pause_after", lambda error, pause: pause)


def token_source(log_in_again: Callable[[], Awaitable[object]] | None = None) -> TokenSource:
    issued = iter(range(1, 100))

    async def issue() -> IssueTokenResponse:
        return IssueTokenResponse(access_token=f"token-{next(issued)}")

    return TokenSource(issue, lambda: "certificate", log_in_again=log_in_again)


def unary(wire: FakeWire, tokens: TokenSource | None = None) -> Callable[..., Any]:
    return AgencyChannel(wire, tokens).unary_unary("/s/M")  # type: ignore[arg-type, no-any-return]


def stream(wire: FakeWire, tokens: TokenSource | None = None) -> Callable[..., Any]:
    return AgencyChannel(wire, tokens).unary_stream("/s/M")  # type: ignore[arg-type, no-any-return]


async def test_a_call_carries_token_trace_and_deadline() -> None:
    wire = FakeWire(GetCaseResponse())
    with tracing() as trace:
        await unary(wire, token_source())(READ)

    sent = wire.calls[0]["metadata"]
    assert sent["authorization"] == "Bearer token-1"
    assert re.fullmatch(f"00-{trace.trace_id}-[0-9a-f]{{16}}-01", sent["traceparent"])
    assert 29 < wire.calls[0]["timeout"] <= 30


NOT_FRESH = Unauthenticated("LOGIN_NOT_FRESH", "log in again")


async def test_an_act_refused_for_an_old_login_lets_the_officer_log_in_once_and_goes_on() -> None:
    logins = []

    async def log_in_again() -> None:
        await asyncio.sleep(0)
        logins.append("asked")

    tokens = token_source(log_in_again)
    wire = FakeWire(NOT_FRESH, GetCaseResponse(), GetCaseResponse())
    first, second = await asyncio.gather(unary(wire, tokens)(READ), unary(wire, tokens)(READ))

    assert (GetCaseResponse(), GetCaseResponse()) == (first, second)
    assert logins == ["asked"]
    used = [call["metadata"]["authorization"] for call in wire.calls]
    # The other call waits for the login as well.
    assert used == ["Bearer token-1", "Bearer token-2", "Bearer token-2"]


async def test_an_act_refused_for_an_ended_token_and_then_for_an_old_login_goes_on_all_the_same() -> None:
    logins = []

    async def log_in_again() -> None:
        logins.append("asked")

    # A terminal that slept: its count of the token's life stood still meanwhile.
    wire = FakeWire(Unauthenticated("TOKEN_EXPIRED", "ended"), NOT_FRESH, GetCaseResponse())
    assert GetCaseResponse() == await unary(wire, token_source(log_in_again))(READ)
    assert logins == ["asked"]


async def test_an_act_that_is_refused_again_or_without_a_way_to_log_in_fails_with_the_platforms_words() -> None:
    async def log_in_again() -> None:
        """The clock of the terminal is wrong, say."""

    for tokens, calls in ((token_source(log_in_again), 2), (token_source(), 1)):
        wire = FakeWire(NOT_FRESH, NOT_FRESH)
        with pytest.raises(Unauthenticated, match="log in again"):
            await unary(wire, tokens)(READ)
        assert len(wire.calls) == calls


async def test_calls_outside_a_trace_each_start_their_own() -> None:
    wire = FakeWire(GetCaseResponse(), GetCaseResponse())
    await unary(wire)(READ)
    await unary(wire)(READ)

    first, second = (call["metadata"]["traceparent"].split("-")[1] for call in wire.calls)
    assert first != second


async def test_a_read_is_tried_again_while_the_platform_is_unavailable() -> None:
    wire = FakeWire(Unavailable("SHUTTING_DOWN", "stopping"), Unavailable("SHUTTING_DOWN", "s"), GetCaseResponse())
    await unary(wire)(READ)
    assert len(wire.calls) == 3


async def test_a_mutation_is_tried_again_under_the_same_request_id() -> None:
    wire = FakeWire(Unavailable("DATABASE_UNAVAILABLE", "lost"), GetCaseResponse())
    request = RegisterCaseRequest(request_id=new_id(), title="t")
    await unary(wire)(request)
    assert [request.request_id] * 2 == [call["request"].request_id for call in wire.calls]


async def test_a_mutation_without_a_request_id_is_made_once() -> None:
    wire = FakeWire(Unavailable("DATABASE_UNAVAILABLE", "lost"), GetCaseResponse())
    with pytest.raises(Unavailable):
        await unary(wire)(RegisterCaseRequest(title="t"))
    assert len(wire.calls) == 1


async def test_attempts_are_limited() -> None:
    wire = FakeWire(*[Unavailable("SHUTTING_DOWN", "stopping")] * 10)
    with pytest.raises(Unavailable):
        await unary(wire)(READ)
    assert len(wire.calls) == retry.MAX_ATTEMPTS


@pytest.mark.parametrize(
    "error", [not_found(), DeadlineExceeded("UNKNOWN", "late"), CaseMeshError("INTERNAL", "fault")]
)
async def test_other_failures_are_not_tried_again(error: CaseMeshError) -> None:
    wire = FakeWire(error, GetCaseResponse())
    with pytest.raises(type(error)):
        await unary(wire)(READ)
    assert len(wire.calls) == 1


async def test_no_attempt_begins_after_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agency_channel, "pause_after", lambda error, pause: 10.0)
    wire = FakeWire(Unavailable("SHUTTING_DOWN", "stopping"), GetCaseResponse())
    with pytest.raises(Unavailable):
        await unary(wire)(READ, timeout=5.0)
    assert len(wire.calls) == 1


@pytest.mark.parametrize("reason", ["TOKEN_EXPIRED", "TOKEN_CERTIFICATE_MISMATCH"])
async def test_an_ended_token_is_replaced_once(reason: str) -> None:
    wire = FakeWire(Unauthenticated(reason, "get another"), GetCaseResponse())
    await unary(wire, token_source())(READ)
    assert [call["metadata"]["authorization"] for call in wire.calls] == ["Bearer token-1", "Bearer token-2"]

    wire = FakeWire(*[Unauthenticated(reason, "get another")] * 5)
    with pytest.raises(Unauthenticated):
        await unary(wire, token_source())(READ)
    assert len(wire.calls) == 2


async def test_a_token_that_cannot_be_had_in_time_ends_the_call() -> None:
    async def never() -> IssueTokenResponse:
        await asyncio.Event().wait()
        raise AssertionError

    wire = FakeWire(GetCaseResponse())
    with pytest.raises(DeadlineExceeded):
        await unary(wire, TokenSource(never, lambda: None))(READ, timeout=0.05)
    assert not wire.calls


async def test_a_failure_names_its_trace() -> None:
    with tracing() as trace, pytest.raises(NotFound) as failure:
        await unary(FakeWire(not_found()))(READ)
    assert failure.value.reason == "NOT_FOUND"
    assert failure.value.__notes__ == [f"trace {trace.trace_id}"]


async def test_a_stream_carries_token_and_trace_and_has_no_deadline() -> None:
    wire = FakeWire(GetCaseResponse(), GetCaseResponse())
    received = [response async for response in stream(wire, token_source())(READ)]
    assert len(received) == 2
    assert wire.calls[0]["timeout"] is None
    assert {"authorization", "traceparent"} <= set(wire.calls[0]["metadata"])


async def test_a_stream_that_fails_raises_our_error_and_is_not_tried_again() -> None:
    wire = FakeWire(GetCaseResponse(), Unavailable("STREAM_AGE_REACHED", "open another"))
    responses = aiter(stream(wire)(READ))
    await anext(responses)
    with pytest.raises(Unavailable) as failure:
        await anext(responses)
    assert (failure.value.reason, len(wire.calls)) == ("STREAM_AGE_REACHED", 1)


async def test_a_stream_left_early_is_cancelled() -> None:
    wire = FakeWire(GetCaseResponse(), GetCaseResponse())
    responses = aiter(stream(wire)(READ))
    await anext(responses)
    await responses.aclose()  # type: ignore[attr-defined]
    assert wire.streams[0].cancelled

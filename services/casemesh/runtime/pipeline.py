"""What every call passes before its handler, in this order:

1. span: so that every later step, refusals included, is in the trace and the metrics;
2. errors: so that what any later step raises leaves as a status, and nothing else does;
3. policy: a method without a row is refused before anything of the request is read;
4. peer and token: who calls, proved by certificate, forwarded certificate and token; for acts that bind a person, a
fresh login; for what shows content, a purpose;
5. share: no more calls and streams of one agency than it may have open, before they cost more;
6. deadline: unary calls must have one;
7. field rules: before the request's fields are used, e.g. to find its case;
8. authorisation: the right on the case the request leads to, or, where there is none, that whoever came through the
gateway is active; for streams, on their first message, and again every 5 seconds.

One interceptor does all of it: a chain of eight wraps each stream eight times.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from functools import partial
from typing import Any, cast

import grpc
import grpc.aio
import structlog
from google.protobuf.message import Message
from opentelemetry import context as otel_context
from opentelemetry import trace

from casemesh.client.purpose import purpose_of
from casemesh.core.clock import Clock
from casemesh.core.ids import new_id
from casemesh.errors import (
    CaseMeshError,
    InvalidArgument,
    PermissionDenied,
    Unauthenticated,
    Unavailable,
    to_status,
)
from casemesh.errors.status import DETAILS_KEY
from casemesh.runtime import forwarded, instruments
from casemesh.runtime.access import Decide, Decider, InactivePart, authorize, require_active
from casemesh.runtime.agency_shares import AgencyShares
from casemesh.runtime.call import Call, enter
from casemesh.runtime.call_kinds import kind_of
from casemesh.runtime.config import ServerConfig
from casemesh.runtime.field_rules import validate
from casemesh.runtime.fresh_login import require_fresh_login
from casemesh.runtime.peers import Peer, identify
from casemesh.runtime.policy import CaseLocator, MethodPolicy, PolicyTable, Proof, Subject, field_value
from casemesh.runtime.tail_sampling import TRANSFER
from casemesh.runtime.telemetry import remote_parent, traceparent_of, tracer
from casemesh.runtime.tokens import TokenVerifier

log = structlog.get_logger(__name__)

_SERVER_FAULTS = frozenset(
    grpc.StatusCode[name]
    for name in ("UNKNOWN", "DEADLINE_EXCEEDED", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS")
)
_OPEN_TIMEOUT_SECONDS = 10.0
_RETRIES_AN_INTERVAL = 5
Metadata = tuple[tuple[str, str | bytes], ...]


class Pipeline(grpc.aio.ServerInterceptor):
    """The one interceptor of a server."""

    def __init__(
        self,
        config: ServerConfig,
        policies: PolicyTable,
        locators: Mapping[str, CaseLocator],
        verifier: TokenVerifier,
        decider: Decider,
        inactive_part: InactivePart,
        clock: Clock,
    ) -> None:
        self._config = config
        self._policies = policies
        self._locators = locators
        self._verifier = verifier
        self._decider = decider
        self._inactive_part = inactive_part
        self._clock = clock
        self._shares = AgencyShares(config)
        self._streams: set[Stream] = set()
        self._duration = instruments.histogram("rpc.server.call.duration")

    async def intercept_service(
        self, continuation: Callable[[Any], Awaitable[Any]], details: grpc.HandlerCallDetails
    ) -> Any:
        handler = await continuation(details)
        if handler is None:
            return None
        method = details.method.lstrip("/")
        policy = self._policies.get(method)
        if handler.request_streaming:
            return grpc.stream_stream_rpc_method_handler(
                self._stream_behaviour(method, policy, handler.stream_stream, request_streaming=True),
                handler.request_deserializer,
                handler.response_serializer,
            )
        if handler.response_streaming:
            return grpc.unary_stream_rpc_method_handler(
                self._stream_behaviour(method, policy, handler.unary_stream, request_streaming=False),
                handler.request_deserializer,
                handler.response_serializer,
            )
        return grpc.unary_unary_rpc_method_handler(
            self._unary_behaviour(method, policy, handler.unary_unary),
            handler.request_deserializer,
            handler.response_serializer,
        )

    def cut_streams(self) -> None:
        """End all open streams with UNAVAILABLE: the server is stopping and their clients resume elsewhere."""
        for stream in list(self._streams):
            stream.cut(Unavailable("SHUTTING_DOWN", "the server is stopping; connect again"))

    def _unary_behaviour(self, method: str, policy: MethodPolicy | None, handler: Any) -> Any:
        async def behaviour(request: Message, context: grpc.aio.ServicerContext[Any, Any]) -> Any:
            async with self._around(method, context) as call:
                policy_row = await self._authenticate(call, policy, context)
                with self._shares.taken(call, "calls"):
                    if context.time_remaining() is None and not method.startswith("grpc."):
                        raise InvalidArgument("DEADLINE_MISSING", "the call has no deadline; set one")
                    validate(request)
                    await self._authorize(call, policy_row, request)
                    return await handler(request, context)

        return behaviour

    def _stream_behaviour(
        self, method: str, policy: MethodPolicy | None, handler: Any, *, request_streaming: bool
    ) -> Any:
        # A coroutine that writes, not a generator that gRPC writes from: a cut that met a write in gRPC's own code
        # would end there, and the client would never be told.
        async def behaviour(source: Any, context: grpc.aio.ServicerContext[Any, Any]) -> None:
            stream = Stream(cast("asyncio.Task[Any]", asyncio.current_task()))
            async with self._around(method, context, stream) as call:
                policy_row = await self._authenticate(call, policy, context)
                with self._shares.taken(call, "streams"):
                    check = _accept if policy_row.handler_checks_stream else validate
                    request, rest = await _first(source, check) if request_streaming else (source, source)
                    validate(request)
                    asked_at = self._clock.monotonic()
                    await self._authorize(call, policy_row, request)
                    watch = asyncio.create_task(self._watch(stream, call, policy_row, request, asked_at))
                    self._streams.add(stream)
                    responses = handler(rest, context)
                    try:
                        async for response in responses:
                            await context.write(response)
                    finally:
                        self._streams.discard(stream)
                        watch.cancel()
                        await responses.aclose()

        return behaviour

    @contextlib.asynccontextmanager
    async def _around(
        self, method: str, context: grpc.aio.ServicerContext[Any, Any], stream: Stream | None = None
    ) -> AsyncIterator[Call]:
        metadata = cast(Metadata, tuple(context.invocation_metadata() or ()))
        call = Call(method)
        enter(call)
        parent = remote_parent(metadata)
        parent_context = trace.set_span_in_context(parent) if parent is not None else None
        started = time.perf_counter()
        code = grpc.StatusCode.OK
        span = tracer().start_span(
            method,
            context=parent_context,
            kind=trace.SpanKind.SERVER,
            attributes={"rpc.system.name": "grpc", "rpc.method": method, **({TRANSFER: True} if stream else {})},
        )
        # Not detached: each call has a task of its own, and its context ends with it.
        otel_context.attach(trace.set_span_in_context(span))
        call.trace_id = f"{span.get_span_context().trace_id:032x}"
        call.traceparent = traceparent_of(span)
        structlog.contextvars.bind_contextvars(trace_id=call.trace_id)
        try:
            yield call
        except CaseMeshError as error:
            code = _code(error)
            await self._abort(context, error, call)
        except asyncio.CancelledError:
            if stream is not None and stream.why is not None:
                task = asyncio.current_task()
                assert task is not None
                task.uncancel()
                code = _code(stream.why)
                await self._abort(context, stream.why, call)
            code = grpc.StatusCode.CANCELLED
            raise
        except Exception as error:
            # What we did not foresee must not reach the caller: gRPC would send the exception's own words.
            code = grpc.StatusCode.INTERNAL
            if isinstance(error, grpc.aio.AbortError):
                raise
            incident = new_id()
            log.exception("call.failed", method=method, incident=incident)
            await self._abort(
                context, CaseMeshError("INTERNAL", f"internal error; incident {incident}", {"incident": incident}), call
            )
        finally:
            span.set_attribute("rpc.response.status_code", code.name)
            if call.case:
                span.set_attribute("casemesh.case", call.case)
            if call.purpose is not None:
                # The kind alone: what was said in words may name somebody.
                span.set_attribute("casemesh.purpose", call.purpose.kind)
            if code in _SERVER_FAULTS:
                span.set_status(trace.StatusCode.ERROR, code.name)
            span.end()
            self._duration.record(
                time.perf_counter() - started,
                {"rpc.method": method, "rpc.response.status_code": code.name, "casemesh.call.kind": kind_of(method)},
            )

    async def _abort(self, context: grpc.aio.ServicerContext[Any, Any], error: CaseMeshError, call: Call) -> None:
        trailing = (("x-trace-id", call.trace_id), (DETAILS_KEY, to_status(error).SerializeToString()))
        await context.abort(_code(error), error.message, trailing)

    async def _authenticate(
        self, call: Call, policy: MethodPolicy | None, context: grpc.aio.ServicerContext[Any, Any]
    ) -> MethodPolicy:
        if policy is None:
            raise PermissionDenied("CALLER_NOT_ALLOWED", f"{call.method} has no policy")
        call.peer, call.peer_name = identify(context.auth_context(), self._config.trust_domain, self._clock.now())
        proof = policy.callers.get(call.peer)
        if proof is None:
            raise PermissionDenied("CALLER_NOT_ALLOWED", f"{call.peer} may not call {call.method}")
        metadata = cast(Metadata, tuple(context.invocation_metadata() or ()))
        if call.peer is Peer.GATEWAY:
            call.client_fingerprint = forwarded.fingerprint(metadata)
        if proof in (Proof.BOUND_TOKEN, Proof.RELAYED_TOKEN):
            caller = await self._verifier.verify(_bearer_token(metadata))
            if proof is Proof.BOUND_TOKEN and caller.certificate != call.client_fingerprint:
                raise Unauthenticated(
                    "TOKEN_CERTIFICATE_MISMATCH", "the token is bound to another certificate; get one for this one"
                )
            call.caller = caller
            _require_subject(policy.subject, caller.officer)
            if policy.fresh_login and caller.officer is not None:
                require_fresh_login(caller, self._config, self._clock.now())
                call.login = caller.login
        if policy.reads_content:
            # Before the case is looked for, so that it says nothing of whether there is one.
            call.purpose = purpose_of(metadata)
        return policy

    async def _authorize(self, call: Call, policy: MethodPolicy, request: Message, *, again: bool = False) -> None:
        rule = policy.on_case
        if rule is None:
            # A service that relays a token has asked already, when it took the call from the gateway.
            if call.peer is Peer.GATEWAY and call.caller is not None:
                await require_active(self._inactive_part, call.caller)
            return
        name = field_value(request, rule.field)
        case = name if rule.resource == "case" else await self._locators[rule.resource](name)
        decide: Decide = self._decider.decide_again if again else self._decider.decide
        if call.purpose is not None and not again:
            decide = partial(self._decider.decide_reading, purpose=call.purpose.kind)
        decision = await authorize(decide, call.require_caller(), case, rule.permission)
        call.case, call.basis = case, decision.basis
        if not again:
            call.reading, call.through_agency = decision.reading, decision.through_agency

    async def _watch(
        self, stream: Stream, call: Call, policy: MethodPolicy, request: Message, confirmed_at: float
    ) -> None:
        """Ask again for the stream's rights every few seconds and cut it when they ended, nobody can tell, or it is too
        old.

        `confirmed_at` is when the question was put that was last answered with yes. No stream goes on upon an answer
        older than two intervals: a question that fails is repeated within that time, and one that hangs is given up.
        """
        every = float(self._config.reauthorize_every)
        ends_at = self._clock.monotonic() + self._config.stream_max_age
        # Streams that were opened together, as after a restart, do not ask together from then on.
        pause = random.uniform(0.0, every)  # noqa: S311 - spreads load, guards nothing
        while True:
            await asyncio.sleep(min(pause, max(0.0, ends_at - self._clock.monotonic())))
            asked_at = self._clock.monotonic()
            if asked_at >= ends_at:
                stream.cut(Unavailable("STREAM_AGE_REACHED", "the stream is too old; open another and go on"))
                return
            stale_at = confirmed_at + 2 * every
            try:
                async with asyncio.timeout(max(0.0, stale_at - asked_at)):
                    await self._authorize(call, policy, request, again=True)
                confirmed_at, pause = asked_at, every
            except (Unavailable, TimeoutError):
                pause = every / _RETRIES_AN_INTERVAL
                if self._clock.monotonic() + pause >= stale_at:
                    stream.cut(
                        Unavailable("ACCESS_STATE_STALE", "nobody can say whether the stream's rights still hold")
                    )
                    return
            except CaseMeshError:
                stream.cut(Unauthenticated("STREAM_RIGHT_ENDED", "the right this stream was opened with has ended"))
                return
            except Exception:
                # A watch that died would leave its stream open for good.
                log.exception("stream.recheck_failed", method=call.method)
                stream.cut(Unavailable("ACCESS_STATE_STALE", "nobody can say whether the stream's rights still hold"))
                return


class Stream:
    """An open stream that can be cut from outside its task."""

    def __init__(self, task: asyncio.Task[Any]) -> None:
        self._task = task
        self.why: CaseMeshError | None = None

    def cut(self, why: CaseMeshError) -> None:
        """End the stream with `why`."""
        if self.why is None:
            self.why = why
            self._task.cancel()


async def _first(
    source: AsyncIterator[Message], check: Callable[[Message], None]
) -> tuple[Message, AsyncIterator[Message]]:
    """Return the first message of a stream and an iterator that gives it again, then the rest, each checked."""
    try:
        async with asyncio.timeout(_OPEN_TIMEOUT_SECONDS):
            first = await anext(aiter(source))
    except (StopAsyncIteration, TimeoutError):
        raise InvalidArgument(
            "STREAM_NOT_OPENED", f"the stream must open with a message within {_OPEN_TIMEOUT_SECONDS:.0f} seconds"
        ) from None
    if not isinstance(first, Message):
        # What a servicer's own deserializer made of it; it says nothing of what the stream is for.
        raise InvalidArgument("STREAM_NOT_OPENED", "the stream must open with the message that says what it is for")

    async def rest() -> AsyncIterator[Message]:
        yield first
        async for message in source:
            check(message)
            yield message

    return first, rest()


def _accept(message: Message) -> None:
    """Leave the check to the handler."""


def _bearer_token(metadata: Metadata) -> str:
    values = [value for key, value in metadata if key == "authorization"]
    if len(values) != 1 or not isinstance(values[0], str) or not values[0].startswith("Bearer "):
        raise Unauthenticated("TOKEN_MISSING", "the call must carry one `authorization: Bearer` token")
    return values[0].removeprefix("Bearer ")


def _require_subject(subject: Subject, officer: str | None) -> None:
    if subject is Subject.OFFICER and officer is None:
        raise PermissionDenied("TOKEN_SUBJECT_WRONG", "this asks for an officer's token, not a system's own")
    if subject is Subject.SYSTEM and officer is not None:
        raise PermissionDenied("TOKEN_SUBJECT_WRONG", "this asks for a system's own token, not an officer's")


def _code(error: CaseMeshError) -> grpc.StatusCode:
    return next(code for code in grpc.StatusCode if code.value[0] == error.code)

"""The client's half of tracing inside the mesh: a span per call, and `traceparent` sent on.

Only unary calls cross between services; the streams of agencies pass through the gateway, which starts their trace.
"""

from __future__ import annotations

from typing import Any

import grpc
import grpc.aio
from opentelemetry import trace

from casemesh.runtime.telemetry import traceparent_of, tracer


class TracingInterceptor(grpc.aio.UnaryUnaryClientInterceptor):
    """Opens a client span around a unary call. Place it before the one that turns failures into our errors."""

    async def intercept_unary_unary(self, continuation: Any, details: Any, request: Any) -> Any:
        method = (details.method.decode() if isinstance(details.method, bytes) else details.method).lstrip("/")
        with tracer().start_as_current_span(
            method,
            kind=trace.SpanKind.CLIENT,
            attributes={"rpc.system.name": "grpc", "rpc.method": method},
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            metadata = grpc.aio.Metadata(*(details.metadata or ()))
            if parent := traceparent_of(span):
                metadata.set_all("traceparent", [parent])
            call = await continuation(details._replace(metadata=metadata), request)
            code = await call.code()
            span.set_attribute("rpc.response.status_code", code.name)
            if code is not grpc.StatusCode.OK:
                span.set_status(trace.StatusCode.ERROR, code.name)
            return call

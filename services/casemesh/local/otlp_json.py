"""Stored spans as OTLP JSON, for any tool that reads it.

Source: OpenTelemetry protocol 1.x, "JSON Protobuf Encoding": ids in hexadecimal, 64-bit numbers as strings.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

_STATUS = {"UNSET": 0, "OK": 1, "ERROR": 2}


def otlp_document(spans: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return one `TracesData` with the spans grouped by the service that made them, in the order of their names."""
    by_service = groupby(sorted(spans, key=lambda span: str(span["service"])), key=lambda span: str(span["service"]))
    return {
        "resourceSpans": [
            {
                "resource": {"attributes": _attributes({"service.name": service})},
                "scopeSpans": [{"scope": {"name": "casemesh"}, "spans": [_span(span) for span in group]}],
            }
            for service, group in by_service
        ]
    }


def _span(span: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "traceId": span["trace_id"],
        "spanId": span["span_id"],
        "parentSpanId": span["parent_span_id"],
        "name": span["name"],
        "kind": span["kind"],
        "startTimeUnixNano": str(span["start_unix_nano"]),
        "endTimeUnixNano": str(span["end_unix_nano"]),
        "attributes": _attributes(span["attributes"]),
        "links": [{"traceId": link["trace_id"], "spanId": link["span_id"]} for link in span["links"]],
        "status": {"code": _STATUS[span["status"]]},
    }


def _attributes(values: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{"key": key, "value": _value(value)} for key, value in values.items()]


def _value(value: Any) -> dict[str, Any]:
    match value:
        case bool():
            return {"boolValue": value}
        case int():
            return {"intValue": str(value)}
        case float():
            return {"doubleValue": value}
        case list():
            return {"arrayValue": {"values": [_value(item) for item in value]}}
        case _:
            return {"stringValue": "" if value is None else str(value)}

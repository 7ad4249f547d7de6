"""The one-machine supervisor's parts: children that are kept running, and the telemetry backend."""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import signal
import sys
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import grpc.aio
import pytest
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc

from casemesh.local.children import Child
from casemesh.local.traces import Collector, SpanStore, StoredSpan

WAITING = "import time, sys; print('up', flush=True); time.sleep(60)"
STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not holds():
            await asyncio.sleep(0.02)


def child(tmp_path: Path, program: str, **options: Any) -> Child:
    return Child("probe", [sys.executable, "-c", program], tmp_path / "probe.log", **options)


def printed(tmp_path: Path) -> int:
    path = tmp_path / "probe.log"
    return path.read_text().count("up") if path.exists() else 0


async def test_a_child_that_is_killed_is_started_again_and_said_so(tmp_path: Path) -> None:
    told: list[tuple[str, int]] = []
    process = child(tmp_path, WAITING, on_restart=lambda name, code: told.append((name, code)))
    await process.start()
    try:
        await until(lambda: printed(tmp_path) == 1)
        first = process.pid
        assert first is not None
        os.kill(first, signal.SIGKILL)
        await until(lambda: printed(tmp_path) == 2)
        assert process.pid != first
        assert told == [("probe", -signal.SIGKILL)]
    finally:
        await process.stop()
    assert process.pid is None


async def test_a_child_that_does_not_end_when_asked_is_killed_after_its_grace(tmp_path: Path) -> None:
    process = child(tmp_path, STUBBORN)
    await process.start()
    await until(lambda: printed(tmp_path) == 1)
    await process.stop(grace_seconds=0.2)
    assert process.pid is None


async def test_a_stopped_child_stays_stopped(tmp_path: Path) -> None:
    process = child(tmp_path, "print('up', flush=True)")
    await process.start()
    await until(lambda: process.restarts == 1)
    await process.stop()
    before = printed(tmp_path)
    await asyncio.sleep(0.5)
    assert before == printed(tmp_path)


@pytest.fixture
async def collector() -> AsyncIterator[Collector]:
    started = Collector()
    await started.start()
    yield started
    await started.stop()


def span(trace: int, number: int, *, parent: int = 0, link: int = 0) -> dict[str, Any]:
    made: dict[str, Any] = {
        "trace_id": trace.to_bytes(16),
        "span_id": number.to_bytes(8),
        "parent_span_id": parent.to_bytes(8) if parent else b"",
        "name": f"span {number}",
        "start_time_unix_nano": number,
        "end_time_unix_nano": number + 5,
    }
    if link:
        made["links"] = [{"trace_id": link.to_bytes(16), "span_id": (1).to_bytes(8)}]
    return made


async def export(collector: Collector, service: str, *spans: dict[str, Any]) -> None:
    resource = {"attributes": [{"key": "service.name", "value": {"string_value": service}}]}
    request = trace_service_pb2.ExportTraceServiceRequest(
        resource_spans=[{"resource": resource, "scope_spans": [{"spans": spans}]}]
    )
    async with grpc.aio.insecure_channel(f"127.0.0.1:{collector.otlp_port}") as channel:
        stub = trace_service_pb2_grpc.TraceServiceStub(channel)  # type: ignore[no-untyped-call]
        await stub.Export(request, timeout=10)


async def ask(collector: Collector, path: str) -> tuple[int, Any]:
    def fetch() -> tuple[int, Any]:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{collector.http_port}{path}", timeout=10) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.load(error)

    return await asyncio.to_thread(fetch)


async def test_a_trace_comes_back_whole_with_the_traces_that_link_to_it(collector: Collector) -> None:
    await export(collector, "gateway", span(7, 1))
    await export(collector, "routing", span(7, 2, parent=1))
    await export(collector, "audit", span(9, 3, link=7))
    await export(collector, "dossier", span(8, 4))
    status, answer = await ask(collector, f"/traces/{7:032x}")
    assert status == 200
    assert [("gateway", 1, ""), ("routing", 2, f"{1:016x}"), ("audit", 3, "")] == [
        (one["service"], one["start_unix_nano"], one["parent_span_id"]) for one in answer["spans"]
    ]
    assert [{"trace_id": f"{7:032x}", "span_id": f"{1:016x}"}] == answer["spans"][2]["links"]


async def test_a_trace_nobody_sent_is_not_found(collector: Collector) -> None:
    assert await ask(collector, f"/traces/{1:032x}") == (404, {"spans": []})
    status, _ = await ask(collector, "/elsewhere")
    assert status == 404


def test_the_store_forgets_the_oldest_traces_first_and_stays_bounded() -> None:
    store = SpanStore(max_spans=10)
    for number in range(30):
        store.add(StoredSpan(f"{number:032x}", "a", "", "x", "s", number, number + 1, "UNSET"))
    assert [f"{number:032x}" for number in range(29, 19, -1)] == [trace["trace_id"] for trace in store.recent()]
    assert store.trace(f"{3:032x}") == []


async def test_pages_are_shown_to_this_machine_alone_and_forbid_scripts(collector: Collector) -> None:
    await export(collector, "gateway", span(7, 1))

    def fetch(path: str, host: str) -> tuple[int, str, str]:
        connection = http.client.HTTPConnection("127.0.0.1", collector.http_port, timeout=10)
        try:
            connection.request("GET", path, headers={"host": host})
            answer = connection.getresponse()
            return answer.status, answer.headers["content-security-policy"], answer.read().decode()
        finally:
            connection.close()

    own = f"127.0.0.1:{collector.http_port}"
    status, policy, listed = await asyncio.to_thread(fetch, "/", own)
    assert (200, "default-src 'none'; style-src 'unsafe-inline'") == (status, policy)
    assert f'href="/waterfall/{7:032x}"' in listed
    status, _, drawn = await asyncio.to_thread(fetch, f"/waterfall/{7:032x}", own)
    assert 200 == status
    assert "gateway" in drawn
    assert 404 == (await asyncio.to_thread(fetch, f"/waterfall/{8:032x}", own))[0]
    # A site that made its own name lead to loopback.
    assert 403 == (await asyncio.to_thread(fetch, "/traces", "attacker.example"))[0]


async def test_a_cluster_asks_by_names_of_its_own() -> None:
    # Any address but the one of this machine alone.
    collector = Collector(host="127.0.0.2")
    await collector.start()

    def status(host: str) -> int:
        connection = http.client.HTTPConnection("127.0.0.2", collector.http_port, timeout=10)
        try:
            connection.request("GET", "/traces", headers={"host": host})
            return connection.getresponse().status
        finally:
            connection.close()

    try:
        for name in ("otel-collector.casemesh.svc:8080", "10.42.0.7:8080"):
            assert 200 == await asyncio.to_thread(status, name)
    finally:
        await collector.stop()
